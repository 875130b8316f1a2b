/* SPDX-License-Identifier: ISC */
#include "auth/dkim_tags.h"

#include <string.h>

enum { TEXT_MAX = 64 * 1024 };

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

static bool is_letter(char character)
{
	return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

/* tag-name of RFC 6376 section 3.2. */
static bool is_name(const char *name, size_t length)
{
	if (length == 0 || !is_letter(name[0]))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!is_letter(name[i]) && !(name[i] >= '0' && name[i] <= '9') && name[i] != '_')
			return false;
	return true;
}

/* Bytes over 127 may stand in a value (RFC 8616), controls may not. */
static bool is_value(const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (((unsigned char)value[i] < ' ' && !is_blank(value[i])) || value[i] == 0x7f)
			return false;
	return true;
}

static void trim(const char **text, size_t *length)
{
	while (*length > 0 && is_blank((*text)[0])) {
		(*text)++;
		(*length)--;
	}
	while (*length > 0 && is_blank((*text)[*length - 1]))
		(*length)--;
}

static bool is_known(const struct mg_dkim_tags *tags, const char *name, size_t length)
{
	for (size_t i = 0; i < tags->count; i++)
		if (tags->list[i].name_length == length &&
			memcmp(tags->list[i].name, name, length) == 0)
			return true;
	return false;
}

/* What stands between two ";". */
static bool add_tag(struct mg_dkim_tags *tags, const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);
	struct mg_dkim_tag tag;

	if (equals == NULL || tags->count == MG_DKIM_TAGS_MAX)
		return false;
	tag.name = text;
	tag.name_length = (size_t)(equals - text);
	tag.value = equals + 1;
	tag.value_length = length - tag.name_length - 1;
	trim(&tag.name, &tag.name_length);
	trim(&tag.value, &tag.value_length);
	if (!is_name(tag.name, tag.name_length) || !is_value(tag.value, tag.value_length) ||
		is_known(tags, tag.name, tag.name_length))
		return false;
	tags->list[tags->count++] = tag;
	return true;
}

bool mg_dkim_tags_read(const char *text, size_t length, struct mg_dkim_tags *tags)
{
	tags->count = 0;
	if (length > TEXT_MAX)
		return false;
	trim(&text, &length);
	while (length > 0) {
		const char *end = memchr(text, ';', length);
		size_t size = end != NULL ? (size_t)(end - text) : length;

		if (!add_tag(tags, text, size))
			return false;
		if (end != NULL)
			size++;
		text += size;
		length -= size;
	}
	return tags->count > 0;
}

const struct mg_dkim_tag *mg_dkim_tag_find(const struct mg_dkim_tags *tags, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < tags->count; i++)
		if (tags->list[i].name_length == length &&
			memcmp(tags->list[i].name, name, length) == 0)
			return &tags->list[i];
	return NULL;
}

void mg_dkim_tag_compact(const struct mg_dkim_tag *tag, struct mg_buf *out)
{
	size_t at = 0;

	while (at < tag->value_length) {
		size_t run = at;

		while (run < tag->value_length && !is_blank(tag->value[run]))
			run++;
		mg_buf_add(out, tag->value + at, run - at);
		while (run < tag->value_length && is_blank(tag->value[run]))
			run++;
		at = run;
	}
}
