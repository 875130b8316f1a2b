/* SPDX-License-Identifier: ISC */
#include "track/written.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { SIZE_MIN = 1024, SIZE_KEPT = 16384, TIME_BYTES = 6 };

static const struct track_id none;

static int digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	return -1;
}

/* False: no UUID in lower case. */
static bool parse(const char *text, struct track_id *id)
{
	for (size_t i = 0; i < sizeof id->bytes; i++) {
		int high, low;

		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (*text++ != '-')
				return false;
		high = digit(text[0]);
		low = high < 0 ? -1 : digit(text[1]);
		if (low < 0)
			return false;
		id->bytes[i] = (unsigned char)(high * 16 + low);
		text += 2;
	}
	return *text == '\0';
}

static bool equal(const struct track_id *a, const struct track_id *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* The slot that has the id, or the free one where it belongs. The last half of an id is as good as
 * random. */
static struct track_id *find(const struct track_written *set, const struct track_id *id)
{
	uint64_t hash;
	size_t at;

	memcpy(&hash, id->bytes + sizeof id->bytes - sizeof hash, sizeof hash);
	at = (size_t)(hash & (set->size - 1));
	while (!equal(&set->slots[at], &none) && !equal(&set->slots[at], id))
		at = (at + 1) & (set->size - 1);
	return &set->slots[at];
}

static bool grow(struct track_written *set)
{
	struct track_written larger = {.size = set->size == 0 ? SIZE_MIN : 2 * set->size};

	larger.slots = calloc(larger.size, sizeof *larger.slots);
	if (larger.slots == NULL)
		return false;
	for (size_t i = 0; i < set->size; i++)
		if (!equal(&set->slots[i], &none))
			*find(&larger, &set->slots[i]) = set->slots[i];
	larger.count = set->count;
	free(set->slots);
	*set = larger;
	return true;
}

bool track_written_room(struct track_written *set)
{
	return 2 * set->count < set->size || grow(set);
}

void track_written_add(struct track_written *set, const char *id)
{
	struct track_id parsed, *slot;

	if (!parse(id, &parsed) || equal(&parsed, &none))
		return;
	slot = find(set, &parsed);
	if (equal(slot, &none))
		set->count++;
	*slot = parsed;
}

bool track_written_has(const struct track_written *set, const char *id)
{
	struct track_id parsed;

	return set->count > 0 && parse(id, &parsed) && !equal(&parsed, &none) &&
	       equal(find(set, &parsed), &parsed);
}

void track_written_clear(struct track_written *set)
{
	if (set->count == 0)
		return;
	if (set->size > SIZE_KEPT) {
		track_written_free(set);
		return;
	}
	memset(set->slots, 0, set->size * sizeof *set->slots);
	set->count = 0;
}

void track_written_free(struct track_written *set)
{
	free(set->slots);
	*set = (struct track_written){0};
}

int64_t track_written_time(const char *id)
{
	struct track_id parsed;
	int64_t milliseconds = 0;

	if (!parse(id, &parsed))
		return 0;
	for (size_t i = 0; i < TIME_BYTES; i++)
		milliseconds = milliseconds * 256 + parsed.bytes[i];
	return milliseconds > INT64_MAX / MG_MILLISECOND ? 0 : milliseconds * MG_MILLISECOND;
}
