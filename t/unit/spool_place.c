/* SPDX-License-Identifier: ISC */
#include "spool_place.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH_BYTES 256

void place_make(struct spool_place *place)
{
	strcpy(place->directory, "/tmp/millgate-spool-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	place->settings = (struct mg_spool_settings){.directory = place->directory,
		.name = "log",
		.segment_bytes = UINT64_C(1) << 40,
		.keep_bytes = UINT64_C(1) << 50,
		.hard_limit_bytes = UINT64_C(1) << 50,
		.keep_age = INT64_MAX};
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void place_remove(struct spool_place *place)
{
	assert_int_equal(nftw(place->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int64_t still_utc(const struct mg_clock *clock)
{
	return ((const struct still_clock *)clock)->utc;
}

void still_clock_set(struct still_clock *clock, int64_t utc)
{
	*clock = (struct still_clock){{still_utc, still_utc}, utc};
}

char *place_compose(void *context, const struct mg_spool_note *note)
{
	char *document = NULL;
	int length;

	if (context != NULL && *(bool *)context)
		return NULL;
	if (note->kind == MG_NOTE_OPENED)
		length = asprintf(&document,
			"{\"@timestamp\":\"2026-11-25T00:00:00.000000Z\",\"millgate\":{\"log\":{\"previous_hash\":\"%s\","
			"\"torn_bytes\":%" PRIu64
			"}},\"event\":{\"action\":\"log-opened\",\"reason\":\"%s\"",
			note->previous_hash, note->torn_bytes, note->reason);
	else
		length = asprintf(&document,
			"{\"@timestamp\":\"2026-11-25T00:00:00.000000Z\",\"millgate\":{\"lost\":{\"count\":%" PRIu64
			",\"first\":%" PRIu64 ",\"last\":%" PRIu64
			"}},\"event\":{\"action\":\"events-lost\",\"reason\":\"%s\"",
			note->lost_count, note->first, note->last, note->reason);
	return length < 0 ? NULL : document;
}

struct mg_spool *place_open(const struct spool_place *place)
{
	struct mg_error error = {""};
	struct mg_spool *spool =
		mg_spool_open(&place->settings, &mg_clock_system, place_compose, NULL, &error);

	if (spool == NULL)
		fail_msg("%s", error.text);
	return spool;
}

uint64_t place_try(struct mg_spool *spool, const char *reason, struct mg_error *error)
{
	char document[1024];
	int length = snprintf(document, sizeof document,
		"{\"@timestamp\":\"2026-11-25T00:00:01.000000Z\",\"event\":{\"action\":\"test\",\"reason\":\"%s\"",
		reason);

	return mg_spool_append(spool, document, (size_t)length, error);
}

uint64_t place_append(struct mg_spool *spool, const char *reason)
{
	struct mg_error error = {""};
	uint64_t sequence = place_try(spool, reason, &error);

	if (sequence == 0)
		fail_msg("%s", error.text);
	return sequence;
}

char *place_findings(const struct spool_place *place, int *result)
{
	struct mg_error error = {""};
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	*result = mg_spool_verify(place->directory, place->settings.name, stream, NULL, &error);
	fclose(stream);
	if (*result < 0)
		fail_msg("%s", error.text);
	return text;
}

int place_verify(const struct spool_place *place, struct mg_spool_report *report)
{
	struct mg_error error = {""};
	FILE *stream = fopen("/dev/null", "w");
	int result;

	assert_non_null(stream);
	result = mg_spool_verify(place->directory, place->settings.name, stream, report, &error);
	fclose(stream);
	if (result < 0)
		fail_msg("%s", error.text);
	return result;
}

static const char *path_of(const struct spool_place *place, const char *file, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", place->directory, file);
	return path;
}

char *place_read(const struct spool_place *place, const char *file, size_t *length)
{
	char path[PATH_BYTES], *bytes;
	struct stat status;
	int fd = open(path_of(place, file, path), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	assert_int_equal(fstat(fd, &status), 0);
	bytes = malloc((size_t)status.st_size + 1);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, (size_t)status.st_size), status.st_size);
	bytes[status.st_size] = '\0';
	close(fd);
	if (length != NULL)
		*length = (size_t)status.st_size;
	return bytes;
}

void place_write(
	const struct spool_place *place, const char *file, const char *bytes, size_t length)
{
	char path[PATH_BYTES];
	int fd = open(path_of(place, file, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
}

bool place_has(const struct spool_place *place, const char *file)
{
	char path[PATH_BYTES];

	return access(path_of(place, file, path), F_OK) == 0;
}
