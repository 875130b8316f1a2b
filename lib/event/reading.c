/* SPDX-License-Identifier: ISC */
#include "event/reading.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"

/* A reading is the parser's tree itself. */
static const json_t *root_of(const struct mg_reading *reading)
{
	return (const json_t *)reading;
}

struct mg_reading *mg_reading_new(const char *line, size_t length)
{
	json_t *root = json_loadb(line, length, JSON_ALLOW_NUL, NULL);

	if (json_is_object(root))
		return (struct mg_reading *)root;
	json_decref(root);
	return NULL;
}

void mg_reading_free(struct mg_reading *reading)
{
	json_decref((json_t *)reading);
}

/* The value below `object` by a dotted name; NULL none. */
static const json_t *find(const json_t *object, const char *name)
{
	for (;;) {
		size_t length = strcspn(name, ".");

		object = json_object_getn(object, name, length);
		if (object == NULL || name[length] == '\0')
			return object;
		name += length + 1;
	}
}

/* The index-th of a list, or a value that is none as its first. */
static const json_t *item(const json_t *value, size_t index)
{
	if (json_is_array(value))
		return json_array_get(value, index);
	return index == 0 ? value : NULL;
}

static const json_t *find_at(
	const struct mg_reading *reading, const char *name, size_t index, const char *member)
{
	const json_t *value = item(find(root_of(reading), name), index);

	return member == NULL ? value : item(find(value, member), 0);
}

/* A text with a NUL in it would be taken for another one that ends there. */
static const char *text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) == json_string_length(value) ? text : "";
}

static bool number_of(const json_t *value, int64_t *number)
{
	if (!json_is_integer(value))
		return false;
	*number = json_integer_value(value);
	return true;
}

const char *mg_reading_text(const struct mg_reading *reading, const char *name)
{
	return text_of(find_at(reading, name, 0, NULL));
}

size_t mg_reading_count(const struct mg_reading *reading, const char *name)
{
	const json_t *value = find(root_of(reading), name);

	if (json_is_array(value))
		return json_array_size(value);
	return value == NULL || json_is_null(value) ? 0 : 1;
}

const char *mg_reading_text_at(
	const struct mg_reading *reading, const char *name, size_t index, const char *member)
{
	return text_of(find_at(reading, name, index, member));
}

bool mg_reading_number(const struct mg_reading *reading, const char *name, int64_t *number)
{
	return number_of(find_at(reading, name, 0, NULL), number);
}

bool mg_reading_number_at(const struct mg_reading *reading, const char *name, size_t index,
	const char *member, int64_t *number)
{
	return number_of(find_at(reading, name, index, member), number);
}

double mg_reading_float(const struct mg_reading *reading, const char *name, double none)
{
	const json_t *value = find_at(reading, name, 0, NULL);

	return json_is_number(value) ? json_number_value(value) : none;
}

bool mg_reading_bool(const struct mg_reading *reading, const char *name)
{
	return json_is_true(find_at(reading, name, 0, NULL));
}

bool mg_reading_time(const struct mg_reading *reading, const char *name, int64_t *utc)
{
	return mg_clock_parse(mg_reading_text(reading, name), utc);
}
