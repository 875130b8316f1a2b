/* SPDX-License-Identifier: ISC */
/* dns_live: the resolver that asks. Answers are kept (dns_cache); a question that is under way is
 * asked once, however many wait for it, and what comes too late for them is kept for the next. It
 * takes neither memory nor threads to speak of before the first question. */
#ifndef MG_BASE_DNS_LIVE_H
#define MG_BASE_DNS_LIVE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dns.h"
#include "base/error.h"

struct mg_dns_live_settings {
	/* "IP" or "IP@PORT": resolvers to ask; "recursive" alone: the servers of the zones, from
	 * the root; none: those of /etc/resolv.conf (127.0.0.1 when it has none) as it is when the
	 * resolver is made. */
	const char *const *servers;
	size_t count;
	int64_t timeout; /* ns a question may take, besides the deadline of who asks */
	bool dnssec; /* answers are validated */
	const char *trust_anchor; /* for dnssec; NULL: MG_DNS_TRUST_ANCHOR */
};

/* Of the package dns-root-data. */
#define MG_DNS_TRUST_ANCHOR "/usr/share/dns/root.key"

/* The resolver of this process with these settings: the same one while it has users, so that what
 * is kept outlives a reload; settings are copied. One use is the caller's. NULL with error: no
 * trust anchor, or no memory. */
struct mg_dns *mg_dns_live(const struct mg_dns_live_settings *settings, struct mg_error *error);

/* Whether text is an entry of servers: NULL, or what was expected. */
const char *mg_dns_live_check(const char *text);
#endif
