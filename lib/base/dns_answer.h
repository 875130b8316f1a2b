/* SPDX-License-Identifier: ISC */
/* dns_answer: answers of the DNS, each in one piece of memory that those who have it share. Only
 * for the dns_* modules; others give answers back by mg_dns_release. */
#ifndef MG_BASE_DNS_ANSWER_H
#define MG_BASE_DNS_ANSWER_H
#include <stddef.h>

#include "base/dns.h"

/* A copy of an answer, with its records and their data; records over MG_DNS_RECORDS_MAX are left
 * out. One use is the caller's. Without memory it is a failure. Never NULL. */
const struct mg_dns_answer *mg_dns_answer_new(const struct mg_dns_answer *model);
/* An answer without records, of no one: it may be released as often as one likes. */
const struct mg_dns_answer *mg_dns_plain(enum mg_dns_status status);
/* One use more, and one less. */
const struct mg_dns_answer *mg_dns_answer_use(const struct mg_dns_answer *answer);
void mg_dns_answer_release(const struct mg_dns_answer *answer);
/* Bytes it takes. */
size_t mg_dns_answer_size(const struct mg_dns_answer *answer);
#endif
