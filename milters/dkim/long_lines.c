/* SPDX-License-Identifier: ISC */
#include "dkim/long_lines.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/header.h"

enum { WIDTH = 78 }; /* RFC 5322 section 2.1.1 */

/* A field that is to be changed. */
struct fold {
	const char *name, *value;
	unsigned occurrence;
};

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

/* Length of the line at text without its line end; *next: with it. */
static size_t line_length(const char *text, size_t length, size_t *next)
{
	const char *end = memchr(text, '\n', length);
	size_t line = end != NULL ? (size_t)(end - text) : length;

	*next = end != NULL ? line + 1 : length;
	return line > 0 && text[line - 1] == '\r' && end != NULL ? line - 1 : line;
}

static bool has_long_line(const struct mg_header *header, size_t limit)
{
	size_t before = header->name_length + 1, at = 0, next;

	while (at < header->value_length) {
		if (before + line_length(header->value + at, header->value_length - at, &next) >
			limit)
			return true;
		at += next;
		before = 0;
	}
	return false;
}

static bool is_long(const struct mg_header *header, const struct mg_dkim_names *names, size_t limit)
{
	return header->name_length + 1 + header->value_length > limit &&
	       has_long_line(header, limit) &&
	       mg_dkim_names_has(names, header->name, header->name_length);
}

/* A name that is cut is none any more, also of a field that is not signed: some verifiers take no
 * header with it. */
static bool is_name_cut(const struct mg_header *header, size_t limit)
{
	return header->name_length + 1 > limit;
}

/* Can the field be changed? One with blanks before the colon, or a CR alone, cannot. */
static bool is_changeable(const struct mg_header *header)
{
	const char *at = header->value, *end = at + header->value_length;

	for (; (at = memchr(at, '\r', (size_t)(end - at))) != NULL; at++)
		if (at + 1 == end || at[1] != '\n')
			return false;
	return mg_header_name_valid(header->name, header->name_length);
}

static bool is_to_fold(
	const struct mg_header *header, const struct mg_dkim_names *names, size_t limit)
{
	return is_long(header, names, limit) && is_changeable(header);
}

bool dkim_long_lines_any(const struct mg_header *headers, size_t count,
	const struct mg_dkim_names *names, size_t limit)
{
	for (size_t i = 0; i < count; i++)
		if (is_long(&headers[i], names, limit) || is_name_cut(&headers[i], limit))
			return true;
	return false;
}

/* Where text, which ends in no blank, is folded: before the last blank within `width` octets, or
 * else the first one behind; a blank that has text before it and behind, for a line of blanks would
 * end the header in some programs. 0: nowhere. */
static size_t find_fold(const char *text, size_t length, size_t width)
{
	size_t first = 0;

	while (first < length && is_blank(text[first]))
		first++;
	for (size_t at = width < length ? width : length; at > first; at--)
		if (at < length && is_blank(text[at]) && !is_blank(text[at + 1]))
			return at;
	for (size_t at = width > first ? width : first; at < length; at++)
		if (is_blank(text[at]) && !is_blank(text[at + 1]))
			return at;
	return 0;
}

/* A line; before: octets that stand before it. True when a piece of it is still too long. */
static bool fold_line(
	const char *text, size_t length, size_t before, size_t limit, struct mg_buf *out)
{
	size_t width = WIDTH < limit ? WIDTH : limit, blanks = 0;
	bool left = false;

	while (blanks < length && is_blank(text[length - blanks - 1]))
		blanks++;
	while (before + length > width) {
		size_t at = find_fold(text, length - blanks, before < width ? width - before : 0);

		if (at == 0)
			break;
		left = left || before + at > limit;
		mg_buf_add(out, text, at);
		mg_buf_add_text(out, "\r\n");
		text += at;
		length -= at;
		before = 0;
	}
	mg_buf_add(out, text, length);
	return left || before + length > limit;
}

bool dkim_long_lines_fold_value(
	size_t name_length, const char *value, size_t length, size_t limit, struct mg_buf *out)
{
	size_t before = name_length + 1, at = 0, next;
	bool left = false;

	while (at < length) {
		size_t line = line_length(value + at, length - at, &next);

		if (before + line > limit)
			left = fold_line(value + at, line, before, limit, out) || left;
		else
			mg_buf_add(out, value + at, line);
		mg_buf_add(out, value + at + line, next - line);
		at += next;
		before = 0;
	}
	return left;
}

/* The how-manieth of its name. */
static unsigned occurrence_of(const struct mg_header *headers, size_t index)
{
	unsigned occurrence = 1;

	for (size_t i = 0; i < index; i++)
		occurrence += headers[i].name_length == headers[index].name_length &&
			      strncasecmp(headers[i].name, headers[index].name,
				      headers[index].name_length) == 0;
	return occurrence;
}

/* What becomes of one field; false: out of memory. */
static bool prepare(struct mg_call *call, const struct mg_header *headers, size_t index,
	size_t limit, struct fold *fold, bool *left)
{
	const struct mg_header *header = &headers[index];
	struct mg_buf value = {0};

	if (dkim_long_lines_fold_value(
		    header->name_length, header->value, header->value_length, limit, &value))
		*left = true;
	fold->name = mg_copy(call, header->name, header->name_length);
	fold->value = value.failed ? NULL : mg_copy(call, mg_buf_text(&value), value.length);
	/* A NUL in a value does not reach the daemon, so that the copy is the whole. */
	fold->occurrence = occurrence_of(headers, index);
	mg_buf_free(&value);
	return fold->name != NULL && fold->value != NULL;
}

bool dkim_long_lines_fold(
	struct mg_call *call, const struct mg_dkim_names *names, size_t limit, bool *left)
{
	size_t count, folds = 0;
	const struct mg_header *headers = mg_headers(call, &count);
	struct fold *list;

	*left = false;
	if (headers == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		bool fits = is_to_fold(&headers[i], names, limit);

		folds += fits;
		*left = *left || is_name_cut(&headers[i], limit) ||
			(!fits && is_long(&headers[i], names, limit));
	}
	if (folds == 0)
		return true;
	list = mg_alloc(call, folds * sizeof(*list));
	if (list == NULL)
		return false;
	folds = 0;
	for (size_t i = 0; i < count; i++)
		if (is_to_fold(&headers[i], names, limit) &&
			!prepare(call, headers, i, limit, &list[folds++], left))
			return false;
	for (size_t i = 0; i < folds; i++)
		if (mg_change_header(call, list[i].name, list[i].occurrence, list[i].value) != 0)
			return false;
	return true;
}
