/* SPDX-License-Identifier: ISC */
#include "cli/story.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

enum { ROUNDS = 6, KEYS_MAX = 256, KEY_SIZE = 256 };

/* Postfix gives a session five minutes a command; log lines of a file are of a whole second. */
#define SESSION_GAP (600 * MG_SECOND)
#define SESSION_SLACK (2 * MG_SECOND)

/* --- filters --- */

static bool has_text(const struct mg_reading *event, const char *name, const char *text)
{
	for (size_t i = 0; i < mg_reading_count(event, name); i++)
		if (mg_str_equal_nocase(mg_reading_text_at(event, name, i, NULL), text))
			return true;
	return false;
}

static const char *const recipient_fields[] = {
	"email.to.address", "millgate.delivery.recipient", "millgate.delivery.orig_recipient"};

static bool has_recipient(const struct mg_reading *event, const char *address)
{
	for (size_t i = 0; i < sizeof(recipient_fields) / sizeof(recipient_fields[0]); i++)
		if (has_text(event, recipient_fields[i], address))
			return true;
	return false;
}

bool cli_story_event_fits(const struct mg_reading *event, const struct cli_story_filter *filter)
{
	if (filter->client != NULL && mg_reading_text(event, "source.ip")[0] != '\0' &&
		!has_text(event, "source.ip", filter->client))
		return false;
	return filter->recipient == NULL || mg_reading_count(event, recipient_fields[0]) == 0 ||
	       has_recipient(event, filter->recipient);
}

bool cli_story_fits(const struct cli_story *story, const struct cli_story_filter *filter)
{
	bool client = filter->client == NULL, recipient = filter->recipient == NULL;

	for (size_t i = 0; i < story->count; i++) {
		const struct mg_reading *event = story->events[i].reading;

		client = client || has_text(event, "source.ip", filter->client);
		recipient = recipient || has_recipient(event, filter->recipient);
	}
	return client && recipient;
}

/* --- which stories --- */

struct finding {
	struct cli_stories *stories;
	const struct cli_story_filter *filter;
	const char *key;
	size_t most;
	const char *log; /* being read, and the stories that it was the first to name */
	size_t of_log;
	bool failed;
};

/* Of the same session: the ports of clients come again. */
static bool is_near(const struct cli_story *story, const char *session, int64_t utc)
{
	int64_t apart = story->utc < utc ? utc - story->utc : story->utc - utc;

	return strcmp(story->session, session) == 0 && apart < SESSION_GAP;
}

static bool is_same(
	const struct cli_story *story, const char *trace_id, const char *session, int64_t utc)
{
	if (trace_id[0] != '\0' || story->trace_id[0] != '\0')
		return strcmp(story->trace_id, trace_id) == 0;
	return is_near(story, session, utc);
}

static void add_story(
	struct finding *finding, const char *trace_id, const char *session, int64_t utc)
{
	struct cli_stories *stories = finding->stories;
	struct cli_story *list;

	for (size_t i = 0; i < stories->count; i++)
		if (is_same(&stories->list[i], trace_id, session, utc)) {
			if (stories->list[i].utc < utc)
				stories->list[i].utc = utc;
			return;
		}
	list = realloc(stories->list, (stories->count + 1) * sizeof(*list));
	if (list == NULL) {
		finding->failed = true;
		return;
	}
	stories->list = list;
	list += stories->count++;
	*list = (struct cli_story){.utc = utc};
	mg_str_copy(list->trace_id, sizeof(list->trace_id), trace_id);
	mg_str_copy(list->session, sizeof(list->session), session);
	finding->of_log++;
}

/* The link of a session leads to each of its messages, or to the one that was asked for. */
static void add_hit(struct finding *finding, const struct mg_reading *event)
{
	static const char traces[] = "millgate.session.traces";
	const char *trace_id = mg_reading_text(event, "trace.id");
	const char *session = mg_reading_text(event, "millgate.session.key");
	int64_t utc;

	if (!mg_reading_time(event, "@timestamp", &utc) || utc < finding->filter->since ||
		!cli_story_event_fits(event, finding->filter))
		return;
	if (trace_id[0] == '\0' && has_text(event, "millgate.session.traces", finding->key))
		trace_id = finding->key;
	for (size_t i = 0; trace_id[0] == '\0' && i < mg_reading_count(event, traces); i++)
		add_story(finding, mg_reading_text_at(event, traces, i, NULL), session, utc);
	if (trace_id[0] != '\0' || (session[0] != '\0' && mg_reading_count(event, traces) == 0))
		add_story(finding, trace_id, session, utc);
}

static bool find_hit(void *context, const struct mg_lookup_hit *hit)
{
	struct finding *finding = context;
	struct mg_reading *event = mg_reading_new(hit->line, hit->length);

	if (finding->log == NULL || strcmp(finding->log, hit->name) != 0)
		finding->of_log = 0;
	finding->log = hit->name;
	if (event != NULL)
		add_hit(finding, event);
	mg_reading_free(event);
	return !finding->failed && finding->of_log <= finding->most;
}

/* A session that came to a message is part of its story. */
static void drop_sessions(struct cli_stories *stories)
{
	size_t kept = 0;

	for (size_t i = 0; i < stories->count; i++) {
		const struct cli_story *story = &stories->list[i];
		bool part = false;

		for (size_t at = 0; at < stories->count && story->trace_id[0] == '\0'; at++)
			part = part ||
			       (stories->list[at].trace_id[0] != '\0' &&
				       is_near(&stories->list[at], story->session, story->utc));
		if (!part)
			stories->list[kept++] = *story;
	}
	stories->count = kept;
}

static int by_newest(const void *one, const void *other)
{
	const struct cli_story *a = one, *b = other;

	return a->utc < b->utc ? 1 : -(a->utc > b->utc);
}

int cli_stories_find(struct mg_lookup *lookup, const char *key,
	const struct cli_story_filter *filter, size_t most, struct cli_stories *stories,
	struct mg_error *error)
{
	struct finding finding = {.stories = stories, .filter = filter, .key = key, .most = most};

	*stories = (struct cli_stories){.count = 0};
	if (mg_lookup_find(lookup, &key, 1, true, find_hit, &finding, error) != 0)
		return -1;
	if (finding.failed) {
		mg_error_set(error, "out of memory");
		return -1;
	}
	drop_sessions(stories);
	if (stories->count > 0)
		qsort(stories->list, stories->count, sizeof(*stories->list), by_newest);
	stories->more = stories->count > most;
	if (stories->more)
		stories->count = most;
	return 0;
}

/* --- the events of one --- */

struct collecting {
	struct cli_story *story;
	char keys[KEYS_MAX][KEY_SIZE]; /* ids of the message and those made of it, and sessions */
	bool is_session[KEYS_MAX];
	size_t count, asked; /* those before are looked up */
	size_t known; /* events of the story that were there before this round */
	int64_t from, to; /* when its session was; 0 not known */
	bool linked; /* by what its link says */
	bool failed;
};

static bool has_key(const struct collecting *collecting, const char *key, bool is_session)
{
	for (size_t i = 0; i < collecting->count; i++)
		if (collecting->is_session[i] == is_session &&
			strcmp(collecting->keys[i], key) == 0)
			return true;
	return false;
}

static void add_key(struct collecting *collecting, const char *key, bool is_session)
{
	if (key[0] == '\0' || strlen(key) >= KEY_SIZE || collecting->count == KEYS_MAX ||
		has_key(collecting, key, is_session))
		return;
	mg_str_copy(collecting->keys[collecting->count], KEY_SIZE, key);
	collecting->is_session[collecting->count++] = is_session;
}

static const char *const id_fields[] = {
	"trace.id", "email.local_id", "millgate.link.parent", "millgate.link.child"};
enum { ID_FIELDS = sizeof(id_fields) / sizeof(id_fields[0]) };

/* Whether an event is of the message or of one made of it, by its ids. */
static bool is_of_message(const struct collecting *collecting, const struct mg_reading *event)
{
	for (size_t i = 0; i < ID_FIELDS; i++)
		if (has_key(collecting, mg_reading_text(event, id_fields[i]), false))
			return true;
	return collecting->story->trace_id[0] != '\0' &&
	       has_text(event, "millgate.session.traces", collecting->story->trace_id);
}

/* Whether it is of the session, and of no other message. */
static bool is_of_session(
	const struct collecting *collecting, const struct mg_reading *event, int64_t utc)
{
	if (!has_key(collecting, mg_reading_text(event, "millgate.session.key"), true) ||
		mg_reading_text(event, "trace.id")[0] != '\0')
		return false;
	return utc >= collecting->from && utc <= collecting->to;
}

/* The session's time: what its link says, else as far around as events are near each other. */
static void learn_time(struct collecting *collecting, const struct mg_reading *event, int64_t utc)
{
	bool links = strcmp(mg_reading_text(event, "event.action"), "session-linked") == 0;
	int64_t start = utc - SESSION_GAP, end = utc + SESSION_GAP;

	if (links && mg_reading_time(event, "event.start", &start) &&
		mg_reading_time(event, "event.end", &end)) {
		if (!collecting->linked)
			collecting->from = collecting->to = 0;
		collecting->linked = true;
		start -= SESSION_SLACK;
		end += SESSION_SLACK;
	} else if (collecting->linked) {
		return;
	}
	if (collecting->from == 0 || start < collecting->from)
		collecting->from = start;
	if (end > collecting->to)
		collecting->to = end;
}

static void learn(struct collecting *collecting, const struct cli_story_event *event)
{
	const struct mg_reading *reading = event->reading;
	const char *action = mg_reading_text(reading, "event.action");

	add_key(collecting, mg_reading_text(reading, "millgate.link.child"), false);
	/* An event of a filter about what was given back to Postfix has an id of its own. */
	if (strcmp(mg_reading_text(reading, "trace.id"), collecting->story->trace_id) == 0)
		add_key(collecting, mg_reading_text(reading, "email.local_id"), false);
	add_key(collecting, mg_reading_text(reading, "millgate.session.key"), true);
	/* What happens to the message later is no time of its session. */
	if (strcmp(action, "session-linked") == 0 ||
		(strcmp(event->log, "track") != 0 && strcmp(event->log, "operator") != 0))
		learn_time(collecting, reading, event->utc);
}

static int by_text(const void *one, const void *other)
{
	return strcmp(one, other);
}

/* Whether this event.id is a new one; it is kept. */
static bool is_new(struct collecting *collecting, const struct cli_story_event *event)
{
	const char *id = mg_reading_text(event->reading, "event.id");
	void **found = tsearch(id, &collecting->story->ids, by_text);

	if (found == NULL)
		collecting->failed = true;
	return found != NULL && *found == id;
}

static void keep(struct collecting *collecting, struct cli_story_event *event)
{
	struct cli_story *story = collecting->story;
	struct cli_story_event *events;

	if (story->count == CLI_STORY_EVENTS) {
		story->cut = true;
		return;
	}
	if ((story->count & (story->count + 1)) == 0) {
		events = realloc(story->events, (2 * story->count + 2) * sizeof(*events));
		if (events == NULL) {
			collecting->failed = true;
			return;
		}
		story->events = events;
	}
	if (!is_new(collecting, event))
		return;
	story->events[story->count++] = *event;
	event->reading = NULL;
	event->line = NULL;
}

/* Several that are collected together: a file is looked into once for all. */
struct collectings {
	struct collecting *list;
	size_t count;
};

static void offer(struct collecting *collecting, const struct mg_lookup_hit *hit,
	struct cli_story_event *event)
{
	if (event->reading == NULL)
		event->reading = mg_reading_new(hit->line, hit->length);
	if (event->reading == NULL ||
		(!is_of_message(collecting, event->reading) &&
			!is_of_session(collecting, event->reading, event->utc)))
		return;
	event->line = strndup(hit->line, hit->length);
	collecting->failed |= event->line == NULL;
	if (event->line != NULL)
		keep(collecting, event);
	free(event->line);
	event->line = NULL;
}

static bool collect_hit(void *context, const struct mg_lookup_hit *hit)
{
	struct collectings *all = context;
	struct cli_story_event event = {.reading = mg_reading_new(hit->line, hit->length)};
	bool failed = false;

	mg_str_copy(event.log, sizeof(event.log), hit->name);
	if (event.reading != NULL && mg_reading_time(event.reading, "@timestamp", &event.utc))
		for (size_t i = 0; i < all->count; i++) {
			offer(&all->list[i], hit, &event);
			failed = failed || all->list[i].failed;
		}
	mg_reading_free(event.reading);
	return !failed;
}

/* The time of a line of track's may be a whole second: then it was within that. */
static int64_t order_of(const struct cli_story_event *event)
{
	bool whole = event->utc % MG_SECOND == 0 && strcmp(event->log, "track") == 0;

	return event->utc + (whole ? MG_SECOND - 1 : 0);
}

/* Those of one log stay as they are written. */
static int by_time(const void *one, const void *other)
{
	const struct cli_story_event *a = one, *b = other;
	int64_t first = order_of(a), second = order_of(b), number, next;

	if (first != second)
		return first < second ? -1 : 1;
	if (strcmp(a->log, b->log) != 0)
		return strcmp(a->log, b->log);
	if (!mg_reading_number(a->reading, "event.sequence", &number) ||
		!mg_reading_number(b->reading, "event.sequence", &next))
		return 0;
	return number < next ? -1 : number > next;
}

/* Adds the keys that were not looked up yet. */
static size_t add_keys(struct collecting *collecting, const char *keys[], size_t count)
{
	while (collecting->asked < collecting->count)
		keys[count++] = collecting->keys[collecting->asked++];
	return count;
}

/* Looks up the keys that are new, and learns others from what is found. 1 there were some, 0 none,
 * -1 with error. */
static int collect_round(struct collectings *all, struct mg_lookup *lookup, const char *keys[],
	struct mg_error *error)
{
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++) {
		all->list[i].known = all->list[i].story->count;
		count = add_keys(&all->list[i], keys, count);
	}
	if (count == 0)
		return 0;
	if (mg_lookup_find(lookup, keys, count, false, collect_hit, all, error) != 0)
		return -1;
	for (size_t i = 0; i < all->count; i++) {
		struct collecting *collecting = &all->list[i];

		if (collecting->failed) {
			mg_error_set(error, "out of memory");
			return -1;
		}
		for (size_t at = collecting->known; at < collecting->story->count; at++)
			learn(collecting, &collecting->story->events[at]);
	}
	return 1;
}

static void begin(struct collecting *collecting, struct cli_story *story)
{
	collecting->story = story;
	add_key(collecting, story->trace_id, false);
	if (story->trace_id[0] == '\0') {
		add_key(collecting, story->session, true);
		collecting->from = story->utc - SESSION_GAP;
		collecting->to = story->utc + SESSION_GAP;
	}
}

int cli_stories_collect(
	struct mg_lookup *lookup, struct cli_stories *stories, struct mg_error *error)
{
	struct collectings all = {calloc(stories->count + 1, sizeof(*all.list)), stories->count};
	const char **keys = calloc((stories->count + 1) * KEYS_MAX, sizeof(*keys));
	int result = -1;

	if (all.list == NULL || keys == NULL) {
		mg_error_set(error, "out of memory");
		goto done;
	}
	for (size_t i = 0; i < stories->count; i++)
		begin(&all.list[i], &stories->list[i]);
	result = 1;
	for (int i = 0; i < ROUNDS && result == 1; i++)
		result = collect_round(&all, lookup, keys, error);
	for (size_t i = 0; i < stories->count; i++)
		if (stories->list[i].count > 0)
			qsort(stories->list[i].events, stories->list[i].count,
				sizeof(*stories->list[i].events), by_time);
done:
	free(keys);
	free(all.list);
	return result < 0 ? -1 : 0;
}

static void keep_text(void *text)
{
	(void)text; /* of a reading */
}

void cli_stories_free(struct cli_stories *stories)
{
	for (size_t i = 0; i < stories->count; i++) {
		struct cli_story *story = &stories->list[i];

		tdestroy(story->ids, keep_text);
		for (size_t at = 0; at < story->count; at++) {
			mg_reading_free(story->events[at].reading);
			free(story->events[at].line);
		}
		free(story->events);
	}
	free(stories->list);
	*stories = (struct cli_stories){.count = 0};
}

const struct mg_reading *cli_story_message(const struct cli_story *story)
{
	const struct mg_reading *best = NULL;

	for (size_t i = 0; i < story->count; i++) {
		const struct cli_story_event *event = &story->events[i];
		bool own =
			strcmp(mg_reading_text(event->reading, "trace.id"), story->trace_id) == 0;

		if (!own || mg_reading_count(event->reading, "millgate.link.parent") > 0)
			continue;
		if (strcmp(mg_reading_text(event->reading, "event.action"), "message-accepted") ==
			0)
			return event->reading;
		if (best == NULL)
			best = event->reading;
	}
	return best;
}
