/* SPDX-License-Identifier: ISC */
#include "log/auth.h"

#include <string.h>
#include <strings.h>

#include "auth/dkim_tags.h"
#include "base/buf.h"
#include "mail/address.h"
#include "mail/fields.h"
#include "mail/header.h"

enum {
	SIGNATURES_MAX = 20,
	RESULTS_MAX = 50,
	VALUE_MAX = 64 * 1024, /* bytes of a field that are read */
	TAG_MAX = 256,
	RESULT_MAX = 1024
};

static bool is_named(const struct mg_header *header, const char *name)
{
	return header->name_length == strlen(name) &&
	       strncasecmp(header->name, name, header->name_length) == 0;
}

/* --- signatures --- */

static void set_tag(struct mg_event *event, enum mg_field_id id, const struct mg_dkim_tags *tags,
	const char *name)
{
	const struct mg_dkim_tag *tag = mg_dkim_tag_find(tags, name);
	struct mg_buf compact = {.limit = 0}, text = {.limit = TAG_MAX};

	if (tag == NULL)
		return;
	mg_dkim_tag_compact(tag, &compact);
	if (id != MG_FIELD_SIGNATURES_DOMAIN ||
		!mg_domain_normalize(mg_buf_text(&compact), compact.length, &text))
		mg_header_plain(mg_buf_text(&compact), compact.length, &text);
	mg_event_set_text_n(event, &mg_fields[id], mg_buf_text(&text), text.length);
	mg_buf_free(&compact);
	mg_buf_free(&text);
}

static void record_signature(struct mg_event *event, const struct mg_header *header)
{
	struct mg_dkim_tags tags;

	if (!mg_dkim_tags_read(header->value, header->value_length, &tags))
		return;
	mg_event_begin_object(event, &mg_fields[MG_FIELD_DKIM_SIGNATURES]);
	set_tag(event, MG_FIELD_SIGNATURES_DOMAIN, &tags, "d");
	set_tag(event, MG_FIELD_SIGNATURES_SELECTOR, &tags, "s");
	set_tag(event, MG_FIELD_SIGNATURES_ALGORITHM, &tags, "a");
	mg_event_end_object(event);
}

/* --- results --- */

/* Where the piece that begins at `at` ends: at the next semicolon outside of quotes and comments. */
static const char *piece_end(const char *at, const char *end)
{
	size_t depth = 0;
	bool quoted = false;

	for (; at < end; at++) {
		if (*at == '\\' && end - at > 1 && (quoted || depth > 0))
			at++;
		else if (*at == '"' && depth == 0)
			quoted = !quoted;
		else if (*at == '(' && !quoted)
			depth++;
		else if (*at == ')' && !quoted && depth > 0)
			depth--;
		else if (*at == ';' && !quoted && depth == 0)
			break;
	}
	return at;
}

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

/* Whether a piece, the first, names this gateway; a version may follow. */
static bool is_ours(const char *at, const char *end, const char *authserv_id)
{
	size_t length = strlen(authserv_id);

	while (at < end && is_blank(*at))
		at++;
	return (size_t)(end - at) >= length && strncasecmp(at, authserv_id, length) == 0 &&
	       (at + length == end || is_blank(at[length]) || at[length] == '(');
}

/* Returns how many were recorded. */
static size_t record_results(struct mg_event *event, const char *value, size_t length,
	const char *authserv_id, size_t room)
{
	const char *end = value + length, *at = piece_end(value, end);
	size_t count = 0;

	if (!is_ours(value, at, authserv_id))
		return 0;
	while (at < end) {
		const char *begin = at + 1;
		struct mg_buf text = {.limit = RESULT_MAX};

		at = piece_end(begin, end);
		mg_header_plain(begin, (size_t)(at - begin), &text);
		if (text.length > 0 && count < room)
			mg_event_set_text_n(
				event, &mg_fields[MG_FIELD_AUTH_RESULTS], text.data, text.length);
		count += text.length > 0;
		mg_buf_free(&text);
		if (count > room) {
			mg_event_truncated(event, &mg_fields[MG_FIELD_AUTH_RESULTS]);
			break;
		}
	}
	return count;
}

void log_auth_record(struct mg_event *event, const struct mg_header *headers, size_t count,
	const char *authserv_id)
{
	size_t signatures = 0, results = 0;

	for (size_t i = 0; i < count; i++) {
		size_t length = headers[i].value_length;

		if (is_named(&headers[i], "DKIM-Signature")) {
			if (signatures++ < SIGNATURES_MAX)
				record_signature(event, &headers[i]);
			else
				mg_event_truncated(event, &mg_fields[MG_FIELD_DKIM_SIGNATURES]);
		} else if (results <= RESULTS_MAX &&
			   is_named(&headers[i], "Authentication-Results")) {
			results += record_results(event, headers[i].value,
				length < VALUE_MAX ? length : VALUE_MAX, authserv_id,
				RESULTS_MAX - results);
		}
	}
}
