/* SPDX-License-Identifier: ISC */
/* index_file: the file of an index: sorted pairs of a hash and an offset, in blocks of 4 KiB
 * that each end in a checksum, so that a look-up reads and checks few of them. The first block:
 * magic and version, count, size of the segment. Numbers are little endian. */
#ifndef MG_EVENT_INDEX_FILE_H
#define MG_EVENT_INDEX_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct mg_index_pair {
	uint64_t hash, offset;
};

/* A growing list of pairs. */
struct mg_index_pairs {
	struct mg_index_pair *list;
	size_t count, room;
};

/* False when out of memory. */
bool mg_index_pairs_add(struct mg_index_pairs *pairs, uint64_t hash, uint64_t offset);
void mg_index_pairs_free(struct mg_index_pairs *pairs);
/* Sorts them, and leaves out doubles. */
void mg_index_pairs_sort(struct mg_index_pairs *pairs);
/* Adds those of a sorted list that have this hash. False when out of memory. */
bool mg_index_pairs_find(
	const struct mg_index_pairs *pairs, uint64_t hash, struct mg_index_pairs *found);

/* Sorts the pairs, leaves out doubles and writes them to path by a temporary file and rename. 0,
 * or -1 with error. */
int mg_index_file_write(const char *path, struct mg_index_pairs *pairs, uint64_t segment_bytes,
	struct mg_error *error);
/* Whether it is an index of this version of a segment of this size. */
bool mg_index_file_is_of(const char *path, uint64_t segment_bytes);
/* Adds the pairs that have one of the hashes, hash by hash, in order of offset. False, and nothing
 * is added, when the file is missing, damaged where it was read, or not of a segment of this size. */
bool mg_index_file_find(const char *path, uint64_t segment_bytes, const uint64_t hashes[],
	size_t count, struct mg_index_pairs *found);
#endif
