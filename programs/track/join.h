/* SPDX-License-Identifier: ISC */
/* join: from lines of Postfix and events of filters to the story of each message: which session,
 * queue id and recipient a line belongs to, and which event it makes. All state is in the store, and
 * changes with the change it is given: what is read again after a crash before the commit makes the
 * same events with the same ids.
 *
 * One thread. */
#ifndef MG_TRACK_JOIN_H
#define MG_TRACK_JOIN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/store.h"
#include "event/event.h"
#include "event/reading.h"
#include "track/line.h"
#include "track/source.h"

/* Settings, of one configuration snapshot. */
struct track_rules {
	const char *gateway; /* of trace.id */
	const char *const *instances; /* syslog names, "postfix" with them; ended by NULL */
	int64_t overdue; /* ns */
	/* Names of daemons each message is expected to have an event of; ended by NULL. */
	const char *const *expect;
	/* Of each of them, UTC ns: messages that became active before are not expected to have one;
	 * NULL: all are. */
	const int64_t *expect_since;
	int64_t expect_within; /* ns after the message became active */
	int64_t keep_replies; /* ns that ends of recipients are kept */
	const char *const
		*own_listeners; /* "127.0.0.1:10025": `reinject` of common.conf; NULL ends */
	const char *const *smart_hosts; /* globs of names; NULL ends */
};

/* Where events go: written at once, in order; one whose id was written before a crash is left out.
 * Takes the event. 0, or -1 with error: the change is given up and done again later. */
typedef int track_emit(void *context, struct mg_event *event, struct mg_error *error);

struct track_join;

/* events, emit and context as long as the join. NULL: no memory. */
struct track_join *track_join_new(const struct mg_events *events, track_emit *emit, void *context);
void track_join_free(struct track_join *join);
/* Other settings from now on; kept, not copied. */
void track_join_set(
	struct track_join *join, const struct mg_events *events, const struct track_rules *rules);

/* Each: 0, or -1 with error. */

/* A line that track_line_read has read (TRACK_READ, TRACK_UNKNOWN), or a loss. */
int track_join_line(struct track_join *join, struct mg_store_tx *tx,
	const struct track_record *record, enum track_reading reading,
	const struct track_line *line, struct mg_error *error);
/* An event of a filter's log, name "dkim". */
int track_join_event(struct track_join *join, struct mg_store_tx *tx, const char *name,
	const struct mg_reading *event, struct mg_error *error);
/* What has come due by now: overdue recipients, filters and holds that are missing, children whose
 * parent did not come, what is forgotten. `now` is the time of the newest line when the log is
 * behind, else the clock's. Sets `next`, UTC ns when to ask again. At most some thousands a call. */
int track_join_due(struct track_join *join, struct mg_store_tx *tx, int64_t now, int64_t *next,
	struct mg_error *error);

/* What postqueue -j says of a message, at start, once the log is read to its end. */
struct track_queued {
	const char *queue_id, *queue_name, *sender;
	int64_t arrival; /* UTC ns */
	const char *const *recipients; /* not finished; ended by NULL */
	const char *const *reasons; /* of delay, "" none; as many */
};
int track_join_queued(struct track_join *join, struct mg_store_tx *tx,
	const struct track_queued *queued, struct mg_error *error);
/* All were told: what the store has open and Postfix has not in its queue ended while nobody read the
 * log: events with outcome unknown. `began` is when postqueue was asked. */
int track_join_queue_end(
	struct track_join *join, struct mg_store_tx *tx, int64_t began, struct mg_error *error);
#endif
