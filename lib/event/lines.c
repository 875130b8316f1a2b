/* SPDX-License-Identifier: ISC */
#include "event/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/spool.h"

enum {
	BUFFER = 2 * MG_RECORD_MAX,
	READ = 64 * 1024, /* at once: a look-up wants one line */
	KEPT_END = 128 /* bytes of the end of a too long line: a record's end fits */
};

bool mg_lines_init(struct mg_lines *lines, int fd, uint64_t offset)
{
	*lines = (struct mg_lines){0};
	lines->buffer = malloc(BUFFER + 1);
	mg_lines_restart(lines, fd, offset);
	return lines->buffer != NULL;
}

void mg_lines_restart(struct mg_lines *lines, int fd, uint64_t offset)
{
	*lines = (struct mg_lines){.fd = fd, .buffer = lines->buffer, .offset = offset};
}

/* Reads on into the buffer: bytes, 0 at the end of the file, -1. */
static ssize_t fill(struct mg_lines *lines)
{
	ssize_t got;

	if (lines->end == BUFFER) {
		memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
		lines->end -= lines->start;
		lines->start = 0;
	}
	do
		got = pread(lines->fd, lines->buffer + lines->end,
			BUFFER - lines->end < READ ? BUFFER - lines->end : READ,
			(off_t)(lines->offset + (lines->end - lines->start)));
	while (got < 0 && errno == EINTR);
	if (got > 0)
		lines->end += (size_t)got;
	return got;
}

/* Leaves out the begin of a line that is too long. */
static void skip(struct mg_lines *lines)
{
	size_t length = lines->end - lines->start - KEPT_END;

	lines->start += length;
	lines->offset += length;
	lines->skipped += length;
	lines->scanned = KEPT_END;
}

static void describe(struct mg_lines *lines, size_t length, struct mg_line *line)
{
	line->text = lines->buffer + lines->start;
	line->length = length;
	line->offset = lines->offset - lines->skipped;
	line->whole = lines->skipped == 0;
	lines->buffer[lines->start + length] = '\0';
}

int mg_lines_next(struct mg_lines *lines, struct mg_line *line)
{
	if (lines->stale) {
		lines->end = lines->start;
		lines->scanned = 0;
		lines->stale = false;
	}
	for (;;) {
		char *from = lines->buffer + lines->start + lines->scanned;
		char *found = memchr(from, '\n', lines->end - lines->start - lines->scanned);
		ssize_t got;

		if (found != NULL) {
			size_t length = (size_t)(found - lines->buffer) - lines->start;

			if (lines->skipped == 0 && length >= MG_RECORD_MAX) {
				lines->skipped = length - KEPT_END;
				lines->start += lines->skipped;
				lines->offset += lines->skipped;
				length = KEPT_END;
			}
			describe(lines, length, line);
			lines->start += length + 1;
			lines->offset += length + 1;
			lines->scanned = 0;
			lines->skipped = 0;
			return 1;
		}
		lines->scanned = lines->end - lines->start;
		if (lines->scanned >= MG_RECORD_MAX)
			skip(lines);
		got = fill(lines);
		if (got <= 0) {
			lines->stale = true;
			return (int)got;
		}
	}
}

void mg_lines_rest(struct mg_lines *lines, struct mg_line *line)
{
	describe(lines, lines->end - lines->start, line);
}

void mg_lines_free(struct mg_lines *lines)
{
	free(lines->buffer);
	lines->buffer = NULL;
}

bool mg_line_time(const char *text, size_t length, int64_t *utc)
{
	static const char begin[] = "{\"@timestamp\":\"";
	char time[40];
	const char *end;
	int64_t parsed;

	if (length < sizeof begin - 1 + sizeof time || memcmp(text, begin, sizeof begin - 1) != 0)
		return false;
	text += sizeof begin - 1;
	end = memchr(text, '"', sizeof time - 1);
	if (end == NULL)
		return false;
	memcpy(time, text, (size_t)(end - text));
	time[end - text] = '\0';
	if (!mg_clock_parse(time, &parsed))
		return false;
	*utc = parsed;
	return true;
}
