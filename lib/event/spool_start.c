/* SPDX-License-Identifier: ISC */
#include "event/spool_start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "event/lines.h"
#include "event/segment.h"

enum { FILE_MODE = 0640, BLOCK = 64 * 1024, WINDOW = 1024 * 1024, WINDOW_GROWTH = 32 };

int mg_spool_lock(int directory, const char *path, const char *name, struct mg_error *error)
{
	char file[MG_SEGMENT_NAME], owner[128], shown[128];
	int length, fd;
	ssize_t got;

	mg_segment_name(file, name, 0, ".lock");
	fd = openat(directory, file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0) {
		mg_error_system(error, errno, "%s/%s", path, file);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int number = errno;

		got = number == EWOULDBLOCK ? pread(fd, owner, sizeof owner, 0) : 0;
		mg_str_printable(shown, sizeof shown, owner, got > 0 ? (size_t)got : 0);
		if (number == EWOULDBLOCK)
			mg_error_set(error, "%s/%s.jsonl: %s writes it; stop it first", path, name,
				got > 0 ? shown : "another process");
		else
			mg_error_system(error, number, "%s/%s: cannot lock", path, file);
		close(fd);
		return -1;
	}
	/* Only for the message above: failing costs nothing but words. */
	length = snprintf(
		owner, sizeof owner, "pid %ld (%s)", (long)getpid(), program_invocation_short_name);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, owner, (size_t)length, 0) < 0)
		errno = 0;
	return fd;
}

/* Where the last whole line ends, 0 when there is none; -1 with errno. */
static off_t end_of_lines(int fd, off_t size)
{
	char block[BLOCK];

	while (size > 0) {
		off_t from = size > BLOCK ? size - BLOCK : 0;
		ssize_t got = pread(fd, block, (size_t)(size - from), from);
		const char *found;

		if (got <= 0) {
			errno = got == 0 ? EIO : errno;
			return -1;
		}
		found = memrchr(block, '\n', (size_t)got);
		if (found != NULL)
			return from + (found - block) + 1;
		size = from;
	}
	return 0;
}

/* Copies what stands in fd from `from` to `size` behind the end of `torn`; false with errno. */
static bool copy_torn(int torn, int fd, off_t from, off_t size)
{
	char block[BLOCK];

	while (from < size) {
		size_t wanted = size - from > BLOCK ? BLOCK : (size_t)(size - from);
		ssize_t got = pread(fd, block, wanted, from), put;

		if (got <= 0) {
			errno = got == 0 ? EIO : errno;
			return false;
		}
		put = write(torn, block, (size_t)got);
		if (put <= 0)
			return false;
		from += put;
	}
	return fdatasync(torn) == 0;
}

/* Moves a torn record at the end of a file to NAME.torn. It was never acknowledged: where the
 * disk is full it is only cut off. */
static int cut_torn(int directory, const char *name, int fd, uint64_t *torn_bytes)
{
	char file[MG_SEGMENT_NAME];
	struct stat status;
	off_t end, old;
	bool copied;
	int torn;

	if (fstat(fd, &status) != 0 || (end = end_of_lines(fd, status.st_size)) < 0)
		return -1;
	if (end == status.st_size)
		return 0;
	mg_segment_name(file, name, 0, ".torn");
	torn = openat(
		directory, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	old = torn < 0 ? -1 : lseek(torn, 0, SEEK_END);
	copied = old >= 0 && copy_torn(torn, fd, end, status.st_size);
	if (!copied) {
		int number = errno;

		if (old >= 0 && ftruncate(torn, old) != 0)
			number = errno;
		errno = number;
	}
	if (torn >= 0)
		close(torn);
	if (!copied && errno != ENOSPC && errno != EDQUOT)
		return -1;
	*torn_bytes += (uint64_t)(status.st_size - end);
	return ftruncate(fd, end) == 0 && fdatasync(fd) == 0 ? 0 : -1;
}

/* Follows the chain through the lines of a file from `from` on; how many of them follow, -1 with
 * errno. */
static int64_t follow(struct mg_lines *lines, int fd, uint64_t from, struct mg_chain *chain)
{
	bool first = from == 0;
	uint64_t sequence, missing;
	struct mg_line line;
	int64_t good = 0;
	int got;

	mg_lines_restart(lines, fd, from);
	if (!first && mg_lines_next(lines, &line) < 0) /* the rest of a line */
		return -1;
	while ((got = mg_lines_next(lines, &line)) > 0) {
		enum mg_link link = mg_chain_follow(
			chain, line.text, line.length, line.whole, first, &sequence, &missing);

		if (link == MG_LINK_FOLLOWS || (first && link == MG_LINK_STANDS))
			good++;
		first = false;
	}
	/* Behind the last LF of a sealed segment; elsewhere it was cut off. */
	mg_lines_rest(lines, &line);
	if (got == 0 && line.length > 0)
		mg_chain_follow(
			chain, line.text, line.length, line.whole, first, &sequence, &missing);
	return got < 0 ? -1 : good;
}

/* Finds the end of the chain in a file that follows `chain`. Its end is enough, unless that is
 * damaged. */
static int find_end(struct mg_lines *lines, int fd, struct mg_chain *chain)
{
	struct mg_chain before = *chain;
	uint64_t size, window = WINDOW;
	struct stat status;
	int64_t good;

	if (fstat(fd, &status) != 0)
		return -1;
	size = (uint64_t)status.st_size;
	if (size == 0)
		return 0;
	for (;; window *= WINDOW_GROWTH) {
		bool whole = window >= size;

		*chain = before;
		if (!whole) {
			mg_chain_init(chain);
			chain->candidate_count = 0;
		}
		good = follow(lines, fd, whole ? 0 : size - window, chain);
		if (good < 0)
			return -1;
		if (good > 0 || whole)
			break;
	}
	if (chain->highest < before.highest)
		chain->highest = before.highest;
	return 0;
}

/* Sequence and time of the first record of a file, from the first line that tells; at least
 * `over` + 1. */
static int find_first(struct mg_lines *lines, int fd, uint64_t over, struct mg_spool_start *start)
{
	uint64_t before = 0, sequence = 0;
	struct mg_line line;
	struct stat status;
	int got;

	if (fstat(fd, &status) != 0)
		return -1;
	start->begun = status.st_mtim.tv_sec * MG_SECOND;
	mg_lines_restart(lines, fd, 0);
	while ((got = mg_lines_next(lines, &line)) > 0) {
		struct mg_chain chain;
		uint64_t missing;

		mg_chain_init(&chain);
		mg_chain_follow(
			&chain, line.text, line.length, line.whole, true, &sequence, &missing);
		if (sequence > before) {
			mg_line_time(line.text, line.length, &start->begun);
			break;
		}
		before++;
	}
	start->first = sequence > before && sequence - before > over ? sequence - before : over + 1;
	return got < 0 ? -1 : 0;
}

/* What the newest sealed segment says; when there is no open file, a record may be torn in it (a
 * writer ended between sealing and the next file). */
static int read_newest(int directory, const char *name, bool may_be_torn, struct mg_lines *lines,
	struct mg_chain *chain, uint64_t *torn_bytes, struct mg_error *error)
{
	struct mg_segments segments;
	char file[MG_SEGMENT_NAME];
	int result = 0, fd;

	if (mg_segments_list(directory, name, &segments, error) != 0)
		return -1;
	if (segments.count == 0)
		goto done;
	mg_segment_name(file, name, segments.list[segments.count - 1].first, ".jsonl");
	/* What is known of it without reading. */
	chain->sequence = chain->highest = segments.list[segments.count - 1].first - 1;
	chain->known = true;
	fd = openat(directory, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || (may_be_torn && cut_torn(directory, name, fd, torn_bytes) != 0) ||
		find_end(lines, fd, chain) != 0) {
		mg_error_system(error, errno, "%s", file);
		result = -1;
	}
	if (fd >= 0)
		close(fd);
done:
	mg_segments_free(&segments);
	return result;
}

/* Reads the open file behind the newest sealed one. */
static int read_open(int directory, const char *name, struct mg_lines *lines,
	struct mg_chain *chain, struct mg_spool_start *start)
{
	uint64_t over = chain->highest;
	struct stat status;

	if (fchmod(start->fd, FILE_MODE) != 0 ||
		cut_torn(directory, name, start->fd, &start->torn_bytes) != 0 ||
		fstat(start->fd, &status) != 0)
		return -1;
	start->bytes = (uint64_t)status.st_size;
	if (start->bytes == 0)
		return 0;
	if (find_end(lines, start->fd, chain) != 0)
		return -1;
	return find_first(lines, start->fd, over, start);
}

int mg_spool_recover(int directory, const char *path, const char *name,
	struct mg_spool_start *start, struct mg_error *error)
{
	char file[MG_SEGMENT_NAME];
	struct mg_lines lines;
	struct mg_chain chain;
	struct stat status;
	bool none;

	*start = (struct mg_spool_start){.fd = -1};
	mg_chain_init(&chain);
	if (!mg_lines_init(&lines, -1, 0)) {
		mg_error_set(error, "%s/%s.jsonl: out of memory", path, name);
		return -1;
	}
	mg_segment_name(file, name, 0, ".jsonl");
	none = fstatat(directory, file, &status, AT_SYMLINK_NOFOLLOW) != 0 || status.st_size == 0;
	if (read_newest(directory, name, none, &lines, &chain, &start->torn_bytes, error) != 0)
		goto failed;
	start->fd = openat(
		directory, file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (start->fd < 0 || read_open(directory, name, &lines, &chain, start) != 0 ||
		fsync(directory) != 0) {
		mg_error_system(error, errno, "%s/%s", path, file);
		goto failed;
	}
	start->sequence = chain.highest;
	start->damaged = chain.damaged;
	if (chain.candidate_count > 0)
		memcpy(start->hash, chain.candidates[0], MG_CHAIN_HASH);
	mg_lines_free(&lines);
	return 0;
failed:
	if (start->fd >= 0)
		close(start->fd);
	mg_lines_free(&lines);
	return -1;
}
