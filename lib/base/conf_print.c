/* SPDX-License-Identifier: ISC */
/* conf_print: a configuration, or what can stand in one, as text. */
#include <ctype.h>
#include <string.h>

#include "base/conf.h"
#include "base/conf_schema.h"
#include "base/conf_tree.h"
#include "base/conf_unit.h"
#include "base/conf_value.h"
#include "base/str.h"

/* A text in the quotes in which it reads best: patterns, with their backslashes, in single ones. */
static void print_text(FILE *stream, const char *text)
{
	static const char escaped[] = "\\\"\n\t", letters[] = "\\\"nt";

	if (strchr(text, '\\') && !strpbrk(text, "'\n\t")) {
		fprintf(stream, "'%s'", text);
		return;
	}
	fputc('"', stream);
	for (; *text; text++) {
		const char *escape = strchr(escaped, *text);

		if (escape)
			fprintf(stream, "\\%c", letters[escape - escaped]);
		else
			fputc(*text, stream);
	}
	fputc('"', stream);
}

static void print_list(FILE *stream, const struct mg_conf_value *value)
{
	fputs("{ ", stream);
	for (size_t i = 0; i < value->count; i++) {
		if (i > 0)
			fputs(", ", stream);
		print_text(stream, value->list[i]);
	}
	fputs(value->count > 0 ? " }" : "}", stream);
}

static void print_value(FILE *stream, enum mg_kind kind, const struct mg_conf_value *value)
{
	char number[32];

	switch (kind) {
	case MG_BOOL: fputs(value->number ? "yes" : "no", stream); return;
	case MG_LIST:
	case MG_NETWORKS: print_list(stream, value); return;
	case MG_TEXT:
	case MG_WORD: print_text(stream, value->text); return;
	default: break;
	}
	mg_conf_unit_format(kind, value->number, number, sizeof(number));
	fprintf(stream, kind == MG_NUMBER ? "%s" : "\"%s\"", number);
}

static void print_settings(FILE *stream, const struct mg_conf *conf, int depth);

static void print_section(FILE *stream, const struct mg_conf *section, const char *help, int depth)
{
	fprintf(stream, "%*s%s ", 4 * depth, "", section->name);
	if (*section->title) {
		print_text(stream, section->title);
		fputc(' ', stream);
	}
	fprintf(stream, "{%s%s\n", help ? "  # " : "", help ? help : "");
	print_settings(stream, section, depth + 1);
	fprintf(stream, "%*s}\n", 4 * depth, "");
}

static void print_settings(FILE *stream, const struct mg_conf *conf, int depth)
{
	for (size_t i = 0; i < conf->schema->count; i++) {
		const struct mg_option *option = conf->schema->options[i];
		const struct mg_conf_slot *slot = &conf->slots[i];

		/* In a section of conditions the default is no condition, and an empty list none
		 * that could be written. */
		if (option->foreign ||
			(conf->schema->recursive && !mg_conf_is_set(conf, option->name)))
			continue;
		if (option->kind == MG_SECTION) {
			/* One that may contain itself is only there when it is written. */
			if (slot->section != conf->schema->children[i]->defaults)
				print_section(stream, slot->section, option->help, depth);
			continue;
		}
		if (option->kind == MG_SECTIONS) {
			for (size_t at = 0; at < slot->titled->count; at++)
				print_section(stream, slot->titled->list[at], option->help, depth);
			continue;
		}
		fprintf(stream, "%*s%s = ", 4 * depth, "", option->name);
		print_value(stream, option->kind, slot->value);
		if (option->help)
			fprintf(stream, "  # %s", option->help);
		fputc('\n', stream);
	}
}

int mg_conf_print(const struct mg_conf *conf, FILE *stream)
{
	print_settings(stream, conf, 0);
	return ferror(stream) ? -1 : 0;
}

/* Text for a line of mdoc(7): nothing in it is a request or an escape. */
static void print_mdoc_text(FILE *stream, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stream);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", stream);
		else
			fputc(*text, stream);
	}
}

static void print_mdoc_sentence(FILE *stream, const char *text)
{
	char first[2] = {(char)toupper((unsigned char)*text), '\0'};

	if (!*text)
		return;
	print_mdoc_text(stream, first);
	print_mdoc_text(stream, text + 1);
	fputs(text[strlen(text) - 1] == '.' ? "\n" : ".\n", stream);
}

/* "A number of bytes from 1K to 4K; default 2K." */
static void print_mdoc_value(FILE *stream, const struct mg_option *option)
{
	bool list = option->kind == MG_LIST || option->kind == MG_NETWORKS;
	bool quotes = option->kind == MG_TEXT || option->kind == MG_WORD ||
		      option->kind == MG_SIZE || option->kind == MG_DURATION;
	char expected[512], range[96], text[1024];
	const char *before = "";

	mg_conf_value_expected(option, expected, sizeof(expected));
	mg_conf_value_range(option, range, sizeof(range));
	if (list && option->words)
		before = "a list of ";
	else if (option->kind == MG_WORD)
		before = "one of ";
	mg_str_format(text, sizeof(text), "%s%s%s%s%s%s", before, expected,
		option->unit ? ", " : "", option->unit ? option->unit : "", *range ? ", " : "",
		range);
	print_mdoc_sentence(stream, text);
	fputs("Default: ", stream);
	if (quotes)
		fputc('"', stream);
	print_mdoc_text(stream, option->value ? option->value : "");
	fputs(quotes ? "\".\n" : ".\n", stream);
}

/* Is it a section of conditions, which "not { }" in it can negate? */
static bool can_hold_itself(const struct mg_option *options)
{
	for (const struct mg_option *option = options; option->name; option++)
		if (option->options == options)
			return true;
	return false;
}

static void print_mdoc_table(FILE *stream, const struct mg_option *options)
{
	for (const struct mg_option *option = options; option->name; option++) {
		if (option->foreign)
			continue;
		fprintf(stream, ".It Ic %s", option->name);
		if (mg_conf_is_section(option->kind))
			fprintf(stream, "%s Brq ...",
				option->kind == MG_SECTIONS ? " Qq Ar title" : "");
		fputc('\n', stream);
		if (option->help)
			print_mdoc_sentence(stream, option->help);
		if (!mg_conf_is_section(option->kind)) {
			print_mdoc_value(stream, option);
		} else if (can_hold_itself(option->options)) {
			fputs("Its conditions are in\n.Xr millgate.conf 5 .\n", stream);
		} else {
			fputs(".Bl -tag -width Ds\n", stream);
			print_mdoc_table(stream, option->options);
			fputs(".El\n", stream);
		}
	}
}

int mg_conf_print_mdoc(const struct mg_option *const tables[], FILE *stream)
{
	fputs(".Bl -tag -width Ds\n", stream);
	for (size_t i = 0; tables[i]; i++)
		print_mdoc_table(stream, tables[i]);
	fputs(".El\n", stream);
	return ferror(stream) ? -1 : 0;
}
