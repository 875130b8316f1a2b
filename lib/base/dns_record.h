/* SPDX-License-Identifier: ISC */
/* dns_record: a resolver before another one that notes what is asked and what is answered, as rows
 * of dns_case. Several of them may write into the same notes. */
#ifndef MG_BASE_DNS_RECORD_H
#define MG_BASE_DNS_RECORD_H
#include <stdbool.h>

#include "base/dns.h"
#include "base/dns_case.h"

struct mg_dns_notes;

/* NULL: no memory. Freed after the resolvers that write into them. */
struct mg_dns_notes *mg_dns_notes_new(void);
void mg_dns_notes_free(struct mg_dns_notes *notes);
/* Gives each row, in the order of the questions; a question asked again has its last answer, and
 * one of no name has none. False: each did, or memory was short for a note. */
bool mg_dns_notes_each(struct mg_dns_notes *notes,
	bool (*each)(void *context, const struct mg_dns_row *row), void *context);

/* Passes questions on to dns, a use of which goes to it; NULL: no memory, and the use is given back
 * too. */
struct mg_dns *mg_dns_record_new(struct mg_dns *dns, struct mg_dns_notes *notes);
#endif
