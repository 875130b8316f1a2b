/* SPDX-License-Identifier: ISC */
/* spool_read: the event log on disk, reading side: segments in order of sequence, then the open
 * file; also while it is written and rotated.
 *
 * A line is good if its hash follows from the previous line's written *or* recomputed hash, so that
 * one damaged line is reported as one. Reads only; needs no lock. */
#ifndef MG_EVENT_SPOOL_READ_H
#define MG_EVENT_SPOOL_READ_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum mg_record_state {
	MG_RECORD_GOOD,
	MG_RECORD_DAMAGED,
	MG_RECORD_UNCHAINED /* first one read: nothing to check it against */
};
struct mg_record {
	const char *line; /* without LF, NUL behind it; valid until the next read */
	size_t length;
	const char *file; /* its name in the directory; valid as long as the reader */
	uint64_t offset; /* in the file */
	uint64_t sequence; /* 0 when damaged beyond reading */
	uint64_t missing; /* sequences left out before this record */
	enum mg_record_state state;
};

struct mg_spool_reader;
/* From the first record that is there, or from sequence `from` (0: first). NULL with error. */
struct mg_spool_reader *mg_spool_reader_open(
	const char *directory, const char *name, uint64_t from, struct mg_error *error);
/* 1 a record, 0 no more now (call again later: what was appended meanwhile comes), -1 with error. A
 * torn last line is not a record. Records of a batch that failed are there for a moment before the
 * writer cuts them off: should they have been read, their sequences come again, with other records.
 */
int mg_spool_reader_next(
	struct mg_spool_reader *reader, struct mg_record *record, struct mg_error *error);
void mg_spool_reader_close(struct mg_spool_reader *reader);

struct mg_spool_report {
	uint64_t records, files, damaged, missing, first, last;
	uint64_t lost; /* told by events-lost records */
	bool torn; /* the open file ends in half a line */
};
/* --verify: reads the whole log, prints each finding (file, offset, what) and a last line to
 * `stream`. 0 when complete and undamaged (a torn end is neither: it was never acknowledged), 1
 * when not, -1 with error. report may be NULL. */
int mg_spool_verify(const char *directory, const char *name, FILE *stream,
	struct mg_spool_report *report, struct mg_error *error);
#endif
