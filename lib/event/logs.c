/* SPDX-License-Identifier: ISC */
#include "event/logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "event/lines.h"
#include "event/spool_read.h"

/* Without inotify(7) the files are looked at as often as this, ms. */
enum { LOOK = 200, DIGITS = 20 };

/* --- names --- */

/* Cuts the file name of a log to the log's: "dkim.jsonl", "dkim-00000000000000000001.jsonl". */
static bool cut_to_name(char *file)
{
	static const char end[] = ".jsonl";
	size_t length = strlen(file), digits;

	if (length < sizeof end || strcmp(file + length - (sizeof end - 1), end) != 0)
		return false;
	length -= sizeof end - 1;
	file[length] = '\0';
	digits = strspn(file + (length > DIGITS ? length - DIGITS : length), "0123456789");
	if (digits == DIGITS && length > DIGITS + 1 && file[length - DIGITS - 1] == '-')
		file[length - DIGITS - 1] = '\0';
	return file[0] != '.';
}

static bool add_name(struct mg_log_names *names, size_t *room, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->list[i], name) == 0)
			return true;
	if (names->count == *room) {
		size_t more = *room == 0 ? 16 : *room * 2;
		char(*list)[MG_SEGMENT_NAME] = realloc(names->list, more * sizeof *list);

		if (list == NULL)
			return false;
		names->list = list;
		*room = more;
	}
	mg_str_copy(names->list[names->count++], MG_SEGMENT_NAME, name);
	return true;
}

static int by_text(const void *one, const void *other)
{
	return strcmp(one, other);
}

int mg_log_names_read(const char *directory, struct mg_log_names *names, struct mg_error *error)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;
	size_t room = 0;

	*names = (struct mg_log_names){0};
	if (stream == NULL) {
		mg_error_system(error, errno, "%s", directory);
		return -1;
	}
	while (errno = 0, (entry = readdir(stream)) != NULL) {
		char file[MG_SEGMENT_NAME];

		if (mg_str_copy(file, sizeof file, entry->d_name) && cut_to_name(file) &&
			!add_name(names, &room, file)) {
			errno = ENOMEM;
			break;
		}
	}
	if (errno != 0) {
		mg_error_system(error, errno, "%s", directory);
		closedir(stream);
		mg_log_names_free(names);
		return -1;
	}
	closedir(stream);
	if (names->count > 0)
		qsort(names->list, names->count, sizeof *names->list, by_text);
	return 0;
}

void mg_log_names_free(struct mg_log_names *names)
{
	free(names->list);
	*names = (struct mg_log_names){0};
}

/* --- where to begin --- */

/* Whether a file begins before that time; sequence: of its first record. */
static bool begins_before(int directory, const char *file, int64_t since, uint64_t *sequence)
{
	int64_t utc;

	return mg_segment_begin(directory, file, sequence, &utc) && utc < since;
}

/* The first sequence of the last file that begins before `since`, 0 when there is none: an event
 * has a time before it was written, and a file begins with a record of when it was begun. */
static int find_begin(
	int directory, const char *name, int64_t since, uint64_t *from, struct mg_error *error)
{
	struct mg_segments segments;
	char file[MG_SEGMENT_NAME];
	size_t low = 0, high;

	*from = 0;
	if (mg_segments_list(directory, name, &segments, error) != 0)
		return -1;
	for (high = segments.count; low < high;) {
		size_t middle = low + (high - low) / 2;
		uint64_t sequence;

		mg_segment_name(file, name, segments.list[middle].first, ".jsonl");
		if (begins_before(directory, file, since, &sequence))
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0)
		*from = segments.list[low - 1].first;
	if (low == segments.count) {
		uint64_t sequence;

		mg_segment_name(file, name, 0, ".jsonl");
		if (begins_before(directory, file, since, &sequence))
			*from = sequence;
	}
	mg_segments_free(&segments);
	return 0;
}

/* --- one log --- */

struct log {
	char name[MG_SEGMENT_NAME];
	struct mg_spool_reader *reader;
	struct mg_record record; /* its next event */
	int64_t utc;
	int64_t place; /* its time, or of one about the log itself, that of the one before */
	bool ready; /* there is one */
};

struct mg_logs {
	char *path;
	int directory, watch;
	bool all;
	int64_t since;
	struct log *list;
	size_t count;
	struct log *given; /* whose event was given out last */
	bool dirty; /* the directory may have another log */
};

/* Whether an event is of the daemon's own life: it has the time it was written, and those around it
 * may be of a log of Postfix that is read hours later. */
static bool is_of_daemon(const struct mg_record *record)
{
	static const char *const marks[] = {
		"\"action\":\"log-opened\"", "\"action\":\"config-", "\"action\":\"events-lost\""};

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (strstr(record->line, marks[i]) != NULL)
			return true;
	return false;
}

static int read_log(struct log *log, int64_t since, struct mg_error *error)
{
	int got = 0;

	log->ready = false;
	while (!log->ready && (got = mg_spool_reader_next(log->reader, &log->record, error)) > 0)
		log->ready = log->record.state != MG_RECORD_DAMAGED &&
			     mg_line_time(log->record.line, log->record.length, &log->utc) &&
			     log->utc >= since;
	if (log->ready && !is_of_daemon(&log->record))
		log->place = log->utc;
	return got < 0 ? -1 : 0;
}

static int add_log(struct mg_logs *logs, const char *name, struct mg_error *error)
{
	struct log *list;
	uint64_t from;

	for (size_t i = 0; i < logs->count; i++)
		if (strcmp(logs->list[i].name, name) == 0)
			return 0;
	if (find_begin(logs->directory, name, logs->since, &from, error) != 0)
		return -1;
	list = realloc(logs->list, (logs->count + 1) * sizeof *list);
	if (list == NULL) {
		mg_error_set(error, "%s: out of memory", logs->path);
		return -1;
	}
	logs->list = list;
	list += logs->count;
	*list = (struct log){.reader = mg_spool_reader_open(logs->path, name, from, error)};
	mg_str_copy(list->name, sizeof list->name, name);
	if (list->reader == NULL)
		return -1;
	logs->count++;
	return 0;
}

/* Opens logs that are new. */
static int add_logs(struct mg_logs *logs, struct mg_error *error)
{
	struct mg_log_names names;
	int result = 0;

	if (!logs->dirty)
		return 0;
	if (mg_log_names_read(logs->path, &names, error) != 0)
		return -1;
	for (size_t i = 0; i < names.count && result == 0; i++)
		result = add_log(logs, names.list[i], error);
	mg_log_names_free(&names);
	logs->dirty = false;
	return result;
}

/* --- all of them --- */

/* Looks for more in the logs that had none, and for new logs. */
static int look_again(struct mg_logs *logs, struct mg_error *error)
{
	if (add_logs(logs, error) != 0)
		return -1;
	for (size_t i = 0; i < logs->count; i++)
		if (!logs->list[i].ready && read_log(&logs->list[i], logs->since, error) != 0)
			return -1;
	return 0;
}

int mg_logs_next(struct mg_logs *logs, struct mg_logs_event *event, struct mg_error *error)
{
	struct log *first = NULL;
	int result;

	/* A log that has come to its end is looked at again when all have. */
	result = logs->given != NULL ? read_log(logs->given, logs->since, error)
				     : look_again(logs, error);
	if (result != 0)
		return -1;
	for (size_t i = 0; i < logs->count; i++)
		if (logs->list[i].ready && (first == NULL || logs->list[i].place < first->place))
			first = &logs->list[i];
	logs->given = first;
	if (first == NULL)
		return 0;
	*event = (struct mg_logs_event){.name = first->name,
		.line = first->record.line,
		.length = first->record.length,
		.utc = first->utc};
	return 1;
}

void mg_logs_wait(struct mg_logs *logs, int64_t timeout)
{
	struct pollfd watch = {.fd = logs->watch, .events = POLLIN};
	int milliseconds = (int)(timeout / MG_MILLISECOND);
	char events[4096];

	if (logs->watch < 0 && milliseconds > LOOK)
		milliseconds = LOOK;
	if (poll(&watch, 1, milliseconds) > 0)
		while (read(logs->watch, events, sizeof events) > 0)
			continue;
	logs->dirty = logs->all;
}

struct mg_logs *mg_logs_open(
	const char *directory, const char *name, int64_t since, struct mg_error *error)
{
	struct mg_logs *logs = calloc(1, sizeof *logs);

	if (logs == NULL) {
		mg_error_set(error, "%s: out of memory", directory);
		return NULL;
	}
	logs->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	logs->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (logs->watch >= 0 && inotify_add_watch(logs->watch, directory,
					IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		close(logs->watch);
		logs->watch = -1;
	}
	logs->path = strdup(directory);
	logs->all = logs->dirty = name == NULL;
	logs->since = since;
	if (logs->directory < 0)
		mg_error_system(error, errno, "%s", directory);
	else if (logs->path == NULL)
		mg_error_set(error, "%s: out of memory", directory);
	else if ((name != NULL ? add_log(logs, name, error) : 0) == 0 &&
		 look_again(logs, error) == 0)
		return logs;
	mg_logs_close(logs);
	return NULL;
}

void mg_logs_close(struct mg_logs *logs)
{
	if (logs == NULL)
		return;
	for (size_t i = 0; i < logs->count; i++)
		mg_spool_reader_close(logs->list[i].reader);
	if (logs->directory >= 0)
		close(logs->directory);
	if (logs->watch >= 0)
		close(logs->watch);
	free(logs->list);
	free(logs->path);
	free(logs);
}
