/* SPDX-License-Identifier: ISC */
#include "track/logs.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "event/spool_read.h"

static const char *const known[] = {"policy", "dlp", "dkim", "log"};
enum { COUNT = sizeof known / sizeof known[0], KEY_BYTES = 64 };

/* One log. */
struct log {
	const char *name;
	struct mg_spool_reader *reader; /* NULL: not open */
	uint64_t next; /* sequence to read next, 0 the first there is */
	struct mg_reading *pending; /* read, and not given out */
	uint64_t sequence; /* of pending */
	int64_t utc; /* of pending */
	int64_t begin; /* UTC ns of its first event; 0: there was no log so far */
};

struct track_logs {
	char *directory;
	unsigned table;
	struct log list[COUNT];
	struct mg_reading *given;
	const char *names[COUNT + 1];
	int64_t begins[COUNT];
};

struct track_logs *track_logs_new(const char *directory, unsigned table)
{
	struct track_logs *logs = calloc(1, sizeof *logs);

	if (logs == NULL)
		return NULL;
	logs->directory = strdup(directory);
	if (logs->directory == NULL) {
		free(logs);
		return NULL;
	}
	logs->table = table;
	for (size_t i = 0; i < COUNT; i++)
		logs->list[i].name = known[i];
	return logs;
}

static void drop_pending(struct log *log)
{
	mg_reading_free(log->pending);
	log->pending = NULL;
}

static void close_log(struct log *log)
{
	drop_pending(log);
	mg_spool_reader_close(log->reader);
	log->reader = NULL;
}

void track_logs_free(struct track_logs *logs)
{
	if (logs == NULL)
		return;
	for (size_t i = 0; i < COUNT; i++)
		close_log(&logs->list[i]);
	mg_reading_free(logs->given);
	free(logs->directory);
	free(logs);
}

/* --- how far --- */

static size_t make_key(const struct log *log, char key[KEY_BYTES])
{
	mg_str_format(key, KEY_BYTES, "filter:%s", log->name);
	return strlen(key);
}

int track_logs_load(struct track_logs *logs, struct mg_store_tx *tx, struct mg_error *error)
{
	for (size_t i = 0; i < COUNT; i++) {
		struct log *log = &logs->list[i];
		struct mg_store_value value;
		char key[KEY_BYTES];
		size_t length = make_key(log, key);
		int found = mg_store_get(tx, logs->table, key, length, &value, error);

		if (found < 0)
			return -1;
		close_log(log);
		log->next = 0;
		if (found > 0 && value.length == sizeof log->next)
			memcpy(&log->next, value.bytes, sizeof log->next);
	}
	return 0;
}

int track_logs_save(struct track_logs *logs, struct mg_store_tx *tx, struct mg_error *error)
{
	for (size_t i = 0; i < COUNT; i++) {
		const struct log *log = &logs->list[i];
		char key[KEY_BYTES];
		size_t length = make_key(log, key);

		if (log->next > 0 && mg_store_put(tx, logs->table, key, length, &log->next,
					     sizeof log->next, error) != 0)
			return -1;
	}
	return 0;
}

/* --- events --- */

/* Fills pending, unless there is no more now. -1 with error. */
static int read_ahead(const struct track_logs *logs, struct log *log, struct mg_error *error)
{
	struct mg_record record;
	int got;

	if (log->pending != NULL || log->begin == 0)
		return 0;
	if (log->reader == NULL) {
		log->reader = mg_spool_reader_open(logs->directory, log->name, log->next, error);
		if (log->reader == NULL)
			return -1;
	}
	while ((got = mg_spool_reader_next(log->reader, &record, error)) > 0) {
		log->pending = mg_reading_new(record.line, record.length);
		log->sequence = record.sequence;
		if (log->pending != NULL && mg_reading_time(log->pending, "@timestamp", &log->utc))
			return 0;
		/* Damaged. */
		drop_pending(log);
		if (record.sequence > 0)
			log->next = record.sequence + 1;
	}
	return got;
}

int track_logs_next(struct track_logs *logs, int64_t until, const char **name,
	const struct mg_reading **event, struct mg_error *error)
{
	struct log *oldest = NULL;

	for (size_t i = 0; i < COUNT; i++) {
		struct log *log = &logs->list[i];

		if (read_ahead(logs, log, error) != 0) {
			close_log(log);
			return -1;
		}
		if (log->pending != NULL && log->utc <= until &&
			(oldest == NULL || log->utc < oldest->utc))
			oldest = log;
	}
	if (oldest == NULL)
		return 0;
	mg_reading_free(logs->given);
	logs->given = oldest->pending;
	oldest->pending = NULL;
	if (oldest->sequence > 0)
		oldest->next = oldest->sequence + 1;
	*name = oldest->name;
	*event = logs->given;
	return 1;
}

/* --- which there are --- */

/* UTC ns of the first event of a log, 0 when it has none. */
static int64_t find_begin(const struct track_logs *logs, const char *name)
{
	struct mg_spool_reader *reader = mg_spool_reader_open(logs->directory, name, 0, NULL);
	struct mg_reading *reading = NULL;
	struct mg_record record;
	int64_t begin = 0;

	while (reader != NULL && begin == 0 && mg_spool_reader_next(reader, &record, NULL) > 0) {
		reading = mg_reading_new(record.line, record.length);
		if (reading == NULL || !mg_reading_time(reading, "@timestamp", &begin))
			begin = 0;
		mg_reading_free(reading);
	}
	mg_spool_reader_close(reader);
	return begin;
}

int track_logs_look(struct track_logs *logs)
{
	size_t next = 0;
	int changes = 0;

	for (size_t i = 0; i < COUNT; i++) {
		struct log *log = &logs->list[i];

		if (log->begin == 0) {
			log->begin = find_begin(logs, log->name);
			changes += log->begin > 0;
		}
		if (log->begin == 0)
			continue;
		logs->begins[next] = log->begin;
		logs->names[next++] = log->name;
	}
	logs->names[next] = NULL;
	return changes;
}

const char *const *track_logs_names(const struct track_logs *logs)
{
	return logs->names;
}

const int64_t *track_logs_begins(const struct track_logs *logs)
{
	return logs->begins;
}
