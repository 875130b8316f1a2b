/* SPDX-License-Identifier: ISC */
#include "cli/servers.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/resolver.h"

static const struct mg_dns_answer *ask(struct mg_dns *dns, const char *name, enum mg_dns_type type)
{
	return mg_dns_ask(dns, name, type, false, cli_resolver_deadline());
}

/* The resolver for the first address of a name server; NULL: it has none. */
static struct mg_dns *server_of(struct mg_dns *resolver, const char *name)
{
	static const struct {
		enum mg_dns_type type;
		int family;
		size_t length;
	} kinds[] = {{MG_DNS_A, AF_INET, 4}, {MG_DNS_AAAA, AF_INET6, 16}};
	struct mg_dns *server = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && server == NULL; i++) {
		const struct mg_dns_answer *answer = ask(resolver, name, kinds[i].type);
		char address[INET6_ADDRSTRLEN];

		if (answer->status == MG_DNS_FOUND &&
			answer->records[0].length == kinds[i].length &&
			inet_ntop(kinds[i].family, answer->records[0].data, address,
				sizeof(address)) != NULL)
			server = cli_resolver_of(address);
		mg_dns_release(resolver, answer);
	}
	return server;
}

/* "ns1" of ns1.example.org in zone example.org. */
static void set_name(struct cli_server *server, const char *name, const char *zone)
{
	size_t length = strlen(name), above = strlen(zone);

	mg_str_copy(server->name, sizeof(server->name), name);
	if (length > above + 1 && name[length - above - 1] == '.' &&
		mg_str_equal_nocase(name + length - above, zone))
		server->name[length - above - 1] = '\0';
}

static void take_servers(
	struct cli_servers *servers, const struct mg_dns_answer *answer, struct mg_dns *resolver)
{
	for (size_t i = 0; i < answer->count && servers->count + 1 < CLI_SERVERS_MAX; i++) {
		struct cli_server *server = &servers->list[servers->count++];
		char shown[CLI_SERVER_NAME_MAX];

		mg_str_printable(
			shown, sizeof(shown), answer->records[i].data, answer->records[i].length);
		set_name(server, shown, servers->zone);
		server->dns = server_of(resolver, answer->records[i].data);
	}
}

static int compare_names(const void *one, const void *other)
{
	return strcmp(
		((const struct cli_server *)one)->name, ((const struct cli_server *)other)->name);
}

void cli_servers_find(
	struct cli_servers *servers, const char *name, struct mg_dns *resolver, const char *alone)
{
	bool found = alone != NULL;

	*servers = (struct cli_servers){.count = 0};
	/* The zone is the nearest name above that has name servers. */
	for (const char *zone = name; !found && zone != NULL && *zone != '\0';) {
		const struct mg_dns_answer *answer = ask(resolver, zone, MG_DNS_NS);

		found = answer->status == MG_DNS_FOUND || answer->status == MG_DNS_FAILED ||
			answer->status == MG_DNS_TIMEOUT;
		if (answer->status == MG_DNS_FOUND) {
			mg_str_copy(servers->zone, sizeof(servers->zone), zone);
			take_servers(servers, answer, resolver);
			/* Answers turn their order around. */
			qsort(servers->list, servers->count, sizeof(servers->list[0]),
				compare_names);
		}
		mg_dns_release(resolver, answer);
		zone = strchr(zone, '.');
		zone = zone != NULL ? zone + 1 : NULL;
	}
	servers->list[servers->count].dns = resolver;
	mg_str_copy(servers->list[servers->count++].name, CLI_SERVER_NAME_MAX,
		alone != NULL ? alone : "resolver");
}

void cli_servers_close(struct cli_servers *servers)
{
	for (size_t i = 0; i < servers->count; i++)
		mg_dns_close(servers->list[i].dns);
	servers->count = 0;
}
