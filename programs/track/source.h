/* SPDX-License-Identifier: ISC */
/* source: where the log of Postfix is read from, by a struct of functions a kind: the journal, or a
 * file that syslogd or postlogd writes. Lines come in the order they were written, each once, from a
 * saved position on, over rotation, truncation and downtime; what cannot be read any more is told as
 * a loss.
 *
 * Not thread safe: one reader. */
#ifndef MG_TRACK_SOURCE_H
#define MG_TRACK_SOURCE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

enum { TRACK_POSITION_MAX = 512, TRACK_LINE_MAX = 64 * 1024 };

/* A line of the log. Texts are valid until the next call. */
struct track_record {
	int64_t utc; /* ns; of a file that has no year or zone: as track/stamp.h says */
	const char *identifier; /* "postfix/submission/smtpd"; of any program: not only Postfix's */
	size_t identifier_length;
	uint32_t pid; /* 0 unknown */
	const char *text; /* the message, without the line end */
	size_t length;
	bool cut; /* the line was longer than TRACK_LINE_MAX */
	/* Names the line for ever, also when it is read again, from a rotated or gzipped file: the
	 * journal's cursor, or fingerprint and offset. event.id is made of it. */
	const char *position;
	/* Instead of a line: lines that are lost for good, or left out by journald; 0: a line. text,
	 * ended by NUL, says why. INT64_MAX: nobody knows how many. */
	int64_t lost;
};

struct track_source;

/* follow: the setting: "journal", "journal:/directory" (tests, imported journals), or the path of a
 * file. position: as saved; "", or one of another kind of source, begins with the first line that is
 * there (journal: of this boot and before, bounded by `since` of the caller's filter; file: of FILE
 * itself). NULL with error: no right to read, no such folder or journal (a file that is not there
 * yet is waited for). */
struct track_source *track_source_open(const char *follow, const char *position,
	const struct mg_clock *clock, struct mg_error *error);
/* 1 a record, 0 no more now, -1 with error (the source goes on with the next call). */
int track_source_next(
	struct track_source *source, struct track_record *record, struct mg_error *error);
/* A descriptor that is readable when there may be more (inotify, the journal's), for poll(2), until
 * the next call of track_source_next; -1: there is none, ask by time. */
int track_source_descriptor(struct track_source *source);
/* ns until it should be asked again without that; INT64_MAX never. */
int64_t track_source_timeout(struct track_source *source);
/* After 0: whether all of the log is read. false: it is on its way through old files, or cannot see
 * them while they are renamed; timeout says when to ask again. */
bool track_source_at_end(struct track_source *source);
/* Where the next record begins: what open wants after a restart. */
void track_source_position(struct track_source *source, char position[TRACK_POSITION_MAX]);
/* Bytes of the log not yet read, as far as known; -1 unknown. */
int64_t track_source_backlog(struct track_source *source);
void track_source_close(struct track_source *source);
/* For the setting `follow`: NULL, or what was expected. */
const char *track_source_check(const char *follow);
#endif
