/* SPDX-License-Identifier: ISC */
/* command: the commands of millgate(1) as rows of one table. From it come dispatch, usage lines,
 * help, the nearest names of errors, bash completion, and the manual's synopsis and options. */
#ifndef MG_CLI_COMMAND_H
#define MG_CLI_COMMAND_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How a command ends: as a monitoring plugin does, or, when the command itself failed, as
 * sysexits.h says. */
enum cli_exit {
	CLI_GOOD = 0,
	CLI_LOOK = 1, /* warning, deferred, held, waiting */
	CLI_BAD = 2, /* rejected, bounced, a check failed */
	CLI_UNKNOWN = 3, /* not found, no answer of DNS */
	CLI_USAGE = 64,
	CLI_NO_MESSAGE = 65, /* the input is no message */
	CLI_NO_FILE = 66,
	CLI_UNREACHABLE = 69, /* Postfix or a daemon */
	CLI_FAILED = 74, /* reading or writing, memory */
	CLI_DENIED = 77, /* it needs the rights of root */
	CLI_CONFIGURATION = 78
};

/* An option of a command. A table ends with {.name = NULL}. */
struct cli_option {
	const char *name; /* without its dashes */
	char letter; /* 0 none */
	/* What it takes: a name for people ("DIR"), or the words it may be ("bind|value"); NULL: it
	 * takes nothing. */
	const char *argument;
	const char *value; /* what it is when it is not given; NULL nothing */
	const char *help; /* one line, no stop */
};
enum { CLI_OPTIONS_MAX = 12, CLI_ARGUMENTS_MAX = 64, CLI_HELP_MAX = 64 };

struct cli_call;

struct cli_command {
	const char *name, *verb; /* "key" "new"; verb NULL: it has none */
	const char *arguments; /* "DOMAIN [SELECTOR]", "" none */
	size_t least, most; /* how many of them */
	const struct cli_option *options; /* besides cli_common_options; may be NULL */
	const char *help; /* one sentence */
	int (*run)(const struct cli_call *); /* returns enum cli_exit */
};

/* What was asked for. Texts are those of argv. */
struct cli_call {
	const struct cli_command *command; /* NULL only with help or version */
	const char *name; /* of the command, "key"; NULL none */
	const char *arguments[CLI_ARGUMENTS_MAX];
	size_t argument_count;
	const char *values[CLI_OPTIONS_MAX]; /* by row of the command's options; NULL not given */
	const char *config; /* folder of the configuration */
	bool json, utc, no_color, help, version;
	const char *const *words; /* argv, for the record of what was done; ended by NULL */
};

extern const struct cli_option cli_common_options[];

/* Reads the command line by the table `commands`, which ends with a NULL name. CLI_GOOD, or
 * CLI_USAGE after it said on standard error what is wrong, the nearest name, and one usage line. */
enum cli_exit cli_call_read(
	struct cli_call *call, const struct cli_command *commands, char *const *argv);

/* The argument, or the value of an option (its default when it is not given); NULL: none. An option
 * that the command does not declare is a programming error and aborts. */
const char *cli_argument(const struct cli_call *call, size_t index);
const char *cli_value(const struct cli_call *call, const char *option);
/* Was the option given? */
bool cli_given(const struct cli_call *call, const char *option);

/* "millgate: key new: TEXT" on standard error; returns status. */
int cli_fail(const struct cli_call *call, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
