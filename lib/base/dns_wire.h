/* SPDX-License-Identifier: ISC */
/* dns_wire: records as a packet has them (RFC 1035 section 3.3, names uncompressed), which a
 * stranger wrote, as an answer. */
#ifndef MG_BASE_DNS_WIRE_H
#define MG_BASE_DNS_WIRE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/dns.h"

/* The records of a type, ended by NULL, with their lengths in bytes; one that is malformed is left
 * out, and with none left the answer is a failure. One use is the caller's. */
const struct mg_dns_answer *mg_dns_wire_found(
	enum mg_dns_type type, char *const data[], const int lengths[], bool secure, int64_t ttl);
#endif
