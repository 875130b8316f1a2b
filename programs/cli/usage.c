/* SPDX-License-Identifier: ISC */
#include "cli/usage.h"

#include <string.h>

#include "base/buf.h"

enum { COLUMNS = 80, INDENT = 4, OPTION_COLUMN = 24 };

/* Adds a word to a line that is printed when it is full. */
struct line {
	FILE *stream;
	size_t column;
};

static void put_word(struct line *line, const char *word)
{
	size_t length = strlen(word);

	if (line->column > INDENT && line->column + 1 + length > COLUMNS - 1) {
		fprintf(line->stream, "\n%*s", INDENT, "");
		line->column = INDENT;
	} else if (line->column > 0) {
		fputc(' ', line->stream);
		line->column++;
	}
	fputs(word, line->stream);
	line->column += length;
}

/* "[--name WORD]" */
static void put_option(struct line *line, const struct cli_option *option)
{
	struct mg_buf word = {0};

	mg_buf_add_format(&word, "[--%s%s%s]", option->name, option->argument != NULL ? " " : "",
		option->argument != NULL ? option->argument : "");
	put_word(line, mg_buf_text(&word));
	mg_buf_free(&word);
}

void cli_usage_print(FILE *stream, const struct cli_command *command)
{
	struct line line = {.stream = stream};

	put_word(&line, "usage: millgate");
	put_word(&line, command->name);
	if (command->verb != NULL)
		put_word(&line, command->verb);
	if (command->arguments[0] != '\0')
		put_word(&line, command->arguments);
	for (const struct cli_option *option = command->options;
		option != NULL && option->name != NULL; option++)
		put_option(&line, option);
	put_word(&line, "[--json]");
	fputc('\n', stream);
}

void cli_usage_print_names(FILE *stream, const struct cli_command *commands, const char *name)
{
	const char *last = "";
	struct mg_buf names = {0};

	for (const struct cli_command *row = commands; row->name != NULL; row++) {
		const char *word = name == NULL ? row->name : row->verb;

		if ((name != NULL && strcmp(row->name, name) != 0) || strcmp(word, last) == 0)
			continue;
		mg_buf_add_format(&names, "%s%s", names.length > 0 ? "|" : "", word);
		last = word;
	}
	fprintf(stream, "usage: millgate %s%s%s ...; more: millgate %s%s-h\n",
		name != NULL ? name : "", name != NULL ? " " : "", mg_buf_text(&names),
		name != NULL ? name : "", name != NULL ? " " : "");
	mg_buf_free(&names);
}

static void print_options(FILE *stream, const struct cli_option *options)
{
	for (; options != NULL && options->name != NULL; options++) {
		struct mg_buf text = {0};

		if (options->letter != 0)
			mg_buf_add_format(&text, "-%c, ", options->letter);
		mg_buf_add_format(&text, "--%s", options->name);
		if (options->argument != NULL)
			mg_buf_add_format(&text, " %s", options->argument);
		if (text.length >= OPTION_COLUMN)
			mg_buf_add_format(&text, "\n  %*s", OPTION_COLUMN, "");
		fprintf(stream, "  %-*s %s", OPTION_COLUMN, mg_buf_text(&text), options->help);
		if (options->value != NULL)
			fprintf(stream, " (%s)", options->value);
		fputc('\n', stream);
		mg_buf_free(&text);
	}
}

static void print_command(FILE *stream, const struct cli_command *command)
{
	cli_usage_print(stream, command);
	fprintf(stream, "%s\n", command->help);
	print_options(stream, command->options);
}

void cli_help_print(FILE *stream, const struct cli_command *commands, const struct cli_call *call)
{
	if (call->command != NULL) {
		print_command(stream, call->command);
	} else {
		fputs("usage: millgate COMMAND [ARGUMENTS] [OPTIONS]; millgate(1)\n", stream);
		for (const struct cli_command *row = commands; row->name != NULL; row++) {
			struct mg_buf name = {0};

			if (call->name != NULL && strcmp(call->name, row->name) != 0)
				continue;
			mg_buf_add_format(&name, "%s%s%s %s", row->name,
				row->verb != NULL ? " " : "", row->verb != NULL ? row->verb : "",
				row->arguments);
			fprintf(stream, "  %-*s %s\n", OPTION_COLUMN + 8, mg_buf_text(&name),
				row->help);
			mg_buf_free(&name);
		}
	}
	fputs("Every command:\n", stream);
	print_options(stream, cli_common_options);
}
