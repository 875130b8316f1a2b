/* SPDX-License-Identifier: ISC */
/* Messages that come of others have the trace.id of the first: bounces, notices, forwards, requeues,
 * and what a filter gave back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "join_place.h"
#include "mail/delivery.h"

#define CHILD "4jYh184tWVz1bkdW"
#define GRANDCHILD "4jYh194tWVz1bkdX"
#define ANY ", relay=none, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)"

static void submit(struct join_place *place)
{
	begin_mail(place);
	accept_mail(place, ANN);
	EXPECT(place, "session-linked");
}

static void postfix_311_names_a_bounce_before_its_lines(void **state)
{
	struct join_place *place = *state;

	submit(place);
	LINES(place, "bounce[15]: " ID ": sender delay notification: " CHILD,
		"cleanup[11]: " CHILD ": message-id=<dsn@mx.example.org>",
		"qmgr[12]: " CHILD ": from=<>, size=2400, nrcpt=1 (queue active)",
		"smtp[13]: " CHILD ": to=<bounce+7@acme.example>" ANY,
		"qmgr[12]: " CHILD ": removed");
	EXPECT(place, "notification-sent", trace(ID), "millgate.link.relation=delay-notice",
		"millgate.link.child=" CHILD);
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=" CHILD,
		"email.message_id=dsn@mx.example.org", "millgate.link.relation=delay-notice",
		"millgate.link.parent=" ID);
	expect_no_more(place);
}

static void each_kind_of_notice_has_its_relation(void **state)
{
	struct join_place *place = *state;
	static const struct {
		const char *text, *relation;
	} notices[] = {
		{"sender non-delivery notification", "millgate.link.relation=bounce"},
		{"sender delay notification", "millgate.link.relation=delay-notice"},
		{"sender delivery status notification", "millgate.link.relation=success-notice"},
		{"postmaster non-delivery notification",
			"millgate.link.relation=postmaster-notice"},
		{"postmaster delay notification", "millgate.link.relation=postmaster-notice"},
	};

	submit(place);
	for (size_t i = 0; i < sizeof(notices) / sizeof(notices[0]); i++) {
		char text[200];

		snprintf(text, sizeof(text), ID ": %s: 4jYh18%utWVz1bkdW", notices[i].text,
			(unsigned)i);
		line(place, "bounce", 15, text);
		EXPECT(place, "notification-sent", notices[i].relation);
	}
	expect_no_more(place);
}

static void postfix_311_says_when_the_sender_could_not_be_told(void **state)
{
	struct join_place *place = *state;

	submit(place);
	LINES(place,
		"bounce[15]: " ID
		": sender notification failed to <bounce+7@acme.example>: queue file write error");
	EXPECT(place, "notification-sent", trace(ID), "event.outcome=failure",
		"millgate.link.child=");
	expect_no_more(place);
}

static void lines_of_a_message_without_a_parent_wait_two_seconds(void **state)
{
	struct join_place *place = *state;

	LINES(place, "cleanup[11]: " CHILD ": message-id=<notice@mx.example.org>",
		"qmgr[12]: " CHILD ": from=<double-bounce@mx.example.org>, size=2400, nrcpt=1 "
		"(queue active)",
		"local[13]: " CHILD ": to=<postmaster@mx.example.org>, orig_to=<postmaster>" ANY,
		"qmgr[12]: " CHILD ": removed");
	expect_no_more(place);
	wait_seconds(place, 1);
	expect_no_more(place);
	wait_seconds(place, 1);
	EXPECT(place, "delivery-succeeded", trace(CHILD), "email.local_id=" CHILD,
		"email.message_id=notice@mx.example.org",
		"millgate.link.parent=", "@timestamp=2026-11-25T11:49:20.030000Z");
	expect_no_more(place);
	wait_seconds(place, 600);
	for (unsigned table = 0; table < MG_TABLE_COUNT; table++)
		if (table != MG_TABLE_REPLIES && table != MG_TABLE_REPLY_TIMES)
			assert_int_equal(records(place, table), 0);
}

static void a_forward_goes_on_as_a_child_and_is_not_final(void **state)
{
	struct join_place *place = *state;

	submit(place);
	LINES(place, "cleanup[11]: " CHILD ": message-id=<7@acme.example>",
		"qmgr[12]: " CHILD
		": from=<bounce+7@acme.example>, size=600, nrcpt=1 (queue active)",
		"local[13]: " ID
		": to=<ann@example.com>, relay=local, delay=0.1, delays=0/0/0/0.1, "
		"dsn=2.0.0, status=sent (forwarded as " CHILD ")",
		"qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded", trace(ID), "millgate.delivery.status=linked",
		"millgate.delivery.final=false", "millgate.link.relation=forward",
		"millgate.link.child=" CHILD, "email.delivery_timestamp=");
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_REPLIES), 0);
	LINES(place, "smtp[13]: " CHILD ": to=<ann@elsewhere.example>, orig_to=<ann@example.com>, "
		     "relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (no)");
	EXPECT(place, "delivery-deferred", trace(ID), "email.local_id=" CHILD,
		"millgate.link.relation=forward", "millgate.link.parent=" ID);
	wait_seconds(place, 5 * HOUR);
	EXPECT(place, "delivery-overdue", trace(ID), "email.local_id=" CHILD,
		"millgate.delivery.recipient=ann@elsewhere.example");
	expect_no_more(place);
}

static void a_child_of_a_child_has_the_trace_of_the_first(void **state)
{
	struct join_place *place = *state;

	submit(place);
	LINES(place, "cleanup[11]: " CHILD ": message-id=<7@acme.example>",
		"cleanup[11]: " GRANDCHILD ": message-id=<dsn@mx.example.org>",
		"smtp[13]: " CHILD ": to=<ann@elsewhere.example>, relay=none, delay=1, "
		"delays=1/0/0/0, dsn=5.1.1, status=bounced (no such user)",
		"bounce[15]: " CHILD ": sender non-delivery notification: " GRANDCHILD,
		"smtp[13]: " GRANDCHILD ": to=<bounce+7@acme.example>" ANY,
		"local[13]: " ID
		": to=<ann@example.com>, relay=local, delay=0.1, delays=0/0/0/0.1, "
		"dsn=2.0.0, status=sent (forwarded as " CHILD ")");
	EXPECT(place, "delivery-succeeded", trace(ID), "millgate.link.child=" CHILD);
	EXPECT(place, "delivery-failed", trace(ID), "email.local_id=" CHILD);
	EXPECT(place, "notification-sent", trace(ID), "email.local_id=" CHILD,
		"millgate.link.child=" GRANDCHILD, "millgate.link.relation=bounce");
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=" GRANDCHILD,
		"millgate.link.parent=" CHILD);
	expect_no_more(place);
}

static void what_a_filter_gives_back_is_linked_by_xforward(void **state)
{
	struct join_place *place = *state;

	submit(place);
	LINES(place, "smtpd[50]: connect from localhost[127.0.0.1]:50000",
		"smtpd[50]: " CHILD ": client=localhost[127.0.0.1]:50000, orig_queue_id=" ID
		", orig_client=app1.acme.example[203.0.113.5]:39204",
		"cleanup[11]: " CHILD ": message-id=<7@acme.example>",
		"qmgr[12]: " CHILD
		": from=<bounce+7@acme.example>, size=700, nrcpt=1 (queue active)",
		"smtp[13]: " CHILD ": to=<ann@example.com>" ANY, "qmgr[12]: " CHILD ": removed",
		"smtp[14]: " ID
		": to=<ann@example.com>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, "
		"delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): "
		"250 2.0.0 Ok: queued as " CHILD ")",
		"smtpd[50]: disconnect from localhost[127.0.0.1]:50000 ehlo=1 mail=1 rcpt=1 data=1 "
		"quit=1 commands=5");
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=" CHILD,
		"millgate.link.relation=reinject", "millgate.link.parent=" ID,
		"email.direction=outbound", "organization.id=acme");
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=" ID,
		"millgate.delivery.status=linked", "millgate.link.child=" CHILD);
	EXPECT(place, "session-linked");
	expect_no_more(place);
	/* No filter of the first hop sees it again. */
	wait_seconds(place, HOUR);
	expect_no_more(place);
}

static void without_xforward_it_is_linked_by_queued_as_into_an_own_listener(void **state)
{
	struct join_place *place = *state;

	submit(place);
	LINES(place, "smtpd[50]: connect from localhost[127.0.0.1]:50000",
		"smtpd[50]: " CHILD ": client=localhost[127.0.0.1]:50000",
		"cleanup[11]: " CHILD ": message-id=<7@acme.example>",
		"qmgr[12]: " CHILD
		": from=<bounce+7@acme.example>, size=700, nrcpt=1 (queue active)",
		"smtp[13]: " CHILD ": to=<ann@example.com>" ANY, "qmgr[12]: " CHILD ": removed");
	expect_no_more(place);
	LINES(place,
		"smtp[14]: " ID ": to=<ann@example.com>, relay=127.0.0.1[127.0.0.1]:10025, "
		"delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as " CHILD
		")",
		"qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=" ID,
		"millgate.delivery.status=linked", "millgate.link.relation=reinject",
		"millgate.link.child=" CHILD);
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=" CHILD,
		"millgate.link.parent=" ID);
	expect_no_more(place);
}

static void a_filter_that_tells_what_the_listener_behind_it_said_is_believed(void **state)
{
	struct join_place *place = *state;

	submit(place);
	LINES(place, "smtpd[50]: connect from localhost[127.0.0.1]:50000",
		"smtpd[50]: " CHILD ": client=localhost[127.0.0.1]:50000",
		"cleanup[11]: " CHILD ": message-id=<7@acme.example>",
		"smtp[14]: " ID
		": to=<ann@example.com>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, "
		"delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): "
		"250 2.0.0 Ok: queued as " CHILD ")",
		"smtp[13]: " CHILD ": to=<ann@example.com>" ANY);
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=" ID,
		"millgate.delivery.status=linked", "millgate.link.child=" CHILD);
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=" CHILD,
		"millgate.link.parent=" ID);
}

static void the_word_of_a_strangers_server_links_nothing(void **state)
{
	struct join_place *place = *state;

	submit(place);
	LINES(place,
		"smtp[14]: " ID ": to=<ann@example.com>, relay=evil.example[192.0.2.66]:25, "
		"delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as " CHILD
		")");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.status=delivered",
		"millgate.link.child=");
	LINES(place, "smtp[13]: " CHILD ": to=<bob@example.com>" ANY);
	EXPECT(place, "delivery-succeeded", trace(CHILD), "millgate.link.parent=");
}

static void a_requeued_message_goes_on_under_its_new_queue_id(void **state)
{
	struct join_place *place = *state;

	submit(place);
	LINES(place, "postsuper[30]: " ID ": requeued",
		"pickup[16]: " CHILD ": uid=102 from=<bounce+7@acme.example> orig_id=" ID,
		"cleanup[11]: " CHILD ": message-id=<7@acme.example>",
		"qmgr[12]: " CHILD
		": from=<bounce+7@acme.example>, size=449, nrcpt=1 (queue active)");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 1);
	LINES(place, "smtp[13]: " CHILD ": to=<ann@example.com>" ANY,
		"qmgr[12]: " CHILD ": removed");
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=" CHILD,
		"millgate.link.relation=requeue", "millgate.link.parent=" ID,
		"email.direction=outbound", "millgate.delivery.added=");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
	wait_seconds(place, 48 * HOUR);
	expect_no_more(place);
}

static void a_message_that_names_itself_or_its_parent_as_its_child_goes_nowhere(void **state)
{
	struct join_place *place = *state;

	submit(place);
	LINES(place, "bounce[15]: " ID ": sender non-delivery notification: " ID,
		"bounce[15]: " ID ": sender non-delivery notification: " CHILD,
		"bounce[15]: " CHILD ": sender non-delivery notification: " ID,
		"smtp[13]: " ID ": to=<ann@example.com>" ANY);
	EXPECT(place, "notification-sent");
	EXPECT(place, "notification-sent");
	EXPECT(place, "notification-sent");
	EXPECT(place, "delivery-succeeded", trace(ID));
	expect_no_more(place);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(postfix_311_names_a_bounce_before_its_lines),
		TEST(each_kind_of_notice_has_its_relation),
		TEST(postfix_311_says_when_the_sender_could_not_be_told),
		TEST(lines_of_a_message_without_a_parent_wait_two_seconds),
		TEST(a_forward_goes_on_as_a_child_and_is_not_final),
		TEST(a_child_of_a_child_has_the_trace_of_the_first),
		TEST(what_a_filter_gives_back_is_linked_by_xforward),
		TEST(without_xforward_it_is_linked_by_queued_as_into_an_own_listener),
		TEST(a_filter_that_tells_what_the_listener_behind_it_said_is_believed),
		TEST(the_word_of_a_strangers_server_links_nothing),
		TEST(a_requeued_message_goes_on_under_its_new_queue_id),
		TEST(a_message_that_names_itself_or_its_parent_as_its_child_goes_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
