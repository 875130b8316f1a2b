/* SPDX-License-Identifier: ISC */
/* story: what the event logs have of one message, or of a session that came to no message: the
 * events of filters, of millgate-track, and what operators did, in order of time. Messages made of
 * it (bounces, what a content filter gave back) are part of it. */
#ifndef MG_CLI_STORY_H
#define MG_CLI_STORY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "event/lookup.h"
#include "event/reading.h"
#include "event/segment.h"

struct cli_story_event {
	struct mg_reading *reading;
	char *line; /* as it stands in the log */
	char log[MG_SEGMENT_NAME];
	int64_t utc; /* its @timestamp */
	bool folded; /* one of many like it: not told (outcome.h) */
};

struct cli_story {
	char trace_id[64]; /* "" a session without a message */
	char session[64]; /* its key, "" unknown */
	int64_t utc; /* of an event of it that was found */
	struct cli_story_event *events; /* in order of time */
	size_t count;
	bool cut; /* there is more than CLI_STORY_EVENTS */
	void *ids; /* of the events, for who collects */
};
enum { CLI_STORY_EVENTS = 20000 };

struct cli_stories {
	struct cli_story *list; /* the newest first; without events until they are collected */
	size_t count;
	bool more; /* than were asked for */
};

/* Which hits count; NULL any. */
struct cli_story_filter {
	const char *client; /* address */
	const char *recipient;
	int64_t since; /* UTC ns */
};

/* The stories that a key leads to (keys.h), at most so many. 0, -1 with error. Free them in either
 * case. */
int cli_stories_find(struct mg_lookup *lookup, const char *key,
	const struct cli_story_filter *filter, size_t most, struct cli_stories *stories,
	struct mg_error *error);
/* Collects their events. */
int cli_stories_collect(
	struct mg_lookup *lookup, struct cli_stories *stories, struct mg_error *error);
void cli_stories_free(struct cli_stories *stories);

/* Whether an event or a story is of this client, and of this recipient; where an event does not
 * say, of any. */
bool cli_story_event_fits(const struct mg_reading *event, const struct cli_story_filter *filter);
bool cli_story_fits(const struct cli_story *story, const struct cli_story_filter *filter);
/* The event that tells most of the message: that of millgate-log, or another of a filter; NULL: there
 * is none. */
const struct mg_reading *cli_story_message(const struct cli_story *story);
#endif
