/* SPDX-License-Identifier: ISC */
/* trail: the lines of a log file over all its generations, in the order they were written, each once:
 * from a place on to the end of that generation, then every younger one, then what is written now.
 * Rotation by rename (the rest is read through the descriptor that is still open), by copy and
 * truncation (the rest is read from the copy), and what happened while nobody read, are one case:
 * where is the generation of the place now, and which comes after it? */
#ifndef MG_TRACK_TRAIL_H
#define MG_TRACK_TRAIL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "track/place.h"
#include "track/stream.h"

struct track_trail;

/* path as long as the trail. position: as track_place_write wrote it; "" or that of another kind of
 * source: from the first line of FILE. NULL with error: FILE or its folder cannot be read. */
struct track_trail *track_trail_open(const char *path, const char *position,
	const struct mg_clock *clock, struct mg_error *error);
void track_trail_close(struct track_trail *trail);

enum track_step { TRACK_FAILED = -1, TRACK_WAIT, TRACK_LINE, TRACK_LOSS };

/* The next line, nothing more now, or -1 with error (it may be called again). A loss: lines that
 * cannot be read any more stood here, nobody knows how many; *loss says why, until the next call. */
enum track_step track_trail_next(struct track_trail *trail, struct track_stream_line *line,
	const char **loss, struct mg_error *error);
/* The line given last is done, so many of its copies (0: all of it). */
void track_trail_done(
	struct track_trail *trail, const struct track_stream_line *line, uint32_t repeated);
/* Of the line given last, or of a loss. Valid until the next call. */
const char *track_trail_name(struct track_trail *trail, const struct track_stream_line *line);
/* Where the next line begins. */
const struct track_place *track_trail_place(struct track_trail *trail);
/* Makes the line given last what track_trail_before tells for the lines after it. */
void track_trail_keep(struct track_trail *trail, const struct track_stream_line *line);
/* The line that was kept last, also one before the place where reading began. false: none. */
bool track_trail_before(struct track_trail *trail, const char **text, size_t *length);

int track_trail_descriptor(const struct track_trail *trail);
int64_t track_trail_timeout(const struct track_trail *trail);
/* After TRACK_WAIT: whether all is read. */
bool track_trail_at_end(const struct track_trail *trail);
int64_t track_trail_backlog(const struct track_trail *trail);
#endif
