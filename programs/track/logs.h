/* SPDX-License-Identifier: ISC */
/* logs: follows the event logs of the daemons that see messages, for join: what each said of a
 * message, and which of them say anything here. */
#ifndef MG_TRACK_LOGS_H
#define MG_TRACK_LOGS_H
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/store.h"
#include "event/reading.h"

struct track_logs;

/* directory: of the event logs; table: of the store, where is kept how far each log
 * was read, by keys "filter:NAME". NULL: no memory. */
struct track_logs *track_logs_new(const char *directory, unsigned table);
void track_logs_free(struct track_logs *logs);

/* How far they were read goes to, and comes from, the store. After load they begin there, whatever
 * was read since. 0, -1 with error. */
int track_logs_load(struct track_logs *logs, struct mg_store_tx *tx, struct mg_error *error);
int track_logs_save(struct track_logs *logs, struct mg_store_tx *tx, struct mg_error *error);

/* The next event of all that are there, the oldest first, none of after `until` (UTC ns). 1: name
 * and event are valid until the next call; 0 none now; -1 with error, and it goes on with the next
 * call. */
int track_logs_next(struct track_logs *logs, int64_t until, const char **name,
	const struct mg_reading **event, struct mg_error *error);

/* Daemons that have an event log, ended by NULL, and the times of the first event in each, UTC ns, as
 * of the last look; look again with track_logs_look: number of changes. */
const char *const *track_logs_names(const struct track_logs *logs);
const int64_t *track_logs_begins(const struct track_logs *logs);
int track_logs_look(struct track_logs *logs);
#endif
