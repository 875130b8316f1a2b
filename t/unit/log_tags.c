/* SPDX-License-Identifier: ISC */
#include "log/tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "event_value.h"
#include "log/auth.h"

/* Records fields given as name and value in turn, ended by NULL. */
static void record(const char *const texts[])
{
	struct mg_header headers[16];
	size_t count = 0;

	for (; texts[2 * count] != NULL; count++)
		headers[count] = (struct mg_header){.name = texts[2 * count],
			.value = texts[2 * count + 1],
			.name_length = strlen(texts[2 * count]),
			.value_length = strlen(texts[2 * count + 1])};
	log_tags_record(event_value_event, headers, count);
	log_auth_record(event_value_event, headers, count, "mx.example.org");
}
#define RECORD(...) record((const char *const[]){__VA_ARGS__, NULL})

static void tags_are_told_once_in_their_order(void **state)
{
	(void)state;
	RECORD("X-PM-Tag", " welcome", "x-mailgun-tag", " a", "X-Mailgun-Tag", " b", "X-Postal-Tag",
		" a", "X-Tag", " none");
	assert_string_equal(event_value("millgate.tags"), "[\"welcome\",\"a\",\"b\"]");
	assert_string_equal(event_value("millgate.metadata"), "");
}

static void pairs_are_names_and_values(void **state)
{
	(void)state;
	RECORD("X-SES-MESSAGE-TAGS", " a=1, b = two ,c=,=4, d", "X-PM-Metadata-color", " blue",
		"X-PM-Metadata-", " none");
	assert_string_equal(
		event_value("millgate.metadata"), "{\"a\":\"1\",\"b\":\"two\",\"color\":\"blue\"}");
}

static void members_of_json_are_names_and_values(void **state)
{
	(void)state;
	RECORD("X-Mailgun-Variables",
		" {\"id\": 123, \"t\" : true,\r\n \"n\":null, \"u\": \"\\u00fc\\\"\\ud83d\\ude00\","
		" \"o\": {\"a\": [1, \"]\"]}}");
	assert_string_equal(event_value("millgate.metadata"),
		"{\"id\":\"123\",\"o\":\"{\\\"a\\\": [1, \\\"]\\\"]}\",\"t\":\"true\","
		"\"u\":\"ü\\\"😀\"}");
}

static void categories_and_arguments_of_smtpapi_are_told(void **state)
{
	(void)state;
	RECORD("X-SMTPAPI",
		" {\"to\": [\"ann@example.org\"], \"category\": [\"a\", \"b\", 3], \"unique_args\":"
		" {\"order\": \"7\"}, \"sub\": {\"-name-\": [\"Ann\"]}}");
	assert_string_equal(event_value("millgate.tags"), "[\"a\",\"b\",\"3\"]");
	assert_string_equal(event_value("millgate.metadata"), "{\"order\":\"7\"}");
}

static void one_category_needs_no_list(void **state)
{
	(void)state;
	RECORD("X-SMTPAPI", " {\"category\": \"a\"}");
	assert_string_equal(event_value("millgate.tags"), "[\"a\"]");
}

static void broken_json_tells_what_stands_before(void **state)
{
	(void)state;
	RECORD("X-Mailgun-Variables", " {\"a\": 1, \"b\": \"unclosed", "X-Mailgun-Variables", " x",
		"X-Mailgun-Variables", " {\"c\" 1}", "X-Mailgun-Variables", " {\"d\":\"\\u12\"}",
		"X-SMTPAPI", " {\"category\": [\"e\", ", "X-SMTPAPI", " [[[[", "X-SMTPAPI", "");
	assert_string_equal(event_value("millgate.metadata"), "{\"a\":\"1\",\"d\":\"u12\"}");
	assert_string_equal(event_value("millgate.tags"), "");
	assert_string_equal(event_value("millgate.truncated"), "");
}

static void encoded_words_and_folds_are_decoded(void **state)
{
	(void)state;
	RECORD("X-PM-Tag", " =?utf-8?q?gr=C3=BC?=\r\n n");
	assert_string_equal(event_value("millgate.tags"), "[\"grü n\"]");
}

static void values_are_bounded_and_that_is_told(void **state)
{
	static char huge[100000];

	(void)state;
	memset(huge, 't', sizeof huge - 1);
	RECORD("X-PM-Tag", huge, "X-PM-Metadata-x", huge);
	assert_int_equal(strlen(event_value("millgate.tags")), 256 + 4);
	assert_int_equal(strlen(event_value("millgate.metadata")), 1024 + 8);
	assert_string_equal(
		event_value("millgate.truncated"), "[\"millgate.tags\",\"millgate.metadata\"]");
}

static void the_number_of_pairs_is_bounded_and_that_is_told(void **state)
{
	struct mg_buf text = {.limit = 0};

	(void)state;
	for (int i = 0; i < 2000; i++)
		mg_buf_add_format(&text, "k%d=v,", i);
	RECORD("X-SES-MESSAGE-TAGS", mg_buf_text(&text), "X-PM-Tag", "late");
	assert_non_null(strstr(event_value("millgate.metadata"), "\"k49\""));
	assert_null(strstr(event_value("millgate.metadata"), "\"k50\""));
	assert_string_equal(event_value("millgate.truncated"), "[\"millgate.metadata\"]");
	mg_buf_free(&text);
}

static void signatures_are_told_as_they_say_of_themselves(void **state)
{
	(void)state;
	RECORD("DKIM-Signature", " v=1; a=rsa-sha256; d=Example.ORG; s=s1; b=x", "DKIM-Signature",
		" broken", "dkim-signature", " d=b\u00fccher.example ; s = a\r\n b");
	assert_string_equal(event_value("millgate.dkim.signatures"),
		"[{\"algorithm\":\"rsa-sha256\",\"domain\":\"example.org\",\"selector\":\"s1\"},"
		"{\"domain\":\"xn--bcher-kva.example\",\"selector\":\"ab\"}]");
}

static void results_of_this_gateway_alone_are_told(void **state)
{
	(void)state;
	RECORD("Authentication-Results",
		" MX.example.org 1; spf=pass\r\n smtp.mailfrom=a.example;"
		" dkim=fail (bad; \";\") reason=\"x;y\" header.d=b",
		"Authentication-Results", " mx.example.org.evil.example; spf=pass",
		"Authentication-Results", " other; spf=pass", "Authentication-Results",
		" mx.example.org; none");
	assert_string_equal(event_value("millgate.authentication_results"),
		"[\"spf=pass smtp.mailfrom=a.example\","
		"\"dkim=fail (bad; \\\";\\\") reason=\\\"x;y\\\" header.d=b\",\"none\"]");
}

static void many_results_are_cut_and_that_is_told(void **state)
{
	struct mg_buf text = {.limit = 0};

	(void)state;
	mg_buf_add_text(&text, "mx.example.org");
	for (int i = 0; i < 100; i++)
		mg_buf_add_format(&text, ";x=%d", i);
	RECORD("Authentication-Results", mg_buf_text(&text));
	assert_non_null(strstr(event_value("millgate.authentication_results"), "\"x=49\""));
	assert_null(strstr(event_value("millgate.authentication_results"), "\"x=50\""));
	assert_string_equal(
		event_value("millgate.truncated"), "[\"millgate.authentication_results\"]");
	mg_buf_free(&text);
}

int main(void)
{
#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, event_value_set_up, event_value_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(tags_are_told_once_in_their_order),
		TEST(pairs_are_names_and_values),
		TEST(members_of_json_are_names_and_values),
		TEST(categories_and_arguments_of_smtpapi_are_told),
		TEST(one_category_needs_no_list),
		TEST(broken_json_tells_what_stands_before),
		TEST(encoded_words_and_folds_are_decoded),
		TEST(values_are_bounded_and_that_is_told),
		TEST(the_number_of_pairs_is_bounded_and_that_is_told),
		TEST(signatures_are_told_as_they_say_of_themselves),
		TEST(results_of_this_gateway_alone_are_told),
		TEST(many_results_are_cut_and_that_is_told),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
