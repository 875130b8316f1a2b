/* SPDX-License-Identifier: ISC */
/* dkim_sign: a DKIM-Signature field (RFC 6376 section 5) from the header, the hash of the body and a
 * key. Never l=. Each signed field is in h= as often as it is there, from the bottom up (section
 * 5.4.2), the oversigned ones once more: From, which comes first, always, others, at the end, if they
 * are there. */
#ifndef MG_AUTH_DKIM_SIGN_H
#define MG_AUTH_DKIM_SIGN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/dkim_canon.h"
#include "auth/dkim_key.h"
#include "auth/dkim_names.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/error.h"
#include "mail/message.h"

struct mg_dkim_signing {
	const struct mg_header *headers; /* top to bottom */
	size_t header_count;
	const struct mg_dkim_names *names;
	enum mg_dkim_form header_form, body_form;
	size_t line_limit; /* as for the body; 0 none */
	const unsigned char *body_hash; /* MG_SHA256_SIZE */
	const char *domain, *selector; /* A-labels */
	const char *identity; /* i=, as it stands in the tag; "" none */
	const struct mg_dkim_key *key;
	int64_t time, expires; /* t=, x=: seconds since 1970; 0 none */
};

/* Adds the value of the DKIM-Signature field: begins with a blank, folds are CRLF and a tab, no line
 * is over 78 octets (but one that a long domain or name fills), no final CRLF. -1 with error; value
 * may then have a part of it. */
int mg_dkim_sign(
	const struct mg_dkim_signing *signing, struct mg_buf *value, struct mg_error *error);

/* The same in two steps, for several signatures of one message: what the fields say is made canonical
 * and hashed once. A zeroed struct is one that never began. */
struct mg_dkim_header {
	struct mg_sha256 *hash;
	struct mg_buf tag; /* h= */
};
/* Reads headers, names, header_form and line_limit alone. -1 with error. */
int mg_dkim_header_begin(struct mg_dkim_header *header, const struct mg_dkim_signing *signing,
	struct mg_error *error);
/* signing has the same headers, names, header_form and line_limit; all else may differ. */
int mg_dkim_header_sign(const struct mg_dkim_header *header, const struct mg_dkim_signing *signing,
	struct mg_buf *value, struct mg_error *error);
void mg_dkim_header_drop(struct mg_dkim_header *header);
#endif
