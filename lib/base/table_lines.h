/* SPDX-License-Identifier: ISC */
/* table_lines: the lines of a table's file, as file: and cidr: share them. Private to table. */
#ifndef MG_BASE_TABLE_LINES_H
#define MG_BASE_TABLE_LINES_H
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/textfile.h"

struct mg_table_line {
	const char *key, *value; /* in the file's text; value is "" without */
	unsigned line;
};

struct mg_table_lines {
	struct mg_textfile file; /* its blanks and line ends have become NULs */
	struct mg_table_line *list;
	size_t count;
};

/* Reads path within the bounds of table.h; all errors are added, with file and line. false when
 * there are some. */
bool mg_table_lines_read(const char *path, struct mg_table_lines *lines, struct mg_errors *errors);
void mg_table_lines_free(struct mg_table_lines *lines);
/* Copies value to target (size bytes; may be NULL): 1, or -1 with error when it does not fit. */
int mg_table_give(const char *value, char *target, size_t size, struct mg_error *error);
#endif
