/* SPDX-License-Identifier: ISC */
#include "run/resolver.h"

#include <string.h>

#include "base/clock.h"
#include "base/dns_live.h"

const struct mg_option mg_resolver_options[] = {
	{.name = "servers",
		.kind = MG_LIST,
		.value = "{ }",
		.check = mg_dns_live_check,
		.help = "Resolvers to ask, each IP or IP@PORT; empty for those of "
			"/etc/resolv.conf, as it is when the configuration is loaded; recursive "
			"alone for the name servers of each zone, from the root."},
	{.name = "timeout",
		.kind = MG_DURATION,
		.value = "5s",
		.minimum = MG_SECOND,
		.maximum = 60 * MG_SECOND,
		.help = "How long one question may take."},
	{.name = "dnssec",
		.kind = MG_BOOL,
		.value = "no",
		.help = "Validate answers, by the trust anchor " MG_DNS_TRUST_ANCHOR
			" (package dns-root-data); resolvers in servers must pass signatures on."},
	{.name = NULL}};

struct mg_dns *mg_resolver_new(const struct mg_conf *conf, struct mg_errors *errors)
{
	struct mg_dns_live_settings settings = {.timeout = mg_conf_number(conf, "resolver.timeout"),
		.dnssec = mg_conf_bool(conf, "resolver.dnssec")};
	struct mg_error error;
	struct mg_dns *dns;

	settings.servers = mg_conf_list(conf, "resolver.servers", &settings.count);
	for (size_t i = 0; i < settings.count && settings.count > 1; i++)
		if (strcmp(settings.servers[i], "recursive") == 0) {
			mg_conf_error(conf, "resolver.servers", errors,
				"servers: \"recursive\" stands alone");
			return NULL;
		}
	dns = mg_dns_live(&settings, &error);
	if (dns == NULL)
		mg_conf_error(conf, "resolver.dnssec", errors, "%s", error.text);
	return dns;
}
