/* SPDX-License-Identifier: ISC */
#include "cli/resolver.h"

#include "base/clock.h"
#include "base/dns_live.h"
#include "run/resolver.h"

enum { SECONDS = 5 };

int64_t cli_resolver_deadline(void)
{
	return mg_clock_system.monotonic(&mg_clock_system) + SECONDS * MG_SECOND;
}

struct mg_dns *cli_resolver_of(const char *server)
{
	struct mg_dns_live_settings settings = {
		.servers = &server, .count = 1, .timeout = SECONDS * MG_SECOND};

	return mg_dns_live(&settings, NULL);
}

struct mg_dns *cli_resolver_open(const struct cli_call *call, const struct cli_settings *settings,
	const char *server, enum cli_exit *status)
{
	const char *wrong = server != NULL ? mg_dns_live_check(server) : NULL;
	struct mg_errors errors = {0};
	struct mg_dns *dns;

	if (wrong != NULL) {
		*status = (enum cli_exit)cli_fail(
			call, CLI_USAGE, "--nameserver \"%s\": %s", server, wrong);
		return NULL;
	}
	dns = server != NULL ? cli_resolver_of(server) : mg_resolver_new(settings->dkim, &errors);
	if (dns == NULL)
		*status = server != NULL
				  ? (enum cli_exit)cli_fail(call, CLI_FAILED, "out of memory")
				  : CLI_CONFIGURATION;
	cli_settings_errors(call, &errors);
	return dns;
}
