/* SPDX-License-Identifier: ISC */
/* What a filter decides, as the SMTP client sees it: millgate-probe decides by names and by the
 * fields X-Probe of the message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "driver.h"

static int setup(void **state)
{
	static struct driver driver;

	driver_start(&driver, "millgate-probe", "");
	*state = &driver;
	return 0;
}

static void assert_answer(const struct mg_client *client, enum mg_answer got, enum mg_answer answer,
	const char *reply)
{
	if (got != answer || strcmp(mg_client_reply(client), reply) != 0)
		fail_msg("answered %d \"%s\" %s, not %d \"%s\"", got, mg_client_reply(client),
			mg_client_error(client), answer, reply);
}

static void a_session_can_be_refused_at_connect_and_helo(void **state)
{
	static const struct {
		const char *client_name, *helo;
		enum mg_answer answer;
		const char *reply;
	} cases[] = {
		{"reject-connect", NULL, MG_ANSWER_REJECT,
			"550 5.7.1 Probe at connect 100% [probe 00000000]"},
		{"tempfail-connect", NULL, MG_ANSWER_TEMPFAIL, "451 4.7.1 Try again later"},
		{NULL, "reject-helo", MG_ANSWER_REJECT,
			"550 5.7.1 Probe at helo 100% [probe 00000000]"},
		{NULL, "tempfail-helo", MG_ANSWER_TEMPFAIL, "451 4.7.1 Try again later"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct letter letter = {
			.client_name = cases[i].client_name, .helo = cases[i].helo};
		struct mg_client *client = driver_connect(*state);

		assert_answer(
			client, letter_open(client, &letter), cases[i].answer, cases[i].reply);
		mg_client_close(client, true);
	}
}

/* Postfix takes no discard there. */
static void a_session_is_never_answered_discard(void **state)
{
	static const struct letter letters[] = {
		{.client_name = "discard-connect"}, {.helo = "discard-helo"}};

	for (size_t i = 0; i < 2; i++) {
		struct mg_client *client = driver_connect(*state);
		enum mg_answer answer = letter_open(client, &letters[i]);

		if (answer == MG_ANSWER_LOST || answer == MG_ANSWER_DISCARD)
			fail_msg("%d %s", answer, mg_client_error(client));
		mg_client_close(client, true);
	}
}

static void a_filter_that_accepts_at_a_step_has_seen_enough(void **state)
{
	static const char *const recipients[] = {"<accept-rcpt@example.net>", NULL};
	static const struct letter letters[] = {
		{.client_name = "accept-connect", .queue_id = "4ACCEPT0"},
		{.helo = "accept-helo", .queue_id = "4ACCEPT1"},
		{.sender = "<accept-mail@example.org>", .queue_id = "4ACCEPT2"},
		{.recipients = recipients, .queue_id = "4ACCEPT3"},
		{.content = "X-Probe: accept\n\nx\n", .queue_id = "4ACCEPT4"},
	};

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		struct mg_client *client = driver_connect(*state);

		assert_answer(client, letter_open(client, &letters[i]), MG_ANSWER_CONTINUE, "");
		enum mg_answer answer = letter_send(client, &letters[i]);
		assert_true(answer == MG_ANSWER_CONTINUE || answer == MG_ANSWER_ACCEPT);
		mg_client_close(client, true);
	}
}

static void a_sender_can_be_refused_deferred_or_discarded(void **state)
{
	static const struct {
		const char *sender;
		enum mg_answer answer;
		const char *reply;
	} cases[] = {
		{"<reject-mail@example.org>", MG_ANSWER_REJECT,
			"550 5.7.1 Probe at mail 100% [probe 00000000]"},
		{"<tempfail-mail@example.org>", MG_ANSWER_TEMPFAIL, "451 4.7.1 Try again later"},
		{"<discard-mail@example.org>", MG_ANSWER_DISCARD, ""},
	};
	struct mg_client *client = driver_connect(*state);

	letter_open(client, &(struct letter){0});
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct letter letter = {.sender = cases[i].sender, .queue_id = "4REFUSED"};

		assert_answer(
			client, letter_send(client, &letter), cases[i].answer, cases[i].reply);
	}
	assert_answer(client, letter_send(client, &(struct letter){.queue_id = "4AFTERMAIL"}),
		MG_ANSWER_CONTINUE, "");
	mg_client_close(client, true);
	assert_int_equal(driver_count_events(*state, "message-passed", "4REFUSED"), 0);
	assert_int_equal(driver_count_events(*state, "message-passed", "4AFTERMAIL"), 1);
}

static void a_refused_recipient_leaves_the_others(void **state)
{
	static const char *const recipients[] = {"<one@example.net>", "<reject-rcpt@example.net>",
		"<tempfail-rcpt@example.net>", "<two@example.net>", NULL};
	static const enum mg_answer answers[] = {
		MG_ANSWER_CONTINUE, MG_ANSWER_REJECT, MG_ANSWER_TEMPFAIL, MG_ANSWER_CONTINUE};
	static const char *const sender[] = {"<sender@example.org>"};
	struct mg_client *client = driver_connect(*state);

	letter_open(client, &(struct letter){0});
	assert_int_equal(mg_client_mail(client, sender, 1), MG_ANSWER_CONTINUE);
	for (size_t i = 0; recipients[i] != NULL; i++)
		assert_int_equal(mg_client_rcpt(client, &recipients[i], 1), answers[i]);
	mg_client_data(client);
	assert_answer(
		client, mg_client_message(client, "A: b\n\nx\n", 8, 0), MG_ANSWER_CONTINUE, "");
	mg_client_close(client, true);
}

static void a_message_can_be_refused_at_its_end_with_any_text(void **state)
{
	static const struct {
		const char *content;
		enum mg_answer answer;
		const char *reply;
	} cases[] = {
		{"X-Probe: reject 550 5.7.1 No [code 12345678]\n\n", MG_ANSWER_REJECT,
			"550 5.7.1 No [code 12345678]"},
		{"X-Probe: reject 554 5.7.10 100% of %s %n %% %\n\n", MG_ANSWER_REJECT,
			"554 5.7.10 100% of %s %n %% %"},
		{"X-Probe: tempfail 451 4.7.5 Later, 50%\n\n", MG_ANSWER_TEMPFAIL,
			"451 4.7.5 Later, 50%"},
		{"X-Probe: reject 550 No enhanced code\n\n", MG_ANSWER_REJECT,
			"550 No enhanced code"},
		{"X-Probe: reject\n\n", MG_ANSWER_REJECT, "550 5.7.1 Message refused"},
		{"X-Probe: tempfail\n\n", MG_ANSWER_TEMPFAIL, "451 4.7.1 Try again later"},
		{"X-Probe: discard\n\n", MG_ANSWER_DISCARD, ""},
	};
	struct mg_client *client = driver_connect(*state);

	letter_open(client, &(struct letter){0});
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_answer(client,
			letter_send(client, &(struct letter){.content = cases[i].content}),
			cases[i].answer, cases[i].reply);
	assert_answer(client, letter_send(client, &(struct letter){0}), MG_ANSWER_CONTINUE, "");
	mg_client_close(client, true);
}

/* Whatever the filter says, it is a refusal of the right kind and no failure of the MTA. */
static void a_malformed_reply_still_refuses(void **state)
{
	static const struct {
		const char *content;
		enum mg_answer answer;
	} cases[] = {
		{"X-Probe: reject nonsense\n\n", MG_ANSWER_REJECT},
		{"X-Probe: reject 550\n\n", MG_ANSWER_REJECT},
		{"X-Probe: reject 250 2.0.0 Fine\n\n", MG_ANSWER_REJECT},
		{"X-Probe: reject 450 4.7.1 Later\n\n", MG_ANSWER_REJECT},
		{"X-Probe: reject 550 4.7.1 Mixed\n\n", MG_ANSWER_REJECT},
		{"X-Probe: tempfail 550 5.7.1 Never\n\n", MG_ANSWER_TEMPFAIL},
		{"X-Probe: tempfail 4\n\n", MG_ANSWER_TEMPFAIL},
	};
	struct mg_client *client = driver_connect(*state);

	letter_open(client, &(struct letter){0});
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum mg_answer answer =
			letter_send(client, &(struct letter){.content = cases[i].content});

		if (answer != cases[i].answer)
			fail_msg("%s: answered %d, not %d: %s", cases[i].content, answer,
				cases[i].answer, mg_client_error(client));
	}
	mg_client_close(client, true);
}

static void an_overlong_reply_is_cut_not_lost(void **state)
{
	struct mg_client *client = driver_connect(*state);
	const char *reply;
	size_t length;

	letter_open(client, &(struct letter){0});
	assert_int_equal(
		letter_send(client, &(struct letter){.content = "X-Probe: long-reply\n\nx\n"}),
		MG_ANSWER_REJECT);
	reply = mg_client_reply(client);
	assert_int_equal(strncmp(reply, "550 5.7.1 %%%%", 14), 0);
	length = strlen(reply);
	assert_true(length > 400);
	assert_int_equal(strspn(reply + 10, "%"), length - 10);
	mg_client_close(client, true);
}

static void a_null_sender_by_smtp_can_be_refused(void **state)
{
	struct mg_client *client = driver_connect(*state);

	letter_open(client, &(struct letter){0});
	assert_int_equal(letter_send(client, &(struct letter){.sender = "<>",
						     .content = "X-Probe: reject\n\n"}),
		MG_ANSWER_REJECT);
	mg_client_close(client, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_can_be_refused_at_connect_and_helo),
		cmocka_unit_test(a_session_is_never_answered_discard),
		cmocka_unit_test(a_filter_that_accepts_at_a_step_has_seen_enough),
		cmocka_unit_test(a_sender_can_be_refused_deferred_or_discarded),
		cmocka_unit_test(a_refused_recipient_leaves_the_others),
		cmocka_unit_test(a_message_can_be_refused_at_its_end_with_any_text),
		cmocka_unit_test(a_malformed_reply_still_refuses),
		cmocka_unit_test(an_overlong_reply_is_cut_not_lost),
		cmocka_unit_test(a_null_sender_by_smtp_can_be_refused),
	};

	return cmocka_run_group_tests(tests, setup, driver_teardown);
}
