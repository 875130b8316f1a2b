/* SPDX-License-Identifier: ISC */
/* trail_private: what trail.c (the lines, their names, waiting) and trail_turn.c (from file to file)
 * share. */
#ifndef MG_TRACK_TRAIL_PRIVATE_H
#define MG_TRACK_TRAIL_PRIVATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "track/trail.h"
#include "track/watch.h"

struct track_trail {
	const char *path;
	const struct mg_clock *clock;
	struct track_watch watch;
	bool watched; /* the file, too */

	struct track_place place; /* where the next line begins */
	struct track_stream *stream; /* of place's generation; NULL: it is to be found */
	char head[TRACK_HEAD_MAX];
	size_t head_length;
	char *file; /* the path stream was opened by, for messages */

	bool drained; /* the watch, since there was data */
	bool looked; /* at the end of the file, since a younger one was seen */
	bool damaged; /* the stream cannot be read further */
	int hasty; /* how often the folder was in motion */
	int64_t again; /* monotonic ns, when to look without being woken; 0: as usual */
	int64_t younger; /* bytes of younger generations, as last seen */

	char *before; /* what stood before the place where the stream began; NULL: not looked */
	size_t before_length;

	char loss[512]; /* a loss that is to be told; "" none */
	char loss_name[TRACK_POSITION_MAX];
	char told[512];
	char name[TRACK_POSITION_MAX];
	size_t name_length; /* of the part before the offset; 0: to be made */
	uint32_t name_of; /* first bytes it is of */
};

/* What a part of the work answers: an enum track_step for the caller, or go on, nothing yet. */
enum { TRACK_GO_ON = 10 };

/* TRACK_WAIT, TRACK_FAILED: asked again after so many ns; a second. */
int track_trail_wait(struct track_trail *trail, int64_t time);
int track_trail_fail(struct track_trail *trail);
/* A loss is to be told. place: where reading had come to. */
void track_trail_lose(struct track_trail *trail, const struct track_place *place, const char *file,
	const char *why);

/* The place is one of the file whose first bytes are trail->head. false: no memory. */
bool track_trail_identify(struct track_trail *trail);
/* The first bytes of the stream's file are still those that were read: else it is another
 * generation, in the same file. What they grew by is added. */
bool track_trail_is_same(struct track_trail *trail);
/* The file became shorter than the first bytes that are known of it: these are fewer now, if it is
 * the same file. */
void track_trail_shorten(struct track_trail *trail);
/* Closes the stream; the place stays. */
void track_trail_leave(struct track_trail *trail);
/* There is no stream: finds the generation of the place, or what comes after it, and opens that. */
int track_trail_locate(struct track_trail *trail, struct mg_error *error);
/* The stream is at its end, and its file is not FILE any more: goes to the one after it, if it is
 * there. TRACK_LINE: half a line stood at the end. */
int track_trail_follow(
	struct track_trail *trail, struct track_stream_line *line, struct mg_error *error);
#endif
