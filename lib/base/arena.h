/* SPDX-License-Identifier: ISC */
/* arena: memory of one message, with a limit, freed as a whole. Optionally counted against a total
 * shared by all arenas (the setting bounds.memory); the total is atomic, an arena itself is used
 * by one thread at a time. */
#ifndef MG_BASE_ARENA_H
#define MG_BASE_ARENA_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct mg_arena;

/* What all arenas of a process use together, in bytes. */
struct mg_arena_total {
	_Atomic size_t used;
	_Atomic size_t limit;
};

/* limit: bytes this arena may hand out (its blocks are counted, not each piece). total may be
 * NULL. NULL when out of memory. */
struct mg_arena *mg_arena_new(size_t limit, struct mg_arena_total *total);
/* Zeroed, aligned for any type, never shared even with 0 bytes; NULL when the arena, the total or
 * the machine has no more, or the arena is NULL. */
void *mg_arena_alloc(struct mg_arena *arena, size_t bytes);
/* A copy of length bytes and a NUL. */
char *mg_arena_copy(struct mg_arena *arena, const char *text, size_t length);
/* Bytes counted against the limit so far. */
size_t mg_arena_used(const struct mg_arena *arena);
/* Is it the arena's own limit that `bytes` more would go over (and not the total or the machine's
 * memory)? */
bool mg_arena_at_limit(const struct mg_arena *arena, size_t bytes);
/* Everything handed out becomes invalid; one block is kept for reuse. */
void mg_arena_reset(struct mg_arena *arena);
void mg_arena_free(struct mg_arena *arena);
#endif
