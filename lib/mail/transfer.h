/* SPDX-License-Identifier: ISC */
/* transfer: decodes base64 and quoted-printable (RFC 2045 sections 6.7 and 6.8) and uuencoded text, fed
 * in chunks of any cut: what is written is the same however it is cut. By vectors where the processor
 * has them; the same results without.
 *
 * Nothing stops it: characters that have no place in base64 are left out, and what follows padding
 * is decoded; in quoted-printable what is no escape stays as it is. Blanks at the end of a line go
 * (section 6.7 rule 3), up to MG_TRANSFER_BLANKS in a row. */
#ifndef MG_MAIL_TRANSFER_H
#define MG_MAIL_TRANSFER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mg_transfer_encoding {
	MG_TRANSFER_IDENTITY,
	MG_TRANSFER_BASE64,
	MG_TRANSFER_QUOTED_PRINTABLE,
	MG_TRANSFER_UUENCODE
};

enum {
	MG_TRANSFER_BLANKS = 128,
	MG_TRANSFER_SLACK = 256 /* what `decoded` needs beyond the length of the text */
};

struct mg_transfer {
	enum mg_transfer_encoding encoding;
	bool bad; /* characters that are none, escapes that are none, a cut end */
	bool vectors; /* use them; may be taken back after begin, for tests */
	/* base64 */
	bool padded; /* "=" was met */
	unsigned char group_length; /* characters of the group under way, 0 to 3 */
	unsigned char padding; /* "=" that are still due */
	uint32_t group;
	size_t line; /* length of the last whole line */
	/* quoted-printable */
	bool long_blanks; /* amid a run of blanks that is too long to be taken out */
	unsigned char held_length;
	unsigned char held[MG_TRANSFER_BLANKS + 4]; /* begin of an escape, or blanks */
	/* uuencode */
	unsigned char uu_state, uu_left; /* uu_left: bytes that the line still has */
};

void mg_transfer_begin(struct mg_transfer *transfer, enum mg_transfer_encoding encoding);
/* Decodes text; `decoded` has length + MG_TRANSFER_SLACK bytes. Returns how many were written. */
size_t mg_transfer_decode(struct mg_transfer *transfer, const unsigned char *text, size_t length,
	unsigned char *decoded);
/* What is left at the end of the text, likewise. */
size_t mg_transfer_end(struct mg_transfer *transfer, unsigned char *decoded);
#endif
