/* SPDX-License-Identifier: ISC */
#include "event/spool_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "event/chain.h"
#include "event/lines.h"
#include "event/segment.h"

enum { SEEN = 4096 /* records; more than a batch of the writer holds */ };

/* A name given out in records: kept as long as the reader. */
struct file_name {
	struct file_name *next;
	char text[MG_SEGMENT_NAME];
};

/* A record given out, to see whether it is still there: a failed batch is cut off again. */
struct seen {
	uint64_t end; /* offset behind its LF */
	uint64_t sequence;
	unsigned char hash[MG_CHAIN_HASH];
};

struct mg_spool_reader {
	int directory;
	char *path, *name;
	uint64_t from;
	int fd; /* the file being read; -1 before the first and between files */
	ino_t inode;
	bool started;
	uint64_t position; /* first sequence of the last sealed file that was opened */
	bool final; /* the next file is there: this one grows no more */
	bool first_line, paused, given;
	struct file_name *file; /* of this file, then those of earlier ones */
	size_t files;
	struct mg_lines lines;
	struct mg_chain chain, before; /* before: at the begin of this file */
	size_t seen_count;
	struct seen seen[SEEN];
};

/* --- files in order --- */

/* Whether `from` is not in a sealed file. */
static bool is_in_open_file(const struct mg_spool_reader *reader)
{
	char file[MG_SEGMENT_NAME];
	uint64_t sequence;
	int64_t utc;

	mg_segment_name(file, reader->name, 0, ".jsonl");
	return mg_segment_begin(reader->directory, file, &sequence, &utc) &&
	       sequence <= reader->from;
}

/* The first sequence of the next sealed file: at the start the one that holds `from`, else the
 * one behind position; 0: none, it is the open file's turn. -1 with error. */
static int pick(struct mg_spool_reader *reader, uint64_t *first, struct mg_error *error)
{
	const struct mg_segment *next, *last;
	struct mg_segments segments;

	if (mg_segments_list(reader->directory, reader->name, &segments, error) != 0)
		return -1;
	next = mg_segments_after(&segments, reader->position);
	for (size_t i = 1; !reader->started && i < segments.count; i++)
		if (segments.list[i].first <= reader->from)
			next = &segments.list[i];
	/* Looked at behind the list: a file sealed meanwhile is read from the begin of the one
	 * before. */
	last = segments.count > 0 ? &segments.list[segments.count - 1] : NULL;
	if (!reader->started && last != NULL && last->first <= reader->from &&
		is_in_open_file(reader)) {
		reader->position = last->first;
		next = NULL;
	}
	*first = next == NULL ? 0 : next->first;
	mg_segments_free(&segments);
	return 0;
}

/* Begins to read an open descriptor; false when out of memory. */
static bool adopt(struct mg_spool_reader *reader, int fd, uint64_t first)
{
	struct file_name *file = malloc(sizeof *file);
	struct stat status;

	if (file == NULL || fstat(fd, &status) != 0) {
		free(file);
		return false;
	}
	mg_segment_name(file->text, reader->name, first, ".jsonl");
	file->next = reader->file;
	reader->file = file;
	reader->files++;
	reader->fd = fd;
	reader->inode = status.st_ino;
	reader->position = first > 0 ? first : reader->position;
	reader->final = reader->paused = false;
	reader->first_line = true;
	reader->seen_count = 0;
	mg_lines_restart(&reader->lines, fd, 0);
	/* The name tells where a log begins, so that its first line can be checked too. */
	if (first > 0 && !reader->started) {
		reader->chain.sequence = reader->chain.highest = first - 1;
		reader->chain.known = true;
	}
	reader->before = reader->chain;
	reader->started = true;
	return true;
}

/* Opens the next file. 1 done, 0 there is none yet, -1 with error. */
static int next_file(struct mg_spool_reader *reader, struct mg_error *error)
{
	for (;;) {
		char file[MG_SEGMENT_NAME];
		uint64_t first, again = 0;
		int fd;

		if (pick(reader, &first, error) != 0)
			return -1;
		mg_segment_name(file, reader->name, first, ".jsonl");
		fd = openat(
			reader->directory, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0 && errno == ENOENT && first == 0)
			return 0;
		if (fd < 0 && errno == ENOENT)
			continue; /* trimmed meanwhile */
		/* Rotated between listing and opening: then this is not yet the open file's
		 * turn. */
		if (fd >= 0 && first == 0 && pick(reader, &again, error) == 0 && again > 0) {
			close(fd);
			continue;
		}
		if (fd >= 0 && adopt(reader, fd, first))
			return 1;
		mg_error_system(error, errno, "%s/%s", reader->path, file);
		if (fd >= 0)
			close(fd);
		return -1;
	}
}

/* At the end of a file: 1 when there is a next one, 0 when not, -1 with error. */
static int has_next(struct mg_spool_reader *reader, struct mg_error *error)
{
	struct mg_segments segments;
	char file[MG_SEGMENT_NAME];
	struct stat status;
	bool there;

	mg_segment_name(file, reader->name, 0, ".jsonl");
	there = fstatat(reader->directory, file, &status, AT_SYMLINK_NOFOLLOW) == 0;
	if (there && status.st_ino == reader->inode)
		return 0;
	if (mg_segments_list(reader->directory, reader->name, &segments, error) != 0)
		return -1;
	/* What was opened as the open file has got its sealed name. */
	for (size_t i = 0; i < segments.count; i++)
		if (segments.list[i].inode == reader->inode)
			reader->position = segments.list[i].first;
	there = there || mg_segments_after(&segments, reader->position) != NULL;
	mg_segments_free(&segments);
	return there;
}

/* --- records --- */

/* Whether the record that was given out is still where it was. */
static bool still_there(const struct mg_spool_reader *reader, const struct seen *seen)
{
	char end[MG_CHAIN_TRAILER + 1], hex[2 * MG_CHAIN_HASH + 1];

	if (seen->end < sizeof end ||
		pread(reader->fd, end, sizeof end, (off_t)(seen->end - sizeof end)) !=
			(ssize_t)sizeof end)
		return false;
	mg_str_hex(hex, seen->hash, MG_CHAIN_HASH);
	return memmem(end, sizeof end, hex, strlen(hex)) != NULL;
}

/* Goes back behind the last record that is still there, when the writer has cut off a failed
 * batch that was read already. */
static void go_back(struct mg_spool_reader *reader)
{
	size_t kept = reader->seen_count;
	const struct seen *seen = NULL;

	while (kept > 0 && reader->seen_count - kept < SEEN) {
		seen = &reader->seen[(kept - 1) % SEEN];
		if (still_there(reader, seen))
			break;
		kept--;
	}
	if (kept == reader->seen_count)
		return;
	reader->seen_count = kept;
	if (kept == 0) {
		mg_lines_restart(&reader->lines, reader->fd, 0);
		reader->chain = reader->before;
		reader->first_line = true;
		return;
	}
	mg_lines_restart(&reader->lines, reader->fd, seen->end);
	reader->chain.sequence = reader->chain.highest = seen->sequence;
	reader->chain.candidate_count = 1;
	memcpy(reader->chain.candidates[0], seen->hash, MG_CHAIN_HASH);
	reader->chain.damaged = reader->chain.fragment = false;
}

static void remember(struct mg_spool_reader *reader, const struct mg_line *line)
{
	struct seen *seen = &reader->seen[reader->seen_count++ % SEEN];

	seen->end = line->offset + line->length + 1;
	seen->sequence = reader->chain.sequence;
	memcpy(seen->hash, reader->chain.candidates[0], MG_CHAIN_HASH);
}

/* Makes a record of a line; false when it is not one to give out. */
static bool take(
	struct mg_spool_reader *reader, const struct mg_line *line, struct mg_record *record)
{
	static const enum mg_record_state states[] = {[MG_LINK_FOLLOWS] = MG_RECORD_GOOD,
		[MG_LINK_STANDS] = MG_RECORD_UNCHAINED,
		[MG_LINK_BROKEN] = MG_RECORD_DAMAGED};
	uint64_t sequence, missing;
	enum mg_link link = mg_chain_follow(&reader->chain, line->text, line->length, line->whole,
		reader->first_line, &sequence, &missing);

	reader->first_line = false;
	if (link == MG_LINK_REST)
		return false;
	if (link != MG_LINK_BROKEN)
		remember(reader, line);
	if (reader->chain.sequence < reader->from)
		return false;
	if (!reader->given && reader->from > 0)
		missing = sequence > reader->from ? sequence - reader->from : 0;
	reader->given = true;
	*record = (struct mg_record){.line = line->text,
		.length = line->length,
		.file = reader->file->text,
		.offset = line->offset,
		.sequence = sequence,
		.missing = missing,
		.state = states[link]};
	return true;
}

/* What is behind the last LF of a file that grows no more is a damaged line. */
static bool take_rest(struct mg_spool_reader *reader, struct mg_record *record)
{
	struct mg_line rest;

	mg_lines_rest(&reader->lines, &rest);
	close(reader->fd);
	reader->fd = -1;
	return rest.length > 0 && take(reader, &rest, record);
}

int mg_spool_reader_next(
	struct mg_spool_reader *reader, struct mg_record *record, struct mg_error *error)
{
	for (;;) {
		struct mg_line line;
		int got;

		if (reader->fd < 0 && (got = next_file(reader, error)) <= 0)
			return got;
		if (reader->paused)
			go_back(reader);
		reader->paused = false;
		got = mg_lines_next(&reader->lines, &line);
		if (got < 0) {
			mg_error_system(error, errno, "%s/%s", reader->path, reader->file->text);
			return -1;
		}
		if (got > 0) {
			if (take(reader, &line, record))
				return 1;
			continue;
		}
		if (reader->final) {
			if (take_rest(reader, record))
				return 1;
			continue;
		}
		reader->paused = true;
		got = has_next(reader, error);
		if (got <= 0)
			return got;
		/* Once more to the end: it may have grown before the next file was there. */
		reader->final = true;
	}
}

struct mg_spool_reader *mg_spool_reader_open(
	const char *directory, const char *name, uint64_t from, struct mg_error *error)
{
	struct mg_spool_reader *reader = calloc(1, sizeof *reader);

	if (reader == NULL) {
		mg_error_set(error, "%s/%s: out of memory", directory, name);
		return NULL;
	}
	reader->fd = -1;
	reader->from = from;
	mg_chain_init(&reader->chain);
	reader->path = strdup(directory);
	reader->name = strdup(name);
	reader->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (reader->directory < 0)
		mg_error_system(error, errno, "%s", directory);
	else if (reader->path == NULL || reader->name == NULL ||
		 !mg_lines_init(&reader->lines, -1, 0))
		mg_error_set(error, "%s/%s: out of memory", directory, name);
	else
		return reader;
	mg_spool_reader_close(reader);
	return NULL;
}

void mg_spool_reader_close(struct mg_spool_reader *reader)
{
	if (reader == NULL)
		return;
	while (reader->file != NULL) {
		struct file_name *next = reader->file->next;

		free(reader->file);
		reader->file = next;
	}
	mg_lines_free(&reader->lines);
	if (reader->fd >= 0)
		close(reader->fd);
	if (reader->directory >= 0)
		close(reader->directory);
	free(reader->path);
	free(reader->name);
	free(reader);
}

/* --- --verify --- */

/* Records that an events-lost record tells of; 0 when the line is none. */
static uint64_t told_lost(const struct mg_record *record)
{
	const char *lost = NULL, *count;

	if (record->state == MG_RECORD_GOOD &&
		strstr(record->line, "\"action\":\"events-lost\"") != NULL)
		lost = strstr(record->line, "\"lost\":{");
	count = lost == NULL ? NULL : strstr(lost, "\"count\":");
	return count == NULL ? 0 : strtoull(count + strlen("\"count\":"), NULL, 10);
}

static void print_missing(FILE *stream, const struct mg_record *record)
{
	uint64_t last = record->sequence - 1, first = record->sequence - record->missing;

	if (first == last)
		fprintf(stream, "%s: offset %" PRIu64 ": sequence %" PRIu64 " is missing\n",
			record->file, record->offset, first);
	else
		fprintf(stream,
			"%s: offset %" PRIu64 ": sequences %" PRIu64 " to %" PRIu64
			" are missing\n",
			record->file, record->offset, first, last);
}

static void print_damage(FILE *stream, const struct mg_record *record)
{
	if (record->sequence > 0)
		fprintf(stream,
			"%s: offset %" PRIu64 ": hash does not follow (sequence %" PRIu64 ")\n",
			record->file, record->offset, record->sequence);
	else
		fprintf(stream, "%s: offset %" PRIu64 ": damaged, no sequence can be read\n",
			record->file, record->offset);
}

static void count_record(
	struct mg_spool_report *report, const struct mg_record *record, FILE *stream)
{
	report->records++;
	report->missing += record->missing;
	report->lost += told_lost(record);
	if (record->sequence > 0) {
		report->first = report->first == 0 ? record->sequence : report->first;
		report->last = record->sequence;
	}
	if (record->missing > 0)
		print_missing(stream, record);
	if (record->state == MG_RECORD_DAMAGED) {
		report->damaged++;
		print_damage(stream, record);
	}
}

static void print_summary(FILE *stream, const char *name, const struct mg_spool_report *report)
{
	fprintf(stream, "%s: %" PRIu64 " records in %" PRIu64 " files", name, report->records,
		report->files);
	if (report->last > 0)
		fprintf(stream, ", sequences %" PRIu64 " to %" PRIu64, report->first, report->last);
	if (report->damaged > 0 || report->missing > 0)
		fprintf(stream, ": %" PRIu64 " damaged, %" PRIu64 " missing", report->damaged,
			report->missing);
	else
		fprintf(stream, ": complete");
	if (report->lost > 0)
		fprintf(stream, "; %" PRIu64 " lost as events-lost tells", report->lost);
	fputc('\n', stream);
}

int mg_spool_verify(const char *directory, const char *name, FILE *stream,
	struct mg_spool_report *report, struct mg_error *error)
{
	struct mg_spool_reader *reader = mg_spool_reader_open(directory, name, 0, error);
	struct mg_spool_report own;
	struct mg_record record;
	struct mg_line rest = {0};
	int got;

	if (report == NULL)
		report = &own;
	*report = (struct mg_spool_report){0};
	if (reader == NULL)
		return -1;
	while ((got = mg_spool_reader_next(reader, &record, error)) > 0)
		count_record(report, &record, stream);
	if (got == 0) {
		report->files = reader->files;
		if (reader->fd >= 0) {
			mg_lines_rest(&reader->lines, &rest);
			report->torn = rest.length > 0;
		}
		if (report->torn)
			fprintf(stream,
				"%s: offset %" PRIu64
				": an unfinished record, never acknowledged\n",
				reader->file->text, rest.offset);
		print_summary(stream, name, report);
	}
	mg_spool_reader_close(reader);
	if (got < 0)
		return -1;
	return report->damaged > 0 || report->missing > 0;
}
