/* SPDX-License-Identifier: ISC */
#include "track/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "track/generation.h"
#include "track/watch.h"

enum {
	FILLS = 256, /* a call, without a line: 32 MiB */
	SKIPS = 4, /* likewise, of a gzipped file on the way to its offset: 64 MiB */
	HASTY = 50 /* tries to see the folder between two rotations */
};

/* Also of a line that is none of that kind: it is only passed over. */
#define REPEATED "last message repeated "
#define SOON (20 * MG_MILLISECOND)
#define RARELY (10 * MG_SECOND)

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

/* What a part of the work says: go on (nothing yet), or the answer to the caller. */
enum going { GO_ON = 10 };

static int wait_a_little(struct track_trail *trail, int64_t time)
{
	trail->again = trail->clock->monotonic(trail->clock) + time;
	return TRACK_WAIT;
}

static int fail(struct track_trail *trail)
{
	trail->again = trail->clock->monotonic(trail->clock) + MG_SECOND;
	return TRACK_FAILED;
}

/* place: where reading had come to. */
static void lose(struct track_trail *trail, const struct track_place *place, const char *file,
	const char *why)
{
	size_t length = track_place_name(place, trail->loss_name);

	snprintf(trail->loss_name + length, sizeof trail->loss_name - length, "-lost");
	snprintf(trail->loss, sizeof trail->loss, "%.200s: %s", file, why);
}

static int64_t modified_of(const struct stat *status)
{
	return (int64_t)status->st_mtim.tv_sec * MG_SECOND + status->st_mtim.tv_nsec;
}

/* --- streams ------------------------------------------------------------------ */

static void close_stream(struct track_trail *trail)
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

/* place is that of the stream, identified by all the first bytes known. */
static bool identify(struct track_trail *trail)
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
		return fail(trail);
	}
	if (fd < 0)
		return wait_a_little(trail, SOON);
	if (fstat(fd, &status) != 0 || status.st_dev != generation->device ||
		status.st_ino != generation->inode) {
		close(fd);
		return wait_a_little(trail, SOON);
	}
	close_stream(trail);
	trail->stream = track_stream_open(fd, offset);
	trail->file = strdup(generation->path);
	if (trail->stream == NULL || trail->file == NULL) {
		mg_error_system(error, errno, "%s", generation->path);
		close_stream(trail);
		return fail(trail);
	}
	memcpy(trail->head, generation->head, generation->head_length);
	trail->head_length = generation->head_length;
	trail->place.offset = offset;
	trail->place.device = generation->device;
	trail->place.inode = generation->inode;
	trail->place.modified = generation->modified;
	trail->watched = track_watch_file(&trail->watch, fd);
	if (identify(trail))
		return GO_ON;
	mg_error_set(error, "%s: no memory", generation->path);
	close_stream(trail);
	return fail(trail);
}

/* The first bytes are still those that were read: else it is another generation, in the same file.
 * What they grew by is added. */
static bool is_same(struct track_trail *trail)
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
	return identify(trail);
}

/* The file became shorter than the first bytes that are known of it: these are fewer now, if it is
 * the same file. */
static void shorten_head(struct track_trail *trail)
{
	char head[TRACK_HEAD_MAX];
	ssize_t length = pread(track_stream_descriptor(trail->stream), head, sizeof head, 0);

	if (length > 0 && (size_t)length < trail->head_length &&
		memcmp(head, trail->head, (size_t)length) == 0) {
		trail->head_length = (size_t)length;
		identify(trail);
	}
}

/* --- the folder --------------------------------------------------------------- */

/* TRACK_WAIT, TRACK_FAILED, or GO_ON with generations. */
static int find_generations(
	struct track_trail *trail, struct track_generations *generations, struct mg_error *error)
{
	int status = track_generations_find(generations, trail->path, trail->hasty < HASTY, error);

	if (status < 0)
		return fail(trail);
	if (status == 0) {
		trail->hasty++;
		return wait_a_little(trail, SOON);
	}
	trail->hasty = 0;
	return GO_ON;
}

static const struct track_generation *live_one(const struct track_generations *generations)
{
	return generations->count > 0 && generations->list[generations->count - 1].live
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

	if (next == SIZE_MAX) {
		if (live == NULL || live->error == 0)
			return TRACK_WAIT;
		mg_error_system(error, live->error, "%s", live->path);
		return fail(trail);
	}
	trail->place.shrunk = trail->place.repeated = 0;
	status = open_stream(trail, &generations->list[next], 0, error);
	if (status != GO_ON) {
		trail->place = old;
		return status;
	}
	count_younger(trail, generations, next + 1);
	if (unreadable != NULL)
		lose(trail, &old, unreadable->path, strerror(unreadable->error));
	else if (loss != NULL)
		lose(trail, &old, trail->path, loss);
	return GO_ON;
}

/* The file became shorter and begins as before: nothing of what it has is new. */
static int go_on_shorter(
	struct track_trail *trail, const struct track_generation *live, struct mg_error *error)
{
	struct track_place old = trail->place;
	int status = open_stream(trail, live, live->size, error);

	if (status != GO_ON)
		return status;
	trail->place.shrunk++;
	trail->place.repeated = 0;
	lose(trail, &old, trail->path,
		"became shorter; what was written to it before that may be lost");
	return GO_ON;
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

/* Finds the generation of the place, or what comes after it, and opens that. */
static int locate(struct track_trail *trail, struct mg_error *error)
{
	struct track_generations generations;
	int status = open_live(trail, error);
	const struct track_generation *found;
	size_t index;

	if (status != TRACK_WAIT)
		return status;
	status = find_generations(trail, &generations, error);
	if (status != GO_ON)
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

/* The stream's file is not FILE any more: what comes after it? */
static int leave_old(
	struct track_trail *trail, struct track_stream_line *line, struct mg_error *error)
{
	struct track_generations generations;
	int status = find_generations(trail, &generations, error);
	const struct track_generation *unreadable, *found;
	size_t index;

	if (status != GO_ON)
		return status;
	index = track_generations_of(&generations, &trail->place);
	found = index == SIZE_MAX ? NULL : &generations.list[index];
	if (found != NULL && found->live && !track_stream_is_compressed(trail->stream) &&
		found->inode != trail->place.inode) {
		/* An editor wrote it anew. */
		close_stream(trail);
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

static int at_end(struct track_trail *trail, struct track_stream_line *line, struct mg_error *error)
{
	struct stat own, live;
	int fd = track_stream_descriptor(trail->stream);
	int status;

	if (!trail->drained) {
		track_watch_drain(&trail->watch);
		trail->drained = true;
		return GO_ON;
	}
	if (fstat(fd, &own) != 0) {
		mg_error_system(error, errno, "%s", trail->file);
		return fail(trail);
	}
	trail->place.modified = modified_of(&own);
	if (!track_stream_is_compressed(trail->stream) &&
		(uint64_t)own.st_size < track_stream_read_end(trail->stream)) {
		shorten_head(trail);
		close_stream(trail);
		return GO_ON;
	}
	if (stat(trail->path, &live) == 0 && live.st_dev == own.st_dev &&
		live.st_ino == own.st_ino && !trail->damaged) {
		trail->younger = 0;
		return TRACK_WAIT;
	}
	status = leave_old(trail, line, error);
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
		lose(trail, &trail->place, trail->file,
			"damaged; what stands behind cannot be read");
		return GO_ON;
	}
	if (status < 0) {
		mg_error_system(error, errno, "%s", trail->file);
		return fail(trail);
	}
	if (status == 0)
		return at_end(trail, line, error);
	trail->drained = trail->looked = false;
	if (!track_stream_is_compressed(trail->stream) && !is_same(trail))
		close_stream(trail);
	return GO_ON;
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
			status = locate(trail, error);
		else if (track_stream_line(trail->stream, line))
			return TRACK_LINE;
		else if (fills++ == (track_stream_is_compressed(trail->stream) ? SKIPS : FILLS))
			return (enum track_step)wait_a_little(trail, 0);
		else
			status = read_on(trail, line, error);
		if (status != GO_ON)
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
		good = identify(trail);
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
	close_stream(trail);
	track_watch_close(&trail->watch);
	free(trail);
}
