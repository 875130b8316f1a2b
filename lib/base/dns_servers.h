/* SPDX-License-Identifier: ISC */
/* dns_servers: which resolvers are asked: entries of the setting, and the file resolv.conf(5). */
#ifndef MG_BASE_DNS_SERVERS_H
#define MG_BASE_DNS_SERVERS_H
#include <stdbool.h>
#include <stddef.h>

/* Whether text is "IP" or "IP@PORT". An IPv6 address may name its interface ("fe80::1%eth0"). */
bool mg_dns_server_is(const char *text);

/* A list of texts, ended by NULL, in one piece of memory for free(): the entries given, or, when
 * there are none, the name servers of the file at path, of which three count as in the C library;
 * "127.0.0.1" when it cannot be read or has none. NULL: no memory. */
char **mg_dns_servers(const char *const entries[], size_t count, const char *path);
#endif
