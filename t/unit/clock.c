/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void a_time_is_rfc_3339_with_microseconds(void **state)
{
	static const struct {
		int64_t utc;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{INT64_C(1795520960539112345), "2026-11-24T11:49:20.539112Z"},
		{INT64_C(1709251199999999999), "2024-02-29T23:59:59.999999Z"},
		{INT64_C(951782400000001000), "2000-02-29T00:00:00.000001Z"},
		{INT64_C(4102444800000000000), "2100-01-01T00:00:00.000000Z"},
		/* before 1970, and both ends of the range */
		{-1, "1969-12-31T23:59:59.999999Z"},
		{-MG_SECOND, "1969-12-31T23:59:59.000000Z"},
		{INT64_MAX, "2262-04-11T23:47:16.854775Z"},
		{INT64_MIN, "1677-09-21T00:12:43.145224Z"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[28];

		mg_clock_format(text, sizeof(text), rows[i].utc);
		assert_string_equal(text, rows[i].text);
	}
}

static void the_time_zone_does_not_matter(void **state)
{
	char text[28];

	(void)state;
	setenv("TZ", "XYZ-05:30", 1); /* NOLINT(concurrency-mt-unsafe): there is one thread */
	tzset();
	mg_clock_format(text, sizeof(text), 0);
	assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
	unsetenv("TZ"); /* NOLINT(concurrency-mt-unsafe): there is one thread */
	tzset();
}

static void the_system_clock_tells_the_time_of_the_system(void **state)
{
	int64_t before = (int64_t)time(NULL), now;

	(void)state;
	now = mg_clock_system.utc(&mg_clock_system) / MG_SECOND;
	/* time(2) may be one tick behind clock_gettime(2). */
	assert_in_range(now, before, (int64_t)time(NULL) + 1);
}

static void the_monotonic_clock_never_goes_back(void **state)
{
	int64_t last = mg_clock_system.monotonic(&mg_clock_system);

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int64_t now = mg_clock_system.monotonic(&mg_clock_system);

		assert_true(now >= last);
		last = now;
	}
}

struct fixed_clock {
	struct mg_clock clock;
	int64_t now;
};

static int64_t fixed_now(const struct mg_clock *clock)
{
	return ((const struct fixed_clock *)clock)->now;
}

static void a_test_brings_its_own_clock(void **state)
{
	struct fixed_clock fixed = {{.utc = fixed_now, .monotonic = fixed_now}, 5 * MG_SECOND};
	const struct mg_clock *clock = &fixed.clock;

	(void)state;
	assert_int_equal(clock->utc(clock), 5 * MG_SECOND);
	fixed.now += 20 * MG_MILLISECOND;
	assert_int_equal(clock->monotonic(clock), 5020 * MG_MILLISECOND);
}

static void a_text_of_rfc_3339_is_a_time(void **state)
{
	static const struct {
		const char *text;
		int64_t utc;
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-11-24T11:49:20.539112Z", INT64_C(1795520960539112000)},
		{"2026-11-24T12:49:20.539112345678+01:00", INT64_C(1795520960539112345)},
		{"2026-11-24t06:19:20-05:30", INT64_C(1795520960000000000)},
		{"2024-02-29 23:59:60z", INT64_C(1709251200000000000)},
	};
	int64_t utc;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!mg_clock_parse(rows[i].text, &utc) || utc != rows[i].utc)
			fail_msg("%s", rows[i].text);
	}
}

static void what_is_no_time_of_rfc_3339_is_none(void **state)
{
	static const char *const texts[] = {"", "now", "2026-11-24", "2026-11-24T11:49:20",
		"2026-11-24T11:49Z", "2026-11-24T11:49:20.Z", "2026-11-24T11:49:20Z ",
		"2026-11-24T11:49:20+01", "2026-11-24T11:49:20+0100", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-00T00:00:00Z",
		"2026-11-24T24:00:00Z", "2026-11-24T11:60:00Z", "2026-11-24T11:49:61Z",
		"1969-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "2026-11-24T11:49:20*01:00",
		"26-11-24T11:49:20Z"};
	int64_t utc;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (mg_clock_parse(texts[i], &utc))
			fail_msg("\"%s\"", texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_rfc_3339_with_microseconds),
		cmocka_unit_test(the_time_zone_does_not_matter),
		cmocka_unit_test(a_text_of_rfc_3339_is_a_time),
		cmocka_unit_test(what_is_no_time_of_rfc_3339_is_none),
		cmocka_unit_test(the_system_clock_tells_the_time_of_the_system),
		cmocka_unit_test(the_monotonic_clock_never_goes_back),
		cmocka_unit_test(a_test_brings_its_own_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
