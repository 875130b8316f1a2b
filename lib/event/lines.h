/* SPDX-License-Identifier: ISC */
/* lines: the lines of a file through a bounded buffer, also of one that grows. A line longer
 * than MG_RECORD_MAX is skipped to its LF without being kept. */
#ifndef MG_EVENT_LINES_H
#define MG_EVENT_LINES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mg_line {
	const char *text; /* without LF, NUL behind it; valid until the next call */
	size_t length;
	uint64_t offset; /* of its begin, in the file */
	bool whole; /* false: too long; text is only its end */
};

struct mg_lines {
	int fd; /* the caller's, never closed here */
	char *buffer;
	size_t start, end; /* what of the buffer is read and not yet given out */
	size_t scanned; /* bytes from start on that have no LF */
	uint64_t offset; /* of start, in the file */
	uint64_t skipped; /* bytes of a too long line left out before start */
	bool stale; /* half a line is read that the writer may cut off or complete */
};

/* False when out of memory. */
bool mg_lines_init(struct mg_lines *lines, int fd, uint64_t offset);
/* Another file, the memory kept. */
void mg_lines_restart(struct mg_lines *lines, int fd, uint64_t offset);
/* 1 a line, 0 no whole line more (later perhaps), -1 with errno. */
int mg_lines_next(struct mg_lines *lines, struct mg_line *line);
/* After 0: what stands behind the last LF, length 0 for nothing. It is read again by the next
 * call. */
void mg_lines_rest(struct mg_lines *lines, struct mg_line *line);
void mg_lines_free(struct mg_lines *lines);

/* UTC ns of an event's line, which begins with its @timestamp; false when it does not. */
bool mg_line_time(const char *text, size_t length, int64_t *utc);
#endif
