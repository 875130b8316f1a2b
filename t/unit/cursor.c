/* SPDX-License-Identifier: ISC */
#include "event/cursor.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool_place.h"

static struct spool_place place;
static char path[256];

static int set_up(void **state)
{
	(void)state;
	place_make(&place);
	snprintf(path, sizeof path, "%s/log.siem.cursor", place.directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove(&place);
	return 0;
}

static void write_at(uint64_t sequence)
{
	struct mg_cursor cursor = {
		.sequence = sequence, .offset = 10 * sequence, .file = "log.jsonl"};
	struct mg_error error;

	if (mg_cursor_write(path, &cursor, &error) != 0)
		fail_msg("%s", error.text);
}

static uint64_t read_sequence(void)
{
	struct mg_cursor cursor;

	assert_int_equal(mg_cursor_read(path, &cursor, NULL), 1);
	assert_int_equal(cursor.offset, 10 * cursor.sequence);
	assert_string_equal(cursor.file, "log.jsonl");
	return cursor.sequence;
}

static void a_cursor_that_was_never_written_is_not_there(void **state)
{
	struct mg_cursor cursor;

	(void)state;
	assert_int_equal(mg_cursor_read(path, &cursor, NULL), 0);
}

static void what_was_written_last_is_read(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 10; i++) {
		write_at(i);
		assert_int_equal(read_sequence(), i);
	}
	/* Also when it goes back. */
	write_at(3);
	assert_int_equal(read_sequence(), 3);
}

static void a_damaged_slot_leaves_the_one_before(void **state)
{
	size_t length;
	char *bytes;

	(void)state;
	write_at(1);
	write_at(2);
	bytes = place_read(&place, "log.siem.cursor", &length);
	for (size_t i = 0; i < length; i++) {
		uint64_t sequence;

		bytes[i] ^= 1;
		place_write(&place, "log.siem.cursor", bytes, length);
		sequence = read_sequence();
		assert_true(sequence == 1 || sequence == 2);
		/* The next is written over the damage, not over what is left. */
		write_at(7);
		assert_int_equal(read_sequence(), 7);
		bytes[i] ^= 1;
	}
	free(bytes);
}

static void a_write_cut_short_at_any_byte_leaves_a_good_slot(void **state)
{
	size_t length, old_length;
	char *old, *new;

	(void)state;
	write_at(1);
	write_at(2);
	old = place_read(&place, "log.siem.cursor", &old_length);
	write_at(3);
	new = place_read(&place, "log.siem.cursor", &length);
	assert_int_equal(length, old_length);
	for (size_t done = 0; done <= length; done++) {
		uint64_t sequence;

		memcpy(old, new, done);
		place_write(&place, "log.siem.cursor", old, length);
		sequence = read_sequence();
		assert_true(sequence == 2 || sequence == 3);
	}
	free(new);
	free(old);
}

static void two_damaged_slots_are_an_error(void **state)
{
	struct mg_cursor cursor;
	struct mg_error error = {""};

	(void)state;
	place_write(&place, "log.siem.cursor", "rubbish", 7);
	assert_int_equal(mg_cursor_read(path, &cursor, &error), -1);
	assert_non_null(strstr(error.text, "log.siem.cursor: damaged, both slots"));
	write_at(5);
	assert_int_equal(read_sequence(), 5);
}

static void the_lowest_is_of_the_cursors_of_this_log(void **state)
{
	uint64_t sequence;

	(void)state;
	assert_int_equal(mg_cursor_lowest(place.directory, "log", &sequence, NULL), 0);
	assert_true(sequence == UINT64_MAX);
	write_at(20);
	snprintf(path, sizeof path, "%s/log.archive.cursor", place.directory);
	write_at(10);
	snprintf(path, sizeof path, "%s/dkim.siem.cursor", place.directory);
	write_at(1);
	snprintf(path, sizeof path, "%s/log-2.siem.cursor", place.directory);
	write_at(1);
	place_write(&place, "log.cursor", "no sink", 7);
	assert_int_equal(mg_cursor_lowest(place.directory, "log", &sequence, NULL), 0);
	assert_int_equal(sequence, 10);
}

static void a_damaged_cursor_makes_the_lowest_unknown(void **state)
{
	struct mg_error error = {""};
	uint64_t sequence;

	(void)state;
	place_write(&place, "log.siem.cursor", "rubbish", 7);
	assert_int_equal(mg_cursor_lowest(place.directory, "log", &sequence, &error), -1);
	assert_non_null(strstr(error.text, "log.siem.cursor"));
	assert_int_equal(mg_cursor_lowest("/nonexistent/millgate", "log", &sequence, &error), -1);
}

#define CURSOR_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CURSOR_TEST(a_cursor_that_was_never_written_is_not_there),
		CURSOR_TEST(what_was_written_last_is_read),
		CURSOR_TEST(a_damaged_slot_leaves_the_one_before),
		CURSOR_TEST(a_write_cut_short_at_any_byte_leaves_a_good_slot),
		CURSOR_TEST(two_damaged_slots_are_an_error),
		CURSOR_TEST(the_lowest_is_of_the_cursors_of_this_log),
		CURSOR_TEST(a_damaged_cursor_makes_the_lowest_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
