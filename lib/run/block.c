/* SPDX-License-Identifier: ISC */
#include "run/block.h"

#include <string.h>
#include <strings.h>

struct mg_block_entry {
	struct mg_header header;
	bool deleted; /* in this turn */
	bool inserted; /* in this turn: not counted by occurrence */
	const char *value_before; /* of a field that was changed in this turn, or NULL */
	size_t value_length_before;
};

enum { FIRST_SIZE = 32 };

void mg_block_init(struct mg_block *block, struct mg_arena *arena)
{
	memset(block, 0, sizeof *block);
	block->arena = arena;
}

static bool make_room(struct mg_block *block)
{
	size_t size = block->size == 0 ? FIRST_SIZE : block->size * 2;
	struct mg_block_entry *entries;

	if (block->count < block->size)
		return true;
	entries = mg_arena_alloc(block->arena, size * sizeof *entries);
	if (entries == NULL) {
		block->refused = size * sizeof *entries;
		return false;
	}
	if (block->count > 0)
		memcpy(entries, block->entries, block->count * sizeof *entries);
	block->entries = entries;
	block->size = size;
	return true;
}

static bool put(struct mg_block *block, size_t at, const struct mg_header *header, bool inserted)
{
	if (!make_room(block))
		return false;
	memmove(&block->entries[at + 1], &block->entries[at],
		(block->count - at) * sizeof *block->entries);
	block->entries[at] = (struct mg_block_entry){.header = *header, .inserted = inserted};
	block->count++;
	block->view_valid = false;
	return true;
}

bool mg_block_append(struct mg_block *block, const struct mg_header *header)
{
	return put(block, block->count, header, false);
}

void mg_block_turn(struct mg_block *block)
{
	size_t kept = 0, above = 0;

	for (size_t i = 0; i < block->count; i++) {
		if (block->entries[i].deleted)
			continue;
		if (i < block->above_received)
			above++;
		block->entries[kept] = block->entries[i];
		block->entries[kept].value_before = NULL;
		block->entries[kept++].inserted = false;
	}
	block->count = kept;
	block->above_received = block->above_at_turn = above;
	block->view_valid = false;
}

void mg_block_undo(struct mg_block *block)
{
	size_t kept = 0;

	for (size_t i = 0; i < block->count; i++) {
		struct mg_block_entry entry = block->entries[i];

		if (entry.inserted)
			continue;
		entry.deleted = false;
		if (entry.value_before != NULL) {
			entry.header.value = entry.value_before;
			entry.header.value_length = entry.value_length_before;
			entry.value_before = NULL;
		}
		block->entries[kept++] = entry;
	}
	block->count = kept;
	block->above_received = block->above_at_turn;
	block->view_valid = false;
}

uint64_t mg_block_bytes(const struct mg_block *block)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < block->count; i++)
		if (!block->entries[i].deleted)
			bytes += block->entries[i].header.name_length +
				 block->entries[i].header.value_length + strlen(":\r\n");
	return bytes;
}

const struct mg_header *mg_block_view(struct mg_block *block, size_t *count)
{
	static const struct mg_header nothing;

	*count = 0;
	if (!block->view_valid) {
		if (block->view_size < block->count) {
			block->view =
				mg_arena_alloc(block->arena, block->size * sizeof *block->view);
			if (block->view == NULL) {
				block->view_size = 0;
				block->refused = block->size * sizeof *block->view;
				return NULL;
			}
			block->view_size = block->size;
		}
		block->view_count = 0;
		for (size_t i = 0; i < block->count; i++)
			if (!block->entries[i].deleted)
				block->view[block->view_count++] = block->entries[i].header;
		block->view_valid = true;
	}
	*count = block->view_count;
	return block->view_count > 0 ? block->view : &nothing;
}

/* The place of the number-th entry (from 0) that is not deleted; the end when there are fewer. */
static size_t place_of_live(const struct mg_block *block, size_t number)
{
	size_t at = 0;

	for (; at < block->count; at++)
		if (!block->entries[at].deleted && number-- == 0)
			break;
	return at;
}

bool mg_block_insert(struct mg_block *block, unsigned position, const struct mg_header *header)
{
	size_t live_above = 0, at;
	bool above;

	for (size_t i = 0; i < block->above_received; i++)
		live_above += !block->entries[i].deleted;
	above = position <= live_above;
	if (!above)
		at = place_of_live(block, position - 1);
	else if (position == live_above)
		at = block->above_received;
	else
		at = place_of_live(block, position);
	if (!put(block, at, header, true))
		return false;
	block->above_received += above;
	return true;
}

static bool is_named(const struct mg_header *header, const char *name, size_t length)
{
	return header->name_length == length && strncasecmp(header->name, name, length) == 0;
}

unsigned mg_block_change(
	struct mg_block *block, const char *name, unsigned occurrence, const char *value)
{
	size_t length = strlen(name);
	unsigned original = 0, live = 0;

	for (size_t i = 0; i < block->count; i++) {
		struct mg_block_entry *entry = &block->entries[i];

		if (!is_named(&entry->header, name, length))
			continue;
		live += !entry->deleted;
		if (entry->inserted || ++original != occurrence)
			continue;
		if (entry->deleted)
			return 0;
		entry->deleted = value == NULL;
		if (value != NULL) {
			if (entry->value_before == NULL) {
				entry->value_before = entry->header.value;
				entry->value_length_before = entry->header.value_length;
			}
			entry->header.value = value;
			entry->header.value_length = strlen(value);
		}
		block->view_valid = false;
		return live;
	}
	return 0;
}
