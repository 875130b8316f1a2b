/* SPDX-License-Identifier: ISC */
/* Lines that Postfix writes otherwise since some release after 3.7: RELEASE_NOTES of 3.9, 3.10 and
 * 3.11, smtpd.c (smtpd_whatsup), log_adhoc.c, bounce_notify_service.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "line_case.h"

static void an_abnormal_end_has_a_queue_id_since_3_10(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd", "NOQUEUE: lost connection after EHLO from unknown[192.0.2.1]:40394",
			   "lost client.name=unknown | client.address=192.0.2.1 | "
			   "client.port=40394 | word=lost connection | stage=EHLO"},
		{"smtpd", "NOQUEUE: timeout after RCPT from unknown[192.0.2.1]:40394",
			"lost client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40394 | word=timeout | stage=RCPT"},
		{"smtpd", "NOQUEUE: too many errors after UNKNOWN from unknown[192.0.2.1]:40394",
			"lost client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40394 | word=too many errors | stage=UNKNOWN"},
		{"smtpd",
			"4jYh153qZyz1bkdK: lost connection after DATA (24 bytes) from "
			"unknown[2001:db8::1]:40394",
			"lost queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			"client.address=2001:db8::1 | client.port=40394 | word=lost connection "
			"| stage=DATA | size=24"},
		{"smtpd",
			"4jYh153qZyz1bkdK: lost connection after BDAT (0 bytes) from "
			"unknown[192.0.2.1]",
			"lost queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			"client.address=192.0.2.1 | word=lost connection | stage=BDAT | size=0"},
		{"smtpd",
			"4jYh153qZyz1bkdK: timeout after END-OF-MESSAGE from "
			"unknown[192.0.2.1]:40394",
			"lost queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			"client.address=192.0.2.1 | client.port=40394 | word=timeout | "
			"stage=END-OF-MESSAGE"});
}

static void a_message_that_was_refused_is_removed_since_3_10(void **state)
{
	(void)state;
	LINE_CHECK({"cleanup", "4jYh153qZyz1bkdK: removed (canceled)",
		"removed queue_id=4jYh153qZyz1bkdK | word=canceled"});
	LINE_CHECK({"cleanup", "4jYh153qZyz1bkdK: removed (discarded)",
		"removed queue_id=4jYh153qZyz1bkdK | word=discarded"});
}

static void a_hold_by_a_milter_has_its_reason_since_3_10(void **state)
{
	(void)state;
	LINE_CHECK({"cleanup",
			   "4jYh153qZyz1bkdK: milter-hold: END-OF-MESSAGE from "
			   "unknown[192.0.2.1]: millgate cards; from=<a@x.example> "
			   "to=<u@y.example> proto=ESMTP helo=<client.example.com>",
			   "hold queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			   "client.address=192.0.2.1 | word=milter-hold | stage=END-OF-MESSAGE | "
			   "from=a@x.example | to=u@y.example | helo=client.example.com | "
			   "proto=ESMTP | text=millgate cards"},
		{"cleanup",
			"4jYh153qZyz1bkdK: milter-hold: END-OF-MESSAGE from "
			"unknown[192.0.2.1]: default_action; from=<a@x.example> "
			"to=<u@y.example> proto=ESMTP helo=<client.example.com>",
			"hold queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			"client.address=192.0.2.1 | word=milter-hold | stage=END-OF-MESSAGE | "
			"from=a@x.example | to=u@y.example | helo=client.example.com | "
			"proto=ESMTP | text=default_action"},
		{"smtpd",
			"NOQUEUE: milter-hold: CONNECT from unknown[192.0.2.1]:40394: "
			"default_action; proto=SMTP",
			"hold client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40394 | word=milter-hold | stage=CONNECT | proto=SMTP | "
			"text=default_action"});
}

static void a_refusal_names_the_user_since_3_10(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd",
			   "NOQUEUE: reject: RCPT from app.example.net[203.0.113.5]:40000: 550 "
			   "5.1.1 <u@y.example>: Recipient address rejected: no; "
			   "from=<a@x.example> to=<u@y.example> proto=ESMTP helo=<app> "
			   "sasl_username=<app one@example.net>",
			   "refusal client.name=app.example.net | client.address=203.0.113.5 | "
			   "client.port=40000 | word=reject | stage=RCPT | from=a@x.example | "
			   "to=u@y.example | helo=app | proto=ESMTP | sasl_username=app "
			   "one@example.net | dsn=5.1.1 | text=<u@y.example>: Recipient address "
			   "rejected: no | reply_code=550 | reply_enhanced=5.1.1"},
		{"smtpd",
			"4jYh153qZyz1bkdK: milter-reject: RCPT from "
			"app.example.net[203.0.113.5]:40000: 452 4.7.1 later; "
			"from=<a@x.example> to=<u@y.example> proto=ESMTP helo=<app> "
			"sasl_method=PLAIN sasl_username=app@example.net",
			"refusal queue_id=4jYh153qZyz1bkdK | client.name=app.example.net | "
			"client.address=203.0.113.5 | client.port=40000 | word=milter-reject | "
			"stage=RCPT | from=a@x.example | to=u@y.example | helo=app | "
			"proto=ESMTP | sasl_method=PLAIN | sasl_username=app@example.net | "
			"dsn=4.7.1 | text=later | reply_code=452 | reply_enhanced=4.7.1"},
		{"smtpd",
			"NOQUEUE: milter-reject: MAIL from app.example.net[203.0.113.5]:40000: "
			"550 5.7.1 no; from=<a@x.example> proto=ESMTP helo=<app> "
			"sasl_username=<EXAMPLE\\app>",
			"refusal client.name=app.example.net | client.address=203.0.113.5 | "
			"client.port=40000 | word=milter-reject | stage=MAIL | "
			"from=a@x.example | helo=app | proto=ESMTP | "
			"sasl_username=EXAMPLE\\app | dsn=5.7.1 | text=no | reply_code=550 | "
			"reply_enhanced=5.7.1"});
}

static void a_client_that_ends_lines_badly_is_noted_since_3_9(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd",
			   "disconnect from unknown[192.0.2.1]:40394 ehlo=1 mail=1 rcpt=1 data=1 "
			   "quit=1 commands=5 notes=bare_lf",
			   "disconnect client.name=unknown | client.address=192.0.2.1 | "
			   "client.port=40394 | mails=1 | rcpts_good=1 | rcpts_tried=1"},
		{"smtpd",
			"NOQUEUE: reject: DATA from unknown[192.0.2.1]:40394: bare <LF> "
			"received; from=<a@x.example> to=<u@y.example> proto=ESMTP helo=<x>",
			"refusal client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40394 | word=reject | stage=DATA | from=a@x.example | "
			"to=u@y.example | helo=x | proto=ESMTP | text=bare <LF> received"});
}

static void tls_of_a_delivery_is_told_since_3_11(void **state)
{
	(void)state;
	LINE_CHECK({"smtp",
			   "4jYh153qZyz1bkdK: to=<u@y.example>, "
			   "relay=mx.y.example[203.0.113.9]:25, delay=3.6, "
			   "delays=0.08/0.02/0.85/0.14, tls=dane/requiretls, dsn=2.1.5, "
			   "status=sent (250 2.1.5 Ok)",
			   "delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			   "relay.address=203.0.113.9 | relay.port=25 | to=u@y.example | "
			   "status=sent | dsn=2.1.5 | tls_level=dane/requiretls | text=250 2.1.5 "
			   "Ok | remote=yes | reply_code=250 | reply_enhanced=2.1.5 | delay=3.6 | "
			   "delays[0]=0.08 | delays[1]=0.02 | delays[2]=0.85 | delays[3]=0.14"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<u@y.example>, "
			"relay=mx.y.example[203.0.113.9]:25, delay=3.6, "
			"delays=0.08/0.02/0.85/0.14, tls=dane/!requiretls:nocertmatch, "
			"dsn=5.7.10, status=bounced (REQUIRETLS Failure: no)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | relay.port=25 | to=u@y.example | "
			"status=bounced | dsn=5.7.10 | tls_level=dane/!requiretls:nocertmatch "
			"| text=REQUIRETLS Failure: no | delay=3.6 | delays[0]=0.08 | "
			"delays[1]=0.02 | delays[2]=0.85 | delays[3]=0.14"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<u@y.example>, relay=none, delay=3.6, "
			"delays=0.08/0.02/0.85/0, tls=may?, dsn=4.4.1, status=deferred "
			"(connect to mx.y.example[203.0.113.9]:25: Connection refused)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=none | to=u@y.example "
			"| status=deferred | dsn=4.4.1 | tls_level=may? | text=connect to "
			"mx.y.example[203.0.113.9]:25: Connection refused | delay=3.6 | "
			"delays[0]=0.08 | delays[1]=0.02 | delays[2]=0.85 | delays[3]=0"});
}

static void a_notification_that_could_not_be_queued_is_told_since_3_11(void **state)
{
	(void)state;
	LINE_CHECK({"bounce",
			   "4jYh153qZyz1bkdK: sender notification failed to <a@x.example>: mail "
			   "queue write error",
			   "notification-failed queue_id=4jYh153qZyz1bkdK | to=a@x.example | "
			   "addressee=sender | text=mail queue write error"},
		{"bounce",
			"4jYh153qZyz1bkdK: sender notification failed to <\"a: b> "
			"c\"@x.example>",
			"notification-failed queue_id=4jYh153qZyz1bkdK | to=\"a: b> "
			"c\"@x.example | addressee=sender"},
		{"bounce", "4jYh153qZyz1bkdK: sender non-delivery notification: 4jYh184tWVz1bkdW",
			"notification queue_id=4jYh153qZyz1bkdK | word=non-delivery | "
			"child=4jYh184tWVz1bkdW | addressee=sender"});
}

static void a_failed_log_in_has_the_name_since_3_7_8(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd",
			   "warning: unknown[192.0.2.1]:40394: SASL LOGIN authentication failed: "
			   "(reason unavailable), sasl_username=admin",
			   "auth-failed client.name=unknown | client.address=192.0.2.1 | "
			   "client.port=40394 | sasl_method=LOGIN | sasl_username=admin | "
			   "text=(reason unavailable)"},
		{"smtpd",
			"warning: unknown[192.0.2.1]: SASL PLAIN authentication failed: "
			"authentication failure, sasl_username=(unavailable)",
			"auth-failed client.name=unknown | client.address=192.0.2.1 | "
			"sasl_method=PLAIN | text=authentication failure"},
		{"smtpd",
			"warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: "
			"UGFzc3dvcmQ6",
			"auth-failed client.name=unknown | client.address=192.0.2.1 | "
			"sasl_method=LOGIN | text=UGFzc3dvcmQ6"},
		{"smtpd", "warning: unknown[192.0.2.1]: SASL PLAIN authentication aborted",
			"auth-failed client.name=unknown | client.address=192.0.2.1 | "
			"sasl_method=PLAIN | text=aborted"});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_abnormal_end_has_a_queue_id_since_3_10),
		cmocka_unit_test(a_message_that_was_refused_is_removed_since_3_10),
		cmocka_unit_test(a_hold_by_a_milter_has_its_reason_since_3_10),
		cmocka_unit_test(a_refusal_names_the_user_since_3_10),
		cmocka_unit_test(a_client_that_ends_lines_badly_is_noted_since_3_9),
		cmocka_unit_test(tls_of_a_delivery_is_told_since_3_11),
		cmocka_unit_test(a_notification_that_could_not_be_queued_is_told_since_3_11),
		cmocka_unit_test(a_failed_log_in_has_the_name_since_3_7_8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
