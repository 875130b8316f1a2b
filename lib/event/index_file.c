/* SPDX-License-Identifier: ISC */
#include "event/index_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BLOCK_BYTES = 4096,
	BLOCK_PAIRS = 255,
	WORDS = BLOCK_BYTES / 8,
	FILE_MODE = 0640,
	PART = 8, /* pairs of a part that is sorted, about */
	PART_BITS_MAX = 24
};

static const char magic[8] = "MGINDX2\n";

struct block {
	uint64_t words[WORDS - 2];
	uint64_t number; /* of the block: one in another's place is not taken */
	uint64_t check;
};
_Static_assert(sizeof(struct block) == BLOCK_BYTES, "a block is its size");
_Static_assert(2 * BLOCK_PAIRS <= WORDS - 2, "the pairs fit");

/* What the first block says. */
enum { HEAD_MAGIC, HEAD_COUNT, HEAD_SEGMENT };

bool mg_index_pairs_add(struct mg_index_pairs *pairs, uint64_t hash, uint64_t offset)
{
	if (pairs->count == pairs->room) {
		size_t room = pairs->room == 0 ? 256 : 2 * pairs->room;
		struct mg_index_pair *list = realloc(pairs->list, room * sizeof *list);

		if (list == NULL)
			return false;
		pairs->list = list;
		pairs->room = room;
	}
	pairs->list[pairs->count++] = (struct mg_index_pair){hash, offset};
	return true;
}

void mg_index_pairs_free(struct mg_index_pairs *pairs)
{
	free(pairs->list);
	*pairs = (struct mg_index_pairs){0};
}

/* FNV-1a of 64 bits, a word a step and folded, for damage by chance. */
static uint64_t checksum(const struct block *block)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < WORDS - 2; i++) {
		sum = (sum ^ block->words[i]) * UINT64_C(0x100000001b3);
		sum ^= sum >> 29;
	}
	return (sum ^ block->number) * UINT64_C(0x100000001b3);
}

static bool write_block(FILE *file, struct block *block, uint64_t number)
{
	block->number = htole64(number);
	block->check = htole64(checksum(block));
	return fwrite(block, sizeof *block, 1, file) == 1;
}

static bool write_blocks(FILE *file, const struct mg_index_pairs *pairs, uint64_t segment_bytes)
{
	struct block block = {.words = {[HEAD_COUNT] = htole64(pairs->count),
				      [HEAD_SEGMENT] = htole64(segment_bytes)}};
	uint64_t number = 0;

	memcpy(&block.words[HEAD_MAGIC], magic, sizeof magic);
	if (!write_block(file, &block, number++))
		return false;
	for (size_t from = 0; from < pairs->count; from += BLOCK_PAIRS) {
		memset(&block, 0, sizeof block);
		for (size_t i = 0; i < BLOCK_PAIRS && from + i < pairs->count; i++) {
			block.words[2 * i] = htole64(pairs->list[from + i].hash);
			block.words[2 * i + 1] = htole64(pairs->list[from + i].offset);
		}
		if (!write_block(file, &block, number++))
			return false;
	}
	return true;
}

static int by_hash(const void *one, const void *other)
{
	const struct mg_index_pair *a = one, *b = other;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Sorts a part; most have few pairs, or many of one hash, which are in order already. */
static void sort_part(struct mg_index_pair *list, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (by_hash(&list[i - 1], &list[i]) > 0) {
			qsort(list, count, sizeof *list, by_hash);
			return;
		}
}

/* Puts the pairs, in their order, into parts by the first bits of their hashes, and sorts those:
 * hashes are as even as can be. False when out of memory. */
static bool sort_by_parts(struct mg_index_pairs *pairs)
{
	unsigned bits = 1;
	size_t parts, *ends, at = 0;
	struct mg_index_pair *list;

	while (bits < PART_BITS_MAX && pairs->count >> bits > PART)
		bits++;
	parts = (size_t)1 << bits;
	ends = calloc(parts + 1, sizeof *ends);
	list = calloc(pairs->count, sizeof *list);
	if (ends == NULL || list == NULL) {
		free(ends);
		free(list);
		return false;
	}
	for (size_t i = 0; i < pairs->count; i++)
		ends[(pairs->list[i].hash >> (64 - bits)) + 1]++;
	for (size_t i = 0; i < parts; i++)
		ends[i + 1] += ends[i];
	/* ends[part] is where its next pair goes, and at last where it ends. */
	for (size_t i = 0; i < pairs->count; i++)
		list[ends[pairs->list[i].hash >> (64 - bits)]++] = pairs->list[i];
	for (size_t i = 0; i < parts; i++) {
		sort_part(list + at, ends[i] - at);
		at = ends[i];
	}
	free(ends);
	free(pairs->list);
	pairs->list = list;
	pairs->room = pairs->count;
	return true;
}

void mg_index_pairs_sort(struct mg_index_pairs *pairs)
{
	size_t kept = 0;

	if (pairs->count == 0)
		return;
	if (!sort_by_parts(pairs))
		qsort(pairs->list, pairs->count, sizeof *pairs->list, by_hash);
	for (size_t i = 1; i < pairs->count; i++)
		if (by_hash(&pairs->list[kept], &pairs->list[i]) != 0)
			pairs->list[++kept] = pairs->list[i];
	pairs->count = kept + 1;
}

bool mg_index_pairs_find(
	const struct mg_index_pairs *pairs, uint64_t hash, struct mg_index_pairs *found)
{
	size_t low = 0, high = pairs->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pairs->list[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < pairs->count && pairs->list[low].hash == hash; low++)
		if (!mg_index_pairs_add(found, hash, pairs->list[low].offset))
			return false;
	return true;
}

int mg_index_file_write(const char *path, struct mg_index_pairs *pairs, uint64_t segment_bytes,
	struct mg_error *error)
{
	char *temporary = NULL;
	FILE *file = NULL;
	int fd = -1, result = -1;

	mg_index_pairs_sort(pairs);
	if (asprintf(&temporary, "%s.tmp", path) < 0) {
		mg_error_set(error, "%s: out of memory", path);
		return -1;
	}
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (file == NULL) {
		if (fd >= 0)
			close(fd);
		goto done;
	}
	/* Not synced: what a crash leaves of it is seen by its checksums, and built anew. */
	if (!write_blocks(file, pairs, segment_bytes) || fflush(file) != 0) {
		int number = errno;

		fclose(file);
		errno = number;
		goto done;
	}
	if (fclose(file) == 0 && rename(temporary, path) == 0)
		result = 0;
done:
	if (result != 0) {
		mg_error_system(error, errno, "%s", path);
		if (fd >= 0)
			unlink(temporary);
	}
	free(temporary);
	return result;
}

static bool read_block(int fd, uint64_t number, struct block *block)
{
	return pread(fd, block, sizeof *block, (off_t)(number * BLOCK_BYTES)) ==
		       (ssize_t)sizeof *block &&
	       le64toh(block->number) == number && le64toh(block->check) == checksum(block);
}

static uint64_t blocks_of(uint64_t count)
{
	return (count + BLOCK_PAIRS - 1) / BLOCK_PAIRS;
}

/* Pairs in block `number` of blocks_of(count). */
static size_t pairs_in(uint64_t number, uint64_t count)
{
	return number < blocks_of(count) ? BLOCK_PAIRS
					 : (size_t)(count - (number - 1) * BLOCK_PAIRS);
}

/* The first block whose last hash is not below `hash`; behind the last when there is none. 0
 * when one cannot be read. */
static uint64_t first_block(int fd, uint64_t count, uint64_t hash, struct block *block)
{
	uint64_t low = 1, high = blocks_of(count) + 1;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (!read_block(fd, middle, block))
			return 0;
		if (le64toh(block->words[2 * (pairs_in(middle, count) - 1)]) < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Reads the first block: how many pairs there are. */
static bool read_head(int fd, uint64_t segment_bytes, uint64_t *count)
{
	struct block block;
	struct stat status;

	if (!read_block(fd, 0, &block) ||
		memcmp(&block.words[HEAD_MAGIC], magic, sizeof magic) != 0 ||
		le64toh(block.words[HEAD_SEGMENT]) != segment_bytes)
		return false;
	*count = le64toh(block.words[HEAD_COUNT]);
	return fstat(fd, &status) == 0 && *count <= (uint64_t)status.st_size &&
	       (blocks_of(*count) + 1) * BLOCK_BYTES == (uint64_t)status.st_size;
}

static bool find(int fd, uint64_t count, uint64_t hash, struct mg_index_pairs *found)
{
	struct block block;
	uint64_t number = first_block(fd, count, hash, &block);

	if (number == 0)
		return false;
	for (; number <= blocks_of(count); number++) {
		if (!read_block(fd, number, &block))
			return false;
		for (size_t i = 0; i < pairs_in(number, count); i++) {
			uint64_t other = le64toh(block.words[2 * i]);

			if (other > hash)
				return true;
			if (other == hash &&
				!mg_index_pairs_add(found, hash, le64toh(block.words[2 * i + 1])))
				return false;
		}
	}
	return true;
}

bool mg_index_file_is_of(const char *path, uint64_t segment_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint64_t count;
	bool good = fd >= 0 && read_head(fd, segment_bytes, &count);

	if (fd >= 0)
		close(fd);
	return good;
}

bool mg_index_file_find(const char *path, uint64_t segment_bytes, const uint64_t hashes[],
	size_t count, struct mg_index_pairs *found)
{
	size_t before = found->count;
	uint64_t all = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool good = fd >= 0 && read_head(fd, segment_bytes, &all);

	for (size_t i = 0; i < count && good; i++)
		good = find(fd, all, hashes[i], found);
	if (!good)
		found->count = before;
	if (fd >= 0)
		close(fd);
	return good;
}
