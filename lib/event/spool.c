/* SPDX-License-Identifier: ISC */
#include "event/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/index.h"
#include "event/index_file.h"
#include "event/segment.h"
#include "event/spool_start.h"
#include "event/spool_writer.h"

enum { BATCH_MAX = 1024 * 1024, NAME_BYTES_MAX = 64 };

/* A thread that appends, on its own stack. */
struct waiter {
	struct mg_spool_document document; /* first: a list of documents is one of waiters */
	struct mg_error error;
	bool done;
	pthread_cond_t wake;
};

enum trouble { TROUBLE_SYNC = MG_TROUBLE_COUNT, TROUBLE_INDEX, TROUBLE_COUNT };

struct mg_spool {
	int lock;
	char *path, *name;
	struct mg_spool_writer writer; /* of the thread that set `writing` */

	pthread_mutex_t mutex; /* for all below */
	pthread_cond_t idle; /* nobody writes: for guests */
	bool writing;
	unsigned guests; /* threads that want the writer for something else: served first */
	struct mg_spool_document *head, **tail;
	struct mg_spool_state state;
	bool dirty; /* written and not synced */
	bool index_wanted; /* a sealed segment may have no index */
	struct mg_error troubles[TROUBLE_COUNT]; /* of the writer, then of housekeeping; "" none */
	struct mg_error told; /* the last one that tick told */
};

/* --- taking turns: the mutex is held --- */

static void stop_writing(struct mg_spool *spool)
{
	spool->writing = false;
	if (spool->guests > 0)
		pthread_cond_signal(&spool->idle);
	else if (spool->head != NULL)
		pthread_cond_signal(&((struct waiter *)spool->head)->wake);
}

/* Becomes the writer for something else than appending. */
static void begin_as_guest(struct mg_spool *spool)
{
	spool->guests++;
	while (spool->writing)
		pthread_cond_wait(&spool->idle, &spool->mutex);
	spool->guests--;
	spool->writing = true;
}

/* What the writer did, for others to see. */
static void publish(struct mg_spool *spool)
{
	struct mg_spool_writer *writer = &spool->writer;

	if (writer->sequence != spool->state.sequence && !writer->settings.durable)
		spool->dirty = true;
	spool->state = (struct mg_spool_state){.sequence = writer->sequence,
		.bytes = writer->sealed_bytes + writer->bytes,
		.segments = writer->sealed_segments + 1,
		.lost = writer->lost,
		.failing = writer->troubles[MG_TROUBLE_WRITE].text[0] != '\0'};
	memcpy(spool->troubles, writer->troubles, sizeof writer->troubles);
	spool->index_wanted = spool->index_wanted || writer->rotated;
	writer->rotated = false;
}

/* Takes from the queue what one batch holds: not more than the file has room for, at least one. */
static struct mg_spool_document *take_batch(struct mg_spool *spool)
{
	uint64_t segment = spool->writer.settings.segment_bytes, bytes = spool->writer.bytes;
	uint64_t left = segment > bytes ? segment - bytes : 0;
	size_t room = left < BATCH_MAX ? (size_t)left : BATCH_MAX, taken = 0;
	struct mg_spool_document *batch = spool->head, **end = &spool->head;

	while (*end != NULL && (taken == 0 || taken + (*end)->length <= room)) {
		taken += (*end)->length;
		end = &(*end)->next;
	}
	spool->head = *end;
	*end = NULL;
	if (spool->head == NULL)
		spool->tail = &spool->head;
	return batch;
}

/* Tells the threads of a batch how it ended. Each may be gone as soon as the mutex is free. */
static void finish_batch(struct mg_spool_document *batch, const struct mg_error *error)
{
	while (batch != NULL) {
		struct waiter *waiter = (struct waiter *)batch;

		batch = batch->next;
		if (waiter->document.sequence == 0)
			waiter->error = *error;
		waiter->done = true;
		pthread_cond_signal(&waiter->wake);
	}
}

/* Writes one batch for all that wait. The mutex is free while files are touched. */
static void lead(struct mg_spool *spool)
{
	struct mg_spool_document *batch;

	spool->writing = true;
	pthread_mutex_unlock(&spool->mutex);
	mg_spool_writer_rotate(&spool->writer);
	pthread_mutex_lock(&spool->mutex);
	batch = take_batch(spool);
	pthread_mutex_unlock(&spool->mutex);
	mg_spool_writer_write(&spool->writer, batch);
	pthread_mutex_lock(&spool->mutex);
	publish(spool);
	finish_batch(batch, &spool->troubles[MG_TROUBLE_WRITE]);
	stop_writing(spool);
}

uint64_t mg_spool_append(
	struct mg_spool *spool, const char *document, size_t length, struct mg_error *error)
{
	struct waiter waiter = {.document = {.text = document, .length = length}};

	if (length > MG_DOCUMENT_MAX || memchr(document, '\n', length) != NULL) {
		mg_error_set(error, "%s: no document of a record (%zu bytes)", spool->name, length);
		return 0;
	}
	pthread_cond_init(&waiter.wake, NULL);
	pthread_mutex_lock(&spool->mutex);
	*spool->tail = &waiter.document;
	spool->tail = &waiter.document.next;
	while (!waiter.done) {
		if (!spool->writing && spool->guests == 0)
			lead(spool);
		else
			pthread_cond_wait(&waiter.wake, &spool->mutex);
	}
	pthread_mutex_unlock(&spool->mutex);
	pthread_cond_destroy(&waiter.wake);
	if (waiter.document.sequence == 0)
		mg_error_set(error, "%s/%s.jsonl: %s", spool->path, spool->name, waiter.error.text);
	return waiter.document.sequence;
}

/* --- housekeeping --- */

static void set_trouble(struct mg_spool *spool, enum trouble trouble, const struct mg_error *error)
{
	pthread_mutex_lock(&spool->mutex);
	spool->troubles[trouble] = error == NULL ? (struct mg_error){""} : *error;
	pthread_mutex_unlock(&spool->mutex);
}

/* Writes the notes that are due; with `rotate` goes on to the next file when it is time. When
 * something was written since the last sync: a descriptor to sync, else -1; *dirty says which. */
static int keep_house(struct mg_spool *spool, bool rotate, bool *dirty)
{
	int fd = -1;

	pthread_mutex_lock(&spool->mutex);
	begin_as_guest(spool);
	pthread_mutex_unlock(&spool->mutex);
	if (rotate)
		mg_spool_writer_rotate(&spool->writer);
	mg_spool_writer_write(&spool->writer, NULL);
	pthread_mutex_lock(&spool->mutex);
	publish(spool);
	*dirty = spool->dirty;
	if (*dirty)
		fd = fcntl(spool->writer.fd, F_DUPFD_CLOEXEC, 0);
	spool->dirty = false;
	stop_writing(spool);
	pthread_mutex_unlock(&spool->mutex);
	return fd;
}

/* Keeps house, then syncs while others go on writing. */
static void keep_house_and_sync(struct mg_spool *spool, bool rotate)
{
	struct mg_error error;
	bool dirty;
	int fd = keep_house(spool, rotate, &dirty);

	if (dirty && (fd < 0 || fdatasync(fd) != 0)) {
		mg_error_system(
			&error, errno, "%s/%s.jsonl: cannot sync", spool->path, spool->name);
		set_trouble(spool, TROUBLE_SYNC, &error);
	} else if (dirty) {
		set_trouble(spool, TROUBLE_SYNC, NULL);
	}
	if (fd >= 0)
		close(fd);
}

int mg_spool_sync(struct mg_spool *spool, struct mg_error *error)
{
	int fd, result = 0;

	/* A sealed file was synced when it was sealed. */
	pthread_mutex_lock(&spool->mutex);
	begin_as_guest(spool);
	fd = fcntl(spool->writer.fd, F_DUPFD_CLOEXEC, 0);
	stop_writing(spool);
	pthread_mutex_unlock(&spool->mutex);
	if (fd < 0 || fdatasync(fd) != 0) {
		mg_error_system(error, errno, "%s/%s.jsonl: cannot sync", spool->path, spool->name);
		result = -1;
	}
	if (fd >= 0)
		close(fd);
	return result;
}

/* Whether the segment of this sequence has a file with that suffix. */
static bool has_file(const struct mg_spool *spool, uint64_t first, const char *suffix)
{
	char file[MG_SEGMENT_NAME];

	mg_segment_name(file, spool->name, first, suffix);
	return faccessat(spool->writer.directory, file, F_OK, 0) == 0;
}

/* Whether a segment has an index of this version. */
static bool has_index(const struct mg_spool *spool, const struct mg_segment *segment)
{
	char file[MG_SEGMENT_NAME], *path = NULL;
	bool there;

	mg_segment_name(file, spool->name, segment->first, ".idx");
	if (asprintf(&path, "%s/%s", spool->path, file) < 0)
		return true;
	there = mg_index_file_is_of(path, segment->bytes);
	free(path);
	return there;
}

static void build_index(struct mg_spool *spool, uint64_t first)
{
	char file[MG_SEGMENT_NAME], *path = NULL;
	struct mg_error error;

	mg_segment_name(file, spool->name, first, ".jsonl");
	if (asprintf(&path, "%s/%s", spool->path, file) < 0)
		return;
	if (mg_index_build(path, &error) == 0)
		set_trouble(spool, TROUBLE_INDEX, NULL);
	else if (has_file(spool, first, ".jsonl"))
		set_trouble(spool, TROUBLE_INDEX, &error);
	/* Trimmed meanwhile. */
	if (!has_file(spool, first, ".jsonl")) {
		mg_segment_name(file, spool->name, first, ".idx");
		unlinkat(spool->writer.directory, file, 0);
	}
	free(path);
}

/* Builds one missing index: each takes a while, and housekeeping has more to do. */
static void index_one(struct mg_spool *spool)
{
	struct mg_segments segments;
	bool wanted;
	size_t i;

	pthread_mutex_lock(&spool->mutex);
	wanted = spool->index_wanted;
	spool->index_wanted = false;
	pthread_mutex_unlock(&spool->mutex);
	if (!wanted || mg_segments_list(spool->writer.directory, spool->name, &segments, NULL) != 0)
		return;
	for (i = 0; i < segments.count; i++)
		if (!has_index(spool, &segments.list[i])) {
			build_index(spool, segments.list[i].first);
			break;
		}
	pthread_mutex_lock(&spool->mutex);
	spool->index_wanted = spool->index_wanted || i < segments.count;
	pthread_mutex_unlock(&spool->mutex);
	mg_segments_free(&segments);
}

int mg_spool_tick(struct mg_spool *spool, struct mg_error *error)
{
	const struct mg_error none = {""}, *trouble = &none;
	int result = 0;

	keep_house_and_sync(spool, true);
	index_one(spool);
	pthread_mutex_lock(&spool->mutex);
	for (size_t i = 0; i < TROUBLE_COUNT && trouble->text[0] == '\0'; i++)
		trouble = &spool->troubles[i];
	if (strcmp(trouble->text, spool->told.text) != 0) {
		spool->told = *trouble;
		if (trouble->text[0] != '\0') {
			mg_error_set(error, "%s", trouble->text);
			result = -1;
		}
	}
	pthread_mutex_unlock(&spool->mutex);
	return result;
}

/* --- the rest of the interface --- */

/* directory and name stay those of the spool. */
static void set_settings(struct mg_spool *spool, const struct mg_spool_settings *settings)
{
	spool->writer.settings = *settings;
	spool->writer.settings.directory = spool->path;
	spool->writer.settings.name = spool->name;
}

void mg_spool_set(struct mg_spool *spool, const struct mg_spool_settings *settings)
{
	pthread_mutex_lock(&spool->mutex);
	begin_as_guest(spool);
	set_settings(spool, settings);
	stop_writing(spool);
	pthread_mutex_unlock(&spool->mutex);
}

void mg_spool_set_compose(struct mg_spool *spool, mg_spool_compose *compose, void *context)
{
	pthread_mutex_lock(&spool->mutex);
	begin_as_guest(spool);
	spool->writer.compose = compose;
	spool->writer.context = context;
	stop_writing(spool);
	pthread_mutex_unlock(&spool->mutex);
}

void mg_spool_state(struct mg_spool *spool, struct mg_spool_state *state)
{
	pthread_mutex_lock(&spool->mutex);
	*state = spool->state;
	pthread_mutex_unlock(&spool->mutex);
}

/* Begins where the log ended. */
static bool start(struct mg_spool *spool, struct mg_error *error)
{
	struct mg_spool_writer *writer = &spool->writer;

	writer->path = spool->path;
	writer->name = spool->name;
	writer->directory = open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (writer->directory < 0) {
		mg_error_system(error, errno, "%s", spool->path);
		return false;
	}
	spool->lock = mg_spool_lock(writer->directory, spool->path, spool->name, error);
	if (spool->lock < 0 || !mg_spool_writer_start(writer, error))
		return false;
	keep_house_and_sync(spool, false);
	return true;
}

struct mg_spool *mg_spool_open(const struct mg_spool_settings *settings,
	const struct mg_clock *clock, mg_spool_compose *compose, void *context,
	struct mg_error *error)
{
	struct mg_spool *spool = calloc(1, sizeof *spool);

	if (spool == NULL || strlen(settings->name) > NAME_BYTES_MAX) {
		mg_error_set(error, "%s/%s.jsonl: %s", settings->directory, settings->name,
			spool == NULL ? "out of memory" : "the name is too long");
		free(spool);
		return NULL;
	}
	spool->writer = (struct mg_spool_writer){
		.directory = -1, .fd = -1, .clock = clock, .compose = compose, .context = context};
	spool->lock = -1;
	spool->tail = &spool->head;
	spool->path = strdup(settings->directory);
	spool->name = strdup(settings->name);
	pthread_mutex_init(&spool->mutex, NULL);
	pthread_cond_init(&spool->idle, NULL);
	set_settings(spool, settings);
	if (spool->path == NULL || spool->name == NULL)
		mg_error_set(
			error, "%s/%s.jsonl: out of memory", settings->directory, settings->name);
	else if (start(spool, error))
		return spool;
	mg_spool_close(spool);
	return NULL;
}

void mg_spool_close(struct mg_spool *spool)
{
	if (spool == NULL)
		return;
	if (spool->writer.fd >= 0)
		keep_house_and_sync(spool, false);
	mg_spool_writer_close(&spool->writer);
	if (spool->writer.directory >= 0)
		close(spool->writer.directory);
	if (spool->lock >= 0)
		close(spool->lock);
	pthread_mutex_destroy(&spool->mutex);
	pthread_cond_destroy(&spool->idle);
	free(spool->path);
	free(spool->name);
	free(spool);
}
