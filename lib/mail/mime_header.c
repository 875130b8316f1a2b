/* SPDX-License-Identifier: ISC */
/* The header of a part: bytes to lines, lines to fields. */
#include <string.h>

#include "mail/mime_private.h"

void mg_mime_header_begin(struct mg_mime *mime)
{
	struct mg_mime_header *header = &mime->header;

	header->seen = header->length = 0;
	header->line_begin = true;
	header->line = MG_MIME_LINE_OPEN;
}

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

/* Length of the field name at the begin of text (RFC 5322 section 2.2). */
static size_t name_length(const char *text, size_t length)
{
	size_t name = 0;

	while (name < length && text[name] > ' ' && text[name] < 127 && text[name] != ':')
		name++;
	return name;
}

/* What an mbox file has before a message. */
static bool is_separator(const char *text, size_t length)
{
	static const char separator[] = {'F', 'r', 'o', 'm', ' '};

	if (length > 0 && *text == '>') {
		text++;
		length--;
	}
	return length >= sizeof(separator) && memcmp(text, separator, sizeof(separator)) == 0;
}

/* What is a line that begins so? first: it is the header's first. */
static enum mg_mime_line judge_line(const char *text, size_t length, bool first)
{
	enum mg_mime_line undecided =
		length < MG_MIME_NAME_MAX ? MG_MIME_LINE_OPEN : MG_MIME_LINE_BAD;
	size_t name = name_length(text, length), at = name;

	if (text[0] == '\n')
		return MG_MIME_LINE_BLANK;
	if (text[0] == '\r' && length < 2)
		return MG_MIME_LINE_OPEN;
	if (text[0] == '\r')
		return text[1] == '\n' ? MG_MIME_LINE_BLANK : MG_MIME_LINE_BAD;
	while (at < length && is_blank(text[at]))
		at++;
	if (at == length)
		return undecided;
	if (text[at] == ':' || (first && (is_blank(text[0]) || is_separator(text, length))))
		return MG_MIME_LINE_FIELD;
	return MG_MIME_LINE_BAD;
}

/* The field in the buffer is complete. A line that programs pass over has no name. */
static void end_field(struct mg_mime *mime)
{
	struct mg_mime_header *header = &mime->header;
	const char *text = header->field, *value = text;
	size_t length = header->length, name = name_length(text, length), at = name;

	if (length == 0)
		return;
	header->length = 0;
	while (at < length && is_blank(text[at]))
		at++;
	if (at < length && text[at] == ':')
		value = text + at + 1;
	else
		name = 0;
	if (name == 0 && !is_separator(text, length))
		mime->levels[mime->top].part.facts |= MG_MIME_BAD_HEADER;
	length -= (size_t)(value - text);
	while (length > 0 && is_blank(*value)) {
		value++;
		length--;
	}
	while (length > 0 && (is_blank(value[length - 1]) || value[length - 1] == '\r' ||
				     value[length - 1] == '\n'))
		length--;
	mg_mime_fields_add(mime, text, name, value, length);
}

static void begin_line(struct mg_mime *mime, char first)
{
	struct mg_mime_header *header = &mime->header;

	header->line_begin = false;
	if (is_blank(first) && header->length > 0)
		return;
	end_field(mime);
	header->line = MG_MIME_LINE_OPEN;
}

/* Does the field end in a line of blanks? Some programs take it as the end of the header. */
static bool ends_in_blanks(const struct mg_mime_header *header)
{
	size_t at = header->length;

	while (at > 0 && (is_blank(header->field[at - 1]) || header->field[at - 1] == '\r'))
		at--;
	return at > 0 && header->field[at - 1] == '\n';
}

/* What is over the room of a field is left out. */
static void add_text(struct mg_mime *mime, const unsigned char *text, size_t length)
{
	struct mg_mime_header *header = &mime->header;
	size_t room = sizeof(header->field) - header->length;

	if (length > room) {
		mime->levels[mime->top].part.facts |= MG_MIME_HEADER_TOO_LARGE;
		length = room;
	}
	memcpy(header->field + header->length, text, length);
	header->length += length;
}

/* Is the header over? */
static bool judge(struct mg_mime *mime, bool first)
{
	struct mg_mime_header *header = &mime->header;

	if (header->line == MG_MIME_LINE_OPEN)
		header->line = judge_line(header->field, header->length, first);
	switch (header->line) {
	case MG_MIME_LINE_BLANK: header->length = 0; return true;
	case MG_MIME_LINE_BAD:
		mime->levels[mime->top].part.facts |= MG_MIME_BAD_HEADER;
		return true;
	case MG_MIME_LINE_FIELD:
	case MG_MIME_LINE_OPEN: break;
	}
	if (header->seen < mime->bounds.header)
		return false;
	mime->levels[mime->top].part.facts |= MG_MIME_HEADER_TOO_LARGE;
	if (header->line == MG_MIME_LINE_FIELD)
		end_field(mime);
	return true;
}

size_t mg_mime_header_take(
	struct mg_mime *mime, const unsigned char *text, size_t length, bool *ended)
{
	struct mg_mime_header *header = &mime->header;
	const unsigned char *line_end;

	if (header->line_begin)
		begin_line(mime, (char)text[0]);
	if (length > mime->bounds.header - header->seen)
		length = mime->bounds.header - header->seen;
	if (header->line == MG_MIME_LINE_OPEN && length > MG_MIME_NAME_MAX - header->length)
		length = MG_MIME_NAME_MAX - header->length;
	line_end = memchr(text, '\n', length);
	if (line_end != NULL)
		length = (size_t)(line_end - text) + 1;
	add_text(mime, text, line_end != NULL ? length - 1 : length);
	if (line_end != NULL && header->line == MG_MIME_LINE_FIELD && ends_in_blanks(header))
		mime->levels[mime->top].part.facts |= MG_MIME_AMBIGUOUS;
	if (line_end != NULL)
		add_text(mime, line_end, 1);
	header->seen += length;
	*ended = judge(mime, header->seen == header->length);
	header->line_begin = line_end != NULL;
	return length;
}

void mg_mime_header_finish(struct mg_mime *mime)
{
	end_field(mime);
}

bool mg_mime_header_is_cut(struct mg_mime *mime)
{
	struct mg_mime_header *header = &mime->header;

	if (header->line_begin || header->line != MG_MIME_LINE_OPEN)
		return false;
	mime->levels[mime->top].part.facts |= MG_MIME_BAD_HEADER;
	return true;
}
