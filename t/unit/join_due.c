/* SPDX-License-Identifier: ISC */
/* What did not happen: recipients without an end, filters without an event, holds that did not hold;
 * and the queue as Postfix has it, against what was heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "join_place.h"
#include "mail/delivery.h"

#define ACTIVE "qmgr[12]: " ID ": from=<a@acme.example>, size=449, nrcpt=1 (queue active)"
#define END "submission/smtpd[10]: disconnect from " CLIENT " ehlo=1 mail=1 quit=1 commands=3"
#define SENT(to) \
	"smtp[13]: " ID ": to=<" to ">, relay=none, delay=1, delays=1/0/0/0, dsn=2.0.0, " \
	"status=sent (250 ok)"

static void submit(struct join_place *place, const char *recipients)
{
	begin_mail(place);
	accept_mail(place, recipients);
	EXPECT(place, "session-linked");
}

static void each_recipient_without_an_end_is_overdue_once(void **state)
{
	struct join_place *place = *state;

	submit(place, ADDRESSES("[\"ann@example.com\",\"bob@example.com\",\"carl@example.com\"]"));
	LINES(place, SENT("ann@example.com"),
		"smtp[13]: " ID ": to=<bob@example.com>, relay=mx.example.com[198.51.100.9]:25, "
		"delay=1, delays=1/0/0/0, dsn=4.2.0, status=deferred (host "
		"mx.example.com[198.51.100.9] said: 450 4.2.0 later (in reply to RCPT TO command))");
	skip_to(place, "delivery-deferred");
	EXPECT(place, "delivery-deferred");
	wait_seconds(place, 4 * HOUR - 1);
	expect_no_more(place);
	wait_seconds(place, 1);
	EXPECT(place, "delivery-overdue", trace(ID), "millgate.delivery.recipient=bob@example.com",
		"millgate.delivery.status=overdue", "millgate.delivery.attempt=1",
		"millgate.delivery.dsn=4.2.0", "millgate.delivery.reply.text=450 4.2.0 later",
		"destination.address=mx.example.com", "event.kind=alert", "event.outcome=unknown",
		"email.sender.address=bounce+7@acme.example");
	EXPECT(place, "delivery-overdue", "millgate.delivery.recipient=carl@example.com",
		"millgate.delivery.attempt=");
	wait_seconds(place, 24 * HOUR);
	expect_no_more(place);
	LINES(place, SENT("bob@example.com"), SENT("carl@example.com"),
		"qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded");
	EXPECT(place, "delivery-succeeded");
	wait_seconds(place, 24 * HOUR);
	expect_no_more(place);
}

static void a_filter_without_an_event_is_missed(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	FILTER(place, "log", "message-accepted", "email.local_id=" ID, ANN);
	LINES(place, ACTIVE, SENT("ann@example.com"), "qmgr[12]: " ID ": removed", END);
	EXPECT(place, "delivery-succeeded");
	EXPECT(place, "session-linked");
	wait_seconds(place, 61);
	EXPECT(place, "filter-missed", trace(ID), "email.local_id=" ID, "event.kind=alert",
		"millgate.filters.missing=[\"dkim\"]", "user.name=acme-app");
	wait_seconds(place, 24 * HOUR);
	expect_no_more(place);
}

static void a_delivery_waits_a_moment_for_logs_event(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	LINES(place, ACTIVE, SENT("ann@example.com"), SENT("archive@example.com"),
		"qmgr[12]: " ID ": removed", END);
	EXPECT(place, "session-linked");
	wait_seconds(place, 1);
	expect_no_more(place);
	FILTER(place, "log", "message-accepted", "email.local_id=" ID, "organization.id=acme", ANN);
	FILTER(place, "dkim", "message-passed", "email.local_id=" ID);
	EXPECT(place, "delivery-succeeded", "organization.id=acme",
		"@timestamp=2026-11-25T11:49:20.060000Z", "millgate.delivery.added=");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.added=true");
	wait_seconds(place, 24 * HOUR);
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
}

static void a_delivery_is_told_without_logs_event_when_that_does_not_come(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	LINES(place, ACTIVE,
		"smtp[13]: " ID ": to=<ann@example.com>, relay=none, delay=1, delays=1/0/0/0, "
		"dsn=4.0.0, status=deferred (no)",
		END);
	EXPECT(place, "session-linked");
	wait_seconds(place, 2);
	EXPECT(place, "delivery-deferred", "@timestamp=2026-11-25T11:49:20.060000Z",
		"millgate.delivery.added=");
	LINES(place, SENT("ann@example.com"));
	EXPECT(place, "delivery-succeeded", "millgate.delivery.attempt=2");
	expect_no_more(place);
}

static void an_event_that_comes_in_time_is_not_missed(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	FILTER(place, "log", "message-accepted", "email.local_id=" ID, ANN);
	LINES(place, ACTIVE, SENT("ann@example.com"), "qmgr[12]: " ID ": removed", END);
	EXPECT(place, "delivery-succeeded");
	EXPECT(place, "session-linked");
	wait_seconds(place, 30);
	FILTER(place, "dkim", "message-passed", "email.local_id=" ID);
	wait_seconds(place, 24 * HOUR);
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
}

static void filters_are_expected_of_mail_by_smtp_alone(void **state)
{
	struct join_place *place = *state;

	LINES(place, "pickup[16]: " ID ": uid=1000 from=<ann>",
		"cleanup[11]: " ID ": message-id=<7@acme.example>", ACTIVE, SENT("ann@example.com"),
		"qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded");
	wait_seconds(place, HOUR);
	expect_no_more(place);
}

static void an_event_of_millgate_try_is_of_no_message(void **state)
{
	struct join_place *place = *state;

	FILTER(place, "log", "message-accepted", "email.local_id=" ID, ANN, "tags=[\"test\"]");
	for (unsigned table = 0; table < MG_TABLE_COUNT; table++)
		assert_int_equal(records(place, table), 0);
}

static void a_hold_that_postfix_did_not_make_is_missed(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	FILTER(place, "dlp", "message-held", "email.local_id=" ID, "millgate.hold.code=cards");
	FILTER(place, "dkim", "message-signed", "email.local_id=" ID);
	FILTER(place, "log", "message-accepted", "email.local_id=" ID, ANN);
	LINES(place, ACTIVE);
	EXPECT(place, "hold-missed", trace(ID), "millgate.by=dlp", "millgate.hold.code=cards",
		"event.kind=alert", "event.outcome=failure");
	LINES(place, ACTIVE, END);
	EXPECT(place, "session-linked");
	wait_seconds(place, HOUR);
	expect_no_more(place);
}

static void a_missed_hold_is_seen_when_its_event_comes_late(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	LINES(place, ACTIVE, END);
	FILTER(place, "dlp", "message-held", "email.local_id=" ID, "millgate.hold.code=cards");
	EXPECT(place, "session-linked");
	EXPECT(place, "hold-missed", trace(ID), "millgate.by=dlp",
		"@timestamp=2026-11-25T11:49:20.050000Z");
	expect_no_more(place);
}

static void a_hold_in_dry_run_is_none(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	FILTER(place, "dlp", "message-held", "email.local_id=" ID, "millgate.hold.code=cards",
		"millgate.dry_run=true");
	LINES(place, ACTIVE, END);
	EXPECT(place, "session-linked");
	expect_no_more(place);
}

static void a_message_that_never_comes_into_the_queue_is_told_after_a_day(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	FILTER(place, "log", "message-accepted", "email.local_id=" ID, ANN);
	LINES(place, END);
	EXPECT(place, "session-linked");
	wait_seconds(place, 23 * HOUR);
	EXPECT(place, "delivery-overdue", "millgate.delivery.recipient=ann@example.com");
	expect_no_more(place);
	wait_seconds(place, 2 * HOUR);
	EXPECT(place, "message-unqueued", trace(ID), "email.to.address=[\"ann@example.com\"]",
		"event.outcome=failure");
	wait_seconds(place, HOUR);
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
	assert_int_equal(records(place, MG_TABLE_PRIVATE + 1), 0);
	assert_int_equal(records(place, MG_TABLE_PRIVATE + 2), 0);
}

static void a_session_without_an_end_is_told_and_forgotten(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	wait_seconds(place, 2 * HOUR);
	expect_no_more(place);
	wait_seconds(place, 2 * HOUR);
	EXPECT(place, "session-linked", "millgate.session.key=203.0.113.5:39204",
		"event.reason=no line tells the end of the session");
	assert_int_equal(records(place, MG_TABLE_PRIVATE), 0);
}

static void replies_are_kept_thirty_days(void **state)
{
	struct join_place *place = *state;

	submit(place, ANN);
	LINES(place, SENT("ann@example.com"), "qmgr[12]: " ID ": removed");
	wait_seconds(place, 29 * 24 * HOUR);
	assert_int_equal(records(place, MG_TABLE_REPLIES), 1);
	wait_seconds(place, 2 * 24 * HOUR);
	assert_int_equal(records(place, MG_TABLE_REPLIES), 0);
}

static void recipients_that_a_removed_message_leaves_open_have_an_unknown_end(void **state)
{
	struct join_place *place = *state;

	submit(place, ADDRESSES("[\"ann@example.com\",\"bob@example.com\"]"));
	LINES(place, SENT("ann@example.com"), "qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded");
	EXPECT(place, "message-removed", trace(ID), "millgate.by=postfix", "event.outcome=unknown",
		"email.to.address=[\"bob@example.com\"]");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
}

/* --- postqueue --- */

static void queued(struct join_place *place, const struct track_queued *message)
{
	struct mg_error error = {.text = ""};
	struct mg_store_tx *tx = mg_store_begin(place->store, &error);

	assert_non_null(tx);
	if (track_join_queued(place->join, tx, message, &error) < 0 ||
		mg_store_commit(tx, &error) < 0)
		fail_msg("%s", error.text);
}

static void queue_end(struct join_place *place)
{
	struct mg_error error = {.text = ""};
	struct mg_store_tx *tx = mg_store_begin(place->store, &error);

	assert_non_null(tx);
	if (track_join_queue_end(place->join, tx, place->now, &error) < 0 ||
		mg_store_commit(tx, &error) < 0)
		fail_msg("%s", error.text);
}

static void a_message_that_postqueue_names_is_known_from_then_on(void **state)
{
	struct join_place *place = *state;
	static const char *const recipients[] = {"ann@example.com", "bob@example.com", NULL};
	static const char *const reasons[] = {"connection refused", ""};

	queued(place, &(struct track_queued){.queue_id = ID,
			      .queue_name = "deferred",
			      .sender = "a@acme.example",
			      .arrival = place->now - HOUR * MG_SECOND,
			      .recipients = recipients,
			      .reasons = reasons});
	queue_end(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 2);
	wait_seconds(place, 3 * HOUR);
	EXPECT(place, "delivery-overdue", trace(ID), "email.sender.address=a@acme.example",
		"millgate.delivery.recipient=ann@example.com",
		"millgate.delivery.reply.text=connection refused");
	EXPECT(place, "delivery-overdue", "millgate.delivery.recipient=bob@example.com");
	LINES(place, SENT("ann@example.com"), SENT("bob@example.com"), "qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.attempt=2",
		"millgate.delivery.added=");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.attempt=1");
	expect_no_more(place);
}

static void what_left_the_queue_while_nobody_read_the_log_has_an_unknown_end(void **state)
{
	struct join_place *place = *state;

	submit(place, ANN);
	wait_seconds(place, HOUR);
	queue_end(place);
	expect_no_more(place);
	wait_seconds(place, 61);
	EXPECT(place, "message-removed", trace(ID), "millgate.by=postfix", "event.outcome=unknown",
		"email.to.address=[\"ann@example.com\"]",
		"event.reason=left the queue while nobody read the log");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
	wait_seconds(place, 24 * HOUR);
	expect_no_more(place);
}

static void what_has_just_left_the_queue_has_its_own_lines(void **state)
{
	struct join_place *place = *state;

	submit(place, ANN);
	wait_seconds(place, HOUR);
	queue_end(place);
	LINES(place, SENT("ann@example.com"), "qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded");
	wait_seconds(place, HOUR);
	expect_no_more(place);
}

static void what_postqueue_names_is_not_doubted(void **state)
{
	struct join_place *place = *state;
	static const char *const recipients[] = {"ann@example.com", NULL};

	submit(place, ANN);
	wait_seconds(place, HOUR);
	queued(place, &(struct track_queued){.queue_id = ID,
			      .queue_name = "deferred",
			      .sender = "bounce+7@acme.example",
			      .arrival = place->now - HOUR * MG_SECOND,
			      .recipients = recipients});
	queue_end(place);
	wait_seconds(place, HOUR);
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_recipient_without_an_end_is_overdue_once),
		TEST(a_filter_without_an_event_is_missed),
		TEST(a_delivery_waits_a_moment_for_logs_event),
		TEST(a_delivery_is_told_without_logs_event_when_that_does_not_come),
		TEST(an_event_that_comes_in_time_is_not_missed),
		TEST(filters_are_expected_of_mail_by_smtp_alone),
		TEST(an_event_of_millgate_try_is_of_no_message),
		TEST(a_hold_that_postfix_did_not_make_is_missed),
		TEST(a_missed_hold_is_seen_when_its_event_comes_late),
		TEST(a_hold_in_dry_run_is_none),
		TEST(a_message_that_never_comes_into_the_queue_is_told_after_a_day),
		TEST(a_session_without_an_end_is_told_and_forgotten),
		TEST(replies_are_kept_thirty_days),
		TEST(recipients_that_a_removed_message_leaves_open_have_an_unknown_end),
		TEST(a_message_that_postqueue_names_is_known_from_then_on),
		TEST(what_left_the_queue_while_nobody_read_the_log_has_an_unknown_end),
		TEST(what_has_just_left_the_queue_has_its_own_lines),
		TEST(what_postqueue_names_is_not_doubted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
