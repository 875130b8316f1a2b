/* SPDX-License-Identifier: ISC */
/* index: NAME-<first sequence>.idx beside a sealed segment: sorted pairs (64-bit hash of a key,
 * offset of the line), so that a look-up over 190 segments of 64 MiB takes milliseconds. Keys:
 * trace.id, millgate.session.key, email.local_id, email.message_id, every address (lower case), REF
 * (last 8 hex of event.id). The file (index_file.h): magic and version, count, the size of its
 * segment, the pairs, checksums; rebuilt when missing, damaged or not of its segment's size. */
#ifndef MG_EVENT_INDEX_H
#define MG_EVENT_INDEX_H
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Builds the index of the segment file `segment` (a path) into its .idx, by temporary file and
 * rename. 0, -1 with error. */
int mg_index_build(const char *segment, struct mg_error *error);
/* Calls found for each line of the log (sealed segments by their indexes, the open file by reading
 * it) that has the key, in order; hits are checked against the line itself, so a hash collision is
 * never told. found returns false to end. Number of lines, -1 with error. */
int64_t mg_index_find(const char *directory, const char *name, const char *key,
	int (*found)(void *context, const char *line, size_t length), void *context,
	struct mg_error *error);
#endif
