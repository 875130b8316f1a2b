/* SPDX-License-Identifier: ISC */
/* child: another command, run for what it prints. */
#ifndef MG_CLI_CHILD_H
#define MG_CLI_CHILD_H
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct cli_child {
	FILE *output;
	pid_t pid;
};

/* Starts arguments[0], found by PATH, with these arguments (ended by NULL): its output is to be
 * read, its errors are dropped. false: it could not be started. */
bool cli_child_start(struct cli_child *child, const char *const arguments[]);
/* Waits for its end, and closes the output; its exit status, -1 when it was killed. */
int cli_child_end(struct cli_child *child);
#endif
