/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "track/generation.h"
#include "track/trail_private.h"

enum { HASTY = 50 /* tries to see the folder between two rotations */ };

#define SOON (20 * MG_MILLISECOND)

int track_trail_wait(struct track_trail *trail, int64_t time)
{
	trail->again = trail->clock->monotonic(trail->clock) + time;
	return TRACK_WAIT;
}

int track_trail_fail(struct track_trail *trail)
{
	trail->again = trail->clock->monotonic(trail->clock) + MG_SECOND;
	return TRACK_FAILED;
}

void track_trail_lose(struct track_trail *trail, const struct track_place *place, const char *file,
	const char *why)
{
	size_t length = track_place_name(place, trail->loss_name);

	snprintf(trail->loss_name + length, sizeof trail->loss_name - length, "-lost");
	snprintf(trail->loss, sizeof trail->loss, "%.200s: %s", file, why);
}

/* --- streams ------------------------------------------------------------------ */

void track_trail_leave(struct track_trail *trail)
{
	track_stream_close(trail->stream);
	trail->stream = NULL;
	free(trail->file);
	trail->file = NULL;
	free(trail->before);
	trail->before = NULL;
	trail->looked = trail->damaged = trail->drained = false;
	trail->name_length = 0;
}

bool track_trail_identify(struct track_trail *trail)
{
	trail->name_length = 0;
	trail->place.known = true;
	return track_place_identify(&trail->place, trail->head, trail->head_length);
}

/* Opens what the folder showed; it may have been moved since. */
static int open_stream(struct track_trail *trail, const struct track_generation *generation,
	uint64_t offset, struct mg_error *error)
{
	int fd = open(generation->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0 && errno != ENOENT) {
		mg_error_system(error, errno, "%s", generation->path);
		return track_trail_fail(trail);
	}
	if (fd < 0)
		return track_trail_wait(trail, SOON);
	if (fstat(fd, &status) != 0 || status.st_dev != generation->device ||
		status.st_ino != generation->inode) {
		close(fd);
		return track_trail_wait(trail, SOON);
	}
	track_trail_leave(trail);
	trail->stream = track_stream_open(fd, offset);
	trail->file = strdup(generation->path);
	if (trail->stream == NULL || trail->file == NULL) {
		mg_error_system(error, errno, "%s", generation->path);
		track_trail_leave(trail);
		return track_trail_fail(trail);
	}
	memcpy(trail->head, generation->head, generation->head_length);
	trail->head_length = generation->head_length;
	trail->place.offset = offset;
	trail->place.device = generation->device;
	trail->place.inode = generation->inode;
	trail->place.modified = generation->modified;
	trail->watched = track_watch_file(&trail->watch, fd);
	if (track_trail_identify(trail))
		return TRACK_GO_ON;
	mg_error_set(error, "%s: no memory", generation->path);
	track_trail_leave(trail);
	return track_trail_fail(trail);
}

bool track_trail_is_same(struct track_trail *trail)
{
	char head[TRACK_HEAD_MAX];
	ssize_t length = pread(track_stream_descriptor(trail->stream), head, sizeof head, 0);

	if (length < (ssize_t)trail->head_length ||
		memcmp(head, trail->head, trail->head_length) != 0)
		return false;
	if ((size_t)length == trail->head_length)
		return true;
	memcpy(trail->head, head, (size_t)length);
	trail->head_length = (size_t)length;
	return track_trail_identify(trail);
}

void track_trail_shorten(struct track_trail *trail)
{
	char head[TRACK_HEAD_MAX];
	ssize_t length = pread(track_stream_descriptor(trail->stream), head, sizeof head, 0);

	if (length > 0 && (size_t)length < trail->head_length &&
		track_place_is_enough(head, (size_t)length) &&
		memcmp(head, trail->head, (size_t)length) == 0) {
		trail->head_length = (size_t)length;
		track_trail_identify(trail);
	}
}

/* --- the folder --------------------------------------------------------------- */

/* TRACK_WAIT, TRACK_FAILED, or TRACK_GO_ON with generations. */
static int find_generations(
	struct track_trail *trail, struct track_generations *generations, struct mg_error *error)
{
	int status = track_generations_find(generations, trail->path, trail->hasty < HASTY, error);

	if (status < 0)
		return track_trail_fail(trail);
	if (status == 0) {
		trail->hasty++;
		return track_trail_wait(trail, SOON);
	}
	trail->hasty = 0;
	return TRACK_GO_ON;
}

static const struct track_generation *live_one(const struct track_generations *generations)
{
	return generations->list != NULL && generations->count > 0 &&
			       generations->list[generations->count - 1].live
		       ? &generations->list[generations->count - 1]
		       : NULL;
}

static void count_younger(
	struct track_trail *trail, const struct track_generations *generations, size_t index)
{
	trail->younger = 0;
	for (; index < generations->count; index++)
		trail->younger += (int64_t)generations->list[index].size;
}

/* Goes to the generation after number `index` (SIZE_MAX: to the first that is not read). */
static int open_next(struct track_trail *trail, const struct track_generations *generations,
	size_t index, const char *loss, struct mg_error *error)
{
	const struct track_generation *unreadable, *live = live_one(generations);
	size_t next = track_generations_after(generations, index, &trail->place, &unreadable);
	struct track_place old = trail->place;
	int status;

	if (next == SIZE_MAX || generations->list == NULL) {
		if (live == NULL || live->error == 0)
			return TRACK_WAIT;
		mg_error_system(error, live->error, "%s", live->path);
		return track_trail_fail(trail);
	}
	trail->place.shrunk = trail->place.repeated = 0;
	status = open_stream(trail, &generations->list[next], 0, error);
	if (status != TRACK_GO_ON) {
		trail->place = old;
		return status;
	}
	count_younger(trail, generations, next + 1);
	if (unreadable != NULL)
		track_trail_lose(trail, &old, unreadable->path, strerror(unreadable->error));
	else if (loss != NULL)
		track_trail_lose(trail, &old, trail->path, loss);
	return TRACK_GO_ON;
}

/* The file became shorter and begins as before: nothing of what it has is new. */
static int go_on_shorter(
	struct track_trail *trail, const struct track_generation *live, struct mg_error *error)
{
	struct track_place old = trail->place;
	int status = open_stream(trail, live, live->size, error);

	if (status != TRACK_GO_ON)
		return status;
	trail->place.shrunk++;
	trail->place.repeated = 0;
	track_trail_lose(trail, &old, trail->path,
		"became shorter; what was written to it before that may be lost");
	return TRACK_GO_ON;
}

/* FILE is as the place says, most often: then nobody has to look at the folder. */
static int open_live(struct track_trail *trail, struct mg_error *error)
{
	struct track_generation live;
	int status = TRACK_WAIT;

	if (!trail->place.known || !track_generation_look(&live, trail->path))
		return TRACK_WAIT;
	if (track_generation_is(&live, &trail->place)) {
		trail->younger = 0;
		status = open_stream(trail, &live, trail->place.offset, error);
	}
	free(live.path);
	return status;
}

int track_trail_locate(struct track_trail *trail, struct mg_error *error)
{
	struct track_generations generations;
	int status = open_live(trail, error);
	const struct track_generation *found;
	size_t index;

	if (status != TRACK_WAIT)
		return status;
	status = find_generations(trail, &generations, error);
	if (status != TRACK_GO_ON)
		return status;
	index = track_generations_of(&generations, &trail->place);
	found = index == SIZE_MAX ? NULL : &generations.list[index];
	if (found != NULL && (found->compressed || found->size >= trail->place.offset)) {
		status = open_stream(trail, found, trail->place.offset, error);
		count_younger(trail, &generations, index + 1);
	} else if (found != NULL && found->live)
		status = go_on_shorter(trail, found, error);
	else
		status = open_next(trail, &generations, index,
			trail->place.known && found == NULL
				? "the file that was read before is gone, with what was not read of it"
				: NULL,
			error);
	track_generations_free(&generations);
	if (status == TRACK_WAIT)
		track_watch_path(&trail->watch, trail->path);
	return status;
}

/* --- the end of a file -------------------------------------------------------- */

int track_trail_follow(
	struct track_trail *trail, struct track_stream_line *line, struct mg_error *error)
{
	struct track_generations generations;
	int status = find_generations(trail, &generations, error);
	const struct track_generation *unreadable, *found;
	size_t index;

	if (status != TRACK_GO_ON)
		return status;
	index = track_generations_of(&generations, &trail->place);
	found = index == SIZE_MAX ? NULL : &generations.list[index];
	if (found != NULL && found->live && !track_stream_is_compressed(trail->stream) &&
		found->inode != trail->place.inode) {
		/* An editor wrote it anew. */
		track_trail_leave(trail);
	} else if (track_generations_after(&generations, index, &trail->place, &unreadable) ==
		   SIZE_MAX) {
		status = open_next(trail, &generations, index, NULL, error);
	} else if (!trail->looked && !trail->damaged) {
		/* The writer has gone to the younger one; what it wrote here before is read now. */
		trail->looked = true;
	} else if (track_stream_rest(trail->stream, line))
		status = TRACK_LINE;
	else
		status = open_next(trail, &generations, index, NULL, error);
	track_generations_free(&generations);
	return status;
}
