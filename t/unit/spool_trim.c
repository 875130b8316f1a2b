/* SPDX-License-Identifier: ISC */
/* Which of its oldest segments a log removes, and when. */
#include "event/spool_trim.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event/cursor.h"
#include "spool_place.h"

#define FIRST_SEALED "log-00000000000000000001.jsonl"
#define FIRST_INDEX "log-00000000000000000001.idx"

static int set_up(void **state)
{
	static struct spool_place place;

	place_make(&place);
	*state = &place;
	return 0;
}

static int tear_down(void **state)
{
	place_remove(*state);
	return 0;
}

static void write_cursor(const struct spool_place *place, uint64_t sequence)
{
	struct mg_cursor cursor = {.sequence = sequence};
	char path[256];

	snprintf(path, sizeof path, "%s/log.siem.cursor", place->directory);
	assert_int_equal(mg_cursor_write(path, &cursor, NULL), 0);
}

static void the_oldest_segments_go_while_the_log_is_over_keep(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_report report;
	struct mg_spool_state now;
	struct mg_spool *spool;

	place->settings.segment_bytes = 1000;
	place->settings.keep_bytes = 5000;
	spool = place_open(place);
	for (int i = 0; i < 200; i++)
		place_append(spool, "0123456789012345678901234567890123456789");
	mg_spool_state(spool, &now);
	assert_true(now.bytes <= 5000 + 2000);
	assert_true(now.segments >= 4);
	assert_int_equal(now.lost, 0);
	assert_false(place_has(place, FIRST_SEALED));
	mg_spool_close(spool);
	/* What is left is whole. */
	assert_int_equal(place_verify(place, &report), 0);
	assert_true(report.first > 100);
	assert_int_equal(report.files, now.segments);
	assert_int_equal(report.lost, 0);
}

static void an_index_goes_with_its_segment(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool *spool;

	place->settings.segment_bytes = 500;
	place->settings.keep_bytes = 1500;
	spool = place_open(place);
	while (!place_has(place, FIRST_SEALED))
		place_append(spool, "x");
	assert_int_equal(mg_spool_tick(spool, NULL), 0);
	assert_true(place_has(place, FIRST_INDEX));
	while (place_has(place, FIRST_SEALED))
		place_append(spool, "x");
	assert_false(place_has(place, FIRST_INDEX));
	mg_spool_close(spool);
}

static void segments_older_than_keep_age_go(void **state)
{
	struct spool_place *place = *state;
	struct still_clock clock;
	struct mg_spool *spool;
	struct mg_spool_state now;

	place->settings.segment_bytes = 500;
	place->settings.keep_age = 90 * 86400 * MG_SECOND;
	still_clock_set(&clock, mg_clock_system.utc(&mg_clock_system));
	spool = mg_spool_open(&place->settings, &clock.clock, place_compose, NULL, NULL);
	for (int i = 0; i < 20; i++)
		place_append(spool, "x");
	assert_true(place_has(place, FIRST_SEALED));
	/* The files' own times are those of the machine. */
	clock.utc += 91 * 86400 * MG_SECOND;
	assert_int_equal(mg_spool_tick(spool, NULL), 0);
	mg_spool_state(spool, &now);
	assert_int_equal(now.segments, 1);
	assert_false(place_has(place, FIRST_SEALED));
	mg_spool_close(spool);
}

static void what_a_sink_has_not_had_is_kept_over_keep(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool *spool;

	place->settings.segment_bytes = 1000;
	place->settings.keep_bytes = 3000;
	spool = place_open(place);
	write_cursor(place, 0);
	for (int i = 0; i < 100; i++)
		place_append(spool, "x");
	assert_true(place_has(place, FIRST_SEALED));
	write_cursor(place, 90);
	for (int i = 0; i < 10; i++)
		place_append(spool, "x");
	assert_false(place_has(place, FIRST_SEALED));
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, NULL), 0);
}

/* Whether a record of the log has that text. */
static bool log_has(const struct spool_place *place, const char *text)
{
	struct mg_spool_reader *reader = mg_spool_reader_open(place->directory, "log", 0, NULL);
	struct mg_record record;
	bool has = false;

	while (!has && mg_spool_reader_next(reader, &record, NULL) > 0)
		has = strstr(record.line, text) != NULL;
	mg_spool_reader_close(reader);
	return has;
}

static void over_the_hard_limit_unsent_records_go_and_their_range_is_told(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_report report;
	struct mg_spool_state now;
	struct mg_spool *spool;
	char expected[64];

	place->settings.segment_bytes = 1000;
	place->settings.keep_bytes = 3000;
	place->settings.hard_limit_bytes = 6000;
	spool = place_open(place);
	write_cursor(place, 3);
	for (int i = 0; i < 300; i++)
		place_append(spool, "x");
	mg_spool_state(spool, &now);
	assert_true(now.bytes <= 6000 + 2000);
	assert_true(now.lost > 100);
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, &report), 0);
	assert_true(report.lost > 0);
	snprintf(expected, sizeof expected, "\"last\":%" PRIu64 "}", report.first - 1);
	assert_true(log_has(place, expected));
}

static void new_limits_hold_from_the_next_rotation(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_state now;
	struct mg_spool *spool;

	place->settings.segment_bytes = 500;
	spool = place_open(place);
	for (int i = 0; i < 40; i++)
		place_append(spool, "x");
	mg_spool_state(spool, &now);
	assert_true(now.segments > 5);
	place->settings.keep_bytes = 1;
	mg_spool_set(spool, &place->settings);
	for (int i = 0; i < 10; i++)
		place_append(spool, "x");
	mg_spool_state(spool, &now);
	assert_int_equal(now.segments, 1);
	mg_spool_close(spool);
}

#define TRIM_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRIM_TEST(the_oldest_segments_go_while_the_log_is_over_keep),
		TRIM_TEST(an_index_goes_with_its_segment),
		TRIM_TEST(segments_older_than_keep_age_go),
		TRIM_TEST(what_a_sink_has_not_had_is_kept_over_keep),
		TRIM_TEST(over_the_hard_limit_unsent_records_go_and_their_range_is_told),
		TRIM_TEST(new_limits_hold_from_the_next_rotation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
