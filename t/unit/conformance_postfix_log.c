/* SPDX-License-Identifier: ISC */
/* Suite `postfix-log`: every line is understood, and what the suite found in it is in our fields,
 * where an event carries it. Fragments are put into a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "line_fields.h"
#include "suite.h"
#include "track/line.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Programs of the suite that are none, or have another name. */
static const struct fragment {
	const char *program, *ours, *before, *after;
} fragments[] = {
	{"command_counter_data", "smtpd", "disconnect from unknown[192.0.2.1] ", ""},
	{"delays", "smtp", "7EE668039: to=<a@b>, relay=none, delay=1, delays=",
		", dsn=2.0.0, status=sent (250 Ok)"},
	{"relay", "lmtp", "7EE668039: to=<a@b>, relay=",
		", delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 Ok)"},
	{"tls_features", "smtp", "7EE668039: to=<a@b>, relay=none, delay=1, delays=1/0/0/0, tls=",
		", dsn=2.0.0, status=sent (250 Ok)"},
	{"script", "postfix-script", "", ""},
	{"trivial_rewrite", "trivial-rewrite", "", ""},
};

/* Names of the suite without "postfix_", and our fields, one of which has it ("kind" is the kind's
 * name), NULL: no event has it. */
static const struct name {
	const char *theirs, *ours;
	enum { EQUAL, CONTAINED, LIST } how;
} names[] = {
	{"queueid", "queue_id", EQUAL},
	{"client_hostname", "client.name", EQUAL},
	{"client_ip", "client.address", EQUAL},
	{"client_port", "client.port", EQUAL},
	{"relay_hostname", "relay.name", EQUAL},
	{"relay_ip", "relay.address", EQUAL},
	{"relay_service", "relay.address", EQUAL},
	{"relay_port", "relay.port", EQUAL},
	{"message-id", "message_id", EQUAL},
	{"from", "from", EQUAL},
	{"bounce_queueid", "child", EQUAL},
	{"bounce_recipient", "addressee", EQUAL},
	{"bounce_reason", "word", EQUAL},
	{"status", "status word", EQUAL},
	{"keyvalue_data", "", LIST},
	{"command_counter_data", NULL, EQUAL},
	{"action", "word", EQUAL},
	/* Behind BARE NEWLINE stands what the client wrote: that is text. */
	{"smtp_stage", "stage reply_command text", EQUAL},
	{"status_code", "reply_code", EQUAL},
	{"status_code_enhanced", "dsn", EQUAL},
	{"status_message", "text", CONTAINED},
	{"status_data", "text", CONTAINED},
	{"message_level", "word", EQUAL},
	{"message", "text content kind", CONTAINED},
	{"milter_result", "word", CONTAINED},
	{"milter_message", "content", CONTAINED},
	{"milter_data", "text", EQUAL},
	{"prepend_type", "stage", EQUAL},
	{"prepend_trigger", "content", EQUAL},
	{"prepend_value", "text", EQUAL},
	{"smtp_response", "text", EQUAL},
	{"local_response", "text", EQUAL},
	{"pipe_response", "text", EQUAL},
	{"error_response", "text", EQUAL},
	{"smtp_lostconn_data", "word text", EQUAL},
	{"smtp_lostconn_reason", "text", EQUAL},
	{"smtpd_lostconn_data", "word", EQUAL},
	{"tls_trustlevel", "tls_level", EQUAL},
	{"tls_version", "tls_version", EQUAL},
	{"tls_cipher", "tls_cipher", EQUAL},
	{"tls_error", "text", EQUAL},
	{"tls_security_level", "tls_level", CONTAINED},
	{"tls_downgrade_level", "tls_level", CONTAINED},
	{"tls_policy_undecided", "tls_level", CONTAINED},
	{"cmd_mail", "mails", EQUAL},
	{"cmd_rcpt", "rcpts_tried", EQUAL},
	{"cmd_rcpt_accepted", "rcpts_good", EQUAL},
	{"cmd_auth", "auth_tried", EQUAL},
	{"cmd_auth_accepted", "auth_good", EQUAL},
	{"delay_before_qmgr", "delays[0]", EQUAL},
	{"delay_in_qmgr", "delays[1]", EQUAL},
	{"delay_conn_setup", "delays[2]", EQUAL},
	{"delay_transmission", "delays[3]", EQUAL},
	{"proxy_result", "word", CONTAINED},
	{"proxy_smtp_stage", "stage", EQUAL},
	{"proxy_message", NULL, EQUAL},
	{"proxy_status_code", "reply_code", EQUAL},
	{"proxy_status_code_enhanced", "dsn", EQUAL},
	{"postscreen_access", "word", EQUAL},
	{"postscreen_violation", "word", EQUAL},
	{"anvil_cache_size", NULL, EQUAL},
	{"anvil_timestamp", NULL, EQUAL},
	{"anvil_conn_rate", NULL, EQUAL},
	{"anvil_conn_period", NULL, EQUAL},
	{"anvil_conn_count", NULL, EQUAL},
	{"service", NULL, EQUAL},
	{"client_ip_unknown", NULL, EQUAL},
	{"dnsbl_domain", NULL, EQUAL},
	{"dnsbl_result", NULL, EQUAL},
	{"version", NULL, EQUAL},
	{"config_path", NULL, EQUAL},
	{"termination_signal", NULL, EQUAL},
	{"server_ip", NULL, EQUAL},
	{"server_port", NULL, EQUAL},
	{"postscreen_violation_time", NULL, EQUAL},
	{"postscreen_dnsbl_rank", NULL, EQUAL},
	{"postsuper_action", "word", EQUAL},
	{"postsuper_summary_action", NULL, EQUAL},
	{"postsuper_summary_count", NULL, EQUAL},
	{"scache_hits", NULL, EQUAL},
	{"scache_miss", NULL, EQUAL},
	{"scache_success", NULL, EQUAL},
	{"scache_timestamp", NULL, EQUAL},
	{"tls_cipher_size", NULL, EQUAL},
	{"tls_key_exchange", NULL, EQUAL},
	{"tls_server_signature", NULL, EQUAL},
	{"tls_server_signature_curve", NULL, EQUAL},
	{"tls_server_signature_size", NULL, EQUAL},
	{"tls_server_digest", NULL, EQUAL},
	{"pix_workaround", NULL, EQUAL},
	{"cmd_ehlo", NULL, EQUAL},
	{"cmd_helo", NULL, EQUAL},
	{"cmd_starttls", NULL, EQUAL},
	{"cmd_data", NULL, EQUAL},
	{"cmd_data_accepted", NULL, EQUAL},
	{"cmd_quit", NULL, EQUAL},
	{"cmd_unknown", NULL, EQUAL},
	{"cmd_unknown_accepted", NULL, EQUAL},
	{"cmd_count", NULL, EQUAL},
	{"cmd_count_accepted", NULL, EQUAL},
	{"discarded_ehlo_keywords", NULL, EQUAL},
	{"verify_cleanup_type", NULL, EQUAL},
	{"verify_cache_retained", NULL, EQUAL},
	{"verify_cache_dropped", NULL, EQUAL},
};

/* What the suite calls otherwise. */
static const struct {
	const char *theirs, *ours;
} values[] = {
	{"placed on hold", "held"},
	{"WHITELISTED", "ALLOWLISTED"},
	{"BLACKLISTED", "DENYLISTED"},
};

/* A value of the suite is one of a line's fields of that name. */
static const struct {
	const char *theirs, *ours;
} keys[] = {
	{"from", "from"},
	{"to", "to"},
	{"orig_to", "orig_to"},
	{"proto", "proto"},
	{"helo", "helo"},
	{"uid", "uid"},
	{"size", "size"},
	{"nrcpt", "recipients"},
	{"delay", "delay"},
	{"dsn", "dsn"},
	{"tls", "tls_level"},
};

struct found {
	const struct track_line *line;
	struct mg_buf wrong;
};

static const char *our_value(const char *theirs)
{
	for (size_t i = 0; i < COUNT(values); i++)
		if (strcmp(values[i].theirs, theirs) == 0)
			return values[i].ours;
	return theirs;
}

static bool agrees(const char *value, const char *wanted, bool contained)
{
	if (!contained)
		return strcmp(value, wanted) == 0;
	return strstr(value, wanted) != NULL || (*value != '\0' && strstr(wanted, value) != NULL);
}

static void compare(struct found *found, const char *fields, const char *wanted, bool contained)
{
	char value[1024] = "", names_of[64], *rest = names_of, *field;

	snprintf(names_of, sizeof(names_of), "%s", fields);
	wanted = our_value(wanted);
	while ((field = strsep(&rest, " ")) != NULL) {
		bool has = true;

		if (strcmp(field, "kind") == 0)
			snprintf(value, sizeof(value), "%s", track_kind_name(found->line->kind));
		else
			has = line_field(found->line, field, value, sizeof(value));
		if (has ? agrees(value, wanted, contained) : strcmp(wanted, "NOQUEUE") == 0)
			return;
	}
	mg_buf_add_format(&found->wrong, "%s: %s, expected %s; ", fields, value, wanted);
}

/* "from=<a> to=<b> proto=ESMTP", "to=<a>, relay=none, delay=1,". */
static void compare_list(struct found *found, const char *list)
{
	char text[1024], *rest = text, *pair;

	snprintf(text, sizeof(text), "%s", list);
	while ((pair = strsep(&rest, " ")) != NULL) {
		char *value = strchr(pair, '='), *end;

		if (value == NULL)
			continue;
		*value++ = '\0';
		end = value + strlen(value);
		if (end > value && end[-1] == ',')
			*--end = '\0';
		if (end > value && *value == '<' && end[-1] == '>') {
			*--end = '\0';
			value++;
		}
		for (size_t i = 0; i < COUNT(keys); i++)
			if (strcmp(keys[i].theirs, pair) == 0)
				compare(found, keys[i].ours, value, false);
	}
}

static void compare_name(struct found *found, const char *theirs, const char *wanted)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i].theirs, theirs) == 0) {
			if (names[i].ours == NULL)
				return;
			if (names[i].how == LIST)
				compare_list(found, wanted);
			else if (found->line->kind != TRACK_NONE)
				compare(found, names[i].ours, wanted, names[i].how == CONTAINED);
			return;
		}
	mg_buf_add_format(&found->wrong, "%s: not a name we know; ", theirs);
}

static void build(
	struct mg_buf *identifier, struct mg_buf *text, const char *program, const char *line)
{
	const struct fragment *fragment = NULL;

	for (size_t i = 0; i < COUNT(fragments); i++)
		if (strcmp(fragments[i].program, program) == 0)
			fragment = &fragments[i];
	mg_buf_add_format(identifier, "postfix/%s", fragment != NULL ? fragment->ours : program);
	/* Some lines of a fragment are whole. */
	if (fragment != NULL && strstr(line, ": to=<") == NULL)
		mg_buf_add_format(text, "%s%s%s", fragment->before, line, fragment->after);
	else
		mg_buf_add_format(text, "%s", line);
}

static void check(struct suite *suite, const json_t *row)
{
	static const char *const instances[] = {"postfix", NULL};
	const char *id = json_string_value(json_object_get(row, "id")), *name;
	struct mg_buf identifier = {.limit = 0}, text = {.limit = 0};
	struct track_record record = {.utc = 0};
	struct track_line line;
	struct found found = {.line = &line};
	enum track_reading reading;
	json_t *value;

	build(&identifier, &text, json_string_value(json_object_get(row, "program")),
		json_string_value(json_object_get(row, "line")));
	record.identifier = mg_buf_text(&identifier);
	record.identifier_length = identifier.length;
	record.text = mg_buf_text(&text);
	record.length = text.length;
	reading = track_line_read(&record, instances, &line);
	if (reading == TRACK_READ)
		json_object_foreach(json_object_get(row, "expected"), name, value)
			compare_name(&found, strncmp(name, "postfix_", 8) == 0 ? name + 8 : name,
				json_string_value(value));
	else
		mg_buf_add_format(&found.wrong, "not understood");
	suite_case(suite, id, found.wrong.length == 0, "%s [%s] %s", mg_buf_text(&text),
		reading == TRACK_READ ? track_kind_name(line.kind) : "", mg_buf_text(&found.wrong));
	mg_buf_free(&identifier);
	mg_buf_free(&text);
	mg_buf_free(&found.wrong);
}

static void every_line_is_understood_and_has_the_fields_of_the_suite(void **state)
{
	static const struct suite_kept kept[] = {{NULL, NULL}};
	json_t *rows = suite_load("postfix-log/lines.json", false), *row;
	struct suite suite = {.kept = kept};
	size_t i;

	(void)state;
	json_array_foreach(rows, i, row)
	{
		check(&suite, row);
	}
	suite_end(&suite);
	json_decref(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_understood_and_has_the_fields_of_the_suite),
	};

	suite_needed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
