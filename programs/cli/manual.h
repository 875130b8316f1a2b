/* SPDX-License-Identifier: ISC */
/* manual: what is made of the table of commands: lists of millgate(1) as mdoc, and the completion of
 * bash(1). */
#ifndef MG_CLI_MANUAL_H
#define MG_CLI_MANUAL_H
#include <stdio.h>

#include "cli/command.h"

/* SYNOPSIS: a line a command. */
void cli_manual_synopsis(FILE *stream, const struct cli_command *commands);
/* Options that every command has, as items of a list. */
void cli_manual_common(FILE *stream);
/* A command with its options, likewise; of this name. */
void cli_manual_commands(FILE *stream, const struct cli_command *commands, const char *name);
/* A file of completions. */
void cli_manual_completion(FILE *stream, const struct cli_command *commands);
#endif
