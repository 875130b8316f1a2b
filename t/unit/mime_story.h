/* SPDX-License-Identifier: ISC */
/* mime_story: what mg_mime tells of a message, as text that tests compare: a line a part that
 * begins, its fields, its content (as one, however it was given), its end.
 *
 *	begin 1 in 0: text/plain
 *	leaf 1: Hello\r\n
 *	end 1: bad_base64
 */
#ifndef MG_T_UNIT_MIME_STORY_H
#define MG_T_UNIT_MIME_STORY_H
#include <stddef.h>

#include "base/buf.h"
#include "mail/mime.h"

/* Length of the header at the begin of a message: up to its empty line, and with it; 0 when its first
 * line is none of a header. */
size_t mime_header_length(const char *message, size_t length);
/* Feeds a message of CRLF or LF: its fields to mg_mime_header, its body in pieces of `step` bytes (0:
 * at once; first: the length of the first piece, if not 0). Returns the facts. */
unsigned mime_feed(const char *message, size_t length, size_t first, size_t step,
	const struct mg_mime_handler *handler, void *context, const struct mg_mime_bounds *bounds);
/* Adds the story of a message fed so. */
void mime_story(const char *message, size_t length, size_t first, size_t step,
	const struct mg_mime_bounds *bounds, struct mg_buf *story);
#endif
