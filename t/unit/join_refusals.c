/* SPDX-License-Identifier: ISC */
/* What did not pass: refusals, failed logins, lost clients, holds and discards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "join_place.h"
#include "mail/delivery.h"

#define DORA "mail.example.net[192.0.2.44]:51812"
#define END "submission/smtpd[10]: disconnect from " CLIENT " ehlo=1 mail=1 quit=1 commands=3"
#define CONNECT "smtpd[20]: connect from " DORA
#define DISCONNECT "smtpd[20]: disconnect from " DORA " ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"

static void a_refusal_without_a_queue_id_is_told_and_linked_to_its_session(void **state)
{
	struct join_place *place = *state;

	LINES(place, CONNECT,
		"smtpd[20]: NOQUEUE: reject: RCPT from " DORA
		": 554 5.7.1 <ann@example.org>: Relay access denied; from=<dora@example.net> "
		"to=<ann@example.org> proto=ESMTP helo=<mail.example.net>",
		DISCONNECT);
	EXPECT(place, "message-rejected", "millgate.by=postfix", "millgate.smtp.stage=rcpt",
		"millgate.session.key=192.0.2.44:51812", "source.ip=192.0.2.44",
		"source.domain=mail.example.net", "email.sender.address=dora@example.net",
		"email.to.address=[\"ann@example.org\"]", "millgate.smtp.helo=mail.example.net",
		"millgate.smtp.reply.code=554", "millgate.smtp.reply.enhanced_code=5.7.1",
		"millgate.smtp.reply.text=<ann@example.org>: Relay access denied",
		"trace.id=", "email.local_id=", "millgate.postfix.program=smtpd",
		"event.outcome=failure", "event.category=[\"email\",\"network\"]");
	EXPECT(place, "session-linked", "millgate.session.key=192.0.2.44:51812",
		"millgate.session.refusals=1", "millgate.session.traces=");
	expect_no_more(place);
}

static void a_refusal_for_now_is_a_deferral(void **state)
{
	struct join_place *place = *state;

	LINES(place, CONNECT,
		"smtpd[20]: NOQUEUE: milter-reject: MAIL from " DORA
		": 451 4.7.1 Service unavailable - try again later; from=<dora@example.net> "
		"proto=ESMTP helo=<mail.example.net>");
	EXPECT(place, "message-deferred", "millgate.by=milter", "millgate.smtp.stage=mail",
		"millgate.smtp.reply.code=451", "millgate.smtp.reply.enhanced_code=4.7.1");
	expect_no_more(place);
}

static void what_a_filter_of_ours_refused_has_the_filters_event_alone(void **state)
{
	struct join_place *place = *state;

	LINES(place, CONNECT,
		"smtpd[20]: NOQUEUE: milter-reject: RCPT from " DORA
		": 550 5.7.10 Encryption required [partners-use-tls 8f3a21c4]; "
		"from=<dora@example.net> to=<ann@example.org> proto=ESMTP helo=<mail.example.net>",
		DISCONNECT);
	EXPECT(place, "session-linked", "millgate.session.refusals=1");
	expect_no_more(place);
}

static void nobody_else_hides_a_refusal_behind_what_looks_like_ours(void **state)
{
	struct join_place *place = *state;

	LINES(place, CONNECT,
		"smtpd[20]: NOQUEUE: reject: RCPT from " DORA
		": 550 5.1.1 User unknown [a 8f3a21c4]; from=<dora@example.net> "
		"to=<ann@example.org> proto=ESMTP helo=<x>",
		"smtpd[20]: NOQUEUE: milter-reject: RCPT from " DORA
		": 550 5.1.1 [CODE 8f3a21c4]; from=<dora@example.net> to=<a@example.org> "
		"proto=ESMTP helo=<x>",
		"smtpd[20]: NOQUEUE: milter-reject: RCPT from " DORA
		": 550 5.1.1 [code 8f3a21c] ; from=<dora@example.net> to=<a@example.org> "
		"proto=ESMTP helo=<x>");
	EXPECT(place, "message-rejected");
	EXPECT(place, "message-rejected");
	EXPECT(place, "message-rejected");
	expect_no_more(place);
}

static void a_message_that_a_later_milter_refused_ends_with_all_its_recipients(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	FILTER(place, "log", "message-accepted", "email.local_id=" ID,
		"millgate.smtp.from=bounce+7@acme.example",
		ADDRESSES("[\"ann@example.com\",\"bob@example.com\"]"));
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 2);
	LINES(place,
		"cleanup[11]: " ID ": milter-reject: END-OF-MESSAGE from "
		"app1.acme.example[203.0.113.5]: 5.7.1 virus; from=<bounce+7@acme.example> "
		"to=<bob@example.com> proto=ESMTP helo=<app1>",
		"submission/smtpd[10]: disconnect from " CLIENT " ehlo=1 mail=1 rcpt=2 data=0/1 "
		"quit=1 commands=5/6");
	EXPECT(place, "message-rejected", trace(ID), "email.local_id=" ID, "millgate.by=milter",
		"millgate.smtp.stage=eom",
		"email.to.address=[\"ann@example.com\",\"bob@example.com\"]",
		"millgate.smtp.reply.code=", "millgate.smtp.reply.enhanced_code=5.7.1",
		"millgate.smtp.reply.text=virus", "user.name=acme-app",
		"millgate.session.key=203.0.113.5:39204", "millgate.smtp.helo=app1");
	EXPECT(place, "session-linked", "millgate.session.refusals=1");
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
	wait_seconds(place, 48 * HOUR);
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_PRIVATE + 1), 0);
}

static void postfix_310_says_canceled_behind_a_refusal_and_nothing_more_comes_of_it(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	LINES(place,
		"cleanup[11]: " ID ": milter-reject: END-OF-MESSAGE from "
		"app1.acme.example[203.0.113.5]: 4.7.1 later; from=<a@acme.example> "
		"to=<bob@example.com> proto=ESMTP helo=<app1>",
		"cleanup[11]: " ID ": removed (canceled)");
	EXPECT(place, "message-deferred", "millgate.smtp.reply.enhanced_code=4.7.1");
	expect_no_more(place);
}

static void a_refusal_of_one_recipient_is_none_of_the_message(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	LINES(place, "submission/smtpd[10]: " ID ": milter-reject: RCPT from " CLIENT
		     ": 452 4.7.1 rate limit exceeded; from=<a@acme.example> to=<r@example.com> "
		     "proto=ESMTP helo=<app1>");
	accept_mail(place, ANN);
	LINES(place, "smtp[13]: " ID
		     ": to=<ann@example.com>, relay=none, delay=1, delays=1/0/0/0, dsn=2.0.0, "
		     "status=sent (250 ok)");
	EXPECT(place, "message-deferred", trace(ID), "millgate.smtp.stage=rcpt",
		"email.to.address=[\"r@example.com\"]");
	EXPECT(place, "session-linked", "millgate.session.refusals=1");
	EXPECT(place, "delivery-succeeded");
	expect_no_more(place);
}

static void a_header_check_that_refuses_ends_the_message(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	LINES(place, "cleanup[11]: " ID ": reject: header Subject: win from "
		     "app1.acme.example[203.0.113.5]; from=<a@acme.example> to=<b@example.com> "
		     "proto=ESMTP helo=<app1>: 5.7.1 no such thing");
	EXPECT(place, "message-rejected", trace(ID), "millgate.by=postfix",
		"millgate.smtp.stage=eom", "email.to.address=[\"b@example.com\"]");
	LINES(place, END);
	EXPECT(place, "session-linked");
	wait_seconds(place, 48 * HOUR);
	expect_no_more(place);
}

static void a_failed_login_tells_who_from_where_and_how(void **state)
{
	struct join_place *place = *state;

	LINES(place, "submission/smtpd[10]: connect from " CLIENT,
		"submission/smtpd[10]: Anonymous TLS connection established from " CLIENT
		": TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
		"submission/smtpd[10]: warning: app1.acme.example[203.0.113.5]: SASL PLAIN "
		"authentication failed: authentication failure, sasl_username=acme-app",
		"submission/smtpd[10]: lost connection after AUTH from " CLIENT,
		"submission/smtpd[10]: disconnect from " CLIENT
		" ehlo=2 starttls=1 auth=0/1 commands=3/4");
	EXPECT(place, "auth-failed", "user.name=acme-app", "source.ip=203.0.113.5",
		"millgate.session.key=203.0.113.5:39204", "millgate.smtp.auth_method=PLAIN",
		"event.reason=authentication failure", "tls.version=1.3",
		"millgate.postfix.program=submission/smtpd", "event.outcome=failure",
		"event.category=[\"authentication\"]");
	EXPECT(place, "connection-lost", "millgate.smtp.stage=auth",
		"user.name=", "event.reason=lost connection",
		"millgate.session.key=203.0.113.5:39204");
	expect_no_more(place);
}

static void a_client_lost_in_its_content_leaves_no_message_in_the_queue(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	LINES(place, "submission/smtpd[10]: lost connection after DATA (24 bytes) from " CLIENT,
		"submission/smtpd[10]: disconnect from " CLIENT " ehlo=1 mail=1 rcpt=1 data=0/1 "
		"commands=3/4");
	EXPECT(place, "connection-lost", "millgate.smtp.stage=data");
	EXPECT(place, "message-unqueued", trace(ID), "email.local_id=" ID,
		"event.reason=lost connection after DATA", "user.name=acme-app");
	EXPECT(place, "session-linked");
	expect_no_more(place);
	wait_seconds(place, 48 * HOUR);
	expect_no_more(place);
}

static void a_client_lost_behind_its_content_may_have_sent_it(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	LINES(place, "submission/smtpd[10]: lost connection after END-OF-MESSAGE from " CLIENT);
	accept_mail(place, ANN);
	EXPECT(place, "connection-lost", "millgate.smtp.stage=eom");
	EXPECT(place, "session-linked");
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 1);
}

static void a_transaction_that_is_reset_never_comes_into_the_queue(void **state)
{
	struct join_place *place = *state;

	LINES(place, "submission/smtpd[10]: connect from " CLIENT,
		"submission/smtpd[10]: 4jYh2KpBvXz1bkfR: client=" CLIENT);
	begin_mail(place);
	EXPECT(place, "message-unqueued", trace("4jYh2KpBvXz1bkfR"),
		"event.reason=the client ended it before its content");
	EXPECT(place, "session-linked", "event.reason=");
	accept_mail(place, ANN);
	EXPECT(place, "session-linked");
	expect_no_more(place);
}

static void what_postfix_itself_holds_is_told_and_so_is_its_release(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	FILTER(place, "log", "message-accepted", "email.local_id=" ID, ANN);
	FILTER(place, "dkim", "message-passed", "email.local_id=" ID);
	LINES(place, "cleanup[11]: " ID ": hold: header X-Hold: 1 from " CLIENT
		     "; from=<a@acme.example> to=<ann@example.com> proto=ESMTP helo=<app1>: hc "
		     "hold reason");
	EXPECT(place, "message-held", trace(ID), "millgate.by=postfix", "millgate.smtp.stage=eom",
		"event.reason=hc hold reason", "email.to.address=[\"ann@example.com\"]");
	LINES(place, END);
	EXPECT(place, "session-linked");
	wait_seconds(place, 24 * HOUR);
	LINES(place, "postsuper[30]: " ID ": released from hold",
		"qmgr[12]: " ID ": from=<a@acme.example>, size=449, nrcpt=1 (queue active)",
		"smtp[13]: " ID ": to=<ann@example.com>, relay=none, delay=1, delays=1/0/0/0, "
		"dsn=2.0.0, status=sent (250 ok)",
		"qmgr[12]: " ID ": removed");
	EXPECT(place, "message-released", trace(ID), "millgate.by=operator");
	EXPECT(place, "delivery-succeeded");
	expect_no_more(place);
	wait_seconds(place, 24 * HOUR);
	expect_no_more(place);
}

static void what_a_filter_of_ours_holds_is_not_told_twice(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	FILTER(place, "dlp", "message-held", "email.local_id=" ID, "millgate.hold.code=cards");
	LINES(place, "cleanup[11]: " ID ": milter-hold: END-OF-MESSAGE from "
		     "app1.acme.example[203.0.113.5]: milter triggers HOLD action; "
		     "from=<a@acme.example> to=<u3@example.com> proto=ESMTP helo=<app1>");
	LINES(place, END);
	EXPECT(place, "session-linked");
	wait_seconds(place, 24 * HOUR);
	expect_no_more(place);
	LINES(place, "postsuper[30]: " ID ": released from hold");
	EXPECT(place, "message-released", "millgate.hold.code=cards");
	/* It was held by quarantine: no later filter has seen it. */
	LINES(place, "qmgr[12]: " ID ": from=<a@acme.example>, size=449, nrcpt=1 (queue active)");
	wait_seconds(place, 3 * HOUR);
	expect_no_more(place);
}

static void the_event_of_a_filters_hold_may_come_behind_the_line(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	LINES(place, "cleanup[11]: " ID ": milter-header-hold: header X-Millgate-Hold: cards from "
		     "app1.acme.example[203.0.113.5]; from=<a@acme.example> "
		     "to=<u3@example.com> proto=ESMTP helo=<app1>: millgate cards");
	wait_seconds(place, 1);
	FILTER(place, "dlp", "message-held", "email.local_id=" ID, "millgate.hold.code=cards");
	LINES(place, END);
	EXPECT(place, "session-linked");
	wait_seconds(place, 3 * HOUR);
	expect_no_more(place);
}

static void what_a_foreign_milter_holds_is_told_once_no_filter_of_ours_says_so(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	FILTER(place, "log", "message-accepted", "email.local_id=" ID, ANN);
	LINES(place, "cleanup[11]: " ID ": milter-hold: END-OF-MESSAGE from "
		     "app1.acme.example[203.0.113.5]: milter triggers HOLD action; "
		     "from=<a@acme.example> to=<ann@example.com> proto=ESMTP helo=<app1>");
	expect_no_more(place);
	wait_seconds(place, 3);
	EXPECT(place, "message-held", trace(ID), "millgate.by=milter",
		"email.to.address=[\"ann@example.com\"]");
	LINES(place, END);
	EXPECT(place, "session-linked");
	wait_seconds(place, 3 * HOUR);
	expect_no_more(place);
}

static void a_quarantine_before_the_queue_id_holds_the_message_that_comes(void **state)
{
	struct join_place *place = *state;

	LINES(place, "submission/smtpd[10]: connect from " CLIENT,
		"submission/smtpd[10]: NOQUEUE: milter-hold: CONNECT from " CLIENT
		": milter triggers HOLD action; proto=SMTP",
		"submission/smtpd[10]: NOQUEUE: milter-hold: MAIL from " CLIENT
		": milter triggers HOLD action; from=<a@acme.example> proto=ESMTP helo=<app1>",
		"submission/smtpd[10]: " ID ": client=" CLIENT,
		"cleanup[11]: " ID ": message-id=<7@acme.example>");
	wait_seconds(place, 3);
	EXPECT(place, "message-held", trace(ID), "millgate.by=milter");
	expect_no_more(place);
}

static void the_operator_holds_and_removes(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	accept_mail(place, ANN);
	EXPECT(place, "session-linked");
	LINES(place, "postsuper[30]: " ID ": placed on hold");
	EXPECT(place, "message-held", trace(ID), "millgate.by=operator",
		"email.to.address=[\"ann@example.com\"]");
	LINES(place, "postsuper[31]: " ID ": removed");
	EXPECT(place, "message-removed", trace(ID), "millgate.by=operator", "event.outcome=success",
		"email.to.address=[\"ann@example.com\"]");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
	wait_seconds(place, 24 * HOUR);
	expect_no_more(place);
}

static void a_discard_is_told_once_by_whoever_made_it(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	FILTER(place, "log", "message-accepted", "email.local_id=" ID, ANN);
	LINES(place, "cleanup[11]: " ID ": milter-discard: END-OF-MESSAGE from "
		     "app1.acme.example[203.0.113.5]: milter triggers DISCARD action; "
		     "from=<a@acme.example> to=<ann@example.com> proto=ESMTP helo=<app1>");
	wait_seconds(place, 3);
	EXPECT(place, "message-discarded", trace(ID), "millgate.by=milter",
		"email.to.address=[\"ann@example.com\"]");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);

	LINES(place, "submission/smtpd[10]: 4jYh2KpBvXz1bkfR: client=" CLIENT,
		"cleanup[11]: 4jYh2KpBvXz1bkfR: message-id=<8@acme.example>");
	FILTER(place, "policy", "message-discarded", "email.local_id=4jYh2KpBvXz1bkfR");
	LINES(place, "cleanup[11]: 4jYh2KpBvXz1bkfR: milter-discard: END-OF-MESSAGE from "
		     "app1.acme.example[203.0.113.5]: milter triggers DISCARD action; "
		     "from=<a@acme.example> to=<ann@example.com> proto=ESMTP helo=<app1>");
	LINES(place, END);
	EXPECT(place, "session-linked");
	wait_seconds(place, 24 * HOUR);
	expect_no_more(place);
}

static void postscreen_refuses_before_there_is_an_smtpd(void **state)
{
	struct join_place *place = *state;

	LINES(place, "postscreen[40]: CONNECT from [192.0.2.44]:51812 to [192.0.2.1]:25",
		"postscreen[40]: NOQUEUE: reject: RCPT from [192.0.2.44]:51812: 550 5.7.1 Service "
		"unavailable; client [192.0.2.44] blocked using bl.example; "
		"from=<dora@example.net>, to=<ann@example.org>, proto=ESMTP, "
		"helo=<mail.example.net>");
	EXPECT(place, "message-rejected", "millgate.by=postfix", "source.ip=192.0.2.44",
		"millgate.session.key=192.0.2.44:51812", "email.sender.address=dora@example.net",
		"millgate.smtp.reply.code=550");
	expect_no_more(place);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_refusal_without_a_queue_id_is_told_and_linked_to_its_session),
		TEST(a_refusal_for_now_is_a_deferral),
		TEST(what_a_filter_of_ours_refused_has_the_filters_event_alone),
		TEST(nobody_else_hides_a_refusal_behind_what_looks_like_ours),
		TEST(a_message_that_a_later_milter_refused_ends_with_all_its_recipients),
		TEST(postfix_310_says_canceled_behind_a_refusal_and_nothing_more_comes_of_it),
		TEST(a_refusal_of_one_recipient_is_none_of_the_message),
		TEST(a_header_check_that_refuses_ends_the_message),
		TEST(a_failed_login_tells_who_from_where_and_how),
		TEST(a_client_lost_in_its_content_leaves_no_message_in_the_queue),
		TEST(a_client_lost_behind_its_content_may_have_sent_it),
		TEST(a_transaction_that_is_reset_never_comes_into_the_queue),
		TEST(what_postfix_itself_holds_is_told_and_so_is_its_release),
		TEST(what_a_filter_of_ours_holds_is_not_told_twice),
		TEST(the_event_of_a_filters_hold_may_come_behind_the_line),
		TEST(what_a_foreign_milter_holds_is_told_once_no_filter_of_ours_says_so),
		TEST(a_quarantine_before_the_queue_id_holds_the_message_that_comes),
		TEST(the_operator_holds_and_removes),
		TEST(a_discard_is_told_once_by_whoever_made_it),
		TEST(postscreen_refuses_before_there_is_an_smtpd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
