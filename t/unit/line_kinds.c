/* SPDX-License-Identifier: ISC */
/* Lines of each kind, as Postfix 3.7 writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "line_case.h"

static void a_refused_command_has_its_reply_and_context(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd",
			   "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 "
			   "<b@y.example>: Recipient address rejected: policy says no; "
			   "from=<a@x.example> to=<b@y.example> proto=ESMTP helo=<vm>",
			   "refusal client.name=unknown | client.address=192.0.2.1 | word=reject "
			   "| stage=RCPT | from=a@x.example | to=b@y.example | helo=vm | "
			   "proto=ESMTP | dsn=5.7.1 | text=<b@y.example>: Recipient address "
			   "rejected: policy says no | reply_code=554 | reply_enhanced=5.7.1"},
		{"smtpd",
			"NOQUEUE: reject: CONNECT from unknown[192.0.2.1]:33322: 554 5.7.1 "
			"<unknown[192.0.2.1]>: Client host rejected: Access denied; proto=SMTP",
			"refusal client.name=unknown | client.address=192.0.2.1 | "
			"client.port=33322 | word=reject | stage=CONNECT | proto=SMTP | "
			"dsn=5.7.1 | text=<unknown[192.0.2.1]>: Client host rejected: Access "
			"denied | reply_code=554 | reply_enhanced=5.7.1"},
		{"smtpd",
			"4jYh153qZyz1bkdK: milter-reject: RCPT from "
			"localhost[127.0.0.1]:40264: 452 4.7.1 rate limit exceeded, retry "
			"later; from=<> to=<r@x.example> proto=ESMTP helo=<client.example.com>",
			"refusal queue_id=4jYh153qZyz1bkdK | client.name=localhost | "
			"client.address=127.0.0.1 | client.port=40264 | word=milter-reject | "
			"stage=RCPT | from= | to=r@x.example | helo=client.example.com | "
			"proto=ESMTP | dsn=4.7.1 | text=rate limit exceeded, retry later | "
			"reply_code=452 | reply_enhanced=4.7.1"},
		{"cleanup",
			"4jYh153qZyz1bkdK: milter-reject: END-OF-MESSAGE from "
			"localhost[127.0.0.1]: 5.7.1 no; from=<a@x.example> to=<b@x.example> "
			"proto=ESMTP helo=<vm>",
			"refusal queue_id=4jYh153qZyz1bkdK | client.name=localhost | "
			"client.address=127.0.0.1 | word=milter-reject | stage=END-OF-MESSAGE "
			"| from=a@x.example | to=b@x.example | helo=vm | proto=ESMTP | "
			"dsn=5.7.1 | text=no"},
		{"cleanup",
			"4jYh153qZyz1bkdK: reject: header Subject: x from "
			"localhost[127.0.0.1]:4711; from=<a@x.example> to=<b@x.example> "
			"proto=ESMTP helo=<vm>: 5.7.1 by check",
			"refusal queue_id=4jYh153qZyz1bkdK | client.name=localhost | "
			"client.address=127.0.0.1 | client.port=4711 | word=reject | "
			"stage=header | from=a@x.example | to=b@x.example | helo=vm | "
			"proto=ESMTP | dsn=5.7.1 | text=by check | content=Subject: x"},
		{"cleanup",
			"4jYh153qZyz1bkdK: reject: mime-error improper use of 8-bit data in "
			"message header: X: ? from local; from=<a@x.example> to=<b@x.example>",
			"refusal queue_id=4jYh153qZyz1bkdK | word=reject | stage=mime-error | "
			"from=a@x.example | to=b@x.example | content=improper use of 8-bit "
			"data in message header: X: ?"},
		{"smtpd",
			"4jYh153qZyz1bkdK: reject: DATA from unknown[192.0.2.1]: 421 4.3.0 "
			"mx.example.org Server local data error",
			"refusal queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			"client.address=192.0.2.1 | word=reject | stage=DATA | dsn=4.3.0 | "
			"text=mx.example.org Server local data error | reply_code=421 | "
			"reply_enhanced=4.3.0"},
		{"smtpd",
			"proxy-reject: END-OF-MESSAGE: 554 5.7.0 Reject, id=31619-02 - spam; "
			"from=<> to=<u@y.example> proto=SMTP helo=<[192.0.2.1]>",
			"refusal word=proxy-reject | stage=END-OF-MESSAGE | from= | "
			"to=u@y.example | helo=[192.0.2.1] | proto=SMTP | dsn=5.7.0 | "
			"text=Reject, id=31619-02 - spam | remote=yes | reply_code=554 | "
			"reply_enhanced=5.7.0"});
}

static void what_is_held_or_thrown_away_says_why(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd",
			   "NOQUEUE: hold: RCPT from unknown[192.0.2.1]: <b@y.example>: Recipient "
			   "address triggers HOLD action; from=<a@x.example> to=<b@y.example> "
			   "proto=ESMTP helo=<vm>",
			   "hold client.name=unknown | client.address=192.0.2.1 | word=hold | "
			   "stage=RCPT | from=a@x.example | to=b@y.example | helo=vm | "
			   "proto=ESMTP | text=<b@y.example>: Recipient address triggers HOLD "
			   "action"},
		{"cleanup",
			"4jYh153qZyz1bkdK: milter-hold: END-OF-MESSAGE from "
			"localhost[127.0.0.1]: milter triggers HOLD action; from=<a@x.example> "
			"to=<b@x.example> proto=ESMTP helo=<vm>",
			"hold queue_id=4jYh153qZyz1bkdK | client.name=localhost | "
			"client.address=127.0.0.1 | word=milter-hold | stage=END-OF-MESSAGE | "
			"from=a@x.example | to=b@x.example | helo=vm | proto=ESMTP | "
			"text=milter triggers HOLD action"},
		{"cleanup",
			"4jYh153qZyz1bkdK: hold: body secret words from local; "
			"from=<a@x.example> to=<b@x.example>: looked at",
			"hold queue_id=4jYh153qZyz1bkdK | word=hold | stage=body | "
			"from=a@x.example | to=b@x.example | text=looked at | content=secret "
			"words"},
		{"smtpd",
			"NOQUEUE: milter-discard: MAIL from unknown[192.0.2.1]:4711: milter "
			"triggers DISCARD action; from=<a@x.example> proto=ESMTP helo=<vm>",
			"discard client.name=unknown | client.address=192.0.2.1 | "
			"client.port=4711 | word=milter-discard | stage=MAIL | "
			"from=a@x.example | helo=vm | proto=ESMTP | text=milter triggers "
			"DISCARD action"},
		{"cleanup",
			"4jYh153qZyz1bkdK: milter-header-discard: header X-A: b from "
			"unknown[192.0.2.1]; from=<a@x.example> to=<b@x.example> proto=ESMTP "
			"helo=<vm>: ",
			"discard queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			"client.address=192.0.2.1 | word=milter-header-discard | stage=header "
			"| from=a@x.example | to=b@x.example | helo=vm | proto=ESMTP | text= | "
			"content=X-A: b"});
}

static void other_actions_are_notices(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd",
			   "NOQUEUE: reject_warning: RCPT from unknown[192.0.2.1]: 504 5.5.2 <u>: "
			   "Recipient address rejected: need fully-qualified address; "
			   "from=<a@x.example> to=<u> proto=ESMTP helo=<vm>",
			   "notice client.name=unknown | client.address=192.0.2.1 | "
			   "word=reject_warning | stage=RCPT | from=a@x.example | to=u | helo=vm "
			   "| proto=ESMTP | dsn=5.5.2 | text=<u>: Recipient address rejected: "
			   "need fully-qualified address | reply_code=504 | reply_enhanced=5.5.2"},
		{"smtpd",
			"4jYh153qZyz1bkdK: filter: RCPT from unknown[192.0.2.1]: "
			"<b@y.example>: Recipient address triggers FILTER "
			"smtp:[127.0.0.1]:10024; from=<a@x.example> to=<b@y.example> "
			"proto=ESMTP helo=<vm>",
			"notice queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			"client.address=192.0.2.1 | word=filter | stage=RCPT | "
			"from=a@x.example | to=b@y.example | helo=vm | proto=ESMTP | "
			"text=<b@y.example>: Recipient address triggers FILTER "
			"smtp:[127.0.0.1]:10024"},
		{"cleanup",
			"4jYh153qZyz1bkdK: prepend: header X-A: b from unknown[192.0.2.1]; "
			"from=<a@x.example> to=<b@x.example> proto=ESMTP helo=<vm>: X-B: c",
			"notice queue_id=4jYh153qZyz1bkdK | client.name=unknown | "
			"client.address=192.0.2.1 | word=prepend | stage=header | "
			"from=a@x.example | to=b@x.example | helo=vm | proto=ESMTP | text=X-B: "
			"c | content=X-A: b"},
		{"smtpd", "NOQUEUE: client=unknown[192.0.2.1]:4711",
			"client client.name=unknown | client.address=192.0.2.1 | "
			"client.port=4711"},
		{"smtpd",
			"proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as "
			"4jYh184tWVz1bkdW; from=<a@x.example> to=<b@y.example> proto=ESMTP "
			"helo=<vm>",
			"notice word=proxy-accept | stage=END-OF-MESSAGE | from=a@x.example | "
			"to=b@y.example | helo=vm | proto=ESMTP | queued_as=4jYh184tWVz1bkdW | "
			"dsn=2.0.0 | text=Ok: queued as 4jYh184tWVz1bkdW | remote=yes | "
			"reply_code=250 | reply_enhanced=2.0.0"});
}

static void tls_has_its_version_cipher_and_level(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd",
			   "Anonymous TLS connection established from unknown[192.0.2.1]:4711: "
			   "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) "
			   "key-exchange X25519 server-signature RSA-PSS (2048 bits) "
			   "server-digest SHA256",
			   "tls-in client.name=unknown | client.address=192.0.2.1 | "
			   "client.port=4711 | tls_version=TLSv1.3 | "
			   "tls_cipher=TLS_AES_256_GCM_SHA384 | tls_level=Anonymous"},
		{"smtpd",
			"Trusted TLS connection established from unknown[192.0.2.1]:4711 to "
			"mail.example.org: TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 "
			"(256/256 bits)",
			"tls-in client.name=unknown | client.address=192.0.2.1 | "
			"client.port=4711 | tls_version=TLSv1.2 | "
			"tls_cipher=ECDHE-RSA-AES256-GCM-SHA384 | tls_level=Trusted"},
		{"tlsproxy",
			"Anonymous TLS connection established from [192.0.2.1]:4711: TLSv1.3 "
			"with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
			"tls-in client.name= | client.address=192.0.2.1 | client.port=4711 | "
			"tls_version=TLSv1.3 | tls_cipher=TLS_AES_256_GCM_SHA384 | "
			"tls_level=Anonymous"},
		{"smtp",
			"Verified TLS connection established to mx.y.example[203.0.113.9]:25: "
			"TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
			"tls-out relay.name=mx.y.example | relay.address=203.0.113.9 | "
			"relay.port=25 | word=Verified | tls_version=TLSv1.3 | "
			"tls_cipher=TLS_AES_256_GCM_SHA384 | tls_level=Verified"},
		{"smtp",
			"Untrusted TLS connection reused to mx.y.example[203.0.113.9]:25: "
			"TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
			"tls-out relay.name=mx.y.example | relay.address=203.0.113.9 | "
			"relay.port=25 | word=Untrusted | tls_version=TLSv1.3 | "
			"tls_cipher=TLS_AES_256_GCM_SHA384 | tls_level=Untrusted"},
		{"smtpd", "SSL_accept error from unknown[192.0.2.1]:4711: lost connection",
			"notice client.name=unknown | client.address=192.0.2.1 | "
			"client.port=4711 | word=SSL_accept error | text=lost connection"},
		{"smtp",
			"certificate verification failed for mx.y.example[203.0.113.9]:25: "
			"untrusted issuer /CN=x",
			"notice relay.name=mx.y.example | relay.address=203.0.113.9 | "
			"relay.port=25 | word=certificate verification failed | text=untrusted "
			"issuer /CN=x"},
		{"smtpd",
			"certificate verification failed for client.example[192.0.2.1]:4711: "
			"self-signed certificate",
			"notice client.name=client.example | client.address=192.0.2.1 | "
			"client.port=4711 | word=certificate verification failed | "
			"text=self-signed certificate"},
		{"smtpd", "setting up TLS connection from unknown[192.0.2.1]:4711", "none"});
}

static void a_client_of_smtp_says_what_it_met(void **state)
{
	(void)state;
	LINE_CHECK({"smtp", "connect to mx.y.example[203.0.113.9]:25: Connection timed out",
			   "notice relay.name=mx.y.example | relay.address=203.0.113.9 | "
			   "relay.port=25 | word=connect | text=Connection timed out"},
		{"smtp",
			"4jYh153qZyz1bkdK: lost connection with mx.y.example[203.0.113.9] "
			"while receiving the initial server greeting",
			"notice queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | word=lost connection | text=receiving the "
			"initial server greeting"},
		{"smtp",
			"4jYh153qZyz1bkdK: conversation with mx.y.example[203.0.113.9] timed "
			"out while sending RCPT TO",
			"notice queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | word=timeout | text=sending RCPT TO"},
		{"smtp",
			"4jYh153qZyz1bkdK: host mx.y.example[203.0.113.9] said: 451 4.3.2 "
			"later (in reply to MAIL FROM command)",
			"notice queue_id=4jYh153qZyz1bkdK | relay.name=mx.y.example | "
			"relay.address=203.0.113.9 | text=451 4.3.2 later | reply_command=MAIL "
			"FROM | remote=yes | reply_code=451 | reply_enhanced=4.3.2"},
		{"smtp", "4jYh153qZyz1bkdK: Cannot start TLS: handshake failure",
			"notice queue_id=4jYh153qZyz1bkdK | text=Cannot start TLS: handshake "
			"failure"},
		{"smtp", "4jYh153qZyz1bkdK: breaking line > 998 bytes with <CR><LF>SPACE",
			"none queue_id=4jYh153qZyz1bkdK"});
}

static void operators_and_ends_are_told(void **state)
{
	(void)state;
	LINE_CHECK({"postsuper", "4jYh153qZyz1bkdK: placed on hold",
			   "operator queue_id=4jYh153qZyz1bkdK | word=held"},
		{"postsuper", "4jYh153qZyz1bkdK: requeued",
			"operator queue_id=4jYh153qZyz1bkdK | word=requeued"},
		{"postsuper", "4jYh153qZyz1bkdK: removed",
			"operator queue_id=4jYh153qZyz1bkdK | word=removed"},
		{"postsuper", "4jYh153qZyz1bkdK: expired",
			"operator queue_id=4jYh153qZyz1bkdK | word=expired"},
		{"postsuper", "Placed on hold: 67 messages", "none"},
		{"qmgr",
			"4jYh153qZyz1bkdK: from=<a@x.example>, status=force-expired, returned "
			"to sender",
			"expired queue_id=4jYh153qZyz1bkdK | word=force-expired | "
			"from=a@x.example"},
		{"bounce", "4jYh153qZyz1bkdK: undeliverable postmaster notification discarded",
			"none queue_id=4jYh153qZyz1bkdK"},
		{"bounce",
			"4jYh153qZyz1bkdK: not sending trace/success notification for double-bounce message",
			"none queue_id=4jYh153qZyz1bkdK"},
		{"bounce", "4jYh153qZyz1bkdK: no trace file -- not sending a notification",
			"none queue_id=4jYh153qZyz1bkdK"},
		{"qmgr", "4jYh153qZyz1bkdK: skipped, still being delivered",
			"none queue_id=4jYh153qZyz1bkdK"},
		{"qmgr",
			"4jYh153qZyz1bkdK: to=<u@y.example>, relay=none, delay=3, "
			"delays=1/2/0/0, dsn=4.4.1, status=deferred (delivery temporarily "
			"suspended: connect to 192.0.2.9[192.0.2.9]:25: Connection refused)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=none | to=u@y.example "
			"| status=deferred | dsn=4.4.1 | text=delivery temporarily suspended: "
			"connect to 192.0.2.9[192.0.2.9]:25: Connection refused | delay=3 | "
			"delays[0]=1 | delays[1]=2 | delays[2]=0 | delays[3]=0"},
		{"qmgr", "4jYh153qZyz1bkdK: status=deferred (bounce failed)",
			"notice queue_id=4jYh153qZyz1bkdK | word=deferred | text=bounce failed"});
}

static void a_warning_is_all_its_text(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd",
			   "warning: connect to Milter service unix:millgate/log.sock: No such "
			   "file or directory",
			   "milter-down word=warning | text=connect to Milter service "
			   "unix:millgate/log.sock: No such file or directory"},
		{"cleanup",
			"warning: milter inet:127.0.0.1:12590: can't read SMFIC_BODYEOB reply "
			"packet header: Application error",
			"milter-down word=warning | text=milter inet:127.0.0.1:12590: can't "
			"read SMFIC_BODYEOB reply packet header: Application error"},
		{"smtpd",
			"warning: Connection rate limit exceeded: 61 from "
			"unknown[192.0.2.1]:4711 for service smtp",
			"warning client.name=unknown | client.address=192.0.2.1 | "
			"client.port=4711 | word=warning | text=Connection rate limit "
			"exceeded: 61 from unknown[192.0.2.1]:4711 for service smtp"},
		{"qmgr", "warning: 4jYh153qZyz1bkdK: queue file size limit exceeded",
			"warning queue_id=4jYh153qZyz1bkdK | word=warning | "
			"text=4jYh153qZyz1bkdK: queue file size limit exceeded"},
		{"smtpd", "warning: hostname x.example does not resolve to address 192.0.2.1",
			"warning word=warning | text=hostname x.example does not resolve to "
			"address 192.0.2.1"},
		{"master", "fatal: bind 0.0.0.0 port 25: Address already in use",
			"warning word=fatal | text=bind 0.0.0.0 port 25: Address already in use"},
		{"pipe", "panic: something", "warning word=panic | text=something"},
		{"postmap", "error: unsupported dictionary type: hash",
			"warning word=error | text=unsupported dictionary type: hash"});
}

static void postscreen_tells_of_its_clients(void **state)
{
	(void)state;
	LINE_CHECK({"postscreen", "CONNECT from [192.0.2.1]:4711 to [198.51.100.1]:25",
			   "screen client.name= | client.address=192.0.2.1 | client.port=4711 | "
			   "word=CONNECT"},
		{"postscreen", "PASS NEW [2001:db8::1]:4711",
			"screen client.name= | client.address=2001:db8::1 | client.port=4711 | "
			"word=PASS NEW"},
		{"postscreen", "WHITELISTED [192.0.2.1]:4711",
			"screen client.name= | client.address=192.0.2.1 | client.port=4711 | "
			"word=ALLOWLISTED"},
		{"postscreen", "DENYLISTED [192.0.2.1]:4711",
			"screen client.name= | client.address=192.0.2.1 | client.port=4711 | "
			"word=DENYLISTED"},
		{"postscreen", "DNSBL rank 3 for [192.0.2.1]:4711",
			"screen client.name= | client.address=192.0.2.1 | client.port=4711 | "
			"word=DNSBL"},
		{"postscreen", "COMMAND TIME LIMIT from [192.0.2.1]:4711 after MAIL",
			"screen client.name= | client.address=192.0.2.1 | client.port=4711 | "
			"word=COMMAND TIME LIMIT | stage=MAIL"},
		{"postscreen",
			"NOQUEUE: reject: CONNECT from [192.0.2.1]:4711: too many connections",
			"screen client.name= | client.address=192.0.2.1 | client.port=4711 | "
			"word=reject | stage=CONNECT | text=too many connections"},
		{"postscreen",
			"cache lmdb:/var/lib/postfix/postscreen_cache full cleanup: retained=1 "
			"dropped=0 entries",
			"none"});
}

static void lines_of_no_message_are_known(void **state)
{
	(void)state;
	LINE_CHECK({"anvil",
			   "statistics: max connection rate 1/60s for (smtp:192.0.2.1) at Nov 25 "
			   "10:00:17",
			   "none"},
		{"master", "daemon started -- version 3.7.11, configuration /etc/postfix", "none"},
		{"smtpd",
			"table lmdb:/etc/postfix/access(0,lock|fold_fix) has changed -- "
			"restarting",
			"none"},
		{"dnsblog", "addr 192.0.2.1 listed by domain dnsbl.example as 127.0.0.2", "none"},
		{"postfix-script", "starting the Postfix mail system", "none"},
		{"verify",
			"cache btree:/var/lib/postfix/verify_cache full cleanup: retained=0 "
			"dropped=0 entries",
			"none"});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_command_has_its_reply_and_context),
		cmocka_unit_test(what_is_held_or_thrown_away_says_why),
		cmocka_unit_test(other_actions_are_notices),
		cmocka_unit_test(tls_has_its_version_cipher_and_level),
		cmocka_unit_test(a_client_of_smtp_says_what_it_met),
		cmocka_unit_test(operators_and_ends_are_told),
		cmocka_unit_test(a_warning_is_all_its_text),
		cmocka_unit_test(postscreen_tells_of_its_clients),
		cmocka_unit_test(lines_of_no_message_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
