/* SPDX-License-Identifier: ISC */
#include "event/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "event/chain.h"
#include "event/lines.h"

enum { DIGITS = 20 };

void mg_segment_name(
	char target[MG_SEGMENT_NAME], const char *name, uint64_t first, const char *suffix)
{
	if (first == 0)
		mg_str_format(target, MG_SEGMENT_NAME, "%s%s", name, suffix);
	else
		mg_str_format(target, MG_SEGMENT_NAME, "%s-%020" PRIu64 "%s", name, first, suffix);
}

/* The first sequence of the sealed segment that has this file name; 0 when it is none of this
 * log. */
static uint64_t first_of(const char *file, const char *name)
{
	size_t length = strlen(name);
	char digits[DIGITS + 1];
	uint64_t first;

	if (strncmp(file, name, length) != 0 || file[length] != '-' ||
		strlen(file + length + 1) != DIGITS + strlen(".jsonl") ||
		strcmp(file + length + 1 + DIGITS, ".jsonl") != 0)
		return 0;
	memcpy(digits, file + length + 1, DIGITS);
	digits[DIGITS] = '\0';
	return mg_str_number(digits, UINT64_MAX - 1, &first) ? first : 0;
}

static int by_first(const void *one, const void *other)
{
	const struct mg_segment *a = one, *b = other;

	return a->first < b->first ? -1 : a->first > b->first;
}

static bool add(
	struct mg_segments *segments, size_t *room, uint64_t first, const struct stat *status)
{
	if (segments->count == *room) {
		size_t more = *room == 0 ? 64 : *room * 2;
		struct mg_segment *list = realloc(segments->list, more * sizeof *list);

		if (list == NULL)
			return false;
		segments->list = list;
		*room = more;
	}
	segments->list[segments->count++] = (struct mg_segment){.first = first,
		.bytes = (uint64_t)status->st_size,
		.modified = status->st_mtim.tv_sec * MG_SECOND + status->st_mtim.tv_nsec,
		.inode = status->st_ino};
	return true;
}

int mg_segments_list(
	int directory, const char *name, struct mg_segments *segments, struct mg_error *error)
{
	/* A descriptor of its own: one that is shared has one position. */
	int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = own < 0 ? NULL : fdopendir(own);
	const struct dirent *entry;
	size_t room = 0;

	*segments = (struct mg_segments){0};
	if (stream == NULL) {
		mg_error_system(error, errno, "%s: cannot list the log's directory", name);
		if (own >= 0)
			close(own);
		return -1;
	}
	while (errno = 0, (entry = readdir(stream)) != NULL) {
		uint64_t first = first_of(entry->d_name, name);
		struct stat status;

		/* One that went meanwhile was trimmed. */
		if (first == 0 || fstatat(directory, entry->d_name, &status, 0) != 0)
			continue;
		if (!add(segments, &room, first, &status)) {
			errno = ENOMEM;
			break;
		}
	}
	if (errno != 0) {
		mg_error_system(error, errno, "%s: cannot list the log's directory", name);
		closedir(stream);
		mg_segments_free(segments);
		return -1;
	}
	closedir(stream);
	if (segments->count > 0)
		qsort(segments->list, segments->count, sizeof *segments->list, by_first);
	return 0;
}

void mg_segments_free(struct mg_segments *segments)
{
	free(segments->list);
	*segments = (struct mg_segments){0};
}

const struct mg_segment *mg_segments_after(const struct mg_segments *segments, uint64_t sequence)
{
	for (size_t i = 0; i < segments->count; i++)
		if (segments->list[i].first > sequence)
			return &segments->list[i];
	return NULL;
}

bool mg_segment_begin(int directory, const char *file, uint64_t *sequence, int64_t *utc)
{
	int fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct mg_lines lines = {0};
	struct mg_line line;
	bool good = false;

	if (fd >= 0 && mg_lines_init(&lines, fd, 0) && mg_lines_next(&lines, &line) > 0) {
		*sequence = mg_chain_sequence(line.text, line.length);
		good = *sequence > 0 && mg_line_time(line.text, line.length, utc);
	}
	mg_lines_free(&lines);
	if (fd >= 0)
		close(fd);
	return good;
}
