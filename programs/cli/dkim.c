/* SPDX-License-Identifier: ISC */
#include "cli/dkim.h"

#include <stdio.h>
#include <string.h>

#include "auth/dkim_verify.h"
#include "base/clock.h"
#include "base/str.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/resolver.h"
#include "cli/screen.h"
#include "cli/settings.h"

enum { SIGNATURES = 50, SECONDS = 20, COLUMNS = 80, INDENT = 8 };
static const size_t chunk = 1 << 20;

/* Counts of results. */
struct counts {
	size_t all, pass, temporary;
};

static struct counts count_results(const struct mg_dkim_verified *list, size_t count)
{
	struct counts counts = {.all = count};

	for (size_t i = 0; i < count; i++) {
		counts.pass += list[i].result == MG_DKIM_PASS;
		counts.temporary += list[i].result == MG_DKIM_TEMPERROR;
	}
	return counts;
}

/* One that passes is enough (RFC 6376 section 6.1); what is not known yet is no failure. */
static int verdict(const struct counts *counts)
{
	if (counts->pass > 0)
		return CLI_GOOD;
	return counts->all == 0 || counts->temporary > 0 ? CLI_UNKNOWN : CLI_BAD;
}

static void describe(const struct mg_dkim_verified *found, char *text, size_t size)
{
	if (found->result == MG_DKIM_PASS)
		mg_str_format(text, size, "%s %s%s", found->algorithm, found->forms,
			found->partial ? "; l= leaves a part of the body unsigned" : "");
	else
		mg_str_format(text, size, "%s%s", found->reason, found->body_changed ? ":" : "");
}

/* Puts words behind what is on the line, wrapped. */
static void put_wrapped(const char *text, size_t column)
{
	while (*text != '\0') {
		size_t length = strcspn(text, " ");

		if (column > INDENT && column + 1 + length > COLUMNS - 1) {
			printf("\n%*s", INDENT, "");
			column = INDENT;
		} else if (column > INDENT) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)length, text);
		column += length;
		text += length + strspn(text + length, " ");
	}
	putchar('\n');
}

static void print_signature(const struct mg_dkim_verified *found, bool color)
{
	static const char *const colors[] = {[MG_DKIM_PASS] = "\033[32m",
		[MG_DKIM_FAIL] = "\033[31m",
		[MG_DKIM_TEMPERROR] = "\033[33m",
		[MG_DKIM_PERMERROR] = "\033[31m"};
	bool pass = found->result == MG_DKIM_PASS;
	const char *name = pass ? "pass" : mg_dkim_result_name(found->result);
	char text[256], head[640];

	describe(found, text, sizeof(text));
	mg_str_format(head, sizeof(head), "  %-4s  d=%s s=%s%s", name, found->domain,
		found->selector, pass ? "" : ":");
	if (color)
		printf("%s%s\033[0m", colors[found->result], head);
	else
		fputs(head, stdout);
	put_wrapped(text, strlen(head));
	if (found->body_changed)
		printf("%*smost likely a footer added by the list\n", INDENT, "");
}

static void print_text(const struct cli_call *call, const struct mg_dkim_verified *list,
	const struct counts *counts)
{
	if (counts->all == 0)
		printf("No DKIM signature\n");
	else
		printf("%zu of %zu signature%s pass%s\n", counts->pass, counts->all,
			counts->all == 1 ? "" : "s", counts->all == 1 ? "es" : "");
	for (size_t i = 0; i < counts->all; i++)
		print_signature(&list[i], cli_screen_color(call));
}

static int print_json(const struct cli_call *call, const struct mg_dkim_verified *list,
	const struct counts *counts)
{
	struct cli_json *json = cli_json_new();

	cli_json_list_open(json, "signatures");
	for (size_t i = 0; i < counts->all; i++) {
		cli_json_item_open(json);
		cli_json_text(json, "result", mg_dkim_result_name(list[i].result));
		cli_json_text(json, "millgate.dkim.domain", list[i].domain);
		cli_json_text(json, "millgate.dkim.selector", list[i].selector);
		cli_json_text(json, "millgate.dkim.algorithm", list[i].algorithm);
		cli_json_text(json, "canonicalization", list[i].forms);
		if (list[i].reason[0] != '\0')
			cli_json_text(json, "event.reason", list[i].reason);
		if (list[i].key_bits > 0)
			cli_json_number(json, "bits", list[i].key_bits);
		cli_json_bool(json, "partial", list[i].partial);
		cli_json_bool(json, "body_changed", list[i].body_changed);
		cli_json_close(json);
	}
	cli_json_close(json);
	return cli_json_print(json, stdout) == 0 ? verdict(counts)
						 : cli_fail(call, CLI_FAILED, "out of memory");
}

static int verify(const struct cli_call *call, const struct mg_letter *letter, struct mg_dns *dns)
{
	struct mg_dkim_verify_options options = {.signatures = SIGNATURES,
		.now = mg_clock_system.utc(&mg_clock_system),
		.deadline = mg_clock_system.monotonic(&mg_clock_system) + SECONDS * MG_SECOND,
		.dns = dns};
	const struct mg_dkim_verified *list;
	struct mg_error error;
	struct mg_dkim_verify *verifying =
		mg_dkim_verify_new(&options, letter->headers, letter->count, &error);
	struct counts counts;
	int status;

	if (verifying == NULL)
		return cli_fail(call, CLI_FAILED, "%s", error.text);
	for (size_t at = 0; at < letter->body_length; at += chunk)
		mg_dkim_verify_body(verifying, (const unsigned char *)letter->body + at,
			letter->body_length - at < chunk ? letter->body_length - at : chunk);
	list = mg_dkim_verify_end(verifying, &counts.all);
	counts = count_results(list, counts.all);
	status = verdict(&counts);
	if (call->json)
		status = print_json(call, list, &counts);
	else
		print_text(call, list, &counts);
	mg_dkim_verify_free(verifying);
	return status;
}

int cli_dkim(const struct cli_call *call)
{
	struct cli_settings settings = {.dkim = NULL};
	struct mg_letter letter;
	enum cli_exit status = cli_message_read(call, cli_argument(call, 0), &letter);
	struct mg_dns *dns = NULL;

	if (status == CLI_GOOD)
		status = cli_settings_read(call, &settings);
	if (status == CLI_GOOD)
		dns = cli_resolver_open(call, &settings, cli_value(call, "nameserver"), &status);
	if (dns != NULL)
		status = (enum cli_exit)verify(call, &letter, dns);
	mg_dns_close(dns);
	mg_letter_free(&letter);
	cli_settings_free(&settings);
	return status;
}
