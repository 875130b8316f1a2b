/* SPDX-License-Identifier: ISC */
/* dkim_signature: what a DKIM-Signature field says (RFC 6376 section 3.5), checked as a verifier
 * must before it asks for a key (section 6.1.1, RFC 8301). Bounds: 16 KiB, 500 names in h=. */
#ifndef MG_AUTH_DKIM_SIGNATURE_H
#define MG_AUTH_DKIM_SIGNATURE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/dkim_canon.h"
#include "auth/dkim_key.h"

enum {
	MG_DKIM_SIGNATURE_VALUE_MAX = 16 * 1024,
	MG_DKIM_SIGNED_NAMES_MAX = 500,
	MG_DKIM_TIME_LEAST = 1000000000 /* of t=: the year 2001, before there was DKIM */
};

struct mg_dkim_signature {
	enum mg_dkim_algorithm algorithm;
	/* As A-labels, lower case; a= and c= as they are named: "rsa-sha256", "relaxed/simple".
	 * "": not there, or none. */
	char domain[256], selector[256], algorithm_name[32], forms[32];
	bool identity_below; /* i= is of a subdomain of d= */
	bool has_length; /* l= */
	enum mg_dkim_form body_form;
	char body_hash[45]; /* bh=, base64 */
};

/* Reads the value of a field. now: seconds since 1970; t= may be 300 s ahead. false: it cannot be
 * verified (permerror), why in words; what could be read is in signature all the same. */
bool mg_dkim_signature_read(const char *value, size_t length, int64_t now,
	struct mg_dkim_signature *signature, char why[160]);
#endif
