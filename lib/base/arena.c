/* SPDX-License-Identifier: ISC */
#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#endif

enum {
	ALIGNMENT = alignof(max_align_t),
	BLOCK_FIRST = 16 * 1024,
	BLOCK_LAST = 128 * 1024, /* blocks double from the first size to this one */
#ifdef WITH_ASAN
	GAP = ALIGNMENT /* bytes nobody may touch between two pieces */
#else
	GAP = 0
#endif
};

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#endif

struct block {
	struct block *next;
	size_t size, used;
	alignas(max_align_t) unsigned char data[];
};

struct mg_arena {
	struct block *blocks; /* the first one is being filled */
	size_t limit, used;
	size_t block_size; /* of the next block */
	struct mg_arena_total *total;
};

struct mg_arena *mg_arena_new(size_t limit, struct mg_arena_total *total)
{
	struct mg_arena *arena = malloc(sizeof(*arena));

	if (arena != NULL)
		*arena = (struct mg_arena){
			.limit = limit, .block_size = BLOCK_FIRST, .total = total};
	return arena;
}

static bool total_take(struct mg_arena_total *total, size_t bytes)
{
	size_t limit, used;

	if (total == NULL)
		return true;
	limit = atomic_load(&total->limit);
	used = atomic_load(&total->used);
	do {
		if (bytes > limit || used > limit - bytes)
			return false;
	} while (!atomic_compare_exchange_weak(&total->used, &used, used + bytes));
	return true;
}

static void total_give(struct mg_arena_total *total, size_t bytes)
{
	if (total != NULL)
		atomic_fetch_sub(&total->used, bytes);
}

static struct block *block_new(struct mg_arena *arena, size_t size)
{
	struct block *block;

	if (size > arena->limit - arena->used || size > SIZE_MAX - sizeof(*block))
		return NULL;
	if (!total_take(arena->total, size))
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (block == NULL) {
		total_give(arena->total, size);
		return NULL;
	}
	*block = (struct block){.size = size};
	ASAN_POISON_MEMORY_REGION(block->data, size);
	arena->used += size;
	return block;
}

static void block_free(struct mg_arena *arena, struct block *block)
{
	ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
	arena->used -= block->size;
	total_give(arena->total, block->size);
	free(block);
}

/* Where the next piece begins; over block->size when the block is full. */
static size_t block_start(const struct block *block)
{
	if (block->used == 0)
		return 0;
	return (block->used + GAP + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool block_has(const struct block *block, size_t bytes)
{
	size_t start = block_start(block);

	return start <= block->size && bytes <= block->size - start;
}

static void *block_take(struct block *block, size_t bytes)
{
	unsigned char *piece = block->data + block_start(block);

	block->used = block_start(block) + bytes;
	ASAN_UNPOISON_MEMORY_REGION(piece, bytes);
	return memset(piece, 0, bytes);
}

/* A block with room for `bytes`: of the usual size if the limits allow, else just large enough. */
static struct block *arena_grow(struct mg_arena *arena, size_t bytes)
{
	struct block *block = NULL, *first = arena->blocks;

	if (bytes < arena->block_size)
		block = block_new(arena, arena->block_size);
	if (block == NULL)
		block = block_new(arena, bytes);
	if (block == NULL)
		return NULL;
	if (block->size >= arena->block_size && arena->block_size < BLOCK_LAST)
		arena->block_size *= 2;
	if (first != NULL && block->size == bytes) {
		/* It will be full at once: the one before goes on being filled. */
		block->next = first->next;
		first->next = block;
	} else {
		block->next = first;
		arena->blocks = block;
	}
	return block;
}

void *mg_arena_alloc(struct mg_arena *arena, size_t bytes)
{
	struct block *block;

	if (arena == NULL)
		return NULL;
	block = arena->blocks;
	if (bytes == 0)
		bytes = 1;
	if (block == NULL || !block_has(block, bytes))
		block = arena_grow(arena, bytes);
	return block != NULL ? block_take(block, bytes) : NULL;
}

char *mg_arena_copy(struct mg_arena *arena, const char *text, size_t length)
{
	char *copy = length < SIZE_MAX ? mg_arena_alloc(arena, length + 1) : NULL;

	if (copy != NULL && length > 0)
		memcpy(copy, text, length);
	return copy;
}

size_t mg_arena_used(const struct mg_arena *arena)
{
	return arena->used;
}

bool mg_arena_at_limit(const struct mg_arena *arena, size_t bytes)
{
	return bytes > arena->limit - arena->used;
}

/* The smallest block is kept: an idle connection does not hold what one large message took. */
void mg_arena_reset(struct mg_arena *arena)
{
	struct block *kept = arena->blocks, *block, *next;

	if (kept == NULL)
		return;
	for (block = kept->next; block != NULL; block = next) {
		next = block->next;
		if (block->size < kept->size) {
			block_free(arena, kept);
			kept = block;
		} else {
			block_free(arena, block);
		}
	}
	kept->next = NULL;
	kept->used = 0;
	ASAN_POISON_MEMORY_REGION(kept->data, kept->size);
	arena->blocks = kept;
	arena->block_size = BLOCK_FIRST;
}

void mg_arena_free(struct mg_arena *arena)
{
	struct block *block, *next;

	if (arena == NULL)
		return;
	for (block = arena->blocks; block != NULL; block = next) {
		next = block->next;
		block_free(arena, block);
	}
	free(arena);
}
