/* SPDX-License-Identifier: ISC */
/* block: the header block of a message, and what the MTA must be told so that its block becomes the
 * same. Postfix's rules (measured, 3.7 and 3.10): an insert position counts the MTA's own Received
 * field, which is hidden from filters; the number of a change counts fields of that name without
 * it; a deletion takes effect at once, so later ones move up. All memory is the arena's. */
#ifndef MG_RUN_BLOCK_H
#define MG_RUN_BLOCK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "mail/message.h"

struct mg_block_entry;

/* The field that was changed last: changes of one name, in order up or down, need not count its
 * fields from the top again. */
struct mg_block_place {
	char name[201]; /* "" none; as long as a name may be */
	size_t index;
	unsigned original; /* its occurrence */
	unsigned live_above; /* fields of the name above it that are not deleted */
};

struct mg_block {
	struct mg_arena *arena;
	struct mg_block_entry *entries;
	size_t count, size;
	size_t above_received; /* entries that were inserted above the MTA's own Received */
	size_t above_at_turn; /* the same when the turn began */
	struct mg_header *view; /* the block without deleted entries */
	size_t view_count;
	bool view_valid;
	struct mg_block_place place;
	size_t refused; /* bytes that there was no memory for, the last time */
};

void mg_block_init(struct mg_block *block, struct mg_arena *arena);
/* Adds a field at the end; header's texts are kept. false: no memory. */
bool mg_block_append(struct mg_block *block, const struct mg_header *header);
/* From here on `occurrence` counts the block as it is now: the turn of the next filter. */
void mg_block_turn(struct mg_block *block);
/* Takes back what was changed since the turn began. */
void mg_block_undo(struct mg_block *block);
/* Bytes of the fields, each with its colon and line end. */
uint64_t mg_block_bytes(const struct mg_block *block);
/* The fields top to bottom. Valid until the next change. */
const struct mg_header *mg_block_view(struct mg_block *block, size_t *count);
/* Inserts at position; beyond the end: last. false: no memory. */
bool mg_block_insert(struct mg_block *block, unsigned position, const struct mg_header *header);
/* Gives the occurrence-th field of that name (from 1, as at the last turn) another value, or
 * deletes it when value is NULL. Returns the number the MTA counts it by at this moment, 0 when
 * there is no such field or it was deleted. */
unsigned mg_block_change(
	struct mg_block *block, const char *name, unsigned occurrence, const char *value);
#endif
