/* SPDX-License-Identifier: ISC */
#include "track/source_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "track/place.h"
#include "track/stamp.h"
#include "track/trail.h"

/* A repeated line becomes so many; the rest is told as lost: a number is easily forged. */
enum { REPEATED_MAX = 1000 };

struct source_file {
	struct track_source source;
	const struct mg_clock *clock;
	struct track_trail *trail;
	struct track_stamp stamp;
	int64_t now; /* UTC ns, of the last time the log was at its end */
	/* A repeated line under way. */
	struct track_stream_line line;
	struct track_heading repeated;
	int64_t times, done; /* 0 times: none */
	int64_t lost; /* copies that are told as lost; 0 none */
	char position[TRACK_POSITION_MAX];
	char path[];
};

static struct track_source *file_open(const char *follow, const char *position,
	const struct mg_clock *clock, struct mg_error *error)
{
	struct source_file *file = calloc(1, sizeof *file + strlen(follow) + 1);

	if (file == NULL) {
		mg_error_set(error, "%s: no memory", follow);
		return NULL;
	}
	memcpy(file->path, follow, strlen(follow) + 1);
	file->clock = clock;
	file->now = clock->utc(clock);
	file->trail = track_trail_open(file->path, position, clock, error);
	if (file->trail != NULL)
		return &file->source;
	free(file);
	return NULL;
}

static void file_close(struct track_source *source)
{
	struct source_file *file = (struct source_file *)source;

	track_trail_close(file->trail);
	free(file);
}

/* --- records ------------------------------------------------------------------ */

static int give(const struct track_heading *heading, const struct track_stream_line *line,
	const char *position, struct track_record *record)
{
	*record = (struct track_record){
		.utc = heading->utc,
		.identifier = heading->identifier,
		.identifier_length = heading->identifier_length,
		.pid = heading->pid,
		.text = heading->text,
		.length = heading->length,
		.cut = line->cut || heading->cut,
		.position = position,
	};
	return 1;
}

static int give_loss(struct source_file *file, int64_t lost, const char *text, const char *position,
	struct track_record *record)
{
	*record = (struct track_record){
		.utc = file->stamp.last != 0 ? file->stamp.last : file->now,
		.identifier = "",
		.text = text,
		.length = strlen(text),
		.position = position,
		.lost = lost,
	};
	return 1;
}

/* The next copy of a repeated line. */
static int give_repeated(struct source_file *file, struct track_record *record)
{
	file->done++;
	snprintf(file->position, sizeof file->position, "%s+%lld",
		track_trail_name(file->trail, &file->line), (long long)file->done);
	give(&file->repeated, &file->line, file->position, record);
	/* Done with the last copy, unless there is more to tell. */
	track_trail_done(file->trail, &file->line,
		file->done == file->times && file->lost == 0 ? 0 : (uint32_t)file->done);
	if (file->done == file->times)
		file->times = 0;
	return 1;
}

static int give_lost_copies(struct source_file *file, struct track_record *record)
{
	int64_t lost = file->lost;

	file->lost = 0;
	track_trail_done(file->trail, &file->line, 0);
	snprintf(file->position, sizeof file->position, "%s-lost",
		track_trail_name(file->trail, &file->line));
	return give_loss(file, lost, "a line says it stands for more than can be told",
		file->position, record);
}

/* "last message repeated": of which message? Sets the heading but for the time. */
static bool read_before(struct source_file *file)
{
	struct track_stamp stamp = {0};
	struct track_heading *heading = &file->repeated;
	int64_t utc = heading->utc;
	const char *text;
	size_t length;

	if (!track_trail_before(file->trail, &text, &length))
		return false;
	track_stamp_read(&stamp, text, length, file->now, heading);
	heading->utc = utc;
	return true;
}

static int begin_repeated(struct source_file *file, const struct track_stream_line *line,
	const struct track_heading *heading, struct track_record *record)
{
	int64_t times = heading->repeated;

	file->line = *line;
	file->repeated = *heading;
	if (heading->before && !read_before(file)) {
		file->lost = times;
		return give_lost_copies(file, record);
	}
	file->times = times < REPEATED_MAX ? times : REPEATED_MAX;
	file->lost = times - file->times;
	file->done = track_trail_place(file->trail)->repeated;
	if (file->done < file->times)
		return give_repeated(file, record);
	file->times = 0;
	return file->lost > 0 ? give_lost_copies(file, record) : 0;
}

static int give_line(
	struct source_file *file, struct track_stream_line *line, struct track_record *record)
{
	struct track_heading heading;

	if (line->length > 0 && line->text[line->length - 1] == '\r')
		line->length--;
	track_stamp_read(&file->stamp, line->text, line->length, file->now, &heading);
	if (heading.repeated > 0)
		return begin_repeated(file, line, &heading, record);
	track_trail_keep(file->trail, line);
	track_trail_done(file->trail, line, 0);
	return give(&heading, line, track_trail_name(file->trail, line), record);
}

static int file_next(
	struct track_source *source, struct track_record *record, struct mg_error *error)
{
	struct source_file *file = (struct source_file *)source;
	struct track_stream_line line;
	const char *loss;
	int status;

	if (file->times > 0)
		return give_repeated(file, record);
	if (file->lost > 0)
		return give_lost_copies(file, record);
	for (;;) {
		switch (track_trail_next(file->trail, &line, &loss, error)) {
		case TRACK_LINE:
			status = give_line(file, &line, record);
			if (status != 0)
				return status;
			break;
		case TRACK_LOSS:
			return give_loss(
				file, INT64_MAX, loss, track_trail_name(file->trail, NULL), record);
		case TRACK_WAIT: file->now = file->clock->utc(file->clock); return 0;
		case TRACK_FAILED: return -1;
		}
	}
}

/* --- the rest ----------------------------------------------------------------- */

static int file_descriptor(struct track_source *source)
{
	return track_trail_descriptor(((struct source_file *)source)->trail);
}

static int64_t file_timeout(struct track_source *source)
{
	return track_trail_timeout(((struct source_file *)source)->trail);
}

static bool file_at_end(struct track_source *source)
{
	return track_trail_at_end(((struct source_file *)source)->trail);
}

static void file_position(struct track_source *source, char position[TRACK_POSITION_MAX])
{
	track_place_write(track_trail_place(((struct source_file *)source)->trail), position);
}

static int64_t file_backlog(struct track_source *source)
{
	return track_trail_backlog(((struct source_file *)source)->trail);
}

const struct track_source_kind track_source_file = {
	.open = file_open,
	.next = file_next,
	.descriptor = file_descriptor,
	.timeout = file_timeout,
	.at_end = file_at_end,
	.position = file_position,
	.backlog = file_backlog,
	.close = file_close,
};
