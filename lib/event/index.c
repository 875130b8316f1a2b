/* SPDX-License-Identifier: ISC */
#include "event/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/keys.h"
#include "event/lines.h"

/* FNV-1a, 64 bits, over the lower-case text. A collision costs a look at a line, no more. */
uint64_t mg_index_hash(const char *key, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < length; i++) {
		unsigned char character = (unsigned char)key[i];

		if (character >= 'A' && character <= 'Z')
			character |= 0x20;
		hash = (hash ^ character) * UINT64_C(0x100000001b3);
	}
	return hash;
}

struct collector {
	struct mg_index_pairs *pairs;
	uint64_t offset;
	bool failed;
};

static bool collect(void *context, const char *key, size_t length, bool fold)
{
	struct collector *collector = context;

	(void)fold; /* the hash is without regard to case */
	if (!mg_index_pairs_add(collector->pairs, mg_index_hash(key, length), collector->offset))
		collector->failed = true;
	return !collector->failed;
}

int mg_index_collect(int fd, const char *path, struct mg_index_pairs *pairs, struct mg_error *error)
{
	struct collector collector = {.pairs = pairs};
	struct mg_buf scratch = {0};
	struct mg_lines lines;
	struct mg_line line;
	int got = -1;

	if (!mg_lines_init(&lines, fd, 0)) {
		mg_error_set(error, "%s: out of memory", path);
		return -1;
	}
	while (!collector.failed && (got = mg_lines_next(&lines, &line)) > 0) {
		collector.offset = line.offset;
		if (line.whole)
			mg_keys_each(line.text, line.length, &scratch, collect, &collector);
	}
	if (collector.failed || scratch.failed)
		mg_error_set(error, "%s: out of memory", path);
	else if (got < 0)
		mg_error_system(error, errno, "%s", path);
	mg_buf_free(&scratch);
	mg_lines_free(&lines);
	return collector.failed || scratch.failed ? -1 : got;
}

char *mg_index_path(const char *segment)
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
	struct mg_index_pairs pairs = {0};
	struct stat status;
	char *path = mg_index_path(segment);
	int fd = open(segment, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), result = -1;

	if (fd < 0 || fstat(fd, &status) != 0)
		mg_error_system(error, errno, "%s", segment);
	else if (path == NULL)
		mg_error_set(error, "%s: out of memory, or no segment", segment);
	else if (mg_index_collect(fd, segment, &pairs, error) == 0)
		result = mg_index_file_write(path, &pairs, (uint64_t)status.st_size, error);
	mg_index_pairs_free(&pairs);
	if (fd >= 0)
		close(fd);
	free(path);
	return result;
}
