/* SPDX-License-Identifier: ISC */
#include "track/output.h"

#include <stdlib.h>
#include <string.h>

#include "event/spool.h"
#include "event/spool_read.h"
#include "track/written.h"

enum {
	TAIL = 20000, /* events whose ids are read for a new store */
	UNORDERED = 1000, /* events after which all are younger than one */
	ID_BYTES = 36
};

static const char key[] = "output";

/* What stands in the store. */
struct progress {
	uint64_t sequence; /* of the log: what is behind it may be made again */
	/* Of a store that is filled anew, else zero: events that were there before. Those from `from`
	 * to `to` are known by their ids, those older than floor (UTC ns; INT64_MIN none) were
	 * written. */
	uint64_t filling, from, to;
	int64_t floor;
};

struct track_output {
	const char *name;
	const struct mg_service_world *world;
	unsigned table;
	struct progress progress, next; /* committed; of the change under way */
	struct track_written old; /* from `from` to `to` */
	struct track_written written; /* behind progress.sequence */
	bool passed; /* next is behind all of written */
	bool dirty; /* written and not synced */
	int64_t count;
};

struct track_output *track_output_new(
	const char *name, const struct mg_service_world *world, unsigned table)
{
	struct track_output *output = calloc(1, sizeof *output);

	if (output == NULL)
		return NULL;
	output->name = name;
	output->world = world;
	output->table = table;
	return output;
}

void track_output_set(struct track_output *output, const struct mg_service_world *world)
{
	output->world = world;
}

void track_output_free(struct track_output *output)
{
	if (output == NULL)
		return;
	track_written_free(&output->old);
	track_written_free(&output->written);
	free(output);
}

int64_t track_output_count(const struct track_output *output)
{
	return output->count;
}

bool track_output_fills(const struct track_output *output)
{
	return output->progress.filling != 0;
}

/* --- the start --- */

/* The id of a record of ours: the first member of "event", which is the last of the document. In a
 * text those quotes would be escaped. "" for none. */
static void find_id(const struct mg_record *record, char id[ID_BYTES + 1])
{
	static const char begin[] = "\"event\":{\"id\":\"";
	const char *found = memmem(record->line, record->length, begin, sizeof begin - 1);

	id[0] = '\0';
	if (found == NULL)
		return;
	found += sizeof begin - 1;
	if (found + ID_BYTES <= record->line + record->length) {
		memcpy(id, found, ID_BYTES);
		id[ID_BYTES] = '\0';
	}
}

/* What was read of the log. */
struct tail {
	uint64_t first; /* sequence; 0: there is nothing */
	int64_t youngest; /* UTC ns, of the first UNORDERED */
};

/* Adds the ids of the events behind sequence `from`, up to `to`. -1 with error. */
static int read_ids(const struct track_output *output, uint64_t from, uint64_t to,
	struct track_written *set, struct tail *tail, struct mg_error *error)
{
	struct mg_spool_reader *reader = mg_spool_reader_open(
		output->world->events_directory, output->name, from + 1, error);
	struct mg_record record;
	uint64_t read = 0;
	int got;

	*tail = (struct tail){.youngest = INT64_MIN};
	if (reader == NULL)
		return -1;
	while ((got = mg_spool_reader_next(reader, &record, error)) > 0 && record.sequence <= to) {
		char id[ID_BYTES + 1];

		find_id(&record, id);
		if (!track_written_room(set)) {
			mg_error_set(error, "out of memory");
			got = -1;
			break;
		}
		track_written_add(set, id);
		if (read == 0)
			tail->first = record.sequence;
		if (read++ < UNORDERED && track_written_time(id) > tail->youngest)
			tail->youngest = track_written_time(id);
	}
	mg_spool_reader_close(reader);
	return got < 0 ? -1 : 0;
}

/* Begins with a store that has nothing. */
static void begin_filling(struct track_output *output)
{
	struct mg_spool_state state;

	mg_spool_state(output->world->spool, &state);
	output->progress = (struct progress){.sequence = state.sequence,
		.filling = 1,
		.from = state.sequence > TAIL ? state.sequence - TAIL : 0,
		.to = state.sequence,
		.floor = INT64_MIN};
}

int track_output_load(struct track_output *output, struct mg_store_tx *tx, struct mg_error *error)
{
	struct mg_store_value value;
	int found = mg_store_get(tx, output->table, key, sizeof key - 1, &value, error);

	if (found > 0 && value.length == sizeof output->progress)
		memcpy(&output->progress, value.bytes, sizeof output->progress);
	else
		begin_filling(output);
	return found < 0 ? -1 : 0;
}

int track_output_read(struct track_output *output, struct mg_error *error)
{
	struct progress *progress = &output->progress;
	struct tail tail;

	track_written_clear(&output->old);
	track_written_clear(&output->written);
	if (progress->filling != 0) {
		if (read_ids(output, progress->from, progress->to, &output->old, &tail, error) != 0)
			return -1;
		/* A log that is not whole has had older events. */
		if (progress->floor == INT64_MIN && tail.first > 1)
			progress->floor = tail.youngest;
	}
	return read_ids(output, progress->sequence, UINT64_MAX, &output->written, &tail, error);
}

/* --- events --- */

static bool is_written(const struct track_output *output, const char *id)
{
	const struct progress *progress = &output->progress;

	if (track_written_has(&output->written, id))
		return true;
	return progress->filling != 0 &&
	       (track_written_has(&output->old, id) ||
		       (progress->floor != INT64_MIN && track_written_time(id) < progress->floor));
}

int track_output_emit(void *context, struct mg_event *event, struct mg_error *error)
{
	struct track_output *output = context;
	const char *id = event != NULL ? mg_event_id(event) : "";
	int result = 0;

	if (is_written(output, id)) {
		mg_event_free(event);
		return 0;
	}
	/* Once it is written, its id must find a place. */
	if (!track_written_room(&output->written)) {
		mg_error_set(error, "out of memory");
		result = -1;
	} else if (mg_events_write(output->world->events, event, error) != 0) {
		result = -1;
	} else {
		track_written_add(&output->written, id);
		output->dirty = true;
		output->count++;
	}
	mg_event_free(event);
	return result;
}

/* --- commits --- */

int track_output_save(struct track_output *output, struct mg_store_tx *tx, bool again, bool end,
	struct mg_error *error)
{
	struct mg_spool_state state;

	if (output->dirty && mg_spool_sync(output->world->spool, error) != 0)
		return -1;
	output->dirty = false;
	output->next = output->progress;
	if (end)
		output->next.filling = 0;
	output->passed = again;
	if (again) {
		mg_spool_state(output->world->spool, &state);
		output->next.sequence = state.sequence;
	}
	return mg_store_put(
		tx, output->table, key, sizeof key - 1, &output->next, sizeof output->next, error);
}

void track_output_kept(struct track_output *output, bool kept)
{
	if (!kept)
		return;
	if (output->passed)
		track_written_clear(&output->written);
	if (output->next.filling == 0)
		track_written_free(&output->old);
	output->progress = output->next;
}
