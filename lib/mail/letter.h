/* SPDX-License-Identifier: ISC */
/* letter: a message as it is in a file, taken apart into header fields and body, as the MTA would
 * send it: line ends LF or CRLF become CRLF, a last line without one gets it, a first line "From "
 * of a mailbox file is left out, and what is no header field ends the header. */
#ifndef MG_MAIL_LETTER_H
#define MG_MAIL_LETTER_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "mail/message.h"

struct mg_letter {
	struct mg_header *headers; /* top to bottom */
	size_t count;
	const char *body;
	size_t body_length;
	struct mg_buf text; /* what the others point into */
};

/* false with error: no header field, or out of memory. Free it in either case. */
bool mg_letter_read(
	struct mg_letter *letter, const char *text, size_t length, struct mg_error *error);
void mg_letter_free(struct mg_letter *letter);
#endif
