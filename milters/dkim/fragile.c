/* SPDX-License-Identifier: ISC */
#include "dkim/fragile.h"

#include <string.h>
#include <strings.h>

enum {
	QUEUE_LIFETIME = 5 * 24 * 3600, /* seconds; maximal_queue_lifetime(5) as shipped */
	NAMES_MAX = 4095 /* octets of h= that libopendkim reads */
};

static const char *const names[DKIM_FRAGILITIES] = {
	[DKIM_EIGHT_BIT] = "eight-bit",
	[DKIM_LONG_BODY_LINE] = "long-line",
	[DKIM_LONG_HEADER_LINE] = "long-header",
	[DKIM_EXPIRES] = "expire",
	[DKIM_CONTROLS] = "control",
	[DKIM_MANY_FIELDS] = "many-fields",
};

const char *dkim_fragility_name(enum dkim_fragility fragility)
{
	return names[fragility];
}

bool dkim_fragile_expires(long long seconds)
{
	return seconds > 0 && seconds < QUEUE_LIFETIME;
}

/* --- declarations of a header --- */

static bool is_named(const struct mg_header *header, const char *name)
{
	return header->name_length == strlen(name) &&
	       strncasecmp(header->name, name, header->name_length) == 0;
}

static bool has_word(const char *text, size_t length, const char *word)
{
	size_t word_length = strlen(word);

	for (size_t i = 0; i + word_length <= length; i++)
		if (strncasecmp(text + i, word, word_length) == 0)
			return true;
	return false;
}

/* The values of RFC 2045 section 6.2 that are no encoding; comments of any length may stand before
 * them. */
static bool is_eight_bit(const char *value, size_t length)
{
	return has_word(value, length, "8bit") || has_word(value, length, "binary");
}

bool dkim_fragile_header(const struct mg_header *headers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_named(&headers[i], "Content-Transfer-Encoding") &&
			is_eight_bit(headers[i].value, headers[i].value_length))
			return true;
	return false;
}

/* May the body have parts with headers of their own? Blanks and comments may stand around the slash
 * of the type. */
static bool has_parts(const struct mg_header *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *value = headers[i].value;
		size_t length = headers[i].value_length;

		if (is_named(&headers[i], "Content-Type") &&
			(has_word(value, length, "multipart") ||
				has_word(value, length, "message")))
			return true;
	}
	return false;
}

/* --- signed fields --- */

/* Octets of h= at most, without its white space. */
static size_t length_of_names(
	const struct mg_header *headers, size_t count, const struct mg_dkim_names *signed_names)
{
	const struct mg_dkim_name *name;
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		name = mg_dkim_names_find(signed_names, headers[i].name, headers[i].name_length);
		length += name != NULL ? name->length + 1 : 0;
	}
	for (size_t i = 0; (name = mg_dkim_names_at(signed_names, i)) != NULL; i++)
		length += name->oversigned ? name->length + 1 : 0;
	return length;
}

bool dkim_fragile_many(
	const struct mg_header *headers, size_t count, const struct mg_dkim_names *signed_names)
{
	size_t all = 2 * sizeof("From");

	/* An oversigned name comes once more, so that twice all names are more than enough: mostly
	 * nothing is looked up. */
	for (size_t i = 0; i < count; i++)
		all += 2 * (headers[i].name_length + 1);
	return all > NAMES_MAX && length_of_names(headers, count, signed_names) > NAMES_MAX;
}

bool dkim_fragile_controls(
	const struct mg_header *headers, size_t count, const struct mg_dkim_names *signed_names)
{
	for (size_t i = 0; i < count; i++)
		if ((memchr(headers[i].value, '\v', headers[i].value_length) != NULL ||
			    memchr(headers[i].value, '\f', headers[i].value_length) != NULL) &&
			mg_dkim_names_has(signed_names, headers[i].name, headers[i].name_length))
			return true;
	return false;
}

/* --- declarations of a body --- */

static const char declaration[] = "\ncontent-transfer-encoding";
enum {
	DECLARATION = sizeof(declaration) - 1,
	VALUE = DKIM_LOOKAHEAD - DECLARATION /* looked at; as much as is kept of a chunk */
};

/* Of a byte the place (from 1) where it stands last in the declaration but for its last byte. */
static const unsigned char places[256] = {
	['\n'] = 1,
	['-'] = 18,
	['a'] = 12,
	['c'] = 21,
	['d'] = 23,
	['e'] = 19,
	['f'] = 15,
	['i'] = 24,
	['n'] = 25,
	['o'] = 22,
	['r'] = 17,
	['s'] = 14,
	['t'] = 10,
	['A'] = 12,
	['C'] = 21,
	['D'] = 23,
	['E'] = 19,
	['F'] = 15,
	['I'] = 24,
	['N'] = 25,
	['O'] = 22,
	['R'] = 17,
	['S'] = 14,
	['T'] = 10,
};

static size_t bounded(size_t length)
{
	return length < DKIM_LOOKAHEAD ? length : DKIM_LOOKAHEAD;
}

/* Does the field whose name ends at text declare 8bit or binary? One that goes on for longer than
 * is looked at may. */
static bool declares_eight_bit(const unsigned char *text, size_t length)
{
	const char *value = (const char *)text;
	size_t end = 0;

	while (end < length && (value[end] == ' ' || value[end] == '\t'))
		end++;
	if (end == length || value[end] != ':')
		return false;
	/* To the end of the line that no fold follows. */
	while (end < length && !(value[end] == '\n' && end + 1 < length && value[end + 1] != ' ' &&
				       value[end + 1] != '\t'))
		end++;
	return is_eight_bit(value, end) || (end == length && length >= VALUE);
}

/* Looks for a declaration at the start of a line, by Horspool's way: mostly it steps over as many
 * bytes as the declaration has. */
static bool find_eight_bit(const unsigned char *text, size_t length)
{
	size_t at = DECLARATION - 1;

	while (at < length) {
		const unsigned char *start = text + at - (DECLARATION - 1);
		size_t behind = length - at - 1;

		if ((text[at] | 0x20) == declaration[DECLARATION - 1] &&
			strncasecmp((const char *)start, declaration, DECLARATION) == 0 &&
			declares_eight_bit(text + at + 1, behind < VALUE ? behind : VALUE))
			return true;
		at += DECLARATION - places[text[at]];
	}
	return false;
}

/* Keeps the last bytes for a declaration that goes on in the next chunk. */
static void keep_tail(struct dkim_body_facts *facts, const unsigned char *chunk, size_t length)
{
	size_t kept = facts->tail_length;

	if (length >= DKIM_LOOKAHEAD) {
		memcpy(facts->tail, chunk + length - DKIM_LOOKAHEAD, DKIM_LOOKAHEAD);
		facts->tail_length = DKIM_LOOKAHEAD;
		return;
	}
	if (kept + length > DKIM_LOOKAHEAD) {
		size_t surplus = kept + length - DKIM_LOOKAHEAD;

		memmove(facts->tail, facts->tail + surplus, kept - surplus);
		kept -= surplus;
	}
	memcpy(facts->tail + kept, chunk, length);
	facts->tail_length = kept + length;
}

static void look_for_parts(struct dkim_body_facts *facts, const unsigned char *chunk, size_t length)
{
	unsigned char joint[2 * DKIM_LOOKAHEAD];
	size_t ahead = bounded(length);

	memcpy(joint, facts->tail, facts->tail_length);
	memcpy(joint + facts->tail_length, chunk, ahead);
	facts->eight_bit =
		find_eight_bit(joint, facts->tail_length + ahead) || find_eight_bit(chunk, length);
	facts->look_for_parts = !facts->eight_bit;
	keep_tail(facts, chunk, length);
}

/* --- lines --- */

/* A line end within the next line_limit octets and its CRLF is looked for from behind: then no line
 * before it can be long, and all of them are stepped over at once. */
static void look_for_long_lines(
	struct dkim_body_facts *facts, const unsigned char *chunk, size_t length)
{
	const unsigned char *end = chunk + length;

	while (chunk < end) {
		size_t room = facts->line_limit + 2 - facts->column;
		size_t window = (size_t)(end - chunk) < room ? (size_t)(end - chunk) : room;
		const unsigned char *line_end = memrchr(chunk, '\n', window);

		if (line_end == NULL) {
			facts->column += window;
			facts->long_line = facts->column > facts->line_limit + 1;
			if (facts->long_line)
				return;
			chunk += window;
		} else {
			facts->column = 0;
			chunk = line_end + 1;
		}
	}
}

void dkim_body_facts_begin(struct dkim_body_facts *facts, const struct mg_header *headers,
	size_t count, size_t line_limit)
{
	*facts = (struct dkim_body_facts){.line_limit = line_limit};
	facts->look_for_parts = has_parts(headers, count);
	/* A declaration may begin the body. */
	facts->tail[0] = '\n';
	facts->tail_length = 1;
}

void dkim_body_facts_add(struct dkim_body_facts *facts, const unsigned char *chunk, size_t length)
{
	if (facts->look_for_parts)
		look_for_parts(facts, chunk, length);
	if (facts->line_limit > 0 && !facts->long_line)
		look_for_long_lines(facts, chunk, length);
}
