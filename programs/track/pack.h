/* SPDX-License-Identifier: ISC */
/* pack: the texts of lines, and numbers and texts as the bytes of a record of the store. What is
 * unpacked points into the record; a text in a record is followed by a NUL. */
#ifndef MG_TRACK_PACK_H
#define MG_TRACK_PACK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "track/line.h"

struct track_text track_text(const char *text);
bool track_text_is(struct track_text text, const char *word);
bool track_text_same(struct track_text a, struct track_text b);
bool track_text_starts(struct track_text text, const char *prefix);
/* As a C string, cut to size - 1; "" for none. Returns target. */
const char *track_text_copy(struct track_text text, char *target, size_t size);

/* Adds to a record: a number, and a text of which `most` bytes are kept. */
void track_pack_number(struct mg_buf *record, uint64_t number);
void track_pack_text(struct mg_buf *record, struct track_text text, size_t most);

struct track_unpacking {
	const unsigned char *at, *end;
	bool failed; /* the record ended too early: what was read since is 0 and none */
};
uint64_t track_unpack_number(struct track_unpacking *from);
struct track_text track_unpack_text(struct track_unpacking *from);
#endif
