/* SPDX-License-Identifier: ISC */
/* A tag list: names and values are parts of the text, without white space around them, each name
 * once; a compact value has none inside. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/dkim_tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_blank(char character)
{
	return character != '\0' && strchr(" \t\r\n", character) != NULL;
}

static void check_part(const char *text, size_t size, const char *part, size_t length)
{
	assert(part >= text && length <= size && (size_t)(part - text) <= size - length);
	if (length > 0)
		assert(!is_blank(part[0]) && !is_blank(part[length - 1]));
}

static void check_tag(const struct mg_dkim_tags *tags, const struct mg_dkim_tag *tag)
{
	struct mg_buf compact = {.limit = 0};
	char *name = strndup(tag->name, tag->name_length);

	assert(name != NULL && strlen(name) == tag->name_length && tag->name_length > 0);
	assert(mg_dkim_tag_find(tags, name) == tag);
	mg_dkim_tag_compact(tag, &compact);
	assert(compact.length <= tag->value_length);
	for (size_t i = 0; i < compact.length; i++)
		assert(!is_blank(compact.data[i]));
	mg_buf_free(&compact);
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct mg_dkim_tags tags;

	if (!mg_dkim_tags_read(text, size, &tags))
		return 0;
	assert(tags.count > 0 && tags.count <= MG_DKIM_TAGS_MAX);
	for (size_t i = 0; i < tags.count; i++) {
		check_part(text, size, tags.list[i].name, tags.list[i].name_length);
		check_part(text, size, tags.list[i].value, tags.list[i].value_length);
		check_tag(&tags, &tags.list[i]);
	}
	return 0;
}
