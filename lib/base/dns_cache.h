/* SPDX-License-Identifier: ISC */
/* dns_cache: answers that came not long ago, by question, bounded in number and bytes; the one not
 * asked for longest goes first, before it failures: a dead server takes no room. Records are kept
 * as long as they say, but a second at least and an hour at most; the news that there are none five
 * minutes at most; a failure five seconds, and it takes the place of no answer that holds. Thread
 * safe; nothing waits but for the few instructions of another. */
#ifndef MG_BASE_DNS_CACHE_H
#define MG_BASE_DNS_CACHE_H
#include <stddef.h>

#include "base/clock.h"
#include "base/dns.h"

struct mg_dns_cache;

/* entries, bytes: the most it keeps. NULL: no memory. */
struct mg_dns_cache *mg_dns_cache_new(size_t entries, size_t bytes, const struct mg_clock *clock);
void mg_dns_cache_free(struct mg_dns_cache *cache);

/* name: as mg_dns_name makes it. The answer, one use of which is the caller's, or NULL. */
const struct mg_dns_answer *mg_dns_cache_get(
	struct mg_dns_cache *cache, const char *name, enum mg_dns_type type);
/* Keeps an answer, with a use of its own. Without memory nothing is kept. */
void mg_dns_cache_put(struct mg_dns_cache *cache, const char *name, enum mg_dns_type type,
	const struct mg_dns_answer *answer);
/* How many it has, and their bytes. */
size_t mg_dns_cache_count(struct mg_dns_cache *cache, size_t *bytes);
#endif
