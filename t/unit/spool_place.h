/* SPDX-License-Identifier: ISC */
/* spool_place: a temporary directory for an event log, and the little that tests of lib/event
 * share. */
#ifndef MG_T_UNIT_SPOOL_PLACE_H
#define MG_T_UNIT_SPOOL_PLACE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "event/spool.h"
#include "event/spool_read.h"

struct spool_place {
	char directory[64];
	struct mg_spool_settings settings; /* name "log", limits that nothing reaches */
};

/* A clock that stands still until it is set. */
struct still_clock {
	struct mg_clock clock;
	int64_t utc;
};

void place_make(struct spool_place *place);
void place_remove(struct spool_place *place);
void still_clock_set(struct still_clock *clock, int64_t utc);

/* The composer of the tests: documents with the members that readers look for. context: a bool
 * that makes it fail, or NULL. */
char *place_compose(void *context, const struct mg_spool_note *note);
/* Opens the log with the system's clock; ends the test when it cannot be. */
struct mg_spool *place_open(const struct spool_place *place);
/* Appends a document whose event.reason is `reason`; the sequence. Ends the test when it fails. */
uint64_t place_append(struct mg_spool *spool, const char *reason);
/* The same without ending. */
uint64_t place_try(struct mg_spool *spool, const char *reason, struct mg_error *error);

/* Verifies the log silently: the result of mg_spool_verify. */
int place_verify(const struct spool_place *place, struct mg_spool_report *report);
/* What mg_spool_verify prints; free it. */
char *place_findings(const struct spool_place *place, int *result);

/* Whole files of the directory; text is ended by NUL, free it. NULL when the file is not there. */
char *place_read(const struct spool_place *place, const char *file, size_t *length);
void place_write(
	const struct spool_place *place, const char *file, const char *bytes, size_t length);
bool place_has(const struct spool_place *place, const char *file);
#endif
