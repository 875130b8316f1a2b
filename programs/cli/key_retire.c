/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/key.h"
#include "cli/key_file.h"
#include "cli/postfix.h"
#include "cli/record.h"
#include "cli/resolver.h"
#include "cli/screen.h"
#include "cli/zone.h"

struct retiring {
	const struct cli_call *call;
	struct cli_settings settings;
	struct cli_keyring keyring;
	struct cli_record *record;
	const struct cli_key *key;
	const struct cli_key *next; /* what signs then; NULL none */
	int64_t until; /* UTC ns: so long DNS must keep the record */
	int64_t held; /* messages on hold; -1 unknown */
};

/* What signs when it is gone: what signs besides, of the same algorithm or another, or, if it is
 * the one that signs, the newest of the others that DNS has. */
static const struct cli_key *find_next(const struct retiring *retiring)
{
	const struct cli_key *next = NULL;

	for (size_t i = 0; i < retiring->keyring.count; i++) {
		const struct cli_key *key = &retiring->keyring.keys[i];

		if (key == retiring->key || key->fault != NULL || key->state == CLI_KEY_RETIRED)
			continue;
		if (key->state == CLI_KEY_SIGNS)
			return key;
		if (next == NULL ||
			(key->seen.dns == CLI_DNS_SAME && next->seen.dns != CLI_DNS_SAME))
			next = key;
	}
	return next;
}

/* Ready when another key signs that receivers can verify. */
static bool is_safe(const struct retiring *retiring)
{
	return retiring->key->state != CLI_KEY_SIGNS ||
	       (retiring->next != NULL && retiring->next->seen.dns == CLI_DNS_SAME);
}

static void print_keep(const struct retiring *retiring)
{
	char time[CLI_TIME_MAX], name[CLI_ZONE_NAME];

	cli_zone_name(name, retiring->key->selector, retiring->key->domain);
	printf("Keep     %s in DNS until %s:\n         mail that it signed may be in queues so "
	       "long\n",
		name, cli_screen_time(retiring->call, retiring->until, time));
	if (retiring->held > 0)
		printf("Held     %lld message%s; longer, while one that it signed is held:\n"
		       "         millgate key list %s\n",
			(long long)retiring->held, retiring->held == 1 ? "" : "s",
			retiring->key->domain);
}

static void print_next(const struct retiring *retiring)
{
	const struct cli_key *key = retiring->key;

	if (retiring->next == NULL)
		printf("Look     it is the only key: mail of %s would be sent unsigned\n",
			key->domain);
	else if (!is_safe(retiring))
		printf("Look     %s would sign, which DNS has not: %s\n", retiring->next->selector,
			retiring->next->seen.word);
	else
		printf("Signs    %s\n", retiring->next->selector);
}

static int print_plan(const struct retiring *retiring)
{
	const struct cli_key *key = retiring->key;

	printf("Would retire %s/%s, which %s. Nothing changed yet.\n\n", key->domain, key->selector,
		key->state == CLI_KEY_SIGNS ? "signs" : "does not sign");
	printf("Rename   %s/%s/%s.pem to %s.retired\n", retiring->settings.keys, key->domain,
		key->selector, key->selector);
	print_next(retiring);
	print_keep(retiring);
	printf("Do it    sudo millgate key retire %s %s --yes\n", key->domain, key->selector);
	return is_safe(retiring) ? CLI_GOOD : CLI_LOOK;
}

static int print_json(const struct retiring *retiring, bool done)
{
	struct cli_json *json = cli_json_new();
	char time[32];

	cli_key_json(json, retiring->key);
	cli_json_bool(json, "done", done);
	if (done)
		cli_json_text(json, "state", "retiring");
	cli_json_text(json, "next", retiring->next != NULL ? retiring->next->selector : NULL);
	mg_clock_format(time, sizeof(time), retiring->until);
	cli_json_text(json, "until", time);
	if (retiring->held >= 0)
		cli_json_number(json, "held", retiring->held);
	return cli_key_json_end(retiring->call, json, is_safe(retiring) ? CLI_GOOD : CLI_LOOK);
}

/* The file, and the record of it. */
static int retire_key(struct retiring *retiring)
{
	const struct cli_key *key = retiring->key;
	struct mg_event *event;
	struct mg_error error;
	char text[MG_DKIM_PATH_SIZE];
	int folder = cli_key_folder_open(retiring->settings.keys, key->domain, &error);
	int status = folder >= 0 ? cli_key_file_retire(folder, key->selector, &error) : -1;
	int number = errno;

	if (folder >= 0)
		close(folder);
	if (status != 0)
		return cli_fail(retiring->call,
			number == EACCES || number == EPERM || number == EROFS ? CLI_DENIED
									       : CLI_FAILED,
			"%s", error.text);
	event = cli_record_event(retiring->record, cli_value(retiring->call, "reason"));
	mg_str_format(text, sizeof(text), "key retired: %s/%s/%s.pem", retiring->settings.keys,
		key->domain, key->selector);
	mg_event_set_text(event, &mg_fields[MG_FIELD_EVENT_REASON], text);
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_DOMAIN], key->domain);
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_SELECTOR], key->selector);
	return cli_record_write(retiring->record, event);
}

/* Finds the key, and what is known of it and the others. */
static enum cli_exit look(struct retiring *retiring)
{
	char domain[MG_DKIM_DOMAIN_MAX + 1], selector[MG_DKIM_SELECTOR_MAX + 1];
	int64_t now = mg_clock_system.utc(&mg_clock_system);
	enum cli_exit status = cli_key_arguments(retiring->call, domain, selector);
	struct mg_dns *dns = NULL;

	if (status == CLI_GOOD)
		status = cli_settings_read(retiring->call, &retiring->settings);
	if (status == CLI_GOOD)
		dns = cli_resolver_open(retiring->call, &retiring->settings,
			cli_value(retiring->call, "nameserver"), &status);
	if (dns != NULL)
		status = cli_keyring_read(
			retiring->call, &retiring->settings, domain, dns, &retiring->keyring);
	mg_dns_close(dns);
	if (status != CLI_GOOD)
		return status;
	retiring->key = cli_keyring_find(&retiring->keyring, selector);
	if (retiring->key == NULL)
		return (enum cli_exit)cli_key_none(
			retiring->call, &retiring->settings, domain, selector);
	if (retiring->key->state == CLI_KEY_RETIRED)
		return (enum cli_exit)cli_fail(
			retiring->call, CLI_LOOK, "%s/%s is retired", domain, selector);
	retiring->next = find_next(retiring);
	retiring->until = now + cli_postfix_lifetime();
	retiring->held = cli_postfix_held_before(now);
	return CLI_GOOD;
}

int cli_key_retire(const struct cli_call *call)
{
	struct retiring retiring = {.call = call};
	bool yes = cli_given(call, "yes");
	int status = look(&retiring);

	if (status == CLI_GOOD && yes)
		status = cli_record_open(call, &retiring.settings, &retiring.record);
	if (status == CLI_GOOD && yes)
		status = retire_key(&retiring);
	cli_record_close(retiring.record);
	if (status == CLI_GOOD && call->json) {
		status = print_json(&retiring, yes);
	} else if (status == CLI_GOOD && !yes) {
		status = print_plan(&retiring);
	} else if (status == CLI_GOOD) {
		printf("Retired %s/%s.\n", retiring.key->domain, retiring.key->selector);
		print_next(&retiring);
		print_keep(&retiring);
		status = is_safe(&retiring) ? CLI_GOOD : CLI_LOOK;
	}
	cli_keyring_free(&retiring.keyring);
	cli_settings_free(&retiring.settings);
	return status;
}
