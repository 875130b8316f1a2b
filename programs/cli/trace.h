/* SPDX-License-Identifier: ISC */
/* trace: `millgate trace`, what became of a message. */
#ifndef MG_CLI_TRACE_H
#define MG_CLI_TRACE_H
#include "cli/command.h"

int cli_trace(const struct cli_call *call);
#endif
