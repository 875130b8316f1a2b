/* SPDX-License-Identifier: ISC */
/* The story of a message, from lines of Postfix and events of filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "join_place.h"
#include "mail/delivery.h"

/* A client sends a message, which comes into the queue. */
static void submit(struct join_place *place, const char *recipients)
{
	begin_mail(place);
	accept_mail(place, recipients);
}

static void a_message_is_followed_from_its_client_to_its_delivery(void **state)
{
	struct join_place *place = *state;

	submit(place, ANN);
	EXPECT(place, "session-linked", "millgate.session.key=203.0.113.5:39204",
		"source.ip=203.0.113.5", "user.name=acme-app", "tls.version=1.3",
		"millgate.session.refusals=0", "event.outcome=success");
	LINES(place,
		"smtp[13]: Verified TLS connection established to "
		"mx.example.com[198.51.100.9]:25: TLSv1.3 with cipher "
		"TLS_AES_256_GCM_SHA384 (256/256 bits)",
		"smtp[13]: " ID ": to=<ann@example.com>, relay=mx.example.com[198.51.100.9]:25, "
		"delay=1.9, delays=0.05/0.01/1.1/0.71, dsn=2.0.0, status=sent (250 2.0.0 Ok: "
		"queued as 4jYh176Sfnz1bkdT)",
		"qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=" ID,
		"email.message_id=7@acme.example", "email.sender.address=bounce+7@acme.example",
		"millgate.smtp.from=bounce+7@acme.example", "email.direction=outbound",
		"organization.id=acme", "user.name=acme-app",
		"millgate.session.key=203.0.113.5:39204", "email.to.address=[\"ann@example.com\"]",
		"millgate.delivery.recipient=ann@example.com", "millgate.delivery.orig_recipient=",
		"millgate.delivery.added=", "millgate.delivery.status=delivered",
		"millgate.delivery.final=true", "millgate.delivery.attempt=1",
		"millgate.delivery.service=smtp", "millgate.delivery.dsn=2.0.0",
		"millgate.delivery.delay_s=1.9", "millgate.delivery.delays_s.before_qmgr=0.05",
		"millgate.delivery.delays_s.in_qmgr=0.01",
		"millgate.delivery.delays_s.conn_setup=1.1",
		"millgate.delivery.delays_s.transmission=0.71", "millgate.delivery.tls=Verified",
		"millgate.delivery.tls_version=1.3", "millgate.delivery.reply.code=250",
		"millgate.delivery.reply.enhanced_code=2.0.0",
		"millgate.delivery.reply.text=250 2.0.0 Ok: queued as 4jYh176Sfnz1bkdT",
		"destination.address=mx.example.com", "destination.domain=mx.example.com",
		"destination.ip=198.51.100.9", "destination.port=25",
		"millgate.postfix.program=smtp", "millgate.postfix.instance=postfix");
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
	assert_int_equal(records(place, MG_TABLE_REPLIES), 1);
	wait_seconds(place, 5 * HOUR);
	expect_no_more(place);
	for (unsigned table = MG_TABLE_PRIVATE; table < MG_TABLE_COUNT; table++)
		assert_int_equal(records(place, table) <= (table == MG_TABLE_PRIVATE), true);
}

#define SENT(to, relay) \
	"smtp[13]: " ID ": to=<" to ">, relay=" relay ", delay=1, delays=0/0/1/0, dsn=2.0.0, " \
	"status=sent (250 2.0.0 Ok: queued as 9XYZ)"
#define MX "mx.example.com[198.51.100.9]:25"

static void three_recipients_each_have_their_story_and_the_bounce_belongs_to_it(void **state)
{
	struct join_place *place = *state;

	submit(place, ADDRESSES("[\"ann@example.com\",\"bob@example.com\",\"carl@example.net\"]"));
	EXPECT(place, "session-linked");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 3);
	LINES(place, SENT("ann@example.com", MX),
		"smtp[13]: " ID ": to=<bob@example.com>, relay=" MX ", delay=1, delays=0/0/1/0, "
		"dsn=5.1.1, status=bounced (host mx.example.com[198.51.100.9] said: 550 5.1.1 user "
		"unknown (in reply to RCPT TO command))",
		"smtp[14]: " ID ": to=<carl@example.net>, relay=mx.example.net[192.0.2.25]:25, "
		"delay=1, delays=0/0/1/0, dsn=4.2.0, status=deferred (host "
		"mx.example.net[192.0.2.25] said: 450 4.2.0 try again later (in reply to RCPT TO "
		"command))",
		/* 3.7: the child's lines, then the one that names it */
		"cleanup[11]: 4jYh184tWVz1bkdW: message-id=<dsn@mx.example.org>",
		"qmgr[12]: 4jYh184tWVz1bkdW: from=<>, size=2400, nrcpt=1 (queue active)",
		"bounce[15]: " ID ": sender non-delivery notification: 4jYh184tWVz1bkdW",
		"smtp[13]: 4jYh184tWVz1bkdW: to=<bounce+7@acme.example>, "
		"relay=mx.acme.example[203.0.113.9]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, "
		"status=sent (250 ok)",
		"qmgr[12]: 4jYh184tWVz1bkdW: removed");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.recipient=ann@example.com",
		"millgate.delivery.status=delivered");
	EXPECT(place, "delivery-failed", trace(ID), "millgate.delivery.recipient=bob@example.com",
		"millgate.delivery.status=bounced", "millgate.delivery.final=true",
		"millgate.delivery.dsn=5.1.1", "millgate.delivery.reply.code=550",
		"millgate.delivery.reply.enhanced_code=5.1.1",
		"millgate.delivery.reply.text=550 5.1.1 user unknown",
		"millgate.delivery.reply.command=RCPT TO", "event.outcome=failure");
	EXPECT(place, "delivery-deferred", "millgate.delivery.recipient=carl@example.net",
		"millgate.delivery.status=deferred", "millgate.delivery.final=false",
		"millgate.delivery.attempt=1", "destination.domain=mx.example.net");
	EXPECT(place, "notification-sent", trace(ID), "email.local_id=" ID,
		"millgate.link.relation=bounce", "millgate.link.child=4jYh184tWVz1bkdW",
		"millgate.link.parent=");
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=4jYh184tWVz1bkdW",
		"email.message_id=dsn@mx.example.org", "millgate.link.relation=bounce",
		"millgate.link.parent=" ID, "millgate.smtp.from=", "organization.id=acme",
		"millgate.delivery.recipient=bounce+7@acme.example");
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 1);
	wait_seconds(place, 600);
	LINES(place,
		"qmgr[12]: " ID ": from=<bounce+7@acme.example>, size=449, nrcpt=3 (queue active)",
		"smtp[14]: " ID ": to=<carl@example.net>, relay=mx.example.net[192.0.2.25]:25, "
		"delay=600, delays=599/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
		"qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded", trace(ID),
		"millgate.delivery.recipient=carl@example.net", "millgate.delivery.attempt=2",
		"millgate.delivery.final=true");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
	assert_int_equal(records(place, MG_TABLE_REPLIES), 4);
	wait_seconds(place, 5 * HOUR);
	expect_no_more(place);
}

static void a_recipient_that_the_client_did_not_give_is_marked_as_added(void **state)
{
	struct join_place *place = *state;

	submit(place, ADDRESSES("[\"ann@example.com\",\"list@example.com\"]"));
	EXPECT(place, "session-linked");
	LINES(place, SENT("ann@example.com", MX),
		"smtp[13]: " ID ": to=<a@example.net>, orig_to=<list@example.com>, relay=" MX
		", delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)",
		"smtp[13]: " ID ": to=<b@example.net>, orig_to=<list@example.com>, relay=" MX
		", delay=1, delays=0/0/1/0, dsn=4.0.0, status=deferred (450 no)",
		SENT("archive@example.org", MX));
	EXPECT(place, "delivery-succeeded", "millgate.delivery.added=");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.recipient=a@example.net",
		"millgate.delivery.orig_recipient=list@example.com",
		"millgate.delivery.added=true");
	EXPECT(place, "delivery-deferred", "millgate.delivery.recipient=b@example.net",
		"millgate.delivery.added=true");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.recipient=archive@example.org",
		"millgate.delivery.orig_recipient=", "millgate.delivery.added=true");
	LINES(place,
		"smtp[13]: " ID ": to=<b@example.net>, orig_to=<list@example.com>, relay=" MX
		", delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)",
		"qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.recipient=b@example.net",
		"millgate.delivery.orig_recipient=list@example.com", "millgate.delivery.added=true",
		"millgate.delivery.attempt=2");
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
}

static void behind_a_smart_host_a_recipient_is_handed_over(void **state)
{
	struct join_place *place = *state;

	submit(place, ANN);
	LINES(place, SENT("ann@example.com", "smtp1.relay.example[198.51.100.77]:587"));
	EXPECT(place, "session-linked");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.status=handed-over",
		"millgate.delivery.final=true");
}

static void what_the_discard_transport_takes_is_not_called_delivered(void **state)
{
	struct join_place *place = *state;

	submit(place, ANN);
	LINES(place, "discard[13]: " ID ": to=<ann@example.com>, relay=none, delay=0.1, "
		     "delays=0.1/0/0/0, dsn=2.0.0, status=sent (silently thrown)");
	EXPECT(place, "session-linked");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.status=discarded",
		"destination.address=", "millgate.delivery.service=discard");
}

static void a_soft_bounce_is_a_deferral(void **state)
{
	struct join_place *place = *state;

	submit(place, ANN);
	LINES(place, "smtp[13]: " ID ": to=<ann@example.com>, relay=none, delay=0.1, "
		     "delays=0.1/0/0/0, dsn=5.4.4, status=SOFTBOUNCE (Host not found)");
	EXPECT(place, "session-linked");
	EXPECT(place, "delivery-deferred", "millgate.delivery.status=deferred",
		"millgate.delivery.dsn=5.4.4");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 1);
}

static void verifying_an_address_is_no_delivery(void **state)
{
	struct join_place *place = *state;

	LINES(place, "cleanup[11]: " ID ": message-id=<probe@mx.example.org>",
		"qmgr[12]: " ID ": from=<double-bounce@mx.example.org>, size=300, nrcpt=1 (queue "
		"active)");
	wait_seconds(place, 3);
	LINES(place,
		"smtp[13]: " ID ": to=<ann@example.com>, relay=" MX ", delay=1, delays=0/0/1/0, "
		"dsn=2.1.5, status=deliverable (250 2.1.5 Ok)",
		"qmgr[12]: " ID ": removed");
	wait_seconds(place, 40 * 24 * HOUR);
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
	assert_int_equal(records(place, MG_TABLE_PRIVATE + 1), 0);
}

static void an_expired_message_expires_for_each_recipient_that_is_open(void **state)
{
	struct join_place *place = *state;

	submit(place, ADDRESSES("[\"ann@example.com\",\"bob@example.com\",\"carl@example.net\"]"));
	LINES(place, SENT("ann@example.com", MX),
		"smtp[13]: " ID ": to=<bob@example.com>, relay=none, delay=1, delays=0/0/1/0, "
		"dsn=4.4.1, status=deferred (connect to mx.example.com[198.51.100.9]:25: "
		"Connection refused)",
		"qmgr[12]: " ID
		": from=<bounce+7@acme.example>, status=expired, returned to sender",
		"cleanup[11]: 4jYh184tWVz1bkdW: message-id=<dsn@mx.example.org>",
		"bounce[15]: " ID ": sender non-delivery notification: 4jYh184tWVz1bkdW",
		"qmgr[12]: " ID ": removed");
	EXPECT(place, "session-linked");
	EXPECT(place, "delivery-succeeded");
	EXPECT(place, "delivery-deferred",
		"millgate.delivery.reply.text=connect to mx.example.com[198.51.100.9]:25: "
		"Connection refused");
	EXPECT(place, "delivery-expired", trace(ID), "millgate.delivery.recipient=bob@example.com",
		"millgate.delivery.status=expired", "millgate.delivery.final=true",
		"millgate.delivery.attempt=1", "millgate.delivery.dsn=4.4.1",
		"millgate.delivery.reply.text=connect to mx.example.com[198.51.100.9]:25: "
		"Connection refused");
	EXPECT(place, "delivery-expired", "millgate.delivery.recipient=carl@example.net",
		"millgate.delivery.attempt=0");
	EXPECT(place, "notification-sent");
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
	assert_int_equal(records(place, MG_TABLE_REPLIES), 3);
}

static void without_logs_event_recipients_are_those_of_the_deliveries(void **state)
{
	struct join_place *place = *state;

	LINES(place, "pickup[10]: " ID ": uid=1000 from=<ann>",
		"cleanup[11]: " ID ": message-id=<7@acme.example>",
		"qmgr[12]: " ID ": from=<ann@acme.example>, size=449, nrcpt=1 (queue active)",
		"local[13]: " ID ": to=<bob@acme.example>, orig_to=<bob>, relay=local, delay=0.1, "
		"delays=0/0/0/0.1, dsn=4.2.0, status=deferred (disk full)");
	EXPECT(place, "delivery-deferred", trace(ID), "email.message_id=7@acme.example",
		"email.sender.address=ann@acme.example",
		"source.ip=", "millgate.delivery.recipient=bob@acme.example",
		"millgate.delivery.orig_recipient=bob", "millgate.delivery.added=",
		"destination.address=", "millgate.delivery.service=local");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 1);
	wait_seconds(place, 4 * HOUR);
	EXPECT(place, "delivery-overdue", "millgate.delivery.recipient=bob@acme.example");
	expect_no_more(place);
}

static void a_delivery_of_a_message_that_is_not_known_is_told(void **state)
{
	struct join_place *place = *state;

	LINES(place, SENT("ann@example.com", MX), "qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded", trace(ID), "email.local_id=" ID,
		"millgate.delivery.recipient=ann@example.com", "email.sender.address=");
	expect_no_more(place);
}

static void encryption_is_that_of_the_connection_which_the_message_went_over(void **state)
{
	struct join_place *place = *state;

	LINES(place,
		"smtp[13]: Untrusted TLS connection established to " MX
		": TLSv1.2 with cipher X (256/256 bits)",
		SENT("ann@example.com", MX), SENT("bob@example.com", MX),
		"smtp[13]: 4jYh2KpBvXz1bkfR: to=<carl@example.com>, relay=" MX
		", conn_use=2, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)",
		"smtp[13]: 4jYh2KpBvXz1bkfS: to=<dora@example.com>, relay=" MX
		", delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)",
		"smtp[13]: 4jYh2KpBvXz1bkfT: to=<eve@example.com>, relay=mx2.example.com"
		"[198.51.100.10]:25, conn_use=3, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent "
		"(250 ok)",
		"smtp[14]: 4jYh2KpBvXz1bkfV: to=<eve@example.com>, relay=" MX ", delay=1, "
		"delays=0/0/1/0, tls=verified/Reused, dsn=2.0.0, status=sent (250 ok)");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.tls=Untrusted",
		"millgate.delivery.tls_version=1.2");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.tls=Untrusted");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.tls=Untrusted",
		"email.local_id=4jYh2KpBvXz1bkfR");
	EXPECT(place, "delivery-succeeded",
		"millgate.delivery.tls=", "email.local_id=4jYh2KpBvXz1bkfS");
	EXPECT(place, "delivery-succeeded",
		"millgate.delivery.tls=", "email.local_id=4jYh2KpBvXz1bkfT");
	EXPECT(place, "delivery-succeeded", "email.local_id=4jYh2KpBvXz1bkfV");
	assert_string_not_equal(field_of_last(place, "millgate.delivery.tls"), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_message_is_followed_from_its_client_to_its_delivery),
		TEST(three_recipients_each_have_their_story_and_the_bounce_belongs_to_it),
		TEST(a_recipient_that_the_client_did_not_give_is_marked_as_added),
		TEST(behind_a_smart_host_a_recipient_is_handed_over),
		TEST(what_the_discard_transport_takes_is_not_called_delivered),
		TEST(a_soft_bounce_is_a_deferral),
		TEST(verifying_an_address_is_no_delivery),
		TEST(an_expired_message_expires_for_each_recipient_that_is_open),
		TEST(without_logs_event_recipients_are_those_of_the_deliveries),
		TEST(a_delivery_of_a_message_that_is_not_known_is_told),
		TEST(encryption_is_that_of_the_connection_which_the_message_went_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
