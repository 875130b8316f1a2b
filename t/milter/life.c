/* SPDX-License-Identifier: ISC */
/* The begin and the end of a daemon, seen from its socket. */
#include <setjmp.h>
#include <signal.h>
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

/* DATA to the end of a message that had its recipient. */
static void finish(struct mg_client *client, const char *queue_id)
{
	const struct mg_client_macro macro = {"i", queue_id};

	assert_true(mg_client_macros(client, &macro, 1));
	mg_client_data(client);
	if (mg_client_message(client, "A: b\n\nx\n", 8, 0) != MG_ANSWER_CONTINUE)
		fail_msg("%s %s", mg_client_reply(client), mg_client_error(client));
}

static void assert_tag(const struct driver *driver, const char *queue_id, const char *tag)
{
	json_t *events = driver_events(driver, "message-passed", queue_id);

	assert_int_equal(json_array_size(events), 1);
	assert_string_equal(driver_text(json_array_get(events, 0), "event.code"), tag);
	json_decref(events);
}

static void a_message_under_way_ends_on_the_configuration_it_began_with(void **state)
{
	struct driver driver;
	struct mg_client *client;

	(void)state;
	driver_start(&driver, "millgate-probe", "tag = \"one\"");
	client = driver_connect(&driver);
	letter_until(client, LETTER_RCPT, "4BEFORE");
	driver_configure(&driver, "tag = \"two\"");
	kill(driver.pid, SIGUSR1);
	driver_wait_events(&driver, "config-loaded", 2);
	finish(client, "4BEFORE");
	assert_int_equal(
		letter_send(client, &(struct letter){.queue_id = "4AFTER"}), MG_ANSWER_CONTINUE);
	mg_client_close(client, true);
	assert_tag(&driver, "4AFTER", "two");
	assert_tag(&driver, "4BEFORE", "one");
	driver_stop(&driver);
}

static void a_configuration_with_an_error_is_refused_and_the_old_one_stays(void **state)
{
	struct driver driver;
	struct mg_client *client;

	(void)state;
	driver_start(&driver, "millgate-probe", "tag = \"one\"");
	client = driver_connect(&driver);
	letter_open(client, &(struct letter){0});
	driver_configure(&driver, "tag = \"two\"\nno_such_setting = 1");
	kill(driver.pid, SIGUSR1);
	driver_wait_events(&driver, "config-rejected", 1);
	assert_int_equal(
		letter_send(client, &(struct letter){.queue_id = "4STAYS"}), MG_ANSWER_CONTINUE);
	assert_tag(&driver, "4STAYS", "one");
	mg_client_close(client, true);
	/* --verify reads it, too. */
	driver_configure(&driver, "");
	driver_stop(&driver);
}

static void a_message_under_way_at_the_end_is_answered(void **state)
{
	(void)state;
	for (enum letter_step last = LETTER_MAIL; last < LETTER_EOM; last++) {
		struct driver driver;
		struct mg_client *client;

		driver_start(&driver, "millgate-probe", "");
		client = driver_connect(&driver);
		letter_until(client, last, "4UNDERWAY");
		kill(driver.pid, SIGTERM);
		driver_wait_notice(&driver, "STOPPING=1");
		if (last == LETTER_MAIL) {
			const char *recipient = "<recipient@example.net>";

			if (mg_client_rcpt(client, &recipient, 1) != MG_ANSWER_CONTINUE)
				fail_msg("%s", mg_client_error(client));
		}
		mg_client_body(client, "more\r\n", 6);
		if (mg_client_eom(client) != MG_ANSWER_CONTINUE)
			fail_msg("ended after %s: %s", letter_step_names[last],
				mg_client_error(client));
		mg_client_close(client, true);
		assert_int_equal(driver_count_events(&driver, "message-passed", NULL), 1);
		driver_stop(&driver);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_asked_for_at_once_is_an_orderly_one),
		cmocka_unit_test(an_end_right_after_a_message_is_an_orderly_one),
		cmocka_unit_test(a_message_under_way_ends_on_the_configuration_it_began_with),
		cmocka_unit_test(a_configuration_with_an_error_is_refused_and_the_old_one_stays),
		cmocka_unit_test(a_message_under_way_at_the_end_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
