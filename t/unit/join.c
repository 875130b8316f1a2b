/* SPDX-License-Identifier: ISC */
/* The story of a message, from lines of Postfix and events of filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "join_place.h"
#include "mail/delivery.h"
#include "mail/message.h"

#define ID "4jYh153qZyz1bkdK"
#define CLIENT "app1.acme.example[203.0.113.5]:39204"
#define HOUR 3600

/* trace.id of a queue id, as "trace.id=…". */
static const char *trace(const char *queue_id)
{
	static char text[64];
	char id[33];

	mg_trace_id("mx.example.org", queue_id, id);
	strcpy(text, "trace.id=");
	strcat(text, id);
	return text;
}

static void accepted(struct join_place *place, const char *recipients)
{
	FILTER(place, "dkim", "message-signed", "email.local_id=" ID);
	FILTER(place, "log", "message-accepted", "email.local_id=" ID,
		"email.message_id=7@acme.example", "email.direction=outbound",
		"organization.id=acme", "millgate.smtp.from=bounce+7@acme.example", recipients);
}

/* A client sends a message, which comes into the queue. */
static void submit(struct join_place *place, const char *recipients)
{
	LINES(place, "submission/smtpd[10]: connect from " CLIENT,
		"submission/smtpd[10]: Anonymous TLS connection established from " CLIENT
		": TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
		"server-signature RSA-PSS (2048 bits) server-digest SHA256",
		"submission/smtpd[10]: " ID ": client=" CLIENT
		", sasl_method=PLAIN, sasl_username=acme-app",
		"cleanup[11]: " ID ": message-id=<7@acme.example>");
	accepted(place, recipients);
	LINES(place,
		"qmgr[12]: " ID ": from=<bounce+7@acme.example>, size=449, nrcpt=1 (queue active)",
		"submission/smtpd[10]: disconnect from " CLIENT
		" ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8");
}

static void a_message_is_followed_from_its_client_to_its_delivery(void **state)
{
	struct join_place *place = *state;

	submit(place, "email.to.address=[\"ann@example.com\"]");
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_message_is_followed_from_its_client_to_its_delivery, join_place_open,
			join_place_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
