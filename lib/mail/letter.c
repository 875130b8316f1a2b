/* SPDX-License-Identifier: ISC */
#include "mail/letter.h"

#include <stdlib.h>
#include <string.h>

#include "mail/header.h"

/* Adds the text with CRLF at the end of each line. */
static void add_lines(struct mg_buf *out, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		const char *feed = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((feed != NULL ? feed : end) - text);

		if (line > 0 && text[line - 1] == '\r')
			line--;
		mg_buf_add(out, text, line);
		mg_buf_add(out, "\r\n", 2);
		text = feed != NULL ? feed + 1 : end;
	}
}

/* The length of the header field at `at`, folds included, without its final CRLF; 0: none. name:
 * the length of its name. */
static size_t field_length(const char *at, const char *end, size_t *name)
{
	const char *colon = memchr(at, ':', (size_t)(end - at)), *line = at;
	size_t length;

	if (colon == NULL)
		return 0;
	*name = (size_t)(colon - at);
	while (*name > 0 && (at[*name - 1] == ' ' || at[*name - 1] == '\t'))
		--*name;
	if (!mg_header_name_valid(at, *name))
		return 0;
	/* Every line ends in CRLF. */
	do {
		line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
	} while (line < end && (*line == ' ' || *line == '\t'));
	length = (size_t)(line - at);
	return colon < line ? length - 2 : 0;
}

static bool add_field(struct mg_letter *letter, const char *at, size_t length, size_t name)
{
	struct mg_header *headers = letter->headers;
	const char *colon = memchr(at + name, ':', length - name);

	/* Room grows by doubling: at each power of two. */
	if ((letter->count & (letter->count - 1)) == 0) {
		size_t room = letter->count == 0 ? 1 : 2 * letter->count;

		headers = reallocarray(headers, room, sizeof(*headers));
		if (headers == NULL)
			return false;
		letter->headers = headers;
	}
	headers[letter->count++] = (struct mg_header){.name = at,
		.name_length = name,
		.value = colon + 1,
		.value_length = (size_t)(at + length - (colon + 1))};
	return true;
}

bool mg_letter_read(
	struct mg_letter *letter, const char *text, size_t length, struct mg_error *error)
{
	const char *at, *end;
	size_t field, name;

	*letter = (struct mg_letter){.count = 0};
	add_lines(&letter->text, text, length);
	at = mg_buf_text(&letter->text);
	end = at + letter->text.length;
	if (letter->text.length > 5 && memcmp(at, "From ", 5) == 0)
		at = (const char *)memchr(at, '\n', letter->text.length) + 1;
	while (at < end && (field = field_length(at, end, &name)) > 0) {
		if (!add_field(letter, at, field, name)) {
			mg_error_set(error, "out of memory");
			return false;
		}
		at += field + 2;
	}
	if (end - at >= 2 && memcmp(at, "\r\n", 2) == 0)
		at += 2;
	letter->body = at;
	letter->body_length = (size_t)(end - at);
	if (letter->text.failed)
		mg_error_set(error, "out of memory");
	else if (letter->count == 0)
		mg_error_set(error, "no message: it does not begin with a header field");
	return !letter->text.failed && letter->count > 0;
}

void mg_letter_free(struct mg_letter *letter)
{
	free(letter->headers);
	mg_buf_free(&letter->text);
	*letter = (struct mg_letter){.count = 0};
}
