/* SPDX-License-Identifier: ISC */
/* Conditions on a message: an input is the settings of a section, then, each behind a NUL, sender,
 * recipient, user, and the values of From, Subject and X-Bulk. `not` of a section holds when the
 * section, as `any`, does not; and a fixed section finds domains as a plain comparison does. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_load.h"
#include "mail/address.h"
#include "mail/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SETTINGS, SENDER, RECIPIENT, USER, FROM, SUBJECT, BULK, PARTS };

static const struct mg_option options[] = {
	{.name = "match", .kind = MG_SECTION, .options = mg_match_options}, {.name = NULL}};

static bool read_text(void *argument, const char *path, size_t maximum, struct mg_textfile *file,
	struct mg_error *error)
{
	(void)path;
	(void)maximum;
	file->data = strdup(argument);
	file->length = strlen(argument);
	if (file->data == NULL)
		mg_error_set(error, "out of memory");
	return file->data != NULL;
}

/* The match { BEFORE SETTINGS AFTER }; NULL when it is none. */
static struct mg_match *load(const char *before, const char *settings, const char *after)
{
	static const char form[] = "match { %s %s\n%s }";
	const struct mg_option *const tables[] = {options, NULL};
	struct mg_errors errors = {.count = 0};
	struct mg_conf_source source = {.read = read_text};
	struct mg_match *match = NULL;
	struct mg_conf *conf;
	char *text;

	if (asprintf(&text, form, before, settings, after) < 0)
		return NULL;
	source.argument = text;
	conf = mg_conf_load_from(&source, "main", tables, NULL, &errors);
	if (conf != NULL)
		match = mg_match_new(mg_conf_section(conf, "match"), &errors);
	mg_conf_free(conf);
	mg_errors_clear(&errors);
	free(text);
	return match;
}

static int test(const struct mg_match *match, const struct mg_match_facts *facts)
{
	struct mg_error error = {""};
	int result = mg_match_test(match, facts, &error);

	assert(result >= -1 && result <= 1);
	assert((result < 0) == (error.text[0] != '\0'));
	return result;
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void check_domains(const struct mg_match_facts *facts)
{
	const char *domain = mg_address_domain_part(facts->message->sender);
	struct mg_match *match = load("", "sender_domain = { 'example.org', '*.b.example' }", "");
	struct mg_buf normal = {.limit = 0};

	if (mg_domain_normalize(domain, strlen(domain), &normal) && !normal.failed)
		assert(test(match, facts) == (strcmp(normal.data, "example.org") == 0 ||
						     ends_in(normal.data, ".b.example")));
	mg_buf_free(&normal);
	mg_match_free(match);
}

static void check_settings(const char *settings, const struct mg_match_facts *facts)
{
	struct mg_match *any = load("any {", settings, "}"), *not = load("not {", settings, "}");
	struct mg_match *all = load("", settings, "");

	assert((any == NULL) == (not == NULL));
	if (any != NULL) {
		int holds = test(any, facts);

		assert(test(not, facts) == (holds < 0 ? -1 : !holds));
	}
	if (all != NULL)
		test(all, facts);
	mg_match_free(any);
	mg_match_free(not );
	mg_match_free(all);
}

static struct mg_header field(const char *name, const char *value)
{
	return (struct mg_header){.name = name,
		.value = value,
		.name_length = strlen(name),
		.value_length = strlen(value)};
}

static void check(const char *const parts[PARTS])
{
	const struct mg_session session = {.client_name = "unknown",
		.helo = parts[USER],
		.mta_name = "",
		.listener = "smtpd",
		.listener_address = "192.0.2.25:25",
		.user = parts[USER],
		.auth_method = "",
		.tls_version = "",
		.tls_cipher = "",
		.tls_subject = "",
		.tls_issuer = ""};
	const struct mg_recipient recipient = {
		.address = parts[RECIPIENT], .esmtp = "", .accepted = true};
	const struct mg_message message = {.session = &session,
		.queue_id = "",
		.sender = parts[SENDER],
		.sender_esmtp = "",
		.recipients = &recipient,
		.recipient_count = 1,
		.tenant = "",
		.over_bound = ""};
	const struct mg_header headers[] = {field("From", parts[FROM]),
		field("Subject", parts[SUBJECT]), field("X-Bulk", parts[BULK])};
	const struct mg_match_facts facts = {.message = &message,
		.headers = headers,
		.header_count = sizeof(headers) / sizeof(headers[0])};

	check_domains(&facts);
	/* No file of this machine is a table. */
	if (strstr(parts[SETTINGS], ":") == NULL || strstr(parts[SETTINGS], "/") == NULL)
		check_settings(parts[SETTINGS], &facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *parts[PARTS];
	char *text = malloc(size + 1), *at = text;

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < PARTS; i++) {
		parts[i] = at;
		at += strlen(at);
		at += at < text + size;
	}
	check(parts);
	free(text);
	return 0;
}
