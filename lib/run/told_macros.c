/* SPDX-License-Identifier: ISC */
#include "run/told_macros.h"

#include <stdbool.h>
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

void mg_told_macros_init(struct mg_told_macros *told)
{
	for (size_t i = 0; i < MG_WIRE_STAGE_COUNT; i++)
		mg_buf_init(&told->stages[i], STAGE_MAX);
}

void mg_told_macros_free(struct mg_told_macros *told)
{
	for (size_t i = 0; i < MG_WIRE_STAGE_COUNT; i++)
		mg_buf_free(&told->stages[i]);
}

void mg_told_macros_take(struct mg_told_macros *told, const struct mg_packet *packet)
{
	size_t row = 0, length = packet->length;

	while (row < ROWS && (length == 0 || rows[row].command != packet->data[0]))
		row++;
	/* What follows the last NUL is no text. */
	while (length > 1 && packet->data[length - 1] != '\0')
		length--;
	if (row == ROWS || length < 2)
		return;
	mg_buf_reset(&told->stages[rows[row].stage]);
	mg_buf_add(&told->stages[rows[row].stage], packet->data + 1, length - 1);
}

static void forget_from(struct mg_told_macros *told, size_t row)
{
	for (; row < ROWS; row++)
		mg_buf_reset(&told->stages[rows[row].stage]);
}

void mg_told_macros_begin(struct mg_told_macros *told, char command)
{
	if (command == MG_WIRE_OPTIONS || command == MG_WIRE_QUIT_NEW)
		forget_from(told, 0);
	for (size_t row = 0; row < ROWS; row++)
		if (rows[row].command == command && rows[row].forgets)
			forget_from(told, row + 1);
}

static bool same_name(const char *told, const char *name)
{
	size_t length = strlen(told);

	if (length == 1)
		return name[0] == told[0] ? name[1] == '\0'
					  : strlen(name) == 3 && name[0] == '{' &&
						    name[1] == told[0] && name[2] == '}';
	return strcmp(told, name) == 0 || (length == 3 && told[0] == '{' && told[2] == '}' &&
						  name[0] == told[1] && name[1] == '\0');
}

/* Whether the stage has the name; one that lacks its value is told to have none. */
static bool find_in(const struct mg_buf *stage, const char *name, const char **value)
{
	struct mg_packet packet = {.data = stage->data, .length = stage->length};
	struct mg_wire_cursor cursor;

	if (stage->length == 0 || stage->failed)
		return false;
	mg_wire_cursor_init(&cursor, &packet);
	while (!mg_wire_at_end(&cursor)) {
		const char *told = mg_wire_text(&cursor);

		*value = mg_wire_text(&cursor);
		if (same_name(told, name)) {
			if (cursor.failed)
				*value = NULL;
			return true;
		}
	}
	return false;
}

const char *mg_told_macros_find(const struct mg_told_macros *told, const char *name)
{
	const char *value = NULL;

	for (size_t row = ROWS; row-- > 0;)
		if (find_in(&told->stages[rows[row].stage], name, &value))
			return value;
	return NULL;
}
