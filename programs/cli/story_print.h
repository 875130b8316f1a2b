/* SPDX-License-Identifier: ISC */
/* story_print: a story for people: what became of it, of what message, line by line, and what
 * to do. */
#ifndef MG_CLI_STORY_PRINT_H
#define MG_CLI_STORY_PRINT_H
#include <stdio.h>

#include "cli/command.h"
#include "cli/outcome.h"
#include "cli/story.h"

/* The whole of it. now: UTC ns, for what is to come. */
void cli_story_print(const struct cli_call *call, FILE *stream, const struct cli_story *story,
	const struct cli_outcome *outcome, int64_t now);
#endif
