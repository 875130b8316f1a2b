/* SPDX-License-Identifier: ISC */
/* Each event of millgate-track is in its log once, whatever happens to the process, the disk and the
 * store. */
#include "track/output.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "mail/fields.h"
#include "spool_place.h"

enum { OVER_TAIL = 21500 /* events: more than are known by their ids */ };

static const char *const tables[] = {"progress", NULL};
static const int64_t begin = INT64_C(1795521058) * MG_SECOND;

struct place {
	struct spool_place spool_place;
	struct mg_spool *spool;
	struct mg_events *events;
	struct mg_service_world world;
	struct mg_store *store;
	struct track_output *output;
	struct mg_store_tx *tx;
};

static void open_store(struct place *place)
{
	const struct mg_store_settings settings = {.url = "memory:", .tables = tables};
	struct mg_error error;

	place->store = mg_store_open(&settings, NULL, &error);
	assert_non_null(place->store);
}

/* A process: its log and its output; the store stays what it is. */
static void begin_process(struct place *place)
{
	static const struct mg_events_identity identity = {
		.program = "millgate-track", .host = "mx1", .version = "1"};
	struct mg_error error;
	struct mg_store_tx *view;

	place->spool = place_open(&place->spool_place);
	place->events = mg_events_new(&identity, NULL, place->spool, &mg_clock_system);
	place->world = (struct mg_service_world){.clock = &mg_clock_system,
		.events = place->events,
		.spool = place->spool,
		.events_directory = place->spool_place.directory,
		.program = "millgate-track"};
	place->output = track_output_new("log", &place->world, 0);
	assert_non_null(place->output);
	view = mg_store_view(place->store, &error);
	assert_int_equal(track_output_load(place->output, view, &error), 0);
	mg_store_end(view);
	assert_int_equal(track_output_read(place->output, &error), 0);
}

static void end_process(struct place *place)
{
	mg_store_end(place->tx);
	place->tx = NULL;
	track_output_free(place->output);
	mg_events_free(place->events);
	mg_spool_close(place->spool);
}

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	place_make(&place->spool_place);
	place->spool_place.settings.written_again = true;
	signal(SIGXFSZ, SIG_IGN);
	open_store(place);
	begin_process(place);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	end_process(place);
	mg_store_close(place->store);
	place_remove(&place->spool_place);
	free(place);
	return 0;
}

/* --- what a process does --- */

static int emit(struct place *place, unsigned number, struct mg_error *error)
{
	char seed[32];

	snprintf(seed, sizeof seed, "line %u", number);
	return track_output_emit(place->output,
		mg_event_new_of(place->events, MG_DELIVERY_SUCCEEDED, begin + number * MG_SECOND,
			seed, strlen(seed)),
		error);
}

/* Events of lines `from` to `to`. */
static void make(struct place *place, unsigned from, unsigned to)
{
	struct mg_error error = {""};

	for (unsigned number = from; number <= to; number++)
		assert_int_equal(emit(place, number, &error), 0);
}

static void commit(struct place *place, bool again, bool end)
{
	struct mg_error error = {""};

	place->tx = mg_store_begin(place->store, &error);
	assert_int_equal(track_output_save(place->output, place->tx, again, end, &error), 0);
	assert_int_equal(mg_store_commit(place->tx, &error), 0);
	place->tx = NULL;
	track_output_kept(place->output, true);
}

/* How often the event of a line is in the log, for all of `count` lines: the sum, and the most. */
static void assert_each_once(struct place *place, unsigned count)
{
	const char *directory = place->spool_place.directory;
	struct mg_spool_reader *reader = mg_spool_reader_open(directory, "log", 0, NULL);
	unsigned *seen = calloc(count + 1, sizeof *seen);
	struct mg_record record;

	while (mg_spool_reader_next(reader, &record, NULL) > 0) {
		int64_t utc = 0;
		char stamp[32];

		if (strstr(record.line, "delivery-succeeded") == NULL)
			continue;
		assert_int_equal(sscanf(record.line, "{\"@timestamp\":\"%27[^\"]", stamp), 1);
		assert_true(mg_clock_parse(stamp, &utc));
		assert_in_range((utc - begin) / MG_SECOND, 1, count);
		seen[(utc - begin) / MG_SECOND]++;
	}
	mg_spool_reader_close(reader);
	for (unsigned number = 1; number <= count; number++)
		assert_int_equal(seen[number], 1);
	free(seen);
}

/* --- crashes --- */

static void what_was_written_before_a_crash_is_not_written_again(void **state)
{
	struct place *place = *state;

	make(place, 1, 5);
	commit(place, true, true);
	make(place, 6, 9);
	end_process(place);
	begin_process(place);
	make(place, 6, 12);
	commit(place, true, true);
	assert_each_once(place, 12);
}

static void changes_may_be_cut_another_way_the_second_time(void **state)
{
	struct place *place = *state;

	make(place, 1, 5);
	commit(place, true, true);
	make(place, 6, 20);
	for (unsigned number = 6; number <= 20; number += 5) {
		end_process(place);
		begin_process(place);
		make(place, number, number + 4);
		commit(place, false, false);
	}
	make(place, 21, 22);
	commit(place, true, true);
	assert_each_once(place, 22);
}

static void a_change_that_fails_is_made_again(void **state)
{
	struct place *place = *state;

	make(place, 1, 5);
	track_output_kept(place->output, false);
	make(place, 1, 6);
	track_output_kept(place->output, false);
	make(place, 1, 7);
	commit(place, true, true);
	assert_each_once(place, 7);
}

static void an_event_that_cannot_be_written_is_written_later(void **state)
{
	struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	struct place *place = *state;
	struct mg_error error = {""};
	struct mg_spool_state now;

	make(place, 1, 2);
	limit.rlim_cur = 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(emit(place, 3, &error), -1);
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_non_null(strstr(error.text, "File too large"));
	track_output_kept(place->output, false);
	make(place, 1, 4);
	commit(place, true, true);
	assert_each_once(place, 4);
	mg_spool_state(place->spool, &now);
	assert_int_equal(now.lost, 0);
}

static void no_memory_for_an_event_is_an_error(void **state)
{
	struct place *place = *state;
	struct mg_error error = {""};

	assert_int_equal(track_output_emit(place->output, NULL, &error), -1);
	assert_string_not_equal(error.text, "");
}

/* --- a lost store --- */

static void lose_store(struct place *place)
{
	end_process(place);
	mg_store_close(place->store);
	open_store(place);
	begin_process(place);
}

static void a_store_that_was_lost_makes_no_event_twice(void **state)
{
	struct place *place = *state;

	make(place, 1, 50);
	commit(place, true, true);
	lose_store(place);
	assert_true(track_output_fills(place->output));
	make(place, 1, 30);
	commit(place, true, false);
	make(place, 31, 60);
	commit(place, true, true);
	assert_false(track_output_fills(place->output));
	assert_each_once(place, 60);
}

static void nor_does_a_crash_while_it_is_filled(void **state)
{
	struct place *place = *state;

	make(place, 1, 50);
	commit(place, true, true);
	lose_store(place);
	make(place, 1, 30);
	commit(place, true, false);
	make(place, 31, 55);
	end_process(place);
	begin_process(place);
	assert_true(track_output_fills(place->output));
	make(place, 31, 70);
	commit(place, true, true);
	assert_each_once(place, 70);
}

static void events_older_than_those_known_by_id_were_written(void **state)
{
	struct place *place = *state;

	make(place, 1, OVER_TAIL);
	commit(place, true, true);
	lose_store(place);
	make(place, 1, OVER_TAIL + 5);
	commit(place, true, true);
	assert_each_once(place, OVER_TAIL + 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_written_before_a_crash_is_not_written_again),
		TEST(changes_may_be_cut_another_way_the_second_time),
		TEST(a_change_that_fails_is_made_again),
		TEST(an_event_that_cannot_be_written_is_written_later),
		TEST(no_memory_for_an_event_is_an_error),
		TEST(a_store_that_was_lost_makes_no_event_twice),
		TEST(nor_does_a_crash_while_it_is_filled),
		TEST(events_older_than_those_known_by_id_were_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
