/* SPDX-License-Identifier: ISC */
/* commands: the table of the commands of millgate(1). */
#ifndef MG_CLI_COMMANDS_H
#define MG_CLI_COMMANDS_H
#include "cli/command.h"

extern const struct cli_command cli_commands[]; /* by name; ended by a NULL name */
#endif
