/* SPDX-License-Identifier: ISC */
/* dkim_canon: the canonical forms of RFC 6376 section 3.4, of a body that comes in chunks of any
 * cut, and of a header field; and the cut that Postfix's smtp client makes in lines that are too
 * long, so that what is hashed is what is sent. */
#ifndef MG_AUTH_DKIM_CANON_H
#define MG_AUTH_DKIM_CANON_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/digest.h"

/* In the order of the words of the settings. */
enum mg_dkim_form { MG_DKIM_SIMPLE, MG_DKIM_RELAXED };

/* A body under way. Its members are the module's own. */
struct mg_dkim_body {
	struct mg_sha256 *hash;
	enum mg_dkim_form form;
	size_t line_limit;
	size_t column; /* octets of the line that have been sent */
	size_t blank_lines; /* CRLFs that count only if something follows */
	bool blank; /* white space that counts only if text follows (relaxed) */
	bool carriage_return; /* the chunk ended between CR and LF */
	bool any; /* something was hashed */
};

/* line_limit: octets after which a line is cut as smtp_line_length_limit(5) does; 0 never. false:
 * no memory. */
bool mg_dkim_body_begin(struct mg_dkim_body *body, enum mg_dkim_form form, size_t line_limit);
/* CRLF line ends, cut anywhere; a CR or LF alone is a byte like others. */
void mg_dkim_body_add(struct mg_dkim_body *body, const unsigned char *chunk, size_t length);
/* The hash of the body (bh=); frees what it held. false: it failed. */
bool mg_dkim_body_end(struct mg_dkim_body *body, unsigned char digest[MG_SHA256_SIZE]);
/* Frees a body that is not ended; a zeroed struct is one that never began. */
void mg_dkim_body_drop(struct mg_dkim_body *body);

/* Adds the canonical form of a field with its CRLF: value is every byte after the colon, folds as
 * CRLF or LF, without the final CRLF. line_limit as above. */
void mg_dkim_field(enum mg_dkim_form form, size_t line_limit, const char *name, size_t name_length,
	const char *value, size_t value_length, struct mg_buf *out);
#endif
