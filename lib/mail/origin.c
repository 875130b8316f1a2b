/* SPDX-License-Identifier: ISC */
#include "mail/origin.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/net.h"
#include "base/str.h"
#include "base/table.h"
#include "mail/address.h"

enum { USER_MAX = 255, KEY_SIZE = 64 };
#define NO_TENANT SIZE_MAX

/* The `users` or `sender_domains` of all tenants as one table, so that a message costs the same
 * however many tenants there are: the first entry is of the first tenant. */
struct entries {
	char **texts; /* in normal form */
	size_t *tenants; /* of each */
	size_t count;
	struct mg_table *table;
};

struct tenant {
	const char *title;
	const struct mg_network *networks;
	size_t network_count;
};

struct mg_origin {
	const struct mg_conf *conf;
	const struct mg_network *internal, *relays;
	size_t internal_count, relay_count;
	const char *const *outbound_daemons;
	size_t outbound_daemon_count;
	char (*reinject)[KEY_SIZE]; /* as in mg_session.listener_address */
	size_t reinject_count;
	struct tenant *tenants;
	size_t tenant_count;
	struct entries users, domains;
};

/* "127.0.0.1:10025" or "[::1]:10025" as mg_net_key() writes it. */
static bool normalize_listener(const char *text, char key[KEY_SIZE])
{
	const char *colon = strrchr(text, ':');
	struct sockaddr_storage address;
	char host[KEY_SIZE];
	uint64_t port;
	size_t length;

	if (colon == NULL || !mg_str_number(colon + 1, UINT16_MAX, &port) || port == 0)
		return false;
	length = (size_t)(colon - text);
	if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length) != NULL) {
		return false;
	}
	if (length >= sizeof(host))
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	if (!mg_net_parse(host, (uint16_t)port, &address))
		return false;
	mg_net_key(&address, key, KEY_SIZE);
	return true;
}

static const char *check_listener(const char *text)
{
	char key[KEY_SIZE];

	return normalize_listener(text, key) ? NULL
					     : "expected ADDRESS:PORT, e.g. \"127.0.0.1:10025\"";
}

static const char *check_user(const char *text)
{
	return text[0] != '\0' && strlen(text) <= USER_MAX && !mg_table_is_outside(text)
		       ? NULL
		       : "expected a user name or glob of 1 to 255 bytes, e.g. \"acme-*\"";
}

static const char *check_domain(const char *text)
{
	struct mg_buf normal = {.limit = 0};
	bool valid = mg_domain_glob_normalize(text, &normal);

	mg_buf_free(&normal);
	return valid ? NULL : "expected a domain, e.g. \"acme.example\" or \"*.acme.example\"";
}

static const struct mg_option tenant_options[] = {
	{.name = "users",
		.kind = MG_LIST,
		.value = "{ }",
		.help = "SASL users who belong to the tenant; \"*\" and \"?\" as in file names",
		.check = check_user},
	{.name = "networks",
		.kind = MG_NETWORKS,
		.value = "{ }",
		.help = "Client networks that belong to the tenant"},
	{.name = "sender_domains",
		.kind = MG_LIST,
		.value = "{ }",
		.help = "Domains of envelope senders that belong to the tenant; \"*\" is one label "
			"or more",
		.check = check_domain},
	{.name = NULL},
};

const struct mg_option mg_origin_options[] = {
	{.name = "internal_networks",
		.kind = MG_NETWORKS,
		.value = "{ \"127.0.0.0/8\", \"::1\" }",
		.help = "Clients whose mail is outbound"},
	{.name = "trusted_relays",
		.kind = MG_NETWORKS,
		.value = "{ }",
		.help = "Own front MX, filter or balancer: inbound even though internal"},
	{.name = "outbound_daemons",
		.kind = MG_LIST,
		.value = "{ \"ORIGINATING\" }",
		.help = "Listeners whose mail is outbound, by milter_macro_daemon_name"},
	{.name = "reinject",
		.kind = MG_LIST,
		.value = "{ }",
		.help = "Listeners, ADDRESS:PORT, where a content filter gives mail back: inbound",
		.check = check_listener},
	{.name = "tenant",
		.kind = MG_SECTIONS,
		.help = "A tenant; the first that has the user decides, else the client's network, "
			"else the sender's domain",
		.options = tenant_options},
	{.name = NULL},
};

static void free_entries(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->texts[i]);
	free(entries->texts);
	free(entries->tenants);
	mg_table_close(entries->table);
}

/* Room for what all tenants have under that name. */
static bool begin_entries(struct entries *entries, const struct mg_conf *conf, const char *name)
{
	size_t total = 0, count;

	for (size_t i = 0; i < mg_conf_count(conf, "tenant"); i++) {
		mg_conf_list(mg_conf_at(conf, "tenant", i), name, &count);
		total += count;
	}
	entries->texts = calloc(total + 1, sizeof(*entries->texts));
	entries->tenants = calloc(total + 1, sizeof(*entries->tenants));
	return entries->texts != NULL && entries->tenants != NULL;
}

static char *normalize_user(const char *user)
{
	return strdup(user);
}

static char *normalize_domain(const char *domain)
{
	struct mg_buf normal = {.limit = 0};

	if (mg_domain_glob_normalize(domain, &normal) && !normal.failed)
		return normal.data;
	mg_buf_free(&normal);
	return NULL;
}

/* Makes the table of what all tenants have under that name. */
static bool read_entries(struct entries *entries, const struct mg_conf *conf, const char *name,
	char *(*normalize)(const char *), struct mg_errors *errors)
{
	if (!begin_entries(entries, conf, name))
		return false;
	for (size_t i = 0; i < mg_conf_count(conf, "tenant"); i++) {
		size_t count;
		const char *const *list = mg_conf_list(mg_conf_at(conf, "tenant", i), name, &count);

		for (size_t entry = 0; entry < count; entry++) {
			char *text = normalize(list[entry]);

			if (text == NULL)
				return false;
			entries->tenants[entries->count] = i;
			entries->texts[entries->count++] = text;
		}
	}
	entries->table = mg_table_open((const char *const *)entries->texts, entries->count, errors);
	return entries->table != NULL;
}

static bool read_tenants(struct mg_origin *origin, struct mg_errors *errors)
{
	const struct mg_conf *conf = origin->conf;

	origin->tenant_count = mg_conf_count(conf, "tenant");
	origin->tenants = calloc(origin->tenant_count + 1, sizeof(*origin->tenants));
	if (origin->tenants == NULL)
		return false;
	for (size_t i = 0; i < origin->tenant_count; i++) {
		const struct mg_conf *section = mg_conf_at(conf, "tenant", i);
		struct tenant *tenant = &origin->tenants[i];

		tenant->title = mg_conf_title(section);
		tenant->networks = mg_conf_networks(section, "networks", &tenant->network_count);
	}
	return read_entries(&origin->users, conf, "users", normalize_user, errors) &&
	       read_entries(&origin->domains, conf, "sender_domains", normalize_domain, errors);
}

static bool read_listeners(struct mg_origin *origin)
{
	const struct mg_conf *conf = origin->conf;
	const char *const *reinject = mg_conf_list(conf, "reinject", &origin->reinject_count);

	origin->internal = mg_conf_networks(conf, "internal_networks", &origin->internal_count);
	origin->relays = mg_conf_networks(conf, "trusted_relays", &origin->relay_count);
	origin->outbound_daemons =
		mg_conf_list(conf, "outbound_daemons", &origin->outbound_daemon_count);
	origin->reinject = calloc(origin->reinject_count + 1, sizeof(*origin->reinject));
	if (origin->reinject == NULL)
		return false;
	for (size_t i = 0; i < origin->reinject_count; i++)
		normalize_listener(reinject[i], origin->reinject[i]);
	return true;
}

struct mg_origin *mg_origin_new(const struct mg_conf *conf, struct mg_errors *errors)
{
	struct mg_origin *origin = calloc(1, sizeof(*origin));

	if (origin != NULL) {
		origin->conf = conf;
		if (read_listeners(origin) && read_tenants(origin, errors))
			return origin;
	}
	mg_errors_add(errors, "out of memory");
	mg_origin_free(origin);
	return NULL;
}

void mg_origin_free(struct mg_origin *origin)
{
	if (origin == NULL)
		return;
	free_entries(&origin->users);
	free_entries(&origin->domains);
	free(origin->tenants);
	free(origin->reinject);
	free(origin);
}

bool mg_origin_internal(const struct mg_origin *origin, const struct mg_session *session)
{
	return mg_networks_contain(origin->internal, origin->internal_count, &session->client);
}

static bool is_reinjected(const struct mg_origin *origin, const struct mg_session *session)
{
	for (size_t i = 0; i < origin->reinject_count; i++)
		if (strcmp(origin->reinject[i], session->listener_address) == 0)
			return true;
	return false;
}

static bool is_outbound_daemon(const struct mg_origin *origin, const struct mg_session *session)
{
	for (size_t i = 0; i < origin->outbound_daemon_count; i++)
		if (strcmp(origin->outbound_daemons[i], session->listener) == 0)
			return true;
	return false;
}

enum mg_direction mg_origin_direction(
	const struct mg_origin *origin, const struct mg_session *session, bool local)
{
	if (mg_networks_contain(origin->relays, origin->relay_count, &session->client) ||
		is_reinjected(origin, session))
		return MG_INBOUND;
	if (session->user[0] != '\0' || is_outbound_daemon(origin, session) || local ||
		session->internal)
		return MG_OUTBOUND;
	return MG_INBOUND;
}

/* The tenant of the first entry that fits the text, which is in normal form. */
static size_t find_tenant(const struct entries *entries, const char *text)
{
	size_t entry;

	return mg_table_find(entries->table, text, NULL, 0, &entry, NULL) > 0
		       ? entries->tenants[entry]
		       : NO_TENANT;
}

static size_t tenant_of_user(const struct mg_origin *origin, const char *user)
{
	return user[0] != '\0' ? find_tenant(&origin->users, user) : NO_TENANT;
}

static size_t tenant_of_client(
	const struct mg_origin *origin, const struct sockaddr_storage *client)
{
	for (size_t i = 0; i < origin->tenant_count; i++) {
		const struct tenant *tenant = &origin->tenants[i];

		if (mg_networks_contain(tenant->networks, tenant->network_count, client))
			return i;
	}
	return NO_TENANT;
}

static size_t tenant_of_sender(const struct mg_origin *origin, const char *sender)
{
	const char *domain = mg_address_domain_part(sender);
	struct mg_buf normal = {.limit = 0};
	size_t tenant = NO_TENANT;

	if (mg_domain_normalize(domain, strlen(domain), &normal) && !normal.failed)
		tenant = find_tenant(&origin->domains, mg_buf_text(&normal));
	mg_buf_free(&normal);
	return tenant;
}

const char *mg_origin_tenant(
	const struct mg_origin *origin, const struct mg_session *session, const char *sender)
{
	size_t tenant;

	if (origin->tenant_count == 0)
		return "";
	tenant = tenant_of_user(origin, session->user);
	if (tenant == NO_TENANT)
		tenant = tenant_of_client(origin, &session->client);
	if (tenant == NO_TENANT)
		tenant = tenant_of_sender(origin, sender);
	return tenant != NO_TENANT ? origin->tenants[tenant].title : "";
}
