/* SPDX-License-Identifier: ISC */
/* Strangers' text, numbers of strangers' making, and lines that are read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "join_place.h"
#include "mail/delivery.h"

#define ANY ", relay=none, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)"

static void a_reply_is_text_and_nothing_else(void **state)
{
	struct join_place *place = *state;

	LINES(place,
		"smtp[13]: " ID
		": to=<\"x, y> status=sent (fake)\"@sink.example>, relay=mx[192.0.2.66]:25, "
		"delay=1, delays=1/0/0/0, dsn=5.1.1, status=bounced (host mx[192.0.2.66] said: "
		"550 5.1.1 trace.id=1, status=sent (250 ok) {\"event\":{\"action\":\"x\"}} "
		"orig_to=<b@example.com> (in reply to RCPT TO command))");
	EXPECT(place, "delivery-failed", trace(ID), "millgate.delivery.status=bounced",
		"millgate.delivery.recipient=\"x, y> status=sent (fake)\"@sink.example",
		"millgate.delivery.orig_recipient=", "millgate.delivery.dsn=5.1.1",
		"millgate.delivery.reply.text=550 5.1.1 trace.id=1, status=sent (250 ok) "
		"{\"event\":{\"action\":\"x\"}} orig_to=<b@example.com>");
	expect_no_more(place);
}

static void a_session_of_very_many_messages_is_linked_in_parts(void **state)
{
	enum { MESSAGES = 250 };
	struct join_place *place = *state;
	char text[100];
	int links = 0;

	LINES(place, "smtpd[10]: connect from " CLIENT);
	for (unsigned i = 0; i < MESSAGES; i++) {
		snprintf(text, sizeof(text), "4jYh153qZyz1b%03u: client=" CLIENT, i);
		line(place, "smtpd", 10, text);
	}
	LINES(place, "smtpd[10]: disconnect from " CLIENT " ehlo=1 mail=250 commands=251");
	for (unsigned i = 0; i < MESSAGES + 3 && place->out_read < place->out_count; i++) {
		if (strstr(place->out[place->out_read], "\"action\":\"session-linked\"") != NULL) {
			EXPECT(place, "session-linked");
			links++;
		} else {
			EXPECT(place, "message-unqueued");
		}
	}
	expect_no_more(place);
	assert_int_equal(links, 3);
	assert_int_equal(records(place, MG_TABLE_PRIVATE), 0);
	wait_seconds(place, 2 * HOUR);
	assert_int_equal(records(place, MG_TABLE_PRIVATE + 1), 0);
}

static void of_a_child_without_parent_no_more_lines_wait_than_a_bound(void **state)
{
	enum { LINES_OF_IT = 200 };
	struct join_place *place = *state;
	char text[200];

	LINES(place, "cleanup[11]: " ID ": message-id=<x>");
	for (unsigned i = 0; i < LINES_OF_IT; i++) {
		snprintf(text, sizeof(text), ID ": to=<r%u@example.com>" ANY, i);
		line(place, "smtp", 13, text);
	}
	/* All are told, in order, once they do not wait any more. */
	for (unsigned i = 0; i < LINES_OF_IT; i++) {
		snprintf(text, sizeof(text), "millgate.delivery.recipient=r%u@example.com", i);
		EXPECT(place, "delivery-succeeded", text);
	}
	expect_no_more(place);
}

static void unknown_lines_are_told_once_a_minute_with_their_number(void **state)
{
	struct join_place *place = *state;

	for (int i = 0; i < 100; i++)
		line(place, "qmgr", 12, "something new in Postfix 4");
	line(place, "smtp", 13, "something new in Postfix 4");
	EXPECT(place, "line-unknown", "millgate.line=something new in Postfix 4",
		"millgate.postfix.program=qmgr", "event.kind=pipeline_error");
	EXPECT(place, "line-unknown", "millgate.postfix.program=smtp");
	expect_no_more(place);
	wait_seconds(place, 61);
	line(place, "qmgr", 12, "something else");
	EXPECT(place, "line-unknown", "millgate.line=something else",
		"event.reason=not understood, and 99 more of this program");
	expect_no_more(place);
}

static void a_loss_is_told_with_its_number(void **state)
{
	struct join_place *place = *state;
	struct mg_error error = {.text = ""};
	struct mg_store_tx *tx = mg_store_begin(place->store, &error);
	struct track_record record = {.utc = place->now,
		.position = "p",
		.text = "Suppressed 12 messages",
		.length = strlen("Suppressed 12 messages"),
		.lost = 12};

	assert_non_null(tx);
	assert_int_equal(track_join_line(place->join, tx, &record, TRACK_FOREIGN, NULL, &error), 0);
	record.lost = INT64_MAX;
	record.position = "q";
	assert_int_equal(track_join_line(place->join, tx, &record, TRACK_FOREIGN, NULL, &error), 0);
	assert_int_equal(mg_store_commit(tx, &error), 0);
	EXPECT(place, "events-lost", "millgate.lost.count=12",
		"event.reason=Suppressed 12 messages");
	EXPECT(place, "events-lost", "millgate.lost.count=");
}

/* One message, with all that can come of it. */
static void play(struct join_place *place)
{
	begin_mail(place);
	accept_mail(place, ADDRESSES("[\"ann@example.com\",\"bob@example.com\"]"));
	LINES(place, "smtp[13]: " ID ": to=<ann@example.com>" ANY,
		"smtp[13]: " ID ": to=<bob@example.com>, relay=none, delay=1, delays=1/0/0/0, "
		"dsn=5.1.1, status=bounced (no)",
		"cleanup[11]: 4jYh184tWVz1bkdW: message-id=<dsn@mx.example.org>",
		"smtp[13]: 4jYh184tWVz1bkdW: to=<bounce+7@acme.example>" ANY,
		"bounce[15]: " ID ": sender non-delivery notification: 4jYh184tWVz1bkdW",
		"qmgr[12]: " ID ": removed", "qmgr[12]: 4jYh184tWVz1bkdW: removed",
		"smtpd[20]: connect from unknown[192.0.2.1]:1",
		"smtpd[20]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]:1: 554 5.7.1 no; "
		"from=<a@b> to=<c@d> proto=ESMTP helo=<x>",
		"smtpd[20]: disconnect from unknown[192.0.2.1]:1 ehlo=1 commands=1");
}

static void lines_that_are_read_again_after_a_crash_make_the_same_events(void **state)
{
	struct join_place *place = *state;
	int64_t began = place->now;
	struct mg_error error = {.text = ""};
	size_t first;
	struct mg_store_tx *tx;

	place->tx = mg_store_begin(place->store, &error);
	assert_non_null(place->tx);
	play(place);
	first = place->out_count;
	assert_true(first > 5);
	/* The crash: nothing of the change is kept. */
	mg_store_end(place->tx);
	place->tx = NULL;
	tx = mg_store_begin(place->store, &error);
	for (unsigned table = 0; table < MG_TABLE_COUNT; table++)
		assert_int_equal(mg_store_count(tx, table, &error), 0);
	mg_store_end(tx);
	place->now = began;
	place->position = 0;
	play(place);
	assert_int_equal(place->out_count, 2 * first);
	for (size_t i = 0; i < first; i++)
		assert_string_equal(place->out[i], place->out[first + i]);
}

static void each_event_of_a_story_has_an_id_of_its_own(void **state)
{
	struct join_place *place = *state;

	play(place);
	for (size_t i = 0; i < place->out_count; i++)
		for (size_t j = i + 1; j < place->out_count; j++) {
			const char *a = strstr(place->out[i], "\"event\":{\"id\":\"");
			const char *b = strstr(place->out[j], "\"event\":{\"id\":\"");

			assert_non_null(a);
			assert_non_null(b);
			assert_int_not_equal(strncmp(a, b, 50), 0);
		}
}

static void an_event_that_cannot_be_written_gives_the_change_up(void **state)
{
	struct join_place *place = *state;

	begin_mail(place);
	accept_mail(place, ANN);
	place->full = true;
	LINES(place, "smtp[13]: " ID ": to=<ann@example.com>" ANY);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 1);
	assert_int_equal(records(place, MG_TABLE_REPLIES), 0);
	place->full = false;
	place->position--;
	LINES(place, "smtp[13]: " ID ": to=<ann@example.com>" ANY);
	skip_to(place, "delivery-succeeded");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.attempt=1");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
}

static void texts_of_any_length_make_records_below_four_kibibytes(void **state)
{
	struct join_place *place = *state;
	char *text = malloc(60000), *many = malloc(50001);

	assert_non_null(text);
	assert_non_null(many);
	memset(many, 'a', 50000);
	many[50000] = '\0';
	LINES(place, "smtpd[10]: connect from " CLIENT);
	snprintf(text, 60000, ID ": client=" CLIENT ", sasl_method=PLAIN, sasl_username=%s", many);
	line(place, "smtpd", 10, text);
	snprintf(text, 60000, ID ": message-id=<%s>", many);
	line(place, "cleanup", 11, text);
	snprintf(text, 60000, ID ": from=<%s>, size=1, nrcpt=1 (queue active)", many);
	line(place, "qmgr", 12, text);
	snprintf(text, 60000,
		ID ": to=<%s@example.com>, orig_to=<%s>, relay=none, delay=1, delays=1/0/0/0, "
		   "dsn=4.0.0, status=deferred (%s)",
		many + 40000, many + 40000, many + 30000);
	line(place, "smtp", 13, text);
	line(place, "smtp", 13, text);
	LINES(place, "qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-deferred", trace(ID), "millgate.delivery.attempt=1");
	EXPECT(place, "delivery-deferred", trace(ID), "millgate.delivery.attempt=2");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
	free(text);
	free(many);
}

static void a_line_without_a_process_id_is_of_no_session(void **state)
{
	struct join_place *place = *state;

	LINES(place, "smtpd[0]: connect from " CLIENT, "smtpd[0]: " ID ": client=" CLIENT,
		"smtpd[0]: disconnect from " CLIENT " ehlo=1 commands=1");
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_PRIVATE), 0);
	LINES(place, "smtp[0]: " ID ": to=<ann@example.com>" ANY);
	wait_seconds(place, 2);
	EXPECT(place, "delivery-succeeded", "millgate.session.key=203.0.113.5:39204");
}

static void a_process_that_serves_another_client_has_ended_the_session_before(void **state)
{
	struct join_place *place = *state;

	LINES(place, "smtpd[10]: connect from " CLIENT, "smtpd[10]: " ID ": client=" CLIENT,
		"smtpd[10]: 4jYh2KpBvXz1bkfR: client=mail.example.net[192.0.2.44]:5");
	EXPECT(place, "message-unqueued", trace(ID));
	EXPECT(place, "session-linked", "source.ip=203.0.113.5");
	LINES(place, "smtpd[10]: disconnect from mail.example.net[192.0.2.44]:5 ehlo=1 commands=1");
	EXPECT(place, "message-unqueued", trace("4jYh2KpBvXz1bkfR"));
	EXPECT(place, "session-linked", "source.ip=192.0.2.44");
	expect_no_more(place);
}

static void a_short_queue_id_that_is_used_again_is_another_message(void **state)
{
	struct join_place *place = *state;

	for (int i = 0; i < 2; i++) {
		LINES(place, "smtpd[10]: connect from " CLIENT,
			"smtpd[10]: 3F2A1C0B4D: client=" CLIENT,
			"cleanup[11]: 3F2A1C0B4D: message-id=<first@example.org>",
			"qmgr[12]: 3F2A1C0B4D: from=<a@acme.example>, size=1, nrcpt=2 (queue active)",
			"smtpd[10]: disconnect from " CLIENT " ehlo=1 commands=1",
			"smtp[13]: 3F2A1C0B4D: to=<ann@example.com>, relay=none, delay=1, "
			"delays=1/0/0/0, dsn=4.0.0, status=deferred (no)");
		if (i == 1)
			EXPECT(place, "delivery-deferred", "millgate.delivery.attempt=1");
		EXPECT(place, "session-linked");
	}
	wait_seconds(place, 3);
	EXPECT(place, "delivery-deferred", "millgate.delivery.attempt=1");
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 1);
	assert_int_equal(records(place, MG_TABLE_PRIVATE + 1), 1);
	assert_int_equal(records(place, MG_TABLE_PRIVATE + 2), 1);
	assert_int_equal(records(place, MG_TABLE_PRIVATE + 3), 0);
}

static void pseudonyms_are_compared_with_no_address(void **state)
{
	struct join_place *place = *state;
	static const struct mg_events_identity identity = {
		.program = "millgate-track", .host = "mx.example.org", .version = "0.1"};
	enum mg_redact_way ways[MG_PRIVACY_COUNT] = {[MG_PRIVACY_RECIPIENTS] = MG_REDACT_MASK};
	struct mg_error error = {.text = ""};

	place->redact = mg_redact_new(ways, NULL, &error);
	assert_non_null(place->redact);
	mg_events_free(place->events);
	place->events = mg_events_new(&identity, place->redact, NULL, &mg_clock_system);
	assert_non_null(place->events);
	track_join_set(place->join, place->events, &place->rules);
	begin_mail(place);
	accept_mail(place, ADDRESSES("[\"*@example.com\"]"));
	EXPECT(place, "session-linked");
	LINES(place, "smtp[13]: " ID ": to=<ann@example.com>" ANY, "qmgr[12]: " ID ": removed");
	EXPECT(place, "delivery-succeeded", "millgate.delivery.recipient=*@example.com",
		"millgate.delivery.added=");
	expect_no_more(place);
	wait_seconds(place, 24 * HOUR);
	expect_no_more(place);
	assert_int_equal(records(place, MG_TABLE_RECIPIENTS), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_reply_is_text_and_nothing_else),
		TEST(a_session_of_very_many_messages_is_linked_in_parts),
		TEST(of_a_child_without_parent_no_more_lines_wait_than_a_bound),
		TEST(unknown_lines_are_told_once_a_minute_with_their_number),
		TEST(a_loss_is_told_with_its_number),
		TEST(lines_that_are_read_again_after_a_crash_make_the_same_events),
		TEST(each_event_of_a_story_has_an_id_of_its_own),
		TEST(an_event_that_cannot_be_written_gives_the_change_up),
		TEST(texts_of_any_length_make_records_below_four_kibibytes),
		TEST(a_line_without_a_process_id_is_of_no_session),
		TEST(a_process_that_serves_another_client_has_ended_the_session_before),
		TEST(a_short_queue_id_that_is_used_again_is_another_message),
		TEST(pseudonyms_are_compared_with_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
