/* SPDX-License-Identifier: ISC */
#include "event/logs.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spool_place.h"

#define BEGIN (INT64_C(1795564800) * MG_SECOND) /* 2026-11-25T00:00:00Z */

static struct spool_place place;
static struct still_clock now;

static int set_up(void **state)
{
	(void)state;
	place_make(&place);
	still_clock_set(&now, BEGIN);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove(&place);
	return 0;
}

/* The first record of a file has the time of the clock, as a daemon's has. */
static char *compose(void *context, const struct mg_spool_note *note)
{
	char *document = NULL, time[32];

	(void)context;
	mg_clock_format(time, sizeof time, now.utc);
	if (asprintf(&document,
		    "{\"@timestamp\":\"%s\",\"millgate\":{\"log\":{\"previous_hash\":\"%s\"}},"
		    "\"event\":{\"action\":\"log-opened\",\"reason\":\"%s\"",
		    time, note->previous_hash, note->reason) < 0)
		return NULL;
	return document;
}

static struct mg_spool *open_log(const char *name)
{
	struct mg_spool *spool;

	place.settings.name = name;
	spool = mg_spool_open(&place.settings, &now.clock, compose, NULL, NULL);
	assert_non_null(spool);
	return spool;
}

/* An event `second` seconds after the begin. */
static void append_now(struct mg_spool *spool, int second, const char *what)
{
	char document[512], time[32];
	int length;

	mg_clock_format(time, sizeof time, BEGIN + second * MG_SECOND);
	length = snprintf(document, sizeof document,
		"{\"@timestamp\":\"%s\",\"event\":{\"action\":\"test\",\"reason\":\"%s\"", time,
		what);
	assert_int_not_equal(mg_spool_append(spool, document, (size_t)length, NULL), 0);
}

/* The same, when it is, too. */
static void append(struct mg_spool *spool, int second, const char *what)
{
	now.utc = BEGIN + second * MG_SECOND;
	append_now(spool, second, what);
}

static struct mg_logs *open_logs(const char *name, int since)
{
	struct mg_error error = {""};
	struct mg_logs *logs =
		mg_logs_open(place.directory, name, BEGIN + since * MG_SECOND, &error);

	if (logs == NULL)
		fail_msg("%s", error.text);
	return logs;
}

/* What there is, but log-opened: "a b c " */
static const char *read_all(struct mg_logs *logs)
{
	static char all[4096];
	struct mg_logs_event event;
	size_t length = 0;
	int got;

	all[0] = '\0';
	while ((got = mg_logs_next(logs, &event, NULL)) > 0) {
		const char *reason = strstr(event.line, "\"reason\":\"") + strlen("\"reason\":\"");

		assert_int_equal(strlen(event.line), event.length);
		if (strstr(event.line, "log-opened") == NULL)
			length += (size_t)snprintf(all + length, sizeof all - length, "%.*s ",
				(int)strcspn(reason, "\""), reason);
	}
	assert_int_equal(got, 0);
	return all;
}

/* Reads all from a time on, once. */
static void expect_since(int since, const char *expected)
{
	struct mg_logs *logs = open_logs(NULL, since);

	assert_string_equal(read_all(logs), expected);
	mg_logs_close(logs);
}

static void events_of_all_logs_come_in_order_of_time(void **state)
{
	struct mg_spool *dkim = open_log("dkim"), *track = open_log("track");

	(void)state;
	append(dkim, 1, "a");
	append(track, 2, "b");
	append(track, 3, "c");
	append(dkim, 4, "d");
	append(dkim, 4, "e");
	append(track, 5, "f");
	mg_spool_close(dkim);
	mg_spool_close(track);
	expect_since(0, "a b c d e f ");
}

static void a_log_that_tells_of_earlier_things_is_not_held_up_by_its_own_begin(void **state)
{
	struct mg_spool *dkim = open_log("dkim"), *track;

	(void)state;
	append(dkim, 1, "a");
	append(dkim, 3, "c");
	now.utc = BEGIN + 100 * MG_SECOND;
	track = open_log("track");
	append_now(track, 2, "b");
	append_now(track, 4, "d");
	mg_spool_close(dkim);
	mg_spool_close(track);
	expect_since(0, "a b c d ");
}

static void what_is_older_is_left_out(void **state)
{
	struct mg_spool *dkim = open_log("dkim");

	(void)state;
	append(dkim, 1, "a");
	append(dkim, 2, "b");
	append(dkim, 3, "c");
	mg_spool_close(dkim);
	expect_since(2, "b c ");
	expect_since(4, "");
}

/* Ten events, each in a file of its own; the last file is open. */
static void make_files(const char *name)
{
	static const char *const words[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
	struct mg_spool *spool;

	place.settings.segment_bytes = 1;
	spool = open_log(name);
	for (int i = 0; i < 10; i++)
		append(spool, i, words[i]);
	mg_spool_close(spool);
	place.settings.segment_bytes = UINT64_C(1) << 40;
}

static void from_each_file_on_all_is_told(void **state)
{
	static const char all[] = "a b c d e f g h i j ";

	(void)state;
	make_files("log");
	for (int since = 0; since <= 10; since++)
		expect_since(since, all + 2 * since);
}

static void files_that_are_older_are_not_read(void **state)
{
	struct mg_spool *spool;

	(void)state;
	place.settings.segment_bytes = 1000;
	spool = open_log("log");
	/* Were its file read, it would be told. */
	append_now(spool, 100, "later");
	for (int i = 1; i < 20; i++)
		append(spool, i, i < 15 ? "a" : "b");
	mg_spool_close(spool);
	place.settings.segment_bytes = UINT64_C(1) << 40;
	expect_since(14, "a b b b b b ");
	expect_since(0, "later a a a a a a a a a a a a a a b b b b b ");
}

static void a_log_is_followed_over_rotation(void **state)
{
	struct mg_logs *logs;
	struct mg_spool *spool;

	(void)state;
	place.settings.segment_bytes = 1000;
	spool = open_log("log");
	append(spool, 1, "a");
	logs = open_logs(NULL, 0);
	assert_string_equal(read_all(logs), "a ");
	assert_string_equal(read_all(logs), "");
	for (int i = 0; i < 20; i++) {
		append(spool, 2 + i, "b");
		append(spool, 2 + i, "c");
		append(spool, 2 + i, "d");
		assert_string_equal(read_all(logs), "b c d ");
	}
	mg_logs_close(logs);
	mg_spool_close(spool);
	place.settings.segment_bytes = UINT64_C(1) << 40;
}

static void a_log_that_is_begun_later_is_seen(void **state)
{
	struct mg_spool *dkim = open_log("dkim"), *track;
	struct mg_logs *all = open_logs(NULL, 0), *one = open_logs("dkim", 0);

	(void)state;
	append(dkim, 1, "a");
	assert_string_equal(read_all(all), "a ");
	track = open_log("track");
	append(track, 2, "b");
	mg_logs_wait(all, MG_SECOND);
	assert_string_equal(read_all(all), "b ");
	mg_logs_wait(one, MG_SECOND);
	assert_string_equal(read_all(one), "a ");
	mg_logs_close(all);
	mg_logs_close(one);
	mg_spool_close(dkim);
	mg_spool_close(track);
}

static void a_wait_ends_when_something_is_written(void **state)
{
	struct mg_spool *spool = open_log("log");
	struct mg_logs *logs = open_logs(NULL, 0);
	int64_t before = mg_clock_system.monotonic(&mg_clock_system);

	(void)state;
	assert_string_equal(read_all(logs), "");
	append(spool, 1, "a");
	mg_logs_wait(logs, 3600 * MG_SECOND);
	assert_true(mg_clock_system.monotonic(&mg_clock_system) - before < 600 * MG_SECOND);
	assert_string_equal(read_all(logs), "a ");
	mg_logs_close(logs);
	mg_spool_close(spool);
}

static void a_damaged_line_is_left_out(void **state)
{
	struct mg_spool *spool = open_log("log");
	size_t length;
	char *file;

	(void)state;
	append(spool, 1, "a");
	append(spool, 2, "b");
	append(spool, 3, "c");
	mg_spool_close(spool);
	file = place_read(&place, "log.jsonl", &length);
	assert_non_null(file);
	*strstr(file, "\"b\"") = '\0';
	place_write(&place, "log.jsonl", file, length);
	free(file);
	expect_since(0, "a c ");
}

static void names_are_those_of_open_and_sealed_files(void **state)
{
	static const char *const files[] = {"dkim.jsonl", "log-00000000000000000001.jsonl",
		"log-00000000000000000001.idx", "log-00000000000000000007.jsonl", "track.torn",
		".hidden.jsonl", ".jsonl", "a-b.jsonl", "-00000000000000000001.jsonl",
		"00000000000000000001.jsonl"};
	static const char *const expected[] = {
		"-00000000000000000001", "00000000000000000001", "a-b", "dkim", "log"};
	struct mg_log_names names;

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		place_write(&place, files[i], "", 0);
	assert_int_equal(mg_log_names_read(place.directory, &names, NULL), 0);
	assert_int_equal(names.count, sizeof expected / sizeof expected[0]);
	for (size_t i = 0; i < names.count; i++)
		assert_string_equal(names.list[i], expected[i]);
	mg_log_names_free(&names);
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
	struct mg_error error = {""};

	(void)state;
	assert_null(mg_logs_open("/nowhere", NULL, 0, &error));
	assert_string_equal(error.text, "/nowhere: No such file or directory");
	assert_null(mg_logs_open("/nowhere", "log", 0, &error));
}

static void a_log_that_is_not_there_is_empty(void **state)
{
	struct mg_logs *logs = open_logs("log", 0);

	(void)state;
	assert_string_equal(read_all(logs), "");
	mg_logs_close(logs);
	expect_since(0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			events_of_all_logs_come_in_order_of_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_log_that_tells_of_earlier_things_is_not_held_up_by_its_own_begin, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(what_is_older_is_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(from_each_file_on_all_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			files_that_are_older_are_not_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_log_is_followed_over_rotation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_log_that_is_begun_later_is_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_wait_ends_when_something_is_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_damaged_line_is_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			names_are_those_of_open_and_sealed_files, set_up, tear_down),
		cmocka_unit_test(a_directory_that_is_not_there_is_an_error),
		cmocka_unit_test_setup_teardown(
			a_log_that_is_not_there_is_empty, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
