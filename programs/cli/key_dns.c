/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "cli/key.h"
#include "cli/zone.h"

/* The three forms in which name servers and panels want it, or the one that --format names. */
static void print_forms(const struct cli_key *key, const char *format, const char *record)
{
	char name[CLI_ZONE_NAME];

	cli_zone_name(name, key->selector, key->domain);
	if (format != NULL && strcmp(format, "value") == 0) {
		puts(record);
	} else if (format != NULL) {
		cli_zone_lines(stdout, name, record);
	} else {
		printf("%s/%s: publish it in one of these forms, then check:\n"
		       "millgate key check %s %s\n\nLines of a zone file\n",
			key->domain, key->selector, key->domain, key->selector);
		cli_zone_lines(stdout, name, record);
		puts("\nOne line");
		cli_zone_line(stdout, name, record);
		printf("\nA panel: type TXT, name %s._domainkey in zone %s, value\n%s\n",
			key->selector, key->domain, record);
	}
}

static void add_item(struct cli_json *json, const struct cli_key *key, const char *record)
{
	char name[CLI_ZONE_NAME];

	cli_zone_name(name, key->selector, key->domain);
	cli_json_item_open(json);
	cli_key_json(json, key);
	cli_json_text(json, "name", name);
	cli_json_text(json, "record", record);
	cli_json_close(json);
}

/* Every key of the domain that can be read, or the one that was named. */
static int print_records(const struct cli_call *call, const struct cli_settings *settings,
	const struct cli_keyring *keyring, const char *domain, const char *selector)
{
	struct cli_json *json = call->json ? cli_json_new() : NULL;
	size_t count = 0;

	if (json != NULL)
		cli_json_list_open(json, "keys");
	for (size_t i = 0; i < keyring->count; i++) {
		const struct cli_key *key = &keyring->keys[i];
		struct mg_buf record = {.limit = 0};

		if (key->key == NULL ||
			(selector[0] != '\0' && !mg_str_equal_nocase(key->selector, selector)))
			continue;
		mg_dkim_record_text(key->key, &record);
		if (json != NULL)
			add_item(json, key, mg_buf_text(&record));
		else
			fputs(count > 0 && !cli_given(call, "format") ? "\n" : "", stdout);
		if (json == NULL)
			print_forms(key, cli_value(call, "format"), mg_buf_text(&record));
		mg_buf_free(&record);
		count++;
	}
	if (json != NULL) {
		cli_json_close(json);
		return cli_key_json_end(call, json, count > 0 ? CLI_GOOD : CLI_UNKNOWN);
	}
	return count > 0 ? CLI_GOOD : cli_key_none(call, settings, domain, selector);
}

int cli_key_dns(const struct cli_call *call)
{
	char domain[MG_DKIM_DOMAIN_MAX + 1], selector[MG_DKIM_SELECTOR_MAX + 1];
	struct cli_keyring keyring = {.count = 0};
	struct cli_settings settings = {.dkim = NULL};
	int status = cli_key_arguments(call, domain, selector);

	if (status == CLI_GOOD)
		status = cli_settings_read(call, &settings);
	if (status == CLI_GOOD)
		status = cli_keyring_read(call, &settings, domain, NULL, &keyring);
	if (status == CLI_GOOD)
		status = print_records(call, &settings, &keyring, domain, selector);
	cli_keyring_free(&keyring);
	cli_settings_free(&settings);
	return status;
}
