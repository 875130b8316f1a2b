/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/key.h"
#include "cli/resolver.h"
#include "cli/screen.h"
#include "cli/sheet.h"
#include "cli/tally.h"

static const char *const headings[] = {"domain", "selector", "type", "state", "DNS", "used"};
enum { COLUMNS = sizeof headings / sizeof headings[0] };

/* What one listing needs. */
struct listing {
	const struct cli_call *call;
	struct cli_settings settings;
	struct cli_keyring keyring;
	struct cli_tally *tally;
	int64_t now;
};

/* Mail that it signed may still be on its way. */
static bool is_needed(const struct listing *listing, const struct cli_key *key, int64_t *until)
{
	*until = key->state == CLI_KEY_RETIRED ? cli_key_needed_until(key->changed) : 0;
	return *until > listing->now;
}

static const char *state_of(const struct listing *listing, const struct cli_key *key)
{
	int64_t until;

	return is_needed(listing, key, &until) ? "retiring" : cli_key_state_name(key->state);
}

/* The exit code that a key alone would give. */
static int verdict(const struct cli_key *key)
{
	bool signs = key->state == CLI_KEY_SIGNS;

	if (key->state == CLI_KEY_REFUSED || (signs && key->seen.dns == CLI_DNS_OTHER) ||
		(signs && key->seen.dns == CLI_DNS_ABSENT))
		return CLI_BAD;
	if (key->seen.dns == CLI_DNS_SILENT)
		return CLI_UNKNOWN;
	return key->state == CLI_KEY_WAITS ? CLI_LOOK : CLI_GOOD;
}

static const char *used_text(
	const struct listing *listing, const struct cli_key *key, char *text, size_t size)
{
	int64_t count = cli_tally_of(listing->tally, key->domain, key->selector), until;
	char time[CLI_TIME_MAX];

	if (key->fault != NULL)
		return key->fault->what;
	if (is_needed(listing, key, &until))
		mg_str_format(text, size, "DNS must keep it until %s",
			cli_screen_time(listing->call, until, time));
	else if (count > 0)
		mg_str_format(text, size, "%" PRId64 " today", count);
	else
		mg_str_copy(text, size, "-");
	return text;
}

static void add_row(
	const struct listing *listing, struct cli_sheet *sheet, const struct cli_key *key)
{
	static const enum cli_color colors[] = {
		[CLI_LOOK] = CLI_YELLOW, [CLI_BAD] = CLI_RED, [CLI_UNKNOWN] = CLI_YELLOW};
	char type[CLI_KEY_TYPE_MAX], used[128];
	const char *dns = strcmp(key->seen.word, "other") == 0 ? "other key" : key->seen.word;

	cli_sheet_add(sheet,
		(const char *const[COLUMNS]){key->domain, key->selector,
			cli_key_type(key->key, type), state_of(listing, key), dns,
			used_text(listing, key, used, sizeof(used))},
		colors[verdict(key)]);
}

/* Commands that put it right. */
static void print_mends(const struct listing *listing)
{
	const char *head = "Mend";

	for (size_t i = 0; i < listing->keyring.count; i++) {
		const struct cli_key *key = &listing->keyring.keys[i];

		if (verdict(key) != CLI_BAD)
			continue;
		if (*head == 'M')
			putchar('\n');
		if (key->fault != NULL)
			printf("%-8s %s\n", head, key->fault->mend);
		else
			printf("%-8s millgate key dns %s %s\n", head, key->domain, key->selector);
		head = "";
	}
}

static int print_table(const struct listing *listing)
{
	struct cli_sheet *sheet = cli_sheet_new(headings, COLUMNS);

	for (size_t i = 0; sheet != NULL && i < listing->keyring.count; i++)
		add_row(listing, sheet, &listing->keyring.keys[i]);
	if (cli_sheet_print(sheet, stdout, cli_screen_color(listing->call)) != 0)
		return cli_fail(listing->call, CLI_FAILED, "out of memory");
	print_mends(listing);
	return CLI_GOOD;
}

static int print_json(const struct listing *listing, int status)
{
	struct cli_json *json = cli_json_new();

	cli_json_list_open(json, "keys");
	for (size_t i = 0; i < listing->keyring.count; i++) {
		const struct cli_key *key = &listing->keyring.keys[i];
		int64_t used = cli_tally_of(listing->tally, key->domain, key->selector), until;
		char time[32];

		cli_json_item_open(json);
		cli_key_json(json, key);
		cli_json_text(json, "state", state_of(listing, key));
		if (used >= 0)
			cli_json_number(json, "used", used);
		if (is_needed(listing, key, &until)) {
			mg_clock_format(time, sizeof(time), until);
			cli_json_text(json, "until", time);
		}
		cli_json_close(json);
	}
	cli_json_close(json);
	return cli_key_json_end(listing->call, json, status);
}

static int print_list(const struct listing *listing, const char *domain)
{
	int status = CLI_GOOD, printed;

	for (size_t i = 0; i < listing->keyring.count; i++)
		status = cli_key_worse(status, verdict(&listing->keyring.keys[i]));
	if (listing->keyring.count == 0 && domain[0] != '\0')
		status = CLI_UNKNOWN;
	if (listing->call->json)
		return print_json(listing, status);
	if (listing->keyring.count > 0) {
		printed = print_table(listing);
		return printed != CLI_GOOD ? printed : status;
	}
	if (domain[0] != '\0')
		return cli_key_none(listing->call, &listing->settings, domain, "");
	printf("No key in %s; make one: millgate key new DOMAIN\n", listing->settings.keys);
	return status;
}

int cli_key_list(const struct cli_call *call)
{
	struct listing listing = {.call = call, .now = mg_clock_system.utc(&mg_clock_system)};
	char domain[MG_DKIM_DOMAIN_MAX + 1], selector[MG_DKIM_SELECTOR_MAX + 1];
	enum cli_exit status = cli_key_arguments(call, domain, selector);
	struct mg_dns *dns = NULL;

	if (status == CLI_GOOD)
		status = cli_settings_read(call, &listing.settings);
	if (status == CLI_GOOD)
		dns = cli_resolver_open(
			call, &listing.settings, cli_value(call, "nameserver"), &status);
	if (dns != NULL)
		status = cli_keyring_read(call, &listing.settings,
			domain[0] != '\0' ? domain : NULL, dns, &listing.keyring);
	if (dns != NULL && status == CLI_GOOD) {
		listing.tally = cli_tally_read(
			listing.settings.dkim_events, cli_screen_midnight(call, listing.now));
		status = (enum cli_exit)print_list(&listing, domain);
	}
	cli_tally_free(listing.tally);
	cli_keyring_free(&listing.keyring);
	mg_dns_close(dns);
	cli_settings_free(&listing.settings);
	return status;
}
