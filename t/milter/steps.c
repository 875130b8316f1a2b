/* SPDX-License-Identifier: ISC */
/* millgate-log through every step of the protocol, and every way to leave it: a message that was
 * accepted is recorded once, every other not at all. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "driver.h"

static const char accepted[] = "message-accepted";

/* Queue ids are never used twice in this program. */
static const char *new_queue_id(void)
{
	static char ids[64][24];
	static unsigned count;
	char *id = ids[count % 64];

	mg_str_format(id, sizeof(ids[0]), "4STEPS%u", ++count);
	return id;
}

static void assert_recorded(const struct driver *driver, const char *queue_id, size_t times)
{
	size_t count = driver_count_events(driver, accepted, queue_id);

	if (count != times)
		fail_msg("%s was recorded %zu times, not %zu", queue_id, count, times);
}

/* A whole message on this connection is accepted and recorded. */
static void assert_message_passes(const struct driver *driver, struct mg_client *client)
{
	const char *queue_id = new_queue_id();
	const struct letter letter = {.queue_id = queue_id};

	assert_int_equal(letter_send(client, &letter), MG_ANSWER_CONTINUE);
	assert_recorded(driver, queue_id, 1);
}

static void assert_session_passes(const struct driver *driver)
{
	struct mg_client *client = driver_connect(driver);

	letter_open(client, &(struct letter){0});
	assert_message_passes(driver, client);
	mg_client_close(client, true);
}

static void a_message_taken_step_by_step_is_recorded_at_its_end(void **state)
{
	struct driver *driver = *state;
	struct mg_client *client = driver_connect(driver);
	const char *queue_id = new_queue_id();

	letter_until(client, LETTER_BODY, queue_id);
	assert_recorded(driver, queue_id, 0);
	assert_int_equal(mg_client_eom(client), MG_ANSWER_CONTINUE);
	assert_recorded(driver, queue_id, 1);
	mg_client_close(client, true);
	assert_recorded(driver, queue_id, 1);
}

static void a_record_has_the_facts_of_client_and_envelope(void **state)
{
	static const char *const recipients[] = {"<one@example.net>", "<two@example.net>", NULL};
	struct driver *driver = *state;
	struct mg_client *client = driver_connect(driver);
	const char *queue_id = new_queue_id();
	const struct letter letter = {.queue_id = queue_id,
		.sender = "<Ann@Example.org>",
		.recipients = recipients,
		.content =
			"From: Ann <ann@example.org>\nSubject: hello\nMessage-ID: <1@x>\n\ntext\n"};
	const json_t *event, *to;
	json_t *events;

	letter_open(client, &letter);
	assert_int_equal(letter_send(client, &letter), MG_ANSWER_CONTINUE);
	mg_client_close(client, true);
	events = driver_events(driver, accepted, queue_id);
	assert_int_equal(json_array_size(events), 1);
	event = json_array_get(events, 0);
	assert_string_equal(driver_text(event, "source.ip"), "203.0.113.5");
	assert_int_equal(json_integer_value(driver_field(event, "source.port")), 39204);
	assert_string_equal(driver_text(event, "millgate.session.key"), "203.0.113.5:39204");
	assert_string_equal(driver_text(event, "millgate.smtp.helo"), "client.example.org");
	assert_string_equal(driver_text(event, "tls.version"), "1.3");
	assert_string_equal(driver_text(event, "email.sender.address"), "Ann@Example.org");
	assert_string_equal(driver_text(event, "email.subject"), "hello");
	assert_string_equal(driver_text(event, "email.message_id"), "1@x");
	to = driver_field(event, "email.to.address");
	assert_int_equal(json_array_size(to), 2);
	assert_string_equal(json_string_value(json_array_get(to, 0)), "one@example.net");
	assert_string_equal(json_string_value(json_array_get(to, 1)), "two@example.net");
	json_decref(events);
}

static void an_abort_at_any_step_records_nothing_and_the_session_goes_on(void **state)
{
	struct driver *driver = *state;

	for (enum letter_step last = LETTER_CONNECT; last < LETTER_EOM; last++) {
		struct mg_client *client = driver_connect(driver);
		const char *queue_id = new_queue_id();

		letter_until(client, last, queue_id);
		mg_client_abort(client);
		assert_message_passes(driver, client);
		assert_recorded(driver, queue_id, 0);
		mg_client_close(client, true);
	}
}

static void a_quit_at_any_step_records_nothing(void **state)
{
	struct driver *driver = *state;

	for (enum letter_step last = LETTER_CONNECT; last < LETTER_EOM; last++) {
		struct mg_client *client = driver_connect(driver);
		const char *queue_id = new_queue_id();

		letter_until(client, last, queue_id);
		mg_client_close(client, true);
		assert_session_passes(driver);
		assert_recorded(driver, queue_id, 0);
	}
}

static void a_connection_cut_at_any_step_records_nothing(void **state)
{
	struct driver *driver = *state;
	int before = driver_descriptors(driver);

	for (enum letter_step last = LETTER_CONNECT; last < LETTER_EOM; last++) {
		struct mg_client *client = driver_connect(driver);
		const char *queue_id = new_queue_id();

		letter_until(client, last, queue_id);
		mg_client_close(client, false);
		assert_session_passes(driver);
		assert_recorded(driver, queue_id, 0);
	}
	assert_true(driver_wait_descriptors(driver, before));
}

static void each_of_several_messages_on_a_connection_is_recorded(void **state)
{
	struct driver *driver = *state;
	struct mg_client *client = driver_connect(driver);

	letter_open(client, &(struct letter){0});
	for (int i = 0; i < 20; i++)
		assert_message_passes(driver, client);
	mg_client_close(client, true);
}

static void an_abort_after_the_end_of_message_means_nothing(void **state)
{
	struct driver *driver = *state;
	struct mg_client *client = driver_connect(driver);
	const char *queue_id = new_queue_id();

	letter_until(client, LETTER_EOM, queue_id);
	mg_client_abort(client);
	mg_client_abort(client);
	assert_message_passes(driver, client);
	mg_client_abort(client);
	mg_client_close(client, true);
	assert_recorded(driver, queue_id, 1);
}

static void a_new_ehlo_ends_the_message_and_renews_the_name(void **state)
{
	struct driver *driver = *state;
	struct mg_client *client = driver_connect(driver);
	const char *lost = new_queue_id(), *queue_id = new_queue_id();
	const struct letter letter = {.queue_id = queue_id};
	json_t *events;

	letter_until(client, LETTER_RCPT, lost);
	mg_client_abort(client);
	mg_client_helo(client, "second.example.org");
	assert_int_equal(letter_send(client, &letter), MG_ANSWER_CONTINUE);
	mg_client_close(client, true);
	assert_recorded(driver, lost, 0);
	events = driver_events(driver, accepted, queue_id);
	assert_int_equal(json_array_size(events), 1);
	assert_string_equal(
		driver_text(json_array_get(events, 0), "millgate.smtp.helo"), "second.example.org");
	json_decref(events);
}

static void a_mail_without_abort_begins_a_new_message(void **state)
{
	struct driver *driver = *state;

	for (enum letter_step last = LETTER_MAIL; last < LETTER_DATA; last++) {
		struct mg_client *client = driver_connect(driver);
		const char *lost = new_queue_id(), *queue_id = new_queue_id();

		letter_until(client, last, lost);
		letter_until_again(client, LETTER_EOM, queue_id);
		mg_client_close(client, true);
		assert_recorded(driver, lost, 0);
		assert_recorded(driver, queue_id, 1);
	}
}

/* libmilter ends such a connection, another engine may answer; neither must record or crash. */
static void steps_in_a_forbidden_order_record_nothing_and_harm_nobody(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
	} orders[] = {
#define BYTES(text) {(text), sizeof(text) - 1}
		BYTES("\0\0\0\1E"),
		BYTES("\0\0\0\1N\0\0\0\1E"),
		BYTES("\0\0\0\3Bxx\0\0\0\1E"),
		BYTES("\0\0\0\5La\0b\0\0\0\0\1E"),
		BYTES("\0\0\0\1T\0\0\0\1E"),
		BYTES("\0\0\0\4R<>\0\0\0\0\1E"),
		BYTES("\0\0\0\4M<>\0\0\0\0\1E"),
		BYTES("\0\0\0\3Hx\0\0\0\0\4M<>\0\0\0\0\3Hx\0\0\0\0\1E"),
		BYTES("\0\0\0\1M"),
		BYTES("\0\0\0\1R"),
		BYTES("\0\0\0\1H"),
		BYTES("\0\0\0\1C"),
		BYTES("\0\0\0\1D"),
		BYTES("\0\0\0\4M<>x\0\0\0\3Rxx"),
		BYTES("\0\0\0\5Dxj\0\0"),
		BYTES("\0\0\0\1Z"),
		BYTES("\0\0\0\1A\0\0\0\1A\0\0\0\1A"),
#undef BYTES
	};
	struct driver *driver = *state;
	size_t before = driver_count_events(driver, accepted, NULL);
	int descriptors = driver_descriptors(driver);

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct mg_client *client = driver_connect(driver);

		mg_client_raw(client, orders[i].bytes, orders[i].length);
		mg_client_close(client, true);
	}
	assert_true(driver_wait_descriptors(driver, descriptors));
	assert_int_equal(driver_count_events(driver, accepted, NULL), before);
	assert_session_passes(driver);
}

enum { THREADS = 8, MESSAGES = 25 };

struct parallel {
	const struct driver *driver;
	unsigned number;
	unsigned accepted;
};

static void *send_many(void *context)
{
	struct parallel *parallel = context;
	struct mg_client *client =
		mg_client_open(&parallel->driver->endpoint, 0, 0, GENEROUS, NULL);
	char queue_id[32];
	const struct letter letter = {.queue_id = queue_id};

	if (client == NULL)
		return NULL;
	mg_client_connect(client, "client.example.org", "203.0.113.5", 39204, '4');
	mg_client_helo(client, "client.example.org");
	for (unsigned i = 0; i < MESSAGES; i++) {
		const char *sender = "<a@example.org>", *recipient = "<b@example.net>";
		const struct mg_client_macro macro = {"i", letter.queue_id};

		mg_str_format(queue_id, sizeof(queue_id), "4PAR%uX%u", parallel->number, i);
		mg_client_macros(client, NULL, 0);
		mg_client_mail(client, &sender, 1);
		mg_client_rcpt(client, &recipient, 1);
		mg_client_macros(client, &macro, 1);
		mg_client_data(client);
		if (mg_client_message(client, "A: b\n\nx\n", 8, 0) == MG_ANSWER_CONTINUE)
			parallel->accepted++;
	}
	mg_client_close(client, true);
	return NULL;
}

static void parallel_sessions_are_recorded_each_message_once(void **state)
{
	struct driver *driver = *state;
	struct parallel parallel[THREADS];
	pthread_t threads[THREADS];
	char queue_id[32];

	for (unsigned i = 0; i < THREADS; i++) {
		parallel[i] = (struct parallel){.driver = driver, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, send_many, &parallel[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(parallel[i].accepted, MESSAGES);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		for (unsigned j = 0; j < MESSAGES; j++) {
			mg_str_format(queue_id, sizeof(queue_id), "4PAR%uX%u", i, j);
			assert_recorded(driver, queue_id, 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_taken_step_by_step_is_recorded_at_its_end),
		cmocka_unit_test(a_record_has_the_facts_of_client_and_envelope),
		cmocka_unit_test(an_abort_at_any_step_records_nothing_and_the_session_goes_on),
		cmocka_unit_test(a_quit_at_any_step_records_nothing),
		cmocka_unit_test(a_connection_cut_at_any_step_records_nothing),
		cmocka_unit_test(each_of_several_messages_on_a_connection_is_recorded),
		cmocka_unit_test(an_abort_after_the_end_of_message_means_nothing),
		cmocka_unit_test(a_new_ehlo_ends_the_message_and_renews_the_name),
		cmocka_unit_test(a_mail_without_abort_begins_a_new_message),
		cmocka_unit_test(steps_in_a_forbidden_order_record_nothing_and_harm_nobody),
		cmocka_unit_test(parallel_sessions_are_recorded_each_message_once),
	};

	return cmocka_run_group_tests(tests, driver_setup_log, driver_teardown);
}
