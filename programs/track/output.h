/* SPDX-License-Identifier: ISC */
/* output: the way of track's events into its log, each once. An event is written before the change of
 * the store is committed that it belongs to; when that does not come about (a crash, a full disk), the
 * same lines are read again and make the same events again, which are left out here by their ids. How
 * far the log was when the store was last committed stands in the store; what is behind it is read at
 * the start.
 *
 * A store that is new though there are events (it was deleted, or damaged) is filled from the log of
 * Postfix as far back as that goes: then the ids of the last events are read, and all of before those
 * were written, too. */
#ifndef MG_TRACK_OUTPUT_H
#define MG_TRACK_OUTPUT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/store.h"
#include "event/event.h"
#include "run/service.h"

struct track_output;

/* name: of the event log, "track"; table: of the store, where its key is "output". NULL: no memory.
 * world may be another later. */
struct track_output *track_output_new(
	const char *name, const struct mg_service_world *world, unsigned table);
void track_output_set(struct track_output *output, const struct mg_service_world *world);
void track_output_free(struct track_output *output);

/* What the store says; once, at the start. 0, -1 with error. */
int track_output_load(struct track_output *output, struct mg_store_tx *tx, struct mg_error *error);
/* What the log has behind that; before the first event. It may take a second. 0, -1 with error. */
int track_output_read(struct track_output *output, struct mg_error *error);
/* Is the store being filled anew? */
bool track_output_fills(const struct track_output *output);

/* A track_emit; context is the output. */
int track_output_emit(void *context, struct mg_event *event, struct mg_error *error);

/* Before a commit: what was written is on disk, and how far that is stands in the change. again: what
 * may have been read before is read again by now: as many lines as a change can have, or all. end: all
 * there is of Postfix's log is read. 0, -1 with error. */
int track_output_save(struct track_output *output, struct mg_store_tx *tx, bool again, bool end,
	struct mg_error *error);
/* After it: kept, or not. */
void track_output_kept(struct track_output *output, bool kept);

/* Events written since it was made. */
int64_t track_output_count(const struct track_output *output);
#endif
