/* SPDX-License-Identifier: ISC */
#include "run/told_macros.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the macros of one stage that are kept. */
enum { STAGE_MAX = 64 * 1024 };

/* Stages in their order, and whether their command makes what was told for later ones old. */
static const struct {
	char command;
	bool forgets;
	enum mg_wire_stage stage;
} rows[] = {
	{MG_WIRE_CONNECT, true, MG_WIRE_STAGE_CONNECT},
	{MG_WIRE_HELO, true, MG_WIRE_STAGE_HELO},
	{MG_WIRE_MAIL, true, MG_WIRE_STAGE_MAIL},
	{MG_WIRE_RCPT, true, MG_WIRE_STAGE_RCPT},
	{MG_WIRE_DATA, false, MG_WIRE_STAGE_DATA},
	{MG_WIRE_HEADER_END, false, MG_WIRE_STAGE_EOH},
	{MG_WIRE_BODY_END, false, MG_WIRE_STAGE_EOM},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* A name without the braces that one letter may have. */
struct name {
	const char *text;
	size_t length;
};

struct mg_told_macro {
	struct name name;
	const char *value; /* NULL: the packet ended before it */
};

void mg_told_macros_init(struct mg_told_macros *told)
{
	memset(told, 0, sizeof(*told));
	for (size_t i = 0; i < MG_WIRE_STAGE_COUNT; i++)
		mg_buf_init(&told->stages[i].text, STAGE_MAX);
}

void mg_told_macros_free(struct mg_told_macros *told)
{
	for (size_t i = 0; i < MG_WIRE_STAGE_COUNT; i++) {
		mg_buf_free(&told->stages[i].text);
		free(told->stages[i].list);
	}
}

static void forget(struct mg_told_stage *stage)
{
	mg_buf_reset(&stage->text);
	stage->count = 0;
}

static struct name bare(const char *text)
{
	size_t length = strlen(text);

	if (length == 3 && text[0] == '{' && text[2] == '}')
		return (struct name){text + 1, 1};
	return (struct name){text, length};
}

static bool add(struct mg_told_stage *stage, const char *name, const char *value)
{
	if (stage->count == stage->room) {
		size_t room = stage->room > 0 ? 2 * stage->room : 16;
		struct mg_told_macro *list = realloc(stage->list, room * sizeof(*list));

		if (list == NULL)
			return false;
		stage->list = list;
		stage->room = room;
	}
	stage->list[stage->count++] = (struct mg_told_macro){bare(name), value};
	return true;
}

/* Of a stage that memory is short for nothing is known. */
static void split(struct mg_told_stage *stage)
{
	struct mg_packet packet = {.data = stage->text.data, .length = stage->text.length};
	struct mg_wire_cursor cursor;

	if (stage->text.failed)
		return;
	mg_wire_cursor_init(&cursor, &packet);
	while (!mg_wire_at_end(&cursor)) {
		const char *name = mg_wire_text(&cursor);
		const char *value = mg_wire_text(&cursor);

		if (!add(stage, name, cursor.failed ? NULL : value)) {
			forget(stage);
			return;
		}
	}
}

void mg_told_macros_take(struct mg_told_macros *told, const struct mg_packet *packet)
{
	size_t row = 0, length = packet->length;
	struct mg_told_stage *stage;

	while (row < ROWS && (length == 0 || rows[row].command != packet->data[0]))
		row++;
	/* What follows the last NUL is no text. */
	while (length > 1 && packet->data[length - 1] != '\0')
		length--;
	if (row == ROWS || length < 2)
		return;
	stage = &told->stages[rows[row].stage];
	forget(stage);
	mg_buf_add(&stage->text, packet->data + 1, length - 1);
	split(stage);
}

static void forget_from(struct mg_told_macros *told, size_t row)
{
	for (; row < ROWS; row++)
		forget(&told->stages[rows[row].stage]);
}

void mg_told_macros_begin(struct mg_told_macros *told, char command)
{
	if (command == MG_WIRE_OPTIONS || command == MG_WIRE_QUIT_NEW)
		forget_from(told, 0);
	for (size_t row = 0; row < ROWS; row++)
		if (rows[row].command == command && rows[row].forgets)
			forget_from(told, row + 1);
}

const char *mg_told_macros_find(const struct mg_told_macros *told, const char *name)
{
	struct name wanted = bare(name);

	for (size_t row = ROWS; row-- > 0;) {
		const struct mg_told_stage *stage = &told->stages[rows[row].stage];

		for (size_t i = 0; i < stage->count; i++)
			if (stage->list[i].name.length == wanted.length &&
				memcmp(stage->list[i].name.text, wanted.text, wanted.length) == 0)
				return stage->list[i].value;
	}
	return NULL;
}
