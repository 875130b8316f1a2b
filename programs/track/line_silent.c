/* SPDX-License-Identifier: ISC */
/* Programs that tell nothing of a message or session, and what they write beside warnings. */
#include "track/line_private.h"

bool line_read_silent(struct line_cursor cursor, struct track_line *line)
{
	static const struct line_pattern lines[] = {
		{TRACK_NONE, "statistics: %.", NULL},
		{TRACK_NONE, "daemon started %.", NULL},
		{TRACK_NONE, "terminating on signal %.", NULL},
		{TRACK_NONE, "reload %.", NULL},
		{TRACK_NONE, "starting the Postfix mail system%.", NULL},
		{TRACK_NONE, "stopping the Postfix mail system%.", NULL},
		{0},
	};

	return line_by_patterns(lines, cursor, line);
}

bool line_read_postscreen(struct line_cursor cursor, struct track_line *line)
{
	return line_read_silent(cursor, line);
}
