/* SPDX-License-Identifier: ISC */
#include "cli/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { DEPTH_MAX = 8, NAME_MAX_BYTES = 64 };

struct cli_json {
	json_t *open[DEPTH_MAX]; /* borrowed, but the first */
	size_t depth;
	bool failed;
};

/* What stands for an object that there is no memory for: a failure from the begin. */
static struct cli_json no_memory = {.failed = true};

struct cli_json *cli_json_new(void)
{
	struct cli_json *json = calloc(1, sizeof(*json));

	if (json == NULL)
		return &no_memory;
	json->open[0] = json_object();
	json->failed = json->open[0] == NULL;
	return json;
}

/* Puts value, which it takes, into the object that is open, under its dotted name. */
static void set(struct cli_json *json, const char *name, json_t *value)
{
	json_t *object = json->open[json->depth];
	const char *dot;

	for (; (dot = strchr(name, '.')) != NULL && !json->failed; name = dot + 1) {
		char part[NAME_MAX_BYTES];
		json_t *inner;

		mg_str_format(part, sizeof(part), "%.*s", (int)(dot - name), name);
		inner = json_object_get(object, part);
		if (inner == NULL) {
			inner = json_object();
			if (json_object_set_new(object, part, inner) != 0)
				json->failed = true;
		}
		object = inner;
	}
	if (json->failed)
		json_decref(value);
	else if (value == NULL || json_object_set_new(object, name, value) != 0)
		json->failed = true;
}

static json_t *text_value(const char *text, size_t length)
{
	json_t *value = json_stringn(text, length);
	size_t size = 4 * length + 1;
	char *printable;

	if (value != NULL)
		return value;
	printable = malloc(size);
	if (printable == NULL)
		return NULL;
	value = json_string(mg_str_printable(printable, size, text, length));
	free(printable);
	return value;
}

void cli_json_text_n(struct cli_json *json, const char *name, const char *text, size_t length)
{
	set(json, name, text_value(text, length));
}

void cli_json_text(struct cli_json *json, const char *name, const char *text)
{
	set(json, name, text == NULL ? json_null() : text_value(text, strlen(text)));
}

void cli_json_number(struct cli_json *json, const char *name, int64_t number)
{
	set(json, name, json_integer(number));
}

void cli_json_bool(struct cli_json *json, const char *name, bool yes)
{
	set(json, name, json_boolean(yes));
}

static void enter(struct cli_json *json, json_t *value)
{
	if (json->depth + 1 == DEPTH_MAX)
		json->failed = true;
	if (!json->failed)
		json->open[++json->depth] = value;
}

void cli_json_list_open(struct cli_json *json, const char *name)
{
	json_t *list = json_array();

	set(json, name, list);
	enter(json, list);
}

void cli_json_item_open(struct cli_json *json)
{
	json_t *item = json_object();

	if (json->failed || json_array_append_new(json->open[json->depth], item) != 0)
		json->failed = true;
	enter(json, item);
}

void cli_json_close(struct cli_json *json)
{
	if (!json->failed && json->depth > 0)
		json->depth--;
}

void cli_json_item_text(struct cli_json *json, const char *text)
{
	json_t *value = text_value(text, strlen(text));

	if (json->failed)
		json_decref(value);
	else if (json_array_append_new(json->open[json->depth], value) != 0)
		json->failed = true;
}

void cli_json_item_document(struct cli_json *json, const char *document, size_t length)
{
	json_t *value = json_loadb(document, length, JSON_ALLOW_NUL, NULL);

	if (json->failed)
		json_decref(value);
	else if (json_array_append_new(json->open[json->depth], value) != 0)
		json->failed = true;
}

int cli_json_print(struct cli_json *json, FILE *stream)
{
	bool failed =
		json->failed ||
		json_dumpf(json->open[0], stream, JSON_COMPACT | JSON_REAL_PRECISION(15)) != 0 ||
		fputc('\n', stream) == EOF;

	if (json != &no_memory) {
		json_decref(json->open[0]);
		free(json);
	}
	return failed ? -1 : 0;
}
