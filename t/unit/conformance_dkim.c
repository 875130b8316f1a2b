/* SPDX-License-Identifier: ISC */
/* Suite `dkim`: verification. What counts is whether a signature passes, and that an error that goes
 * away is told apart from others; fail and permerror may be told apart otherwise (its README). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/dkim_verify.h"
#include "base/clock.h"
#include "base/dns_case.h"
#include "mail/letter.h"
#include "suite.h"

enum { ROWS_MAX = 200 };

/* --- the DNS of a suite --- */

struct rows {
	struct mg_dns_row list[ROWS_MAX];
	size_t count;
};

/* The text of a record: its strings joined, with the escapes of a row. */
static char *record_text(const json_t *entry)
{
	const json_t *strings = json_object_get(entry, "strings");
	struct mg_buf joined = {.limit = 0}, text = {.limit = 0};
	const json_t *part;
	size_t i;

	mg_buf_add_text(&joined, json_is_string(json_object_get(entry, "TXT"))
					 ? json_string_value(json_object_get(entry, "TXT"))
					 : "");
	json_array_foreach(strings, i, part) mg_buf_add_text(&joined, json_string_value(part));
	mg_dns_case_escape(&text, mg_buf_text(&joined), joined.length);
	mg_buf_free(&joined);
	assert_false(text.failed);
	return text.data != NULL ? text.data : strdup("");
}

static const char *failure_of(const json_t *entry)
{
	const char *error = json_string_value(json_object_get(entry, "error"));

	if (error != NULL)
		return strstr(error, "timed out") != NULL ? "TIMEOUT" : "SERVFAIL";
	return json_string_value(json_object_get(entry, "rcode"));
}

static struct mg_dns *make_dns(const json_t *names)
{
	struct rows rows = {.count = 0};
	struct mg_errors errors = {0};
	struct mg_dns *dns;
	const char *name;
	json_t *entry;

	json_object_foreach((json_t *)(uintptr_t)names, name, entry)
	{
		struct mg_dns_row *row = &rows.list[rows.count++];
		char **value = calloc(1, sizeof(*value));
		char question[300];

		assert_true(rows.count < ROWS_MAX);
		snprintf(question, sizeof(question), "%s TXT", name);
		row->question = strdup(question);
		row->failure = failure_of(entry);
		*value = record_text(entry);
		row->values = (const char *const *)value;
		row->count = row->failure == NULL && **value != '\0';
	}
	dns = mg_dns_case_new(rows.list, rows.count, &errors);
	if (dns == NULL)
		fail_msg("%s", errors.list[0].text);
	for (size_t i = 0; i < rows.count; i++) {
		free((char *)(uintptr_t)rows.list[i].question);
		free((char *)(uintptr_t)rows.list[i].values[0]);
		free((void *)(uintptr_t)rows.list[i].values);
	}
	return dns;
}

/* --- verifying --- */

/* Verifies a message of a suite in chunks of all sizes; "pass fail": a result a signature, with
 * their reasons in why. */
static void verify(
	const char *path, struct mg_dns *dns, int64_t clock, char results[256], char why[2048])
{
	struct mg_dkim_verify_options options = {.signatures = 20,
		.minimum_bits = 1024,
		.now = clock * MG_SECOND,
		.deadline = mg_clock_system.monotonic(&mg_clock_system) + 60 * MG_SECOND,
		.dns = dns};
	const struct mg_dkim_verified *list;
	struct mg_buf text = {.limit = 0};
	struct mg_dkim_verify *verifying;
	struct mg_letter letter;
	struct mg_error error;
	size_t count;

	suite_read(path, &text);
	if (!mg_letter_read(&letter, mg_buf_text(&text), text.length, &error))
		fail_msg("%s: %s", path, error.text);
	verifying = mg_dkim_verify_new(&options, letter.headers, letter.count, &error);
	assert_non_null(verifying);
	for (size_t at = 0, take = 1; at < letter.body_length; at += take, take = take * 2 + 1) {
		if (letter.body_length - at < take)
			take = letter.body_length - at;
		mg_dkim_verify_body(verifying, (const unsigned char *)letter.body + at, take);
	}
	list = mg_dkim_verify_end(verifying, &count);
	results[0] = why[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		snprintf(results + strlen(results), 256 - strlen(results), "%s%s", i ? " " : "",
			mg_dkim_result_name(list[i].result));
		snprintf(why + strlen(why), 2048 - strlen(why), "%s; ", list[i].reason);
	}
	mg_dkim_verify_free(verifying);
	mg_letter_free(&letter);
	mg_buf_free(&text);
}

static bool has(const char *results, const char *result)
{
	return strstr(results, result) != NULL;
}

/* Is one word for the message what the results say? */
static bool agrees(const char *results, const char *expected)
{
	if (strcmp(expected, "pass") == 0)
		return has(results, "pass");
	if (strcmp(expected, "none") == 0)
		return results[0] == '\0';
	if (strcmp(expected, "temperror") == 0)
		return has(results, "temperror") && !has(results, "pass");
	return !has(results, "pass") && !has(results, "temperror") && results[0] != '\0';
}

static void check(struct suite *suite, const char *folder, const char *file, const char *expected,
	struct mg_dns *dns, int64_t clock)
{
	char path[256], results[256], why[2048];

	snprintf(path, sizeof(path), "dkim/%s/%s", folder, file);
	verify(path, dns, clock, results, why);
	suite_case(suite, file, agrees(results, expected), "%s: \"%s\" (%s), expected %s", path,
		results, why, expected);
}

/* --- the suites --- */

static const struct suite_kept no_kept[] = {{NULL, NULL}};

static void current_messages(void **state)
{
	json_t *json = suite_load("dkim/current/expected.json", false), *row, *one;
	struct mg_dns *dns = make_dns(json_object_get(json, "dns"));
	int64_t clock = json_integer_value(json_object_get(json, "clock"));
	struct suite suite = {.kept = no_kept};
	size_t i, n;

	(void)state;
	json_array_foreach(json_object_get(json, "cases"), i, row)
	{
		const char *file = json_string_value(json_object_get(row, "file"));
		const json_t *signatures = json_object_get(row, "signatures");
		char path[256], results[256], why[2048], wanted[256] = "";

		check(&suite, "current", file, json_string_value(json_object_get(row, "expected")),
			dns, clock);
		if (signatures == NULL)
			continue;
		json_array_foreach(signatures, n, one)
			snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s%s",
				n ? " " : "", json_string_value(one));
		snprintf(path, sizeof(path), "dkim/current/%s", file);
		verify(path, dns, clock, results, why);
		suite_case(&suite, path, strcmp(results, wanted) == 0,
			"%s: \"%s\" (%s), expected \"%s\"", path, results, why, wanted);
	}
	suite_end(&suite);
	mg_dns_close(dns);
	json_decref(json);
}

static void old_messages_by_the_rules_of_today(void **state)
{
	json_t *json = suite_load("dkim/mail-dkim/expected.json", false), *row;
	json_t *names = suite_load("dkim/mail-dkim/dns.json", false);
	struct mg_dns *dns = make_dns(names);
	struct suite suite = {.kept = no_kept};
	char path[256], results[256], why[2048];
	size_t i;

	(void)state;
	json_array_foreach(json, i, row)
	{
		const char *file = json_string_value(json_object_get(row, "file"));
		const char *expected = json_string_value(json_object_get(row, "expected_current"));

		/* "not pass": whatever it is. */
		if (strcmp(expected, "not pass") != 0) {
			snprintf(path, sizeof(path), "messages/%s", file);
			check(&suite, "mail-dkim", path, expected, dns, 1700000000);
			continue;
		}
		snprintf(path, sizeof(path), "dkim/mail-dkim/messages/%s", file);
		verify(path, dns, 1700000000, results, why);
		suite_case(&suite, file, !has(results, "pass"), "%s: \"%s\"", path, results);
	}
	suite_end(&suite);
	mg_dns_close(dns);
	json_decref(names);
	json_decref(json);
}

static void signatures_of_real_senders(void **state)
{
	json_t *json = suite_load("dkim/mail-auth/expected.json", false), *row;
	static const struct suite_kept kept[] = {
		{"messages/004.eml", "signed five hours after the suite's clock: 300 s pass"},
		{NULL, NULL}};
	struct suite suite = {.kept = kept};
	char path[256];
	size_t i;

	(void)state;
	json_array_foreach(json, i, row)
	{
		struct mg_dns *dns = make_dns(json_object_get(row, "dns"));

		snprintf(path, sizeof(path), "messages/%s",
			json_string_value(json_object_get(row, "file")));
		check(&suite, "mail-auth", path,
			json_string_value(json_object_get(row, "expected")), dns, 1667843664);
		mg_dns_close(dns);
	}
	suite_end(&suite);
	json_decref(json);
}

static void both_signatures_of_rfc_8463(void **state)
{
	json_t *json = suite_load("dkim/rfc8463/vector.json", false);
	struct mg_dns *dns = make_dns(json_object_get(json, "dns"));
	char results[256], why[2048];

	(void)state;
	verify("dkim/rfc8463/signed.eml", dns, json_integer_value(json_object_get(json, "clock")),
		results, why);
	assert_string_equal(results, "pass pass");
	mg_dns_close(dns);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(current_messages),
		cmocka_unit_test(old_messages_by_the_rules_of_today),
		cmocka_unit_test(signatures_of_real_senders),
		cmocka_unit_test(both_signatures_of_rfc_8463),
	};

	suite_needed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
