/* SPDX-License-Identifier: ISC */
/* dkim_verify: verifies the DKIM-Signature fields of a message (RFC 6376 section 6, RFC 8301: no
 * SHA-1, no RSA below 1,024 bits). Hides libopendkim, which is given only fields that were bounded
 * and read before: a signature that is over a bound, or no tag list, is a permerror without it.
 * One message, one thread. */
#ifndef MG_AUTH_DKIM_VERIFY_H
#define MG_AUTH_DKIM_VERIFY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/dns.h"
#include "base/error.h"
#include "mail/message.h"

/* The results of RFC 8601 section 2.7.1. */
enum mg_dkim_result {
	MG_DKIM_NONE,
	MG_DKIM_PASS,
	MG_DKIM_FAIL,
	MG_DKIM_NEUTRAL,
	MG_DKIM_TEMPERROR,
	MG_DKIM_PERMERROR
};
const char *mg_dkim_result_name(enum mg_dkim_result result);

struct mg_dkim_verified {
	enum mg_dkim_result result;
	char domain[256], selector[256], algorithm[32],
		forms[32]; /* "" unknown; "relaxed/simple" */
	char reason[160]; /* in words; "" of a pass */
	unsigned key_bits; /* 0 unknown */
	bool partial; /* l= leaves a part of the body unsigned */
	bool body_changed; /* the header was signed so, the body is another */
};

struct mg_dkim_verify;

struct mg_dkim_verify_options {
	size_t signatures; /* more are not looked at */
	unsigned minimum_bits; /* of RSA */
	int64_t now; /* UTC ns */
	int64_t deadline; /* monotonic ns, for all questions together */
	/* Where keys come from: dns; or, for a check of what we signed ourselves, the record of a key
	 * (lookup before dns; false: not there). */
	struct mg_dns *dns;
	bool (*lookup)(
		void *context, const char *domain, const char *selector, struct mg_buf *record);
	void *context;
};

/* The header block at once, then the body in chunks of any cut, then the results. NULL with error:
 * no memory. */
struct mg_dkim_verify *mg_dkim_verify_new(const struct mg_dkim_verify_options *options,
	const struct mg_header *headers, size_t count, struct mg_error *error);
void mg_dkim_verify_body(struct mg_dkim_verify *verify, const unsigned char *chunk, size_t length);
/* One result a signature, from the top, as long as verify lives. */
const struct mg_dkim_verified *mg_dkim_verify_end(struct mg_dkim_verify *verify, size_t *count);
void mg_dkim_verify_free(struct mg_dkim_verify *verify);
#endif
