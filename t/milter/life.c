/* SPDX-License-Identifier: ISC */
/* The begin and the end of a daemon, seen from its socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "driver.h"

static void an_end_asked_for_at_once_is_an_orderly_one(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct driver driver;

		driver_start(&driver, "millgate-probe", "");
		driver_stop(&driver);
	}
}

static void an_end_right_after_a_message_is_an_orderly_one(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct driver driver;
		struct mg_client *client;

		driver_start(&driver, "millgate-probe", "");
		client = driver_connect(&driver);
		letter_open(client, &(struct letter){0});
		assert_int_equal(letter_send(client, &(struct letter){0}), MG_ANSWER_CONTINUE);
		mg_client_close(client, true);
		driver_stop(&driver);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_asked_for_at_once_is_an_orderly_one),
		cmocka_unit_test(an_end_right_after_a_message_is_an_orderly_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
