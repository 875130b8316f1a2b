/* SPDX-License-Identifier: ISC */
/* unknown: bounds the events about lines that were not understood: so many a minute of the log's
 * time, and one with the count of those left out. */
#ifndef MG_TRACK_UNKNOWN_H
#define MG_TRACK_UNKNOWN_H
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "event/event.h"
#include "track/join.h"
#include "track/source.h"

struct track_unknown {
	int64_t minute; /* of the log's time, since 1970 */
	unsigned told;
	int64_t left_out, utc; /* lines, and the time of the last one */
	char position[TRACK_POSITION_MAX]; /* of that */
};

/* Whether this line that was not understood is to be told; else it is counted. */
bool track_unknown_tell(struct track_unknown *unknown, const struct track_record *record);
/* Writes the event about those left out in minutes that are over by `now` (UTC ns). 0, -1 with error.
 */
int track_unknown_sum_up(struct track_unknown *unknown, int64_t now, const struct mg_events *events,
	track_emit *emit, void *context, struct mg_error *error);
#endif
