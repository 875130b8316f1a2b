/* SPDX-License-Identifier: ISC */
#include "mail/transfer.h"

#include <string.h>

#include "mail/transfer_private.h"

enum {
	GROUP = 4, /* characters of base64 that make three bytes */
	LINE_MIN = 32, /* of lines worth to be decoded as such */
	LINE_MAX = 1000,
	NO_DIGIT = 64, /* no value of a digit */
	NO_HEX = 16
};

void mg_transfer_begin(struct mg_transfer *transfer, enum mg_transfer_encoding encoding)
{
	transfer->encoding = encoding;
	transfer->bad = transfer->padded = transfer->long_blanks = false;
	transfer->vectors = mg_transfer_has_vectors();
	transfer->group_length = transfer->padding = transfer->held_length = 0;
	transfer->group = 0;
	transfer->line = 0;
	transfer->uu_state = transfer->uu_left = 0;
}

/* --- base64 --- */

/* By ASCII character; NO_DIGIT: none. */
static const unsigned char base64_values[128] = {64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64,
	64, 64, 64, 64, 64, 64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64, 64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
	36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64};

static unsigned base64_value(unsigned char character)
{
	return character < 128 ? base64_values[character] : NO_DIGIT;
}

/* Writes what the group under way has, at its end or at padding. */
static size_t end_group(struct mg_transfer *transfer, unsigned char *decoded)
{
	unsigned length = transfer->group_length;
	uint32_t group = transfer->group << (6 * (GROUP - length));

	transfer->group = 0;
	transfer->group_length = 0;
	if (length < 2)
		return 0;
	decoded[0] = (unsigned char)(group >> 16);
	decoded[1] = (unsigned char)(group >> 8);
	decoded[2] = (unsigned char)group;
	return length - 1;
}

static size_t add_padding(struct mg_transfer *transfer, unsigned char *decoded)
{
	unsigned length = transfer->group_length;

	transfer->padded = true;
	if (length == 0) {
		if (transfer->padding > 0)
			transfer->padding--;
		else
			transfer->bad = true;
		return 0;
	}
	if (length == 1)
		transfer->bad = true;
	transfer->padding = length == 2;
	return end_group(transfer, decoded);
}

/* Takes one character; returns the number of bytes written. */
static inline size_t add_character(
	struct mg_transfer *transfer, unsigned char character, unsigned char *decoded)
{
	unsigned value = base64_value(character);

	if (value != NO_DIGIT) {
		if (transfer->padded)
			transfer->bad = true;
		transfer->group = transfer->group << 6 | value;
		return ++transfer->group_length == GROUP ? end_group(transfer, decoded) : 0;
	}
	if (character == '=')
		return add_padding(transfer, decoded);
	if (character != '\r' && character != '\n' && character != ' ' && character != '\t')
		transfer->bad = true;
	return 0;
}

/* Takes whole lines, or a run of groups, by vectors, at the begin of a group. Returns the bytes
 * written. */
static size_t decode_vectors(struct mg_transfer *transfer, const unsigned char **text,
	const unsigned char *end, unsigned char *decoded)
{
	size_t groups, taken = 0, written = 0;

	if (transfer->line >= LINE_MIN) {
		taken = mg_transfer_base64_lines(
			*text, (size_t)(end - *text), transfer->line, decoded, &groups);
		written = groups * 3;
	}
	if (taken == 0) {
		taken = mg_transfer_base64_run(*text, (size_t)(end - *text), decoded);
		written = taken / GROUP * 3;
	}
	if (taken > 0 && transfer->padded)
		transfer->bad = true;
	*text += taken;
	return written;
}

/* At the begin of a line: how long is it? Only lengths that are multiples of a group count. */
static void measure_line(
	struct mg_transfer *transfer, const unsigned char *text, const unsigned char *end)
{
	size_t most = (size_t)(end - text) < LINE_MAX ? (size_t)(end - text) : LINE_MAX;
	const unsigned char *line_end = memchr(text, '\n', most);
	size_t length;

	transfer->line = 0;
	if (line_end == NULL || transfer->group_length > 0)
		return;
	length = (size_t)(line_end - text);
	if (length > 0 && text[length - 1] == '\r')
		length--;
	if (length % GROUP == 0)
		transfer->line = length;
}

static size_t decode_base64(struct mg_transfer *transfer, const unsigned char *text,
	const unsigned char *end, unsigned char *decoded)
{
	unsigned char *out = decoded;
	bool begin = transfer->vectors;

	while (text < end) {
		if (begin && transfer->group_length == 0 && end - text >= LINE_MIN) {
			const unsigned char *from = text;

			out += decode_vectors(transfer, &text, end, out);
			begin = text > from;
			continue;
		}
		out += add_character(transfer, *text, out);
		if (base64_value(*text) == NO_DIGIT) {
			begin = transfer->vectors && *text != '\r';
			if (begin && *text == '\n')
				measure_line(transfer, text + 1, end);
		}
		text++;
	}
	return (size_t)(out - decoded);
}

/* --- quoted-printable --- */

/* Likewise; NO_HEX: none. */
static const unsigned char hex_values[128] = {16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
	16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
	16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 16, 16,
	16, 16, 16, 16, 10, 11, 12, 13, 14, 15, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
	16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 10, 11, 12, 13, 14, 15, 16, 16, 16, 16,
	16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16};

static unsigned hex_value(unsigned char character)
{
	return character < 128 ? hex_values[character] : NO_HEX;
}

static bool is_blank(unsigned char character)
{
	return character == ' ' || character == '\t';
}

/* Length of the line end at text: 0 when there is none. *more: it may become one. */
static size_t line_end_length(const unsigned char *text, size_t length, bool *more)
{
	*more = length == 0 || (length == 1 && *text == '\r');
	if (length == 0)
		return 0;
	if (*text == '\n')
		return 1;
	return *text == '\r' && length > 1 && text[1] == '\n' ? 2 : 0;
}

static size_t count_blanks(const unsigned char *text, size_t length)
{
	size_t count = 0;

	while (count < length && count <= MG_TRANSFER_BLANKS && is_blank(text[count]))
		count++;
	return count;
}

/* What stands at "=" or at the first of some blanks. */
struct token {
	bool more; /* needs more text */
	size_t used; /* characters */
	size_t written; /* bytes of `bytes`, or of the text itself */
	bool literal;
	unsigned char byte;
};

static void read_escape(const unsigned char *text, size_t length, struct token *token)
{
	size_t blanks, line_end;

	*token = (struct token){.used = 1, .written = 1, .literal = true};
	if (length < 2) {
		token->more = true;
		return;
	}
	if (hex_value(text[1]) != NO_HEX) {
		token->more = length < 3;
		if (length < 3 || hex_value(text[2]) == NO_HEX)
			return;
		token->used = 3;
		token->literal = false;
		token->byte = (unsigned char)(hex_value(text[1]) << 4 | hex_value(text[2]));
		return;
	}
	blanks = count_blanks(text + 1, length - 1);
	if (blanks > MG_TRANSFER_BLANKS)
		return;
	line_end = line_end_length(text + 1 + blanks, length - 1 - blanks, &token->more);
	if (line_end == 0)
		return;
	token->used = 1 + blanks + line_end;
	token->written = 0;
}

static void read_blanks(const unsigned char *text, size_t length, struct token *token)
{
	size_t blanks = count_blanks(text, length);

	*token = (struct token){.used = blanks, .written = blanks, .literal = true};
	if (blanks <= MG_TRANSFER_BLANKS &&
		line_end_length(text + blanks, length - blanks, &token->more) > 0)
		token->written = 0;
}

/* Reads the token at text and writes its bytes; 0: it needs more text. */
static size_t take_token(
	struct mg_transfer *transfer, const unsigned char *text, size_t length, unsigned char **out)
{
	struct token token;
	bool escape = *text == '=';

	if (escape)
		read_escape(text, length, &token);
	else
		read_blanks(text, length, &token);
	if (token.more)
		return 0;
	if (token.literal) {
		memcpy(*out, text, token.written);
		transfer->bad |= escape && token.written > 0;
		transfer->long_blanks = token.written > MG_TRANSFER_BLANKS;
	} else {
		**out = token.byte;
	}
	*out += token.written;
	return token.used;
}

/* Copies up to an escape, or to blanks at the end of a line or of the text. */
static const unsigned char *copy_plain(
	const unsigned char *text, const unsigned char *end, unsigned char **out)
{
	const unsigned char *from = text;

	while (text < end && *text != '=' &&
		!(is_blank(*text) && (end - text == 1 || text[1] == '\r' || text[1] == '\n')))
		*(*out)++ = *text++;
	/* Back to the first of the blanks. */
	if (text < end && *text != '=')
		while (text > from && is_blank(text[-1])) {
			text--;
			(*out)--;
		}
	return text;
}

/* Takes what is held, as far as it is decided. */
static void take_held(struct mg_transfer *transfer, unsigned char **out)
{
	size_t done = 0;

	while (done < transfer->held_length) {
		const unsigned char *text = transfer->held + done;
		size_t used = 1;

		if (*text == '=' || is_blank(*text))
			used = take_token(transfer, text, transfer->held_length - done, out);
		else
			*(*out)++ = *text;
		if (used == 0)
			break;
		done += used;
	}
	transfer->held_length = (unsigned char)(transfer->held_length - done);
	memmove(transfer->held, transfer->held + done, transfer->held_length);
}

/* Goes on with what is held, until all of it is from this text. Returns where to go on. */
static const unsigned char *resume(struct mg_transfer *transfer, const unsigned char *text,
	const unsigned char *end, unsigned char **out)
{
	const unsigned char *begin = text;

	while (text < end && transfer->held_length > 0) {
		transfer->held[transfer->held_length++] = *text++;
		take_held(transfer, out);
		if (transfer->held_length <= text - begin) {
			text -= transfer->held_length;
			transfer->held_length = 0;
		}
	}
	return text;
}

static size_t decode_quoted_printable(struct mg_transfer *transfer, const unsigned char *text,
	const unsigned char *end, unsigned char *decoded)
{
	unsigned char *out = decoded;

	text = resume(transfer, text, end, &out);
	while (text < end) {
		size_t used;

		if (transfer->long_blanks) {
			while (text < end && is_blank(*text))
				*out++ = *text++;
			transfer->long_blanks = text == end;
		}
		if (transfer->vectors) {
			size_t written;

			text += mg_transfer_quoted_run(text, (size_t)(end - text), out, &written);
			out += written;
		}
		text = copy_plain(text, end, &out);
		if (text == end)
			break;
		used = take_token(transfer, text, (size_t)(end - text), &out);
		if (used == 0) {
			transfer->held_length = (unsigned char)(end - text);
			memcpy(transfer->held, text, transfer->held_length);
			break;
		}
		text += used;
	}
	return (size_t)(out - decoded);
}

/* The end of the text is the end of a line: blanks, and a soft line break, go. */
static size_t end_quoted_printable(struct mg_transfer *transfer, unsigned char *decoded)
{
	size_t length = transfer->held_length, written = 0;
	const unsigned char *held = transfer->held;

	transfer->held_length = 0;
	if (length == 0)
		return 0;
	if (held[0] == '=' && length > 1 && hex_value(held[1]) != NO_HEX) {
		memcpy(decoded, held, length);
		transfer->bad = true;
		return length;
	}
	if (held[0] != '=' && held[length - 1] == '\r')
		decoded[written++] = '\r';
	return written;
}

/* --- uuencode --- */

enum { UU_LINE_BEGIN, UU_DATA, UU_SKIP };

/* The first character of a line says how many bytes it has; "begin …" and "end" are no such. */
static void begin_uu_line(struct mg_transfer *transfer, unsigned char character)
{
	if (character == '\r')
		return;
	if (character < ' ' || character > '`') {
		transfer->uu_state = UU_SKIP;
		transfer->bad |= character != 'b' && character != 'e';
		return;
	}
	transfer->uu_state = UU_DATA;
	transfer->uu_left = (character - ' ') & 63;
	transfer->group = 0;
	transfer->group_length = 0;
}

/* Writes as many bytes of the group as the line still has. */
static size_t end_uu_group(struct mg_transfer *transfer, unsigned char *decoded)
{
	size_t written = end_group(transfer, decoded);

	if (written > transfer->uu_left)
		written = transfer->uu_left;
	transfer->uu_left = (unsigned char)(transfer->uu_left - written);
	return written;
}

static size_t decode_uu(struct mg_transfer *transfer, const unsigned char *text,
	const unsigned char *end, unsigned char *decoded)
{
	unsigned char *out = decoded;

	for (; text < end; text++) {
		if (*text == '\n') {
			if (transfer->uu_state == UU_DATA)
				out += end_uu_group(transfer, out);
			transfer->bad |= transfer->uu_left > 0;
			transfer->uu_left = 0;
			transfer->uu_state = UU_LINE_BEGIN;
		} else if (transfer->uu_state == UU_LINE_BEGIN) {
			begin_uu_line(transfer, *text);
		} else if (transfer->uu_state == UU_DATA && *text >= ' ' && *text <= '`') {
			transfer->group = transfer->group << 6 | ((*text - ' ') & 63U);
			if (++transfer->group_length == GROUP)
				out += end_uu_group(transfer, out);
		}
	}
	return (size_t)(out - decoded);
}

/* --- all of them --- */

size_t mg_transfer_decode(struct mg_transfer *transfer, const unsigned char *text, size_t length,
	unsigned char *decoded)
{
	switch (transfer->encoding) {
	case MG_TRANSFER_BASE64: return decode_base64(transfer, text, text + length, decoded);
	case MG_TRANSFER_QUOTED_PRINTABLE:
		return decode_quoted_printable(transfer, text, text + length, decoded);
	case MG_TRANSFER_UUENCODE: return decode_uu(transfer, text, text + length, decoded);
	case MG_TRANSFER_IDENTITY: break;
	}
	memcpy(decoded, text, length);
	return length;
}

size_t mg_transfer_end(struct mg_transfer *transfer, unsigned char *decoded)
{
	static const unsigned char line_end[1] = {'\n'};

	switch (transfer->encoding) {
	case MG_TRANSFER_BASE64:
		transfer->bad |= transfer->group_length > 0 || transfer->padding > 0;
		return end_group(transfer, decoded);
	case MG_TRANSFER_QUOTED_PRINTABLE: return end_quoted_printable(transfer, decoded);
	case MG_TRANSFER_UUENCODE: return decode_uu(transfer, line_end, line_end + 1, decoded);
	case MG_TRANSFER_IDENTITY: break;
	}
	return 0;
}
