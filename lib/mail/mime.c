/* SPDX-License-Identifier: ISC */
/* Parts: how they open, and how they end. */
#include "mail/mime.h"

#include <string.h>

#include "base/str.h"
#include "mail/mime_private.h"

enum { SLICE = 16 * 1024 };

const struct mg_mime_bounds mg_mime_bounds = {.depth = 32, .parts = 1000, .header = 64 * 1024};

const char *mg_mime_fact_name(unsigned fact)
{
	static const struct {
		unsigned fact;
		const char *name;
	} names[] = {
		{MG_MIME_TOO_DEEP, "too_deep"},
		{MG_MIME_TOO_MANY, "too_many"},
		{MG_MIME_HEADER_TOO_LARGE, "header_too_large"},
		{MG_MIME_BAD_BASE64, "bad_base64"},
		{MG_MIME_BAD_QUOTED_PRINTABLE, "bad_quoted_printable"},
		{MG_MIME_BAD_ENCODING, "bad_encoding"},
		{MG_MIME_BAD_BOUNDARY, "bad_boundary"},
		{MG_MIME_UNCLOSED, "unclosed"},
		{MG_MIME_BAD_HEADER, "bad_header"},
		{MG_MIME_AMBIGUOUS, "ambiguous"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].fact == fact)
			return names[i].name;
	return NULL;
}

size_t mg_mime_size(void)
{
	return sizeof(struct mg_mime);
}

/* --- levels --- */

/* A level for a part whose header comes next; depth and parent are set by the caller. */
static void begin_level(struct mg_mime *mime, unsigned index)
{
	struct mg_mime_level *level = &mime->levels[index];

	level->part = (struct mg_mime_part){.number = mime->parts++, .type = level->type};
	level->type[0] = '\0';
	level->kind = MG_MIME_PLAIN;
	level->state = MG_MIME_IN_HEADER;
	level->encoding = MG_TRANSFER_IDENTITY;
	level->closed = false;
	mime->top = index;
	mg_mime_fields_begin(mime);
	mg_mime_header_begin(mime);
}

void mg_mime_push(struct mg_mime *mime)
{
	struct mg_mime_part *parent = &mime->levels[mime->top].part, *part;

	parent->content_type = parent->disposition = parent->content_id = "";
	parent->content_type_length = parent->disposition_length = 0;
	begin_level(mime, mime->top + 1);
	part = &mime->levels[mime->top].part;
	part->parent = parent->number;
	part->depth = parent->depth + 1;
}

static void begin_layer(struct mg_mime *mime, unsigned bottom)
{
	struct mg_mime_layer *layer = &mime->layers[mime->layer_count++];

	layer->bottom = bottom;
	layer->first_boundary = mime->boundaries.active;
	layer->line_begin = true;
	layer->skip = false;
	layer->held_line = layer->held_length = 0;
}

/* The type of a part without a Content-Type: RFC 2045 section 5.2, RFC 2046 section 5.1.5. */
static void take_default(struct mg_mime *mime, struct mg_mime_level *level)
{
	bool digest =
		mime->top > 0 && strcmp(mime->levels[mime->top - 1].type, "multipart/digest") == 0;

	mg_str_copy(level->type, sizeof(level->type), digest ? "message/rfc822" : "text/plain");
	level->kind = digest ? MG_MIME_MESSAGE : MG_MIME_PLAIN;
}

/* Can its parts be opened? */
static bool may_open(struct mg_mime *mime, struct mg_mime_level *level)
{
	bool encoded = level->kind == MG_MIME_MESSAGE && level->encoding != MG_TRANSFER_IDENTITY;

	if (level->kind == MG_MIME_PLAIN)
		return false;
	if (level->part.depth >= mime->bounds.depth ||
		(encoded && mime->layer_count == MG_MIME_LAYERS)) {
		level->part.facts |= MG_MIME_TOO_DEEP;
		return false;
	}
	if (level->kind == MG_MIME_MESSAGE && mime->parts >= mime->bounds.parts) {
		level->part.facts |= MG_MIME_TOO_MANY;
		return false;
	}
	return true;
}

void mg_mime_open(struct mg_mime *mime)
{
	struct mg_mime_level *level = &mime->levels[mime->top];
	struct mg_mime_layer *layer = &mime->layers[mime->layer_count - 1];
	struct mg_mime_part *part = &level->part;

	if (level->type[0] == '\0')
		take_default(mime, level);
	part->container = may_open(mime, level);
	if (!part->container || level->kind != MG_MIME_MULTIPART)
		mg_mime_boundary_drop(&mime->boundaries, mime->top);
	mime->boundaries.active = mime->boundaries.count;
	part->content_type_length = mime->kept.content_type_length;
	part->disposition_length = mime->kept.disposition_length;
	level->state = level->kind == MG_MIME_MULTIPART ? MG_MIME_IN_PREAMBLE : MG_MIME_IN_PARTS;
	if (!part->container)
		level->state = MG_MIME_IN_LEAF;
	if (level->encoding != MG_TRANSFER_IDENTITY && level->state != MG_MIME_IN_PREAMBLE)
		mg_transfer_begin(&layer->transfer, level->encoding);
	mime->handler->begin(mime->context, part);
	if (level->state != MG_MIME_IN_PARTS)
		return;
	if (level->encoding != MG_TRANSFER_IDENTITY) {
		level->state = MG_MIME_IN_ENCODED;
		begin_layer(mime, mime->top + 1);
	}
	mg_mime_push(mime);
}

void mg_mime_give(struct mg_mime *mime, struct mg_mime_level *level, enum mg_mime_content kind,
	const unsigned char *bytes, size_t length)
{
	if (length == 0)
		return;
	level->part.bytes += length;
	mime->handler->content(mime->context, &level->part, kind, bytes, length);
}

/* The facts of a transfer encoding that was decoded. */
static void add_transfer_facts(struct mg_mime_level *level, const struct mg_transfer *transfer)
{
	if (level->encoding == MG_TRANSFER_IDENTITY || !transfer->bad)
		return;
	if (level->encoding == MG_TRANSFER_BASE64)
		level->part.facts |= MG_MIME_BAD_BASE64;
	else if (level->encoding == MG_TRANSFER_QUOTED_PRINTABLE)
		level->part.facts |= MG_MIME_BAD_QUOTED_PRINTABLE;
	else
		level->part.facts |= MG_MIME_BAD_ENCODING;
}

/* Ends the uppermost part, which is open. */
static void end_level(struct mg_mime *mime)
{
	struct mg_mime_level *level = &mime->levels[mime->top];
	struct mg_mime_layer *layer;
	unsigned char rest[MG_TRANSFER_SLACK];

	if (mime->layer_count > 1 && mime->layers[mime->layer_count - 1].bottom > mime->top)
		mime->layer_count--;
	layer = &mime->layers[mime->layer_count - 1];
	if (level->state == MG_MIME_IN_LEAF && level->encoding != MG_TRANSFER_IDENTITY)
		mg_mime_give(
			mime, level, MG_MIME_LEAF, rest, mg_transfer_end(&layer->transfer, rest));
	if (level->kind != MG_MIME_MULTIPART || !level->part.container)
		add_transfer_facts(level, &layer->transfer);
	if (level->kind == MG_MIME_MULTIPART && level->part.container && !level->closed)
		level->part.facts |= MG_MIME_UNCLOSED;
	mime->handler->end(mime->context, &level->part);
	mime->facts |= level->part.facts;
	mg_mime_boundary_drop(&mime->boundaries, mime->top);
	if (mime->top > 0)
		mime->top--;
}

/* Opens the uppermost part if its header is under way, and what opens with it. */
static void open_all(struct mg_mime *mime)
{
	while (mime->levels[mime->top].state == MG_MIME_IN_HEADER) {
		mg_mime_header_finish(mime);
		mg_mime_open(mime);
	}
}

void mg_mime_close_above(struct mg_mime *mime, unsigned level)
{
	open_all(mime);
	while (mime->top > level)
		end_level(mime);
}

/* --- the whole message --- */

struct mg_mime *mg_mime_init(void *memory, const struct mg_mime_handler *handler, void *context,
	const struct mg_mime_bounds *bounds)
{
	struct mg_mime *mime = memory;

	mime->handler = handler;
	mime->context = context;
	mime->bounds = *bounds;
	if (mime->bounds.depth > MG_MIME_LEVELS - 1)
		mime->bounds.depth = MG_MIME_LEVELS - 1;
	if (mime->bounds.header == 0)
		mime->bounds.header = 1;
	mime->facts = mime->parts = mime->layer_count = 0;
	mime->boundaries.count = mime->boundaries.active = 0;
	mime->boundaries.used = 0;
	begin_layer(mime, 0);
	begin_level(mime, 0);
	return mime;
}

static bool is_space(char character)
{
	return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

void mg_mime_header(struct mg_mime *mime, const char *name, size_t name_length, const char *value,
	size_t value_length)
{
	while (value_length > 0 && is_space(*value)) {
		value++;
		value_length--;
	}
	while (value_length > 0 && is_space(value[value_length - 1]))
		value_length--;
	mg_mime_fields_add(mime, name, name_length, value, value_length);
}

void mg_mime_header_end(struct mg_mime *mime)
{
	mg_mime_open(mime);
}

void mg_mime_body(struct mg_mime *mime, const unsigned char *bytes, size_t length)
{
	/* Boundaries are looked for, then content is decoded: from the nearest cache. */
	for (size_t slice; length > 0; bytes += slice, length -= slice) {
		slice = length < SLICE ? length : SLICE;
		mg_mime_feed(mime, 0, bytes, slice);
	}
}

unsigned mg_mime_end(struct mg_mime *mime)
{
	mg_mime_feed_end(mime, 0);
	mg_mime_close_above(mime, 0);
	end_level(mime);
	return mime->facts;
}
