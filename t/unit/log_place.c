/* SPDX-License-Identifier: ISC */
#include "log_place.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

void log_make(struct log_place *place)
{
	memset(place, 0, sizeof *place);
	strcpy(place->folder, "/tmp/millgate-log-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->log, sizeof place->log, "%s/mail.log", place->folder);
}

static void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

void log_remove(struct log_place *place)
{
	char command[128];

	track_source_close(place->source);
	snprintf(command, sizeof command, "rm -rf '%s'", place->folder);
	run(command);
}

const char *log_path(const struct log_place *place, const char *file)
{
	static char paths[4][160];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", place->folder, file);
	return path;
}

void log_put_bytes(
	const struct log_place *place, const char *file, const char *bytes, size_t length)
{
	int fd = open(log_path(place, file), O_WRONLY | O_APPEND | O_CREAT, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
}

void log_put(const struct log_place *place, const char *file, const char *texts)
{
	char line[1024];

	for (;;) {
		size_t length = strcspn(texts, "|");

		snprintf(line, sizeof line, "Nov 25 09:01:02 mx postfix/smtpd[1]: %.*s\n",
			(int)length, texts);
		log_put_bytes(place, file, line, strlen(line));
		if (texts[length] == '\0')
			return;
		texts += length + 1;
	}
}

void log_rename(const struct log_place *place, const char *from, const char *to)
{
	assert_int_equal(rename(log_path(place, from), log_path(place, to)), 0);
}

void log_copy(const struct log_place *place, const char *from, const char *to)
{
	char command[400];

	snprintf(command, sizeof command, "cp '%s' '%s'", log_path(place, from),
		log_path(place, to));
	run(command);
}

void log_truncate(const struct log_place *place, const char *file, long size)
{
	assert_int_equal(truncate(log_path(place, file), size), 0);
}

void log_unlink(const struct log_place *place, const char *file)
{
	assert_int_equal(unlink(log_path(place, file)), 0);
}

void log_gzip(const struct log_place *place, const char *file)
{
	char command[256];

	snprintf(command, sizeof command, "gzip '%s'", log_path(place, file));
	run(command);
}

void log_open(struct log_place *place)
{
	struct mg_error error = {""};

	place->source = track_source_open(place->log, place->position, &mg_clock_system, &error);
	if (place->source == NULL)
		fail_msg("%s", error.text);
}

static void tell(struct log_place *place, const struct track_record *record)
{
	size_t at = strlen(place->told), names = strlen(place->names);

	if (record->lost == INT64_MAX)
		snprintf(place->told + at, sizeof place->told - at, "(lost ?)|");
	else if (record->lost != 0)
		snprintf(place->told + at, sizeof place->told - at, "(lost %lld)|",
			(long long)record->lost);
	else
		snprintf(place->told + at, sizeof place->told - at, "%.*s%s|", (int)record->length,
			record->text, record->cut ? "(cut)" : "");
	if (record->lost != 0)
		snprintf(
			place->loss, sizeof place->loss, "%.*s", (int)record->length, record->text);
	snprintf(place->names + names, sizeof place->names - names, "%s\n", record->position);
}

const char *log_read_some(struct log_place *place, int count)
{
	struct track_record record;
	struct mg_error error = {""};
	time_t end = time(NULL) + 60;
	int status = 0;

	place->told[0] = place->names[0] = place->loss[0] = place->error[0] = '\0';
	while (count > 0 && time(NULL) < end) {
		status = track_source_next(place->source, &record, &error);
		if (status > 0) {
			tell(place, &record);
			count--;
		} else if (status < 0)
			break;
		else if (track_source_timeout(place->source) > 100 * MG_MILLISECOND)
			break;
		else
			usleep(1000);
	}
	if (status < 0)
		snprintf(place->error, sizeof place->error, "%s", error.text);
	return place->told;
}

const char *log_read(struct log_place *place)
{
	return log_read_some(place, 1 << 30);
}

void log_close(struct log_place *place)
{
	track_source_position(place->source, place->position);
	track_source_close(place->source);
	place->source = NULL;
}

const char *log_read_anew(struct log_place *place)
{
	log_open(place);
	log_read(place);
	log_close(place);
	return place->told;
}
