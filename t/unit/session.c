/* SPDX-License-Identifier: ISC */
/* The life of a message in the state machine: steps, verdicts, edits, holds, local mail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/net.h"
#include "session_place.h"

/* --- the life of a message --- */

static void a_message_ends_once_when_it_is_answered(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	mg_run_abort(fixture.run);
	assert_string_equal(mg_buf_text(&seen), "mail rcpt eom end:answered ");
	finish(&fixture);
	assert_string_equal(mg_buf_text(&seen), "mail rcpt eom end:answered ");
}

static void a_reset_and_a_new_mail_end_a_message_as_aborted(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	mail(&fixture, "<a@example.com>");
	mg_run_abort(fixture.run);
	mail(&fixture, "<a@example.com>");
	mail(&fixture, "<a@example.com>");
	mg_run_helo(fixture.run, "again.example.com", &fixture.verdict);
	assert_string_equal(
		mg_buf_text(&seen), "mail end:aborted mail end:aborted mail end:aborted ");
	finish(&fixture);
}

static void a_lost_connection_ends_a_message_as_lost(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	mail(&fixture, "<a@example.com>");
	finish(&fixture);
	assert_string_equal(mg_buf_text(&seen), "mail end:lost ");
}

static void several_messages_follow_on_one_connection(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	for (int i = 0; i < 3; i++)
		assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	finish(&fixture);
}

static void steps_without_a_message_are_harmless(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	rcpt(&fixture, "<b@example.org>");
	mg_run_data(fixture.run, &fixture.verdict);
	mg_run_header(fixture.run, "Subject", " x");
	mg_run_eoh(fixture.run);
	assert_false(mg_run_body(fixture.run, (const unsigned char *)"x", 1));
	mg_run_eom(fixture.run, &fixture.verdict);
	assert_int_equal(fixture.verdict.action, MG_TEMPFAIL);
	assert_string_equal(mg_buf_text(&seen), "");
	finish(&fixture);
}

static void a_message_to_nobody_is_no_message(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	mail(&fixture, "<a@example.com>");
	assert_int_equal(content(&fixture), MG_TEMPFAIL);
	assert_string_equal(mg_buf_text(&seen), "mail end:aborted ");
	finish(&fixture);
}

/* --- verdicts --- */

static void reject_rcpt(
	struct mg_call *call, const struct mg_recipient *recipient, struct mg_verdict *verdict)
{
	if (strncmp(recipient->address, "bad", 3) == 0)
		reject(call, verdict);
}

static void a_refusal_at_mail_ends_the_message(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	first_script.at_mail = reject;
	assert_int_equal(mail(&fixture, "<a@example.com>"), MG_REJECT);
	assert_string_equal(fixture.verdict.reply, "550 5.7.1 No");
	assert_string_equal(mg_buf_text(&seen), "mail end:answered ");
	finish(&fixture);
}

static void a_refused_recipient_leaves_the_message_open(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	first_script.at_rcpt = reject_rcpt;
	mail(&fixture, "<a@example.com>");
	assert_int_equal(rcpt(&fixture, "<bad@example.org>"), MG_REJECT);
	assert_int_equal(rcpt(&fixture, "<good@example.org>"), MG_CONTINUE);
	assert_int_equal(content(&fixture), MG_CONTINUE);
	assert_string_equal(mg_buf_text(&told), "");
	finish(&fixture);
}

static void discard_rcpt(
	struct mg_call *call, const struct mg_recipient *recipient, struct mg_verdict *verdict)
{
	(void)call;
	if (strncmp(recipient->address, "bad", 3) == 0)
		verdict->action = MG_DISCARD;
}

static void a_discarded_recipient_is_removed_from_the_message_of_the_others(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	first_script.at_rcpt = discard_rcpt;
	mail(&fixture, "<a@example.com>");
	assert_int_equal(rcpt(&fixture, "<good@example.org>"), MG_CONTINUE);
	assert_int_equal(rcpt(&fixture, "<bad@example.org>"), MG_CONTINUE);
	assert_int_equal(content(&fixture), MG_CONTINUE);
	assert_string_equal(mg_buf_text(&told), "delete bad@example.org\n");
	mail(&fixture, "<a@example.com>");
	rcpt(&fixture, "<bad@example.org>");
	assert_int_equal(content(&fixture), MG_DISCARD);
	finish(&fixture);
}

static void discard_without_a_reply(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)call;
	verdict->action = MG_DISCARD;
}

static void tempfail_without_a_reply(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)call;
	verdict->action = MG_TEMPFAIL;
}

static void an_answer_without_a_reply_gets_that_of_its_action(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	first_script.at_eom = tempfail_without_a_reply;
	assert_int_equal(whole_message(&fixture), MG_TEMPFAIL);
	assert_string_equal(fixture.verdict.reply, "451 4.7.1 Try again later");
	first_script.at_eom = discard_without_a_reply;
	assert_int_equal(whole_message(&fixture), MG_DISCARD);
	finish(&fixture);
}

/* --- edits --- */

static void edit_everything(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)verdict;
	assert_int_equal(mg_insert_header(call, 0, "X-New", " one\r\n two"), 0);
	assert_int_equal(mg_change_header(call, "Subject", 1, " changed"), 0);
	assert_int_equal(mg_change_header(call, "X-Two", 1, NULL), 0);
	assert_int_equal(mg_add_recipient(call, "c@example.org"), 0);
	assert_int_equal(mg_delete_recipient(call, "b@example.org"), 0);
	assert_int_equal(mg_change_sender(call, "d@example.com"), 0);
}

static const char edited[] = "insert 0 X-New: one\n two\nchange 1 Subject: changed\n"
			     "change 1 X-Two:-\nadd c@example.org\ndelete b@example.org\n"
			     "sender d@example.com\n";

static void edits_are_told_in_order_with_folds_as_the_mta_wants_them(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	first_script.at_eom = edit_everything;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_string_equal(mg_buf_text(&told), edited);
	finish(&fixture);
}

static void edit_and_reject(struct mg_call *call, struct mg_verdict *verdict)
{
	edit_everything(call, verdict);
	reject(call, verdict);
}

static void edits_of_a_filter_that_refuses_are_dropped(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	first_script.at_eom = edit_and_reject;
	assert_int_equal(whole_message(&fixture), MG_REJECT);
	assert_string_equal(mg_buf_text(&told), "");
	finish(&fixture);
}

static void edit_and_fail(struct mg_call *call, struct mg_verdict *verdict)
{
	edit_everything(call, verdict);
	verdict->action = MG_ERROR;
}

static void edits_that_are_dropped_are_not_seen_by_the_second_filter(void **state)
{
	static const struct {
		const char *override;
		void (*at_eom)(struct mg_call *, struct mg_verdict *);
	} cases[] = {{"on_error=accept", edit_and_fail}, {"dry_run=yes", edit_everything}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture fixture;

		begin(&fixture, 2, (const char *const[]){cases[i].override, NULL});
		first_script.at_eom = cases[i].at_eom;
		second_script.at_eom = see_headers;
		assert_int_equal(whole_message(&fixture), MG_CONTINUE);
		assert_string_equal(mg_buf_text(&told), "");
		assert_non_null(strstr(mg_buf_text(&seen), "eom2 [Subject: one][X-Two: a\r\n\tb]"));
		finish(&fixture);
	}
}

static void a_dry_run_neither_refuses_nor_edits_nor_holds(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, (const char *const[]){"dry_run=yes", NULL});
	first_script.at_eom = edit_and_reject;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_string_equal(mg_buf_text(&told), "");
	finish(&fixture);
}

static void edit_badly(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)verdict;
	assert_int_equal(mg_insert_header(call, 1, "X-Bad", " a\r\nX-Injected: yes"), -1);
	assert_int_equal(mg_insert_header(call, 1, "X-Bad", " a\rb"), -1);
	assert_int_equal(mg_insert_header(call, 1, "X-Bad", " a\n"), -1);
	assert_int_equal(mg_insert_header(call, 1, "X Bad", " a"), -1);
	assert_int_equal(mg_insert_header(call, 1, "", " a"), -1);
	assert_int_equal(mg_change_header(call, "Subject", 2, " a"), -1);
	assert_int_equal(mg_add_recipient(call, "a@example.com>\r\nX"), -1);
	assert_int_equal(mg_hold(call, "Bad Code"), -1);
	assert_int_equal(mg_hold(call, ""), -1);
}

static void malformed_edits_are_refused_one_by_one(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	first_script.at_eom = edit_badly;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_string_equal(mg_buf_text(&told), "");
	finish(&fixture);
}

static void the_second_filter_sees_what_the_first_edited(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 2, no_overrides);
	first_script.at_eom = edit_everything;
	second_script.at_eom = see_headers;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_non_null(strstr(mg_buf_text(&seen), "[X-New: one\r\n two][Subject: changed]"));
	assert_null(strstr(mg_buf_text(&seen), "X-Two"));
	finish(&fixture);
}

static void the_first_refusal_ends_the_turns(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 2, no_overrides);
	first_script.at_eom = reject;
	assert_int_equal(whole_message(&fixture), MG_REJECT);
	assert_null(strstr(mg_buf_text(&seen), "eom2"));
	finish(&fixture);
}

/* --- hold --- */

static void hold_it(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)verdict;
	assert_int_equal(mg_hold(call, "test-code"), 0);
}

static void a_hold_by_quarantine_is_the_last_thing_told(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 2, (const char *const[]){"hold=quarantine", NULL});
	first_script.at_mail = hold_it;
	second_script.at_eom = edit_everything;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_int_equal(strncmp(mg_buf_text(&told), edited, strlen(edited)), 0);
	assert_string_equal(mg_buf_text(&told) + strlen(edited), "quarantine test-code\n");
	finish(&fixture);
}

static void a_hold_by_header_is_a_field_that_the_next_filter_sees(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 2, (const char *const[]){"hold=header", NULL});
	first_script.at_mail = hold_it;
	second_script.at_eom = see_headers;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_string_equal(mg_buf_text(&told), "insert 1 X-Millgate-Hold: test-code\n");
	assert_non_null(strstr(mg_buf_text(&seen), "[X-Millgate-Hold: test-code]"));
	finish(&fixture);
}

/* --- local mail --- */

static void local_mail_is_refused_at_its_end_only(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	macro_port = "0";
	first_script.at_mail = reject;
	assert_int_equal(mail(&fixture, "a@example.com"), MG_CONTINUE);
	assert_int_equal(rcpt(&fixture, "b@example.org"), MG_CONTINUE);
	assert_int_equal(content(&fixture), MG_REJECT);
	assert_string_equal(fixture.verdict.reply, "550 5.7.1 No");
	finish(&fixture);
}

static void the_session_of_local_mail_is_not_refused(void **state)
{
	static const struct {
		const char *address;
		uint16_t port;
		enum mg_action action;
	} clients[] = {{"127.0.0.1", 0, MG_CONTINUE}, {"127.0.0.1", 40000, MG_REJECT},
		{"192.0.2.1", 0, MG_REJECT}};
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	first_script.at_connect = first_script.at_helo = reject;
	for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
		struct sockaddr_storage client;

		assert_true(mg_net_parse(clients[i].address, clients[i].port, &client));
		mg_run_connect(fixture.run, "localhost", &client, &fixture.verdict);
		assert_int_equal(fixture.verdict.action, clients[i].action);
		mg_run_helo(fixture.run, "localhost", &fixture.verdict);
		assert_int_equal(fixture.verdict.action, clients[i].action);
	}
	finish(&fixture);
}

static void a_refused_recipient_of_local_mail_is_removed(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	macro_port = "0";
	first_script.at_rcpt = reject_rcpt;
	mail(&fixture, "a@example.com");
	assert_int_equal(rcpt(&fixture, "bad@example.org"), MG_CONTINUE);
	assert_int_equal(rcpt(&fixture, "good@example.org"), MG_CONTINUE);
	assert_int_equal(content(&fixture), MG_CONTINUE);
	assert_string_equal(mg_buf_text(&told), "delete bad@example.org\n");
	finish(&fixture);
}

static void tempfail_rcpt(
	struct mg_call *call, const struct mg_recipient *recipient, struct mg_verdict *verdict)
{
	(void)call;
	if (strncmp(recipient->address, "bad", 3) == 0)
		verdict->action = MG_TEMPFAIL;
}

static void a_deferred_recipient_of_local_mail_is_not_lost_but_defers_it(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	macro_port = "0";
	first_script.at_rcpt = tempfail_rcpt;
	mail(&fixture, "a@example.com");
	assert_int_equal(rcpt(&fixture, "bad@example.org"), MG_CONTINUE);
	assert_int_equal(rcpt(&fixture, "good@example.org"), MG_CONTINUE);
	assert_int_equal(content(&fixture), MG_TEMPFAIL);
	assert_string_equal(mg_buf_text(&told), "");
	finish(&fixture);
}

static void local_mail_to_refused_recipients_alone_is_refused(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	macro_port = "0";
	first_script.at_rcpt = reject_rcpt;
	mail(&fixture, "a@example.com");
	rcpt(&fixture, "bad@example.org");
	assert_int_equal(content(&fixture), MG_REJECT);
	finish(&fixture);
}

static void local_mail_of_the_null_sender_is_never_turned_away(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, no_overrides);
	macro_port = "0";
	first_script.at_rcpt = reject_rcpt;
	first_script.at_eom = discard_without_a_reply;
	mail(&fixture, "");
	rcpt(&fixture, "bad@example.org");
	assert_int_equal(content(&fixture), MG_CONTINUE);
	assert_string_equal(mg_buf_text(&told), "");
	finish(&fixture);
}

static void a_message_runs_on_the_configuration_it_began_with(void **state)
{
	struct fixture fixture;
	struct mg_errors errors = {0};
	struct mg_snapshot *after;

	(void)state;
	begin(&fixture, 1, no_overrides);
	first_script.at_eom = reject;
	mail(&fixture, "<a@example.com>");
	rcpt(&fixture, "<b@example.org>");
	fixture.hosted[0].overrides = (const char *const[]){"dry_run=yes", NULL};
	after = mg_snapshot_load(NULL, fixture.hosted, 1, &test_clock, &errors);
	assert_non_null(after);
	mg_snapshot_release(mg_snapshot_swap(&fixture.host.snapshots, after));
	assert_int_equal(content(&fixture), MG_REJECT);
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	finish(&fixture);
}

static void see_facts(struct mg_call *call, struct mg_verdict *verdict)
{
	const struct mg_message *message = call->message;

	(void)verdict;
	mg_buf_add_format(&seen, "%s %s %s %s %zu %s %d", message->session->key, message->queue_id,
		message->trace_id, message->sender, message->recipient_count,
		message->recipients[0].esmtp, message->direction);
}

static void a_filter_sees_the_facts_of_session_and_envelope(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 1, (const char *const[]){"gateway=mx1.example.org", NULL});
	first_script.at_eom = see_facts;
	mail(&fixture, "<a@example.com>");
	mg_run_rcpt(fixture.run,
		(const char *const[]){"<b@example.org>", "NOTIFY=NEVER", "ORCPT=rfc822;x", NULL},
		&fixture.verdict);
	content(&fixture);
	assert_non_null(strstr(mg_buf_text(&seen),
		"192.0.2.1:39204 4jYh153qZyz1bkdK ac7eac4822ed1198928322fc7e6de498 a@example.com 1 "
		"NOTIFY=NEVER ORCPT=rfc822;x 0"));
	finish(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_ends_once_when_it_is_answered),
		cmocka_unit_test(a_reset_and_a_new_mail_end_a_message_as_aborted),
		cmocka_unit_test(a_lost_connection_ends_a_message_as_lost),
		cmocka_unit_test(several_messages_follow_on_one_connection),
		cmocka_unit_test(steps_without_a_message_are_harmless),
		cmocka_unit_test(a_message_to_nobody_is_no_message),
		cmocka_unit_test(a_refusal_at_mail_ends_the_message),
		cmocka_unit_test(a_refused_recipient_leaves_the_message_open),
		cmocka_unit_test(a_discarded_recipient_is_removed_from_the_message_of_the_others),
		cmocka_unit_test(an_answer_without_a_reply_gets_that_of_its_action),
		cmocka_unit_test(edits_are_told_in_order_with_folds_as_the_mta_wants_them),
		cmocka_unit_test(edits_of_a_filter_that_refuses_are_dropped),
		cmocka_unit_test(edits_that_are_dropped_are_not_seen_by_the_second_filter),
		cmocka_unit_test(a_dry_run_neither_refuses_nor_edits_nor_holds),
		cmocka_unit_test(malformed_edits_are_refused_one_by_one),
		cmocka_unit_test(the_second_filter_sees_what_the_first_edited),
		cmocka_unit_test(the_first_refusal_ends_the_turns),
		cmocka_unit_test(a_hold_by_quarantine_is_the_last_thing_told),
		cmocka_unit_test(a_hold_by_header_is_a_field_that_the_next_filter_sees),
		cmocka_unit_test(local_mail_is_refused_at_its_end_only),
		cmocka_unit_test(the_session_of_local_mail_is_not_refused),
		cmocka_unit_test(a_refused_recipient_of_local_mail_is_removed),
		cmocka_unit_test(a_deferred_recipient_of_local_mail_is_not_lost_but_defers_it),
		cmocka_unit_test(local_mail_to_refused_recipients_alone_is_refused),
		cmocka_unit_test(local_mail_of_the_null_sender_is_never_turned_away),
		cmocka_unit_test(a_message_runs_on_the_configuration_it_began_with),
		cmocka_unit_test(a_filter_sees_the_facts_of_session_and_envelope),
	};

	return cmocka_run_group_tests(tests, NULL, free_notes);
}
