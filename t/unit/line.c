/* SPDX-License-Identifier: ISC */
#include "track/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "line_case.h"
#include "line_fields.h"

static enum track_reading read_as(
	const char *identifier, const char *text, size_t length, struct track_line *line)
{
	static const char *const instances[] = {"postfix", "postfix-out", NULL};
	const struct track_record record = {.identifier = identifier,
		.identifier_length = strlen(identifier),
		.text = text,
		.length = length};

	return track_line_read(&record, instances, line);
}

static void a_session_has_its_client(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd", "connect from mail.example.net[198.51.100.7]:38670",
		      "connect client.name=mail.example.net | client.address=198.51.100.7 | "
		      "client.port=38670"},
		{"smtpd", "connect from unknown[2001:db8::25]",
			"connect client.name=unknown | client.address=2001:db8::25"},
		{"smtpd", "connect from unknown[unknown]:unknown",
			"connect client.name=unknown | client.address=unknown"},
		{"smtpd",
			"disconnect from unknown[192.0.2.1]:40264 ehlo=2 starttls=1 auth=1/3 "
			"mail=1/2 rcpt=0/1 data=0/1 quit=1 commands=5/7",
			"disconnect client.name=unknown | client.address=192.0.2.1 | "
			"client.port=40264 | auth_tried=3 | auth_good=1 | mails=1 | rcpts_good=0 | "
			"rcpts_tried=1"},
		{"smtpd", "disconnect from unknown[192.0.2.1] commands=0/0",
			"disconnect client.name=unknown | client.address=192.0.2.1"});
}

static void a_message_of_a_session_has_client_and_user(void **state)
{
	(void)state;
	LINE_CHECK({"smtpd", "4jYh153qZyz1bkdK: client=localhost[127.0.0.1]:38670",
		      "client queue_id=4jYh153qZyz1bkdK | client.name=localhost | "
		      "client.address=127.0.0.1 | client.port=38670"},
		{"smtpd",
			"B2F1C40D7A: client=app.example.net[203.0.113.5]:40000, sasl_method=PLAIN, "
			"sasl_username=app@example.net",
			"client queue_id=B2F1C40D7A | client.name=app.example.net | "
			"client.address=203.0.113.5 | client.port=40000 | sasl_method=PLAIN | "
			"sasl_username=app@example.net"},
		{"smtpd",
			"4jYh153qZyz1bkdK: client=localhost[127.0.0.1]:40001, "
			"orig_queue_id=4jYh14XXXXz1bkdJ, orig_client=mail.example.net[198.51.100.7]",
			"client queue_id=4jYh153qZyz1bkdK | client.name=localhost | "
			"client.address=127.0.0.1 | client.port=40001 | "
			"orig_queue_id=4jYh14XXXXz1bkdJ | "
			"orig_client=mail.example.net[198.51.100.7]"});
}

static void the_queue_tells_of_a_message(void **state)
{
	(void)state;
	LINE_CHECK({"cleanup", "0F5383D: message-id=<544D2523.30609@example.net>",
		      "message-id queue_id=0F5383D | message_id=544D2523.30609@example.net"},
		{"cleanup", "0F5383D: message-id=<>", "message-id queue_id=0F5383D | message_id="},
		{"cleanup", "0F5383D: resent-message-id=<a@b.example>",
			"message-id queue_id=0F5383D | word=resent | message_id=a@b.example"},
		{"pickup", "D2FAE20586: uid=102 from=<alice@example.net> orig_id=4jYh153qZyz1bkdK",
			"pickup queue_id=D2FAE20586 | from=alice@example.net | "
			"orig_id=4jYh153qZyz1bkdK | uid=102"},
		{"qmgr",
			"4jYh153qZyz1bkdK: from=<alice@x.example>, size=449, nrcpt=4 (queue active)",
			"active queue_id=4jYh153qZyz1bkdK | from=alice@x.example | size=449 | "
			"recipients=4"},
		{"qmgr", "4jYh153qZyz1bkdK: from=<>, size=449, nrcpt=1 (queue active)",
			"active queue_id=4jYh153qZyz1bkdK | from= | size=449 | recipients=1"},
		{"qmgr", "4jYh153qZyz1bkdK: from=<a@x.example>, status=expired, returned to sender",
			"expired queue_id=4jYh153qZyz1bkdK | word=expired | from=a@x.example"},
		{"qmgr", "4jYh153qZyz1bkdK: removed", "removed queue_id=4jYh153qZyz1bkdK | word="},
		{"bounce", "4jYh153qZyz1bkdK: sender non-delivery notification: 4jYh184tWVz1bkdW",
			"notification queue_id=4jYh153qZyz1bkdK | word=non-delivery | "
			"child=4jYh184tWVz1bkdW | addressee=sender"},
		{"bounce", "264FE1A18: postmaster delay notification: 0A87A1A08",
			"notification queue_id=264FE1A18 | word=delay | child=0A87A1A08 | "
			"addressee=postmaster"},
		{"postsuper", "D4F2023DB: released from hold",
			"operator queue_id=D4F2023DB | word=released"});
}

static void a_delivery_has_all_its_fields(void **state)
{
	(void)state;
	LINE_CHECK({"smtp",
		      "4jYh153qZyz1bkdK: to=<user1@sink.example>, orig_to=<list@x.example>, "
		      "relay=mx.sink.example[203.0.113.9]:25, conn_use=3, delay=0.05, "
		      "delays=0.05/0/0.1/2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as "
		      "4jYh176Sfnz1bkdT)",
		      "delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.sink.example | "
		      "relay.address=203.0.113.9 | relay.port=25 | to=user1@sink.example | "
		      "orig_to=list@x.example | queued_as=4jYh176Sfnz1bkdT | status=sent | "
		      "dsn=2.0.0 | text=250 2.0.0 Ok: queued as 4jYh176Sfnz1bkdT | remote=yes | "
		      "reply_code=250 | reply_enhanced=2.0.0 | delay=0.05 | delays[0]=0.05 | "
		      "delays[1]=0 | delays[2]=0.1 | delays[3]=2 | conn_use=3"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<u@soft.example>, relay=mx.soft.example[2001:db8::9]:25, "
			"delay=4.5, delays=4.5/0/0/0, dsn=4.2.0, status=deferred (host "
			"mx.soft.example[2001:db8::9] said: 450 4.2.0 try again later (in reply to "
			"RCPT TO command))",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=mx.soft.example | "
			"relay.address=2001:db8::9 | relay.port=25 | to=u@soft.example | "
			"status=deferred | dsn=4.2.0 | text=450 4.2.0 try again later | "
			"reply_command=RCPT TO | remote=yes | reply_code=450 | "
			"reply_enhanced=4.2.0 | delay=4.5 | delays[0]=4.5 | delays[1]=0 | "
			"delays[2]=0 | delays[3]=0"},
		{"local",
			"4jYh153qZyz1bkdK: to=<fwd@x.example>, relay=local, delay=13, "
			"delays=13/0/0/0, dsn=2.0.0, status=sent (forwarded as 4jYh176Sfnz1bkdT)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=local | to=fwd@x.example | "
			"child=4jYh176Sfnz1bkdT | status=sent | dsn=2.0.0 | "
			"text=forwarded as 4jYh176Sfnz1bkdT | delay=13 | delays[0]=13 | "
			"delays[1]=0 | delays[2]=0 | delays[3]=0"},
		{"smtp",
			"4jYh153qZyz1bkdK: to=<u@down.example>, relay=none, delay=13, "
			"delays=13/0/0/0, dsn=4.4.1, status=deferred (connect to "
			"192.0.2.7[192.0.2.7]:25: Connection refused)",
			"delivery queue_id=4jYh153qZyz1bkdK | relay.name=none | to=u@down.example | "
			"status=deferred | dsn=4.4.1 | "
			"text=connect to 192.0.2.7[192.0.2.7]:25: Connection refused | delay=13 | "
			"delays[0]=13 | delays[1]=0 | delays[2]=0 | delays[3]=0"});
}

static void the_identifier_has_instance_service_and_program(void **state)
{
	static const struct {
		const char *identifier, *instance, *service, *program;
	} rows[] = {
		{"postfix/smtpd", "postfix", "", "smtpd"},
		{"postfix/submission/smtpd", "postfix", "submission", "smtpd"},
		{"postfix-out/smtpd", "postfix-out", "", "smtpd"},
	};
	struct track_line line;
	char value[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			read_as(rows[i].identifier, "connect from a[192.0.2.1]", 25, &line),
			TRACK_READ);
		line_field(&line, "instance", value, sizeof(value));
		assert_string_equal(value, rows[i].instance);
		line_field(&line, "service", value, sizeof(value));
		assert_string_equal(value, rows[i].service);
		line_field(&line, "program", value, sizeof(value));
		assert_string_equal(value, rows[i].program);
	}
}

static void a_line_of_another_program_is_foreign(void **state)
{
	static const char *const identifiers[] = {"sshd", "postfix-in/smtpd", "postfixx/smtpd",
		"postfix/policyd-spf", "postfix/", "", "/smtpd"};
	struct track_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(identifiers) / sizeof(identifiers[0]); i++)
		assert_int_equal(read_as(identifiers[i], "connect from a[192.0.2.1]", 25, &line),
			TRACK_FOREIGN);
}

static void a_line_that_is_not_understood_has_its_text(void **state)
{
	struct track_line line;
	char value[64];

	(void)state;
	assert_int_equal(read_as("postfix/qmgr", "0F5383D: vanished", 17, &line), TRACK_UNKNOWN);
	assert_true(line_field(&line, "text", value, sizeof(value)));
	assert_string_equal(value, "0F5383D: vanished");
	assert_true(line_field(&line, "program", value, sizeof(value)));
	assert_string_equal(value, "qmgr");
}

static void an_id_is_short_hex_or_long(void **state)
{
	static const char *const good[] = {"0F5383D", "1234ABCDEF", "40197AA", "4jYh153qZyz1bkdK",
		"48rT2v1hQrz1J0N", "ED06590130AA1C9D6D862"};
	static const char *const bad[] = {"", "0F53", "0f5383d", "NOQUEUE", "connect", "warning",
		"4jYh153qZyz", "4jYh153qz1bkdK", "ED06590130AA1C9D6D8621", "0F5383D:", "statistics",
		"4jYh153qZyA1bkdK"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!track_is_queue_id(good[i], strlen(good[i])))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (track_is_queue_id(bad[i], strlen(bad[i])))
			fail_msg("%s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_has_its_client),
		cmocka_unit_test(a_message_of_a_session_has_client_and_user),
		cmocka_unit_test(the_queue_tells_of_a_message),
		cmocka_unit_test(a_delivery_has_all_its_fields),
		cmocka_unit_test(the_identifier_has_instance_service_and_program),
		cmocka_unit_test(a_line_of_another_program_is_foreign),
		cmocka_unit_test(a_line_that_is_not_understood_has_its_text),
		cmocka_unit_test(an_id_is_short_hex_or_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
