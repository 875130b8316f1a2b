/* SPDX-License-Identifier: ISC */
#include "event/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "event/chain.h"
#include "event/index.h"
#include "event/segment.h"
#include "event/spool_start.h"
#include "event/spool_trim.h"

_Static_assert(MG_DOCUMENT_MAX + MG_CHAIN_OVERHEAD <= MG_RECORD_MAX, "the end of a record fits");
_Static_assert((int)MG_HASH_BYTES == (int)MG_CHAIN_HASH, "one size of a hash");

enum { FILE_MODE = 0640, BATCH_MAX = 1024 * 1024, NAME_MAX_BYTES = 64 };

#define DAY (86400 * MG_SECOND)

/* A thread that appends, on its own stack. */
struct waiter {
	const char *document;
	size_t length;
	uint64_t sequence;
	struct mg_error error;
	bool done;
	pthread_cond_t wake;
	struct waiter *next;
};

/* What the writer alone touches: the thread that set `writing`. */
struct writer {
	int fd;
	uint64_t bytes, first; /* of the open file; first 0: it has no record yet */
	int64_t begun; /* UTC ns of its first record */
	uint64_t sequence; /* of the last record */
	unsigned char hash[MG_HASH_BYTES];
	struct mg_buf batch;
	const char *opened; /* reason of a log-opened record that is due, or NULL */
	uint64_t torn_bytes; /* for it */
	uint64_t lost_count; /* records that could not be written, not yet told */
	int64_t lost_start, lost_end;
	char lost_reason[160];
	struct mg_trimmed trimmed; /* likewise, removed before every sink had them */
	bool uncut; /* the file may have half a batch behind `bytes` */
	bool renamed; /* it has its sealed name already, the next could not be made */
};

enum trouble {
	TROUBLE_WRITE,
	TROUBLE_ROTATE,
	TROUBLE_TRIM,
	TROUBLE_SYNC,
	TROUBLE_INDEX,
	TROUBLE_COUNT
};

struct mg_spool {
	int directory, lock;
	const struct mg_clock *clock;
	struct writer writer;
	char *path, *name;

	pthread_mutex_t mutex; /* for all below */
	pthread_cond_t idle; /* nobody writes: for guests */
	bool writing;
	unsigned guests; /* threads that want to be the writer without appending: first served */
	struct waiter *head, **tail;
	struct mg_spool_settings settings;
	mg_spool_compose *compose;
	void *context;
	struct mg_spool_state state;
	bool dirty; /* written and not synced */
	bool index_wanted; /* a sealed segment may have no index */
	struct mg_error troubles[TROUBLE_COUNT]; /* "" none */
	struct mg_error told; /* the last one that tick told */
};

/* --- the writer: one thread at a time; the mutex is not held --- */

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, bytes, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			errno = put == 0 ? EIO : errno;
			return false;
		}
		bytes += put;
		length -= (size_t)put;
	}
	return true;
}

/* Adds a record to the batch; false when out of memory. */
static bool add_record(
	struct writer *writer, const char *document, size_t length, uint64_t *sequence)
{
	size_t start = writer->batch.length;

	mg_buf_add(&writer->batch, document, length);
	if (!mg_chain_seal(&writer->batch, start, *sequence + 1, writer->hash))
		return false;
	++*sequence;
	return true;
}

static bool add_note(struct mg_spool *spool, const struct mg_spool_note *note, uint64_t *sequence)
{
	char *document = spool->compose(spool->context, note);
	bool good;

	if (document == NULL)
		return false;
	good = strlen(document) <= MG_DOCUMENT_MAX &&
	       add_record(&spool->writer, document, strlen(document), sequence);
	free(document);
	return good;
}

static bool add_notes(struct mg_spool *spool, uint64_t *sequence)
{
	const struct writer *writer = &spool->writer;
	bool good = true;

	if (writer->opened != NULL) {
		struct mg_spool_note note = {.kind = MG_NOTE_OPENED,
			.reason = writer->opened,
			.torn_bytes = writer->torn_bytes};

		mg_str_hex(note.previous_hash, writer->hash, MG_HASH_BYTES);
		good = add_note(spool, &note, sequence);
	}
	if (good && writer->lost_count > 0)
		good = add_note(spool,
			&(struct mg_spool_note){.kind = MG_NOTE_LOST,
				.reason = writer->lost_reason,
				.lost_count = writer->lost_count,
				.start = writer->lost_start,
				.end = writer->lost_end},
			sequence);
	if (good && writer->trimmed.lost_count > 0)
		good = add_note(spool,
			&(struct mg_spool_note){.kind = MG_NOTE_LOST,
				.reason = "limit",
				.lost_count = writer->trimmed.lost_count,
				.first = writer->trimmed.lost_first,
				.last = writer->trimmed.lost_last},
			sequence);
	return good;
}

/* Removes what a failed write left behind the last record. */
static bool cut_back(struct writer *writer)
{
	writer->uncut = ftruncate(writer->fd, (off_t)writer->bytes) != 0;
	return !writer->uncut;
}

/* The notes that are due and the documents, as records, in one write. 0, or -1 with error: then
 * nothing of it is in the file and no sequence is used. */
static int write_batch(struct mg_spool *spool, struct waiter *batch, struct mg_error *error)
{
	struct writer *writer = &spool->writer;
	uint64_t sequence = writer->sequence;
	unsigned char hash[MG_HASH_BYTES];
	bool good;

	if (writer->uncut && !cut_back(writer)) {
		mg_error_system(
			error, errno, "write failed: the rest of an earlier one cannot be cut off");
		return -1;
	}
	memcpy(hash, writer->hash, sizeof hash);
	mg_buf_reset(&writer->batch);
	good = add_notes(spool, &sequence);
	for (struct waiter *waiter = batch; good && waiter != NULL; waiter = waiter->next) {
		good = add_record(writer, waiter->document, waiter->length, &sequence);
		waiter->sequence = sequence;
	}
	if (!good)
		mg_error_set(error, "write failed: out of memory");
	else if (!write_all(writer->fd, writer->batch.data, writer->batch.length) ||
		 (spool->settings.durable && fdatasync(writer->fd) != 0)) {
		mg_error_system(error, errno, "write failed");
		cut_back(writer);
		good = false;
	}
	if (!good) {
		memcpy(writer->hash, hash, sizeof hash);
		return -1;
	}
	if (writer->first == 0 && sequence > writer->sequence)
		writer->first = writer->sequence + 1;
	writer->bytes += writer->batch.length;
	writer->sequence = sequence;
	writer->opened = NULL;
	writer->torn_bytes = writer->lost_count = writer->trimmed.lost_count = 0;
	return 0;
}

static bool note_due(const struct writer *writer)
{
	return writer->opened != NULL || writer->lost_count > 0 || writer->trimmed.lost_count > 0;
}

/* Remembers records that could not be written. */
static void count_lost(struct mg_spool *spool, uint64_t count, const struct mg_error *error)
{
	struct writer *writer = &spool->writer;
	int64_t now = spool->clock->utc(spool->clock);

	if (writer->lost_count == 0)
		writer->lost_start = now;
	writer->lost_end = now;
	writer->lost_count += count;
	mg_str_copy(writer->lost_reason, sizeof writer->lost_reason, error->text);
}

static void set_trouble(struct mg_spool *spool, enum trouble trouble, const struct mg_error *error)
{
	pthread_mutex_lock(&spool->mutex);
	spool->troubles[trouble] = error == NULL ? (struct mg_error){""} : *error;
	pthread_mutex_unlock(&spool->mutex);
}

/* Removes old segments and counts what is left. */
static void trim(struct mg_spool *spool)
{
	struct writer *writer = &spool->writer;
	struct mg_trimmed trimmed;
	struct mg_error error;
	int result =
		mg_spool_trim(spool->directory, &spool->settings, spool->clock->utc(spool->clock),
			writer->first > 0 ? writer->first : writer->sequence + 1, writer->bytes,
			&trimmed, &error);

	set_trouble(spool, TROUBLE_TRIM, result == 0 ? NULL : &error);
	if (trimmed.lost_count > 0) {
		if (writer->trimmed.lost_count == 0)
			writer->trimmed.lost_first = trimmed.lost_first;
		writer->trimmed.lost_last = trimmed.lost_last;
		writer->trimmed.lost_count += trimmed.lost_count;
	}
	pthread_mutex_lock(&spool->mutex);
	spool->state.segments = trimmed.segments + 1;
	spool->state.bytes = trimmed.bytes + writer->bytes;
	spool->state.lost += trimmed.lost_count;
	spool->index_wanted = true;
	pthread_mutex_unlock(&spool->mutex);
}

/* Gives the open file its sealed name and makes the next. 0, or -1 with errno: the file is
 * written on, and this is tried again. */
static int next_file(struct mg_spool *spool)
{
	struct writer *writer = &spool->writer;
	char open_name[MG_SEGMENT_NAME], sealed_name[MG_SEGMENT_NAME];
	int fd, old = writer->fd;

	mg_segment_name(open_name, spool->name, 0, ".jsonl");
	mg_segment_name(sealed_name, spool->name, writer->first, ".jsonl");
	if (!writer->renamed) {
		if (faccessat(spool->directory, sealed_name, F_OK, 0) == 0) {
			errno = EEXIST;
			return -1;
		}
		if (fdatasync(old) != 0 ||
			renameat(spool->directory, open_name, spool->directory, sealed_name) != 0)
			return -1;
		writer->renamed = true;
	}
	fd = openat(spool->directory, open_name,
		O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return -1;
	if (fchmod(fd, FILE_MODE) != 0 || fsync(spool->directory) != 0) {
		int number = errno;

		close(fd);
		unlinkat(spool->directory, open_name, 0);
		errno = number;
		return -1;
	}
	pthread_mutex_lock(&spool->mutex);
	writer->fd = fd;
	pthread_mutex_unlock(&spool->mutex);
	close(old);
	return 0;
}

/* Goes on to the next file when this one is full or a day old. */
static void rotate_if_due(struct mg_spool *spool)
{
	struct writer *writer = &spool->writer;
	int64_t now = spool->clock->utc(spool->clock);
	bool full = writer->bytes >= spool->settings.segment_bytes;
	struct mg_error error;

	if (writer->first == 0 || writer->uncut || writer->opened != NULL ||
		(!full && now - writer->begun < DAY))
		return;
	if (next_file(spool) != 0) {
		mg_error_system(&error, errno, "%s/%s.jsonl: cannot begin the next file",
			spool->path, spool->name);
		set_trouble(spool, TROUBLE_ROTATE, &error);
		return;
	}
	set_trouble(spool, TROUBLE_ROTATE, NULL);
	writer->bytes = writer->first = 0;
	writer->begun = now;
	writer->renamed = false;
	writer->opened = full ? "size" : "age";
	trim(spool);
}

/* --- taking turns: the mutex is held --- */

static void stop_writing(struct mg_spool *spool)
{
	spool->writing = false;
	if (spool->guests > 0)
		pthread_cond_signal(&spool->idle);
	else if (spool->head != NULL)
		pthread_cond_signal(&spool->head->wake);
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

/* What a write changed, for others to see. before: bytes of the file before it. */
static void publish(
	struct mg_spool *spool, uint64_t before, int result, const struct mg_error *error)
{
	const struct writer *writer = &spool->writer;

	spool->state.sequence = writer->sequence;
	spool->state.bytes += writer->bytes - before;
	spool->state.failing = result != 0;
	spool->troubles[TROUBLE_WRITE] = result != 0 ? *error : (struct mg_error){""};
	if (writer->bytes > before && !spool->settings.durable)
		spool->dirty = true;
}

/* Takes from the queue what one batch holds: not more than the file has room for, at least one. */
static struct waiter *take_batch(struct mg_spool *spool)
{
	const struct writer *writer = &spool->writer;
	uint64_t left = spool->settings.segment_bytes > writer->bytes
				? spool->settings.segment_bytes - writer->bytes
				: 0;
	size_t room = left < BATCH_MAX ? (size_t)left : BATCH_MAX, taken = 0;
	struct waiter *batch = spool->head, **end = &spool->head;

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
static uint64_t finish_batch(struct waiter *batch, int result, const struct mg_error *error)
{
	uint64_t count = 0;

	while (batch != NULL) {
		struct waiter *next = batch->next;

		if (result != 0) {
			batch->sequence = 0;
			batch->error = *error;
		}
		batch->done = true;
		pthread_cond_signal(&batch->wake);
		batch = next;
		count++;
	}
	return count;
}

/* Writes one batch for all that wait. */
static void lead(struct mg_spool *spool)
{
	struct writer *writer = &spool->writer;
	struct mg_error error;
	struct waiter *batch;
	uint64_t before, count;
	int result;

	spool->writing = true;
	pthread_mutex_unlock(&spool->mutex);
	rotate_if_due(spool);
	pthread_mutex_lock(&spool->mutex);
	batch = take_batch(spool);
	pthread_mutex_unlock(&spool->mutex);
	before = writer->bytes;
	result = write_batch(spool, batch, &error);
	pthread_mutex_lock(&spool->mutex);
	publish(spool, before, result, &error);
	count = finish_batch(batch, result, &error);
	if (result != 0) {
		count_lost(spool, count, &error);
		spool->state.lost += count;
	}
	stop_writing(spool);
}

/* --- interface --- */

uint64_t mg_spool_append(
	struct mg_spool *spool, const char *document, size_t length, struct mg_error *error)
{
	struct waiter waiter = {.document = document, .length = length};

	if (length > MG_DOCUMENT_MAX || memchr(document, '\n', length) != NULL) {
		mg_error_set(error, "%s: no document of a record (%zu bytes)", spool->name, length);
		return 0;
	}
	pthread_cond_init(&waiter.wake, NULL);
	pthread_mutex_lock(&spool->mutex);
	*spool->tail = &waiter;
	spool->tail = &waiter.next;
	while (!waiter.done) {
		if (!spool->writing && spool->guests == 0)
			lead(spool);
		else
			pthread_cond_wait(&waiter.wake, &spool->mutex);
	}
	pthread_mutex_unlock(&spool->mutex);
	pthread_cond_destroy(&waiter.wake);
	if (waiter.sequence == 0)
		mg_error_set(error, "%s/%s.jsonl: %s", spool->path, spool->name, waiter.error.text);
	return waiter.sequence;
}

/* Writes the notes that are due; with `rotate` goes on to the next file when it is time. */
static void keep_house(struct mg_spool *spool, bool rotate)
{
	struct writer *writer = &spool->writer;
	struct mg_error error;
	uint64_t before;
	int result;

	pthread_mutex_lock(&spool->mutex);
	begin_as_guest(spool);
	pthread_mutex_unlock(&spool->mutex);
	if (rotate)
		rotate_if_due(spool);
	before = writer->bytes;
	result = note_due(writer) || writer->uncut ? write_batch(spool, NULL, &error) : 0;
	pthread_mutex_lock(&spool->mutex);
	publish(spool, before, result, &error);
	stop_writing(spool);
	pthread_mutex_unlock(&spool->mutex);
}

/* Syncs what was written since the last time, while others go on writing. */
static void sync_file(struct mg_spool *spool)
{
	struct mg_error error;
	int fd = -1;
	bool dirty;

	pthread_mutex_lock(&spool->mutex);
	dirty = spool->dirty;
	if (dirty)
		fd = fcntl(spool->writer.fd, F_DUPFD_CLOEXEC, 0);
	spool->dirty = false;
	pthread_mutex_unlock(&spool->mutex);
	if (!dirty)
		return;
	if (fd < 0 || fdatasync(fd) != 0) {
		mg_error_system(
			&error, errno, "%s/%s.jsonl: cannot sync", spool->path, spool->name);
		set_trouble(spool, TROUBLE_SYNC, &error);
	} else {
		set_trouble(spool, TROUBLE_SYNC, NULL);
	}
	if (fd >= 0)
		close(fd);
}

/* Whether the segment of this sequence has a file with that suffix. */
static bool has_file(const struct mg_spool *spool, uint64_t first, const char *suffix)
{
	char file[MG_SEGMENT_NAME];

	mg_segment_name(file, spool->name, first, suffix);
	return faccessat(spool->directory, file, F_OK, 0) == 0;
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
		unlinkat(spool->directory, file, 0);
	}
	free(path);
}

/* Builds one missing index: each takes a while, and housekeeping has more to do. */
static void index_one(struct mg_spool *spool)
{
	struct mg_segments segments;
	size_t i;

	pthread_mutex_lock(&spool->mutex);
	if (!spool->index_wanted) {
		pthread_mutex_unlock(&spool->mutex);
		return;
	}
	spool->index_wanted = false;
	pthread_mutex_unlock(&spool->mutex);
	if (mg_segments_list(spool->directory, spool->name, &segments, NULL) != 0)
		return;
	for (i = 0; i < segments.count; i++)
		if (!has_file(spool, segments.list[i].first, ".idx")) {
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

	keep_house(spool, true);
	sync_file(spool);
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

void mg_spool_set(struct mg_spool *spool, const struct mg_spool_settings *settings)
{
	pthread_mutex_lock(&spool->mutex);
	begin_as_guest(spool);
	spool->settings = *settings;
	spool->settings.directory = spool->path;
	spool->settings.name = spool->name;
	stop_writing(spool);
	pthread_mutex_unlock(&spool->mutex);
}

void mg_spool_set_compose(struct mg_spool *spool, mg_spool_compose *compose, void *context)
{
	pthread_mutex_lock(&spool->mutex);
	begin_as_guest(spool);
	spool->compose = compose;
	spool->context = context;
	stop_writing(spool);
	pthread_mutex_unlock(&spool->mutex);
}

void mg_spool_state(struct mg_spool *spool, struct mg_spool_state *state)
{
	pthread_mutex_lock(&spool->mutex);
	*state = spool->state;
	pthread_mutex_unlock(&spool->mutex);
}

/* Begins where the log ended; the first record waits for keep_house. */
static bool start(struct mg_spool *spool, struct mg_error *error)
{
	struct writer *writer = &spool->writer;
	struct mg_spool_start begin;

	spool->directory = open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->directory < 0) {
		mg_error_system(error, errno, "%s", spool->path);
		return false;
	}
	spool->lock = mg_spool_lock(spool->directory, spool->path, spool->name, error);
	if (spool->lock < 0 ||
		mg_spool_recover(spool->directory, spool->path, spool->name, &begin, error) != 0)
		return false;
	writer->fd = begin.fd;
	writer->bytes = begin.bytes;
	writer->first = begin.first;
	writer->begun = begin.bytes > 0 ? begin.begun : spool->clock->utc(spool->clock);
	writer->sequence = begin.sequence;
	memcpy(writer->hash, begin.hash, sizeof writer->hash);
	writer->torn_bytes = begin.torn_bytes;
	writer->opened = begin.damaged ? "damaged" : "start";
	return true;
}

struct mg_spool *mg_spool_open(const struct mg_spool_settings *settings,
	const struct mg_clock *clock, mg_spool_compose *compose, void *context,
	struct mg_error *error)
{
	struct mg_spool *spool = calloc(1, sizeof *spool);

	if (spool == NULL || strlen(settings->name) > NAME_MAX_BYTES) {
		mg_error_set(error, "%s/%s.jsonl: %s", settings->directory, settings->name,
			spool == NULL ? "out of memory" : "the name is too long");
		free(spool);
		return NULL;
	}
	spool->directory = spool->lock = spool->writer.fd = -1;
	spool->clock = clock;
	spool->compose = compose;
	spool->context = context;
	spool->tail = &spool->head;
	spool->path = strdup(settings->directory);
	spool->name = strdup(settings->name);
	pthread_mutex_init(&spool->mutex, NULL);
	pthread_cond_init(&spool->idle, NULL);
	if (spool->path == NULL || spool->name == NULL) {
		mg_error_set(
			error, "%s/%s.jsonl: out of memory", settings->directory, settings->name);
		mg_spool_close(spool);
		return NULL;
	}
	mg_spool_set(spool, settings);
	if (!start(spool, error)) {
		mg_spool_close(spool);
		return NULL;
	}
	trim(spool);
	keep_house(spool, false);
	return spool;
}

void mg_spool_close(struct mg_spool *spool)
{
	if (spool == NULL)
		return;
	if (spool->writer.fd >= 0) {
		keep_house(spool, false);
		sync_file(spool);
		close(spool->writer.fd);
	}
	if (spool->directory >= 0)
		close(spool->directory);
	if (spool->lock >= 0)
		close(spool->lock);
	mg_buf_free(&spool->writer.batch);
	pthread_mutex_destroy(&spool->mutex);
	pthread_cond_destroy(&spool->idle);
	free(spool->path);
	free(spool->name);
	free(spool);
}
