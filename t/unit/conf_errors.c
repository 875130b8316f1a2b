/* SPDX-License-Identifier: ISC */
/* Errors of a configuration: each once, in the form operators see. */
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
#include "conf_case.h"

/* Each row is one file with one error, in the form operators see. */
static void an_error_says_where_what_was_expected_and_the_nearest_name(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"\nlimit \"per user\" {\n rat = \"200/h\" }",
			"3: limit \"per user\": no setting \"rat\"; nearest: rate"},
		{"limit \"per user\" {\n\n rate = \"200\" }",
			"3: limit \"per user\": rate \"200\": no time; expected NUMBER/s, /m, /h or /d, "
			"e.g. \"200/h\""},
		{"limit \"numbers\" { rate = \"\\d/s\" }",
			"1: limit \"numbers\": no escape \"\\d\" in \"double quotes\" (only \\\\ \\\" \\n "
			"\\t); put patterns in 'single quotes'"},
		{"limit \"x\" {\n rate = \"1/s\"\n\n\n",
			"4: the file ends inside limit \"x\" (line 1): "
			"\"}\" missing"},
		{"form = \"relaxd\"", "1: form \"relaxd\"; expected simple or relaxed, twice: "
				      "\"relaxed/relaxed\"; nearest: relaxed"},
		{"events { keep = \"10GB\" }",
			"1: events: keep \"10GB\"; expected a number and K, M, G or T"},
		{"events { keep = 10G }", "1: events: keep 10G; expected quotes: \"10G\""},
		{"events { keep = \"5\" }", "1: events: keep \"5\"; expected at least 1K"},
		{"events { keep = \"9999999999T\" }",
			"1: events: keep \"9999999999T\"; expected a number and K, M, G or T"},
		{"events { keep_age = \"20\" }",
			"1: events: keep_age \"20\"; expected a number and s, m, h or d"},
		{"events { keep_age = 20 }",
			"1: events: keep_age 20; expected a number and s, m, h or d"},
		{"events { durable = true }", "1: events: durable true; expected yes or no"},
		{"events { durable = \"yes\" }",
			"1: events: durable \"yes\"; expected yes or no, without quotes"},
		{"events { redact { subject = \"hmc\" } }",
			"1: events: redact: subject \"hmc\"; expected clear, hmac, mask or drop; nearest: "
			"hmac"},
		{"events { redact { } } events { }", "1: events: stands twice; first in line 1"},
		{"events \"a\" { }", "1: events has no title; expected events {"},
		{"events = { }", "1: events is a section; expected \"{\", not \"=\""},
		{"limit { }", "1: limit: no title; expected limit \"title\" {"},
		{"limit \"\" { }", "1: limit: no title; expected limit \"title\" {"},
		{"limit \"x\" { }\nlimit \"x\" { }",
			"2: limit \"x\": stands twice; first in line 1"},
		{"limt \"x\" { a = 1 b { } }", "1: no section \"limt\"; nearest: limit"},
		{"limit \"x\" { burst = 5000 }", "1: limit \"x\": burst 5000; expected 1 to 1000"},
		{"limit \"x\" { burst = \"5\" }",
			"1: limit \"x\": burst \"5\"; expected a number without quotes"},
		{"limit \"x\" { burst = five }", "1: limit \"x\": burst five; expected a number"},
		{"limit \"x\" { key = \"usr\" }",
			"1: limit \"x\": key \"usr\"; expected user or client; nearest: user"},
		{"limit \"x\" { engine = \"native\" }",
			"1: limit \"x\": no setting \"engine\"; it stands outside of sections"},
		{"offset = -6", "1: offset -6; expected -5 to 5"},
		{"engine = native", "1: engine native; expected quotes: \"native\""},
		{"engine = { \"native\" }", "1: engine: a list; expected native or libmilter"},
		{"engine = \"native\"\n\nengine = \"native\"",
			"3: engine is set twice; first in line 1"},
		{"engine += \"native\"", "1: engine is no list; expected \"=\""},
		{"engine \"native\"", "1: expected \"=\" behind engine"},
		{"engine { }", "1: engine is no section; expected engine = ..."},
		{"engine =\ngateway = \"x\"", "2: engine: expected a value before gateway"},
		{"headers = { \"a\" \"b\" }", "1: headers: expected \",\" or \"}\" before \"b\""},
		{"headers = { a }", "1: headers a; expected quotes: \"a\""},
		{"headers = { \"a\",\n { } }", "2: headers: \"{\"; expected a text in quotes"},
		{"headers = {\n \"a\",\n\nengine = \"native\"",
			"4: headers: the list that begins in line 1 has no \"}\""},
		{"internal_networks = { \"192.0.2.1/24\" }",
			"1: internal_networks: network \"192.0.2.1/24\": bits are set below the mask; "
			"nearest: 192.0.2.0/24"},
		{"gateway = \"abc\nengine = \"native\"",
			"1: text without its closing \"; it ends on its "
			"line"},
		{"gateway = 'abc\n", "1: text without its closing '; it ends on its line"},
		{"}", "1: \"}\" without \"{\""},
		{"= 5", "1: expected the name of a setting before \"=\""},
		{"include \"x\"", "1: expected include(\"path\")"},
		{"events { include(\"x\") }", "1: events: include stands outside of sections"},
		{"include(\"x\")", "1: include(\"x\"): No such file or directory"},
		{"include(\"policy.conf\")",
			"1: include(\"policy.conf\"): a cycle: policy.conf is included by policy.conf"},
		{"gateway = \"\xff\"", "1: byte 0xff is not UTF-8"},
		{"no\x1bsuch = 1", "1: no setting \"no\\x1bsuch\""},
	};
	char expected[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(expected, sizeof(expected), "policy.conf:%s\n", rows[i].error);
		expect_errors(rows[i].text, expected);
	}
}

static void every_error_of_every_file_is_reported_once(void **state)
{
	const struct memory_file files[] = {
		{"/etc/x/policy.conf", "engine = \"natve\"\n"
				       "include(\"/etc/x/common.conf\")\n"
				       "include(\"/srv/other.conf\")\n"
				       "limit \"x\" { burst = 0 rat = 5\n"
				       "  match { tls = \"maybe\"\n"
				       "          client = \"nowhere\" }\n"
				       "  key = { \"usr\", \"clent\" } }\n"
				       "offset = 6\n"},
		{"/etc/x/common.conf", "foo\nbar = { 'x', }\ngateway = 5"},
		{"/srv/other.conf", "\n\nbaz { qux { } }"}, {NULL, NULL}};

	(void)state;
	expect_errors_of(files, NULL,
		"policy.conf:1: engine \"natve\"; expected native or libmilter; nearest: native\n"
		"common.conf:1: expected \"=\" behind foo\n"
		"common.conf:2: no setting \"bar\"\n"
		"common.conf:3: gateway 5; expected quotes: \"5\"\n"
		"/srv/other.conf:3: no section \"baz\"\n"
		"policy.conf:4: limit \"x\": burst 0; expected 1 to 1000\n"
		"policy.conf:4: limit \"x\": no setting \"rat\"; nearest: rate\n"
		"policy.conf:5: limit \"x\": match: tls \"maybe\"; expected any, no or yes\n"
		"policy.conf:6: limit \"x\": match: client: network \"nowhere\": expected ADDRESS or ADDRESS/BITS\n"
		"policy.conf:7: limit \"x\": key \"usr\"; expected user or client; nearest: user\n"
		"policy.conf:7: limit \"x\": key \"clent\"; expected user or client; nearest: client\n"
		"policy.conf:8: offset 6; expected -5 to 5\n");
}

static void a_missing_brace_is_one_error_and_what_follows_is_read(void **state)
{
	(void)state;
	expect_errors("events { keep = \"1G\"\n"
		      "limit \"x\" { match { tls = no\n"
		      "limit \"y\" { burst = 0 }\n"
		      "offset = 7\n",
		"policy.conf:2: events: \"}\" missing before limit\n"
		"policy.conf:3: limit \"x\": match: \"}\" missing before limit\n"
		"policy.conf:3: limit \"y\": burst 0; expected 1 to 1000\n"
		"policy.conf:4: offset 7; expected -5 to 5\n");
}

static void a_section_that_belongs_outside_is_one_error_though_its_brace_comes_later(void **state)
{
	(void)state;
	expect_errors("events {\n limit \"x\" { }\n}\noffset = 7\n",
		"policy.conf:2: events: \"}\" missing before limit\n"
		"policy.conf:4: offset 7; expected -5 to 5\n");
}

static void a_cycle_of_includes_names_both_files(void **state)
{
	const struct memory_file files[] = {{"/etc/x/a.conf", "\ninclude(\"b.conf\")"},
		{"/etc/x/b.conf", "include(\"a.conf\")"}, {NULL, NULL}};

	(void)state;
	expect_errors_of(files, NULL,
		"b.conf:1: include(\"a.conf\"): a cycle: b.conf is included by a.conf\n");
}

static void errors_of_the_command_line_are_in_the_same_form(void **state)
{
	const struct memory_file files[] = {{"policy.conf", ""}, {NULL, NULL}};
	const char *const overrides[] = {"engine=natve", "events.keep=10GB", "evnts.keep=1",
		"events.kep=1G", "durable", "=x", "limit.x=1", "events=1", "headers={ \"a\"",
		"headers={ } x", "engine+=native", NULL};

	(void)state;
	expect_errors_of(files, overrides,
		"-o: engine \"natve\"; expected native or libmilter; nearest: native\n"
		"-o: events: keep \"10GB\"; expected a number and K, M, G or T\n"
		"-o: no section \"evnts\" without title\n"
		"-o: events: no setting \"kep\"; nearest: keep\n"
		"-o: \"durable\"; expected name=value\n"
		"-o: \"=x\"; expected name=value\n"
		"-o: no section \"limit\" without title\n"
		"-o: events is a section\n"
		"-o: headers: the list has no \"}\"\n"
		"-o: headers: x behind the value\n"
		"-o: engine is no list; expected \"=\"\n");
}

static void a_program_reports_errors_of_its_own_in_the_same_form(void **state)
{
	struct mg_conf *conf =
		must_load_text("gateway = \"x\"\nlimit \"per user\" {\n burst = 5\n}");
	struct mg_errors errors = {0};

	(void)state;
	mg_conf_error(conf, "gateway", &errors, "no host %d", 1);
	mg_conf_error(mg_conf_at(conf, "limit", 0), "burst", &errors, "too few");
	mg_conf_error(mg_conf_at(conf, "limit", 0), "rate", &errors, "no rate");
	mg_conf_error(mg_conf_at(conf, "limit", 0), NULL, &errors, "never reached");
	mg_conf_error(conf, "events.redact.subject", &errors, "no key");
	mg_conf_error(mg_conf_section(conf, "events"), NULL, &errors, "no folder");
	assert_int_equal(errors.count, 6);
	assert_string_equal(errors.list[0].text, "policy.conf:1: no host 1");
	assert_string_equal(errors.list[1].text, "policy.conf:3: limit \"per user\": too few");
	assert_string_equal(errors.list[2].text, "policy.conf:2: limit \"per user\": no rate");
	assert_string_equal(
		errors.list[3].text, "policy.conf:2: limit \"per user\": never reached");
	assert_string_equal(errors.list[4].text, "policy.conf: events: redact: no key");
	assert_string_equal(errors.list[5].text, "policy.conf: events: no folder");
	mg_errors_clear(&errors);
	mg_conf_free(conf);
}

/* head, text so many times, and tail; free() it. */
static char *repeat(const char *head, const char *text, size_t times, const char *tail)
{
	struct mg_buf all = {0};

	mg_buf_add_text(&all, head);
	for (size_t i = 0; i < times; i++)
		mg_buf_add_text(&all, text);
	mg_buf_add_text(&all, tail);
	assert_false(all.failed);
	return all.data;
}

static void what_is_over_a_bound_is_an_error(void **state)
{
	static const struct {
		const char *head, *text, *tail, *error;
		size_t times;
	} rows[] = {
		{"gateway = \"", "x", "\"", "1: text over 64 KiB", 64 * 1024 + 1},
		{"headers = { ", "'x',", "}",
			"1: headers: over 100000 entries; put them into a table", 100001},
		{"", "headers+='x'\n", "",
			"100001: headers: over 100000 entries; put them into a table", 100001},
		{"limit \"x\" { match { ", "not { ", "",
			"1: the file ends inside not (line 1): \"}\" missing", 30},
		{"", "limit 'x", "", "1: text without its closing '; it ends on its line", 1},
	};
	char expected[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = repeat(rows[i].head, rows[i].text, rows[i].times, rows[i].tail);

		snprintf(expected, sizeof(expected), "policy.conf:%s\n", rows[i].error);
		expect_errors(text, expected);
		free(text);
	}
}

static void sections_are_nested_to_their_bound_and_no_deeper(void **state)
{
	const char *const open = "limit \"x\" { match { ", *const deeper = "not { ";
	char *text = repeat(open, deeper, 30,
		"} } } } } } } } } } } } } } } } } } } } } } } } } } } } } } "
		"} }");
	struct mg_errors errors;
	struct memory_file files[] = {{"policy.conf", text}, {NULL, NULL}};
	struct mg_conf *conf = load_files(files, NULL, &errors);

	(void)state;
	assert_non_null(conf);
	mg_conf_free(conf);
	free(text);
	text = repeat(open, deeper, 100000, "");
	files[0].text = text;
	assert_null(load_files(files, NULL, &errors));
	assert_int_equal(errors.count, 2);
	assert_non_null(strstr(errors.list[0].text, "sections over 32 deep"));
	assert_non_null(strstr(errors.list[1].text, "the file ends inside"));
	mg_errors_clear(&errors);
	free(text);
}

static void includes_have_a_bound_in_depth(void **state)
{
	struct memory_file files[20] = {{NULL, NULL}};
	struct mg_errors errors;
	char paths[19][16], texts[19][32];

	(void)state;
	for (size_t i = 0; i < 18; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%zu.conf", i);
		snprintf(texts[i], sizeof(texts[i]), "include(\"%zu.conf\")", i + 1);
		files[i] = (struct memory_file){paths[i], texts[i]};
	}
	assert_null(load_files(files, NULL, &errors));
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.list[0].text,
		"16.conf:1: include(\"17.conf\"): over 16 deep or 1000 in all");
	mg_errors_clear(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_says_where_what_was_expected_and_the_nearest_name),
		cmocka_unit_test(every_error_of_every_file_is_reported_once),
		cmocka_unit_test(a_missing_brace_is_one_error_and_what_follows_is_read),
		cmocka_unit_test(
			a_section_that_belongs_outside_is_one_error_though_its_brace_comes_later),
		cmocka_unit_test(a_cycle_of_includes_names_both_files),
		cmocka_unit_test(errors_of_the_command_line_are_in_the_same_form),
		cmocka_unit_test(a_program_reports_errors_of_its_own_in_the_same_form),
		cmocka_unit_test(what_is_over_a_bound_is_an_error),
		cmocka_unit_test(sections_are_nested_to_their_bound_and_no_deeper),
		cmocka_unit_test(includes_have_a_bound_in_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
