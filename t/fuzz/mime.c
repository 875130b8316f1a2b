/* SPDX-License-Identifier: ISC */
/* A message of a stranger: the story is the same however it is cut, within its bounds, and every part
 * that begins ends. The first two bytes are the cut, the third the bounds. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/mime_story.h"
#include "mail/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is open, and what was counted. */
struct counter {
	unsigned begun, open, most;
	uint64_t bytes;
	const struct mg_mime_bounds *bounds;
};

static void begin(void *context, const struct mg_mime_part *part)
{
	struct counter *counter = context;

	assert(part->number == counter->begun && part->depth <= counter->bounds->depth);
	assert(part->number == 0 || part->parent < part->number);
	assert(strlen(part->content_type) <= MG_MIME_FIELD_MAX && part->type[0] != '\0');
	counter->begun++;
	counter->open++;
}

static void content(void *context, const struct mg_mime_part *part, enum mg_mime_content kind,
	const unsigned char *bytes, size_t length)
{
	struct counter *counter = context;

	(void)bytes;
	assert(length > 0 && counter->open > 0);
	assert((kind == MG_MIME_LEAF) == !part->container);
	counter->bytes += length;
}

static void end(void *context, const struct mg_mime_part *part)
{
	struct counter *counter = context;

	assert(counter->open > 0 && counter->open-- == part->depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mg_mime_handler handler = {
		.begin = begin, .content = content, .end = end};
	struct mg_buf whole = {.limit = 0}, cut = {.limit = 0};
	struct mg_mime_bounds bounds = mg_mime_bounds;
	struct counter counter = {.bounds = &bounds};
	const char *message = (const char *)data + 3;
	size_t first, step;

	if (size < 3)
		return 0;
	first = data[0];
	step = data[1];
	if ((data[2] & 1) != 0)
		bounds = (struct mg_mime_bounds){.depth = 3, .parts = 5, .header = 40};
	size -= 3;
	mime_feed(message, size, first, step, &handler, &counter, &bounds);
	assert(counter.open == 0 && counter.begun > 0 && counter.begun <= bounds.parts);
	assert(counter.bytes <= size);
	mime_story(message, size, 0, 0, &bounds, &whole);
	mime_story(message, size, first, step, &bounds, &cut);
	assert(strcmp(mg_buf_text(&whole), mg_buf_text(&cut)) == 0);
	mg_buf_free(&whole);
	mg_buf_free(&cut);
	return 0;
}
