/* SPDX-License-Identifier: ISC */
/* How a message under way is kept: a stack of open parts (levels), the boundaries of those that are
 * multiparts, and layers: the body as it came is one; each open message that is encoded (base64 …)
 * begins another, which is fed with what is decoded. Lines and boundaries are looked for in each
 * layer by itself. */
#ifndef MG_MAIL_MIME_PRIVATE_H
#define MG_MAIL_MIME_PRIVATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/mime.h"
#include "mail/transfer.h"

enum {
	MG_MIME_LEVELS = 33,
	MG_MIME_LAYERS = 5, /* encoded messages in each other are not opened deeper */
	MG_MIME_BOUNDARY_MAX = 994, /* of a line of SMTP, 998; RFC 2046 has 70 */
	MG_MIME_BOUNDARY_LEGAL = 70,
	MG_MIME_BOUNDARIES = 2 * MG_MIME_LEVELS,
	MG_MIME_BOUNDARY_ROOM = 4096,
	MG_MIME_LINE_MAX = 1100, /* of a boundary line, with blanks at its end */
	MG_MIME_NAME_MAX = 256, /* of a field */
	MG_MIME_VALUE_MAX = 16 * 1024,
	MG_MIME_TYPE_SIZE = 128
};

/* --- header: mime_header.c --- */

enum mg_mime_line { MG_MIME_LINE_OPEN, MG_MIME_LINE_FIELD, MG_MIME_LINE_BLANK, MG_MIME_LINE_BAD };

/* The header of the uppermost level, while it comes. */
struct mg_mime_header {
	size_t seen; /* bytes */
	bool line_begin;
	enum mg_mime_line line; /* what the line under way is, as far as it is known */
	size_t length; /* of field */
	char field[MG_MIME_NAME_MAX + MG_MIME_VALUE_MAX]; /* with its folds */
};

void mg_mime_header_begin(struct mg_mime *mime);
/* Takes text up to the end of a line at most. Returns the number of bytes (>= 1); *ended: the header
 * has ended. Then what is in header.field is text that is none of the header's. */
size_t mg_mime_header_take(
	struct mg_mime *mime, const unsigned char *text, size_t length, bool *ended);
/* There is no more: the last field is complete. */
void mg_mime_header_finish(struct mg_mime *mime);
/* Does it end in a line that is no field? That is in header.field then. */
bool mg_mime_header_is_cut(struct mg_mime *mime);

/* --- fields: mime_fields.c --- */

/* Fields of the part whose header came last. */
struct mg_mime_kept {
	size_t content_type_length, disposition_length, content_id_length;
	char content_type[MG_MIME_FIELD_MAX + 1];
	char disposition[MG_MIME_FIELD_MAX + 1];
	char content_id[MG_MIME_FIELD_MAX + 1];
	bool has_encoding;
};

void mg_mime_fields_begin(struct mg_mime *mime);
/* A field of the header of the uppermost level. */
void mg_mime_fields_add(struct mg_mime *mime, const char *name, size_t name_length,
	const char *value, size_t value_length);

/* --- boundaries: mime_boundary.c --- */

struct mg_mime_boundary {
	uint16_t offset; /* of its text in room */
	uint16_t length, level;
};

struct mg_mime_boundaries {
	unsigned count; /* those from `active` on are of a header that has not ended */
	unsigned active;
	size_t used;
	struct mg_mime_boundary all[MG_MIME_BOUNDARIES];
	char room[MG_MIME_BOUNDARY_ROOM];
};

/* How a line is like a boundary line, better ones greater. RFC 2046 takes whatever is behind the
 * boundary; most programs take nothing but blanks. */
enum mg_mime_match_kind {
	MG_MIME_NO_MATCH,
	MG_MIME_NEAR, /* more characters follow: content, and others see it otherwise */
	MG_MIME_LOOSE, /* text follows behind a blank: a boundary, likewise */
	MG_MIME_EXACT
};

struct mg_mime_match {
	enum mg_mime_match_kind kind;
	unsigned level, length;
	bool last; /* "--boundary--" */
};

/* Adds a boundary of a level; false: it cannot be kept, or is none. */
bool mg_mime_boundary_add(
	struct mg_mime_boundaries *boundaries, const char *text, size_t length, unsigned level);
/* Takes out what is of this level and above. */
void mg_mime_boundary_drop(struct mg_mime_boundaries *boundaries, unsigned level);
/* Which of the boundaries from `first` up to `end` is this line, without its LF, like? */
void mg_mime_boundary_find(const struct mg_mime *mime, unsigned first, unsigned end,
	const unsigned char *line, size_t length, struct mg_mime_match *match);
/* The first LF with "--" behind it in text, NULL when there is none. */
const unsigned char *mg_mime_boundary_seek(const unsigned char *text, const unsigned char *end);

/* --- the whole: mime.c, mime_layer.c --- */

enum mg_mime_state {
	MG_MIME_IN_HEADER,
	MG_MIME_IN_LEAF,
	MG_MIME_IN_PREAMBLE,
	MG_MIME_IN_PARTS, /* content is a part's above */
	MG_MIME_IN_EPILOGUE,
	MG_MIME_IN_ENCODED /* content is decoded and fed to the next layer */
};

enum mg_mime_kind { MG_MIME_PLAIN, MG_MIME_MESSAGE, MG_MIME_MULTIPART };

struct mg_mime_level {
	struct mg_mime_part part;
	char type[MG_MIME_TYPE_SIZE]; /* "" until a Content-Type was read */
	enum mg_mime_kind kind;
	enum mg_mime_state state;
	enum mg_transfer_encoding encoding;
	bool closed; /* its last boundary was met */
};

struct mg_mime_layer {
	struct mg_transfer
		transfer; /* of the leaf or the encoded message that is its current part */
	unsigned bottom; /* level */
	unsigned first_boundary;
	bool line_begin; /* the next byte is the first of a line */
	bool skip; /* the rest of a boundary line: blanks */
	unsigned held_line; /* where the line begins in held */
	unsigned held_length;
	unsigned char
		held[2 + MG_MIME_LINE_MAX]; /* a line end, and a line that may be a boundary */
};

struct mg_mime {
	const struct mg_mime_handler *handler;
	void *context;
	struct mg_mime_bounds bounds;
	unsigned facts;
	unsigned parts;
	unsigned top; /* level */
	unsigned layer_count;
	struct mg_mime_kept kept;
	struct mg_mime_header header;
	struct mg_mime_boundaries boundaries;
	struct mg_mime_level levels[MG_MIME_LEVELS];
	struct mg_mime_layer layers[MG_MIME_LAYERS];
};

/* Opens a part above the uppermost one; its header comes next. */
void mg_mime_push(struct mg_mime *mime);
/* The header of the uppermost part has ended: tells of it and opens it. */
void mg_mime_open(struct mg_mime *mime);
/* Closes all parts above this level. */
void mg_mime_close_above(struct mg_mime *mime, unsigned level);
/* Gives content of a part to the handler. */
void mg_mime_give(struct mg_mime *mime, struct mg_mime_level *level, enum mg_mime_content kind,
	const unsigned char *bytes, size_t length);
/* Text of a layer, and its end. */
void mg_mime_feed(struct mg_mime *mime, unsigned layer, const unsigned char *text, size_t length);
void mg_mime_feed_end(struct mg_mime *mime, unsigned layer);
#endif
