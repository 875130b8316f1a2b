/* SPDX-License-Identifier: ISC */
/* dns_unbound: hides libunbound: a context with its thread, and a thread that takes its answers.
 * Where it asks other resolvers it keeps nothing that was answered: each question is a query. From
 * the root it keeps what it found, on which the way to the next answer is built; a question that is
 * to be asked anew is asked in a new context, in place of one older than ten seconds. */
#ifndef MG_BASE_DNS_UNBOUND_H
#define MG_BASE_DNS_UNBOUND_H
#include <stdbool.h>
#include <stddef.h>

#include "base/dns.h"
#include "base/error.h"

struct mg_unbound;
struct mg_unbound_context;

/* A question; what the asker needs of it stands behind. */
struct mg_unbound_question {
	/* Called once, in the thread that takes answers; never after mg_unbound_close. The
	 * answer's use is the callee's. */
	void (*done)(struct mg_unbound_question *question, const struct mg_dns_answer *answer);
	struct mg_unbound_context *context; /* where it is asked: of dns_unbound */
};

/* servers: "IP" or "IP@PORT", ended by NULL, each asked for everything; NULL: from the root.
 * trust_anchor: a file of DS or DNSKEY records to validate by, or NULL. Both stay the caller's, as
 * long as this lives. Starts two threads, the library's at the first question. NULL with error. */
struct mg_unbound *mg_unbound_open(
	char **servers, const char *trust_anchor, struct mg_error *error);
/* Ends the threads; questions under way are not answered. */
void mg_unbound_close(struct mg_unbound *unbound);

/* Asks; name as mg_dns_name makes it; fresh: nothing kept answers that is older than ten seconds.
 * False: it could not be asked, and done is not called. */
bool mg_unbound_ask(struct mg_unbound *unbound, const char *name, enum mg_dns_type type, bool fresh,
	struct mg_unbound_question *question);
#endif
