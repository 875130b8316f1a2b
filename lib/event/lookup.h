/* SPDX-License-Identifier: ISC */
/* lookup: the lines of event logs that have a key (keys.h), found by the indexes of their sealed
 * segments; the open files are read, each once for all look-ups. Segments without a good index get
 * it first, and where it cannot be written they are read.
 *
 * Hits are checked against the line itself, so a hash collision is never told. One thread. */
#ifndef MG_EVENT_LOOKUP_H
#define MG_EVENT_LOOKUP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct mg_lookup;

/* How far the building of indexes is, bytes of segments. */
typedef void mg_lookup_progress(void *context, uint64_t done, uint64_t total);

/* The logs of a directory, as they are now; name: of one log, NULL all. progress may be NULL. NULL
 * with error. */
struct mg_lookup *mg_lookup_open(const char *directory, const char *name,
	mg_lookup_progress *progress, void *context, struct mg_error *error);
void mg_lookup_close(struct mg_lookup *lookup);

struct mg_lookup_hit {
	const char *name; /* of the log */
	const char *line; /* without LF, NUL behind it; valid during the call */
	size_t length;
};
/* false: enough of this log. */
typedef bool mg_lookup_found(void *context, const struct mg_lookup_hit *hit);

/* Tells each line that has one of the keys once, log by log, in the order they were written, or
 * backwards. 0, -1 with error. */
int mg_lookup_find(struct mg_lookup *lookup, const char *const keys[], size_t count,
	bool newest_first, mg_lookup_found *found, void *context, struct mg_error *error);
#endif
