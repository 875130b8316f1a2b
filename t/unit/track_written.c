/* SPDX-License-Identifier: ISC */
/* Ids of events that are in the log already. */
#include "track/written.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

enum { MANY = 50000 };

static void add(struct track_written *set, const char *id)
{
	assert_true(track_written_room(set));
	track_written_add(set, id);
}

static void make_id(char id[37], unsigned number)
{
	snprintf(id, 37, "01a20d63-981d-7b1e-9d3c-5a7e%08x", number);
}

static void an_id_is_there_once_it_was_added(void **state)
{
	struct track_written set = {0};

	(void)state;
	assert_false(track_written_has(&set, "01a20d63-981d-7b1e-9d3c-5a7e5d0e11f2"));
	add(&set, "01a20d63-981d-7b1e-9d3c-5a7e5d0e11f2");
	add(&set, "01a20d63-981d-7b1e-9d3c-5a7e5d0e11f2");
	assert_true(track_written_has(&set, "01a20d63-981d-7b1e-9d3c-5a7e5d0e11f2"));
	assert_false(track_written_has(&set, "01a20d63-981d-7b1e-9d3c-5a7e5d0e11f3"));
	assert_int_equal(set.count, 1);
	track_written_free(&set);
}

static void many_are_all_there_and_no_others(void **state)
{
	struct track_written set = {0};
	char id[37];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		make_id(id, 2 * i);
		add(&set, id);
	}
	assert_int_equal(set.count, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		make_id(id, 2 * i);
		assert_true(track_written_has(&set, id));
		make_id(id, 2 * i + 1);
		assert_false(track_written_has(&set, id));
	}
	track_written_clear(&set);
	assert_int_equal(set.count, 0);
	assert_false(track_written_has(&set, "01a20d63-981d-7b1e-9d3c-5a7e00000000"));
	track_written_free(&set);
}

static void what_is_no_uuid_is_never_there(void **state)
{
	static const char *const wrong[] = {"", "01a20d63", "01a20d63-981d-7b1e-9d3c-5a7e5d0e11f",
		"01a20d63-981d-7b1e-9d3c-5a7e5d0e11f22", "01A20D63-981d-7b1e-9d3c-5a7e5d0e11f2",
		"01a20d63x981d-7b1e-9d3c-5a7e5d0e11f2", "01a20d63-981d-7b1e-9d3c-5a7e5d0e11fg",
		"00000000-0000-0000-0000-000000000000"};
	struct track_written set = {0};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		add(&set, wrong[i]);
		assert_false(track_written_has(&set, wrong[i]));
	}
	assert_int_equal(set.count, 0);
	track_written_free(&set);
}

static void the_time_of_an_id_is_its_first_48_bits(void **state)
{
	(void)state;
	assert_int_equal(
		track_written_time("00000000-0001-7b1e-9d3c-5a7e5d0e11f2"), MG_MILLISECOND);
	assert_int_equal(track_written_time("01a20d63-981d-7b1e-9d3c-5a7e5d0e11f2"),
		INT64_C(0x01a20d63981d) * MG_MILLISECOND);
	assert_int_equal(track_written_time("ffffffff-ffff-7b1e-9d3c-5a7e5d0e11f2"), 0);
	assert_int_equal(track_written_time("no id"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_there_once_it_was_added),
		cmocka_unit_test(many_are_all_there_and_no_others),
		cmocka_unit_test(what_is_no_uuid_is_never_there),
		cmocka_unit_test(the_time_of_an_id_is_its_first_48_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
