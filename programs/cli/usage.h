/* SPDX-License-Identifier: ISC */
/* usage: what there is to say about a command in a line, or in its help. */
#ifndef MG_CLI_USAGE_H
#define MG_CLI_USAGE_H
#include <stdio.h>

#include "cli/command.h"

/* "usage: millgate key new DOMAIN [SELECTOR] [--type …]", wrapped at 80 columns. */
void cli_usage_print(FILE *stream, const struct cli_command *command);
/* "usage: millgate key new|list …" for a name whose verb is not known; of all commands when name is
 * NULL. */
void cli_usage_print_names(FILE *stream, const struct cli_command *commands, const char *name);
/* -h: of the call's command, of those of its name, or of all. */
void cli_help_print(FILE *stream, const struct cli_command *commands, const struct cli_call *call);
#endif
