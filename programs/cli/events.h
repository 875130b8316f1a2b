/* SPDX-License-Identifier: ISC */
/* events: `millgate events`, a line an event. */
#ifndef MG_CLI_EVENTS_H
#define MG_CLI_EVENTS_H
#include "cli/command.h"

int cli_events(const struct cli_call *call);
#endif
