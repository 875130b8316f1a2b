/* SPDX-License-Identifier: ISC */
/* servers: who can be asked what a zone has: each authoritative name server of it, and the resolver. */
#ifndef MG_CLI_SERVERS_H
#define MG_CLI_SERVERS_H
#include <stddef.h>

#include "base/dns.h"

enum { CLI_SERVERS_MAX = 16, CLI_SERVER_NAME_MAX = 256 };

struct cli_server {
	char name[CLI_SERVER_NAME_MAX]; /* "ns1", below its zone, or its whole name; "resolver" */
	struct mg_dns *dns; /* NULL: it has no address */
};

struct cli_servers {
	struct cli_server list[CLI_SERVERS_MAX]; /* the resolver is the last */
	size_t count;
	char zone[CLI_SERVER_NAME_MAX]; /* "": its name servers are not known */
};

/* Finds the name servers of the zone that has the name, through the resolver, whose use goes to
 * servers. alone: only the resolver itself is wanted, under that name; else NULL. */
void cli_servers_find(
	struct cli_servers *servers, const char *name, struct mg_dns *resolver, const char *alone);
void cli_servers_close(struct cli_servers *servers);
#endif
