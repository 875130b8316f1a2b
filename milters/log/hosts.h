/* SPDX-License-Identifier: ISC */
/* hosts: a bounded set of hosts, from what stands between the slashes of URLs: "user@host:port". */
#ifndef MG_MILTERS_LOG_HOSTS_H
#define MG_MILTERS_LOG_HOSTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	LOG_HOSTS_MAX = 200,
	LOG_HOST_SIZE = 254 /* bytes of a name with its NUL (RFC 1035 section 2.3.4) */
};

/* Zeroed: an empty set. */
struct log_hosts {
	struct mg_buf texts; /* each with a NUL behind it */
	uint32_t hashes[LOG_HOSTS_MAX];
	size_t count;
	unsigned conversions; /* of names that are no ASCII */
	char converted[LOG_HOST_SIZE]; /* the last of them, as it was written */
	bool full; /* there was one more than it takes */
	bool truncated; /* that, or one could not be read */
};

void log_hosts_free(struct log_hosts *hosts);
/* Adds the host, if it is one, once: names as A-labels in lower case without a final dot, IPv6
 * addresses without brackets. text has no user before "@". labels: the fewest a name must have. */
void log_hosts_add(struct log_hosts *hosts, const char *text, size_t length, unsigned labels);
/* In order of their first appearance: the next behind `host` (NULL: the first), NULL at the end. */
const char *log_hosts_next(const struct log_hosts *hosts, const char *host);
#endif
