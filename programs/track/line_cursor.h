/* SPDX-License-Identifier: ISC */
/* line_cursor: a place in a line of the log, and the things that stand there: each function takes
 * one and moves behind it, or gives false and stays. What was taken is not looked at again. */
#ifndef MG_TRACK_LINE_CURSOR_H
#define MG_TRACK_LINE_CURSOR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "track/line.h"

struct line_cursor {
	const char *at, *end;
};

static inline size_t line_left(const struct line_cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

static inline struct line_cursor line_of(struct track_text text)
{
	return (struct line_cursor){.at = text.text, .end = text.text + text.length};
}

/* The text given. LINE_SKIP is for a literal. */
bool line_skip(struct line_cursor *cursor, const char *text, size_t length);
#define LINE_SKIP(cursor, literal) line_skip(cursor, "" literal, sizeof(literal) - 1)
/* All up to the text given, and that text, which is no part of taken. Taken may be empty. */
bool line_until(
	struct line_cursor *cursor, const char *text, size_t length, struct track_text *taken);
#define LINE_UNTIL(cursor, literal, taken) \
	line_until(cursor, "" literal, sizeof(literal) - 1, taken)
/* All that is left; may be empty. */
struct track_text line_rest(struct line_cursor *cursor);
/* All that is left, without the text given at its end; false when it does not end so. */
bool line_rest_before(
	struct line_cursor *cursor, const char *text, size_t length, struct track_text *taken);
/* A word: letters, digits and marks that are no brackets, quotes or separators; not empty. */
bool line_word(struct line_cursor *cursor, struct track_text *taken);

/* "<address>" in the external form of Postfix (info_log_address_format), or the address without
 * brackets: quoted where it needs it, else without blanks and specials. Taken is without brackets,
 * quotes as they stand; may be empty ("<>"). */
bool line_address(struct line_cursor *cursor, struct track_text *taken);
/* "<name>": without blanks, specials and quotes: Postfix replaces them in a HELO name. */
bool line_helo(struct line_cursor *cursor, struct track_text *taken);
/* A user's name as it stands in a list of fields: "name" or "<name>"; without quotes, brackets,
 * semicolons, and the first without blanks. */
bool line_user(struct line_cursor *cursor, struct track_text *taken);
/* "name[address]:port", "name[address]", "[address]:port" (name empty), "name[path]". */
bool line_peer(struct line_cursor *cursor, struct track_peer *peer);
/* As line_peer, or a name alone: "none", "local". */
bool line_relay(struct line_cursor *cursor, struct track_peer *peer);
/* A queue id. */
bool line_queue_id(struct line_cursor *cursor, struct track_text *taken);
/* Decimal digits, up to INT64_MAX. */
bool line_number(struct line_cursor *cursor, int64_t *number);
/* Digits, perhaps with a point: "0.05", "13". */
bool line_decimal(struct line_cursor *cursor, double *number);
/* "5.1.1" (RFC 3463). */
bool line_enhanced(struct line_cursor *cursor, struct track_text *taken);
/* A code of a reply, 200 to 599 (RFC 5321, 4.2), that no digit follows. */
bool line_code(struct line_cursor *cursor, int *code);
#endif
