/* SPDX-License-Identifier: ISC */
/* generation: the files a log was and is written to: FILE, and what rotation made of the files before
 * (FILE.1, FILE.2 …, FILE-20261125, FILE.20261125-090102, with .gz); which of them a place belongs to,
 * and which comes next. */
#ifndef MG_TRACK_GENERATION_H
#define MG_TRACK_GENERATION_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "track/place.h"
#include "track/stream.h"

struct track_generation {
	char *path;
	uint64_t device, inode, size; /* size in the file, compressed or not */
	int64_t modified; /* UTC ns */
	bool live; /* FILE itself */
	bool compressed;
	int error; /* errno: it cannot be read, nothing of it is known */
	uint32_t head_length; /* 0: not enough to know it by */
	char head[TRACK_HEAD_MAX];
};

/* FILE alone; false: it is not there, or no file. The caller frees generation->path. */
bool track_generation_look(struct track_generation *generation, const char *path);
/* Whether it is certainly that of the place: the same file, that begins the same and is long
 * enough. */
bool track_generation_is(
	const struct track_generation *generation, const struct track_place *place);

/* The oldest first, FILE last; no two are the same. */
struct track_generations {
	struct track_generation *list;
	size_t count, size;
};

/* What there is now. 1; 0: a rotation is under way, ask again some milliseconds later; -1 with
 * error. `patient`: false takes what is there. */
int track_generations_find(struct track_generations *generations, const char *path, bool patient,
	struct mg_error *error);
void track_generations_free(struct track_generations *generations);

/* The generation of the place, SIZE_MAX: none of them. A plain file that is shorter than the offset
 * is it, too. */
size_t track_generations_of(
	const struct track_generations *generations, const struct track_place *place);
/* The one after number `index`; of no generation (SIZE_MAX) the first that was written to after
 * place->modified. Empty and unreadable ones before a readable one are passed over, and the last
 * such is set in unreadable (else NULL). SIZE_MAX: there is none yet. */
size_t track_generations_after(const struct track_generations *generations, size_t index,
	const struct track_place *place, const struct track_generation **unreadable);
#endif
