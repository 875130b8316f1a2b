/* SPDX-License-Identifier: ISC */
#include "track/stamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static struct track_stamp stamp;

static int64_t utc_of(const char *text)
{
	int64_t utc;

	assert_true(mg_clock_parse(text, &utc));
	return utc;
}

static void live_in(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
	memset(&stamp, 0, sizeof stamp);
}

static struct track_heading read_at(const char *line, const char *now)
{
	struct track_heading heading;

	track_stamp_read(&stamp, line, strlen(line), utc_of(now), &heading);
	return heading;
}

/* line is read at now as of the time utc. */
static void assert_time(const char *line, const char *now, const char *utc)
{
	char text[32], expected[32];

	mg_clock_format(text, sizeof text, read_at(line, now).utc);
	mg_clock_format(expected, sizeof expected, utc_of(utc));
	assert_string_equal(text, expected);
}

static void assert_text(const char *text, size_t length, const char *expected)
{
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(text, expected, length);
}

#define CONNECT " mx postfix/smtpd[4711]: connect from x"

static void a_line_has_time_program_pid_and_text(void **state)
{
	struct track_heading heading;

	(void)state;
	live_in("UTC");
	heading = read_at("Nov 25 09:01:02 mx postfix/submission/smtpd[4711]: connect from a[::1]",
		"2026-11-25T09:01:03Z");
	assert_true(heading.utc == utc_of("2026-11-25T09:01:02Z"));
	assert_text(heading.identifier, heading.identifier_length, "postfix/submission/smtpd");
	assert_int_equal(heading.pid, 4711);
	assert_text(heading.text, heading.length, "connect from a[::1]");
	assert_int_equal(heading.repeated, 0);
}

static void a_stamp_of_rfc_3339_has_its_own_zone_and_fraction(void **state)
{
	struct track_heading heading;

	(void)state;
	live_in("America/New_York");
	heading = read_at("2026-11-25T10:01:02.539112+01:00" CONNECT, "2026-11-25T09:01:03Z");
	assert_true(heading.utc == utc_of("2026-11-25T09:01:02.539112Z"));
	assert_text(heading.identifier, heading.identifier_length, "postfix/smtpd");
	assert_time("2026-11-25T09:01:02Z" CONNECT, "2030-01-01T00:00:00Z", "2026-11-25T09:01:02Z");
	assert_time("2026-11-25T09:01:02.5-09:30" CONNECT, "2030-01-01T00:00:00Z",
		"2026-11-25T18:31:02.5Z");
	assert_time("2016-12-31T23:59:60.123456789+00:00" CONNECT, "2030-01-01T00:00:00Z",
		"2017-01-01T00:00:00.123456Z");
}

static void a_stamp_without_zone_is_local_time(void **state)
{
	(void)state;
	live_in("Europe/Berlin");
	assert_time("Nov 25 09:01:02" CONNECT, "2026-11-25T09:00:00Z", "2026-11-25T08:01:02Z");
	assert_time("Jul  5 09:01:02" CONNECT, "2026-11-25T09:00:00Z", "2026-07-05T07:01:02Z");
	live_in("Asia/Kolkata");
	assert_time("Nov 25 09:01:02" CONNECT, "2026-11-25T09:00:00Z", "2026-11-25T03:31:02Z");
	live_in("America/St_Johns");
	assert_time("Nov 25 09:01:02" CONNECT, "2026-11-25T13:00:00Z", "2026-11-25T12:31:02Z");
}

static void the_year_of_a_line_is_the_last_in_which_it_can_be_written(void **state)
{
	(void)state;
	live_in("UTC");
	assert_time("Dec 31 23:59:59" CONNECT, "2027-01-01T00:00:05Z", "2026-12-31T23:59:59Z");
	assert_time("Jan  1 00:00:01" CONNECT, "2027-01-01T00:00:05Z", "2027-01-01T00:00:01Z");
	/* Two thirds of a year old. */
	assert_time("Mar  1 12:00:00" CONNECT, "2026-11-25T09:00:00Z", "2026-03-01T12:00:00Z");
	assert_time("Dec 24 12:00:00" CONNECT, "2026-11-25T09:00:00Z", "2025-12-24T12:00:00Z");
}

static void a_clock_that_is_a_bit_ahead_is_believed(void **state)
{
	(void)state;
	live_in("UTC");
	assert_time("Jan  1 00:00:01" CONNECT, "2026-12-31T23:59:50Z", "2027-01-01T00:00:01Z");
	assert_time("Nov 27 09:00:00" CONNECT, "2026-11-25T09:00:00Z", "2026-11-27T09:00:00Z");
}

static void a_29th_of_february_is_of_a_leap_year(void **state)
{
	(void)state;
	live_in("UTC");
	assert_time("Feb 29 09:00:00" CONNECT, "2028-02-29T09:00:01Z", "2028-02-29T09:00:00Z");
	live_in("UTC");
	assert_time("Feb 29 09:00:00" CONNECT, "2029-01-10T09:00:01Z", "2028-02-29T09:00:00Z");
	live_in("UTC");
	assert_time("Feb 29 09:00:00" CONNECT, "2026-11-25T09:00:01Z", "2024-02-29T09:00:00Z");
}

static void the_hour_that_comes_twice_goes_on_from_the_line_before(void **state)
{
	const char *later = "2026-10-26T00:00:00Z";

	(void)state;
	live_in("Europe/Berlin");
	/* 2026-10-25: 03:00 CEST is 02:00 CET. */
	assert_time("Oct 25 01:59:59" CONNECT, later, "2026-10-24T23:59:59Z");
	assert_time("Oct 25 02:30:00" CONNECT, later, "2026-10-25T00:30:00Z");
	assert_time("Oct 25 02:59:58" CONNECT, later, "2026-10-25T00:59:58Z");
	assert_time("Oct 25 02:00:01" CONNECT, later, "2026-10-25T01:00:01Z");
	assert_time("Oct 25 02:30:00" CONNECT, later, "2026-10-25T01:30:00Z");
	assert_time("Oct 25 03:00:00" CONNECT, later, "2026-10-25T02:00:00Z");
}

static void the_hour_that_comes_twice_is_the_present_one(void **state)
{
	(void)state;
	live_in("Europe/Berlin");
	assert_time("Oct 25 02:10:00" CONNECT, "2026-10-25T00:10:01Z", "2026-10-25T00:10:00Z");
	/* Nothing was logged in between. */
	assert_time("Oct 25 02:20:00" CONNECT, "2026-10-25T01:20:01Z", "2026-10-25T01:20:00Z");
	memset(&stamp, 0, sizeof stamp);
	assert_time("Oct 25 02:20:00" CONNECT, "2026-10-25T01:20:01Z", "2026-10-25T01:20:00Z");
}

static void the_hour_that_is_left_out_is_read_all_the_same(void **state)
{
	(void)state;
	live_in("Europe/Berlin");
	/* 2026-03-29: 02:00 CET is 03:00 CEST; a clock that was not set shows 02:30. */
	assert_time("Mar 29 02:30:00" CONNECT, "2026-03-29T01:31:00Z", "2026-03-29T01:30:00Z");
	assert_time("Mar 29 03:00:00" CONNECT, "2026-03-29T01:31:00Z", "2026-03-29T01:00:00Z");
}

static void a_line_of_the_same_minute_is_of_its_second(void **state)
{
	(void)state;
	live_in("UTC");
	for (int second = 0; second < 60; second++) {
		char line[64], expected[32];

		snprintf(line, sizeof line, "Nov 25 09:01:%02d" CONNECT, second);
		snprintf(expected, sizeof expected, "2026-11-25T09:01:%02dZ", second);
		assert_time(line, "2026-11-25T09:02:00Z", expected);
	}
}

static void a_line_without_a_stamp_is_of_the_time_of_the_line_before(void **state)
{
	static const char *const lines[] = {"", "x", "Nov 25", "Nov 25 09:01:02",
		"Nov 32 09:01:02 a b: c", "Foo 25 09:01:02 a b: c",
		"Nov 25 24:01:02 a b: c", "Nov 25 09:61:02 a b: c", "Nov 25 09:01:61 a b: c",
		"Feb 30 09:01:02 a b: c", "2026-13-25T09:01:02Z a b: c",
		"2026-11-25T09:01:02 a b: c", "2026-11-25 a b: c"};
	struct track_heading heading;

	(void)state;
	live_in("UTC");
	assert_true(
		read_at("\tgoes on", "2026-11-25T09:02:00Z").utc == utc_of("2026-11-25T09:02:00Z"));
	read_at("Nov 25 09:00:00" CONNECT, "2026-11-25T09:02:00Z");
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		heading = read_at(lines[i], "2026-11-25T09:02:00Z");
		assert_true(heading.utc == utc_of("2026-11-25T09:00:00Z"));
		assert_int_equal(heading.identifier_length, 0);
		assert_text(heading.text, heading.length, lines[i]);
	}
}

static void a_tag_ends_at_its_colon(void **state)
{
	static const struct {
		const char *line, *identifier;
		uint32_t pid;
		const char *text;
	} cases[] = {
		{"postfix/qmgr[1]: A: removed", "postfix/qmgr", 1, "A: removed"},
		{"postfix/qmgr: A: removed", "postfix/qmgr", 0, "A: removed"},
		{"postfix/qmgr[1]:A", "postfix/qmgr", 1, "A"},
		{"postfix/qmgr[1]:  A", "postfix/qmgr", 1, " A"},
		{"postfix/qmgr[1]:", "postfix/qmgr", 1, ""},
		{"postfix/qmgr[4294967295]: x", "postfix/qmgr", UINT32_MAX, "x"},
		{"postfix/qmgr[4294967296]: x", "", 0, "postfix/qmgr[4294967296]: x"},
		{"postfix/qmgr[]: x", "", 0, "postfix/qmgr[]: x"},
		{"postfix/qmgr[1] x", "", 0, "postfix/qmgr[1] x"},
		{"two words: x", "", 0, "two words: x"},
		{": x", "", 0, ": x"},
		{"", "", 0, ""},
	};

	(void)state;
	live_in("UTC");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char line[128];
		struct track_heading heading;

		snprintf(line, sizeof line, "Nov 25 09:01:02 mx %s", cases[i].line);
		heading = read_at(line, "2026-11-25T09:02:00Z");
		assert_text(heading.identifier, heading.identifier_length, cases[i].identifier);
		assert_int_equal(heading.pid, cases[i].pid);
		assert_text(heading.text, heading.length, cases[i].text);
	}
}

static void bytes_stay_as_they_are(void **state)
{
	static const char line[] = "Nov 25 09:01:02 mx postfix/smtpd[1]: a\0b\xff\x01#011c";
	struct track_heading heading;

	(void)state;
	live_in("UTC");
	track_stamp_read(&stamp, line, sizeof line - 1, utc_of("2026-11-25T09:02:00Z"), &heading);
	assert_int_equal(heading.length, 10);
	assert_memory_equal(heading.text, "a\0b\xff\x01#011c", 10);
}

static void a_repeated_line_of_syslogd_means_the_line_before(void **state)
{
	struct track_heading heading;

	(void)state;
	live_in("UTC");
	heading =
		read_at("Nov 25 09:01:02 mx last message repeated 3 times", "2026-11-25T09:02:00Z");
	assert_int_equal(heading.repeated, 3);
	assert_true(heading.before);
	heading = read_at(
		"Nov 25 09:01:02 mx last message repeated 3 times more", "2026-11-25T09:02:00Z");
	assert_int_equal(heading.repeated, 0);
	/* A program says so: it is what it says. */
	heading = read_at(
		"Nov 25 09:01:02 mx x: last message repeated 3 times", "2026-11-25T09:02:00Z");
	assert_int_equal(heading.repeated, 0);
}

static void a_repeated_line_of_rsyslog_has_its_text(void **state)
{
	struct track_heading heading;

	(void)state;
	live_in("UTC");
	heading = read_at("Nov 25 09:01:02 mx postfix/smtpd[7]: message repeated 2 times: [ lost "
			  "connection from a[1.2.3.4]]",
		"2026-11-25T09:02:00Z");
	assert_int_equal(heading.repeated, 2);
	assert_false(heading.before);
	assert_false(heading.cut);
	assert_int_equal(heading.pid, 7);
	assert_text(heading.text, heading.length, "lost connection from a[1.2.3.4]");
}

static void a_repeated_line_that_rsyslog_cut_says_so(void **state)
{
	char line[1200], text[801];
	struct track_heading heading;

	(void)state;
	live_in("UTC");
	memset(text, 'x', 800);
	text[0] = ' ';
	text[800] = '\0';
	snprintf(line, sizeof line,
		"Nov 25 09:01:02 mx postfix/smtpd[7]: message repeated 2 times: [%s]", text);
	heading = read_at(line, "2026-11-25T09:02:00Z");
	assert_int_equal(heading.repeated, 2);
	assert_true(heading.cut);
	assert_int_equal(heading.length, 799);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_program_pid_and_text),
		cmocka_unit_test(a_stamp_of_rfc_3339_has_its_own_zone_and_fraction),
		cmocka_unit_test(a_stamp_without_zone_is_local_time),
		cmocka_unit_test(the_year_of_a_line_is_the_last_in_which_it_can_be_written),
		cmocka_unit_test(a_clock_that_is_a_bit_ahead_is_believed),
		cmocka_unit_test(a_29th_of_february_is_of_a_leap_year),
		cmocka_unit_test(the_hour_that_comes_twice_goes_on_from_the_line_before),
		cmocka_unit_test(the_hour_that_comes_twice_is_the_present_one),
		cmocka_unit_test(the_hour_that_is_left_out_is_read_all_the_same),
		cmocka_unit_test(a_line_of_the_same_minute_is_of_its_second),
		cmocka_unit_test(a_line_without_a_stamp_is_of_the_time_of_the_line_before),
		cmocka_unit_test(a_tag_ends_at_its_colon),
		cmocka_unit_test(bytes_stay_as_they_are),
		cmocka_unit_test(a_repeated_line_of_syslogd_means_the_line_before),
		cmocka_unit_test(a_repeated_line_of_rsyslog_has_its_text),
		cmocka_unit_test(a_repeated_line_that_rsyslog_cut_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
