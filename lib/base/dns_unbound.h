/* SPDX-License-Identifier: ISC */
/* dns_unbound: hides libunbound: a context with its thread, and a thread that takes its answers.
 * It keeps nothing that was answered where it asks other resolvers, so each question is a query;
 * from the root it keeps what it needs for the way (delegations, and with them answers). */
#ifndef MG_BASE_DNS_UNBOUND_H
#define MG_BASE_DNS_UNBOUND_H
#include <stdbool.h>
#include <stddef.h>

#include "base/dns.h"
#include "base/error.h"

struct mg_unbound;

/* A question; what the asker needs of it stands behind. */
struct mg_unbound_question {
	/* Called once, in the thread that takes answers; never after mg_unbound_close. The
	 * answer's use is the callee's. */
	void (*done)(struct mg_unbound_question *question, const struct mg_dns_answer *answer);
};

/* servers: "IP" or "IP@PORT", each asked for everything; none: from the root. trust_anchor: a file
 * of DS or DNSKEY records to validate by, or NULL. Starts two threads, the library's at the first
 * question. NULL with error. */
struct mg_unbound *mg_unbound_open(const char *const servers[], size_t count,
	const char *trust_anchor, struct mg_error *error);
/* Ends the threads; questions under way are not answered. */
void mg_unbound_close(struct mg_unbound *unbound);

/* Asks; name as mg_dns_name makes it. False: it could not be asked, and done is not called. */
bool mg_unbound_ask(struct mg_unbound *unbound, const char *name, enum mg_dns_type type,
	struct mg_unbound_question *question);
#endif
