/* SPDX-License-Identifier: ISC */
#include "dkim_canon_plain.h"

#include <ctype.h>
#include <string.h>

static bool is_line_end(const struct mg_buf *text, size_t i)
{
	return i + 1 < text->length && text->data[i] == '\r' && text->data[i + 1] == '\n';
}

static bool ends_in_line_end(const struct mg_buf *text)
{
	return text->length >= 2 && is_line_end(text, text->length - 2);
}

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

/* Replaces text by what `out` holds. */
static void become(struct mg_buf *text, struct mg_buf *out)
{
	mg_buf_free(text);
	*text = *out;
}

/* What Postfix's smtp client does with its counter of the space that is left, record by record; a
 * line of a header is one record. */
static void cut_lines(struct mg_buf *text, size_t limit, size_t record)
{
	struct mg_buf out = {.limit = 0};
	size_t space = limit, line = 0;

	for (size_t i = 0; i < text->length; i++) {
		bool end = is_line_end(text, i);

		if (space == 0 && (!end || (record > 0 && line % record == 0))) {
			mg_buf_add_text(&out, "\r\n ");
			space = limit - 1;
		}
		mg_buf_add_char(&out, text->data[i]);
		if (end) {
			mg_buf_add_char(&out, text->data[++i]);
			space = limit;
			line = 0;
		} else {
			space--;
			line++;
		}
	}
	become(text, &out);
}

static void reduce_blanks(struct mg_buf *text)
{
	struct mg_buf out = {.limit = 0};

	for (size_t i = 0; i < text->length; i++) {
		size_t behind = i;

		while (behind < text->length && is_blank(text->data[behind]))
			behind++;
		if (behind > i && !is_line_end(text, behind))
			mg_buf_add_char(&out, ' ');
		i = behind;
		if (i < text->length)
			mg_buf_add_char(&out, text->data[i]);
	}
	become(text, &out);
}

void dkim_canon_plain_body(enum mg_dkim_form form, size_t line_limit, const char *body,
	size_t length, struct mg_buf *out)
{
	enum { RECORD = 2048 };
	struct mg_buf text = {.limit = 0};

	mg_buf_add(&text, body, length);
	if (!ends_in_line_end(&text))
		mg_buf_add_text(&text, "\r\n");
	if (line_limit > 0)
		cut_lines(&text, line_limit, RECORD);
	if (form == MG_DKIM_RELAXED)
		reduce_blanks(&text);
	while (ends_in_line_end(&text))
		text.length -= 2;
	mg_buf_add(out, text.data, text.length);
	if (text.length > 0 || form == MG_DKIM_SIMPLE)
		mg_buf_add_text(out, "\r\n");
	mg_buf_free(&text);
}

/* Every LF ends a line of a field, with or without a CR before it. */
static void make_folds_crlf(struct mg_buf *text)
{
	struct mg_buf out = {.limit = 0};

	for (size_t i = 0; i < text->length; i++) {
		if (text->data[i] == '\n' && (i == 0 || text->data[i - 1] != '\r'))
			mg_buf_add_char(&out, '\r');
		mg_buf_add_char(&out, text->data[i]);
	}
	become(text, &out);
}

static void unfold(struct mg_buf *text)
{
	struct mg_buf out = {.limit = 0};

	for (size_t i = 0; i < text->length; i++)
		if (is_line_end(text, i))
			i++;
		else
			mg_buf_add_char(&out, text->data[i]);
	become(text, &out);
}

void dkim_canon_plain_field(enum mg_dkim_form form, size_t line_limit, const char *name,
	size_t name_length, const char *value, size_t value_length, struct mg_buf *out)
{
	struct mg_buf text = {.limit = 0};
	size_t i = 0;

	mg_buf_add(&text, name, name_length);
	mg_buf_add_char(&text, ':');
	mg_buf_add(&text, value, value_length);
	make_folds_crlf(&text);
	mg_buf_add_text(&text, "\r\n");
	if (line_limit > 0)
		cut_lines(&text, line_limit, 0);
	if (form == MG_DKIM_SIMPLE) {
		mg_buf_add(out, text.data, text.length);
		mg_buf_free(&text);
		return;
	}
	unfold(&text);
	mg_buf_add_text(&text, "\r\n");
	reduce_blanks(&text);
	while (text.data[i] != ':')
		mg_buf_add_char(out, (char)tolower((unsigned char)text.data[i++]));
	while (out->length > 0 && is_blank(out->data[out->length - 1]))
		out->length--;
	mg_buf_add_char(out, ':');
	i += is_blank(text.data[i + 1]) ? 2 : 1;
	mg_buf_add(out, text.data + i, text.length - i);
	mg_buf_free(&text);
}
