/* SPDX-License-Identifier: ISC */
/* dkim_sign: a DKIM-Signature field (RFC 6376 section 5) from the header, the hash of the body and a
 * key. Never l=. */
#ifndef MG_AUTH_DKIM_SIGN_H
#define MG_AUTH_DKIM_SIGN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/dkim_canon.h"
#include "auth/dkim_key.h"
#include "base/buf.h"
#include "base/error.h"
#include "mail/message.h"

/* The names of the fields that are signed: each as often as it is there, from the bottom up (section
 * 5.4.2), those of `oversign` once more, From always, others if they are there. Immutable. */
struct mg_dkim_names;
/* Empty headers: RFC 6376 section 5.4.1 and what large senders sign. The From field is always
 * signed. NULL with error: no field name, DKIM-Signature or a trace field among them (section 5.4),
 * no memory. */
struct mg_dkim_names *mg_dkim_names_new(const char *const headers[], size_t header_count,
	const char *const oversign[], size_t oversign_count, struct mg_error *error);
void mg_dkim_names_free(struct mg_dkim_names *names);
/* Is the field one of them? */
bool mg_dkim_names_has(const struct mg_dkim_names *names, const char *name, size_t length);

struct mg_dkim_signing {
	const struct mg_header *headers; /* top to bottom */
	size_t header_count;
	const struct mg_dkim_names *names;
	enum mg_dkim_form header_form, body_form;
	size_t line_limit; /* as for the body; 0 none */
	const unsigned char *body_hash; /* MG_SHA256_SIZE */
	const char *domain, *selector; /* A-labels */
	const char *identity; /* i=, "" none */
	const struct mg_dkim_key *key;
	int64_t time, expires; /* t=, x=: seconds since 1970; 0 none */
};

/* Adds the value of the DKIM-Signature field: begins with a blank, folds are CRLF and a tab, no line
 * is over 78 octets (but one that a long domain fills), no final CRLF. -1 with error. */
int mg_dkim_sign(
	const struct mg_dkim_signing *signing, struct mg_buf *value, struct mg_error *error);
#endif
