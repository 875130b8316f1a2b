/* SPDX-License-Identifier: ISC */
#include "run/command_line.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define PLACE(member) offsetof(struct mg_command_line, member)
enum { NO_PLACE = 0 }; /* that of the task, which is no text */

/* An option: what it makes the task (SERVE: nothing), where its argument goes, and how many there
 * may be. */
static const struct {
	char letter;
	const char *name, *argument, *help;
	enum mg_task task;
	bool judge; /* goes with --judge alone */
	size_t place, most;
} options[] = {
	{'c', "config", "FILE", "configuration (" MG_SYSCONFDIR "/NAME.conf)", MG_TASK_SERVE, false,
		PLACE(config), 1},
	{'o', "option", "NAME=VALUE", "a setting, over the file's; again for more", MG_TASK_SERVE,
		false, PLACE(overrides), MG_OVERRIDES_MAX},
	{'t', "check", NULL, "check the configuration and everything it names, and exit",
		MG_TASK_CHECK, false, NO_PLACE, 0},
	{'T', "print", NULL, "print the effective configuration, and exit", MG_TASK_PRINT, false,
		NO_PLACE, 0},
	{0, "verify", NULL, "verify the hash chain of the event log, and exit", MG_TASK_VERIFY,
		false, NO_PLACE, 0},
	{0, "judge", "FILE", "judge a message, - standard input, print how, and exit",
		MG_TASK_JUDGE, false, PLACE(message), 1},
	{0, "case", "FILE", "its circumstances, in JSON", MG_TASK_SERVE, true, PLACE(case_file), 1},
	{0, "record", "FILE", "write the circumstances it was judged in", MG_TASK_SERVE, true,
		PLACE(record), 1},
	{0, "from", "ADDRESS", "its envelope sender", MG_TASK_SERVE, true, PLACE(sender), 1},
	{0, "rcpt", "ADDRESS", "a recipient; again for more", MG_TASK_SERVE, true,
		PLACE(recipients), MG_RECIPIENTS_MAX},
	{0, "helo", "NAME", "what the client calls itself", MG_TASK_SERVE, true, PLACE(helo), 1},
	{0, "user", "NAME", "its SASL user", MG_TASK_SERVE, true, PLACE(user), 1},
	{0, "tls", "VERSION", "its version of TLS, such as TLSv1.3", MG_TASK_SERVE, true,
		PLACE(tls), 1},
	{0, "client", "ADDRESS", "its IP address", MG_TASK_SERVE, true, PLACE(client), 1},
	{'v', "verbose", NULL, "log more", MG_TASK_SERVE, false, NO_PLACE, 0},
	{'V', "version", NULL, "print the version, and exit", MG_TASK_VERSION, false, NO_PLACE, 0},
	{'h', "help", NULL, "print this, and exit", MG_TASK_HELP, false, NO_PLACE, 0},
};
enum { OPTION_COUNT = sizeof options / sizeof options[0], LONG_ONLY = 256 };

static void print_usage(FILE *stream, const char *program, bool judges)
{
	fprintf(stream, "usage: %s [-c FILE] [-o NAME=VALUE] [-t | -T | --verify | -V | -h] [-v]\n",
		program);
	if (!judges)
		return;
	fprintf(stream,
		"       %s --judge FILE [-c FILE] [-o NAME=VALUE] [--case FILE] [--record FILE]\n"
		"           [--from ADDRESS] [--rcpt ADDRESS] [--helo NAME] [--user NAME]"
		" [--tls VERSION]\n"
		"           [--client ADDRESS]\n",
		program);
}

/* Whether a daemon has the option. */
static bool is_there(size_t row, bool judges)
{
	return judges || !(options[row].judge || options[row].task == MG_TASK_JUDGE);
}

void mg_command_line_help(const char *program, bool judges)
{
	print_usage(stdout, program, judges);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		char letter[4] = "   ", name[32];

		if (!is_there(i, judges))
			continue;
		if (options[i].letter != 0)
			snprintf(letter, sizeof letter, "-%c,", options[i].letter);
		snprintf(name, sizeof name, "--%s%s%s", options[i].name,
			options[i].argument != NULL ? " " : "",
			options[i].argument != NULL ? options[i].argument : "");
		printf("  %s %-22s %s\n", letter, name, options[i].help);
	}
}

/* What is wrong with an argument that getopt did not take. */
static void explain(const char *program, bool judges, const char *argument, int code)
{
	const char *names[OPTION_COUNT], *nearest;
	char word[64], length[64];
	size_t count = 0;

	mg_str_copy(word, sizeof word, argument != NULL ? argument : "");
	word[strcspn(word, "=")] = '\0';
	if (code == ':') {
		fprintf(stderr, "%s: option \"%s\" needs an argument\n", program, word);
		return;
	}
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (is_there(i, judges))
			names[count++] = options[i].name;
	nearest = strncmp(word, "--", 2) == 0 ? mg_str_nearest(word + 2, names, count) : NULL;
	fprintf(stderr, "%s: no option \"%s\"%s%s\n", program,
		mg_str_printable(length, sizeof length, word, strlen(word)),
		nearest != NULL ? "; nearest: --" : "", nearest != NULL ? nearest : "");
}

/* What getopt says for an option. */
static int code_of(size_t row)
{
	return options[row].letter != 0 ? options[row].letter : LONG_ONLY + (int)row;
}

static void make_getopt_tables(char *letters, struct option *names, bool judges)
{
	*letters++ = ':';
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		int wants = options[i].argument != NULL ? required_argument : no_argument;

		if (!is_there(i, judges))
			continue;
		*names++ = (struct option){options[i].name, wants, NULL, code_of(i)};
		if (options[i].letter == 0)
			continue;
		*letters++ = options[i].letter;
		if (wants == required_argument)
			*letters++ = ':';
	}
	*letters = '\0';
}

/* Puts the argument where it goes: of one, the last counts. */
static bool take_argument(struct mg_command_line *line, size_t row, const char *program)
{
	const char **place = (const char **)(void *)((char *)line + options[row].place);
	size_t count = 0;

	while (options[row].most > 1 && place[count] != NULL)
		count++;
	if (options[row].letter == 'o' && strchr(optarg, '=') == NULL) {
		fprintf(stderr, "%s: -o \"%s\": expected NAME=VALUE\n", program, optarg);
		return false;
	}
	if (count == options[row].most) {
		fprintf(stderr, "%s: --%s more than %zu times\n", program, options[row].name,
			options[row].most);
		return false;
	}
	place[count] = optarg;
	return true;
}

static bool take_option(struct mg_command_line *line, size_t row, const char *program)
{
	if (options[row].task != MG_TASK_SERVE)
		line->task = options[row].task;
	if (options[row].letter == 'v')
		line->verbose = true;
	return options[row].argument == NULL || take_argument(line, row, program);
}

/* An option of --judge stands with it. */
static bool fits_together(const struct mg_command_line *line, const char *program)
{
	for (size_t i = 0; i < OPTION_COUNT && line->task != MG_TASK_JUDGE; i++) {
		const char *const *place =
			(const char *const *)(const void *)((const char *)line + options[i].place);

		if (!options[i].judge || *place == NULL)
			continue;
		fprintf(stderr, "%s: --%s goes with --judge\n", program, options[i].name);
		return false;
	}
	return true;
}

bool mg_command_line_read(struct mg_command_line *line, const char *program, int argc, char **argv)
{
	char letters[2 * OPTION_COUNT + 2];
	struct option names[OPTION_COUNT + 1] = {0};
	int code;

	make_getopt_tables(letters, names, line->judges);
	opterr = 0;
	while ((code = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		size_t row = 0;

		while (row < OPTION_COUNT && code != code_of(row))
			row++;
		if (row == OPTION_COUNT) {
			explain(program, line->judges, argv[optind - 1], code);
			print_usage(stderr, program, line->judges);
			return false;
		}
		if (!take_option(line, row, program))
			return false;
	}
	if (optind < argc) {
		fprintf(stderr, "%s: \"%s\": no argument is expected here\n", program,
			argv[optind]);
		print_usage(stderr, program, line->judges);
		return false;
	}
	return fits_together(line, program);
}
