/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "cli/key.h"
#include "cli/key_file.h"
#include "cli/record.h"
#include "cli/resolver.h"
#include "cli/zone.h"

enum { SELECTORS_TRIED = 100 };

/* A command under way, from its arguments to the file. */
struct making {
	const struct cli_call *call;
	struct cli_settings settings;
	struct cli_record *record;
	struct mg_dkim_key *key;
	char domain[MG_DKIM_DOMAIN_MAX + 1], selector[MG_DKIM_SELECTOR_MAX + 1];
	char owner[96]; /* mode and owner of the file: "640 root:millgate" */
};

/* The words of --type. */
static struct mg_dkim_key *make_key(const char *type, struct mg_error *error)
{
	static const struct {
		const char *word;
		enum mg_dkim_algorithm algorithm;
		unsigned bits;
	} types[] = {
		{"rsa:2048", MG_DKIM_RSA_SHA256, 2048},
		{"rsa:4096", MG_DKIM_RSA_SHA256, 4096},
		{"ed25519", MG_DKIM_ED25519_SHA256, 0},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i].word) == 0)
			return mg_dkim_key_make(types[i].algorithm, types[i].bits, error);
	return NULL;
}

static int cannot_make(const struct making *making, int number, const struct mg_error *error)
{
	if (number == EACCES || number == EPERM || number == EROFS)
		return cli_fail(making->call, CLI_DENIED, "%s; run it as root", error->text);
	return cli_fail(making->call, CLI_FAILED, "%s", error->text);
}

/* "s2026", or with Ed25519 "e2026"; behind it "-2" and so on when there is one. */
static bool choose_selector(struct making *making, int folder)
{
	bool rsa = mg_dkim_key_algorithm(making->key) == MG_DKIM_RSA_SHA256;
	time_t now = time(NULL);
	struct tm parts;
	char number[16] = "";

	gmtime_r(&now, &parts);
	for (int i = 2; i < SELECTORS_TRIED; i++) {
		mg_str_format(making->selector, sizeof(making->selector), "%c%d%s", rsa ? 's' : 'e',
			parts.tm_year + 1900, number);
		if (!cli_key_file_exists(folder, making->selector))
			return true;
		mg_str_format(number, sizeof(number), "-%d", i);
	}
	return false;
}

/* Writes the file under the record's lock: one command at a time. */
static int write_key(struct making *making)
{
	struct mg_buf pem = {.limit = 0};
	struct mg_error error;
	int folder = cli_key_folder_open(making->settings.keys, making->domain, &error);
	int status = CLI_GOOD;

	if (folder < 0)
		return cannot_make(making, errno, &error);
	if (making->selector[0] == '\0' && !choose_selector(making, folder))
		status = cli_fail(making->call, CLI_USAGE, "%s has many keys: give a SELECTOR",
			making->domain);
	else if (cli_key_file_exists(folder, making->selector))
		status = cli_fail(making->call, CLI_FAILED,
			"%s/%s/%s.pem: there is one, and none is replaced; take another SELECTOR",
			making->settings.keys, making->domain, making->selector);
	else if (!mg_dkim_key_write(making->key, &pem))
		status = cli_fail(making->call, CLI_FAILED, "out of memory");
	else if (cli_key_file_write(folder, making->selector, &pem, making->owner, &error) != 0)
		status = cannot_make(making, errno, &error);
	mg_dkim_key_wipe(&pem);
	close(folder);
	return status;
}

static int record_key(const struct making *making)
{
	struct mg_event *event = cli_record_event(making->record, NULL);
	char text[MG_DKIM_PATH_SIZE];

	mg_str_format(text, sizeof(text), "key made: %s/%s/%s.pem", making->settings.keys,
		making->domain, making->selector);
	mg_event_set_text(event, &mg_fields[MG_FIELD_EVENT_REASON], text);
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_DOMAIN], making->domain);
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_SELECTOR], making->selector);
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_ALGORITHM],
		mg_dkim_algorithm_name(mg_dkim_key_algorithm(making->key)));
	return cli_record_write(making->record, event);
}

/* --- what is said --- */

/* Which key signs until the new one is seen. */
static void print_waiting(const struct making *making, const struct cli_keyring *keyring)
{
	const struct cli_key *made = cli_keyring_find(keyring, making->selector), *signs = NULL;

	for (size_t i = 0; i < keyring->count && signs == NULL; i++)
		if (keyring->keys[i].state == CLI_KEY_SIGNS && &keyring->keys[i] != made)
			signs = &keyring->keys[i];
	if (made != NULL && made->state == CLI_KEY_REFUSED)
		printf("It will not sign: %s. Mend, publish, then check:\n", made->fault->what);
	else if (made != NULL && made->state == CLI_KEY_SIGNS)
		printf("It signs from now on: publish it at once, then check:\n");
	else if (made != NULL && made->state == CLI_KEY_REPLACED)
		printf("It does not sign: the setting sign.selectors names others. Publish, then "
		       "check:\n");
	else if (signs != NULL)
		printf("It waits: %s signs until %s is seen in DNS. Publish, then check:\n",
			signs->selector, making->selector);
	else
		printf("It waits until it is seen in DNS. Publish, then check:\n");
}

static void print_text(const struct making *making, const struct cli_keyring *keyring,
	const char *name, const char *record)
{
	bool rsa = mg_dkim_key_algorithm(making->key) == MG_DKIM_RSA_SHA256;
	char bits[16] = "";

	if (rsa)
		mg_str_format(bits, sizeof(bits), " %u", mg_dkim_key_bits(making->key));
	printf("Made %s/%s/%s.pem (%s%s, %s).\n", making->settings.keys, making->domain,
		making->selector, mg_dkim_key_type_name(mg_dkim_key_algorithm(making->key)), bits,
		making->owner);
	print_waiting(making, keyring);
	putchar('\n');
	if (strcmp(cli_value(making->call, "format"), "value") == 0)
		printf("%s TXT\n%s\n", name, record);
	else
		cli_zone_lines(stdout, name, record);
}

static int print_json(const struct making *making, const struct cli_keyring *keyring,
	const char *name, const char *record)
{
	const struct cli_key *made = cli_keyring_find(keyring, making->selector);
	struct cli_json *json = cli_json_new();
	char path[MG_DKIM_PATH_SIZE];

	mg_str_format(path, sizeof(path), "%s/%s/%s.pem", making->settings.keys, making->domain,
		making->selector);
	if (made != NULL)
		cli_key_json(json, made);
	cli_json_text(json, "millgate.dkim.path", path);
	cli_json_text(json, "name", name);
	cli_json_text(json, "record", record);
	return cli_key_json_end(making->call, json, CLI_GOOD);
}

/* The key is made; what cannot be said of the others is no failure of that. */
static int print_made(const struct making *making)
{
	enum cli_exit ignored = CLI_GOOD;
	struct mg_buf record = {.limit = 0};
	struct cli_keyring keyring;
	char name[CLI_ZONE_NAME];
	struct mg_dns *dns = making->settings.asks_dns ? cli_resolver_open(making->call,
								 &making->settings, NULL, &ignored)
						       : NULL;
	int status = CLI_GOOD;

	cli_keyring_read(making->call, &making->settings, making->domain, dns, &keyring);
	cli_zone_name(name, making->selector, making->domain);
	mg_dkim_record_text(making->key, &record);
	if (making->call->json)
		status = print_json(making, &keyring, name, mg_buf_text(&record));
	else
		print_text(making, &keyring, name, mg_buf_text(&record));
	cli_keyring_free(&keyring);
	mg_dns_close(dns);
	mg_buf_free(&record);
	return status;
}

int cli_key_new(const struct cli_call *call)
{
	struct making making = {.call = call};
	struct mg_error error;
	int status = cli_key_arguments(call, making.domain, making.selector);

	if (status == CLI_GOOD)
		status = cli_settings_read(call, &making.settings);
	if (status == CLI_GOOD) {
		/* Before anything is locked: a long key takes seconds. */
		making.key = make_key(cli_value(call, "type"), &error);
		if (making.key == NULL)
			status = cli_fail(call, CLI_FAILED, "%s", error.text);
	}
	if (status == CLI_GOOD)
		status = cli_record_open(call, &making.settings, &making.record);
	if (status == CLI_GOOD)
		status = write_key(&making);
	if (status == CLI_GOOD)
		status = record_key(&making);
	cli_record_close(making.record);
	if (status == CLI_GOOD)
		status = print_made(&making);
	mg_dkim_key_release(making.key);
	cli_settings_free(&making.settings);
	return status;
}
