/* SPDX-License-Identifier: ISC */
#include "mail/parameters.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "mail/charset.h"
#include "mail/header.h"

enum {
	PIECES_MAX = 100, /* of one parameter */
	PIECE_DIGITS = 9
};

/* What is left of a value. */
struct cursor {
	const char *at, *end;
	bool unclosed; /* a comment that never ends was met: "(" is a character from now on */
};

/* What stands behind "=". */
struct written {
	const char *text;
	size_t length;
	bool quoted;
};

/* A parameter as it is written: base*piece*=value. */
struct parameter {
	const char *base;
	size_t base_length;
	int piece; /* -1: not in pieces */
	bool extended; /* has percent signs and, at its begin, a character set */
	struct written value;
};

/* All that a value has of one parameter. */
struct found {
	struct parameter plain, single; /* single: "name*" */
	struct parameter pieces[PIECES_MAX]; /* by number, each once */
	size_t piece_count;
};

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

/* RFC 2045 section 5.1: printable, and none of ()<>@,;:\"/[]?= */
static bool is_token(char character)
{
	static const uint64_t tokens[2] = {
		UINT64_C(0x03ff6cfa00000000), UINT64_C(0x7fffffffc7fffffe)};
	unsigned char code = (unsigned char)character;

	return code < 128 && (tokens[code / 64] >> code % 64 & 1) != 0;
}

static void skip_blanks(struct cursor *cursor)
{
	while (cursor->at < cursor->end && is_blank(*cursor->at))
		cursor->at++;
}

/* Skips the comment at the cursor (RFC 5322 section 3.2.2); one that never ends is none. */
static bool skip_comment(struct cursor *cursor)
{
	size_t depth = 0;

	if (cursor->unclosed || cursor->at == cursor->end || *cursor->at != '(')
		return false;
	for (const char *at = cursor->at; at < cursor->end; at++) {
		if (*at == '\\' && cursor->end - at > 1) {
			at++;
		} else if (*at == '(') {
			depth++;
		} else if (*at == ')' && --depth == 0) {
			cursor->at = at + 1;
			return true;
		}
	}
	cursor->unclosed = true;
	return false;
}

static void skip_comments(struct cursor *cursor)
{
	do
		skip_blanks(cursor);
	while (skip_comment(cursor));
}

/* --- one parameter --- */

/* Whether the next parameter begins here, its semicolon forgotten: "name=". */
static bool is_next_name(const struct cursor *cursor)
{
	const char *at = cursor->at;

	while (at < cursor->end && is_token(*at))
		at++;
	return at > cursor->at && at < cursor->end && *at == '=';
}

/* Reads a value without quotes: up to a semicolon, for senders forget the quotes of names with
 * blanks and brackets; comments at its end are none of it. */
static void read_bare(struct cursor *cursor, struct written *value)
{
	*value = (struct written){.text = cursor->at};
	while (cursor->at < cursor->end && *cursor->at != ';') {
		const char *from = cursor->at;
		size_t word = *from == '='
				      ? mg_header_encoded_word(from, (size_t)(cursor->end - from))
				      : 0;

		if (!is_blank(*from)) {
			cursor->at += word > 0 ? word : 1;
		} else {
			skip_comments(cursor);
			if (cursor->at == cursor->end || *cursor->at == ';' || is_next_name(cursor))
				return;
		}
		value->length = (size_t)(cursor->at - value->text);
	}
}

/* Reads a value in quotes; without the closing one it is all that follows. */
static void read_quoted(struct cursor *cursor, struct written *value)
{
	*value = (struct written){.text = ++cursor->at, .quoted = true};
	while (cursor->at < cursor->end && *cursor->at != '"')
		cursor->at += *cursor->at == '\\' && cursor->end - cursor->at > 1 ? 2 : 1;
	value->length = (size_t)(cursor->at - value->text);
	if (cursor->at < cursor->end)
		cursor->at++;
}

/* Takes the stars off a name: RFC 2231 sections 3 and 4. */
static void read_name(const char *name, size_t length, struct parameter *parameter)
{
	const char *star = memchr(name, '*', length), *at, *end = name + length;

	*parameter = (struct parameter){.base = name, .base_length = length, .piece = -1};
	if (star == NULL)
		return;
	parameter->extended = end[-1] == '*';
	if (star + 1 < end) {
		int number = 0;

		at = star + 1;
		while (at < end && *at >= '0' && *at <= '9' && at - star <= PIECE_DIGITS)
			number = number * 10 + (*at++ - '0');
		if (at == star + 1 || at != end - parameter->extended)
			return;
		parameter->piece = number;
	}
	parameter->base_length = (size_t)(star - name);
}

/* Reads the next parameter; junk before it is skipped. false: there is no more. */
static bool next_parameter(struct cursor *cursor, struct parameter *parameter)
{
	for (;;) {
		const char *name;
		size_t length;

		skip_comments(cursor);
		if (cursor->at == cursor->end)
			return false;
		name = cursor->at;
		while (cursor->at < cursor->end && !is_blank(*cursor->at) && *cursor->at != '=' &&
			*cursor->at != ';' && (*cursor->at != '(' || cursor->unclosed))
			cursor->at++;
		length = (size_t)(cursor->at - name);
		skip_comments(cursor);
		if (cursor->at == cursor->end)
			return false;
		if (*cursor->at != '=') {
			cursor->at += *cursor->at == ';';
			continue;
		}
		read_name(name, length, parameter);
		cursor->at++;
		skip_comments(cursor);
		if (cursor->at < cursor->end && *cursor->at == '"')
			read_quoted(cursor, &parameter->value);
		else
			read_bare(cursor, &parameter->value);
		return true;
	}
}

/* --- all of one name --- */

/* Puts a piece into its place; the first of a number counts, the highest number goes when there are
 * too many. */
static void add_piece(struct found *found, const struct parameter *piece)
{
	size_t place = found->piece_count;

	while (place > 0 && found->pieces[place - 1].piece > piece->piece)
		place--;
	if (place == PIECES_MAX || (place > 0 && found->pieces[place - 1].piece == piece->piece))
		return;
	if (found->piece_count == PIECES_MAX)
		found->piece_count--;
	memmove(&found->pieces[place + 1], &found->pieces[place],
		(found->piece_count - place) * sizeof(*piece));
	found->pieces[place] = *piece;
	found->piece_count++;
}

static void find(const char *value, size_t length, const char *name, struct found *found)
{
	struct cursor cursor = {.at = value, .end = value + length};
	struct parameter parameter;

	found->plain.base = found->single.base = NULL;
	found->piece_count = 0;
	while (next_parameter(&cursor, &parameter)) {
		if (parameter.base_length != strlen(name) ||
			strncasecmp(parameter.base, name, parameter.base_length) != 0 ||
			parameter.value.length == 0)
			continue;
		if (parameter.piece >= 0)
			add_piece(found, &parameter);
		else if (parameter.extended && found->single.base == NULL)
			found->single = parameter;
		else if (!parameter.extended && found->plain.base == NULL)
			found->plain = parameter;
	}
}

/* --- its bytes --- */

/* Adds what is written, quotes and backslashes resolved, folds out. */
static void add_written(const struct written *value, struct mg_buf *out)
{
	for (size_t i = 0; i < value->length; i++) {
		if (value->quoted && value->text[i] == '\\' && i + 1 < value->length)
			i++;
		else if (value->text[i] == '\r' || value->text[i] == '\n')
			continue;
		mg_buf_add_char(out, value->text[i]);
	}
}

static int hex_digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character |= 0x20;
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* "%" without two digits stays. */
static void add_unescaped(const char *text, size_t length, struct mg_buf *out)
{
	for (size_t i = 0; i < length; i++) {
		int high = -1, low = -1;

		if (text[i] == '%' && length - i > 2) {
			high = hex_digit(text[i + 1]);
			low = hex_digit(text[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			mg_buf_add_char(out, (char)(high * 16 + low));
			i += 2;
		} else {
			mg_buf_add_char(out, text[i]);
		}
	}
}

/* Adds the bytes of one written parameter. charset: of the first, where what stands before two
 * apostrophes goes (charset'language'); NULL: of a later piece. */
static void add_bytes(const struct parameter *parameter, struct mg_buf *charset, struct mg_buf *out)
{
	struct mg_buf written = {.limit = 0};
	const char *text, *first, *second = NULL;
	size_t length;

	add_written(&parameter->value, &written);
	text = mg_buf_text(&written);
	length = written.length;
	first = parameter->extended && charset != NULL ? memchr(text, '\'', length) : NULL;
	if (first != NULL)
		second = memchr(first + 1, '\'', length - (size_t)(first + 1 - text));
	if (second != NULL) {
		mg_buf_add(charset, text, (size_t)(first - text));
		length -= (size_t)(second + 1 - text);
		text = second + 1;
	}
	if (parameter->extended)
		add_unescaped(text, length, out);
	else
		mg_buf_add(out, text, length);
	out->failed |= written.failed;
	mg_buf_free(&written);
}

/* Adds the bytes of the parameter; charset as above. Returns whether it has an extended form, in
 * which encoded words are none. */
static bool gather(const struct found *found, struct mg_buf *charset, struct mg_buf *out)
{
	bool extended = false;

	if (found->single.base != NULL) {
		add_bytes(&found->single, charset, out);
		return true;
	}
	for (size_t i = 0; i < found->piece_count; i++) {
		add_bytes(&found->pieces[i], i == 0 ? charset : NULL, out);
		extended |= found->pieces[i].extended;
	}
	if (found->piece_count == 0 && found->plain.base != NULL)
		add_bytes(&found->plain, charset, out);
	return extended;
}

bool mg_parameters_bytes(const char *value, size_t length, const char *name, struct mg_buf *out)
{
	struct mg_buf bytes = {.limit = 0}, charset = {.limit = 0};
	struct found found;
	size_t room = out->limit != 0 ? out->limit - out->length : SIZE_MAX;
	bool any;

	find(value, length, name, &found);
	gather(&found, &charset, &bytes);
	any = bytes.length > 0;
	mg_buf_add(out, bytes.data, bytes.length < room ? bytes.length : room);
	out->failed |= bytes.failed || charset.failed;
	mg_buf_free(&bytes);
	mg_buf_free(&charset);
	return any;
}

bool mg_parameters_text(const char *value, size_t length, const char *name, struct mg_buf *out)
{
	struct mg_buf bytes = {.limit = 0}, charset = {.limit = 0}, text = {.limit = 0};
	struct found found;
	size_t before = out->length;

	find(value, length, name, &found);
	if (!gather(&found, &charset, &bytes))
		mg_header_decode(mg_buf_text(&bytes), bytes.length, out);
	else if (mg_charset_decode(mg_buf_text(&charset), charset.length, mg_buf_text(&bytes),
			 bytes.length, &text))
		mg_header_plain(mg_buf_text(&text), text.length, out);
	else
		mg_header_plain(mg_buf_text(&bytes), bytes.length, out);
	out->failed |= bytes.failed || charset.failed || text.failed;
	mg_buf_free(&bytes);
	mg_buf_free(&charset);
	mg_buf_free(&text);
	return out->length > before;
}

/* --- the type before them --- */

/* Adds a token in lower case; false when there is none or no room. */
static bool take_token(struct cursor *cursor, char *text, size_t size, size_t *length)
{
	const char *from;

	skip_comments(cursor);
	for (from = cursor->at; cursor->at < cursor->end && is_token(*cursor->at); cursor->at++) {
		if (*length + 1 >= size)
			return false;
		text[(*length)++] = *cursor->at;
	}
	text[*length] = '\0';
	mg_str_lower(text);
	return cursor->at > from;
}

bool mg_parameters_word(const char *value, size_t length, char *word, size_t size)
{
	struct cursor cursor = {.at = value, .end = value + length};
	size_t used = 0;

	return take_token(&cursor, word, size, &used);
}

bool mg_parameters_type(const char *value, size_t length, char *type, size_t size)
{
	struct cursor cursor = {.at = value, .end = value + length};
	size_t used = 0;

	if (!take_token(&cursor, type, size, &used) || used + 2 >= size)
		return false;
	skip_comments(&cursor);
	if (cursor.at == cursor.end || *cursor.at != '/')
		return false;
	cursor.at++;
	type[used++] = '/';
	return take_token(&cursor, type, size, &used);
}
