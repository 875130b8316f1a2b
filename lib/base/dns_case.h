/* SPDX-License-Identifier: ISC */
/* dns_case: a resolver that answers from a list, so that a message is judged the same without a
 * network. A row is a question with its records, or with the failure that is its answer. A name
 * that has no row does not exist; one that has rows of other types only has no such record. Where a
 * name has a CNAME row that leads on. */
#ifndef MG_BASE_DNS_CASE_H
#define MG_BASE_DNS_CASE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/dns.h"
#include "base/error.h"

struct mg_dns_row {
	const char *question; /* "example.org MX" */
	/* "NXDOMAIN", "SERVFAIL" or "TIMEOUT"; NULL: the values hold, none is no data */
	const char *failure;
	/* TXT: the text; A, AAAA: the address; MX: "10 mx.example.org"; else a name. In TXT and in
	 * names \DDD is a byte by its decimal number (RFC 1035 section 5.1); any other backslash
	 * stands for itself. */
	const char *const *values;
	size_t count;
};

/* Copies the rows. NULL with errors: each row that is wrong. */
struct mg_dns *mg_dns_case_new(
	const struct mg_dns_row *rows, size_t count, struct mg_errors *errors);
/* Adds bytes as a row has them: printable ASCII as it stands, any other byte and the backslash
 * \DDD. */
void mg_dns_case_escape(struct mg_buf *text, const char *bytes, size_t length);
#endif
