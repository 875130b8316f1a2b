/* SPDX-License-Identifier: ISC */
#include "event/chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/str.h"

#define HASH_MEMBER ",\"hash\":\""
#define SEQUENCE_MEMBER ",\"sequence\":"
#define PREVIOUS_MEMBER "\"previous_hash\":\""
#define LINE_END "\"}}"

/* No log comes so far, and from here on none overflows. */
#define SEQUENCE_MAX UINT64_C(1000000000000000000)

enum {
	HASH_MEMBER_LENGTH = sizeof HASH_MEMBER - 1,
	LINE_END_LENGTH = sizeof LINE_END - 1,
	HASH_HEX = 2 * MG_CHAIN_HASH,
	DIGITS_MAX = 20,
	RECORD_MIN = 64 /* no record is shorter: bounds how many a damaged line may hold */
};

bool mg_chain_digest(const unsigned char previous[MG_CHAIN_HASH], const char *content,
	size_t length, unsigned char hash[MG_CHAIN_HASH])
{
	unsigned char full[MG_SHA256_SIZE];
	struct mg_sha256 *sha256 = mg_sha256_new();
	bool good = false;

	if (sha256 != NULL) {
		mg_sha256_add(sha256, previous, MG_CHAIN_HASH);
		mg_sha256_add(sha256, content, length);
		good = mg_sha256_finish(sha256, full);
	}
	mg_sha256_free(sha256);
	if (good)
		memcpy(hash, full, MG_CHAIN_HASH);
	return good;
}

bool mg_chain_seal(
	struct mg_buf *line, size_t start, uint64_t sequence, unsigned char previous[MG_CHAIN_HASH])
{
	char hex[HASH_HEX + 1];

	mg_buf_add_format(line, SEQUENCE_MEMBER "%" PRIu64, sequence);
	if (line->failed ||
		!mg_chain_digest(previous, line->data + start, line->length - start, previous))
		return false;
	mg_str_hex(hex, previous, MG_CHAIN_HASH);
	mg_buf_add(line, HASH_MEMBER, HASH_MEMBER_LENGTH);
	mg_buf_add(line, hex, HASH_HEX);
	mg_buf_add(line, LINE_END "\n", LINE_END_LENGTH + 1);
	return !line->failed;
}

static int hex_digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	return -1;
}

static bool parse_hash(const char *hex, unsigned char hash[MG_CHAIN_HASH])
{
	for (size_t i = 0; i < MG_CHAIN_HASH; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		hash[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* The number that ends the content: …,"sequence":N. 0 when there is none. */
static uint64_t parse_sequence(const char *content, size_t length)
{
	char digits[DIGITS_MAX + 1];
	size_t count = 0, name = sizeof SEQUENCE_MEMBER - 1;
	uint64_t number;

	while (count < length && count < DIGITS_MAX && content[length - count - 1] >= '0' &&
		content[length - count - 1] <= '9')
		count++;
	if (count == 0 || length < count + name ||
		memcmp(content + length - count - name, SEQUENCE_MEMBER, name) != 0)
		return 0;
	memcpy(digits, content + length - count, count);
	digits[count] = '\0';
	return mg_str_number(digits, SEQUENCE_MAX, &number) ? number : 0;
}

/* A line, taken apart. */
struct parts {
	const char *content; /* what is hashed; NULL when it is not known */
	size_t content_length;
	uint64_t sequence; /* 0: not read */
	bool has_hash, formed;
	unsigned char hash[MG_CHAIN_HASH];
};

/* The end has a fixed length, so that a damaged byte in it moves nothing. */
static void take_apart(const char *line, size_t length, bool whole, struct parts *parts)
{
	const char *member;

	memset(parts, 0, sizeof *parts);
	if (length >= HASH_HEX + LINE_END_LENGTH)
		parts->has_hash =
			parse_hash(line + length - HASH_HEX - LINE_END_LENGTH, parts->hash);
	parts->content_length = length >= MG_CHAIN_TRAILER ? length - MG_CHAIN_TRAILER : 0;
	member = line + parts->content_length;
	parts->formed = parts->has_hash && length >= MG_CHAIN_TRAILER &&
			memcmp(member, HASH_MEMBER, HASH_MEMBER_LENGTH) == 0 &&
			memcmp(line + length - LINE_END_LENGTH, LINE_END, LINE_END_LENGTH) == 0;
	if (!parts->formed) {
		/* Half a line that was cut within its end. */
		const char *end = memmem(
			member, (size_t)(line + length - member), HASH_MEMBER, HASH_MEMBER_LENGTH);

		if (end != NULL)
			parts->content_length = (size_t)(end - line);
	}
	parts->sequence = parse_sequence(line, parts->content_length);
	parts->content = whole ? line : NULL;
}

uint64_t mg_chain_sequence(const char *line, size_t length)
{
	struct parts parts;

	take_apart(line, length, true, &parts);
	return parts.formed ? parts.sequence : 0;
}

/* Whether the line's hash is the one that follows from `previous`. */
static bool follows(const struct parts *parts, const unsigned char previous[MG_CHAIN_HASH])
{
	unsigned char hash[MG_CHAIN_HASH];

	return parts->formed && parts->sequence > 0 && parts->content != NULL &&
	       mg_chain_digest(previous, parts->content, parts->content_length, hash) &&
	       memcmp(hash, parts->hash, MG_CHAIN_HASH) == 0;
}

/* Whether the line follows from the hash that it names itself. */
static bool follows_itself(const struct parts *parts)
{
	size_t name = sizeof PREVIOUS_MEMBER - 1;
	unsigned char previous[MG_CHAIN_HASH];
	const char *found;

	if (parts->content == NULL)
		return false;
	found = memmem(parts->content, parts->content_length, PREVIOUS_MEMBER, name);
	if (found == NULL ||
		(size_t)(parts->content + parts->content_length - found) < name + HASH_HEX)
		return false;
	return parse_hash(found + name, previous) && follows(parts, previous);
}

static void add_candidate(struct mg_chain *chain, const unsigned char hash[MG_CHAIN_HASH])
{
	if (chain->candidate_count < MG_CHAIN_CANDIDATES)
		memcpy(chain->candidates[chain->candidate_count++], hash, MG_CHAIN_HASH);
}

/* The chain goes on from this line. */
static void go_on(struct mg_chain *chain, const struct parts *parts, uint64_t *missing)
{
	if (chain->known && parts->sequence > chain->sequence + 1)
		*missing = parts->sequence - chain->sequence - 1;
	chain->sequence = chain->highest = parts->sequence;
	chain->candidate_count = 0;
	if (parts->has_hash)
		add_candidate(chain, parts->hash);
	chain->known = chain->begun = true;
	chain->damaged = chain->fragment = false;
}

/* A damaged line: the next may follow from the hash written in it or from the one recomputed
 * over it. */
static void pass_over(struct mg_chain *chain, const struct parts *parts, size_t length)
{
	struct mg_chain before = *chain;
	unsigned char hash[MG_CHAIN_HASH];

	chain->candidate_count = 0;
	/* Without a proper end it may be a line too many: then the next follows from the one
	 * before. */
	if (!parts->formed && before.candidate_count > 0)
		add_candidate(chain, before.candidates[0]);
	if (parts->has_hash)
		add_candidate(chain, parts->hash);
	for (size_t i = 0; i < before.candidate_count && parts->content != NULL; i++)
		if (mg_chain_digest(
			    before.candidates[i], parts->content, parts->content_length, hash))
			add_candidate(chain, hash);
	if (chain->known) {
		chain->sequence++;
		chain->highest++;
	} else {
		chain->sequence = chain->highest = parts->sequence;
		chain->known = parts->sequence > 0;
	}
	if (parts->sequence > chain->highest && parts->formed &&
		parts->sequence - chain->highest <= length / RECORD_MIN)
		chain->highest = parts->sequence;
	chain->fragment = !parts->formed;
	chain->begun = chain->damaged = true;
}

void mg_chain_init(struct mg_chain *chain)
{
	memset(chain, 0, sizeof *chain);
	chain->candidate_count = 1;
}

/* Whether a first line of a file that only follows from what it says itself is to be believed:
 * when the file before it is not there or its end is damaged. */
static bool may_stand(const struct mg_chain *chain, const struct parts *parts)
{
	return !chain->begun || chain->damaged || parts->sequence > chain->sequence + 1;
}

/* Whether this is the other half of a record that was cut in two: with the end of the sequence that
 * is due, or with less than the end of a record. */
static bool is_rest(const struct mg_chain *chain, const struct parts *parts, size_t length)
{
	return length < MG_CHAIN_TRAILER ||
	       (parts->formed && (parts->sequence == chain->sequence || parts->sequence == 0));
}

enum mg_link mg_chain_follow(struct mg_chain *chain, const char *line, size_t length, bool whole,
	bool first, uint64_t *sequence, uint64_t *missing)
{
	struct parts parts;

	take_apart(line, length, whole, &parts);
	*missing = 0;
	*sequence = parts.sequence;
	if (chain->damaged || !chain->begun || parts.sequence > chain->sequence) {
		for (size_t i = 0; i < chain->candidate_count; i++)
			if (follows(&parts, chain->candidates[i])) {
				go_on(chain, &parts, missing);
				return MG_LINK_FOLLOWS;
			}
		/* In the middle of a file with nothing before: what recovery reads first. */
		if ((first && may_stand(chain, &parts) && follows_itself(&parts)) ||
			(!first && !chain->begun && parts.formed && parts.sequence > 0)) {
			go_on(chain, &parts, missing);
			return MG_LINK_STANDS;
		}
	}
	if (chain->fragment && is_rest(chain, &parts, length)) {
		/* The best there is: in place of the last when there is no room. */
		if (chain->candidate_count == MG_CHAIN_CANDIDATES && parts.has_hash)
			chain->candidate_count--;
		if (parts.has_hash)
			add_candidate(chain, parts.hash);
		chain->fragment = false;
		return MG_LINK_REST;
	}
	pass_over(chain, &parts, length);
	*sequence = parts.formed && parts.sequence == chain->sequence ? parts.sequence : 0;
	return MG_LINK_BROKEN;
}
