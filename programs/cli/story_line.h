/* SPDX-License-Identifier: ISC */
/* story_line: how an event of a story is told, in a line or two. */
#ifndef MG_CLI_STORY_LINE_H
#define MG_CLI_STORY_LINE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "cli/command.h"
#include "cli/outcome.h"
#include "cli/sheet.h"
#include "cli/story.h"

struct cli_story_line {
	char who[32]; /* who or what: "dlp", "bounced" */
	enum cli_color color; /* of that */
	struct mg_buf text; /* for cli_wrap_print */
	double milliseconds; /* own work of a filter; below 0: not told */
	bool seconds; /* its time is known to the second */
};

/* Tells the index-th event; false: it is no line of its own. Free text in either case. */
bool cli_story_line(const struct cli_call *call, const struct cli_story *story,
	const struct cli_outcome *outcome, size_t index, struct cli_story_line *line);
#endif
