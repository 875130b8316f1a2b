/* SPDX-License-Identifier: ISC */
#include "track/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "track/generation.h"
#include "track/trail_private.h"

enum {
	FILLS = 256, /* a call, without a line: 32 MiB */
	SKIPS = 4 /* likewise, of a gzipped file on the way to its offset: 64 MiB */
};

/* Also of a line that is none of that kind: it is only passed over. */
#define REPEATED "last message repeated "
#define RARELY (10 * MG_SECOND)

static int64_t modified_of(const struct stat *status)
{
	return (int64_t)status->st_mtim.tv_sec * MG_SECOND + status->st_mtim.tv_nsec;
}

static int at_end(struct track_trail *trail, struct track_stream_line *line, struct mg_error *error)
{
	struct stat own, live;
	int fd = track_stream_descriptor(trail->stream);
	int status;

	if (!trail->drained) {
		track_watch_drain(&trail->watch);
		trail->drained = true;
		return TRACK_GO_ON;
	}
	if (fstat(fd, &own) != 0) {
		mg_error_system(error, errno, "%s", trail->file);
		return track_trail_fail(trail);
	}
	trail->place.modified = modified_of(&own);
	if (!track_stream_is_compressed(trail->stream) &&
		(uint64_t)own.st_size < track_stream_read_end(trail->stream)) {
		track_trail_shorten(trail);
		track_trail_leave(trail);
		return TRACK_GO_ON;
	}
	if (stat(trail->path, &live) == 0 && live.st_dev == own.st_dev &&
		live.st_ino == own.st_ino && !trail->damaged) {
		trail->younger = 0;
		return TRACK_WAIT;
	}
	status = track_trail_follow(trail, line, error);
	if (status == TRACK_WAIT && !track_watch_path(&trail->watch, trail->path))
		trail->watched = false;
	return status;
}

/* Reads on in the stream. */
static int read_on(
	struct track_trail *trail, struct track_stream_line *line, struct mg_error *error)
{
	int status = trail->damaged ? 0 : track_stream_fill(trail->stream);

	if (status < 0 && errno == EBADMSG) {
		trail->damaged = true;
		track_trail_lose(trail, &trail->place, trail->file,
			"damaged; what stands behind cannot be read");
		return TRACK_GO_ON;
	}
	if (status < 0) {
		mg_error_system(error, errno, "%s", trail->file);
		return track_trail_fail(trail);
	}
	if (status == 0)
		return at_end(trail, line, error);
	trail->drained = trail->looked = false;
	if (!track_stream_is_compressed(trail->stream) && !track_trail_is_same(trail))
		track_trail_leave(trail);
	return TRACK_GO_ON;
}

static bool take_loss(struct track_trail *trail, const char **loss)
{
	if (trail->loss[0] == '\0')
		return false;
	memcpy(trail->told, trail->loss, sizeof trail->told);
	trail->loss[0] = '\0';
	*loss = trail->told;
	return true;
}

enum track_step track_trail_next(struct track_trail *trail, struct track_stream_line *line,
	const char **loss, struct mg_error *error)
{
	int fills = 0, status;

	trail->again = 0;
	trail->drained = false;
	if (trail->stream == NULL)
		track_watch_drain(&trail->watch);
	for (;;) {
		if (take_loss(trail, loss))
			return TRACK_LOSS;
		if (trail->stream == NULL)
			status = track_trail_locate(trail, error);
		else if (track_stream_line(trail->stream, line))
			return TRACK_LINE;
		else if (fills++ == (track_stream_is_compressed(trail->stream) ? SKIPS : FILLS))
			return (enum track_step)track_trail_wait(trail, 0);
		else
			status = read_on(trail, line, error);
		if (status != TRACK_GO_ON)
			return (enum track_step)status;
	}
}

/* --- places and names --------------------------------------------------------- */

void track_trail_done(
	struct track_trail *trail, const struct track_stream_line *line, uint32_t repeated)
{
	trail->place.offset = repeated > 0 ? line->offset : line->end;
	trail->place.repeated = repeated;
}

/* Decimal digits, without a call to printf for each line. */
static void put_number(char *target, uint64_t number)
{
	char digits[24];
	size_t at = sizeof digits;

	digits[--at] = '\0';
	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	memcpy(target, digits + at, sizeof digits - at);
}

const char *track_trail_name(struct track_trail *trail, const struct track_stream_line *line)
{
	/* As many bytes as stand up to the end of the line: they were there when it was first read,
	 * and are when it is read again. */
	uint64_t known;

	if (line == NULL)
		return trail->loss_name;
	known = line->end < trail->head_length ? line->end : trail->head_length;
	if (trail->name_length == 0 || trail->name_of != known) {
		struct track_place place = trail->place;

		place.offset = 0;
		if (!track_place_identify(&place, trail->head, (size_t)known))
			place.length = (uint32_t)known;
		trail->name_length = track_place_name(&place, trail->name) - 1;
		trail->name_of = (uint32_t)known;
	}
	put_number(trail->name + trail->name_length, line->offset);
	return trail->name;
}

const struct track_place *track_trail_place(struct track_trail *trail)
{
	struct stat status;

	if (trail->stream != NULL && fstat(track_stream_descriptor(trail->stream), &status) == 0)
		trail->place.modified = modified_of(&status);
	return &trail->place;
}

void track_trail_keep(struct track_trail *trail, const struct track_stream_line *line)
{
	track_stream_keep(trail->stream, line);
}

/* The last line before the stream's place, from the file; "last message repeated" does not count. */
static bool look_back(struct track_trail *trail)
{
	uint64_t end = trail->place.offset, size = TRACK_LINE_MAX + 1;
	int fd = fcntl(track_stream_descriptor(trail->stream), F_DUPFD_CLOEXEC, 0);
	struct track_stream *stream =
		fd < 0 ? NULL : track_stream_open(fd, end < size ? 0 : end - size);
	struct track_stream_line line;
	const char *text;
	size_t length;
	bool first = end > size; /* a piece of a line */

	trail->before_length = 0;
	do {
		while (stream != NULL && track_stream_line(stream, &line) && line.end <= end) {
			if (!first &&
				memmem(line.text, line.length, REPEATED, strlen(REPEATED)) == NULL)
				track_stream_keep(stream, &line);
			first = false;
		}
	} while (stream != NULL && track_stream_offset(stream) < end &&
		 track_stream_fill(stream) == 1);
	if (stream != NULL && track_stream_kept(stream, &text, &length)) {
		trail->before = malloc(length + 1);
		if (trail->before != NULL) {
			memcpy(trail->before, text, length);
			trail->before_length = length;
		}
	} else
		trail->before = calloc(1, 1);
	track_stream_close(stream);
	return trail->before_length > 0;
}

bool track_trail_before(struct track_trail *trail, const char **text, size_t *length)
{
	if (track_stream_kept(trail->stream, text, length))
		return true;
	if (trail->before == NULL && !look_back(trail))
		return false;
	*text = trail->before;
	*length = trail->before_length;
	return *length > 0;
}

/* --- waiting ------------------------------------------------------------------ */

int track_trail_descriptor(const struct track_trail *trail)
{
	return trail->watch.fd;
}

int64_t track_trail_timeout(const struct track_trail *trail)
{
	int64_t left;

	if (trail->again == 0)
		return trail->watched && trail->watch.fd >= 0 ? RARELY : MG_SECOND;
	left = trail->again - trail->clock->monotonic(trail->clock);
	return left > 0 ? left : 0;
}

bool track_trail_at_end(const struct track_trail *trail)
{
	return trail->again == 0;
}

int64_t track_trail_backlog(const struct track_trail *trail)
{
	struct stat status;
	int64_t rest = 0;

	if (trail->stream != NULL && !track_stream_is_compressed(trail->stream) &&
		fstat(track_stream_descriptor(trail->stream), &status) == 0)
		rest = (int64_t)status.st_size - (int64_t)trail->place.offset;
	return (rest > 0 ? rest : 0) + trail->younger;
}

/* --- begin and end ------------------------------------------------------------ */

/* The place of the first line of FILE; of no generation when FILE is not there or empty. */
static bool begin(struct track_trail *trail, struct mg_error *error)
{
	struct track_generation live;
	struct timespec now;
	bool good = true;

	if (track_generation_look(&live, trail->path) && live.error == 0 && live.head_length > 0) {
		memcpy(trail->head, live.head, live.head_length);
		trail->head_length = live.head_length;
		trail->place.device = live.device;
		trail->place.inode = live.inode;
		trail->place.modified = live.modified;
		good = track_trail_identify(trail);
		if (!good)
			mg_error_set(error, "%s: no memory", trail->path);
	} else {
		/* By the clock that files get their times of. */
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
		trail->place.modified = (int64_t)now.tv_sec * MG_SECOND + now.tv_nsec;
	}
	free(live.path);
	return good;
}

/* FILE can be read, or may come into a folder that can be read. */
static bool check_path(const char *path, struct mg_error *error)
{
	struct stat status;
	char *folder;
	bool good;

	if (stat(path, &status) == 0) {
		good = access(path, R_OK) == 0;
		if (!good)
			mg_error_system(error, errno, "%s (group adm on Debian)", path);
		else if (!S_ISREG(status.st_mode)) {
			mg_error_set(error, "%s: not a regular file", path);
			good = false;
		}
		return good;
	}
	folder = errno == ENOENT ? strndup(path, (size_t)(strrchr(path, '/') - path) + 1) : NULL;
	good = folder != NULL && access(folder, R_OK | X_OK) == 0;
	if (!good)
		mg_error_system(error, errno, "%s", folder == NULL ? path : folder);
	free(folder);
	return good;
}

struct track_trail *track_trail_open(const char *path, const char *position,
	const struct mg_clock *clock, struct mg_error *error)
{
	struct track_trail *trail = NULL;

	if (!check_path(path, error))
		return NULL;
	trail = calloc(1, sizeof *trail);
	if (trail == NULL) {
		mg_error_set(error, "%s: no memory", path);
		return NULL;
	}
	trail->path = path;
	trail->clock = clock;
	track_watch_open(&trail->watch, path);
	if (!track_place_read(position, &trail->place)) {
		trail->place = (struct track_place){0};
		if (!begin(trail, error)) {
			track_trail_close(trail);
			return NULL;
		}
	}
	return trail;
}

void track_trail_close(struct track_trail *trail)
{
	if (trail == NULL)
		return;
	track_trail_leave(trail);
	track_watch_close(&trail->watch);
	free(trail);
}
