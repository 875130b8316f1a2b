/* SPDX-License-Identifier: ISC */
/* Inner loops of transfer, by vectors. Each is for the begin of a text: it does what it can and says
 * how far it came; the rest is for the plain code. */
#ifndef MG_MAIL_TRANSFER_PRIVATE_H
#define MG_MAIL_TRANSFER_PRIVATE_H
#include <stdbool.h>
#include <stddef.h>

/* Whether this processor has what the functions below need. */
bool mg_transfer_has_vectors(void);
/* Decodes whole groups of base64 up to the first other character (a line end) or some characters
 * before it. Returns the number of characters taken, a multiple of 4; `decoded` has 3/4 of it and 32
 * bytes of room. */
size_t mg_transfer_base64_run(const unsigned char *text, size_t length, unsigned char *decoded);
/* Likewise whole lines, each of `line` (a multiple of 4, 32 or more) characters and an LF or CRLF,
 * as long as they come. Returns the characters taken, *groups how many groups they had. */
size_t mg_transfer_base64_lines(const unsigned char *text, size_t length, size_t line,
	unsigned char *decoded, size_t *groups);
/* Decodes quoted-printable up to an escape that is none, too many blanks at the end of a line, or
 * some characters before the end of text. Returns the characters taken, *written the bytes; up to 64
 * more may be written. */
size_t mg_transfer_quoted_run(
	const unsigned char *text, size_t length, unsigned char *decoded, size_t *written);
#endif
