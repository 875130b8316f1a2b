/* SPDX-License-Identifier: ISC */
/* Messages that cannot be judged: on_error for what a retry may change, on_bound for what it never
 * will; each with its event. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "driver.h"

/* What must come of a message. */
struct outcome {
	enum mg_answer answer;
	const char *reply; /* its begin */
	const char *held; /* reason of the quarantine, "" none */
};

static const struct outcome passes = {MG_ANSWER_CONTINUE, "", ""};

/* Sends the letter on a session of its own; the event filter-error must have code and reason. */
static void assert_outcome(const struct driver *driver, const struct letter *letter,
	const struct outcome *outcome, const char *code, const char *reason)
{
	struct mg_client *client = driver_connect(driver);
	const struct mg_client_edit *edits;
	const char *held = "";
	enum mg_answer answer;
	json_t *events;
	size_t count;

	answer = letter_open(client, letter);
	if (answer == MG_ANSWER_CONTINUE || answer == MG_ANSWER_NONE)
		answer = letter_send(client, letter);
	if (answer != outcome->answer ||
		strncmp(mg_client_reply(client), outcome->reply, strlen(outcome->reply)) != 0)
		fail_msg("answered %d \"%s\" %s", answer, mg_client_reply(client),
			mg_client_error(client));
	edits = mg_client_edits(client, &count);
	for (size_t i = 0; i < count; i++)
		if (edits[i].kind == MG_REPLY_QUARANTINE)
			held = edits[i].value;
	assert_string_equal(held, outcome->held);
	mg_client_close(client, true);
	events = driver_events(driver, "filter-error", letter->queue_id);
	assert_int_equal(json_array_size(events), 1);
	assert_string_equal(driver_text(json_array_get(events, 0), "event.code"), code);
	if (strstr(driver_text(json_array_get(events, 0), "event.reason"), reason) == NULL)
		fail_msg("%s", driver_text(json_array_get(events, 0), "event.reason"));
	json_decref(events);
}

static void run_errors(const char *settings, const struct outcome *outcome)
{
	struct driver driver;

	driver_start(&driver, "millgate-probe", settings);
	assert_outcome(&driver,
		&(struct letter){.queue_id = "4FAIL", .content = "X-Probe: fail on purpose\n\nx\n"},
		outcome, "on-error", "on purpose");
	assert_outcome(&driver,
		&(struct letter){.queue_id = "4ERROR", .content = "X-Probe: error at end\n\nx\n"},
		outcome, "on-error", "at end");
	driver_stop(&driver);
}

static void on_error_tempfail_defers_and_is_the_default(void **state)
{
	const struct outcome outcome = {MG_ANSWER_TEMPFAIL, "451 4.3.0 ", ""};

	(void)state;
	run_errors("", &outcome);
	run_errors("on_error = \"tempfail\"", &outcome);
}

static void on_error_accept_lets_pass(void **state)
{
	(void)state;
	run_errors("on_error = \"accept\"", &passes);
}

static void on_error_reject_refuses(void **state)
{
	const struct outcome outcome = {MG_ANSWER_REJECT, "550 5.3.0 ", ""};

	(void)state;
	run_errors("on_error = \"reject\"", &outcome);
}

static void an_error_at_mail_or_rcpt_is_answered_there(void **state)
{
	static const char *const recipients[] = {"<error-rcpt@example.net>", NULL};
	const struct outcome outcome = {MG_ANSWER_TEMPFAIL, "451 4.3.0 ", ""};
	struct driver driver;

	(void)state;
	driver_start(&driver, "millgate-probe", "");
	{
		struct mg_client *client = driver_connect(&driver);

		letter_open(client, &(struct letter){0});
		assert_int_equal(
			letter_send(client, &(struct letter){.sender = "<error-mail@example.org>"}),
			MG_ANSWER_TEMPFAIL);
		assert_int_equal(letter_send(client, &(struct letter){.recipients = recipients}),
			outcome.answer);
		assert_int_equal(strncmp(mg_client_reply(client), outcome.reply, 10), 0);
		mg_client_abort(client);
		assert_int_equal(letter_send(client, &(struct letter){0}), MG_ANSWER_CONTINUE);
		mg_client_close(client, true);
	}
	assert_int_equal(driver_count_events(&driver, "filter-error", NULL), 2);
	driver_stop(&driver);
}

static void run_bounds(const char *on_bound, const struct outcome *outcome)
{
	static const char *const recipients[] = {
		"<1@example.net>", "<2@example.net>", "<3@example.net>", "<4@example.net>", NULL};
	struct driver driver;
	char settings[256];

	snprintf(
		settings, sizeof(settings), "%s\nbounds { headers = 5  recipients = 3 }", on_bound);
	driver_start(&driver, "millgate-probe", settings);
	assert_outcome(&driver,
		&(struct letter){.queue_id = "4HEADERS",
			.content = "A: 1\nB: 2\nC: 3\nD: 4\nE: 5\nF: 6\n\nx\n"},
		outcome, "over-bound", "bounds.headers");
	assert_outcome(&driver,
		&(struct letter){.queue_id = "4RECIPIENTS", .recipients = recipients}, outcome,
		"over-bound", "bounds.recipients");
	assert_outcome(&driver,
		&(struct letter){.queue_id = "4MEMORY", .content = "X-Probe: alloc 9000000\n\nx\n"},
		outcome, "over-bound", "bounds.message_memory");
	driver_stop(&driver);
}

static void on_bound_reject_refuses_and_is_the_default(void **state)
{
	const struct outcome outcome = {MG_ANSWER_REJECT, "552 5.3.4 ", ""};

	(void)state;
	run_bounds("", &outcome);
	run_bounds("on_bound = \"reject\"", &outcome);
}

static void on_bound_accept_lets_pass(void **state)
{
	(void)state;
	run_bounds("on_bound = \"accept\"", &passes);
}

static void on_bound_hold_holds(void **state)
{
	const struct outcome outcome = {MG_ANSWER_CONTINUE, "", "over-bound"};

	(void)state;
	run_bounds("on_bound = \"hold\"", &outcome);
}

static void a_message_within_its_bounds_is_not_refused(void **state)
{
	struct driver driver;
	struct mg_client *client;

	(void)state;
	driver_start(&driver, "millgate-probe", "bounds { headers = 5 }");
	client = driver_connect(&driver);
	letter_open(client, &(struct letter){0});
	assert_int_equal(
		letter_send(
			client, &(struct letter){.content = "A: 1\nB: 2\nC: 3\nD: 4\nE: 5\n\nx\n"}),
		MG_ANSWER_CONTINUE);
	mg_client_close(client, true);
	assert_int_equal(driver_count_events(&driver, "filter-error", NULL), 0);
	driver_stop(&driver);
}

static void a_message_whose_time_is_used_up_cannot_be_judged(void **state)
{
	const struct outcome outcome = {MG_ANSWER_TEMPFAIL, "451 4.3.0 ", ""};
	struct driver driver;
	struct mg_client *client;

	(void)state;
	driver_start(&driver, "millgate-probe", "message_timeout = \"2s\"");
	assert_outcome(&driver,
		&(struct letter){.queue_id = "4SLOW", .content = "X-Probe: wait 2500\nA: 1\n\nx\n"},
		&outcome, "on-error", "message_timeout");
	/* The next message has its own time. */
	client = driver_connect(&driver);
	letter_open(client, &(struct letter){0});
	assert_int_equal(letter_send(client, &(struct letter){0}), MG_ANSWER_CONTINUE);
	assert_int_equal(
		letter_send(client, &(struct letter){.content = "X-Probe: wait 2500\n\nx\n"}),
		MG_ANSWER_TEMPFAIL);
	assert_int_equal(letter_send(client, &(struct letter){0}), MG_ANSWER_CONTINUE);
	mg_client_close(client, true);
	driver_stop(&driver);
}

static void waiting_for_the_mta_is_not_counted(void **state)
{
	struct driver driver;
	struct mg_client *client;

	(void)state;
	driver_start(&driver, "millgate-probe", "message_timeout = \"2s\"");
	client = driver_connect(&driver);
	letter_until(client, LETTER_RCPT, "4PATIENT");
	poll(NULL, 0, 2500);
	mg_client_data(client);
	assert_int_equal(mg_client_message(client, "A: 1\n\nx\n", 8, 0), MG_ANSWER_CONTINUE);
	mg_client_close(client, true);
	driver_stop(&driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_error_tempfail_defers_and_is_the_default),
		cmocka_unit_test(on_error_accept_lets_pass),
		cmocka_unit_test(on_error_reject_refuses),
		cmocka_unit_test(an_error_at_mail_or_rcpt_is_answered_there),
		cmocka_unit_test(on_bound_reject_refuses_and_is_the_default),
		cmocka_unit_test(on_bound_accept_lets_pass),
		cmocka_unit_test(on_bound_hold_holds),
		cmocka_unit_test(a_message_within_its_bounds_is_not_refused),
		cmocka_unit_test(a_message_whose_time_is_used_up_cannot_be_judged),
		cmocka_unit_test(waiting_for_the_mta_is_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
