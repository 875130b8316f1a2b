/* SPDX-License-Identifier: ISC */
#include "event/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "keys_plain.h"

static void expect_keys(const char *line, const char *expected)
{
	struct mg_buf found = {0};

	assert_true(keys_scanned(line, strlen(line), &found));
	assert_string_equal(mg_buf_text(&found), expected);
	mg_buf_free(&found);
}

/* Both ways give the same. */
static void expect_same(const char *line, size_t length)
{
	struct mg_buf plain = {0}, scanned = {0};

	if (keys_plain(line, length, &plain)) {
		if (!keys_scanned(line, length, &scanned))
			fail_msg("not read: %s", line);
		assert_int_equal(scanned.length, plain.length);
		if (plain.length > 0)
			assert_memory_equal(scanned.data, plain.data, plain.length);
	}
	mg_buf_free(&plain);
	mg_buf_free(&scanned);
}

static const char whole[] =
	"{\"@timestamp\":\"2026-11-24T11:49:20.539112Z\",\"ecs\":{\"version\":\"8.11.0\"},"
	"\"trace\":{\"id\":\"5f0c\"},\"email\":{\"local_id\":\"4jYh\",\"message_id\":\"m@a.example\","
	"\"subject\":\"\\\"trace\\\":{\\\"id\\\":\\\"x\\\"}\",\"sender\":{\"address\":\"S@a.example\"},"
	"\"to\":{\"address\":[\"ann@b.example\",\"\\\"q \\\\ \\u00e4\\ud83d\\ude00\\/\\\"@b.example\"]},"
	"\"from\":{\"address\":[]},\"attachments\":[{\"file\":{\"name\":\"}]\\\"\"}}]},"
	"\"millgate\":{\"session\":{\"key\":\"192.0.2.1:2\",\"traces\":[\"t1\",\"t2\"]},"
	"\"header\":{\"to\":[\"h@b.example\"],\"cc\":[\"c@b.example\"],\"x\":{\"to\":\"no\"}},"
	"\"delivery\":{\"recipient\":\"r@b.example\",\"orig_recipient\":\"o@b.example\",\"delay_s\":1.5},"
	"\"link\":{\"parent\":\"p\",\"child\":\"c\",\"relation\":\"no\"}},"
	"\"event\":{\"id\":\"01a20d63-981d-7b1e-9d3c-5a7e5d0e11f2\",\"sequence\":4711,\"hash\":\"00\"}}";

static void each_kind_of_key_is_found(void **state)
{
	(void)state;
	expect_keys(whole,
		"0 1 c\n0 1 p\n0 11 192.0.2.1:2\n0 11 m@a.example\n0 2 t1\n0 2 t2\n0 4 4jYh\n"
		"0 4 5f0c\n1 11 S@a.example\n1 11 c@b.example\n1 11 h@b.example\n"
		"1 11 o@b.example\n1 11 r@b.example\n1 13 ann@b.example\n"
		"1 23 \"q \\ \xc3\xa4\xf0\x9f\x98\x80/\"@b.example\n1 8 5d0e11f2\n");
	expect_same(whole, strlen(whole));
}

static void what_stands_elsewhere_is_no_key(void **state)
{
	(void)state;
	expect_keys(
		"{\"id\":\"a\",\"trace\":\"b\",\"email\":[{\"local_id\":\"c\"}],"
		"\"x\":{\"trace\":{\"id\":\"d\"}},\"event\":{\"id\":{\"id\":\"e\"}},"
		"\"millgate\":{\"trace\":{\"id\":\"f\"},\"session\":{\"traces\":[[\"g\"],{\"h\":\"i\"}]}}}",
		"");
}

static void values_that_are_no_texts_are_no_keys(void **state)
{
	(void)state;
	expect_keys("{\"trace\":{\"id\":12},\"email\":{\"local_id\":null,\"message_id\":\"\","
		    "\"to\":{\"address\":[1,\"a\",true,{},\"b\",[]]}}}",
		"1 1 a\n1 1 b\n");
}

static void blanks_and_escaped_names_change_nothing(void **state)
{
	static const char line[] =
		" { \"tr\\u0061ce\" :\t{ \"id\" : \"a\" } , \"email\" : { \"to\" : {"
		" \"address\" : [ \"b\" , \"c\" ] } } } ";

	(void)state;
	expect_keys(line, "0 1 a\n1 1 b\n1 1 c\n");
	expect_same(line, strlen(line));
}

static void a_nul_in_a_text_is_part_of_it(void **state)
{
	static const char line[] = "{\"trace\":{\"id\":\"a\\u0000b\"}}";

	(void)state;
	expect_same(line, strlen(line));
}

static bool take_one(void *context, const char *text, size_t length, bool fold)
{
	(void)text;
	(void)length;
	(void)fold;
	return ++*(int *)context < 2;
}

static void the_caller_can_end_it(void **state)
{
	struct mg_buf scratch = {0};
	int count = 0;

	(void)state;
	assert_true(mg_keys_each(whole, strlen(whole), &scratch, take_one, &count));
	assert_int_equal(count, 2);
	mg_buf_free(&scratch);
}

static void a_line_that_is_cut_anywhere_is_read_no_further(void **state)
{
	struct mg_buf found = {0};
	char cut[sizeof whole];

	(void)state;
	for (size_t length = 0; length < strlen(whole); length++) {
		/* Behind the end stands something else. */
		memset(cut, '"', sizeof cut);
		memcpy(cut, whole, length);
		assert_false(keys_scanned(cut, length, &found));
	}
	mg_buf_free(&found);
}

static void a_line_that_is_changed_anywhere_has_the_keys_that_a_parser_finds(void **state)
{
	static const char others[] = "\"\\{}[],: 0u";
	char changed[sizeof whole];

	(void)state;
	for (size_t at = 0; at < strlen(whole); at++)
		for (size_t i = 0; i < sizeof others - 1; i++) {
			memcpy(changed, whole, sizeof whole);
			changed[at] = others[i];
			expect_same(changed, strlen(whole));
		}
}

static void what_is_no_object_has_no_keys(void **state)
{
	static const char *const lines[] = {"", "[]", "\"trace\"", "1", "x{}", "{\"trace\"",
		"{\"trace\":{\"id\":\"\\ud800\"}}", "{\"trace\":{\"id\":\"\\u00g0\"}}",
		"{\"trace\":{\"id\":\"\\x\"}}", "{trace:{}}", "{\"trace\" {}}", "{\"a\":1,}"};
	struct mg_buf found = {0};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (keys_scanned(lines[i], strlen(lines[i]), &found) || found.length > 0)
			fail_msg("%s", lines[i]);
	mg_buf_free(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_key_is_found),
		cmocka_unit_test(what_stands_elsewhere_is_no_key),
		cmocka_unit_test(values_that_are_no_texts_are_no_keys),
		cmocka_unit_test(blanks_and_escaped_names_change_nothing),
		cmocka_unit_test(a_nul_in_a_text_is_part_of_it),
		cmocka_unit_test(the_caller_can_end_it),
		cmocka_unit_test(a_line_that_is_cut_anywhere_is_read_no_further),
		cmocka_unit_test(a_line_that_is_changed_anywhere_has_the_keys_that_a_parser_finds),
		cmocka_unit_test(what_is_no_object_has_no_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
