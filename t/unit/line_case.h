/* SPDX-License-Identifier: ISC */
/* line_case: lines of Postfix's log, and all that is to be read of them. */
#ifndef MG_T_UNIT_LINE_CASE_H
#define MG_T_UNIT_LINE_CASE_H
#include <stddef.h>

#include "track/line.h"

/* expected: "kind name=value | name=value", all fields there are; instance, service and program are
 * left out. */
struct line_case {
	const char *program, *text, *expected;
};

/* Reads a line of "postfix/PROGRAM". */
enum track_reading line_read(const char *program, const char *text, struct track_line *line);
/* Fails the test at the first that is read otherwise. */
void line_check(const struct line_case *rows, size_t count);
/* Fails the test when a line is understood. */
void line_check_unknown(const char *program, const char *text);

#define LINE_CHECK(...) \
	do { \
		static const struct line_case rows_[] = {__VA_ARGS__}; \
		line_check(rows_, sizeof(rows_) / sizeof(rows_[0])); \
	} while (0)
#endif
