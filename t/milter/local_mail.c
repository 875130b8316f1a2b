/* SPDX-License-Identifier: ISC */
/* Mail that did not come by SMTP: Postfix tries it again for ever when a recipient is refused, and
 * a bounce when it is refused at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mta_model.h"

static int setup(void **state)
{
	static struct driver driver;

	driver_start(&driver, "millgate-probe", "");
	*state = &driver;
	return 0;
}

/* Every step before the end must be answered as if all was well. */
static enum mg_answer send_local(struct mg_client *client, const struct letter *letter)
{
	static const char content_of_nothing[] = "\n";
	const char *content = letter->content != NULL ? letter->content : content_of_nothing;
	const struct mg_client_macro macros[] = {{"i", letter->queue_id},
		{"{client_addr}", "127.0.0.1"}, {"{client_port}", "0"},
		{"{client_name}", "localhost"}};

	letter_open(client, letter);
	assert_true(mg_client_macros(client, macros, 4));
	assert_int_equal(mg_client_mail(client, &letter->sender, 1), MG_ANSWER_CONTINUE);
	for (size_t i = 0; letter->recipients[i] != NULL; i++)
		assert_int_equal(
			mg_client_rcpt(client, &letter->recipients[i], 1), MG_ANSWER_CONTINUE);
	mg_client_data(client);
	return mg_client_message(client, content, strlen(content), 0);
}

static const char *const one[] = {"one@example.net", NULL};

static void assert_local_answer(const struct driver *driver, const struct letter *letter,
	enum mg_answer expected, const char *reply)
{
	struct mg_client *client = driver_connect(driver);
	enum mg_answer answer = send_local(client, letter);
	size_t count;

	if (answer != expected || strcmp(mg_client_reply(client), reply) != 0)
		fail_msg("answered %d \"%s\" %s", answer, mg_client_reply(client),
			mg_client_error(client));
	mg_client_edits(client, &count);
	assert_int_equal(count, 0);
	mg_client_close(client, true);
}

static void local_mail_is_recognised(void **state)
{
	const struct letter letter = {.local = true,
		.queue_id = "4LOCAL",
		.recipients = one,
		.sender = "root@example.org"};
	json_t *events;

	assert_local_answer(*state, &letter, MG_ANSWER_CONTINUE, "");
	events = driver_events(*state, "message-passed", "4LOCAL");
	assert_int_equal(json_array_size(events), 1);
	assert_true(json_is_true(driver_field(json_array_get(events, 0), "millgate.local")));
	assert_string_equal(
		driver_text(json_array_get(events, 0), "email.sender.address"), "root@example.org");
	json_decref(events);
}

static void a_refused_recipient_is_removed_at_the_end(void **state)
{
	static const char *const recipients[] = {"one@example.net", "reject-rcpt@example.net",
		"discard-rcpt@example.net", "two@example.net", NULL};
	const struct letter letter = {.local = true,
		.queue_id = "4REMOVED",
		.sender = "root@example.org",
		.recipients = recipients,
		.content = "A: 1\n\n"};
	struct mg_client *client = driver_connect(*state);
	struct mta_model *model = mta_model_new(&letter, true);
	const struct mg_client_edit *edits;
	size_t count;

	assert_int_equal(send_local(client, &letter), MG_ANSWER_CONTINUE);
	edits = mg_client_edits(client, &count);
	mta_model_apply(model, edits, count);
	assert_string_equal(mta_model_recipients(model), "one@example.net,two@example.net");
	mta_model_free(model);
	mg_client_close(client, true);
}

static void a_recipient_to_be_tried_again_defers_the_message(void **state)
{
	static const char *const recipients[] = {
		"one@example.net", "tempfail-rcpt@example.net", NULL};
	const struct letter letter = {.local = true,
		.queue_id = "4AGAIN",
		.sender = "root@example.org",
		.recipients = recipients};

	assert_local_answer(*state, &letter, MG_ANSWER_TEMPFAIL, "451 4.7.1 Try again later");
}

static void a_message_whose_recipients_are_all_refused_is_refused_at_its_end(void **state)
{
	static const char *const recipients[] = {
		"reject-rcpt@example.net", "reject-rcpt2@example.net", NULL};
	const struct letter letter = {.local = true,
		.queue_id = "4ALLREFUSED",
		.sender = "root@example.org",
		.recipients = recipients};

	assert_local_answer(
		*state, &letter, MG_ANSWER_REJECT, "550 5.7.1 Probe at rcpt 100% [probe 00000000]");
}

static void a_refusal_at_mail_waits_for_the_end(void **state)
{
	const struct letter rejected = {.local = true,
		.queue_id = "4WAITS1",
		.sender = "reject-mail@example.org",
		.recipients = one};
	const struct letter deferred = {.local = true,
		.queue_id = "4WAITS2",
		.sender = "tempfail-mail@example.org",
		.recipients = one};

	assert_local_answer(*state, &rejected, MG_ANSWER_REJECT,
		"550 5.7.1 Probe at mail 100% [probe 00000000]");
	assert_local_answer(*state, &deferred, MG_ANSWER_TEMPFAIL, "451 4.7.1 Try again later");
}

static void a_message_can_be_refused_at_its_end(void **state)
{
	const struct letter letter = {.local = true,
		.queue_id = "4ATEND",
		.recipients = one,
		.sender = "root@example.org",
		.content = "X-Probe: reject 550 5.7.1 No\n\n"};

	assert_local_answer(*state, &letter, MG_ANSWER_REJECT, "550 5.7.1 No");
}

static void a_null_sender_is_never_refused_deferred_or_discarded(void **state)
{
	static const char *const contents[] = {"X-Probe: reject 550 5.7.1 No\n\n",
		"X-Probe: tempfail 451 4.7.1 No\n\n", "X-Probe: discard\n\n",
		"X-Probe: error x\n\n", "X-Probe: fail x\n\n", "A: 1\n\n"};
	static const char *const refused[] = {"reject-rcpt@example.net", NULL};
	struct letter letter = {
		.local = true, .queue_id = "4NULLSENDER", .sender = "", .recipients = one};

	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		letter.content = contents[i];
		assert_local_answer(*state, &letter, MG_ANSWER_CONTINUE, "");
	}
	letter.recipients = refused;
	assert_local_answer(*state, &letter, MG_ANSWER_CONTINUE, "");
}

static void several_local_messages_on_a_connection_do_not_mix(void **state)
{
	static const char *const refused[] = {"reject-rcpt@example.net", NULL};
	const struct letter bad = {.local = true,
		.queue_id = "4MIX1",
		.recipients = refused,
		.sender = "root@example.org"};
	const struct letter good = {.local = true,
		.queue_id = "4MIX2",
		.recipients = one,
		.sender = "root@example.org",
		.content = "A: 1\n\n"};
	struct mg_client *client = driver_connect(*state);
	size_t count;

	assert_int_equal(send_local(client, &bad), MG_ANSWER_REJECT);
	assert_int_equal(letter_send(client, &good), MG_ANSWER_CONTINUE);
	mg_client_edits(client, &count);
	assert_int_equal(count, 0);
	mg_client_close(client, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_mail_is_recognised),
		cmocka_unit_test(a_refused_recipient_is_removed_at_the_end),
		cmocka_unit_test(a_recipient_to_be_tried_again_defers_the_message),
		cmocka_unit_test(a_message_whose_recipients_are_all_refused_is_refused_at_its_end),
		cmocka_unit_test(a_refusal_at_mail_waits_for_the_end),
		cmocka_unit_test(a_message_can_be_refused_at_its_end),
		cmocka_unit_test(a_null_sender_is_never_refused_deferred_or_discarded),
		cmocka_unit_test(several_local_messages_on_a_connection_do_not_mix),
	};

	return cmocka_run_group_tests(tests, setup, driver_teardown);
}
