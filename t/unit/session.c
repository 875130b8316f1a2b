/* SPDX-License-Identifier: ISC */
/* The state machine alone: a scripted filter on one side, a front that notes what it is told on the
 * other, a clock that stands still unless it is moved. */
#include "run/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/net.h"
#include "base/str.h"
#include "mail/fields.h"

/* --- a clock --- */

static int64_t now;

static int64_t clock_now(const struct mg_clock *clock)
{
	(void)clock;
	return now;
}

static const struct mg_clock test_clock = {.utc = clock_now, .monotonic = clock_now};

/* --- two filters that do what the test says, and note what they see --- */

struct script {
	void (*at_mail)(struct mg_call *, struct mg_verdict *);
	void (*at_rcpt)(struct mg_call *, const struct mg_recipient *, struct mg_verdict *);
	void (*at_header)(struct mg_call *, const struct mg_header *);
	void (*at_eom)(struct mg_call *, struct mg_verdict *);
};
static struct script first_script, second_script;
static struct mg_buf seen; /* "mail rcpt end:answered …" */

static void filter_mail(struct mg_call *call, struct mg_verdict *verdict)
{
	mg_buf_add_text(&seen, "mail ");
	if (first_script.at_mail != NULL)
		first_script.at_mail(call, verdict);
}

static void filter_rcpt(
	struct mg_call *call, const struct mg_recipient *recipient, struct mg_verdict *verdict)
{
	mg_buf_add_text(&seen, "rcpt ");
	if (first_script.at_rcpt != NULL)
		first_script.at_rcpt(call, recipient, verdict);
}

static void filter_header(struct mg_call *call, const struct mg_header *header)
{
	if (first_script.at_header != NULL)
		first_script.at_header(call, header);
}

static void filter_eom(struct mg_call *call, struct mg_verdict *verdict)
{
	mg_buf_add_text(&seen, "eom ");
	if (first_script.at_eom != NULL)
		first_script.at_eom(call, verdict);
}

static void filter_end(struct mg_call *call, enum mg_end how)
{
	static const char *const names[] = {"answered", "aborted", "lost"};

	(void)call;
	mg_buf_add_format(&seen, "end:%s ", names[how]);
}

static void second_eom(struct mg_call *call, struct mg_verdict *verdict)
{
	mg_buf_add_text(&seen, "eom2 ");
	if (second_script.at_eom != NULL)
		second_script.at_eom(call, verdict);
}

enum { ALL_EDITS = 63 };
static const struct mg_filter first_filter = {
	.name = "first",
	.edits = ALL_EDITS,
	.needs = MG_NEED_HEADERS,
	.message_size = 16,
	.mail = filter_mail,
	.rcpt = filter_rcpt,
	.header = filter_header,
	.eom = filter_eom,
	.end = filter_end,
};
static const struct mg_filter second_filter = {
	.name = "second", .edits = ALL_EDITS, .needs = MG_NEED_HEADERS, .eom = second_eom};

/* --- a front --- */

static struct mg_buf told; /* what the MTA was told, a line an edit */
static const char *macro_queue_id, *macro_port;

static const char *front_macro(void *context, const char *name)
{
	(void)context;
	if (strcmp(name, "i") == 0)
		return macro_queue_id;
	if (strcmp(name, "{client_addr}") == 0)
		return "192.0.2.1";
	if (strcmp(name, "{client_port}") == 0)
		return macro_port;
	return NULL;
}

static int front_insert(void *context, unsigned position, const char *name, const char *value)
{
	(void)context;
	mg_buf_add_format(&told, "insert %u %s:%s\n", position, name, value);
	return 0;
}

static int front_change(void *context, unsigned occurrence, const char *name, const char *value)
{
	(void)context;
	mg_buf_add_format(
		&told, "change %u %s:%s\n", occurrence, name, value != NULL ? value : "-");
	return 0;
}

static int front_add(void *context, const char *address)
{
	(void)context;
	mg_buf_add_format(&told, "add %s\n", address);
	return 0;
}

static int front_delete(void *context, const char *address)
{
	(void)context;
	mg_buf_add_format(&told, "delete %s\n", address);
	return 0;
}

static int front_sender(void *context, const char *address)
{
	(void)context;
	mg_buf_add_format(&told, "sender %s\n", address);
	return 0;
}

static int front_body(void *context, const unsigned char *chunk, size_t length)
{
	(void)context;
	mg_buf_add_format(&told, "body %.*s\n", (int)length, (const char *)chunk);
	return 0;
}

static int front_quarantine(void *context, const char *reason)
{
	(void)context;
	mg_buf_add_format(&told, "quarantine %s\n", reason);
	return 0;
}

static const struct mg_front test_front = {
	.macro = front_macro,
	.insert_header = front_insert,
	.change_header = front_change,
	.add_recipient = front_add,
	.delete_recipient = front_delete,
	.change_sender = front_sender,
	.replace_body = front_body,
	.quarantine = front_quarantine,
};

/* --- a process with these filters --- */

struct fixture {
	struct mg_host host;
	struct mg_hosted hosted[2];
	struct mg_run *run;
	struct mg_verdict verdict;
};

/* count filters with the settings `overrides` ("name=value", NULL ends). */
static void begin(struct fixture *fixture, size_t count, const char *const overrides[])
{
	const struct mg_filter *filters[] = {&first_filter, &second_filter};
	struct mg_errors errors = {0};

	memset(fixture, 0, sizeof *fixture);
	first_script = second_script = (struct script){0};
	mg_buf_reset(&seen);
	mg_buf_reset(&told);
	now = MG_SECOND;
	macro_queue_id = "4jYh153qZyz1bkdK";
	macro_port = "39204";
	for (size_t i = 0; i < count; i++) {
		fixture->hosted[i] =
			(struct mg_hosted){.filter = filters[i], .overrides = overrides};
		mg_str_copy(fixture->hosted[i].program, 64, "millgate-test");
		assert_true(mg_settings_options(filters[i], fixture->hosted[i].tables));
	}
	fixture->host.clock = &test_clock;
	fixture->host.metrics = mg_metrics_new(mg_host_metrics);
	mg_plan_make(&fixture->host.plan, filters, count);
	pthread_mutex_init(&fixture->host.snapshots.lock, NULL);
	fixture->host.snapshots.current =
		mg_snapshot_load(fixture->hosted, count, &test_clock, &errors);
	if (errors.count > 0)
		print_message("%s\n", errors.list[0].text);
	assert_non_null(fixture->host.snapshots.current);
	fixture->run = mg_run_new(&fixture->host, &test_front, fixture);
	assert_non_null(fixture->run);
}

static void finish(struct fixture *fixture)
{
	mg_run_close(fixture->run);
	assert_int_equal(fixture->host.sessions, 0);
	assert_int_equal(fixture->host.messages, 0);
	assert_int_equal(fixture->host.memory.used, 0);
	assert_int_equal(fixture->host.snapshots.current->uses, 1);
	mg_snapshot_release(fixture->host.snapshots.current);
	mg_metrics_free(fixture->host.metrics);
	pthread_mutex_destroy(&fixture->host.snapshots.lock);
	for (size_t i = 0; i < 2 && fixture->hosted[i].filter != NULL; i++)
		mg_settings_options_free(fixture->hosted[i].tables);
}

static enum mg_action mail(struct fixture *fixture, const char *sender)
{
	mg_run_mail(fixture->run, (const char *const[]){sender, NULL}, &fixture->verdict);
	return fixture->verdict.action;
}

static enum mg_action rcpt(struct fixture *fixture, const char *recipient)
{
	mg_run_rcpt(fixture->run, (const char *const[]){recipient, NULL}, &fixture->verdict);
	return fixture->verdict.action;
}

static enum mg_action content(struct fixture *fixture)
{
	mg_run_header(fixture->run, "Subject", " one");
	mg_run_header(fixture->run, "X-Two", " a\n\tb");
	mg_run_eoh(fixture->run);
	mg_run_body(fixture->run, (const unsigned char *)"body\r\n", 6);
	mg_run_eom(fixture->run, &fixture->verdict);
	return fixture->verdict.action;
}

static enum mg_action whole_message(struct fixture *fixture)
{
	mail(fixture, "<a@example.com>");
	rcpt(fixture, "<b@example.org>");
	return content(fixture);
}

static const char *const no_overrides[] = {NULL};

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

static void reject(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)call;
	verdict->action = MG_REJECT;
	mg_str_copy(verdict->reply, sizeof verdict->reply, "550 5.7.1 No");
}

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

static void see_headers(struct mg_call *call, struct mg_verdict *verdict)
{
	size_t count;
	const struct mg_header *headers = mg_headers(call, &count);

	if (headers == NULL)
		verdict->action = MG_ERROR;
	for (size_t i = 0; i < count; i++)
		mg_buf_add_format(&seen, "[%s:%s]", headers[i].name, headers[i].value);
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

/* --- errors, bounds, time --- */

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
	after = mg_snapshot_load(fixture.hosted, 1, &test_clock, &errors);
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

static int free_notes(void **state)
{
	(void)state;
	mg_buf_free(&seen);
	mg_buf_free(&told);
	return 0;
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
		cmocka_unit_test(a_refused_recipient_of_local_mail_is_removed),
		cmocka_unit_test(local_mail_to_refused_recipients_alone_is_refused),
		cmocka_unit_test(local_mail_of_the_null_sender_is_never_turned_away),
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
		cmocka_unit_test(a_message_runs_on_the_configuration_it_began_with),
		cmocka_unit_test(a_filter_sees_the_facts_of_session_and_envelope),
	};

	return cmocka_run_group_tests(tests, NULL, free_notes);
}
