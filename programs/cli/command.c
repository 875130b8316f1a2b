/* SPDX-License-Identifier: ISC */
#include "cli/command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/usage.h"

enum { NAMES_MAX = 64, SHOWN = 64 };

const struct cli_option cli_common_options[] = {
	{.name = "config",
		.argument = "DIR",
		.value = MG_SYSCONFDIR,
		.help = "folder of the configuration"},
	{.name = "json", .help = "the same facts as one JSON object"},
	{.name = "utc", .help = "times in UTC"},
	{.name = "no-color", .help = "no colour, which there is on a terminal only"},
	{.name = "help", .letter = 'h', .help = "print this, and exit"},
	{.name = "version", .letter = 'V', .help = "print the version, and exit"},
	{.name = NULL},
};
enum common {
	OPTION_CONFIG,
	OPTION_JSON,
	OPTION_UTC,
	OPTION_NO_COLOR,
	OPTION_HELP,
	OPTION_VERSION
};

/* Reading goes on from here. */
struct reader {
	struct cli_call *call;
	const struct cli_command *commands;
	const char *name; /* of the command, before its verb is known */
	char *const *next;
};

static void complain(
	const struct cli_command *command, const char *name, const char *format, va_list arguments)
{
	fputs("millgate: ", stderr);
	if (command != NULL)
		fprintf(stderr, command->verb != NULL ? "%s %s: " : "%s: ", command->name,
			command->verb);
	else if (name != NULL)
		fprintf(stderr, "%s: ", name);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

int cli_fail(const struct cli_call *call, int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(call->command, NULL, format, arguments);
	va_end(arguments);
	return status;
}

/* Says what is wrong, and how it is used. */
static enum cli_exit refuse(const struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static enum cli_exit refuse(const struct reader *reader, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain(reader->call->command, reader->name, format, arguments);
	va_end(arguments);
	if (reader->call->command != NULL)
		cli_usage_print(stderr, reader->call->command);
	else
		cli_usage_print_names(stderr, reader->commands, reader->name);
	return CLI_USAGE;
}

static const char *shown(const char *word, char text[SHOWN])
{
	return mg_str_printable(text, SHOWN, word, strlen(word));
}

/* Adds the names of options to those for the nearest. */
static size_t option_names(const struct cli_option *options, const char *names[], size_t count)
{
	for (; options != NULL && options->name != NULL && count < NAMES_MAX; options++)
		names[count++] = options->name;
	return count;
}

static enum cli_exit refuse_option(const struct reader *reader, const char *word)
{
	const struct cli_command *command = reader->call->command;
	const char *names[NAMES_MAX], *nearest = NULL;
	char name[SHOWN], text[SHOWN];
	size_t count = option_names(cli_common_options, names, 0);

	if (command != NULL)
		count = option_names(command->options, names, count);
	mg_str_copy(name, sizeof(name), word);
	name[strcspn(name, "=")] = '\0';
	if (strncmp(name, "--", 2) == 0)
		nearest = mg_str_nearest(name + 2, names, count);
	return refuse(reader, "no option \"%s\"%s%s", shown(name, text),
		nearest != NULL ? "; nearest: --" : "", nearest != NULL ? nearest : "");
}

/* The row of an option, by its name up to "=", or by its letter; NULL none. */
static const struct cli_option *find_option(const struct cli_option *options, const char *word)
{
	bool is_name = word[1] == '-';
	size_t length = is_name ? strcspn(word + 2, "=") : 0;

	for (; options != NULL && options->name != NULL; options++) {
		if (is_name ? strncmp(options->name, word + 2, length) == 0 &&
					options->name[length] == '\0'
			    : options->letter != 0 && word[1] == options->letter && word[2] == '\0')
			return options;
	}
	return NULL;
}

/* Is value one of the words "a|b|c"? If not, nearest gets the nearest one, or "". */
static bool is_word(const char *words, const char *value, char nearest[SHOWN])
{
	char copy[256];
	const char *names[NAMES_MAX], *found;
	size_t count = 0;
	char *state;

	mg_str_copy(copy, sizeof(copy), words);
	for (char *word = strtok_r(copy, "|", &state); word != NULL && count < NAMES_MAX;
		word = strtok_r(NULL, "|", &state)) {
		if (strcmp(word, value) == 0)
			return true;
		names[count++] = word;
	}
	found = mg_str_nearest(value, names, count);
	mg_str_copy(nearest, SHOWN, found != NULL ? found : "");
	return false;
}

static void take_common(struct cli_call *call, enum common row, const char *value)
{
	switch (row) {
	case OPTION_CONFIG: call->config = value; break;
	case OPTION_JSON: call->json = true; break;
	case OPTION_UTC: call->utc = true; break;
	case OPTION_NO_COLOR: call->no_color = true; break;
	case OPTION_HELP: call->help = true; break;
	case OPTION_VERSION: call->version = true; break;
	}
}

/* Takes the value of an option, from behind "=" or from the next word; NULL after a refusal. */
static const char *read_value(
	struct reader *reader, const struct cli_option *option, const char *equals)
{
	const char *value = equals != NULL ? equals + 1 : *reader->next;
	char nearest[SHOWN], text[SHOWN];

	if (value == NULL || *value == '\0') {
		refuse(reader, "--%s needs a value: %s", option->name, option->argument);
		return NULL;
	}
	if (equals == NULL)
		reader->next++;
	if (strchr(option->argument, '|') == NULL || is_word(option->argument, value, nearest))
		return value;
	refuse(reader, "--%s \"%s\"; expected %s%s%s", option->name, shown(value, text),
		option->argument, nearest[0] != '\0' ? "; nearest: " : "", nearest);
	return NULL;
}

/* An option at the word. */
static enum cli_exit read_option(struct reader *reader, const char *word)
{
	const struct cli_command *command = reader->call->command;
	const struct cli_option *common = find_option(cli_common_options, word);
	const struct cli_option *option =
		common == NULL && command != NULL ? find_option(command->options, word) : common;
	const char *equals = word[1] == '-' ? strchr(word, '=') : NULL, *value = "";

	if (option == NULL)
		return refuse_option(reader, word);
	if (option->argument == NULL && equals != NULL)
		return refuse(reader, "--%s takes no value", option->name);
	if (option->argument != NULL)
		value = read_value(reader, option, equals);
	if (value == NULL)
		return CLI_USAGE;
	if (common != NULL)
		take_common(reader->call, (enum common)(common - cli_common_options), value);
	else
		reader->call->values[option - command->options] = value;
	return CLI_GOOD;
}

static bool is_name(const struct reader *reader, const char *word)
{
	for (const struct cli_command *row = reader->commands; row->name != NULL; row++)
		if (strcmp(row->name, word) == 0)
			return true;
	return false;
}

static enum cli_exit refuse_name(const struct reader *reader, const char *word)
{
	const char *names[NAMES_MAX], *nearest;
	char text[SHOWN];
	size_t count = 0;

	for (const struct cli_command *row = reader->commands;
		row->name != NULL && count < NAMES_MAX; row++) {
		if (reader->name == NULL)
			names[count++] = row->name;
		else if (strcmp(row->name, reader->name) == 0)
			names[count++] = row->verb;
	}
	nearest = mg_str_nearest(word, names, count);
	return refuse(reader, "no command \"%s\"%s%s", shown(word, text),
		nearest != NULL ? "; nearest: " : "", nearest != NULL ? nearest : "");
}

/* A word before the command is whole: its name, or its verb. */
static enum cli_exit read_name(struct reader *reader, const char *word)
{
	const char *verb = reader->name != NULL ? word : NULL;

	if (reader->name == NULL) {
		if (!is_name(reader, word))
			return refuse_name(reader, word);
		reader->name = word;
	}
	for (const struct cli_command *row = reader->commands; row->name != NULL; row++) {
		if (strcmp(row->name, reader->name) != 0)
			continue;
		if (row->verb == NULL || (verb != NULL && strcmp(row->verb, verb) == 0)) {
			reader->call->command = row;
			return CLI_GOOD;
		}
	}
	return verb != NULL ? refuse_name(reader, word) : CLI_GOOD;
}

static enum cli_exit read_word(struct reader *reader, const char *word)
{
	struct cli_call *call = reader->call;
	char text[SHOWN];

	if (call->command == NULL)
		return read_name(reader, word);
	if (call->argument_count >= call->command->most ||
		call->argument_count == CLI_ARGUMENTS_MAX)
		return refuse(reader, "\"%s\": no argument is expected here", shown(word, text));
	if (word[0] == '\0')
		return refuse(reader, "an argument is empty");
	call->arguments[call->argument_count++] = word;
	return CLI_GOOD;
}

static enum cli_exit check_whole(const struct reader *reader)
{
	const struct cli_call *call = reader->call;

	if (call->help || call->version)
		return CLI_GOOD;
	if (call->command == NULL)
		return refuse(reader, "a command is missing");
	if (call->argument_count < call->command->least)
		return refuse(reader, "an argument is missing: %s", call->command->arguments);
	return CLI_GOOD;
}

enum cli_exit cli_call_read(
	struct cli_call *call, const struct cli_command *commands, char *const *argv)
{
	struct reader reader = {.call = call, .commands = commands, .next = argv + 1};
	bool options = true; /* "--" ends them */
	enum cli_exit status = CLI_GOOD;

	*call = (struct cli_call){
		.config = MG_SYSCONFDIR, .words = (const char *const *)(const void *)argv};
	while (argv[0] != NULL && *reader.next != NULL && status == CLI_GOOD) {
		const char *word = *reader.next++;

		if (options && strcmp(word, "--") == 0)
			options = false;
		else if (options && word[0] == '-' && word[1] != '\0')
			status = read_option(&reader, word);
		else
			status = read_word(&reader, word);
	}
	call->name = reader.name;
	return status == CLI_GOOD ? check_whole(&reader) : status;
}

const char *cli_argument(const struct cli_call *call, size_t index)
{
	return index < call->argument_count ? call->arguments[index] : NULL;
}

/* The row of an option that the command must have. */
static size_t declared(const struct cli_call *call, const char *name)
{
	const struct cli_option *options = call->command->options;

	for (size_t row = 0; options != NULL && options[row].name != NULL; row++)
		if (strcmp(options[row].name, name) == 0)
			return row;
	fprintf(stderr, "option --%s: not declared\n", name);
	abort();
}

bool cli_given(const struct cli_call *call, const char *option)
{
	return call->values[declared(call, option)] != NULL;
}

const char *cli_value(const struct cli_call *call, const char *option)
{
	size_t row = declared(call, option);

	return call->values[row] != NULL ? call->values[row] : call->command->options[row].value;
}
