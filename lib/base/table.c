/* SPDX-License-Identifier: ISC */
#include "base/table.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/table_cidr.h"
#include "base/table_file.h"
#include "base/table_lines.h"
#include "base/table_lmdb.h"

enum { KEY_MAX = 4096 };

static const struct mg_table_kind *const kinds[] = {&mg_table_file, &mg_table_cidr, &mg_table_lmdb};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* An entry that stands for itself; sorted. */
struct exact {
	char *text; /* lower case */
	size_t entry;
};

/* An entry that has to be tried: a pattern, or a table of some kind. */
struct tried {
	char *pattern; /* lower case; NULL for a table */
	const struct mg_table_kind *kind;
	void *opened;
	char *path;
	size_t entry;
};

struct mg_table {
	struct exact *exact;
	struct tried *tried; /* in the order of the entries */
	size_t exact_count, tried_count;
};

static int compare_texts(const void *a, const void *b)
{
	return strcmp(((const struct exact *)a)->text, ((const struct exact *)b)->text);
}

static int compare_exact(const void *a, const void *b)
{
	const struct exact *first = a, *second = b;
	int order = compare_texts(a, b);

	return order ? order : (first->entry > second->entry) - (first->entry < second->entry);
}

/* Of equal texts only the first entry counts. */
static void sort_exact(struct mg_table *table)
{
	size_t kept = 0;

	if (table->exact_count == 0)
		return;
	qsort(table->exact, table->exact_count, sizeof(*table->exact), compare_exact);
	for (size_t i = 0; i < table->exact_count; i++) {
		if (kept > 0 && strcmp(table->exact[kept - 1].text, table->exact[i].text) == 0)
			free(table->exact[i].text);
		else
			table->exact[kept++] = table->exact[i];
	}
	table->exact_count = kept;
}

/* Length of the "file" of "file:/path"; 0 when entry is not of that form. */
static size_t kind_length(const char *entry)
{
	size_t length = strspn(entry, "abcdefghijklmnopqrstuvwxyz0123456789");

	return entry[length] == ':' && entry[length + 1] == '/' ? length : 0;
}

static const struct mg_table_kind *kind_of(const char *entry)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strncmp(entry, kinds[i]->prefix, strlen(kinds[i]->prefix)) == 0)
			return kinds[i];
	return NULL;
}

bool mg_table_is_outside(const char *entry)
{
	return kind_of(entry) != NULL || kind_length(entry) > 0;
}

static void report_unknown_kind(const char *entry, struct mg_errors *errors)
{
	static const char *const names[] = {"file", "cidr", "lmdb"};
	char name[32], shown[80];
	const char *nearest;

	mg_str_format(name, sizeof(name), "%.*s", (int)kind_length(entry), entry);
	mg_str_printable(shown, sizeof(shown), entry, strlen(entry));
	nearest = mg_str_nearest(name, names, sizeof(names) / sizeof(names[0]));
	mg_errors_add(errors, "\"%s\": no such kind of table; expected file:, cidr: or lmdb:%s%s",
		shown, nearest ? "; nearest: " : "", nearest ? nearest : "");
}

static void out_of_memory(struct mg_errors *errors)
{
	mg_errors_add(errors, "table: out of memory");
}

static char *lower_copy(const char *text, struct mg_errors *errors)
{
	char *copy = strdup(text);

	if (copy)
		mg_str_lower(copy);
	else
		out_of_memory(errors);
	return copy;
}

static void open_external(struct mg_table *table, const struct mg_table_kind *kind,
	const char *text, size_t entry, struct mg_errors *errors)
{
	const char *path = text + strlen(kind->prefix);
	struct tried *tried = &table->tried[table->tried_count];
	char shown[80];

	if (*path != '/') {
		mg_str_printable(shown, sizeof(shown), text, strlen(text));
		mg_errors_add(errors, "\"%s\"; expected an absolute path: \"%s/...\"", shown,
			kind->prefix);
		return;
	}
	*tried = (struct tried){.kind = kind, .entry = entry, .path = strdup(path)};
	if (tried->path)
		tried->opened = kind->open(path, errors);
	else
		out_of_memory(errors);
	if (tried->opened)
		table->tried_count++;
	else
		free(tried->path);
}

static void open_entry(
	struct mg_table *table, const char *text, size_t entry, struct mg_errors *errors)
{
	const struct mg_table_kind *kind = kind_of(text);
	char *copy;

	if (kind) {
		open_external(table, kind, text, entry, errors);
		return;
	}
	if (kind_length(text) > 0) {
		report_unknown_kind(text, errors);
		return;
	}
	copy = lower_copy(text, errors);
	if (!copy)
		return;
	if (strpbrk(copy, "*?[\\"))
		table->tried[table->tried_count++] =
			(struct tried){.pattern = copy, .entry = entry};
	else
		table->exact[table->exact_count++] = (struct exact){.text = copy, .entry = entry};
}

struct mg_table *mg_table_open(const char *const entries[], size_t count, struct mg_errors *errors)
{
	struct mg_table *table = calloc(1, sizeof(*table));
	size_t before = errors->count;

	if (table) {
		table->exact = calloc(count + 1, sizeof(*table->exact));
		table->tried = calloc(count + 1, sizeof(*table->tried));
	}
	if (!table || !table->exact || !table->tried) {
		out_of_memory(errors);
		mg_table_close(table);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		open_entry(table, entries[i], i, errors);
	sort_exact(table);
	if (errors->count == before)
		return table;
	mg_table_close(table);
	return NULL;
}

void mg_table_close(struct mg_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->exact_count; i++)
		free(table->exact[i].text);
	for (size_t i = 0; i < table->tried_count; i++) {
		if (table->tried[i].opened)
			table->tried[i].kind->close(table->tried[i].opened);
		free(table->tried[i].pattern);
		free(table->tried[i].path);
	}
	free(table->exact);
	free(table->tried);
	free(table);
}

/* As find of a kind; an error is given its table's name. */
static int try(const struct tried *tried, const char *key, char *value, size_t size,
	struct mg_error *error)
{
	struct mg_error inner;
	int result;

	if (tried->pattern) {
		if (fnmatch(tried->pattern, key, 0) != 0)
			return 0;
		return mg_table_give("", value, size, error);
	}
	result = tried->kind->find(tried->opened, key, value, size, &inner);
	if (result < 0)
		mg_error_set(error, "%s%s: %s", tried->kind->prefix, tried->path, inner.text);
	return result;
}

int mg_table_find(const struct mg_table *table, const char *key, char *value, size_t size,
	size_t *entry, struct mg_error *error)
{
	char lower[KEY_MAX];
	const struct exact wanted = {.text = lower}, *exact = NULL;
	size_t first = SIZE_MAX;

	/* No entry is that long: a line of a file is at most this, and so is what a list is used
	 * for. */
	if (!mg_str_copy(lower, sizeof(lower), key))
		return 0;
	mg_str_lower(lower);
	if (table->exact_count > 0)
		exact = bsearch(
			&wanted, table->exact, table->exact_count, sizeof(wanted), compare_texts);
	if (exact)
		first = exact->entry;
	for (size_t i = 0; i < table->tried_count && table->tried[i].entry < first; i++) {
		int result = try(&table->tried[i], lower, value, size, error);

		if (result > 0 && entry)
			*entry = table->tried[i].entry;
		if (result != 0)
			return result;
	}
	if (!exact)
		return 0;
	if (entry)
		*entry = first;
	return mg_table_give("", value, size, error);
}
