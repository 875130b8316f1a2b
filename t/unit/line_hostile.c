/* SPDX-License-Identifier: ISC */
/* Lines in which strangers wrote what looks like the log: addresses as Postfix quotes them, replies
 * of next hops, headers, names. None of it becomes a field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "line_case.h"

static void a_quoted_local_part_ends_no_address(void **state)
{
	(void)state;
	LINE_CHECK({"smtp",
			   "4jYh153qZyz1bkdK: to=<\"x, y> status=sent (fake)\"@a.example>, "
			   "relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, "
			   "dsn=5.1.1, status=bounced (no)",
			   "delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			   "relay.address=203.0.113.9 | relay.port=25 | to=\"x, y> status=sent "
			   "(fake)\"@a.example | status=bounced | dsn=5.1.1 | text=no | delay=3 | "
			   "delays[0]=1 | delays[1]=0 | delays[2]=1 | delays[3]=1"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<\"a\\\">, relay=none, delay=0, delays=0/0/0/0, "
			"dsn=2.0.0, status=sent (250 ok\"@a.example>, "
			"relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, "
			"dsn=5.1.1, status=bounced (no)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | relay.port=25 | to=\"a\\\">, relay=none, "
			"delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok\"@a.example | "
			"status=bounced | dsn=5.1.1 | text=no | delay=3 | delays[0]=1 | "
			"delays[1]=0 | delays[2]=1 | delays[3]=1"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<\"\\\\\"@a.example>, orig_to=<\"b>, "
			"relay=c\"@a.example>, relay=mx.y.example[203.0.113.9]:25, delay=3, "
			"delays=1/0/1/1, dsn=5.1.1, status=bounced (no)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | relay.port=25 | to=\"\\\\\"@a.example | "
			"orig_to=\"b>, relay=c\"@a.example | status=bounced | dsn=5.1.1 | "
			"text=no | delay=3 | delays[0]=1 | delays[1]=0 | delays[2]=1 | "
			"delays[3]=1"},
		{"qmgr",
			"4jYh153qZyz1bkdK: from=<\"a>, size=1, nrcpt=1 (queue "
			"active)\"@x.example>, size=449, nrcpt=4 (queue active)",
			"active queue_id=4jYh153qZyz1bkdK | from=\"a>, size=1, nrcpt=1 (queue "
			"active)\"@x.example | size=449 | recipients=4"},
		{"qmgr",
			"4jYh153qZyz1bkdK: from=<\"a>, status=expired, returned to "
			"sender\"@x.example>, size=449, nrcpt=4 (queue active)",
			"active queue_id=4jYh153qZyz1bkdK | from=\"a>, status=expired, "
			"returned to sender\"@x.example | size=449 | recipients=4"},
		{"pickup",
			"4jYh153qZyz1bkdK: uid=1000 from=<\"a> "
			"orig_id=4jYh184tWVz1bkdW\"@x.example>",
			"pickup queue_id=4jYh153qZyz1bkdK | from=\"a> "
			"orig_id=4jYh184tWVz1bkdW\"@x.example | uid=1000"});
}

static void a_domain_literal_ends_no_address(void **state)
{
	(void)state;
	line_check_unknown("error",
		"4jYh153qZyz1bkdK: to=<a@[x>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, "
		"status=sent (y)]>, relay=none, delay=1, delays=0/0/0/1, dsn=5.1.3, "
		"status=bounced (bad address syntax)");
	line_check_unknown("error",
		"4jYh153qZyz1bkdK: to=<a@[x\\]>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, "
		"status=sent (y)]>, relay=none, delay=1, delays=0/0/0/1, dsn=5.1.3, "
		"status=bounced (bad address syntax)");
	LINE_CHECK({"smtp",
		"4jYh153qZyz1bkdK: to=<a@[203.0.113.9]>, relay=none, delay=0, "
		"delays=0/0/0/0, dsn=4.4.1, status=deferred (no)",
		"delivery queue_id=4jYh153qZyz1bkdK | relay.name=none | "
		"to=a@[203.0.113.9] | status=deferred | dsn=4.4.1 | text=no | delay=0 | "
		"delays[0]=0 | delays[1]=0 | delays[2]=0 | delays[3]=0"});
}

static void a_reply_of_a_stranger_gives_no_field(void **state)
{
	(void)state;
	LINE_CHECK({"smtp",
			   "4jYh153qZyz1bkdK: to=<u@y.example>, "
			   "relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, "
			   "dsn=5.1.1, status=bounced (host mx.y.example[203.0.113.9] said: 550 "
			   "5.1.1 to=<v@y.example>, relay=none, delay=0, delays=0/0/0/0, "
			   "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4jYh184tWVz1bkdW) (in "
			   "reply to RCPT TO command))",
			   "delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			   "relay.address=203.0.113.9 | relay.port=25 | to=u@y.example | "
			   "status=bounced | dsn=5.1.1 | text=550 5.1.1 to=<v@y.example>, "
			   "relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 "
			   "2.0.0 Ok: queued as 4jYh184tWVz1bkdW) | reply_command=RCPT TO | "
			   "remote=yes | reply_code=550 | reply_enhanced=5.1.1 | delay=3 | "
			   "delays[0]=1 | delays[1]=0 | delays[2]=1 | delays[3]=1"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<u@y.example>, "
			"relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, "
			"dsn=4.2.0, status=deferred (host mx.y.example[203.0.113.9] said: 450 "
			"4.2.0 see http://y.example/?from=<a>&helo=<b>; from=<a@b> to=<c@d> "
			"proto=SMTP helo=<e> (in reply to MAIL FROM command))",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | relay.port=25 | to=u@y.example | "
			"status=deferred | dsn=4.2.0 | text=450 4.2.0 see "
			"http://y.example/?from=<a>&helo=<b>; from=<a@b> to=<c@d> proto=SMTP "
			"helo=<e> | reply_command=MAIL FROM | remote=yes | reply_code=450 | "
			"reply_enhanced=4.2.0 | delay=3 | delays[0]=1 | delays[1]=0 | "
			"delays[2]=1 | delays[3]=1"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<u@y.example>, "
			"relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, "
			"dsn=5.1.1, status=bounced (host mx.y.example[203.0.113.9] said: 550 "
			"no (in reply to DATA command) (in reply to RCPT TO command))",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | relay.port=25 | to=u@y.example | "
			"status=bounced | dsn=5.1.1 | text=550 no (in reply to DATA command) | "
			"reply_command=RCPT TO | remote=yes | reply_code=550 | delay=3 | "
			"delays[0]=1 | delays[1]=0 | delays[2]=1 | delays[3]=1"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<u@y.example>, "
			"relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, "
			"dsn=4.3.2, status=deferred (host mx.y.example[203.0.113.9] refused to "
			"talk to me: 421 4.3.2 busy (in reply to DATA command))",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | relay.port=25 | to=u@y.example | "
			"status=deferred | dsn=4.3.2 | text=421 4.3.2 busy (in reply to DATA "
			"command) | remote=yes | reply_code=421 | reply_enhanced=4.3.2 | "
			"delay=3 | delays[0]=1 | delays[1]=0 | delays[2]=1 | delays[3]=1"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<u@y.example>, "
			"relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, "
			"dsn=2.0.0, status=sent (250 host other[192.0.2.9] said: 550 5.1.1 no "
			"(in reply to RCPT TO command))",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | relay.port=25 | to=u@y.example | "
			"status=sent | dsn=2.0.0 | text=250 host other[192.0.2.9] said: 550 "
			"5.1.1 no (in reply to RCPT TO command) | remote=yes | reply_code=250 "
			"| delay=3 | delays[0]=1 | delays[1]=0 | delays[2]=1 | delays[3]=1"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<u@y.example>, "
			"relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, "
			"dsn=2.0.0, status=sent (250 2.0.0 queued as 4jYh184tWVz1bkdW, no: "
			"queued as ../../etc)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | relay.port=25 | to=u@y.example | "
			"status=sent | dsn=2.0.0 | text=250 2.0.0 queued as 4jYh184tWVz1bkdW, "
			"no: queued as ../../etc | remote=yes | reply_code=250 | "
			"reply_enhanced=2.0.0 | delay=3 | delays[0]=1 | delays[1]=0 | "
			"delays[2]=1 | delays[3]=1"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<u@y.example>, "
			"relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, "
			"dsn=2.0.0, status=sent (2500 not a code)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | relay.port=25 | to=u@y.example | "
			"status=sent | dsn=2.0.0 | text=2500 not a code | delay=3 | "
			"delays[0]=1 | delays[1]=0 | delays[2]=1 | delays[3]=1"},
		{"smtp",
			"4jYh153qZyz1bkdK: host mx.y.example[203.0.113.9] said: 450 4.7.1 "
			"status=sent (in reply to end of DATA command)",
			"notice queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | text=450 4.7.1 status=sent | "
			"reply_command=end of DATA | remote=yes | reply_code=450 | "
			"reply_enhanced=4.7.1"});
}

static void what_another_program_says_is_no_reply(void **state)
{
	(void)state;
	LINE_CHECK({"pipe",
			   "4jYh153qZyz1bkdK: to=<u@y.example>, relay=filter, delay=3, "
			   "delays=1/0/0/2, dsn=5.3.0, status=bounced (host mx[192.0.2.9] said: "
			   "550 5.1.1 no (in reply to RCPT TO command))",
			   "delivery queue_id=4jYh153qZyz1bkdK | relay.name=filter | "
			   "to=u@y.example | status=bounced | dsn=5.3.0 | text=host mx[192.0.2.9] "
			   "said: 550 5.1.1 no (in reply to RCPT TO command) | delay=3 | "
			   "delays[0]=1 | delays[1]=0 | delays[2]=0 | delays[3]=2"},
		{"pipe",
			"4jYh153qZyz1bkdK: to=<u@y.example>, relay=filter, delay=3, "
			"delays=1/0/0/2, dsn=2.0.0, status=sent (forwarded as 4jYh184tWVz1bkdW)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=filter | "
			"to=u@y.example | status=sent | dsn=2.0.0 | text=forwarded as "
			"4jYh184tWVz1bkdW | delay=3 | delays[0]=1 | delays[1]=0 | delays[2]=0 "
			"| delays[3]=2"},
		{"local",
			"4jYh153qZyz1bkdK: to=<u@y.example>, relay=local, delay=3, "
			"delays=1/0/0/2, dsn=2.0.0, status=sent (forwarded as 4jYh184tWVz1bkdW "
			"and more)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=local | "
			"to=u@y.example | status=sent | dsn=2.0.0 | text=forwarded as "
			"4jYh184tWVz1bkdW and more | delay=3 | delays[0]=1 | delays[1]=0 | "
			"delays[2]=0 | delays[3]=2"},
		{"discard",
			"4jYh153qZyz1bkdK: to=<u@y.example>, relay=none, delay=3, "
			"delays=1/0/0/2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as "
			"4jYh184tWVz1bkdW)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=none | to=u@y.example "
			"| status=sent | dsn=2.0.0 | text=250 2.0.0 Ok: queued as "
			"4jYh184tWVz1bkdW | delay=3 | delays[0]=1 | delays[1]=0 | delays[2]=0 "
			"| delays[3]=2"});
}

static void a_refused_address_gives_no_context(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd",
			   "NOQUEUE: reject: RCPT from unknown[192.0.2.1]:40264: 554 5.7.1 <a; "
			   "from=<x@y> to=<z@z> proto=SMTP helo=<q> "
			   "sasl_username=<admin>@b.example>: Relay access denied; "
			   "from=<s@x.example> to=<\"a; from=<x@y> to=<z@z> proto=SMTP helo=<q> "
			   "sasl_username=<admin>\"@b.example> proto=ESMTP "
			   "helo=<client.example.com>",
			   "refusal client.name=unknown | client.address=192.0.2.1 | "
			   "client.port=40264 | word=reject | stage=RCPT | from=s@x.example | "
			   "to=\"a; from=<x@y> to=<z@z> proto=SMTP helo=<q> "
			   "sasl_username=<admin>\"@b.example | helo=client.example.com | "
			   "proto=ESMTP | dsn=5.7.1 | text=<a; from=<x@y> to=<z@z> proto=SMTP "
			   "helo=<q> sasl_username=<admin>@b.example>: Relay access denied | "
			   "reply_code=554 | reply_enhanced=5.7.1"},
		{"smtpd",
			"NOQUEUE: reject: RCPT from unknown[192.0.2.1]:40264: 554 5.7.1 <x; "
			"from=<v@v> to=<\"abc\"def@b.example>: Relay access denied; "
			"from=<s@x.example> to=<\"x; from=<v@v> "
			"to=<\\\"abc\\\"def\"@b.example> proto=ESMTP helo=<h>",
			"refusal client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40264 | word=reject | stage=RCPT | from=s@x.example | "
			"to=\"x; from=<v@v> to=<\\\"abc\\\"def\"@b.example | helo=h | "
			"proto=ESMTP | dsn=5.7.1 | text=<x; from=<v@v> "
			"to=<\"abc\"def@b.example>: Relay access denied | reply_code=554 | "
			"reply_enhanced=5.7.1"},
		{"smtpd",
			"NOQUEUE: reject: MAIL from unknown[192.0.2.1]:40264: 550 5.7.1 <s; "
			"proto=SMTP helo=<q> sasl_username=admin>: Sender address rejected: "
			"no; from=<\"s; proto=SMTP helo=<q> sasl_username=admin\"> proto=ESMTP "
			"helo=<h>",
			"refusal client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40264 | word=reject | stage=MAIL | from=\"s; proto=SMTP "
			"helo=<q> sasl_username=admin\" | helo=h | proto=ESMTP | dsn=5.7.1 | "
			"text=<s; proto=SMTP helo=<q> sasl_username=admin>: Sender address "
			"rejected: no | reply_code=550 | reply_enhanced=5.7.1"},
		{"smtpd",
			"NOQUEUE: reject: RCPT from unknown[192.0.2.1]:40264: 450 4.7.1 policy "
			"says; from=<a@b> is bad; from=<s@x.example> to=<u@y.example> "
			"proto=ESMTP helo=<h>",
			"refusal client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40264 | word=reject | stage=RCPT | from=s@x.example | "
			"to=u@y.example | helo=h | proto=ESMTP | dsn=4.7.1 | text=policy says; "
			"from=<a@b> is bad | reply_code=450 | reply_enhanced=4.7.1"},
		{"smtpd",
			"NOQUEUE: milter-reject: EHLO from unknown[192.0.2.1]:40264: 550 5.7.1 "
			"no; proto=SMTP helo=<x> sasl_username=<admin>",
			"refusal client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40264 | word=milter-reject | stage=EHLO | helo=x | "
			"proto=SMTP | dsn=5.7.1 | text=no | reply_code=550 | "
			"reply_enhanced=5.7.1"},
		{"smtpd",
			"NOQUEUE: reject: HELO from unknown[192.0.2.1]:40264: 501 5.5.2 <a; "
			"from=<b@c> proto=SMTP helo=<d>: Helo command rejected: Invalid name; "
			"proto=SMTP helo=<a; from=<b@c> proto=SMTP helo=<d>",
			"refusal client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40264 | word=reject | stage=HELO | helo=d | proto=SMTP | "
			"dsn=5.5.2 | text=<a; from=<b@c> proto=SMTP helo=<d>: Helo command "
			"rejected: Invalid name; proto=SMTP helo=<a | reply_code=501 | "
			"reply_enhanced=5.5.2"},
		{"smtpd",
			"NOQUEUE: reject: RCPT from unknown[192.0.2.1]:40264: 450 4.7.1 "
			"<u@y.example>: no;",
			"refusal client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40264 | word=reject | stage=RCPT | dsn=4.7.1 | "
			"text=<u@y.example>: no; | reply_code=450 | reply_enhanced=4.7.1"});
}

static void a_header_that_looks_like_context_gives_none(void **state)
{
	(void)state;
	LINE_CHECK({"cleanup",
			   "4jYh153qZyz1bkdK: hold: header X: a from h[192.0.2.9]; from=<a@b> "
			   "to=<c@d> proto=SMTP helo=<e>: rule from unknown[192.0.2.1]:4711; "
			   "from=<s@x.example> to=<u@y.example> proto=ESMTP helo=<h>: by check",
			   "hold queue_id=4jYh153qZyz1bkdK | word=hold | stage=header | "
			   "content=X: a from h[192.0.2.9]; from=<a@b> to=<c@d> proto=SMTP "
			   "helo=<e>: rule from unknown[192.0.2.1]:4711; from=<s@x.example> "
			   "to=<u@y.example> proto=ESMTP helo=<h>: by check"},
		{"cleanup",
			"4jYh153qZyz1bkdK: hold: header X: a; from=<a@b> to=<c@d> proto=SMTP "
			"helo=<e> from unknown[192.0.2.1]:4711; from=<s@x.example> "
			"to=<u@y.example> proto=ESMTP helo=<h>: by check",
			"hold queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			"client.address=192.0.2.1 | client.port=4711 | word=hold | "
			"stage=header | from=s@x.example | to=u@y.example | helo=h | "
			"proto=ESMTP | text=by check | content=X: a; from=<a@b> to=<c@d> "
			"proto=SMTP helo=<e>"},
		{"cleanup",
			"4jYh153qZyz1bkdK: reject: header X: from from local; "
			"from=<s@x.example> to=<\"; from=<a@b>: 5.0.0 no\"@y.example>: 4.7.1 "
			"later",
			"refusal queue_id=4jYh153qZyz1bkdK | word=reject | stage=header | "
			"content=X: from from local; from=<s@x.example> to=<\"; from=<a@b>: "
			"5.0.0 no\"@y.example>: 4.7.1 later"},
		{"cleanup",
			"4jYh153qZyz1bkdK: milter-header-hold: header X-Millgate-Hold: cards "
			"from localhost[127.0.0.1]; from=<s@x.example> to=<u@y.example> "
			"proto=ESMTP helo=<h>: millgate cards",
			"hold queue_id=4jYh153qZyz1bkdK | client.name=localhost | "
			"client.address=127.0.0.1 | word=milter-header-hold | stage=header | "
			"from=s@x.example | to=u@y.example | helo=h | proto=ESMTP | "
			"text=millgate cards | content=X-Millgate-Hold: cards"},
		{"cleanup",
			"4jYh153qZyz1bkdK: message-id=<a@b> from=<c@d>, size=1, nrcpt=1 (queue "
			"active)",
			"message-id queue_id=4jYh153qZyz1bkdK | message_id=<a@b> from=<c@d>, "
			"size=1, nrcpt=1 (queue active)"});
}

static void a_user_s_name_gives_no_other_id(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd",
			   "4jYh153qZyz1bkdK: client=unknown[192.0.2.1]:40264, sasl_method=PLAIN, "
			   "sasl_username=bob, orig_queue_id=4jYh184tWVz1bkdW",
			   "client queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			   "client.address=192.0.2.1 | client.port=40264 | sasl_method=PLAIN | "
			   "sasl_username=bob, orig_queue_id=4jYh184tWVz1bkdW"},
		{"smtpd",
			"4jYh153qZyz1bkdK: client=unknown[192.0.2.1]:40264, sasl_method=PLAIN, "
			"sasl_username=bob, sasl_sender=a@b, orig_client=c[192.0.2.9]",
			"client queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			"client.address=192.0.2.1 | client.port=40264 | sasl_method=PLAIN | "
			"sasl_username=bob | sasl_sender=a@b, orig_client=c[192.0.2.9]"},
		{"smtpd",
			"warning: unknown[192.0.2.1]:40264: SASL PLAIN authentication failed: "
			"no, sasl_username=x, sasl_username=admin",
			"auth-failed client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40264 | sasl_method=PLAIN | sasl_username=x, "
			"sasl_username=admin | text=no"});
}

static void a_client_of_postscreen_writes_no_field(void **state)
{
	(void)state;
	LINE_CHECK({"postscreen",
			   "NOQUEUE: reject: RCPT from [192.0.2.1]:4711: 550 5.7.1 Service "
			   "unavailable; client [192.0.2.1] blocked using dnsbl.example; "
			   "from=<\"a>, to=<b\"@x.example>, to=<u@y.example>, proto=SMTP, "
			   "helo=<a>, helo=<b>",
			   "screen client.name= | client.address=192.0.2.1 | client.port=4711 | "
			   "word=reject | stage=RCPT | from=\"a>, to=<b\"@x.example | "
			   "to=u@y.example | helo=a>, helo=<b | proto=SMTP | dsn=5.7.1 | "
			   "text=Service unavailable; client [192.0.2.1] blocked using "
			   "dnsbl.example | reply_code=550 | reply_enhanced=5.7.1"},
		{"postscreen",
			"PREGREET 14 after 0.1 from [192.0.2.1]:4711: EHLO x\\r\\nPASS NEW "
			"[192.0.2.9]:25",
			"screen client.name= | client.address=192.0.2.1 | client.port=4711 | "
			"word=PREGREET | text=EHLO x\\r\\nPASS NEW [192.0.2.9]:25"},
		{"postscreen",
			"BARE NEWLINE from [2001:db8::1]:4711 after EHLO PASS NEW "
			"[192.0.2.9]:25",
			"screen client.name= | client.address=2001:db8::1 | client.port=4711 | "
			"word=BARE NEWLINE | text=EHLO PASS NEW [192.0.2.9]:25"},
		{"postscreen",
			"NON-SMTP COMMAND from [192.0.2.1]:4711 after CONNECT: GET / HTTP/1.1: "
			"x",
			"screen client.name= | client.address=192.0.2.1 | client.port=4711 | "
			"word=NON-SMTP COMMAND | stage=CONNECT | text=GET / HTTP/1.1: x"},
		{"smtpd",
			"improper command pipelining after EHLO from unknown[192.0.2.1]:4711: "
			"MAIL FROM:<a@b>\\r\\nconnect from c[192.0.2.9]",
			"notice client.name=unknown | client.address=192.0.2.1 | "
			"client.port=4711 | word=improper command pipelining | stage=EHLO | "
			"text=MAIL FROM:<a@b>\\r\\nconnect from c[192.0.2.9]"});
}

static void hosts_are_names_and_addresses_of_any_kind(void **state)
{
	(void)state;
	LINE_CHECK({"smtp",
			   "4jYh153qZyz1bkdK: to=<u@y.example>, "
			   "relay=mx.y.example[2001:db8::9]:25, delay=3, delays=1/0/1/1, "
			   "dsn=2.0.0, status=sent (250 Ok)",
			   "delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			   "relay.address=2001:db8::9 | relay.port=25 | to=u@y.example | "
			   "status=sent | dsn=2.0.0 | text=250 Ok | remote=yes | reply_code=250 | "
			   "delay=3 | delays[0]=1 | delays[1]=0 | delays[2]=1 | delays[3]=1"},
		{"smtpd", "connect from fe80.example[fe80::1%eth0]:40264",
			"connect client.name=fe80.example | client.address=fe80::1%eth0 | "
			"client.port=40264"},
		{"smtpd", "connect from v6.example[IPv6:2001:db8::25]:40264",
			"connect client.name=v6.example | client.address=2001:db8::25 | "
			"client.port=40264"},
		{"lmtp",
			"4jYh153qZyz1bkdK: to=<u@y.example>, "
			"relay=mx.example.org[/run/dovecot/lmtp], delay=3, delays=1/0/1/1, "
			"dsn=2.0.0, status=sent (250 2.0.0 <u@y.example> Saved)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.example.org | "
			"relay.address=/run/dovecot/lmtp | to=u@y.example | status=sent | "
			"dsn=2.0.0 | text=250 2.0.0 <u@y.example> Saved | remote=yes | "
			"reply_code=250 | reply_enhanced=2.0.0 | delay=3 | delays[0]=1 | "
			"delays[1]=0 | delays[2]=1 | delays[3]=1"},
		{"lmtp",
			"4jYh153qZyz1bkdK: to=<u@y.example>, "
			"relay=mx.example.org[private/dovecot-lmtp], delay=3, delays=1/0/1/1, "
			"dsn=4.4.2, status=deferred (lost connection with "
			"mx.example.org[private/dovecot-lmtp] while sending end of data -- "
			"message may be sent more than once)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.example.org | "
			"relay.address=private/dovecot-lmtp | to=u@y.example | status=deferred "
			"| dsn=4.4.2 | text=lost connection with "
			"mx.example.org[private/dovecot-lmtp] while sending end of data -- "
			"message may be sent more than once | delay=3 | delays[0]=1 | "
			"delays[1]=0 | delays[2]=1 | delays[3]=1"});
}

static void bytes_that_are_no_utf_8_stay(void **state)
{
	(void)state;
	LINE_CHECK({"smtp",
		"4jYh153qZyz1bkdK: to=<\xfc"
		"ser@y.example>, "
		"relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, "
		"dsn=5.1.1, status=bounced (host mx.y.example[203.0.113.9] said: 550 "
		"5.1.1 n\xf6"
		" (in reply to RCPT TO command))",
		"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
		"relay.address=203.0.113.9 | relay.port=25 | to=\xfc"
		"ser@y.example | "
		"status=bounced | dsn=5.1.1 | text=550 5.1.1 n\xf6"
		" | reply_command=RCPT "
		"TO | remote=yes | reply_code=550 | reply_enhanced=5.1.1 | delay=3 | "
		"delays[0]=1 | delays[1]=0 | delays[2]=1 | delays[3]=1"});
}

static void a_line_that_was_cut_has_what_is_left_of_its_reason(void **state)
{
	(void)state;
	LINE_CHECK({"smtp",
		"4jYh153qZyz1bkdK: to=<u@y.example>, "
		"relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, "
		"dsn=5.1.1, status=bounced (host mx.y.example[203.0.113.9] said: 550 "
		"5.1.1 a long st",
		"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
		"relay.address=203.0.113.9 | relay.port=25 | to=u@y.example | "
		"status=bounced | dsn=5.1.1 | text=550 5.1.1 a long st | remote=yes | "
		"reply_code=550 | reply_enhanced=5.1.1 | delay=3 | delays[0]=1 | "
		"delays[1]=0 | delays[2]=1 | delays[3]=1"});
}

static void a_line_that_is_not_well_formed_is_not_understood(void **state)
{
	(void)state;
	line_check_unknown("smtp",
		"4jYh153qZyz1bkdK: to=<\"open@y.example>, relay=mx.y.example[203.0.113.9]:25, "
		"delay=3, delays=1/0/1/1, dsn=5.1.1, status=bounced (no)");
	line_check_unknown("smtp",
		"4jYh153qZyz1bkdK: to=<a b@y.example>, relay=mx.y.example[203.0.113.9]:25, "
		"delay=3, delays=1/0/1/1, dsn=5.1.1, status=bounced (no)");
	line_check_unknown("smtp",
		"4jYh153qZyz1bkdK: to=<u@y.example> status=sent>, "
		"relay=mx.y.example[203.0.113.9]:25, delay=3, delays=1/0/1/1, dsn=5.1.1, "
		"status=bounced (no)");
	line_check_unknown("smtp",
		"4jYh153qZyz1bkdK: to=<u@y.example>, relay=mx.y.example[203.0.113.9]:25, "
		"delay=3, delays=1/0/1/1, dsn=9.1.1, status=bounced (no)");
	line_check_unknown("smtp",
		"4jYh153qZyz1bkdK: to=<u@y.example>, relay=none, delay=99999999999999999999, "
		"delays=1/0/1/1, dsn=5.1.1, status=bounced (no)");
	line_check_unknown("qmgr",
		"4jYh153qZyz1bkdK: from=<a@x.example>, size=99999999999999999999, nrcpt=1 "
		"(queue active)");
	line_check_unknown("qmgr",
		"4jYh153qZyz1bkdK: from=<a@x.example>, size=1, nrcpt=1 (queue active) and more");
	line_check_unknown("qmgr", "4jYh153qZyz1bkdK: ");
	line_check_unknown("qmgr", "");
	line_check_unknown("qmgr", "removed");
	line_check_unknown("smtpd", "connect from");
	line_check_unknown("smtpd", "connect from a[192.0.2.1");
	line_check_unknown("smtpd", "NOQUEUE: ");
	line_check_unknown("bounce", "4jYh153qZyz1bkdK: sender non-delivery notification: x");
	line_check_unknown("pickup", "4jYh153qZyz1bkdK: uid=0 from=<a@x.example> orig_id=../x");
	line_check_unknown("smtpd", "disconnect from a[192.0.2.1] ehlo");
	line_check_unknown("local", "4jYh153qZyz1bkdK: connect from a[192.0.2.1]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quoted_local_part_ends_no_address),
		cmocka_unit_test(a_domain_literal_ends_no_address),
		cmocka_unit_test(a_reply_of_a_stranger_gives_no_field),
		cmocka_unit_test(what_another_program_says_is_no_reply),
		cmocka_unit_test(a_refused_address_gives_no_context),
		cmocka_unit_test(a_header_that_looks_like_context_gives_none),
		cmocka_unit_test(a_user_s_name_gives_no_other_id),
		cmocka_unit_test(a_client_of_postscreen_writes_no_field),
		cmocka_unit_test(hosts_are_names_and_addresses_of_any_kind),
		cmocka_unit_test(bytes_that_are_no_utf_8_stay),
		cmocka_unit_test(a_line_that_was_cut_has_what_is_left_of_its_reason),
		cmocka_unit_test(a_line_that_is_not_well_formed_is_not_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
