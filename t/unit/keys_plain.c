/* SPDX-License-Identifier: ISC */
#include "keys_plain.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "event/keys.h"

static const struct {
	const char *path[4];
	bool fold;
	size_t tail;
} fields[] = {
	{.path = {"trace", "id"}},
	{.path = {"millgate", "session", "key"}},
	{.path = {"millgate", "session", "traces"}},
	{.path = {"millgate", "link", "parent"}},
	{.path = {"millgate", "link", "child"}},
	{.path = {"email", "local_id"}},
	{.path = {"email", "message_id"}},
	{.path = {"email", "sender", "address"}, .fold = true},
	{.path = {"email", "to", "address"}, .fold = true},
	{.path = {"email", "from", "address"}, .fold = true},
	{.path = {"millgate", "header", "to"}, .fold = true},
	{.path = {"millgate", "header", "cc"}, .fold = true},
	{.path = {"millgate", "delivery", "recipient"}, .fold = true},
	{.path = {"millgate", "delivery", "orig_recipient"}, .fold = true},
	{.path = {"event", "id"}, .fold = true, .tail = 8},
};

/* A list of texts "fold LENGTH TEXT", to be sorted. */
struct list {
	struct mg_buf *texts;
	size_t count;
};

static bool add(void *context, const char *text, size_t length, bool fold)
{
	struct list *list = context;
	struct mg_buf *key;

	if ((list->count & (list->count - 1)) == 0) {
		size_t room = list->count > 0 ? 2 * list->count : 1;

		list->texts = realloc(list->texts, room * sizeof *list->texts);
		assert(list->texts != NULL);
	}
	key = &list->texts[list->count++];
	*key = (struct mg_buf){0};
	mg_buf_add_format(key, "%d %zu ", fold, length);
	mg_buf_add(key, text, length);
	return true;
}

static int compare(const void *one, const void *other)
{
	const struct mg_buf *a = one, *b = other;
	int order = memcmp(a->data, b->data, a->length < b->length ? a->length : b->length);

	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static void print(struct list *list, struct mg_buf *out)
{
	if (list->count > 0)
		qsort(list->texts, list->count, sizeof *list->texts, compare);
	for (size_t i = 0; i < list->count; i++) {
		mg_buf_add(out, list->texts[i].data, list->texts[i].length);
		mg_buf_add_char(out, '\n');
		mg_buf_free(&list->texts[i]);
	}
	free(list->texts);
}

static void add_text(struct list *list, const json_t *value, size_t field)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value), tail = fields[field].tail;

	if (text == NULL || length == 0)
		return;
	if (tail > 0 && length > tail) {
		text += length - tail;
		length = tail;
	}
	add(list, text, length, fields[field].fold);
}

bool keys_plain(const char *line, size_t length, struct mg_buf *out)
{
	json_t *root = json_loadb(line, length, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	bool good = json_is_object(root);
	struct list list = {NULL, 0};

	for (size_t i = 0; good && i < sizeof fields / sizeof fields[0]; i++) {
		const json_t *value = root;

		for (size_t part = 0; part < 4 && fields[i].path[part] != NULL; part++)
			value = json_object_get(value, fields[i].path[part]);
		if (!json_is_array(value))
			add_text(&list, value, i);
		for (size_t at = 0; at < json_array_size(value); at++)
			add_text(&list, json_array_get(value, at), i);
	}
	json_decref(root);
	print(&list, out);
	return good;
}

bool keys_scanned(const char *line, size_t length, struct mg_buf *out)
{
	struct mg_buf scratch = {0};
	struct list list = {NULL, 0};
	bool good = mg_keys_each(line, length, &scratch, add, &list);

	mg_buf_free(&scratch);
	print(&list, out);
	return good;
}
