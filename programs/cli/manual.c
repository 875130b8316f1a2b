/* SPDX-License-Identifier: ISC */
#include "cli/manual.h"

#include <string.h>

/* "a|b" as mdoc: words of their own with a bar between. macro: "Cm" for words, "Ar" for names. */
static void put_choice(FILE *stream, const char *macro, const char *text)
{
	for (bool first = true; *text != '\0'; first = false) {
		size_t length = strcspn(text, "|");

		fprintf(stream, "%s%s %s%.*s", first ? "" : " | ", macro,
			strncmp(text, "-", length) == 0 ? "\\" : "", (int)length, text);
		text += length + (text[length] == '|');
	}
}

/* "DOMAIN [SELECTOR]" */
static void put_arguments(FILE *stream, const char *text)
{
	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		bool optional = text[0] == '[';
		char word[64];

		snprintf(word, sizeof(word), "%.*s", (int)(length - 2 * optional), text + optional);
		fputs(optional ? ".Op " : ".", stream);
		put_choice(stream, "Ar", word);
		fputc('\n', stream);
		text += length + (text[length] == ' ');
	}
}

static void put_option_value(FILE *stream, const struct cli_option *option)
{
	if (option->argument == NULL)
		return;
	fputc(' ', stream);
	put_choice(stream, strchr(option->argument, '|') != NULL ? "Cm" : "Ar", option->argument);
}

void cli_manual_synopsis(FILE *stream, const struct cli_command *commands)
{
	for (const struct cli_command *row = commands; row->name != NULL; row++) {
		fprintf(stream, ".Nm\n.Cm %s%s%s\n", row->name, row->verb != NULL ? " " : "",
			row->verb != NULL ? row->verb : "");
		put_arguments(stream, row->arguments);
		for (const struct cli_option *option = row->options;
			option != NULL && option->name != NULL; option++) {
			fprintf(stream, ".Op Fl -%s", option->name);
			put_option_value(stream, option);
			fputc('\n', stream);
		}
	}
}

static void put_option(FILE *stream, const struct cli_option *option)
{
	fputs(".It ", stream);
	if (option->letter != 0)
		fprintf(stream, "Fl %c , ", option->letter);
	fprintf(stream, "Fl -%s", option->name);
	put_option_value(stream, option);
	fprintf(stream, "\n%c%s", option->help[0] & ~0x20, option->help + 1);
	if (option->value != NULL)
		fprintf(stream, "; default\n.Ql %s .\n", option->value);
	else
		fputs(".\n", stream);
}

void cli_manual_common(FILE *stream)
{
	for (const struct cli_option *option = cli_common_options; option->name != NULL; option++)
		put_option(stream, option);
}

void cli_manual_commands(FILE *stream, const struct cli_command *commands, const char *name)
{
	for (const struct cli_command *row = commands; row->name != NULL; row++) {
		if (strcmp(row->name, name) != 0)
			continue;
		fprintf(stream, ".It Cm %s%s%s", row->name, row->verb != NULL ? " " : "",
			row->verb != NULL ? row->verb : "");
		for (const char *at = row->arguments; *at != '\0';) {
			size_t length = strcspn(at, " ");
			bool optional = at[0] == '[';

			fprintf(stream, " %s %.*s", optional ? "Op Ar" : "Ar",
				(int)(length - 2 * optional), at + optional);
			at += length + (at[length] == ' ');
		}
		fprintf(stream, "\n%s\n", row->help);
		if (row->options == NULL)
			continue;
		fputs(".Bl -tag -width Ds\n", stream);
		for (const struct cli_option *option = row->options; option->name != NULL; option++)
			put_option(stream, option);
		fputs(".El\n", stream);
	}
}

/* --- bash --- */

static void put_words(FILE *stream, const struct cli_option *options)
{
	for (; options != NULL && options->name != NULL; options++)
		fprintf(stream, " --%s", options->name);
}

/* The words that an option takes, a case each; "DIR" are folders, other names nothing. */
static void put_values(FILE *stream, const struct cli_option *options)
{
	for (; options != NULL && options->name != NULL; options++) {
		if (options->argument == NULL)
			continue;
		fprintf(stream, "\t--%s) ", options->name);
		if (strcmp(options->argument, "DIR") == 0)
			fputs("COMPREPLY=($(compgen -d -- \"$current\")); return;;\n", stream);
		else if (strchr(options->argument, '|') == NULL)
			fputs("return;;\n", stream);
		else {
			fputs("words='", stream);
			for (const char *at = options->argument; *at != '\0'; at++)
				fputc(*at == '|' ? ' ' : *at, stream);
			fputs("';;\n", stream);
		}
	}
}

/* The options that take a value, and the colon within one, as a pattern. */
static void put_takers(FILE *stream, const struct cli_command *commands)
{
	fputc(':', stream);
	for (const struct cli_option *option = cli_common_options; option->name != NULL; option++)
		if (option->argument != NULL)
			fprintf(stream, "|--%s", option->name);
	for (; commands->name != NULL; commands++)
		for (const struct cli_option *option = commands->options;
			option != NULL && option->name != NULL; option++)
			if (option->argument != NULL)
				fprintf(stream, "|--%s", option->name);
}

/* What may stand behind a name: its verbs. */
static void put_verbs(FILE *stream, const struct cli_command *commands)
{
	const char *last = "";

	for (const struct cli_command *row = commands; row->name != NULL; row++) {
		if (row->verb == NULL || strcmp(row->name, last) == 0)
			continue;
		fprintf(stream, "\t\t'%s ') words='", row->name);
		last = row->name;
		for (const struct cli_command *verb = row;
			verb->name != NULL && strcmp(verb->name, last) == 0; verb++)
			fprintf(stream, "%s%s", verb != row ? " " : "", verb->verb);
		fputs("';;\n", stream);
	}
}

void cli_manual_completion(FILE *stream, const struct cli_command *commands)
{
	const char *last = "";

	fputs("# bash completion of millgate(1), made from its table of commands.\n"
	      "_millgate()\n{\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal line= words= i prefix=\n"
	      "\t# A colon parts words for bash: rsa:2048 is one for us.\n"
	      "\tif [[ $current == : ]]; then prefix=$before: current= before=${COMP_WORDS[COMP_CWORD-2]}\n"
	      "\telif [[ $before == : ]]; then prefix=${COMP_WORDS[COMP_CWORD-2]}: "
	      "before=${COMP_WORDS[COMP_CWORD-3]}; fi\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i-1]} in ",
		stream);
	put_takers(stream, commands);
	fputs(") continue;; esac\n"
	      "\t\t[[ ${COMP_WORDS[i]} == -* ]] || line+=\"${COMP_WORDS[i]} \"\n"
	      "\tdone\n"
	      "\tcase $before in\n",
		stream);
	put_values(stream, cli_common_options);
	for (const struct cli_command *row = commands; row->name != NULL; row++)
		put_values(stream, row->options);
	fputs("\tesac\n\tif [[ -z $words ]]; then case $line in\n\t\t'') words='", stream);
	for (const struct cli_command *row = commands; row->name != NULL; row++) {
		if (strcmp(row->name, last) != 0)
			fprintf(stream, "%s%s", *last != '\0' ? " " : "", row->name);
		last = row->name;
	}
	fputs("';;\n", stream);
	put_verbs(stream, commands);
	for (const struct cli_command *row = commands; row->name != NULL; row++) {
		fprintf(stream, "\t\t'%s%s%s '*) words='", row->name, row->verb != NULL ? " " : "",
			row->verb != NULL ? row->verb : "");
		put_words(stream, row->options);
		put_words(stream, cli_common_options);
		fputs("';;\n", stream);
	}
	fputs("\tesac; fi\n"
	      "\t[[ $words == ' --'* && $current != -* ]] && return\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$prefix$current\"))\n"
	      "\tCOMPREPLY=(\"${COMPREPLY[@]#\"$prefix\"}\")\n"
	      "}\n"
	      "complete -o default -F _millgate millgate\n",
		stream);
}
