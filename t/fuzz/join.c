/* SPDX-License-Identifier: ISC */
/* Lines of Postfix, events of filters and time in any order: each event that is made can be written,
 * no two have the same id, and when all time has passed nothing is left but how recipients ended.
 *
 * A line of input is "PROGRAM[PID]: TEXT" of Postfix's log, "@NAME {…}" an event of a filter, or
 * "+N" seconds that pass. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mail/delivery.h"
#include "track/join.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IDS_MAX = 4000, ID_TEXT = 37 };

struct world {
	struct mg_store *store;
	struct mg_store_tx *tx;
	struct track_join *join;
	int64_t now;
	unsigned position;
	size_t count;
	char ids[IDS_MAX][ID_TEXT];
};

static const char *const instances[] = {"postfix", NULL}, *const expect[] = {"dkim", "log", NULL};
static const char *const listeners[] = {"127.0.0.1:10025", NULL};
static const struct track_rules rules = {.gateway = "mx.example.org",
	.instances = instances,
	.overdue = 4 * 3600 * MG_SECOND,
	.expect = expect,
	.expect_within = 60 * MG_SECOND,
	.keep_replies = 86400 * MG_SECOND,
	.own_listeners = listeners};

static int take(void *context, struct mg_event *event, struct mg_error *error)
{
	struct world *world = context;
	char *text = mg_event_text(event);

	(void)error;
	assert(text != NULL);
	free(text);
	if (world->count < IDS_MAX)
		memcpy(world->ids[world->count++], mg_event_id(event), ID_TEXT);
	mg_event_free(event);
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void read_line(struct world *world, const char *text, size_t length)
{
	const char *bracket = memchr(text, '[', length), *colon;
	char identifier[100], position[20];
	struct track_record record = {.pid = 0, .identifier = identifier, .position = position};
	struct mg_error error = {.text = ""};
	struct track_line line;
	enum track_reading reading;

	if (bracket == NULL || bracket - text > 80)
		return;
	colon = memmem(bracket, (size_t)(text + length - bracket), "]: ", 3);
	if (colon == NULL)
		return;
	snprintf(identifier, sizeof(identifier), "postfix/%.*s", (int)(bracket - text), text);
	snprintf(position, sizeof(position), "%u", world->position++);
	record.identifier_length = strlen(identifier);
	for (const char *digit = bracket + 1; digit < colon && *digit >= '0' && *digit <= '9';
		digit++)
		record.pid = record.pid * 10 + (uint32_t)(*digit - '0');
	record.text = colon + 3;
	record.length = (size_t)(text + length - record.text);
	record.utc = world->now;
	reading = track_line_read(&record, instances, &line);
	if (track_join_line(world->join, world->tx, &record, reading, &line, &error) < 0)
		abort();
}

static void read_event(struct world *world, const char *text, size_t length)
{
	const char *blank = memchr(text, ' ', length);
	struct mg_error error = {.text = ""};
	struct mg_reading *event;
	char name[10];
	int64_t utc = 0;

	if (blank == NULL || blank - text > 9)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(blank - text), text);
	event = mg_reading_new(blank, (size_t)(text + length - blank));
	/* Filters have the clock that the lines have, about. */
	if (event != NULL && mg_reading_time(event, "@timestamp", &utc) &&
		utc < world->now + 86400 * MG_SECOND &&
		track_join_event(world->join, world->tx, name, event, &error) < 0)
		abort();
	mg_reading_free(event);
}

static void pass(struct world *world, int64_t seconds)
{
	struct mg_error error = {.text = ""};
	int64_t until = world->now + seconds * MG_SECOND, next = 0;

	while (track_join_due(world->join, world->tx, world->now, &next, &error) == 0 &&
		world->now < until) {
		assert(next > world->now);
		world->now = next < until ? next : until;
	}
	assert(world->now == until);
}

static void open_world(struct world *world, const struct mg_events *events)
{
	struct mg_error error;

	world->store = mg_store_open(
		&(struct mg_store_settings){.url = "memory:", .tables = mg_track_tables}, NULL,
		&error);
	world->join = track_join_new(events, take, world);
	if (world->store == NULL || world->join == NULL)
		abort();
	track_join_set(world->join, events, &rules);
	world->tx = mg_store_begin(world->store, &error);
	world->now = INT64_C(1795607360) * MG_SECOND;
}

/* In the end what is kept for a while is gone, and each event has an id of its own. */
static void check(struct world *world)
{
	struct mg_error error;

	for (int days = 0; days < 120; days++) {
		int64_t next = 0;

		world->now += 86400 * MG_SECOND;
		while (next <= world->now)
			if (track_join_due(world->join, world->tx, world->now, &next, &error) < 0)
				abort();
	}
	for (unsigned table = 0; table < MG_TABLE_COUNT; table++)
		if (table != MG_TABLE_PRIVATE && table != MG_TABLE_COUNT - 1)
			assert(mg_store_count(world->tx, table, &error) == 0);
	qsort(world->ids, world->count, ID_TEXT, by_id);
	for (size_t i = 1; i < world->count; i++)
		assert(strcmp(world->ids[i - 1], world->ids[i]) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mg_events_identity identity = {
		.program = "millgate-track", .host = "mx.example.org", .version = "0.1"};
	struct mg_events *events = mg_events_new(&identity, NULL, NULL, &mg_clock_system);
	struct world *world = calloc(1, sizeof(*world));
	const char *text = (const char *)data, *end = text + size;

	if (events == NULL || world == NULL)
		abort();
	open_world(world, events);
	while (text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((line_end != NULL ? line_end : end) - text);

		world->now += MG_MILLISECOND;
		if (length > 1 && *text == '@')
			read_event(world, text + 1, length - 1);
		else if (length > 1 && *text == '+')
			pass(world, text[1] & 0x7f);
		else
			read_line(world, text, length);
		text += length + (line_end != NULL);
	}
	check(world);
	mg_store_end(world->tx);
	mg_store_close(world->store);
	track_join_free(world->join);
	mg_events_free(events);
	free(world);
	return 0;
}
