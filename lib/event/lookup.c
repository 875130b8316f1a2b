/* SPDX-License-Identifier: ISC */
#include "event/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parallel.h"
#include "base/str.h"
#include "event/index.h"
#include "event/keys.h"
#include "event/lines.h"
#include "event/logs.h"
#include "event/segment.h"

struct file {
	char *path;
	uint64_t bytes;
	int fd; /* of the open file, which may be sealed meanwhile; -1 of a sealed one */
	bool unindexed; /* sealed, and its index cannot be written */
	bool collected; /* pairs are those of the open file */
	struct mg_index_pairs pairs;
};

struct log {
	char name[MG_SEGMENT_NAME];
	struct file *files; /* in the order of their records */
	size_t count;
};

struct mg_lookup {
	struct log *logs;
	size_t count;
	struct mg_lines lines;
	struct mg_buf scratch;
};

/* --- files --- */

static bool add_file(struct log *log, const char *directory, const char *name, int fd)
{
	struct file *files = realloc(log->files, (log->count + 1) * sizeof *files);
	struct file *file;

	if (files == NULL)
		return false;
	log->files = files;
	file = &files[log->count];
	*file = (struct file){.fd = fd};
	if (asprintf(&file->path, "%s/%s", directory, name) < 0)
		return false;
	log->count++;
	return true;
}

/* The sealed segments, then the open file, which may be sealed meanwhile: it is opened first and
 * known by its inode. */
static int list_files(
	struct log *log, int folder, const char *directory, int fd, struct mg_error *error)
{
	struct mg_segments segments;
	struct stat status = {0};
	char file[MG_SEGMENT_NAME];
	bool good = true;

	if (fd >= 0 && fstat(fd, &status) != 0) {
		mg_error_system(error, errno, "%s/%s.jsonl", directory, log->name);
		return -1;
	}
	if (mg_segments_list(folder, log->name, &segments, error) != 0)
		return -1;
	for (size_t i = 0; i < segments.count && good; i++) {
		if (fd >= 0 && segments.list[i].inode == status.st_ino)
			continue;
		mg_segment_name(file, log->name, segments.list[i].first, ".jsonl");
		good = add_file(log, directory, file, -1);
		if (good)
			log->files[log->count - 1].bytes = segments.list[i].bytes;
	}
	mg_segments_free(&segments);
	mg_segment_name(file, log->name, 0, ".jsonl");
	good = good && (fd < 0 || add_file(log, directory, file, fd));
	if (!good)
		mg_error_set(error, "%s/%s: out of memory", directory, log->name);
	return good ? 0 : -1;
}

static int add_log(struct mg_lookup *lookup, const char *directory, int folder, const char *name,
	struct mg_error *error)
{
	struct log *logs = realloc(lookup->logs, (lookup->count + 1) * sizeof *logs);
	char file[MG_SEGMENT_NAME];
	int fd, result;

	if (logs == NULL) {
		mg_error_set(error, "%s: out of memory", directory);
		return -1;
	}
	lookup->logs = logs;
	logs += lookup->count++;
	*logs = (struct log){.count = 0};
	mg_str_copy(logs->name, sizeof logs->name, name);
	mg_segment_name(file, name, 0, ".jsonl");
	fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno != ENOENT) {
		mg_error_system(error, errno, "%s/%s", directory, file);
		return -1;
	}
	result = list_files(logs, folder, directory, fd, error);
	if (fd >= 0 && (logs->count == 0 || logs->files[logs->count - 1].fd != fd))
		close(fd);
	return result;
}

static bool has_index(const struct file *file)
{
	char *path = mg_index_path(file->path);
	bool there = path != NULL && mg_index_file_is_of(path, file->bytes);

	free(path);
	return there;
}

/* Files that something is done with, several at a time. */
struct work {
	struct file **files;
	size_t count;
	uint64_t total; /* bytes of them */
	_Atomic uint64_t done;
	pthread_t teller; /* who tells the progress */
	mg_lookup_progress *progress;
	void *context;
};

static bool has_no_index(const struct file *file)
{
	return file->fd < 0 && !has_index(file);
}

static bool is_open(const struct file *file)
{
	return file->fd >= 0;
}

/* The files of all logs that are so; false when out of memory. */
static bool pick_files(
	const struct mg_lookup *lookup, bool (*wanted)(const struct file *file), struct work *work)
{
	size_t count = 0;

	for (size_t i = 0; i < lookup->count; i++)
		count += lookup->logs[i].count;
	work->files = malloc((count + 1) * sizeof(struct file *));
	for (size_t i = 0; work->files != NULL && i < lookup->count; i++)
		for (size_t at = 0; at < lookup->logs[i].count; at++)
			if (wanted(&lookup->logs[i].files[at])) {
				work->files[work->count++] = &lookup->logs[i].files[at];
				work->total += lookup->logs[i].files[at].bytes;
			}
	return work->files != NULL;
}

static void build_one(void *context, size_t index)
{
	struct work *work = context;
	struct file *file = work->files[index];
	bool tells = work->progress != NULL && pthread_equal(pthread_self(), work->teller);

	if (tells)
		work->progress(work->context, work->done, work->total);
	file->unindexed = mg_index_build(file->path, NULL) != 0;
	work->done += file->bytes;
}

/* Builds the indexes that are missing; where there is no memory for it they are found missing when
 * they are wanted. */
static void build_indexes(struct mg_lookup *lookup, mg_lookup_progress *progress, void *context)
{
	struct work work = {.teller = pthread_self(), .progress = progress, .context = context};

	if (pick_files(lookup, has_no_index, &work))
		mg_parallel(work.count, build_one, &work);
	if (progress != NULL && work.count > 0)
		progress(context, work.total, work.total);
	free(work.files);
}

static void collect_one(void *context, size_t index)
{
	struct work *work = context;
	struct file *file = work->files[index];

	file->collected = mg_index_collect(file->fd, file->path, &file->pairs, NULL) == 0;
	if (file->collected)
		mg_index_pairs_sort(&file->pairs);
	else
		mg_index_pairs_free(&file->pairs);
}

/* Reads the open files. What cannot be read now is an error when it is looked up. */
static void collect_open_files(struct mg_lookup *lookup)
{
	struct work work = {.count = 0};

	if (pick_files(lookup, is_open, &work))
		mg_parallel(work.count, collect_one, &work);
	free(work.files);
}

static int add_logs(struct mg_lookup *lookup, const char *directory, int folder, const char *name,
	struct mg_error *error)
{
	struct mg_log_names names;
	int result = 0;

	if (name != NULL)
		return add_log(lookup, directory, folder, name, error);
	if (mg_log_names_read(directory, &names, error) != 0)
		return -1;
	for (size_t i = 0; i < names.count && result == 0; i++)
		result = add_log(lookup, directory, folder, names.list[i], error);
	mg_log_names_free(&names);
	return result;
}

struct mg_lookup *mg_lookup_open(const char *directory, const char *name,
	mg_lookup_progress *progress, void *context, struct mg_error *error)
{
	struct mg_lookup *lookup = calloc(1, sizeof *lookup);
	int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = -1;

	if (folder < 0)
		mg_error_system(error, errno, "%s", directory);
	else if (lookup == NULL || !mg_lines_init(&lookup->lines, -1, 0))
		mg_error_set(error, "%s: out of memory", directory);
	else
		result = add_logs(lookup, directory, folder, name, error);
	if (folder >= 0)
		close(folder);
	if (result != 0) {
		mg_lookup_close(lookup);
		return NULL;
	}
	build_indexes(lookup, progress, context);
	collect_open_files(lookup);
	return lookup;
}

void mg_lookup_close(struct mg_lookup *lookup)
{
	if (lookup == NULL)
		return;
	for (size_t i = 0; i < lookup->count; i++) {
		struct log *log = &lookup->logs[i];

		for (size_t at = 0; at < log->count; at++) {
			mg_index_pairs_free(&log->files[at].pairs);
			if (log->files[at].fd >= 0)
				close(log->files[at].fd);
			free(log->files[at].path);
		}
		free(log->files);
	}
	free(lookup->logs);
	mg_lines_free(&lookup->lines);
	mg_buf_free(&lookup->scratch);
	free(lookup);
}

/* --- looking up --- */

struct search {
	struct mg_lookup *lookup;
	const char *const *keys;
	uint64_t *hashes;
	size_t count;
	bool newest_first;
	mg_lookup_found *found;
	void *context;
};

struct match {
	const struct search *search;
	bool found;
};

static bool compare(void *context, const char *text, size_t length, bool fold)
{
	struct match *match = context;

	for (size_t i = 0; i < match->search->count && !match->found; i++) {
		const char *key = match->search->keys[i];

		match->found = strlen(key) == length && (fold ? strncasecmp(key, text, length)
							      : memcmp(key, text, length)) == 0;
	}
	return !match->found;
}

/* Tells a line that has a key; false: enough. */
static bool look_at(struct search *search, const struct log *log, const struct mg_line *line)
{
	struct match match = {.search = search};
	struct mg_lookup_hit hit = {.name = log->name, .line = line->text, .length = line->length};

	if (line->whole)
		mg_keys_each(line->text, line->length, &search->lookup->scratch, compare, &match);
	return !match.found || search->found(search->context, &hit);
}

/* Adds the pairs of the keys among all of a file, which it sorts. */
static int pick_pairs(const struct search *search, struct mg_index_pairs *all, const char *path,
	struct mg_index_pairs *hits, struct mg_error *error)
{
	for (size_t i = 0; i < search->count; i++)
		if (!mg_index_pairs_find(all, search->hashes[i], hits)) {
			mg_error_set(error, "%s: out of memory", path);
			return -1;
		}
	return 0;
}

/* The same of an open file, whose pairs are kept, or of one without index. */
static int read_pairs(const struct search *search, struct file *file, int fd,
	struct mg_index_pairs *hits, struct mg_error *error)
{
	struct mg_index_pairs own = {0}, *pairs = file->fd >= 0 ? &file->pairs : &own;
	int result = 0;

	if (!file->collected) {
		result = mg_index_collect(fd, file->path, pairs, error);
		mg_index_pairs_sort(pairs);
		file->collected = file->fd >= 0;
	}
	if (result == 0)
		result = pick_pairs(search, pairs, file->path, hits, error);
	mg_index_pairs_free(&own);
	return result;
}

/* The same of a sealed file; an index that cannot be used is built anew, and if that cannot be, the
 * file is read. */
static int index_pairs(const struct search *search, struct file *file, int fd,
	struct mg_index_pairs *hits, struct mg_error *error)
{
	char *path = mg_index_path(file->path);
	bool good = false;

	if (path == NULL) {
		mg_error_set(error, "%s: out of memory", file->path);
		return -1;
	}
	if (!file->unindexed)
		good = mg_index_file_find(path, file->bytes, search->hashes, search->count, hits);
	if (!good && !file->unindexed) {
		file->unindexed = mg_index_build(file->path, NULL) != 0;
		good = !file->unindexed &&
		       mg_index_file_find(path, file->bytes, search->hashes, search->count, hits);
	}
	free(path);
	return good ? 0 : read_pairs(search, file, fd, hits, error);
}

static int by_offset(const void *one, const void *other)
{
	const struct mg_index_pair *a = one, *b = other;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Tells the lines that hits name, each once. 1 enough, 0, -1 with error. */
static int tell(struct search *search, const struct log *log, const struct file *file, int fd,
	struct mg_index_pairs *hits, struct mg_error *error)
{
	struct mg_lines *lines = &search->lookup->lines;

	if (hits->count > 0)
		qsort(hits->list, hits->count, sizeof *hits->list, by_offset);
	for (size_t i = 0; i < hits->count; i++) {
		size_t at = search->newest_first ? hits->count - 1 - i : i;
		struct mg_line line;
		int got;

		if (at > 0 && hits->list[at].offset == hits->list[at - 1].offset)
			continue;
		mg_lines_restart(lines, fd, hits->list[at].offset);
		got = mg_lines_next(lines, &line);
		if (got < 0) {
			mg_error_system(error, errno, "%s", file->path);
			return -1;
		}
		if (got > 0 && !look_at(search, log, &line))
			return 1;
	}
	return 0;
}

/* 1 enough, 0, -1 with error. */
static int search_file(
	struct search *search, const struct log *log, struct file *file, struct mg_error *error)
{
	struct mg_index_pairs hits = {0};
	int fd = file->fd, result;

	if (fd < 0)
		fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0; /* trimmed meanwhile */
	if (fd < 0) {
		mg_error_system(error, errno, "%s", file->path);
		return -1;
	}
	result = file->fd >= 0 ? read_pairs(search, file, fd, &hits, error)
			       : index_pairs(search, file, fd, &hits, error);
	if (result == 0)
		result = tell(search, log, file, fd, &hits, error);
	mg_index_pairs_free(&hits);
	if (file->fd < 0)
		close(fd);
	return result;
}

int mg_lookup_find(struct mg_lookup *lookup, const char *const keys[], size_t count,
	bool newest_first, mg_lookup_found *found, void *context, struct mg_error *error)
{
	struct search search = {.lookup = lookup,
		.keys = keys,
		.hashes = calloc(count + 1, sizeof *search.hashes),
		.count = count,
		.newest_first = newest_first,
		.found = found,
		.context = context};
	int result = 0;

	if (search.hashes == NULL) {
		mg_error_set(error, "looking up: out of memory");
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		search.hashes[i] = mg_index_hash(keys[i], strlen(keys[i]));
	for (size_t i = 0; i < lookup->count && result >= 0; i++) {
		struct log *log = &lookup->logs[i];

		result = 0;
		for (size_t at = 0; at < log->count && result == 0; at++)
			result = search_file(&search, log,
				&log->files[newest_first ? log->count - 1 - at : at], error);
	}
	free(search.hashes);
	return result < 0 ? -1 : 0;
}
