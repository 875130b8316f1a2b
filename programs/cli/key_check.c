/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "cli/key.h"
#include "cli/resolver.h"
#include "cli/screen.h"
#include "cli/servers.h"
#include "cli/zone.h"

/* One key beside what all servers have. */
struct check {
	const struct cli_call *call;
	const struct cli_key *key;
	const struct cli_servers *servers;
	struct cli_key_seen seen[CLI_SERVERS_MAX];
	size_t same, absent, other, silent; /* how many servers */
	char misplaced[2 * CLI_ZONE_NAME]; /* where the record is instead; "" nowhere */
};

static void ask_server(struct check *check, size_t server, const char *name)
{
	struct mg_dns *dns = check->servers->list[server].dns;
	struct cli_key_seen *seen = &check->seen[server];
	const struct mg_dns_answer *answer;

	*seen = (struct cli_key_seen){.dns = CLI_DNS_SILENT, .word = "no answer"};
	if (dns != NULL) {
		answer = mg_dns_ask(dns, name, MG_DNS_TXT, true, cli_resolver_deadline());
		*seen = cli_key_compare(check->key->key, answer);
		mg_dns_release(dns, answer);
	}
	check->same += seen->dns == CLI_DNS_SAME;
	check->absent += seen->dns == CLI_DNS_ABSENT;
	check->other += seen->dns == CLI_DNS_OTHER;
	check->silent += seen->dns == CLI_DNS_SILENT;
}

/* Names under which panels put it when theirs is misunderstood: the zone twice, no _domainkey. */
static void look_elsewhere(struct check *check)
{
	struct mg_dns *resolver = check->servers->list[check->servers->count - 1].dns;
	const char *domain = check->key->domain, *selector = check->key->selector;
	char names[3][sizeof(check->misplaced)];

	mg_str_format(names[0], sizeof(names[0]), "%s._domainkey.%s.%s", selector, domain, domain);
	mg_str_format(names[1], sizeof(names[1]), "%s.%s", selector, domain);
	mg_str_format(names[2], sizeof(names[2]), "_domainkey.%s", domain);
	for (size_t i = 0; i < 3 && check->misplaced[0] == '\0'; i++) {
		const struct mg_dns_answer *answer =
			mg_dns_ask(resolver, names[i], MG_DNS_TXT, true, cli_resolver_deadline());

		if (cli_key_compare(check->key->key, answer).dns == CLI_DNS_SAME)
			mg_str_copy(check->misplaced, sizeof(check->misplaced), names[i]);
		mg_dns_release(resolver, answer);
	}
}

static int verdict(const struct check *check)
{
	if (check->other > 0)
		return CLI_BAD;
	if (check->same == check->servers->count)
		return CLI_GOOD;
	if (check->same > 0)
		return CLI_LOOK;
	return check->absent > 0 ? CLI_BAD : CLI_UNKNOWN;
}

/* "ns1, ns2 and resolver": those that say this, in order. */
static void add_names(const struct check *check, enum cli_key_dns dns, struct mg_buf *text)
{
	size_t left = dns == CLI_DNS_SAME     ? check->same
		      : dns == CLI_DNS_ABSENT ? check->absent
		      : dns == CLI_DNS_OTHER  ? check->other
					      : check->silent;

	for (size_t i = 0; i < check->servers->count && left > 0; i++) {
		if (check->seen[i].dns != dns)
			continue;
		mg_buf_add_text(text, check->servers->list[i].name);
		left--;
		mg_buf_add_text(text, left > 1 ? ", " : left == 1 ? " and " : "");
	}
}

static void print_all_agree(const struct check *check, const char *what, enum cli_key_dns dns)
{
	struct mg_buf names = {.limit = 0};

	add_names(check, dns, &names);
	printf("%s/%s: %s (%s%s)\n", check->key->domain, check->key->selector, what,
		mg_buf_text(&names), check->servers->count > 1 ? " agree" : "");
	mg_buf_free(&names);
}

static void print_servers(const struct check *check)
{
	size_t width = 0;

	for (size_t i = 0; i < check->servers->count; i++)
		if (strlen(check->servers->list[i].name) > width)
			width = strlen(check->servers->list[i].name);
	for (size_t i = 0; i < check->servers->count; i++)
		printf("  %-*s  %s%s%s\n", (int)width, check->servers->list[i].name,
			check->seen[i].word, check->seen[i].why[0] != '\0' ? ": " : "",
			check->seen[i].why);
}

/* Line 1: the answer; the worst that a server says is told. */
static void print_first(const struct check *check)
{
	const struct cli_key *key = check->key;
	const char *why = "";
	char name[CLI_ZONE_NAME], what[CLI_ZONE_NAME + 32];

	for (size_t i = 0; i < check->servers->count && *why == '\0'; i++)
		why = check->seen[i].why;
	cli_zone_name(name, key->selector, key->domain);
	mg_str_format(what, sizeof(what), "no record at %s", name);
	if (check->same == check->servers->count)
		print_all_agree(check, "DNS has the key of the file", CLI_DNS_SAME);
	else if (check->absent == check->servers->count)
		print_all_agree(check, what, CLI_DNS_ABSENT);
	else if (check->silent == check->servers->count)
		print_all_agree(check, "no answer from DNS", CLI_DNS_SILENT);
	else if (check->other > 0)
		printf("%s/%s: DNS has not the key of the file: %s\n", key->domain, key->selector,
			why);
	else
		printf("%s/%s: %zu of %zu have the key of the file\n", key->domain, key->selector,
			check->same, check->servers->count);
}

static void print_text(const struct check *check)
{
	const struct cli_key *key = check->key;

	print_first(check);
	if (check->same < check->servers->count && check->absent < check->servers->count &&
		check->silent < check->servers->count)
		print_servers(check);
	if (check->misplaced[0] != '\0')
		printf("  it is at %s: wrong name\n", check->misplaced);
	if (check->other > 0 || check->absent == check->servers->count)
		printf("Mend     millgate key dns %s %s\n", key->domain, key->selector);
}

static void add_json(const struct check *check, struct cli_json *json)
{
	cli_json_item_open(json);
	cli_key_json(json, check->key);
	cli_json_list_open(json, "servers");
	for (size_t i = 0; i < check->servers->count; i++) {
		cli_json_item_open(json);
		cli_json_text(json, "name", check->servers->list[i].name);
		cli_json_text(json, "millgate.dkim.dns", check->seen[i].word);
		cli_json_text(json, "event.reason", check->seen[i].why);
		cli_json_close(json);
	}
	cli_json_close(json);
	if (check->misplaced[0] != '\0')
		cli_json_text(json, "misplaced", check->misplaced);
	cli_json_close(json);
}

/* A key that cannot be used is not compared. */
static int tell_refused(const struct cli_key *key, struct cli_json *json)
{
	if (json != NULL) {
		cli_json_item_open(json);
		cli_key_json(json, key);
		cli_json_close(json);
		return CLI_BAD;
	}
	printf("%s/%s: refused: %s\nMend     %s\n", key->domain, key->selector, key->fault->what,
		key->fault->mend);
	return CLI_BAD;
}

static int check_key(const struct cli_call *call, const struct cli_key *key,
	const struct cli_servers *servers, struct cli_json *json)
{
	struct check check = {.call = call, .key = key, .servers = servers};
	char name[CLI_ZONE_NAME];

	if (key->state == CLI_KEY_REFUSED)
		return tell_refused(key, json);
	cli_zone_name(name, key->selector, key->domain);
	for (size_t i = 0; i < servers->count; i++)
		ask_server(&check, i, name);
	if (check.absent > 0)
		look_elsewhere(&check);
	if (json != NULL)
		add_json(&check, json);
	else
		print_text(&check);
	return verdict(&check);
}

static int check_keys(const struct cli_call *call, const struct cli_settings *settings,
	const struct cli_keyring *keyring, const char *selector, const struct cli_servers *servers)
{
	struct cli_json *json = call->json ? cli_json_new() : NULL;
	int status = CLI_GOOD;
	size_t count = 0;

	if (json != NULL)
		cli_json_list_open(json, "keys");
	for (size_t i = 0; i < keyring->count; i++) {
		const struct cli_key *key = &keyring->keys[i];

		if (key->state == CLI_KEY_RETIRED ||
			(selector[0] != '\0' && !mg_str_equal_nocase(key->selector, selector)))
			continue;
		status = cli_key_worse(status, check_key(call, key, servers, json));
		count++;
	}
	if (count == 0)
		status = CLI_UNKNOWN;
	if (json != NULL) {
		cli_json_close(json);
		return cli_key_json_end(call, json, status);
	}
	return count > 0 ? status : cli_key_none(call, settings, cli_argument(call, 0), selector);
}

int cli_key_check(const struct cli_call *call)
{
	char domain[MG_DKIM_DOMAIN_MAX + 1], selector[MG_DKIM_SELECTOR_MAX + 1];
	char zone[MG_DKIM_DOMAIN_MAX + sizeof("_domainkey.")];
	struct cli_settings settings = {.dkim = NULL};
	struct cli_keyring keyring = {.count = 0};
	struct cli_servers servers = {.count = 0};
	enum cli_exit status = cli_key_arguments(call, domain, selector);
	struct mg_dns *resolver = NULL;

	if (status == CLI_GOOD)
		status = cli_settings_read(call, &settings);
	if (status == CLI_GOOD)
		status = cli_keyring_read(call, &settings, domain, NULL, &keyring);
	if (status == CLI_GOOD)
		resolver =
			cli_resolver_open(call, &settings, cli_value(call, "nameserver"), &status);
	if (resolver != NULL) {
		mg_str_format(zone, sizeof(zone), "_domainkey.%s", domain);
		cli_servers_find(&servers, zone, resolver, cli_value(call, "nameserver"));
		status = (enum cli_exit)check_keys(call, &settings, &keyring, selector, &servers);
	}
	cli_servers_close(&servers);
	cli_keyring_free(&keyring);
	cli_settings_free(&settings);
	return status;
}
