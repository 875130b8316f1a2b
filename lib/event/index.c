/* SPDX-License-Identifier: ISC */
#include "event/index.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "event/index_file.h"
#include "event/lines.h"
#include "event/segment.h"
#include "event/spool.h"

/* The fields whose values are keys. fold: compared without regard to case; tail: only the last
 * characters count. */
struct key_field {
	const char *path[4];
	bool fold;
	size_t tail;
};

static const struct key_field key_fields[] = {
	{.path = {"trace", "id"}},
	{.path = {"millgate", "session", "key"}},
	{.path = {"email", "local_id"}},
	{.path = {"email", "message_id"}},
	{.path = {"email", "sender", "address"}, .fold = true},
	{.path = {"email", "to", "address"}, .fold = true},
	{.path = {"email", "from", "address"}, .fold = true},
	{.path = {"millgate", "header", "to"}, .fold = true},
	{.path = {"millgate", "header", "cc"}, .fold = true},
	{.path = {"event", "id"}, .fold = true, .tail = 8},
};

/* Called for each key of a line; false ends. */
typedef bool use_key(void *context, const char *key, bool fold);

static bool use_text(
	const json_t *value, const struct key_field *field, use_key *use, void *context)
{
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);

	if (text == NULL || length == 0)
		return true;
	return use(context,
		length > field->tail && field->tail > 0 ? text + length - field->tail : text,
		field->fold);
}

/* Gives the keys of a line to `use` until it returns false. */
static void each_key(const char *line, size_t length, use_key *use, void *context)
{
	json_t *event = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
	bool go_on = true;

	for (size_t i = 0; go_on && i < sizeof key_fields / sizeof key_fields[0]; i++) {
		const struct key_field *field = &key_fields[i];
		const json_t *value = event;

		for (size_t part = 0; part < 4 && field->path[part] != NULL; part++)
			value = json_object_get(value, field->path[part]);
		if (!json_is_array(value)) {
			go_on = use_text(value, field, use, context);
			continue;
		}
		for (size_t at = 0; go_on && at < json_array_size(value); at++)
			go_on = use_text(json_array_get(value, at), field, use, context);
	}
	json_decref(event);
}

/* FNV-1a, 64 bits, over the lower-case text. A collision costs a look at a line, no more. */
static uint64_t hash_of(const char *key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *key != '\0'; key++) {
		unsigned char character = (unsigned char)*key;

		if (character >= 'A' && character <= 'Z')
			character |= 0x20;
		hash = (hash ^ character) * UINT64_C(0x100000001b3);
	}
	return hash;
}

/* --- building --- */

struct collector {
	struct mg_index_pairs pairs;
	uint64_t offset;
	bool failed;
};

static bool collect(void *context, const char *key, bool fold)
{
	struct collector *collector = context;

	(void)fold; /* the hash is without regard to case */
	if (!mg_index_pairs_add(&collector->pairs, hash_of(key), collector->offset))
		collector->failed = true;
	return !collector->failed;
}

/* "….jsonl" to "….idx"; NULL when out of memory or it is no segment. */
static char *index_path(const char *segment)
{
	size_t length = strlen(segment), end = strlen(".jsonl");
	char *path = NULL;

	if (length < end || strcmp(segment + length - end, ".jsonl") != 0 ||
		asprintf(&path, "%.*s.idx", (int)(length - end), segment) < 0)
		return NULL;
	return path;
}

int mg_index_build(const char *segment, struct mg_error *error)
{
	struct collector collector = {0};
	struct mg_lines lines = {0};
	struct mg_line line;
	struct stat status;
	char *path = index_path(segment);
	int fd = open(segment, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), got = -1, result = -1;

	if (fd < 0 || fstat(fd, &status) != 0) {
		mg_error_system(error, errno, "%s", segment);
		goto done;
	}
	if (path == NULL || !mg_lines_init(&lines, fd, 0)) {
		mg_error_set(error, "%s: out of memory, or no segment", segment);
		goto done;
	}
	while (!collector.failed && (got = mg_lines_next(&lines, &line)) > 0) {
		collector.offset = line.offset;
		if (line.whole)
			each_key(line.text, line.length, collect, &collector);
	}
	if (got < 0)
		mg_error_system(error, errno, "%s", segment);
	else if (collector.failed)
		mg_error_set(error, "%s: out of memory", segment);
	else
		result = mg_index_file_write(
			path, &collector.pairs, (uint64_t)status.st_size, error);
done:
	mg_index_pairs_free(&collector.pairs);
	mg_lines_free(&lines);
	if (fd >= 0)
		close(fd);
	free(path);
	return result;
}

/* --- looking up --- */

struct search {
	const char *directory, *name, *key;
	char *escaped; /* the key as it stands in a line */
	int (*found)(void *context, const char *line, size_t length);
	void *context;
	struct mg_lines lines;
	int64_t hits;
	bool ended;
};

struct match {
	const char *key;
	bool found;
};

static bool compare(void *context, const char *key, bool fold)
{
	struct match *match = context;

	match->found = fold ? mg_str_equal_nocase(key, match->key) : strcmp(key, match->key) == 0;
	return !match->found;
}

/* Tells a line that has the key. */
static void look_at(struct search *search, const struct mg_line *line)
{
	struct match match = {.key = search->key};

	/* Cheap first: most lines of a file that is read through have nothing of it. */
	if (!line->whole || strcasestr(line->text, search->escaped) == NULL)
		return;
	each_key(line->text, line->length, compare, &match);
	if (!match.found)
		return;
	search->hits++;
	search->ended = !search->found(search->context, line->text, line->length);
}

/* Reads a whole file. */
static int read_through(struct search *search, int fd)
{
	struct mg_line line;
	int got = 0;

	mg_lines_restart(&search->lines, fd, 0);
	while (!search->ended && (got = mg_lines_next(&search->lines, &line)) > 0)
		look_at(search, &line);
	return search->ended ? 0 : got;
}

/* Reads the lines of a segment that its index names; an index that cannot be used is built anew,
 * and if that cannot be, the whole segment is read. */
static int look_up(struct search *search, int fd, const char *path, uint64_t bytes)
{
	struct mg_index_pairs pairs = {0};
	uint64_t hash = hash_of(search->key);
	char *index = index_path(path);
	int result = 0;

	if (index == NULL || (!mg_index_file_find(index, bytes, hash, &pairs) &&
				     (mg_index_build(path, NULL) != 0 ||
					     !mg_index_file_find(index, bytes, hash, &pairs)))) {
		result = read_through(search, fd);
		goto done;
	}
	for (size_t i = 0; i < pairs.count && !search->ended && result >= 0; i++) {
		struct mg_line line;

		mg_lines_restart(&search->lines, fd, pairs.list[i].offset);
		result = mg_lines_next(&search->lines, &line);
		if (result > 0)
			look_at(search, &line);
	}
done:
	mg_index_pairs_free(&pairs);
	free(index);
	return result < 0 ? -1 : 0;
}

static int search_segment(
	struct search *search, const struct mg_segment *segment, struct mg_error *error)
{
	char file[MG_SEGMENT_NAME], *path = NULL;
	int fd = -1, result = -1;

	mg_segment_name(file, search->name, segment->first, ".jsonl");
	if (asprintf(&path, "%s/%s", search->directory, file) < 0) {
		mg_error_set(error, "%s: out of memory", file);
		return -1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		result = 0; /* trimmed meanwhile */
	else if (fd < 0 || look_up(search, fd, path, segment->bytes) != 0)
		mg_error_system(error, errno, "%s", path);
	else
		result = 0;
	if (fd >= 0)
		close(fd);
	free(path);
	return result;
}

/* The key with the escapes that it has in a line; NULL when out of memory. */
static char *escape(const char *key)
{
	json_t *text = json_stringn_nocheck(key, strlen(key));
	char *quoted = json_dumps(text, JSON_ENCODE_ANY);
	size_t length = quoted == NULL ? 0 : strlen(quoted);

	json_decref(text);
	if (length < 2) {
		free(quoted);
		return NULL;
	}
	memmove(quoted, quoted + 1, length - 2);
	quoted[length - 2] = '\0';
	return quoted;
}

/* The sealed segments in order, then the open file, which may be sealed meanwhile: it is opened
 * first and known by its inode. */
static int search_log(struct search *search, int directory, int open_file, struct mg_error *error)
{
	struct mg_segments segments;
	struct stat status = {0};
	int result = 0;

	if (open_file >= 0 && fstat(open_file, &status) != 0) {
		mg_error_system(error, errno, "%s/%s.jsonl", search->directory, search->name);
		return -1;
	}
	if (mg_segments_list(directory, search->name, &segments, error) != 0)
		return -1;
	for (size_t i = 0; i < segments.count && !search->ended && result == 0; i++)
		if (open_file < 0 || segments.list[i].inode != status.st_ino)
			result = search_segment(search, &segments.list[i], error);
	if (result == 0 && open_file >= 0 && !search->ended &&
		read_through(search, open_file) < 0) {
		mg_error_system(error, errno, "%s/%s.jsonl", search->directory, search->name);
		result = -1;
	}
	mg_segments_free(&segments);
	return result;
}

int64_t mg_index_find(const char *directory, const char *name, const char *key,
	int (*found)(void *context, const char *line, size_t length), void *context,
	struct mg_error *error)
{
	struct search search = {.directory = directory,
		.name = name,
		.key = key,
		.found = found,
		.context = context};
	char file[MG_SEGMENT_NAME];
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), open_file = -1, result = -1;

	mg_segment_name(file, name, 0, ".jsonl");
	if (fd >= 0)
		open_file = openat(fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || (open_file < 0 && errno != ENOENT)) {
		mg_error_system(error, errno, "%s/%s", directory, file);
		goto done;
	}
	search.escaped = escape(key);
	if (search.escaped == NULL || !mg_lines_init(&search.lines, -1, 0))
		mg_error_set(error, "%s/%s: out of memory, or the key is no text", directory, file);
	else
		result = search_log(&search, fd, open_file, error);
done:
	free(search.escaped);
	mg_lines_free(&search.lines);
	if (open_file >= 0)
		close(open_file);
	if (fd >= 0)
		close(fd);
	return result == 0 ? search.hits : -1;
}
