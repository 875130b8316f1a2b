/* SPDX-License-Identifier: ISC */
#include "dkim/own.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/dkim_tags.h"
#include "auth/dkim_verify.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/str.h"

enum {
	OWN_MAX = 4, /* signatures of ours that are verified */
	FIELDS_MAX = 16, /* signatures that are read to find them */
	BITS_MIN = 1024 /* RFC 8301 section 3.2; ours were looked at when they were loaded */
};

static const char field[] = "DKIM-Signature";

/* A signature by a key we have. */
struct candidate {
	unsigned occurrence; /* of the field, from 1 */
	size_t index; /* in the header */
	char domain[256], selector[65];
	bool valid;
};

struct dkim_own {
	struct candidate list[OWN_MAX];
	size_t count;
	struct dkim_keys *keys;
	struct mg_dkim_verify *verify;
	unsigned char header_hash[MG_SHA256_SIZE]; /* of the header that is verified */
};

static bool is_signature(const struct mg_header *header)
{
	return header->name_length == sizeof(field) - 1 &&
	       strncasecmp(header->name, field, sizeof(field) - 1) == 0;
}

/* The value of a tag, without white space, into text; false: none, or too long. */
static bool read_tag(const struct mg_dkim_tags *tags, const char *name, char *text, size_t size)
{
	const struct mg_dkim_tag *tag = mg_dkim_tag_find(tags, name);
	struct mg_buf value = {.limit = size};
	bool good;

	if (tag == NULL)
		return false;
	mg_dkim_tag_compact(tag, &value);
	good = !value.failed && value.length > 0 && mg_str_copy(text, size, mg_buf_text(&value));
	mg_buf_free(&value);
	return good;
}

/* Is it a signature by a key we have? */
static bool read_candidate(
	struct dkim_keys *keys, const struct mg_header *header, struct candidate *candidate)
{
	struct mg_dkim_tags tags;
	struct mg_dkim_key *key;

	if (!mg_dkim_tags_read(header->value, header->value_length, &tags) ||
		!read_tag(&tags, "d", candidate->domain, sizeof(candidate->domain)) ||
		!read_tag(&tags, "s", candidate->selector, sizeof(candidate->selector)))
		return false;
	mg_str_lower(candidate->domain);
	key = dkim_keys_find(keys, candidate->domain, candidate->selector);
	if (key == NULL)
		return false;
	mg_dkim_key_release(key);
	return true;
}

/* Fills list; returns how many. */
static size_t find_candidates(struct dkim_keys *keys, const struct mg_header *headers, size_t count,
	struct candidate list[OWN_MAX])
{
	unsigned occurrence = 0;
	size_t found = 0;

	for (size_t i = 0; i < count && found < OWN_MAX && occurrence < FIELDS_MAX; i++) {
		if (!is_signature(&headers[i]))
			continue;
		list[found] = (struct candidate){.occurrence = ++occurrence, .index = i};
		found += read_candidate(keys, &headers[i], &list[found]);
	}
	return found;
}

/* The key's own record stands for the one in DNS: what matters is whether content and signature are
 * still of one piece. */
static bool own_record(
	void *context, const char *domain, const char *selector, struct mg_buf *record)
{
	struct dkim_own *own = context;
	struct mg_dkim_key *key = dkim_keys_find(own->keys, domain, selector);

	if (key == NULL)
		return false;
	mg_dkim_record_text(key, record);
	mg_dkim_key_release(key);
	return !record->failed;
}

static bool hash_header(
	const struct mg_header *headers, size_t count, unsigned char digest[MG_SHA256_SIZE])
{
	struct mg_sha256 *hash = mg_sha256_new();
	bool good;

	if (hash == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		mg_sha256_add(hash, headers[i].name, headers[i].name_length);
		mg_sha256_add(hash, ":", 1);
		mg_sha256_add(hash, headers[i].value, headers[i].value_length);
		mg_sha256_add(hash, "\r\n", 2);
	}
	good = mg_sha256_finish(hash, digest);
	mg_sha256_free(hash);
	return good;
}

/* The header without signatures of others, which are not ours to verify. */
static struct mg_header *without_others(
	const struct dkim_own *own, const struct mg_header *headers, size_t count, size_t *kept)
{
	struct mg_header *list = calloc(count, sizeof(*list));
	size_t next = 0;

	*kept = 0;
	for (size_t i = 0; list != NULL && i < count; i++) {
		bool is_own = next < own->count && own->list[next].index == i;

		next += is_own;
		if (is_own || !is_signature(&headers[i]))
			list[(*kept)++] = headers[i];
	}
	return list;
}

static bool start(struct dkim_own *own, const struct mg_call *call, const struct mg_header *headers,
	size_t count)
{
	const struct mg_clock *clock = call->world->clock;
	const struct mg_dkim_verify_options options = {
		.signatures = OWN_MAX,
		.minimum_bits = BITS_MIN,
		.now = clock->utc(clock),
		.deadline = call->message->deadline,
		.lookup = own_record,
		.context = own,
	};
	size_t kept;
	struct mg_header *list = without_others(own, headers, count, &kept);

	if (list != NULL && hash_header(headers, count, own->header_hash))
		own->verify = mg_dkim_verify_new(&options, list, kept, NULL);
	free(list);
	return own->verify != NULL;
}

struct dkim_own *dkim_own_begin(
	struct mg_call *call, const struct dkim_settings *settings, bool *failed)
{
	struct candidate list[OWN_MAX];
	size_t header_count = 0, found;
	const struct mg_header *headers = mg_headers(call, &header_count);
	struct dkim_own *own;

	*failed = headers == NULL;
	found = *failed ? 0 : find_candidates(settings->keys, headers, header_count, list);
	if (found == 0)
		return NULL;
	own = calloc(1, sizeof(*own));
	if (own != NULL) {
		memcpy(own->list, list, found * sizeof(list[0]));
		own->count = found;
		own->keys = settings->keys;
		if (start(own, call, headers, header_count))
			return own;
	}
	*failed = true;
	dkim_own_free(own);
	return NULL;
}

void dkim_own_body(struct dkim_own *own, const unsigned char *chunk, size_t length)
{
	if (own != NULL)
		mg_dkim_verify_body(own->verify, chunk, length);
}

/* A filter before us may have changed the header after it was verified: then it is not what is
 * sent. */
static bool is_unchanged(const struct dkim_own *own, struct mg_call *call)
{
	unsigned char now[MG_SHA256_SIZE];
	size_t count = 0;
	const struct mg_header *headers = mg_headers(call, &count);

	return headers != NULL && hash_header(headers, count, now) &&
	       memcmp(now, own->header_hash, sizeof(now)) == 0;
}

void dkim_own_end(struct dkim_own *own, struct mg_call *call)
{
	const struct mg_dkim_verified *results;
	size_t count;
	bool unchanged;

	if (own == NULL)
		return;
	results = mg_dkim_verify_end(own->verify, &count);
	unchanged = is_unchanged(own, call);
	for (size_t i = 0; i < own->count && i < count; i++)
		own->list[i].valid =
			unchanged && results[i].result == MG_DKIM_PASS && !results[i].partial;
}

bool dkim_own_has(const struct dkim_own *own, const char *domain, const char *selector)
{
	for (size_t i = 0; own != NULL && i < own->count; i++)
		if (own->list[i].valid && strcmp(own->list[i].domain, domain) == 0 &&
			strcasecmp(own->list[i].selector, selector) == 0)
			return true;
	return false;
}

bool dkim_own_remove_invalid(const struct dkim_own *own, struct mg_call *call)
{
	for (size_t i = own != NULL ? own->count : 0; i-- > 0;)
		if (!own->list[i].valid &&
			mg_change_header(call, field, own->list[i].occurrence, NULL) != 0)
			return false;
	return true;
}

void dkim_own_free(struct dkim_own *own)
{
	if (own == NULL)
		return;
	if (own->verify != NULL)
		mg_dkim_verify_free(own->verify);
	free(own);
}
