/* SPDX-License-Identifier: ISC */
#include "base/table_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { FILE_MAX = 64 * 1024 * 1024, LINES_MAX = 1000000, LINE_MAX_BYTES = 4096 };

static const char blanks[] = " \t\r";

/* The text of one line, comment and white space at both ends cut off. */
static char *trim(char *text)
{
	char *start = text + strspn(text, blanks), *end;

	for (char *mark = strchr(start, '#'); mark; mark = strchr(mark + 1, '#')) {
		if (mark == start || strchr(blanks, mark[-1])) {
			*mark = '\0';
			break;
		}
	}
	end = start + strlen(start);
	while (end > start && strchr(blanks, end[-1]))
		end--;
	*end = '\0';
	return start;
}

static bool add_line(struct mg_table_lines *lines, char *text, unsigned line, size_t *size)
{
	char *value = text + strcspn(text, blanks);

	if (lines->count == *size) {
		size_t wanted = *size ? 2 * *size : 64;
		struct mg_table_line *grown = reallocarray(lines->list, wanted, sizeof(*grown));

		if (!grown)
			return false;
		lines->list = grown;
		*size = wanted;
	}
	if (*value) {
		*value++ = '\0';
		value += strspn(value, blanks);
	}
	mg_str_lower(text);
	lines->list[lines->count++] =
		(struct mg_table_line){.key = text, .value = value, .line = line};
	return true;
}

static void split(const char *path, struct mg_table_lines *lines, struct mg_errors *errors)
{
	char *next = lines->file.data, *end = next + lines->file.length, *at;
	size_t size = 0;

	for (unsigned line = 1; next < end; line++) {
		char *close = memchr(next, '\n', (size_t)(end - next));

		at = next;
		next = close ? close + 1 : end;
		if ((size_t)(next - at) > LINE_MAX_BYTES) {
			mg_errors_add(errors, "%s:%u: a line over 4 KiB", path, line);
			continue;
		}
		if (close)
			*close = '\0';
		at = trim(at);
		if (!*at)
			continue;
		if (lines->count == LINES_MAX) {
			mg_errors_add(errors, "%s:%u: over %d entries", path, line, LINES_MAX);
			return;
		}
		if (!add_line(lines, at, line, &size)) {
			mg_errors_add(errors, "%s: out of memory", path);
			return;
		}
	}
}

bool mg_table_lines_read(const char *path, struct mg_table_lines *lines, struct mg_errors *errors)
{
	size_t before = errors->count;
	struct mg_error error;
	unsigned line;

	memset(lines, 0, sizeof(*lines));
	if (!mg_textfile_read(path, FILE_MAX, &lines->file, &error))
		mg_errors_add(errors, "%s: %s", path, error.text);
	else if (!mg_textfile_check(lines->file.data, lines->file.length, &line, &error))
		mg_errors_add(errors, "%s:%u: %s", path, line, error.text);
	else
		split(path, lines, errors);
	if (errors->count == before)
		return true;
	mg_table_lines_free(lines);
	return false;
}

void mg_table_lines_free(struct mg_table_lines *lines)
{
	free(lines->list);
	mg_textfile_free(&lines->file);
	memset(lines, 0, sizeof(*lines));
}

int mg_table_give(const char *value, char *target, size_t size, struct mg_error *error)
{
	if (!target || mg_str_copy(target, size, value))
		return 1;
	mg_error_set(error, "the value has %zu bytes; at most %zu are possible here", strlen(value),
		size - 1);
	return -1;
}
