/* SPDX-License-Identifier: ISC */
/* stuck: `millgate stuck`: recipients that were accepted and are not finished, from the store of
 * millgate-track, which may run meanwhile. */
#ifndef MG_CLI_STUCK_H
#define MG_CLI_STUCK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/backlog.h"
#include "cli/command.h"

/* 0 nobody waits, 1 some do, 2 some are overdue, 3 it is not known. */
int cli_stuck(const struct cli_call *call);

/* What was found, to be shown. */
struct cli_stuck_answer {
	struct cli_backlog *backlog;
	int64_t now, overdue; /* UTC ns; setting, ns */
	size_t unreadable; /* records of another version */
	bool running; /* millgate-track has the store open */
};

/* stuck_print.c: for people; the same by --json. CLI_GOOD, or CLI_FAILED after it said why. */
int cli_stuck_print(const struct cli_call *call, const struct cli_stuck_answer *answer);
int cli_stuck_print_json(const struct cli_call *call, const struct cli_stuck_answer *answer);
#endif
