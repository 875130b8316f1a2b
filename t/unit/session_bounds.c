/* SPDX-License-Identifier: ISC */
/* Messages that cannot be judged: errors, bounds, memory, time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session_place.h"

static void fail_at_header(struct mg_call *call, const struct mg_header *header)
{
	(void)header;
	mg_fail(call, "no way");
}

static void assert_answer(const char *override,
	void (*at_header)(struct mg_call *, const struct mg_header *), enum mg_action action,
	const char *reply)
{
	struct fixture fixture;

	begin(&fixture, 1, (const char *const[]){override, NULL});
	first_script.at_header = at_header;
	assert_int_equal(whole_message(&fixture), action);
	assert_int_equal(strncmp(fixture.verdict.reply, reply, strlen(reply)), 0);
	finish(&fixture);
}

static void on_error_decides_on_mail_that_cannot_be_judged(void **state)
{
	(void)state;
	assert_answer("on_error=tempfail", fail_at_header, MG_TEMPFAIL,
		"451 4.3.0 Cannot check this message now [on-error ");
	assert_answer("on_error=accept", fail_at_header, MG_CONTINUE, "");
	assert_answer("on_error=reject", fail_at_header, MG_REJECT,
		"550 5.3.0 Cannot check this message [on-error ");
}

static void error_rcpt(
	struct mg_call *call, const struct mg_recipient *recipient, struct mg_verdict *verdict)
{
	(void)call;
	if (strncmp(recipient->address, "bad", 3) == 0)
		verdict->action = MG_ERROR;
}

static void after_an_error_at_one_recipient_the_message_is_still_judged(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	first_script.at_rcpt = error_rcpt;
	first_script.at_eom = reject;
	mail(&fixture, "<a@example.com>");
	assert_int_equal(rcpt(&fixture, "<bad@example.org>"), MG_TEMPFAIL);
	assert_int_equal(rcpt(&fixture, "<good@example.org>"), MG_CONTINUE);
	assert_int_equal(content(&fixture), MG_REJECT);
	assert_string_equal(mg_buf_text(&seen), "mail rcpt rcpt eom end:answered ");
	finish(&fixture);
}

static void fail_at_mail(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)verdict;
	mg_fail(call, "no way");
}

static void a_failure_is_one_event_however_often_it_is_answered(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, (const char *const[]){"dry_run=yes", NULL});
	first_script.at_mail = fail_at_mail;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_int_equal(mg_metrics_get(fixture.host.metrics, MG_METRIC_FILTER_ERRORS), 1);
	finish(&fixture);
}

static void spend_a_minute(struct mg_call *call, const struct mg_header *header)
{
	(void)call;
	(void)header;
	now += 60 * MG_SECOND;
}

static void a_filter_that_used_up_its_time_is_not_asked_again(void **state)
{
	(void)state;
	assert_answer("message_timeout=20s", spend_a_minute, MG_TEMPFAIL, "451 4.3.0 ");
	assert_null(strstr(mg_buf_text(&seen), "eom"));
}

static void time_between_the_steps_is_not_counted(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	mail(&fixture, "<a@example.com>");
	now += 3600 * MG_SECOND;
	rcpt(&fixture, "<b@example.org>");
	now += 3600 * MG_SECOND;
	assert_int_equal(content(&fixture), MG_CONTINUE);
	finish(&fixture);
}

static void check_deadline(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)verdict;
	assert_int_equal(call->message->deadline, now + 20 * MG_SECOND);
}

static void a_callback_is_told_its_deadline(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, (const char *const[]){"message_timeout=20s", NULL});
	first_script.at_eom = check_deadline;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	finish(&fixture);
}

/* A message of more header fields than the bound of 2. */
static enum mg_action over_bound(struct fixture *fixture, const char *override)
{
	begin(fixture, 1, (const char *const[]){"bounds.headers=2", override, NULL});
	mail(fixture, "<a@example.com>");
	rcpt(fixture, "<b@example.org>");
	for (int i = 0; i < 3; i++)
		mg_run_header(fixture->run, "X-Many", " x");
	mg_run_eom(fixture->run, &fixture->verdict);
	return fixture->verdict.action;
}

static void on_bound_decides_on_mail_over_a_bound(void **state)
{
	struct fixture fixture;

	(void)state;
	assert_int_equal(over_bound(&fixture, "on_bound=reject"), MG_REJECT);
	assert_int_equal(strncmp(fixture.verdict.reply, "552 5.3.4 ", 10), 0);
	assert_null(strstr(mg_buf_text(&seen), "eom"));
	finish(&fixture);
	assert_int_equal(over_bound(&fixture, "on_bound=accept"), MG_CONTINUE);
	assert_non_null(strstr(mg_buf_text(&seen), "eom"));
	finish(&fixture);
	assert_int_equal(over_bound(&fixture, "on_bound=hold"), MG_CONTINUE);
	assert_string_equal(mg_buf_text(&told), "quarantine over-bound\n");
	finish(&fixture);
}

static void too_many_recipients_are_a_bound(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, (const char *const[]){"bounds.recipients=2", NULL});
	mail(&fixture, "<a@example.com>");
	for (int i = 0; i < 3; i++)
		assert_int_equal(rcpt(&fixture, "<b@example.org>"), MG_CONTINUE);
	assert_int_equal(content(&fixture), MG_REJECT);
	finish(&fixture);
}

static void take_a_mebibyte(struct mg_call *call, const struct mg_header *header)
{
	(void)header;
	if (mg_alloc(call, 1024 * 1024) == NULL)
		mg_fail(call, "no memory");
}

static void the_memory_of_a_message_is_a_bound(void **state)
{
	(void)state;
	assert_answer("bounds.message_memory=1M", take_a_mebibyte, MG_REJECT, "552 5.3.4 ");
}

static void any_number_of_fields_passes_or_is_over_the_bound(void **state)
{
	int passed = 0, refused = 0;

	(void)state;
	for (int fields = 10; fields < 2000; fields += 10) {
		struct fixture fixture;

		begin(&fixture, 1,
			(const char *const[]){"bounds.headers=100000", "bounds.message_memory=64K",
				"hold=header",
				fields < 1000     ? NULL
				: fields % 20 > 0 ? "on_bound=hold"
						  : "on_bound=accept",
				NULL});
		first_script.at_eom = see_headers;
		mail(&fixture, "<a@example.com>");
		rcpt(&fixture, "<b@example.org>");
		for (int i = 0; i < fields; i++)
			mg_run_header(fixture.run, "X-Many", " x");
		mg_run_eom(fixture.run, &fixture.verdict);
		passed += fixture.verdict.action == MG_CONTINUE;
		refused += strncmp(fixture.verdict.reply, "552 5.3.4 ", 10) == 0;
		assert_int_equal(passed + refused, fields / 10);
		finish(&fixture);
	}
	assert_true(passed > 100 && refused > 0);
}

static void the_memory_of_all_messages_is_an_error(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1,
		(const char *const[]){"bounds.message_memory=8M", "bounds.memory=1M", NULL});
	first_script.at_header = take_a_mebibyte;
	assert_int_equal(whole_message(&fixture), MG_TEMPFAIL);
	assert_int_equal(strncmp(fixture.verdict.reply, "451 4.3.0 ", 10), 0);
	finish(&fixture);
}

static void memory_that_ends_at_mail_is_an_error_but_not_of_a_bounce(void **state)
{
	const size_t taken = 1024 * 1024 - 16;
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, (const char *const[]){"bounds.memory=1M", NULL});
	fixture.host.memory.used = taken;
	assert_int_equal(mail(&fixture, "<a@example.com>"), MG_TEMPFAIL);
	macro_port = "0";
	mail(&fixture, "a@example.com");
	rcpt(&fixture, "b@example.org");
	assert_int_equal(content(&fixture), MG_TEMPFAIL);
	mail(&fixture, "");
	rcpt(&fixture, "b@example.org");
	assert_int_equal(content(&fixture), MG_CONTINUE);
	fixture.host.memory.used -= taken;
	finish(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_error_decides_on_mail_that_cannot_be_judged),
		cmocka_unit_test(after_an_error_at_one_recipient_the_message_is_still_judged),
		cmocka_unit_test(a_failure_is_one_event_however_often_it_is_answered),
		cmocka_unit_test(a_filter_that_used_up_its_time_is_not_asked_again),
		cmocka_unit_test(time_between_the_steps_is_not_counted),
		cmocka_unit_test(a_callback_is_told_its_deadline),
		cmocka_unit_test(on_bound_decides_on_mail_over_a_bound),
		cmocka_unit_test(too_many_recipients_are_a_bound),
		cmocka_unit_test(the_memory_of_a_message_is_a_bound),
		cmocka_unit_test(any_number_of_fields_passes_or_is_over_the_bound),
		cmocka_unit_test(the_memory_of_all_messages_is_an_error),
		cmocka_unit_test(memory_that_ends_at_mail_is_an_error_but_not_of_a_bounce),
	};

	return cmocka_run_group_tests(tests, NULL, free_notes);
}
