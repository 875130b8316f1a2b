/* SPDX-License-Identifier: ISC */
/* Lines of a layer: boundary lines are acted on, all else is content or header of the layer's current
 * part. A line end waits until it is known whether a boundary follows, to which it then belongs. */
#include <string.h>

#include "mail/mime_private.h"

enum {
	LEAF_SLICE = 16 * 1024, /* decoded at once */
	INNER_SLICE = 2048 /* likewise, on the stack once for each layer */
};

static struct mg_mime_level *current(struct mg_mime *mime, unsigned layer)
{
	bool uppermost = layer + 1 == mime->layer_count;

	return &mime->levels[uppermost ? mime->top : mime->layers[layer + 1].bottom - 1];
}

static unsigned boundaries_end(const struct mg_mime *mime, unsigned layer)
{
	return layer + 1 == mime->layer_count ? mime->boundaries.active
					      : mime->layers[layer + 1].first_boundary;
}

static bool has_boundaries(const struct mg_mime *mime, unsigned layer)
{
	return boundaries_end(mime, layer) > mime->layers[layer].first_boundary;
}

/* --- content --- */

static void give_decoded(struct mg_mime *mime, struct mg_mime_layer *layer,
	struct mg_mime_level *level, const unsigned char *text, size_t length)
{
	unsigned char decoded[LEAF_SLICE + MG_TRANSFER_SLACK];

	for (size_t slice; length > 0; text += slice, length -= slice) {
		slice = length < LEAF_SLICE ? length : LEAF_SLICE;
		mg_mime_give(mime, level, MG_MIME_LEAF, decoded,
			mg_transfer_decode(&layer->transfer, text, slice, decoded));
	}
}

static void feed_decoded(
	struct mg_mime *mime, unsigned layer, const unsigned char *text, size_t length)
{
	unsigned char decoded[INNER_SLICE + MG_TRANSFER_SLACK];

	for (size_t slice; length > 0; text += slice, length -= slice) {
		slice = length < INNER_SLICE ? length : INNER_SLICE;
		mg_mime_feed(mime, layer + 1, decoded,
			mg_transfer_decode(&mime->layers[layer].transfer, text, slice, decoded));
	}
}

static void add_content(
	struct mg_mime *mime, unsigned layer, const unsigned char *text, size_t length)
{
	struct mg_mime_level *level = current(mime, layer);

	switch (level->state) {
	case MG_MIME_IN_PREAMBLE: mg_mime_give(mime, level, MG_MIME_PREAMBLE, text, length); break;
	case MG_MIME_IN_EPILOGUE: mg_mime_give(mime, level, MG_MIME_EPILOGUE, text, length); break;
	case MG_MIME_IN_LEAF:
		if (level->encoding == MG_TRANSFER_IDENTITY)
			mg_mime_give(mime, level, MG_MIME_LEAF, text, length);
		else
			give_decoded(mime, &mime->layers[layer], level, text, length);
		break;
	case MG_MIME_IN_ENCODED: feed_decoded(mime, layer, text, length); break;
	case MG_MIME_IN_HEADER:
	case MG_MIME_IN_PARTS: break;
	}
}

/* --- header --- */

/* The header has ended; what is left in its buffer is content. */
static void end_header(struct mg_mime *mime, unsigned layer)
{
	unsigned char left[MG_MIME_NAME_MAX];
	size_t length = mime->header.length;

	memcpy(left, mime->header.field, length);
	mime->header.length = 0;
	mg_mime_open(mime);
	if (length == 0)
		return;
	mime->layers[layer].line_begin = true;
	mg_mime_feed(mime, layer, left, length);
}

/* Takes text of a header without a look for boundaries. */
static size_t add_header(
	struct mg_mime *mime, unsigned layer, const unsigned char *text, size_t length)
{
	bool ended;
	size_t taken = mg_mime_header_take(mime, text, length, &ended);

	mime->layers[layer].line_begin = text[taken - 1] == '\n';
	if (ended)
		end_header(mime, layer);
	return taken;
}

/* --- boundary lines --- */

/* Finishes the layers above this one: what they decode and hold goes to their parts. */
static void finish_above(struct mg_mime *mime, unsigned layer)
{
	unsigned char rest[MG_TRANSFER_SLACK];
	size_t length;

	if (layer + 1 == mime->layer_count)
		return;
	length = mg_transfer_end(&mime->layers[layer].transfer, rest);
	mg_mime_feed(mime, layer + 1, rest, length);
	mg_mime_feed_end(mime, layer + 1);
}

/* Acts on a boundary line; false: it opens no part, and is text. */
static bool act(struct mg_mime *mime, unsigned layer, const struct mg_mime_match *match)
{
	struct mg_mime_level *level = &mime->levels[match->level];

	finish_above(mime, layer);
	mg_mime_close_above(mime, match->level);
	if (match->last) {
		mime->layers[layer].line_begin = true;
		level->closed = true;
		level->state = MG_MIME_IN_EPILOGUE;
		return true;
	}
	if (mime->parts >= mime->bounds.parts) {
		level->part.facts |= MG_MIME_TOO_MANY;
		level->state = MG_MIME_IN_EPILOGUE;
		return false;
	}
	if (level->closed)
		level->part.facts |= MG_MIME_AMBIGUOUS;
	level->state = MG_MIME_IN_PARTS;
	mime->layers[layer].line_begin = true;
	mg_mime_push(mime);
	return true;
}

enum verdict { WAITS, PLAIN, BOUNDARY };

struct judged {
	struct mg_mime_match match;
	size_t length; /* of the line with its LF, or so much of it as counts */
	bool whole;
};

/* Is this line, without its LF, a boundary line? */
static bool match_line(struct mg_mime *mime, unsigned layer, const unsigned char *line,
	size_t length, struct mg_mime_match *match)
{
	mg_mime_boundary_find(mime, mime->layers[layer].first_boundary, boundaries_end(mime, layer),
		line, length, match);
	if (match->kind == MG_MIME_NEAR || match->kind == MG_MIME_LOOSE)
		mime->levels[match->level].part.facts |= MG_MIME_AMBIGUOUS;
	return match->kind >= MG_MIME_LOOSE;
}

/* Is the line at text a boundary line? WAITS: more of it must be seen. */
static enum verdict judge(struct mg_mime *mime, unsigned layer, const unsigned char *text,
	size_t length, struct judged *judged)
{
	size_t most = length < MG_MIME_LINE_MAX ? length : MG_MIME_LINE_MAX;
	const unsigned char *line_end;

	if ((most > 0 && text[0] != '-') || (most > 1 && text[1] != '-'))
		return PLAIN;
	line_end = memchr(text, '\n', most);
	if (line_end == NULL && most < MG_MIME_LINE_MAX)
		return WAITS;
	judged->whole = line_end != NULL;
	if (judged->whole)
		most = (size_t)(line_end - text);
	judged->length = most + judged->whole;
	return match_line(mime, layer, text, most, &judged->match) ? BOUNDARY : PLAIN;
}

/* --- text that waits --- */

static void hold(struct mg_mime_layer *layer, const unsigned char *text, const unsigned char *line,
	const unsigned char *end)
{
	layer->held_line = (unsigned)(line - text);
	layer->held_length = (unsigned)(end - text);
	memcpy(layer->held, text, layer->held_length);
}

/* How many bytes at the end of content must wait: a line end, and a dash behind it. */
static size_t waiting_length(const unsigned char *text, size_t length)
{
	size_t waiting = 0;

	if (length > 1 && text[length - 1] == '-' && text[length - 2] == '\n')
		waiting = 1;
	if (text[length - waiting - 1] == '\r')
		return 1;
	if (text[length - waiting - 1] != '\n')
		return 0;
	waiting++;
	return waiting < length && text[length - waiting - 1] == '\r' ? waiting + 1 : waiting;
}

/* Adds content, and holds its end. */
static void add_and_hold(
	struct mg_mime *mime, unsigned layer, const unsigned char *text, const unsigned char *end)
{
	size_t waiting = waiting_length(text, (size_t)(end - text));
	const unsigned char *cut = end - waiting, *line = cut;

	while (line < end && *line != '-')
		line++;
	add_content(mime, layer, text, (size_t)(cut - text));
	if (waiting > 0)
		hold(&mime->layers[layer], cut, line, end);
}

/* What is held is no boundary line. */
static void release(struct mg_mime *mime, unsigned layer_index, bool may_wait)
{
	struct mg_mime_layer *layer = &mime->layers[layer_index];
	unsigned char text[sizeof(layer->held)];
	size_t length = layer->held_length, taken = 0;

	memcpy(text, layer->held, length);
	layer->held_length = 0;
	layer->line_begin = false;
	if (length == 0)
		return;
	if (current(mime, layer_index)->state == MG_MIME_IN_HEADER) {
		taken = add_header(mime, layer_index, text, length);
		mg_mime_feed(mime, layer_index, text + taken, length - taken);
	} else if (may_wait) {
		add_and_hold(mime, layer_index, text, text + length);
	} else {
		add_content(mime, layer_index, text, length);
	}
}

/* What is held is a boundary line. */
static void take_boundary(struct mg_mime *mime, unsigned layer_index, const struct judged *judged)
{
	struct mg_mime_layer *layer = &mime->layers[layer_index];
	unsigned char line[MG_MIME_LINE_MAX];

	memcpy(line, layer->held + layer->held_line, judged->length);
	layer->held_length = 0;
	if (act(mime, layer_index, &judged->match))
		layer->skip = !judged->whole;
	else
		add_and_hold(mime, layer_index, line, line + judged->length);
}

/* Goes on with what is held. Returns how much of text is used up. */
static size_t resume(
	struct mg_mime *mime, unsigned layer_index, const unsigned char *text, size_t length)
{
	struct mg_mime_layer *layer = &mime->layers[layer_index];
	size_t line = layer->held_length - layer->held_line, taken = 1;
	struct judged judged;

	if (line == 0 && layer->held_length == 1 && layer->held[0] == '\r') {
		if (*text == '\n') {
			layer->held[1] = '\n';
			layer->held_length = layer->held_line = 2;
			return 1;
		}
		release(mime, layer_index, false);
		return 0;
	}
	if (line < 2 && *text != '-') {
		release(mime, layer_index, false);
		return 0;
	}
	if (line >= 2) {
		size_t most = MG_MIME_LINE_MAX - line < length ? MG_MIME_LINE_MAX - line : length;
		const unsigned char *line_end = memchr(text, '\n', most);

		taken = line_end != NULL ? (size_t)(line_end - text) + 1 : most;
	}
	memcpy(layer->held + layer->held_length, text, taken);
	layer->held_length += (unsigned)taken;
	switch (judge(mime, layer_index, layer->held + layer->held_line, line + taken, &judged)) {
	case WAITS: break;
	case PLAIN:
		release(mime, layer_index, true);
		if (current(mime, layer_index)->state == MG_MIME_IN_HEADER ||
			layer->held_length > taken || layer->held_line == 0)
			break;
		/* A line end that came with this text may as well be read again. */
		taken -= layer->held_length;
		layer->held_length = 0;
		break;
	case BOUNDARY: take_boundary(mime, layer_index, &judged); break;
	}
	return taken;
}

/* --- text --- */

/* Content up to a boundary line, or all of it. Returns where to go on. */
static const unsigned char *take_content(
	struct mg_mime *mime, unsigned layer, const unsigned char *text, const unsigned char *end)
{
	const unsigned char *cut = text, *line = text;
	bool begin = mime->layers[layer].line_begin;
	struct judged judged;

	mime->layers[layer].line_begin = false;
	for (;;) {
		if (!begin) {
			const unsigned char *line_end = mg_mime_boundary_seek(line, end);

			if (line_end == NULL)
				break;
			line = line_end + 1;
			cut = line_end > text && line_end[-1] == '\r' ? line_end - 1 : line_end;
		}
		begin = false;
		switch (judge(mime, layer, line, (size_t)(end - line), &judged)) {
		case WAITS:
			add_content(mime, layer, text, (size_t)(cut - text));
			hold(&mime->layers[layer], cut, line, end);
			return end;
		case PLAIN: continue;
		case BOUNDARY: break;
		}
		add_content(mime, layer, text, (size_t)(cut - text));
		if (act(mime, layer, &judged.match)) {
			mime->layers[layer].skip = !judged.whole;
			return line + judged.length;
		}
		text = line;
	}
	add_and_hold(mime, layer, text, end);
	return end;
}

/* Blanks behind a boundary line that is too long. */
static const unsigned char *skip_blanks(
	struct mg_mime_layer *layer, const unsigned char *text, const unsigned char *end)
{
	while (text < end && (*text == ' ' || *text == '\t' || *text == '\r'))
		text++;
	if (text == end)
		return end;
	layer->skip = false;
	layer->line_begin = *text == '\n';
	return layer->line_begin ? text + 1 : text;
}

static const unsigned char *take_header(
	struct mg_mime *mime, unsigned layer, const unsigned char *text, const unsigned char *end)
{
	if (mime->layers[layer].line_begin && *text == '-' && has_boundaries(mime, layer)) {
		hold(&mime->layers[layer], text, text, text);
		mime->layers[layer].line_begin = false;
		mime->layers[layer].held[0] = *text;
		mime->layers[layer].held_length = 1;
		return text + 1;
	}
	return text + add_header(mime, layer, text, (size_t)(end - text));
}

void mg_mime_feed(
	struct mg_mime *mime, unsigned layer_index, const unsigned char *text, size_t length)
{
	struct mg_mime_layer *layer = &mime->layers[layer_index];
	const unsigned char *end = text + length;

	while (text < end) {
		if (layer->held_length > 0) {
			text += resume(mime, layer_index, text, (size_t)(end - text));
		} else if (layer->skip) {
			text = skip_blanks(layer, text, end);
		} else if (current(mime, layer_index)->state == MG_MIME_IN_HEADER) {
			text = take_header(mime, layer_index, text, end);
		} else if (has_boundaries(mime, layer_index)) {
			text = take_content(mime, layer_index, text, end);
		} else {
			add_content(mime, layer_index, text, (size_t)(end - text));
			text = end;
		}
	}
}

/* The end of text is the end of a line. */
static void end_held(struct mg_mime *mime, unsigned layer_index)
{
	struct mg_mime_layer *layer = &mime->layers[layer_index];
	struct judged judged = {.whole = true};

	if (layer->held_length == 0)
		return;
	judged.length = layer->held_length - layer->held_line;
	if (match_line(mime, layer_index, layer->held + layer->held_line, judged.length,
		    &judged.match))
		take_boundary(mime, layer_index, &judged);
	release(mime, layer_index, false);
}

void mg_mime_feed_end(struct mg_mime *mime, unsigned layer_index)
{
	end_held(mime, layer_index);
	if (current(mime, layer_index)->state == MG_MIME_IN_HEADER && mg_mime_header_is_cut(mime)) {
		end_header(mime, layer_index);
		end_held(mime, layer_index);
	}
	finish_above(mime, layer_index);
}
