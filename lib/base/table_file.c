/* SPDX-License-Identifier: ISC */
#include "base/table_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/table_lines.h"

static int compare_keys(const void *a, const void *b)
{
	const struct mg_table_line *first = a, *second = b;

	return strcmp(first->key, second->key);
}

static int compare_keys_and_lines(const void *a, const void *b)
{
	const struct mg_table_line *first = a, *second = b;
	int order = compare_keys(a, b);

	return order ? order : (first->line > second->line) - (first->line < second->line);
}

/* In a sorted list, keys that stand twice are neighbours. */
static void report_conflicts(
	const char *path, const struct mg_table_lines *lines, struct mg_errors *errors)
{
	for (size_t i = 1; i < lines->count; i++) {
		const struct mg_table_line *first = &lines->list[i - 1], *line = &lines->list[i];
		char shown[80];

		if (strcmp(first->key, line->key) != 0 || strcmp(first->value, line->value) == 0)
			continue;
		mg_str_printable(shown, sizeof(shown), line->key, strlen(line->key));
		mg_errors_add(errors, "%s:%u: %s has another value in line %u", path, line->line,
			shown, first->line);
	}
}

static void close_file(void *opened)
{
	mg_table_lines_free(opened);
	free(opened);
}

static void *open_file(const char *path, struct mg_errors *errors)
{
	struct mg_table_lines *lines = malloc(sizeof(*lines));
	size_t before = errors->count;

	if (!lines) {
		mg_errors_add(errors, "%s: out of memory", path);
		return NULL;
	}
	if (mg_table_lines_read(path, lines, errors) && lines->count > 0) {
		qsort(lines->list, lines->count, sizeof(*lines->list), compare_keys_and_lines);
		report_conflicts(path, lines, errors);
	}
	if (errors->count == before)
		return lines;
	close_file(lines);
	return NULL;
}

static int find_in_file(
	const void *opened, const char *key, char *value, size_t size, struct mg_error *error)
{
	const struct mg_table_lines *lines = opened;
	const struct mg_table_line wanted = {.key = key}, *found = NULL;

	if (lines->count > 0)
		found = bsearch(&wanted, lines->list, lines->count, sizeof(wanted), compare_keys);
	return found ? mg_table_give(found->value, value, size, error) : 0;
}

const struct mg_table_kind mg_table_file = {
	.prefix = "file:", .open = open_file, .find = find_in_file, .close = close_file};
