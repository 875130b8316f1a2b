/* SPDX-License-Identifier: ISC */
#include "track/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "track/source.h"

enum {
	BUFFER = 512 * 1024,
	READ = 128 * 1024, /* at once */
	INPUT = 64 * 1024, /* of compressed data, at once */
	SKIP = 16 * 1024 * 1024, /* bytes of text a fill leaves out at most */
	GZIP = 15 + 16 /* zlib's window bits, with a gzip header only */
};

/* The kept line, the lines not given out, and one read fit. */
_Static_assert(BUFFER >= 2 * (TRACK_LINE_MAX + 1) + READ, "the buffer is too small");

/* A gzipped file under way. */
struct inflater {
	z_stream zlib;
	bool ended; /* a member ended; another may follow */
	uint64_t skip; /* bytes of text to leave out yet */
	unsigned char input[INPUT];
};

struct track_stream {
	int fd;
	struct inflater *inflater; /* NULL: plain */
	uint64_t read_at; /* in the file, of the next read */
	size_t start, end; /* of what was read and not given out */
	size_t scanned; /* bytes from start on that have no LF */
	uint64_t offset; /* of start, in the text */
	uint64_t left_out; /* bytes of a long line, behind its first TRACK_LINE_MAX */
	size_t kept, kept_length; /* a line before start */
	bool has_kept;
	char buffer[BUFFER];
};

/* --- compressed --------------------------------------------------------------- */

static bool begin_inflate(struct inflater *inflater)
{
	memset(&inflater->zlib, 0, sizeof inflater->zlib);
	return inflateInit2(&inflater->zlib, GZIP) == Z_OK;
}

static bool is_gzip(const unsigned char *bytes, size_t length)
{
	return length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* More input: 1, 0 the file is at its end, -1 with errno. */
static int read_input(struct track_stream *stream)
{
	struct inflater *inflater = stream->inflater;
	ssize_t got;

	do
		got = pread(stream->fd, inflater->input, sizeof inflater->input,
			(off_t)stream->read_at);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return (int)got;
	stream->read_at += (uint64_t)got;
	inflater->zlib.next_in = inflater->input;
	inflater->zlib.avail_in = (uInt)got;
	return 1;
}

/* A member is over: what follows is another, or padding that does not count (gzip(1)). */
static bool next_member(struct inflater *inflater)
{
	if (!is_gzip(inflater->zlib.next_in, inflater->zlib.avail_in))
		return false;
	inflater->ended = false;
	return inflateReset(&inflater->zlib) == Z_OK;
}

/* Text into target: its length, 0 at the end, -1 with errno. */
static ssize_t inflate_some(struct track_stream *stream, char *target, size_t size)
{
	struct inflater *inflater = stream->inflater;
	z_stream *zlib = &inflater->zlib;

	zlib->next_out = (unsigned char *)target;
	zlib->avail_out = (uInt)size;
	while (zlib->avail_out == size) {
		int status;

		if (zlib->avail_in == 0) {
			status = read_input(stream);
			if (status < 0)
				return -1;
			if (status == 0 && inflater->ended)
				return 0;
			if (status == 0) {
				errno = EBADMSG;
				return -1;
			}
		}
		if (inflater->ended && !next_member(inflater))
			return 0;
		status = inflate(zlib, Z_NO_FLUSH);
		inflater->ended = status == Z_STREAM_END;
		if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
			errno = status == Z_MEM_ERROR ? ENOMEM : EBADMSG;
			return -1;
		}
	}
	return (ssize_t)(size - zlib->avail_out);
}

/* On the way to the offset: 1 nearer, 0 the text ends before it, -1 with errno. */
static int skip_some(struct track_stream *stream)
{
	struct inflater *inflater = stream->inflater;
	size_t skipped = 0;

	while (inflater->skip > 0 && skipped < SKIP) {
		size_t size = inflater->skip < READ ? (size_t)inflater->skip : READ;
		ssize_t got = inflate_some(stream, stream->buffer, size);

		if (got <= 0)
			return (int)got;
		inflater->skip -= (uint64_t)got;
		skipped += (size_t)got;
	}
	return 1;
}

/* --- open and close ----------------------------------------------------------- */

static struct inflater *open_inflater(uint64_t offset)
{
	struct inflater *inflater = malloc(sizeof *inflater);

	if (inflater == NULL)
		return NULL;
	inflater->ended = false;
	inflater->skip = offset;
	if (begin_inflate(inflater))
		return inflater;
	free(inflater);
	return NULL;
}

struct track_stream *track_stream_open(int fd, uint64_t offset)
{
	unsigned char magic[2];
	ssize_t got = pread(fd, magic, sizeof magic, 0);
	struct track_stream *stream = got < 0 ? NULL : malloc(sizeof *stream);

	if (stream == NULL)
		goto failed;
	memset(stream, 0, offsetof(struct track_stream, buffer));
	stream->fd = fd;
	stream->offset = offset;
	if (is_gzip(magic, (size_t)got)) {
		stream->inflater = open_inflater(offset);
		if (stream->inflater == NULL)
			goto failed;
	} else
		stream->read_at = offset;
	return stream;
failed:
	free(stream);
	close(fd);
	return NULL;
}

void track_stream_close(struct track_stream *stream)
{
	if (stream == NULL)
		return;
	if (stream->inflater != NULL)
		inflateEnd(&stream->inflater->zlib);
	free(stream->inflater);
	close(stream->fd);
	free(stream);
}

/* --- lines -------------------------------------------------------------------- */

static void take_line(
	struct track_stream *stream, size_t length, bool whole, struct track_stream_line *line)
{
	size_t taken = length + (whole ? 1 : 0);

	line->text = stream->buffer + stream->start;
	line->length = length < TRACK_LINE_MAX ? length : TRACK_LINE_MAX;
	line->cut = length > TRACK_LINE_MAX || !whole;
	line->offset = stream->offset;
	stream->offset += taken + stream->left_out;
	line->end = stream->offset;
	stream->start += taken;
	stream->scanned = 0;
	stream->left_out = 0;
}

/* Of a line that is too long, what nobody wants. */
static void leave_out(struct track_stream *stream)
{
	size_t length = stream->end - stream->start;

	if (length <= TRACK_LINE_MAX + 1)
		return;
	stream->left_out += length - (TRACK_LINE_MAX + 1);
	stream->end = stream->start + TRACK_LINE_MAX + 1;
	stream->scanned = stream->end - stream->start;
}

bool track_stream_line(struct track_stream *stream, struct track_stream_line *line)
{
	char *begin = stream->buffer + stream->start;
	size_t length = stream->end - stream->start;
	char *found = memchr(begin + stream->scanned, '\n', length - stream->scanned);

	if (found == NULL) {
		stream->scanned = length;
		leave_out(stream);
		return false;
	}
	take_line(stream, (size_t)(found - begin), true, line);
	return true;
}

bool track_stream_rest(struct track_stream *stream, struct track_stream_line *line)
{
	if (stream->end == stream->start)
		return false;
	take_line(stream, stream->end - stream->start, false, line);
	return true;
}

void track_stream_keep(struct track_stream *stream, const struct track_stream_line *line)
{
	stream->kept = (size_t)(line->text - stream->buffer);
	stream->kept_length = line->length;
	stream->has_kept = true;
}

bool track_stream_kept(const struct track_stream *stream, const char **text, size_t *length)
{
	*text = stream->buffer + stream->kept;
	*length = stream->kept_length;
	return stream->has_kept;
}

/* Moves what is still wanted to the front, when a read would not fit. */
static void make_room(struct track_stream *stream)
{
	size_t length = stream->end - stream->start, kept = stream->kept_length;

	if (BUFFER - stream->end >= READ)
		return;
	if (stream->has_kept)
		memmove(stream->buffer, stream->buffer + stream->kept, kept);
	else
		kept = 0;
	memmove(stream->buffer + kept, stream->buffer + stream->start, length);
	stream->kept = 0;
	stream->start = kept;
	stream->end = kept + length;
}

static ssize_t read_plain(struct track_stream *stream)
{
	ssize_t got;

	do
		got = pread(stream->fd, stream->buffer + stream->end, READ, (off_t)stream->read_at);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		stream->read_at += (uint64_t)got;
	return got;
}

int track_stream_fill(struct track_stream *stream)
{
	ssize_t got;

	if (stream->inflater != NULL && stream->inflater->skip > 0)
		return skip_some(stream);
	make_room(stream);
	got = stream->inflater == NULL ? read_plain(stream)
				       : inflate_some(stream, stream->buffer + stream->end, READ);
	if (got <= 0)
		return (int)got;
	stream->end += (size_t)got;
	return 1;
}

bool track_stream_is_compressed(const struct track_stream *stream)
{
	return stream->inflater != NULL;
}

int track_stream_descriptor(const struct track_stream *stream)
{
	return stream->fd;
}

uint64_t track_stream_offset(const struct track_stream *stream)
{
	return stream->offset;
}

uint64_t track_stream_read_end(const struct track_stream *stream)
{
	return stream->offset + (stream->end - stream->start) + stream->left_out;
}

/* --- first bytes -------------------------------------------------------------- */

/* Their number; a damaged file has as many as come out before the damage. */
static int inflate_head(const unsigned char *input, size_t length, char head[TRACK_HEAD_MAX])
{
	struct inflater inflater;
	int status;

	if (!begin_inflate(&inflater)) {
		errno = ENOMEM;
		return -1;
	}
	inflater.zlib.next_in = (unsigned char *)input;
	inflater.zlib.avail_in = (uInt)length;
	inflater.zlib.next_out = (unsigned char *)head;
	inflater.zlib.avail_out = TRACK_HEAD_MAX;
	do {
		status = inflate(&inflater.zlib, Z_NO_FLUSH);
		inflater.ended = status == Z_STREAM_END;
	} while (inflater.zlib.avail_out > 0 &&
		 (status == Z_OK || (inflater.ended && next_member(&inflater))));
	inflateEnd(&inflater.zlib);
	if (inflater.zlib.avail_out == TRACK_HEAD_MAX && status != Z_OK && !inflater.ended) {
		errno = EBADMSG;
		return -1;
	}
	return (int)(TRACK_HEAD_MAX - inflater.zlib.avail_out);
}

int track_stream_head(int fd, char head[TRACK_HEAD_MAX], bool *compressed)
{
	/* A gzip header may have a name, and deflate adds less than that. */
	unsigned char bytes[4 * TRACK_HEAD_MAX];
	ssize_t got;

	do
		got = pread(fd, bytes, sizeof bytes, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	*compressed = is_gzip(bytes, (size_t)got);
	if (*compressed)
		return inflate_head(bytes, (size_t)got, head);
	if (got > TRACK_HEAD_MAX)
		got = TRACK_HEAD_MAX;
	memcpy(head, bytes, (size_t)got);
	return (int)got;
}
