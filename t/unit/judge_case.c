/* SPDX-License-Identifier: ISC */
#include "run/judge_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/millgate-case-XXXXXX";
static struct mg_case *facts;
static struct mg_errors errors;

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* To be freed. */
static char *read_file(void)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 8192);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, 8191, file) > 0);
	fclose(file);
	return text;
}

static int set_up(void **state)
{
	(void)state;
	facts = mg_case_new();
	return facts != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mg_case_free(facts);
	mg_errors_clear(&errors);
	return 0;
}

/* Loads a text that is wrong; each error in turn must contain what is given. */
static void assert_wrong(const char *text, const char *const wanted[])
{
	size_t count = 0;

	write_file(text);
	assert_false(mg_case_load(facts, path, &errors));
	for (; wanted[count] != NULL; count++) {
		assert_true(count < errors.kept);
		if (strstr(errors.list[count].text, wanted[count]) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", wanted[count], errors.list[count].text);
	}
	assert_int_equal(errors.count, count);
	mg_errors_clear(&errors);
}

static void every_member_is_taken(void **state)
{
	(void)state;
	write_file("{\"client\":\"192.0.2.7\",\"client_name\":\"mx.example.net\",\"port\":39204,"
		   "\"helo\":\"h\",\"user\":\"u\",\"auth_method\":\"PLAIN\",\"tls\":{\"version\":"
		   "\"TLSv1.3\",\"cipher\":\"c\",\"bits\":256,\"subject\":\"s\",\"issuer\":\"i\"},"
		   "\"listener\":\"l\",\"listener_address\":\"[::1]:25\",\"sender\":\"\","
		   "\"recipients\":[\"a@b\",\"c@d\"],\"queue_id\":\"q\",\"local\":true,"
		   "\"now\":\"2026-11-24T11:49:20Z\",\"dns\":{\"example.com TXT\":[\"v=spf1\"]},"
		   "\"store\":{}}");
	assert_true(mg_case_load(facts, path, &errors));
	assert_true(mg_case_complete(facts, 0));
	assert_string_equal(mg_case_text(facts, "client"), "192.0.2.7");
	assert_int_equal(mg_case_number(facts, "port"), 39204);
	assert_string_equal(mg_case_text(facts, "tls.issuer"), "i");
	assert_int_equal(mg_case_number(facts, "tls.bits"), 256);
	assert_string_equal(mg_case_text(facts, "sender"), "");
	assert_int_equal(mg_case_recipient_count(facts), 2);
	assert_string_equal(mg_case_recipient(facts, 1), "c@d");
	assert_true(mg_case_true(facts, "local"));
	assert_true(mg_case_now(facts) == INT64_C(1795520960000000000));
}

static void what_is_missing_has_its_default(void **state)
{
	(void)state;
	assert_true(mg_case_complete(facts, INT64_C(1795520960539112345)));
	assert_string_equal(mg_case_text(facts, "client"), "127.0.0.1");
	assert_string_equal(mg_case_text(facts, "client_name"), "localhost");
	assert_string_equal(mg_case_text(facts, "user"), "");
	assert_string_equal(mg_case_text(facts, "tls.version"), "");
	assert_string_equal(mg_case_text(facts, "now"), "2026-11-24T11:49:20.539112Z");
	assert_int_equal(mg_case_recipient_count(facts), 1);
	assert_false(mg_case_true(facts, "local"));
}

static void a_client_that_is_given_has_no_name_unless_given(void **state)
{
	(void)state;
	assert_true(mg_case_set(facts, "client", "192.0.2.7", &errors));
	assert_true(mg_case_complete(facts, 0));
	assert_string_equal(mg_case_text(facts, "client_name"), "");
}

static void options_go_over_the_file(void **state)
{
	static const char *const recipients[] = {"x@y", NULL};

	(void)state;
	write_file("{\"sender\":\"file@example.com\",\"helo\":\"file\",\"recipients\":[\"a@b\","
		   "\"c@d\"]}");
	assert_true(mg_case_load(facts, path, &errors));
	assert_true(mg_case_set(facts, "sender", "option@example.com", &errors));
	assert_true(mg_case_set(facts, "tls.version", "TLSv1.2", &errors));
	assert_true(mg_case_set_recipients(facts, recipients, &errors));
	assert_true(mg_case_complete(facts, 0));
	assert_string_equal(mg_case_text(facts, "sender"), "option@example.com");
	assert_string_equal(mg_case_text(facts, "helo"), "file");
	assert_string_equal(mg_case_text(facts, "tls.version"), "TLSv1.2");
	assert_int_equal(mg_case_recipient_count(facts), 1);
}

static void an_option_that_is_none_of_its_kind_is_an_error(void **state)
{
	(void)state;
	assert_false(mg_case_set(facts, "client", "nonsense", &errors));
	assert_false(mg_case_set(facts, "helo", "a\nb", &errors));
	assert_false(mg_case_set(facts, "user", "\xff", &errors));
	assert_int_equal(errors.count, 3);
}

static void an_unknown_member_is_an_error_with_the_nearest_name(void **state)
{
	(void)state;
	assert_wrong("{\"clientt\":\"192.0.2.7\",\"tls\":{\"versoin\":\"x\"},\"tls.bits\":1}",
		(const char *const[]){"no member \"clientt\"; nearest: client",
			"no member \"tls.versoin\"; nearest: tls.version", "no member \"tls.bits\"",
			NULL});
}

static void a_wrong_type_is_an_error_with_the_name(void **state)
{
	(void)state;
	assert_wrong("{\"client\":1,\"port\":\"25\",\"helo\":null,\"tls\":true,\"sender\":[],"
		     "\"recipients\":\"a@b\",\"local\":0,\"now\":\"today\",\"dns\":[],\"store\":1,"
		     "\"listener_address\":\"localhost\"}",
		(const char *const[]){": client: expected an IP address",
			": port: expected a number from 0 to 65535",
			": helo: expected a text of one line", ": tls: expected an object",
			": sender: expected a text of one line",
			": recipients: expected a list of texts, at least one",
			": local: expected true or false", ": now: expected a time",
			": dns: expected an object", ": store: expected an object",
			": listener_address: expected \"ADDRESS:PORT\"", NULL});
}

static void values_out_of_range_are_errors(void **state)
{
	static const char *const texts[] = {"{\"port\":65536}", "{\"port\":-1}", "{\"port\":1.5}",
		"{\"recipients\":[]}", "{\"recipients\":[1]}", "{\"client\":\"192.0.2.256\"}",
		"{\"helo\":\"a\\nb\"}", "{\"listener_address\":\"127.0.0.1:65536\"}", "[]", "1"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_wrong(texts[i], (const char *const[]){"expected", NULL});
}

static void what_is_no_json_is_an_error_with_line_and_column(void **state)
{
	(void)state;
	assert_wrong("{\n  \"helo\": ]\n}", (const char *const[]){":2:11: ", NULL});
	assert_wrong("{\"helo\":\"a\",\"helo\":\"b\"}", (const char *const[]){":1:", NULL});
	assert_wrong("", (const char *const[]){":1:0: ", NULL});
}

static void a_recorded_case_is_the_same_when_loaded(void **state)
{
	struct mg_case *again = mg_case_new();
	char *first, *second;

	(void)state;
	write_file("{\"dns\":{\"example.com TXT\":[\"v=spf1 -all\"]},\"store\":{\"a\":{\"b\":1}},"
		   "\"helo\":\"gr\\u00fc\\u00dfe\"}");
	assert_true(mg_case_load(facts, path, &errors));
	assert_true(mg_case_complete(facts, INT64_C(1795520960539112345)));
	assert_int_equal(mg_case_record(facts, path, NULL), 0);
	assert_true(mg_case_load(again, path, &errors));
	assert_true(mg_case_complete(again, 1));
	assert_true(mg_case_now(again) == mg_case_now(facts));
	first = read_file();
	assert_int_equal(mg_case_record(again, path, NULL), 0);
	second = read_file();
	assert_non_null(strstr(first, "v=spf1 -all"));
	assert_string_equal(second, first);
	free(first);
	free(second);
	mg_case_free(again);
}

static void a_case_that_cannot_be_written_is_an_error(void **state)
{
	struct mg_error error = {""};

	(void)state;
	assert_true(mg_case_complete(facts, 0));
	assert_int_equal(mg_case_record(facts, "/nowhere/case.json", &error), -1);
	assert_non_null(strstr(error.text, "/nowhere/case.json: "));
	assert_int_equal(mg_case_record(facts, "/dev/full", &error), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_member_is_taken),
		TEST(what_is_missing_has_its_default),
		TEST(a_client_that_is_given_has_no_name_unless_given),
		TEST(options_go_over_the_file),
		TEST(an_option_that_is_none_of_its_kind_is_an_error),
		TEST(an_unknown_member_is_an_error_with_the_nearest_name),
		TEST(a_wrong_type_is_an_error_with_the_name),
		TEST(values_out_of_range_are_errors),
		TEST(what_is_no_json_is_an_error_with_line_and_column),
		TEST(a_recorded_case_is_the_same_when_loaded),
		TEST(a_case_that_cannot_be_written_is_an_error),
	};
	int descriptor = mkstemp(path), failed;

	if (descriptor < 0)
		return 1;
	close(descriptor);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
