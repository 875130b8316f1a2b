/* SPDX-License-Identifier: ISC */
/* segment: names and list of the files of an event log in its directory: NAME.jsonl, which is
 * being written, and the sealed NAME-<first sequence, 20 digits>.jsonl with NAME-….idx beside
 * them. */
#ifndef MG_EVENT_SEGMENT_H
#define MG_EVENT_SEGMENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum { MG_SEGMENT_NAME = 128 /* bytes of a file name with its NUL */ };

struct mg_segment {
	uint64_t first; /* sequence of its first record */
	uint64_t bytes;
	int64_t modified; /* UTC ns */
	ino_t inode;
};

struct mg_segments {
	struct mg_segment *list; /* in order of sequence */
	size_t count;
};

/* The name of a sealed segment, suffix ".jsonl" or ".idx"; of the open file with first 0.
 * target: MG_SEGMENT_NAME bytes. */
void mg_segment_name(
	char target[MG_SEGMENT_NAME], const char *name, uint64_t first, const char *suffix);
/* Lists the sealed segments; 0, or -1 with error. Free with mg_segments_free. */
int mg_segments_list(
	int directory, const char *name, struct mg_segments *segments, struct mg_error *error);
void mg_segments_free(struct mg_segments *segments);
/* Of the list, the first segment whose first sequence is over `sequence`; NULL when there is
 * none. */
const struct mg_segment *mg_segments_after(const struct mg_segments *segments, uint64_t sequence);
/* Sequence and time (UTC ns) of the first record of a file, sealed or open; false when there is
 * none, or it is damaged. Of a file's records it is the one whose time is when it was written. */
bool mg_segment_begin(int directory, const char *file, uint64_t *sequence, int64_t *utc);
#endif
