/* SPDX-License-Identifier: ISC */
#include "run/block.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

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

/* Room for one more entry, and for a view of all of them: what is in the block can be seen also when
 * there is no more memory. */
static bool make_room(struct mg_block *block)
{
	size_t size = block->size == 0 ? FIRST_SIZE : block->size * 2;
	struct mg_block_entry *entries;
	struct mg_header *view;

	if (block->count < block->size)
		return true;
	entries = mg_arena_alloc(block->arena, size * sizeof *entries);
	view = mg_arena_alloc(block->arena, size * sizeof *view);
	if (entries == NULL || view == NULL) {
		block->refused = size * (entries == NULL ? sizeof *entries : sizeof *view);
		return false;
	}
	if (block->count > 0)
		memcpy(entries, block->entries, block->count * sizeof *entries);
	block->entries = entries;
	block->view = view;
	block->view_valid = false;
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
	block->place.name[0] = '\0';
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
	block->place.name[0] = '\0';
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
	block->place.name[0] = '\0';
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

/* Goes from the place to the occurrence; false when there is none. */
static bool seek(const struct mg_block *block, unsigned occurrence, struct mg_block_place *place)
{
	size_t length = strlen(place->name);
	bool up = occurrence < place->original;

	while (place->original != occurrence) {
		const struct mg_block_entry *entry;

		if (up ? place->index == 0 : place->index + 1 >= block->count)
			return false;
		/* What is passed, the place itself or one above it, is or was above. */
		entry = &block->entries[up ? place->index - 1 : place->index];
		if (is_named(&entry->header, place->name, length) && !entry->deleted) {
			if (up)
				place->live_above--;
			else
				place->live_above++;
		}
		place->index = up ? place->index - 1 : place->index + 1;
		entry = &block->entries[place->index];
		if (is_named(&entry->header, place->name, length) && !entry->inserted)
			place->original = up ? place->original - 1 : place->original + 1;
	}
	return true;
}

/* The place of the first entry, for a name that was not asked for last. */
static void begin_place(
	const struct mg_block *block, const char *name, struct mg_block_place *place)
{
	const struct mg_block_entry *first = &block->entries[0];

	*place = (struct mg_block_place){.index = 0};
	mg_str_copy(place->name, sizeof place->name, name);
	place->original = is_named(&first->header, name, strlen(name)) && !first->inserted;
}

unsigned mg_block_change(
	struct mg_block *block, const char *name, unsigned occurrence, const char *value)
{
	struct mg_block_place place = block->place;
	struct mg_block_entry *entry;

	if (block->count == 0 || occurrence == 0 || strlen(name) >= sizeof place.name)
		return 0;
	if (!mg_str_equal_nocase(place.name, name))
		begin_place(block, name, &place);
	if (!seek(block, occurrence, &place))
		return 0;
	block->place = place;
	entry = &block->entries[place.index];
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
	return place.live_above + 1;
}
