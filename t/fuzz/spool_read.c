/* SPDX-License-Identifier: ISC */
/* The event log as it may be found on a disk: the input is the bytes of a sealed segment and of
 * the open file (cut at the place that its first two bytes say). Verifying it ends and counts no
 * more than there is; a spool goes on behind it with a sequence that was not there. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/lookup.h"
#include "event/spool.h"
#include "event/spool_read.h"

#define SEALED "log-00000000000000000001.jsonl"
#define NEAR_MAXIMUM UINT64_C(100000000000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[64];
static FILE *nowhere;

static const char *const files[] = {
	"log.jsonl", SEALED, "log-00000000000000000001.idx", "log.torn", "log.lock"};

static const char *path_of(const char *file)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", directory, file);
	return path;
}

static void remove_files(void)
{
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		unlink(path_of(files[i]));
}

static void remove_directory(void)
{
	remove_files();
	rmdir(directory);
}

/* A directory of its own, in memory where there is one. */
static void make_directory(void)
{
	if (nowhere != NULL)
		return;
	nowhere = fopen("/dev/null", "w");
	strcpy(directory, "/dev/shm/millgate-fuzz-XXXXXX");
	if (mkdtemp(directory) == NULL) {
		strcpy(directory, "/tmp/millgate-fuzz-XXXXXX");
		if (mkdtemp(directory) == NULL)
			abort();
	}
	atexit(remove_directory);
}

static void write_file(const char *file, const uint8_t *bytes, size_t size)
{
	int fd = open(path_of(file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	close(fd);
}

static char *compose(void *context, const struct mg_spool_note *note)
{
	char *document = NULL;

	(void)context;
	return asprintf(&document, "{\"previous_hash\":\"%s\",\"event\":{\"reason\":\"%s\"",
		       note->previous_hash, note->reason) < 0
		       ? NULL
		       : document;
}

static void append_behind(const struct mg_spool_report *before)
{
	const struct mg_spool_settings settings = {.directory = directory,
		.name = "log",
		.segment_bytes = UINT64_MAX / 2,
		.keep_bytes = UINT64_MAX / 2,
		.hard_limit_bytes = UINT64_MAX / 2,
		.keep_age = INT64_MAX};
	static const char document[] = "{\"event\":{\"reason\":\"x\"";
	struct mg_spool *spool = mg_spool_open(&settings, &mg_clock_system, compose, NULL, NULL);
	struct mg_spool_report after;
	uint64_t sequence;

	assert(spool != NULL);
	sequence = mg_spool_append(spool, document, strlen(document), NULL);
	mg_spool_close(spool);
	if (before->last > NEAR_MAXIMUM || sequence > NEAR_MAXIMUM)
		return;
	assert(sequence > before->last);
	assert(mg_spool_verify(directory, "log", nowhere, &after, NULL) >= 0);
	assert(!after.torn);
	assert(after.last == sequence);
}

static bool found(void *context, const struct mg_lookup_hit *hit)
{
	(void)context;
	assert(strlen(hit->line) <= hit->length);
	return true;
}

static void look_up(void)
{
	static const char *const keys[] = {"a@example.com", "x"};
	struct mg_lookup *lookup = mg_lookup_open(directory, NULL, NULL, NULL, NULL);

	assert(lookup != NULL);
	assert(mg_lookup_find(lookup, keys, 2, false, found, NULL, NULL) == 0);
	assert(mg_lookup_find(lookup, keys, 2, true, found, NULL, NULL) == 0);
	mg_lookup_close(lookup);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mg_spool_report report;
	size_t cut = 0, lines = 2;

	make_directory();
	if (size >= 2) {
		cut = ((size_t)data[0] << 8 | data[1]) % (size - 1);
		data += 2;
		size -= 2;
	}
	remove_files();
	if (cut > 0)
		write_file(SEALED, data, cut);
	write_file("log.jsonl", data + cut, size - cut);
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	assert(mg_spool_verify(directory, "log", nowhere, &report, NULL) >= 0);
	assert(report.records <= lines);
	assert(report.damaged <= report.records);
	look_up();
	append_behind(&report);
	return 0;
}
