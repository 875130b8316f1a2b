/* SPDX-License-Identifier: ISC */
/* resolver: who is asked for what DNS has. */
#ifndef MG_CLI_RESOLVER_H
#define MG_CLI_RESOLVER_H
#include <stdint.h>

#include "base/dns.h"
#include "cli/command.h"
#include "cli/settings.h"

/* This server alone (of --nameserver), or, where it is NULL, the resolver of the daemon. One use is
 * the caller's; NULL after it said why: status is the exit code then. */
struct mg_dns *cli_resolver_open(const struct cli_call *call, const struct cli_settings *settings,
	const char *server, enum cli_exit *status);
/* One that asks this server alone: "IP" or "IP@PORT". NULL: no memory. */
struct mg_dns *cli_resolver_of(const char *server);
/* Monotonic ns at which a question of now ends. */
int64_t cli_resolver_deadline(void);
#endif
