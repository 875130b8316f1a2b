/* SPDX-License-Identifier: ISC */
/* place: where a reader of a log file goes on, as a value and as text.
 *
 * A generation of a log is known by the hash of its first bytes and their number, wherever rotation
 * moves, copies or compresses it to; device and inode decide between files that begin alike. A
 * file that has no whole line has no identity. */
#ifndef MG_TRACK_PLACE_H
#define MG_TRACK_PLACE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "track/source.h"

enum { TRACK_FINGERPRINT = 16 };

/* A place in a generation: where a reader goes on. */
struct track_place {
	bool known; /* false: of no generation */
	unsigned char fingerprint[TRACK_FINGERPRINT]; /* SHA-256 of `length` first bytes, cut */
	uint32_t length;
	uint64_t offset; /* of the text */
	uint32_t shrunk; /* times that the file became shorter and kept its first bytes */
	uint32_t repeated; /* of a repeated line, how many copies are done */
	uint64_t device, inode; /* where it was last */
	int64_t modified; /* UTC ns, of the file; of no generation: when reading began */
};

/* As text and back. A text of another form: false. */
void track_place_write(const struct track_place *place, char text[TRACK_POSITION_MAX]);
bool track_place_read(const char *text, struct track_place *place);
/* The name of a record: fingerprint, length, offset and number of times shrunk; the same whenever
 * and wherever it is read. Returns its length. */
size_t track_place_name(const struct track_place *place, char text[TRACK_POSITION_MAX]);
/* Whether these are enough of the first bytes to know a generation by: a whole line, or all that
 * count. (Stamps and names are alike in many.) */
bool track_place_is_enough(const char *head, size_t length);
/* Sets fingerprint and length to those of the first bytes. false: no memory. */
bool track_place_identify(struct track_place *place, const char *head, size_t length);
#endif
