/* SPDX-License-Identifier: ISC */
/* command_line: what the command line of a daemon asks for. What is wrong with it is said on
 * standard error, in the words of the suite. */
#ifndef MG_RUN_COMMAND_LINE_H
#define MG_RUN_COMMAND_LINE_H
#include <stdbool.h>
#include <stddef.h>

enum mg_task {
	MG_TASK_SERVE,
	MG_TASK_CHECK,
	MG_TASK_PRINT,
	MG_TASK_VERIFY,
	MG_TASK_JUDGE,
	MG_TASK_VERSION,
	MG_TASK_HELP
};

enum { MG_OVERRIDES_MAX = 100, MG_RECIPIENTS_MAX = 100 };

/* Texts are those of argv; NULL: not given. */
struct mg_command_line {
	bool judges; /* before reading: the daemon has --judge and what goes with it */
	enum mg_task task;
	const char *config;
	const char *overrides[MG_OVERRIDES_MAX + 1]; /* ended by NULL */
	bool verbose;
	const char *message; /* of --judge: a file, "-" standard input */
	const char *case_file, *record;
	/* These go over the case file. */
	const char *sender, *helo, *user, *tls, *client;
	const char *recipients[MG_RECIPIENTS_MAX + 1]; /* ended by NULL */
};

/* line: zeroed but for judges, and defaults. program: "millgate-log", for messages. false: wrong use. */
bool mg_command_line_read(struct mg_command_line *line, const char *program, int argc, char **argv);
/* The options, on standard output. */
void mg_command_line_help(const char *program, bool judges);
#endif
