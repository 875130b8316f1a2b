/* SPDX-License-Identifier: ISC */
#include "base/parallel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>

#include <cmocka.h>

enum { THINGS = 10000 };

static void count(void *context, size_t index)
{
	atomic_fetch_add(&((atomic_int *)context)[index], 1);
}

static void each_is_done_once(void **state)
{
	static atomic_int counts[THINGS];

	(void)state;
	mg_parallel(THINGS, count, counts);
	for (size_t i = 0; i < THINGS; i++)
		assert_int_equal(counts[i], 1);
}

static void of_one_or_none_that_is_all(void **state)
{
	atomic_int counts[2] = {0};

	(void)state;
	mg_parallel(0, count, counts);
	assert_int_equal(counts[0], 0);
	mg_parallel(1, count, counts);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_done_once),
		cmocka_unit_test(of_one_or_none_that_is_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
