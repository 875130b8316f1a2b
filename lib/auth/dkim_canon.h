/* SPDX-License-Identifier: ISC */
/* dkim_canon: the canonical forms of RFC 6376 section 3.4, of a body that comes in chunks of any
 * cut, and of a header field; and the cut that Postfix's smtp client makes in lines that are too
 * long, so that what is hashed is what is sent.
 *
 * A line ends in CRLF. A CR or LF alone, a NUL, a form feed are bytes like others. So says dkimpy;
 * libopendkim agrees but for a lone CR or LF, which it drops or loses blanks before, so that no form
 * of such a body verifies everywhere. A body without CRLF at its end gets one, and white space before
 * that end is the end of a line: what SMTP makes of it.
 *
 * The cut (smtp_line_length_limit of postconf(5), default 998; seen at the next hop): a line of more
 * octets, its CRLF not counted, goes on after CRLF and a blank, which counts as an octet of the new
 * line. So the first piece has 998 octets of the line, each further one 997. The dot that SMTP
 * doubles is not counted and doubled at the begin of the line only. Postfix keeps a body line as
 * records of at most 2,048 octets, the last of which is empty for a line of just 2,048, 4,096…: when
 * such a line also fills its last piece, a line of one blank follows it. Header lines, each line of
 * a folded field by itself, have no such last record. */
#ifndef MG_AUTH_DKIM_CANON_H
#define MG_AUTH_DKIM_CANON_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/digest.h"

/* In the order of the words of the settings. */
enum mg_dkim_form { MG_DKIM_SIMPLE, MG_DKIM_RELAXED };

/* Text whose white space was reduced, until it is hashed or copied. */
struct mg_dkim_reduced {
	size_t length;
	bool waits; /* a blank came that counts only if text follows */
	bool much; /* much went lately */
	unsigned char bytes[4096];
};

/* A body under way. Its members are the module's own. */
struct mg_dkim_body {
	struct mg_sha256 *hash;
	enum mg_dkim_form form;
	size_t line_limit;
	size_t line; /* octets of the line that came */
	size_t column; /* of these, octets of the piece that is sent, with its blank */
	size_t blank_lines; /* CRLFs that count only if something follows */
	bool carriage_return; /* the chunk ended between CR and LF */
	bool any; /* something was hashed */
	struct mg_dkim_reduced reduced; /* (relaxed) */
};

/* line_limit: octets after which a line is cut, at least 2; 0 never. false: no memory. */
bool mg_dkim_body_begin(struct mg_dkim_body *body, enum mg_dkim_form form, size_t line_limit);
/* CRLF line ends, cut anywhere. */
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
