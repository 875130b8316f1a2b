/* SPDX-License-Identifier: ISC */
/* written: ids of events that are in the log already, for those that may be made again: what was read
 * of Postfix's log since the last commit makes the same events with the same ids (join). */
#ifndef MG_TRACK_WRITTEN_H
#define MG_TRACK_WRITTEN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct track_id {
	unsigned char bytes[16];
};

/* A zeroed struct is an empty set. */
struct track_written {
	struct track_id *slots; /* a zero id: free */
	size_t count, size;
};

/* Makes room for one more; false when memory is short. */
bool track_written_room(struct track_written *set);
/* Adds one, for which there is room. id: a UUID as text; another is no member and cannot be one. */
void track_written_add(struct track_written *set, const char *id);
bool track_written_has(const struct track_written *set, const char *id);
/* Empties it; large memory is given back. */
void track_written_clear(struct track_written *set);
void track_written_free(struct track_written *set);

/* UTC ns of a UUIDv7, by the millisecond; 0 of another text. */
int64_t track_written_time(const char *id);
#endif
