/* SPDX-License-Identifier: ISC */
/* suite: public test data read in place, from the folder $SUITES. A runner says of each case whether
 * we agree; differences that are kept are listed with their reason, and must still be differences. */
#ifndef MG_T_UNIT_SUITE_H
#define MG_T_UNIT_SUITE_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A difference that is kept; an array of them ends with {NULL, NULL}. */
struct suite_kept {
	const char *name, *reason;
};

/* Ends the program as skipped when $SUITES is not set. */
void suite_needed(void);
/* Adds the bytes of $SUITES/path. Fails the test when it cannot be read. */
void suite_read(const char *path, struct mg_buf *text);
/* The JSON of $SUITES/path; first: only its first object, whatever follows. Fails the test when it
 * cannot be read. Free with json_decref. */
json_t *suite_load(const char *path, bool first);

struct suite {
	const struct suite_kept *kept;
	unsigned cases, agreed, failed;
	unsigned long long used; /* which of kept were met; at most 64 */
};

/* Tells of one case; the text says what was found and what expected. */
void suite_case(struct suite *suite, const char *name, bool agreed, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Fails the test when a difference was new or a kept one was not met; prints the counts. */
void suite_end(const struct suite *suite);
#endif
