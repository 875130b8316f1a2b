/* SPDX-License-Identifier: ISC */
/* index: NAME-<first sequence>.idx beside a sealed segment: sorted pairs (64-bit hash of a key,
 * offset of the line), so that a look-up over 190 segments of 64 MiB takes milliseconds. Keys:
 * keys.h. The file (index_file.h): magic and version, count, the size of its segment, the pairs,
 * checksums; rebuilt when missing, damaged or not of its segment's size. */
#ifndef MG_EVENT_INDEX_H
#define MG_EVENT_INDEX_H
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "event/index_file.h"

/* The hash of a key, the same in either case of ASCII letters. */
uint64_t mg_index_hash(const char *key, size_t length);
/* Adds the pairs of all whole lines of an open file. 0, -1 with error; path: for messages. */
int mg_index_collect(
	int fd, const char *path, struct mg_index_pairs *pairs, struct mg_error *error);
/* "….jsonl" to "….idx", malloc'ed; NULL: no memory, or no segment. */
char *mg_index_path(const char *segment);
/* Builds the index of the segment file `segment` (a path) into its .idx, by temporary file and
 * rename. 0, -1 with error. */
int mg_index_build(const char *segment, struct mg_error *error);
#endif
