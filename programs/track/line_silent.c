/* SPDX-License-Identifier: ISC */
/* Programs whose lines tell nothing of a message or session, warnings apart. */
#include <string.h>

#include "track/line_private.h"

/* Whether a line begins with a level: "warning: ". */
static bool has_level(struct line_cursor cursor)
{
	return LINE_SKIP(&cursor, "warning: ") || LINE_SKIP(&cursor, "error: ") ||
	       LINE_SKIP(&cursor, "fatal: ") || LINE_SKIP(&cursor, "panic: ");
}

bool line_read_silent(struct line_cursor cursor, struct track_line *line)
{
	line->kind = TRACK_NONE;
	return !has_level(cursor);
}

static bool read_silent(struct line_cursor cursor, struct track_line *line)
{
	return line_read_silent(cursor, line);
}

bool line_read_tlsproxy(struct line_cursor cursor, struct track_line *line)
{
	static line_reader *const readers[] = {line_tls, read_silent, NULL};

	return line_by_readers(readers, cursor, line);
}
