/* SPDX-License-Identifier: ISC */
#include "event/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char line[] =
	"{\"@timestamp\":\"2026-11-24T11:49:20.539112Z\",\"email\":{\"local_id\":\"4jYh\","
	"\"to\":{\"address\":[\"ann@example.com\",\"bob@example.com\"]},\"cut\":\"a\\u0000b\","
	"\"attachments\":[{\"file\":{\"name\":\"q3.pdf\",\"size\":64329}},{\"file\":{\"name\":"
	"\"\\u00e4\\n.csv\",\"hash\":{\"sha256\":\"2fab\"}}}]},\"none\":null,\"list\":[],"
	"\"delay\":1.25,\"whole\":-9223372036854775808,\"yes\":true,\"no\":false,\"first\":[7,8]}";

static struct mg_reading *read_line(void)
{
	struct mg_reading *reading = mg_reading_new(line, strlen(line));

	assert_non_null(reading);
	return reading;
}

static void a_text_is_found_by_its_dotted_name(void **state)
{
	struct mg_reading *reading = read_line();

	(void)state;
	assert_string_equal(mg_reading_text(reading, "email.local_id"), "4jYh");
	assert_string_equal(mg_reading_text(reading, "email.to.address"), "ann@example.com");
	assert_string_equal(
		mg_reading_text_at(reading, "email.to.address", 1, NULL), "bob@example.com");
	mg_reading_free(reading);
}

static void what_is_not_there_is_empty(void **state)
{
	static const char *const names[] = {"", ".", "email", "email.", "email.local",
		"email.local_id.x", "none", "none.x", "list", "delay", "yes", "email.attachments",
		"email..local_id"};
	struct mg_reading *reading = read_line();
	int64_t number;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_string_equal(mg_reading_text(reading, names[i]), "");
		assert_false(mg_reading_number(reading, names[i], &number));
		assert_false(mg_reading_time(reading, names[i], &number));
	}
	assert_string_equal(mg_reading_text_at(reading, "email.to.address", 2, NULL), "");
	assert_string_equal(mg_reading_text_at(reading, "email.to.address", 0, "file.name"), "");
	assert_string_equal(mg_reading_text_at(reading, "email.local_id", 1, NULL), "");
	mg_reading_free(reading);
}

static void a_text_with_a_nul_in_it_is_none(void **state)
{
	struct mg_reading *reading = read_line();

	(void)state;
	assert_string_equal(mg_reading_text(reading, "email.cut"), "");
	mg_reading_free(reading);
}

static void values_are_counted(void **state)
{
	struct mg_reading *reading = read_line();

	(void)state;
	assert_int_equal(mg_reading_count(reading, "email.to.address"), 2);
	assert_int_equal(mg_reading_count(reading, "email.attachments"), 2);
	assert_int_equal(mg_reading_count(reading, "email.local_id"), 1);
	assert_int_equal(mg_reading_count(reading, "list"), 0);
	assert_int_equal(mg_reading_count(reading, "none"), 0);
	assert_int_equal(mg_reading_count(reading, "nothing"), 0);
	mg_reading_free(reading);
}

static void members_of_a_list_of_objects_are_read(void **state)
{
	struct mg_reading *reading = read_line();
	int64_t size = 0;

	(void)state;
	assert_string_equal(
		mg_reading_text_at(reading, "email.attachments", 0, "file.name"), "q3.pdf");
	assert_string_equal(
		mg_reading_text_at(reading, "email.attachments", 1, "file.name"), "\xc3\xa4\n.csv");
	assert_string_equal(
		mg_reading_text_at(reading, "email.attachments", 1, "file.hash.sha256"), "2fab");
	assert_true(mg_reading_number_at(reading, "email.attachments", 0, "file.size", &size));
	assert_int_equal(size, 64329);
	assert_false(mg_reading_number_at(reading, "email.attachments", 1, "file.size", &size));
	mg_reading_free(reading);
}

static void numbers_booleans_and_times_are_read(void **state)
{
	struct mg_reading *reading = read_line();
	int64_t number = 0;

	(void)state;
	assert_true(mg_reading_number(reading, "whole", &number));
	assert_true(number == INT64_MIN);
	assert_true(mg_reading_number(reading, "first", &number));
	assert_int_equal(number, 7);
	assert_true(mg_reading_number_at(reading, "first", 1, NULL, &number));
	assert_int_equal(number, 8);
	assert_float_equal(mg_reading_float(reading, "delay", 0), 1.25, 0);
	assert_float_equal(mg_reading_float(reading, "first", 0), 7, 0);
	assert_float_equal(mg_reading_float(reading, "email", -1), -1, 0);
	assert_true(mg_reading_bool(reading, "yes"));
	assert_false(mg_reading_bool(reading, "no"));
	assert_false(mg_reading_bool(reading, "whole"));
	assert_false(mg_reading_bool(reading, "nothing"));
	assert_true(mg_reading_time(reading, "@timestamp", &number));
	assert_true(number == INT64_C(1795520960539112000));
	mg_reading_free(reading);
}

static void what_is_no_object_is_no_reading(void **state)
{
	static const char *const lines[] = {"", "x", "[1]", "\"text\"", "1", "null", "{", "{}x",
		"{\"a\":1e999}", "{\"a\":99999999999999999999}", "{\"a\":\"\xff\"}",
		"{\"a\":\"\n\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_null(mg_reading_new(lines[i], strlen(lines[i])));
	mg_reading_free(NULL);
}

static void a_line_of_nothing_but_brackets_ends_nothing(void **state)
{
	enum { DEEP = 256 * 1024 };
	char *deep = malloc(DEEP);

	(void)state;
	assert_non_null(deep);
	memset(deep, '[', DEEP);
	memcpy(deep, "{\"a\":", 5);
	assert_null(mg_reading_new(deep, DEEP));
	free(deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_found_by_its_dotted_name),
		cmocka_unit_test(what_is_not_there_is_empty),
		cmocka_unit_test(a_text_with_a_nul_in_it_is_none),
		cmocka_unit_test(values_are_counted),
		cmocka_unit_test(members_of_a_list_of_objects_are_read),
		cmocka_unit_test(numbers_booleans_and_times_are_read),
		cmocka_unit_test(what_is_no_object_is_no_reading),
		cmocka_unit_test(a_line_of_nothing_but_brackets_ends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
