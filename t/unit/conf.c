/* SPDX-License-Identifier: ISC */
#include "base/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "conf_case.h"

/* The entries of a list with a space behind each. */
static void expect_list(const struct mg_conf *conf, const char *name, const char *expected)
{
	struct mg_buf text = {0};
	size_t count;
	const char *const *list = mg_conf_list(conf, name, &count);

	for (size_t i = 0; i < count; i++)
		mg_buf_add_format(&text, "%s ", list[i]);
	assert_string_equal(mg_buf_text(&text), expected);
	mg_buf_free(&text);
}

static void without_a_file_every_setting_has_its_default(void **state)
{
	struct mg_errors errors = {0};
	struct mg_conf *conf = mg_conf_load(NULL, conf_tables, NULL, &errors);
	const char *file;
	unsigned line;

	(void)state;
	assert_non_null(conf);
	assert_string_equal(mg_conf_text(conf, "engine"), "native");
	assert_int_equal(mg_conf_number(conf, "engine"), 0);
	assert_int_equal(mg_conf_number(conf, "events.keep"), INT64_C(10) << 30);
	assert_int_equal(mg_conf_number(conf, "events.keep_age"), 90 * 86400 * MG_SECOND);
	assert_false(mg_conf_bool(conf, "events.durable"));
	expect_list(conf, "internal_networks", "127.0.0.0/8 ::1 ");
	assert_int_equal(mg_conf_count(conf, "limit"), 0);
	assert_false(mg_conf_is_set(conf, "engine"));
	assert_false(mg_conf_is_set(conf, "events"));
	mg_conf_place(conf, "events.keep", &file, &line);
	assert_string_equal(file, "");
	assert_int_equal(line, 0);
	mg_conf_free(conf);
}

static void values_of_every_kind_are_read(void **state)
{
	struct mg_conf *conf =
		must_load_text("engine = \"libmilter\" # a comment = { \"\n"
			       "gateway=\"a\\\\b\\\"c\\nd\\te\"offset = -3\r\n"
			       "headers = { 'X: \\d+ \"#\"', \"two\", }\n"
			       "internal_networks = \"192.0.2.0/24\"\n"
			       "events { keep = \"64M\" keep_age = 0 durable = yes }\n"
			       "limit \"a b\" { burst = 5 match { tls = no not { } } }");
	const struct mg_conf *limit = mg_conf_at(conf, "limit", 0);
	const struct mg_network *networks;
	size_t count;

	(void)state;
	assert_string_equal(mg_conf_text(conf, "engine"), "libmilter");
	assert_int_equal(mg_conf_number(conf, "engine"), 1);
	assert_string_equal(mg_conf_text(conf, "gateway"), "a\\b\"c\nd\te");
	assert_int_equal(mg_conf_number(conf, "offset"), -3);
	expect_list(conf, "headers", "X: \\d+ \"#\" two ");
	networks = mg_conf_networks(conf, "internal_networks", &count);
	assert_int_equal(count, 1);
	assert_int_equal(networks[0].bits, 24);
	assert_int_equal(mg_conf_number(conf, "events.keep"), 64 << 20);
	assert_int_equal(mg_conf_number(conf, "events.keep_age"), 0);
	assert_true(mg_conf_bool(conf, "events.durable"));
	assert_string_equal(mg_conf_title(limit), "a b");
	assert_int_equal(mg_conf_number(limit, "burst"), 5);
	assert_string_equal(mg_conf_text(limit, "match.tls"), "no");
	assert_true(mg_conf_is_set(limit, "match.not"));
	assert_false(mg_conf_is_set(limit, "match.not.not"));
	assert_string_equal(mg_conf_text(limit, "match.not.not.not.tls"), "any");
	mg_conf_free(conf);
}

static void a_setting_with_the_value_of_its_default_is_not_set(void **state)
{
	struct mg_conf *conf =
		must_load_text("engine = \"native\" events { redact { subject = \"hmac\" } }\n"
			       "internal_networks = { \"127.0.0.0/8\", \"::1\" }");

	(void)state;
	assert_false(mg_conf_is_set(conf, "engine"));
	assert_false(mg_conf_is_set(conf, "internal_networks"));
	assert_false(mg_conf_is_set(conf, "events.keep"));
	assert_true(mg_conf_is_set(conf, "events.redact.subject"));
	assert_true(mg_conf_is_set(conf, "events"));
	mg_conf_free(conf);
}

static void sizes_and_durations_have_their_units(void **state)
{
	static const struct {
		const char *text;
		int64_t size;
	} sizes[] = {{"\"1K\"", 1024}, {"\"2M\"", 2 << 20}, {"\"3G\"", INT64_C(3) << 30},
		{"\"4T\"", INT64_C(4) << 40}, {"\"2000\"", 2000}, {"2000", 2000}};
	static const struct {
		const char *text;
		int64_t seconds;
	} durations[] = {{"\"7s\"", 7}, {"\"2m\"", 120}, {"\"3h\"", 10800}, {"\"4d\"", 345600},
		{"\"0s\"", 0}, {"\"0\"", 0}, {"0", 0}};
	char text[80];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct mg_conf *conf;

		snprintf(text, sizeof(text), "events { keep = %s }", sizes[i].text);
		conf = must_load_text(text);
		assert_int_equal(mg_conf_number(conf, "events.keep"), sizes[i].size);
		mg_conf_free(conf);
	}
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		struct mg_conf *conf;

		snprintf(text, sizeof(text), "events { keep_age = %s }", durations[i].text);
		conf = must_load_text(text);
		assert_int_equal(
			mg_conf_number(conf, "events.keep_age"), durations[i].seconds * MG_SECOND);
		mg_conf_free(conf);
	}
}

static void a_file_overrides_what_it_includes_wherever_the_include_stands(void **state)
{
	const struct memory_file files[] = {{"/etc/x/policy.conf", "engine = \"libmilter\"\n"
								   "events { keep = \"2G\" }\n"
								   "include(\"sub/common.conf\")\n"
								   "headers += { \"c\" }\n"
								   "limit \"x\" { burst = 7 }\n"},
		{"/etc/x/sub/common.conf",
			"engine = \"native\" gateway = \"common\"\n"
			"include(\"base.conf\")\n"
			"events { keep = \"3G\" durable = yes }\n"
			"headers += { \"b\" }\n"
			"internal_networks += { \"10.0.0.0/8\" }\n"
			"limit \"first\" { } limit \"x\" { rate = \"1/s\" burst = 3 }"},
		{"/etc/x/sub/base.conf", "headers = { \"a\" } gateway = \"base\""}, {NULL, NULL}};
	struct mg_conf *conf = must_load(files, NULL);
	const struct mg_conf *limit = mg_conf_at(conf, "limit", 1);
	const char *file;
	unsigned line;

	(void)state;
	assert_string_equal(mg_conf_text(conf, "engine"), "libmilter");
	assert_string_equal(mg_conf_text(conf, "gateway"), "common");
	assert_int_equal(mg_conf_number(conf, "events.keep"), INT64_C(2) << 30);
	assert_true(mg_conf_bool(conf, "events.durable"));
	expect_list(conf, "headers", "a b c ");
	expect_list(conf, "internal_networks", "127.0.0.0/8 ::1 10.0.0.0/8 ");
	assert_int_equal(mg_conf_count(conf, "limit"), 2);
	assert_string_equal(mg_conf_title(mg_conf_at(conf, "limit", 0)), "first");
	assert_string_equal(mg_conf_title(limit), "x");
	assert_int_equal(mg_conf_number(limit, "burst"), 7);
	assert_string_equal(mg_conf_text(limit, "rate"), "1/s");
	mg_conf_place(limit, "rate", &file, &line);
	assert_string_equal(file, "sub/common.conf");
	assert_int_equal(line, 6);
	mg_conf_place(limit, "burst", &file, &line);
	assert_string_equal(file, "policy.conf");
	assert_int_equal(line, 5);
	mg_conf_free(conf);
}

static void an_equals_sign_replaces_a_list_that_an_included_file_extended(void **state)
{
	const struct memory_file files[] = {
		{"policy.conf",
			"headers += { \"b\" } include(\"common.conf\") "
			"internal_networks = { \"10.0.0.0/8\" } internal_networks += \"::2\""},
		{"common.conf", "headers = { \"a\" } internal_networks += { \"192.0.2.0/24\" }"},
		{NULL, NULL}};
	struct mg_conf *conf = must_load(files, NULL);
	const struct mg_network *networks;
	size_t count;

	(void)state;
	expect_list(conf, "headers", "a b ");
	expect_list(conf, "internal_networks", "10.0.0.0/8 ::2 ");
	networks = mg_conf_networks(conf, "internal_networks", &count);
	assert_int_equal(count, 2);
	assert_int_equal(networks[1].bits, 128);
	mg_conf_free(conf);
}

static void a_file_that_two_others_include_is_read_once_and_before_both(void **state)
{
	const struct memory_file files[] = {
		{"/a/main.conf", "include(\"one.conf\") include(\"two.conf\")"},
		{"/a/one.conf",
			"include(\"common.conf\") gateway = \"one\" headers += { \"one\" }"},
		{"/a/two.conf", "headers += { \"two\" } include(\"common.conf\")"},
		{"/a/common.conf", "gateway = \"common\" headers = { \"common\" }"}, {NULL, NULL}};
	struct mg_conf *conf = must_load(files, NULL);

	(void)state;
	assert_string_equal(mg_conf_text(conf, "gateway"), "one");
	expect_list(conf, "headers", "common one two ");
	mg_conf_free(conf);
}

static void options_of_the_command_line_come_last(void **state)
{
	const struct memory_file files[] = {
		{"policy.conf", "engine = \"native\" events { durable = no } headers = { \"a\" }"},
		{NULL, NULL}};
	const char *const overrides[] = {"engine=libmilter", "events.durable=yes",
		"events.redact.subject=hmac", "events.keep=64M", "gateway=a b\\c", "offset=-1",
		"headers+={ \"b\", 'c' }", "internal_networks=10.0.0.0/8", "form=\"relaxed\"",
		NULL};
	struct mg_conf *conf = must_load(files, overrides);
	const char *file;
	unsigned line;

	(void)state;
	assert_string_equal(mg_conf_text(conf, "engine"), "libmilter");
	assert_true(mg_conf_bool(conf, "events.durable"));
	assert_string_equal(mg_conf_text(conf, "events.redact.subject"), "hmac");
	assert_int_equal(mg_conf_number(conf, "events.keep"), 64 << 20);
	assert_string_equal(mg_conf_text(conf, "gateway"), "a b\\c");
	assert_string_equal(mg_conf_text(conf, "form"), "relaxed");
	assert_int_equal(mg_conf_number(conf, "offset"), -1);
	expect_list(conf, "headers", "a b c ");
	expect_list(conf, "internal_networks", "10.0.0.0/8 ");
	mg_conf_place(conf, "events.keep", &file, &line);
	assert_string_equal(file, "-o");
	assert_int_equal(line, 0);
	mg_conf_free(conf);
}

static char *print(const struct mg_conf *conf)
{
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	assert_non_null(stream);
	assert_int_equal(mg_conf_print(conf, stream), 0);
	fclose(stream);
	return text;
}

static void what_was_printed_loads_and_prints_as_the_same(void **state)
{
	const char *const overrides[] = {"gateway=\"\"", "form=simple", NULL};
	const struct memory_file files[] = {
		{"policy.conf",
			"gateway = \"a\\\\b'\\\"c\\nd\\te\"\n"
			"headers = { '\\d+', \"it's \\\\d\", 'say \"x\"', \"\xc3\xa4#\" }\n"
			"events { keep = \"1536M\" keep_age = \"36h\" durable = yes }\n"
			"limit \"a \\\"b\\\"\" { match { tls = no not { client = \"::1\" not { } } } }\n"
			"limit 'c' { rate = \"\" burst = 1000 key = { } }"},
		{NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct mg_conf *first = must_load(files, i == 0 ? NULL : overrides), *second;
		char *printed = print(first), *again;

		second = must_load_text(printed);
		again = print(second);
		assert_string_equal(again, printed);
		assert_true(mg_conf_is_set(mg_conf_at(second, "limit", 0), "match.not.not"));
		/* Of a section of conditions only what is set. */
		assert_null(strstr(printed, "direction"));
		assert_false(mg_conf_is_set(mg_conf_at(second, "limit", 1), "match"));
		assert_string_equal(
			mg_conf_text(second, "gateway"), mg_conf_text(first, "gateway"));
		free(printed);
		free(again);
		mg_conf_free(first);
		mg_conf_free(second);
	}
}

static void the_manual_lists_every_setting_once(void **state)
{
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	(void)state;
	assert_int_equal(mg_conf_print_mdoc(conf_tables, stream), 0);
	fclose(stream);
	assert_non_null(strstr(
		text, "\n.It Ic engine\nOne of native or libmilter.\nDefault: \"native\".\n"));
	assert_non_null(strstr(text, "\nHow many at once.\nA number, messages, 1 to 1000.\n"));
	assert_non_null(strstr(text, "\nA back\\eslash. 'quoted'.\n"));
	assert_non_null(strstr(text, ".It Ic match Brq ...\nIts conditions are in\n"));
	assert_null(strstr(text, ".It Ic not Brq ..."));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_every_setting_has_its_default),
		cmocka_unit_test(values_of_every_kind_are_read),
		cmocka_unit_test(a_setting_with_the_value_of_its_default_is_not_set),
		cmocka_unit_test(sizes_and_durations_have_their_units),
		cmocka_unit_test(a_file_overrides_what_it_includes_wherever_the_include_stands),
		cmocka_unit_test(an_equals_sign_replaces_a_list_that_an_included_file_extended),
		cmocka_unit_test(a_file_that_two_others_include_is_read_once_and_before_both),
		cmocka_unit_test(options_of_the_command_line_come_last),
		cmocka_unit_test(what_was_printed_loads_and_prints_as_the_same),
		cmocka_unit_test(the_manual_lists_every_setting_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
