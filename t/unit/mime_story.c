/* SPDX-License-Identifier: ISC */
#include "mime_story.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Length of the line at the begin of text, with its end. */
static size_t line_length(const char *text, size_t length)
{
	const char *line_end = memchr(text, '\n', length);

	return line_end != NULL ? (size_t)(line_end - text) + 1 : length;
}

/* Length of the field at the begin of text, with its folds. */
static size_t field_length(const char *text, size_t length)
{
	size_t at = 0;

	do
		at += line_length(text + at, length - at);
	while (at < length && (text[at] == ' ' || text[at] == '\t'));
	return at;
}

/* Length of the name of the field at text, 0: it is none. */
static size_t name_length(const char *text, size_t length)
{
	size_t name = 0, at;

	while (name < length && text[name] > ' ' && text[name] < 127 && text[name] != ':')
		name++;
	for (at = name; at < length && (text[at] == ' ' || text[at] == '\t');)
		at++;
	return at < length && text[at] == ':' ? name : 0;
}

static bool is_separator(const char *text, size_t length)
{
	return length > 5 && memcmp(text, "From ", 5) == 0;
}

size_t mime_header_length(const char *message, size_t length)
{
	size_t at = 0;

	if (name_length(message, length) == 0 && !is_separator(message, length))
		return length > 0 && *message == '\n' ? 1 : 0;
	while (at < length) {
		if (message[at] == '\n')
			return at + 1;
		if (length - at >= 2 && message[at] == '\r' && message[at + 1] == '\n')
			return at + 2;
		at += field_length(message + at, length - at);
	}
	return length;
}

static void feed_header(struct mg_mime *mime, const char *header, size_t length)
{
	for (size_t at = 0, field; at < length; at += field) {
		size_t name = name_length(header + at, length - at);
		const char *colon;

		field = field_length(header + at, length - at);
		if (name == 0)
			continue;
		colon = memchr(header + at, ':', field);
		mg_mime_header(mime, header + at, name, colon + 1,
			at + field - (size_t)(colon + 1 - header));
	}
	mg_mime_header_end(mime);
}

/* Each piece is a block of its own: reading beyond it is seen. */
static void feed_piece(struct mg_mime *mime, const char *bytes, size_t length)
{
	unsigned char *piece = malloc(length > 0 ? length : 1);

	assert(piece != NULL);
	memcpy(piece, bytes, length);
	mg_mime_body(mime, piece, length);
	free(piece);
}

unsigned mime_feed(const char *message, size_t length, size_t first, size_t step,
	const struct mg_mime_handler *handler, void *context, const struct mg_mime_bounds *bounds)
{
	size_t at = mime_header_length(message, length), piece = first != 0 ? first : step;
	void *memory = malloc(mg_mime_size());
	struct mg_mime *mime;
	unsigned facts;

	assert(memory != NULL);
	mime = mg_mime_init(memory, handler, context, bounds);
	feed_header(mime, message, at);
	for (; at < length; at += piece, piece = step) {
		if (piece == 0 || piece > length - at)
			piece = length - at;
		feed_piece(mime, message + at, piece);
	}
	facts = mg_mime_end(mime);
	free(memory);
	return facts;
}

/* What is told last, to which content may be added. */
struct teller {
	struct mg_buf *story;
	int number, kind;
};

static void add_escaped(struct mg_buf *story, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char character = (unsigned char)text[i];

		if (character == '\r')
			mg_buf_add_text(story, "\\r");
		else if (character == '\n')
			mg_buf_add_text(story, "\\n");
		else if (character < ' ' || character > 126 || character == '\\')
			mg_buf_add_format(story, "\\x%02x", character);
		else
			mg_buf_add_char(story, text[i]);
	}
}

static void end_content(struct teller *teller)
{
	if (teller->number >= 0)
		mg_buf_add_text(teller->story, "\n");
	teller->number = -1;
}

static void tell_begin(void *context, const struct mg_mime_part *part)
{
	struct teller *teller = context;

	end_content(teller);
	mg_buf_add_format(teller->story, "begin %u in %u: %s%s\n", part->number, part->parent,
		part->type, part->container ? ", opened" : "");
}

static void tell_field(void *context, const struct mg_mime_part *part, const char *name,
	size_t name_length, const char *value, size_t value_length)
{
	struct teller *teller = context;

	end_content(teller);
	mg_buf_add_format(teller->story, "field %u: ", part->number);
	add_escaped(teller->story, name, name_length);
	mg_buf_add_text(teller->story, ": ");
	add_escaped(teller->story, value, value_length);
	mg_buf_add_text(teller->story, "\n");
}

static void tell_content(void *context, const struct mg_mime_part *part, enum mg_mime_content kind,
	const unsigned char *bytes, size_t length)
{
	static const char *const kinds[] = {"leaf", "preamble", "epilogue"};
	struct teller *teller = context;

	assert(length > 0);
	if (teller->number != (int)part->number || teller->kind != (int)kind) {
		end_content(teller);
		mg_buf_add_format(teller->story, "%s %u: ", kinds[kind], part->number);
		teller->number = (int)part->number;
		teller->kind = (int)kind;
	}
	add_escaped(teller->story, (const char *)bytes, length);
}

static void tell_end(void *context, const struct mg_mime_part *part)
{
	struct teller *teller = context;

	end_content(teller);
	mg_buf_add_format(teller->story, "end %u:", part->number);
	for (unsigned fact = 1; fact != 0; fact <<= 1)
		if ((part->facts & fact) != 0)
			mg_buf_add_format(teller->story, " %s", mg_mime_fact_name(fact));
	mg_buf_add_text(teller->story, "\n");
}

void mime_story(const char *message, size_t length, size_t first, size_t step,
	const struct mg_mime_bounds *bounds, struct mg_buf *story)
{
	static const struct mg_mime_handler handler = {
		.begin = tell_begin, .content = tell_content, .end = tell_end, .field = tell_field};
	struct teller teller = {.story = story, .number = -1};

	mime_feed(message, length, first, step, &handler, &teller, bounds);
}
