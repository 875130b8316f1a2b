/* SPDX-License-Identifier: ISC */
/* stream: the lines of one log file, plain or gzipped, through a buffer of fixed size; no line is
 * copied. Offsets count the bytes of the text, so that those of a file and of its gzipped copy are
 * the same. What is compressed tells itself by its first bytes (RFC 1952), not by its name. Hides
 * zlib. */
#ifndef MG_TRACK_STREAM_H
#define MG_TRACK_STREAM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the first bytes of a file, that tell it from others. */
enum { TRACK_HEAD_MAX = 1024 };

struct track_stream;

struct track_stream_line {
	const char *text; /* without LF; valid until the next fill */
	size_t length; /* at most TRACK_LINE_MAX */
	uint64_t offset, end; /* in the file; end is behind LF */
	bool cut; /* was longer, or has no LF */
};

/* Takes fd, also when it fails. Reading begins at offset. NULL: no memory, or no offset of the file
 * can be read; errno. */
struct track_stream *track_stream_open(int fd, uint64_t offset);
/* NULL is allowed. */
void track_stream_close(struct track_stream *stream);

/* The next line of what is in the buffer; false: fill. */
bool track_stream_line(struct track_stream *stream, struct track_stream_line *line);
/* Reads on: 1 there may be lines (of a gzipped file: or it came nearer to the offset), 0 the end of
 * the file for now, -1 with errno; EBADMSG: the compressed data are damaged, or end too early. */
int track_stream_fill(struct track_stream *stream);
/* What stands behind the last LF, taken as a line. false: nothing. */
bool track_stream_rest(struct track_stream *stream, struct track_stream_line *line);
/* The line given last stays in the buffer, also over fills, until another is kept. */
void track_stream_keep(struct track_stream *stream, const struct track_stream_line *line);
/* The line kept; false: none. Valid until the next fill. */
bool track_stream_kept(const struct track_stream *stream, const char **text, size_t *length);

bool track_stream_is_compressed(const struct track_stream *stream);
int track_stream_descriptor(const struct track_stream *stream);
/* Of the next line. */
uint64_t track_stream_offset(const struct track_stream *stream);
/* Behind the last byte that was read. */
uint64_t track_stream_read_end(const struct track_stream *stream);

/* The first bytes of the text of a file, at most TRACK_HEAD_MAX, into head; sets whether the file is
 * compressed. Their number (0: it is empty), or -1 with errno. */
int track_stream_head(int fd, char head[TRACK_HEAD_MAX], bool *compressed);
#endif
