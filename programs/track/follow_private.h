/* SPDX-License-Identifier: ISC */
/* What the rooms of follow share: follow.c is its life and its waiting, follow_change.c one change of
 * the store. */
#ifndef MG_TRACK_FOLLOW_PRIVATE_H
#define MG_TRACK_FOLLOW_PRIVATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/store.h"
#include "track/follow.h"
#include "track/join.h"
#include "track/logs.h"
#include "track/output.h"
#include "track/postqueue.h"
#include "track/source.h"

enum {
	TRACK_LINES_MAX = 1000, /* lines, events and messages of a queue, each, in a change */
	TRACK_TABLES_MAX = 16,
	TRACK_EXPECT_MAX = 8 /* filters; there are four */
};

enum track_metric {
	TRACK_METRIC_READ,
	TRACK_METRIC_UNKNOWN,
	TRACK_METRIC_FOREIGN,
	TRACK_METRIC_LOST,
	TRACK_METRIC_EVENTS,
	TRACK_METRIC_FILTER_EVENTS,
	TRACK_METRIC_RECIPIENTS,
	TRACK_METRIC_BACKLOG,
	TRACK_METRIC_NEWEST,
	TRACK_METRIC_FAILURES
};

struct track_follow {
	const struct track_settings *settings;
	char *followed; /* what is followed, whatever the settings say later */
	const struct mg_service_world *world;
	struct track_rules rules;
	const char *expect[TRACK_EXPECT_MAX + 1]; /* of the rules */
	int64_t expect_since[TRACK_EXPECT_MAX];
	struct mg_store *store;
	unsigned table; /* of the store: how far what was read */
	struct track_join *join;
	struct track_output *output;
	struct track_logs *logs;
	struct track_source *source; /* NULL: to be opened at what was committed */

	int64_t newest; /* UTC ns of the newest line read; 0 none */
	int64_t oldest; /* of what is known since a new store began; 0 no line was read */
	int64_t next_due; /* UTC ns */
	size_t repeated; /* lines read since the last failure, up to TRACK_LINES_MAX */
	bool begun; /* the log of events was read, where it may come again */
	bool ended; /* the log was read to its end since then */
	bool more; /* there is more to do at once */
	int64_t changed; /* monotonic ns of the last commit */
	int64_t looked; /* monotonic ns of the last look for logs of filters */

	struct track_postqueue *queue; /* being read, or NULL */
	bool queue_wanted; /* from the first of settings->queues on */
	size_t queue_row;
	int64_t queue_began; /* UTC ns when the first was asked */
	int64_t queue_asked; /* monotonic ns */
};

/* What join goes by: the settings, which filters there are, and from when on they tell of messages. */
void track_follow_rule(struct track_follow *follow);
/* A change with what there is. 0; -1 with error: nothing of it was kept, and what was read is read
 * again. */
int track_follow_change(struct track_follow *follow, struct mg_error *error);
/* Where the source is to begin, and the rest of what was kept. 0, -1 with error. */
int track_follow_load(struct track_follow *follow, struct mg_store_tx *tx,
	char position[TRACK_POSITION_MAX], struct mg_error *error);
#endif
