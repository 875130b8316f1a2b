/* SPDX-License-Identifier: ISC */
#include "mail/match_header.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/table.h"
#include "mail/header.h"

enum { NAME_SIZE = 201 };

/* The entries of one name. */
struct named {
	char name[NAME_SIZE]; /* lower case */
	bool presence; /* one of them is the name alone */
	struct mg_patterns *patterns; /* NULL: no other */
};

struct mg_match_header {
	struct named *names; /* sorted */
	size_t count;
};

/* An entry taken apart. */
struct parts {
	char name[NAME_SIZE];
	const char *pattern; /* NULL: none */
};

static bool take_apart(const char *entry, struct parts *parts)
{
	size_t length = strcspn(entry, ":");

	if (!mg_header_name_valid(entry, length) || length >= sizeof(parts->name))
		return false;
	memcpy(parts->name, entry, length);
	parts->name[length] = '\0';
	mg_str_lower(parts->name);
	parts->pattern = NULL;
	if (entry[length] == ':')
		parts->pattern = entry + length + 1 + strspn(entry + length + 1, " \t");
	return true;
}

const char *mg_match_check_header(const char *entry)
{
	static const char expected[] = "expected 'NAME' or 'NAME: PATTERN'";
	struct parts parts;

	/* An expression or a table without the name of a field. */
	if (mg_table_is_outside(entry) || strncmp(entry, "regex:", strlen("regex:")) == 0)
		return expected;
	if (!take_apart(entry, &parts))
		return expected;
	return parts.pattern != NULL ? mg_patterns_check_text(parts.pattern) : NULL;
}

static int compare_parts(const void *a, const void *b)
{
	return strcmp(((const struct parts *)a)->name, ((const struct parts *)b)->name);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* Makes one named of the parts that begin the list and share a name; patterns has room for all of
 * them. Returns their number. */
static size_t add_name(struct named *named, const struct parts *parts, size_t count,
	const char **patterns, struct mg_errors *errors)
{
	size_t used = 0, pattern_count = 0;

	mg_str_copy(named->name, sizeof(named->name), parts[0].name);
	for (; used < count && strcmp(parts[used].name, parts[0].name) == 0; used++) {
		if (parts[used].pattern != NULL)
			patterns[pattern_count++] = parts[used].pattern;
		else
			named->presence = true;
	}
	if (pattern_count > 0)
		named->patterns =
			mg_patterns_new(MG_PATTERNS_TEXT, patterns, pattern_count, errors);
	return used;
}

static void add_all(struct mg_match_header *header, const char *const entries[], size_t count,
	struct mg_errors *errors)
{
	struct parts *parts = calloc(count + 1, sizeof(*parts));
	const char **patterns = calloc(count + 1, sizeof(*patterns));
	size_t taken = 0;

	header->names = calloc(count + 1, sizeof(*header->names));
	if (parts == NULL || patterns == NULL || header->names == NULL) {
		mg_errors_add(errors, "out of memory");
		goto done;
	}
	for (size_t i = 0; i < count; i++)
		if (!take_apart(entries[i], &parts[i]))
			mg_errors_add(errors, "\"%s\" is no such entry", entries[i]);
	qsort(parts, count, sizeof(*parts), compare_parts);
	while (taken < count)
		taken += add_name(&header->names[header->count++], parts + taken, count - taken,
			patterns, errors);
done:
	free(parts);
	free(patterns);
}

struct mg_match_header *mg_match_header_new(
	const char *const entries[], size_t count, struct mg_errors *errors)
{
	struct mg_match_header *header = calloc(1, sizeof(*header));
	size_t before = errors->count;

	if (header == NULL) {
		mg_errors_add(errors, "out of memory");
		return NULL;
	}
	add_all(header, entries, count, errors);
	if (errors->count == before)
		return header;
	mg_match_header_free(header);
	return NULL;
}

void mg_match_header_free(struct mg_match_header *header)
{
	if (header == NULL)
		return;
	for (size_t i = 0; i < header->count; i++)
		mg_patterns_free(header->names[i].patterns);
	free(header->names);
	free(header);
}

static const struct named *find_name(
	const struct mg_match_header *header, const struct mg_header *field)
{
	struct named wanted;

	if (field->name_length >= sizeof(wanted.name))
		return NULL;
	memcpy(wanted.name, field->name, field->name_length);
	wanted.name[field->name_length] = '\0';
	mg_str_lower(wanted.name);
	return bsearch(&wanted, header->names, header->count, sizeof(wanted), compare_names);
}

int mg_match_header_test(const struct mg_match_header *header, const struct mg_header *fields,
	size_t count, struct mg_patterns_run *run, struct mg_error *error)
{
	struct mg_buf value = {.limit = 0};
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++) {
		const struct named *named = find_name(header, &fields[i]);

		if (named == NULL)
			continue;
		if (named->presence) {
			result = 1;
			break;
		}
		mg_buf_reset(&value);
		mg_header_decode(fields[i].value, fields[i].value_length, &value);
		result = mg_patterns_test(named->patterns, mg_buf_text(&value), run, error);
	}
	mg_buf_free(&value);
	return result;
}
