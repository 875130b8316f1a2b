/* SPDX-License-Identifier: ISC */
/* millgate-dkim through the protocol: which mail is signed, by whom, and what is said of the rest.
 * What it signs, libopendkim verifies as the next hop gets it. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/str.h"
#include "signed.h"

enum { LIMIT = 998 };

static const char plain[] = "From: Ann <ann@example.org>\nTo: bob@example.net\nSubject: one\n"
			    "Date: Wed, 25 Nov 2026 03:00:00 +0000\nMessage-ID: <1@example.org>\n"
			    "\nHello  there \n\n\n";

static struct signed_place place;

static int setup(void **state)
{
	(void)state;
	signed_make(&place);
	signed_key(&place, "example.org", "r1", key_place_rsa(0));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	signed_end(&place);
	return 0;
}

#define DKIM_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void start(const char *settings)
{
	signed_start(&place, "millgate-dkim", settings);
}

/* Sends content, which must pass; to be freed. */
static struct signed_message pass(const char *queue_id, const char *content)
{
	struct signed_message message;

	signed_send(&place, &(struct letter){.queue_id = queue_id, .content = content}, LIMIT,
		&message);
	if (message.answer != MG_ANSWER_CONTINUE)
		fail_msg("%s: answered %d: %s", queue_id, message.answer, message.reply);
	return message;
}

/* The one event of this action and message; to be released. */
static json_t *event_of(const char *action, const char *queue_id)
{
	json_t *events = driver_events(&place.driver, action, queue_id), *event;

	if (json_array_size(events) != 1)
		fail_msg("%zu events %s of %s", json_array_size(events), action, queue_id);
	event = json_incref(json_array_get(events, 0));
	json_decref(events);
	return event;
}

static void assert_signed(const struct signed_message *message, size_t count)
{
	if (message->count != count)
		fail_msg("%zu signatures, expected %zu:\n%s", message->count, count,
			message->content.data);
	for (size_t i = 0; i < count; i++)
		if (!message->signatures[i].pass)
			fail_msg("%s/%s: %s\n%s", message->signatures[i].domain,
				message->signatures[i].selector, message->signatures[i].why,
				message->content.data);
}

/* The message is unsigned, for this reason. */
static void assert_unsigned(const char *queue_id, const char *content, const char *code)
{
	struct signed_message message = pass(queue_id, content);
	json_t *event = event_of("message-unsigned", queue_id);

	if (message.count != 0)
		fail_msg("%s is signed", queue_id);
	if (strcmp(driver_text(event, "event.code"), code) != 0)
		fail_msg("%s: code %s, expected %s", queue_id, driver_text(event, "event.code"),
			code);
	assert_string_not_equal(driver_text(event, "event.reason"), "");
	assert_int_equal(driver_count_events(&place.driver, "message-signed", queue_id), 0);
	json_decref(event);
	signed_free(&message);
}

static void assert_outcome(const char *queue_id, const char *outcome)
{
	json_t *event = event_of("message-unsigned", queue_id);

	assert_string_equal(driver_text(event, "event.outcome"), outcome);
	json_decref(event);
}

/* --- whose mail --- */

static void outbound_mail_is_signed_by_the_domain_of_its_author(void **state)
{
	struct signed_message message;
	json_t *event;

	(void)state;
	start("");
	message = pass("4SIGNED", plain);
	assert_signed(&message, 1);
	assert_string_equal(message.signatures[0].domain, "example.org");
	assert_string_equal(message.signatures[0].selector, "r1");
	assert_string_equal(message.signatures[0].algorithm, "rsa-sha256");
	assert_string_equal(message.signatures[0].identity, "@example.org");
	event = event_of("message-signed", "4SIGNED");
	assert_string_equal(driver_text(event, "millgate.dkim.domain"), "example.org");
	assert_string_equal(driver_text(event, "millgate.dkim.selector"), "r1");
	assert_string_equal(driver_text(event, "millgate.dkim.algorithm"), "rsa-sha256");
	assert_string_equal(driver_text(event, "event.outcome"), "success");
	assert_string_equal(driver_text(event, "email.message_id"), "1@example.org");
	assert_string_equal(
		json_string_value(json_array_get(driver_field(event, "email.from.address"), 0)),
		"ann@example.org");
	assert_true(json_integer_value(driver_field(event, "event.duration")) > 0);
	assert_null(driver_field(event, "millgate.dkim.fragile"));
	json_decref(event);
	signed_free(&message);
}

static void the_field_stands_below_our_own_received_and_above_all_others(void **state)
{
	struct signed_message message;

	(void)state;
	start("");
	message = pass("4PLACE", plain);
	assert_int_equal(strncmp(message.content.data, "Received: own\r\nDKIM-Signature: v=1;",
				 strlen("Received: own\r\nDKIM-Signature: v=1;")),
		0);
	signed_free(&message);
}

static void inbound_mail_with_our_author_passes_as_it_is(void **state)
{
	struct signed_message message;
	json_t *event;

	(void)state;
	start("internal_networks = { }");
	message = pass("4INBOUND", plain);
	assert_int_equal(message.count, 0);
	event = event_of("message-passed", "4INBOUND");
	assert_string_equal(driver_text(event, "email.direction"), "inbound");
	assert_true(driver_field(event, "event.duration") != NULL);
	json_decref(event);
	assert_int_equal(driver_count_events(&place.driver, "message-unsigned", NULL), 0);
	signed_free(&message);
}

static void the_event_of_mail_that_passes_can_be_left_out(void **state)
{
	struct signed_message message;

	(void)state;
	start("passed = no\ninternal_networks = { }");
	message = pass("4QUIET", plain);
	assert_int_equal(driver_count_events(&place.driver, "message-passed", NULL), 0);
	signed_free(&message);
}

static void local_mail_is_signed_also_with_the_null_sender(void **state)
{
	struct signed_message message;

	(void)state;
	start("internal_networks = { }");
	signed_send(&place,
		&(struct letter){.queue_id = "4BOUNCE",
			.local = true,
			.sender = "",
			.content = "From: MAILER-DAEMON@example.org\nSubject: x\n\nUndelivered\n"},
		LIMIT, &message);
	assert_int_equal(message.answer, MG_ANSWER_CONTINUE);
	assert_signed(&message, 1);
	signed_free(&message);
}

static void the_reason_of_unsigned_mail_is_told_by_code(void **state)
{
	static const struct {
		const char *content, *code;
	} rows[] = {
		{"Subject: x\n\ntext\n", "no-author"},
		{"From: \nSubject: x\n\ntext\n", "no-author"},
		{"From: a@example.org\nFrom: a@example.org\n\ntext\n", "several-authors"},
		{"From : a@example.com\nFrom: a@example.org\n\ntext\n", "several-authors"},
		{"From: a@example.org, b@example.org\n\ntext\n", "several-authors"},
		{"From: a@example.org; <b@\n\ntext\n", "bad-author"},
		{"From: a@[192.0.2.1]\n\ntext\n", "bad-domain"},
		{"From: a@under_score.example.org\n\ntext\n", "bad-domain"},
		{"From: a@example.com\n\ntext\n", "no-key"},
		{"From: a@notexample.org\n\ntext\n", "no-key"},
	};
	char queue_id[32];

	(void)state;
	start("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(queue_id, sizeof(queue_id), "4CODE%zu", i);
		assert_unsigned(queue_id, rows[i].content, rows[i].code);
		assert_outcome(queue_id, "failure");
	}
}

static void what_is_asked_for_is_no_failure(void **state)
{
	(void)state;
	start("sign { domains = { \"ann@example.org\" } match { sender = { \"other@*\" } } }");
	assert_unsigned("4ASKED", plain, "not-matched");
	assert_outcome("4ASKED", "success");
}

static void mail_that_the_match_fits_is_signed(void **state)
{
	struct signed_message message;

	(void)state;
	start("sign { match { sender = { \"sender@example.org\" } } }");
	message = pass("4MATCH", plain);
	assert_signed(&message, 1);
	signed_free(&message);
}

static void a_subdomain_is_signed_by_the_domain_above_it(void **state)
{
	struct signed_message message;

	(void)state;
	start("");
	message = pass("4SUB", "From: a@news.EXAMPLE.org\n\ntext\n");
	assert_signed(&message, 1);
	assert_string_equal(message.signatures[0].domain, "example.org");
	/* Nobody knows what DNS has of the key: whether it forbids an i= of a subdomain. */
	assert_string_equal(message.signatures[0].identity, "@example.org");
	signed_free(&message);
}

static void a_domain_of_other_letters_is_signed_by_its_a_label(void **state)
{
	struct signed_message message;

	(void)state;
	signed_key(&place, "xn--bcher-kva.example", "r1", key_place_rsa(1));
	start("");
	message = pass("4IDN", "From: a@b\303\274cher.example\n\ntext\n");
	assert_signed(&message, 1);
	assert_string_equal(message.signatures[0].domain, "xn--bcher-kva.example");
	signed_free(&message);
}

static void the_sender_decides_where_that_is_set(void **state)
{
	static const struct letter by_sender = {.queue_id = "4SENDER",
					   .sender = "<bounce@example.com>",
					   .content =
						   "From: a@example.org, b@example.net\n\ntext\n"},
				   null_sender = {
					   .queue_id = "4NULL", .sender = "<>", .content = plain};
	struct signed_message message;

	(void)state;
	signed_key(&place, "example.com", "c1", key_place_rsa(1));
	start("sign { by = \"sender\" }");
	signed_send(&place, &by_sender, LIMIT, &message);
	assert_signed(&message, 1);
	assert_string_equal(message.signatures[0].domain, "example.com");
	signed_free(&message);
	signed_send(&place, &null_sender, LIMIT, &message);
	assert_signed(&message, 1);
	assert_string_equal(message.signatures[0].domain, "example.org");
	signed_free(&message);
}

static void exceptions_name_the_domain_that_signs_or_none(void **state)
{
	static const char table[] = "ann@example.org example.com\n"
				    "example.net     Example.ORG.\n"
				    "quiet.example   -\n";
	static const struct {
		const char *author, *domain, *code;
	} rows[] = {
		{"ann@example.org", "example.com", NULL},
		{"Bob@example.org", "example.org", NULL},
		{"any@EXAMPLE.net", "example.org", NULL},
		{"any@quiet.example", NULL, "exception"},
		{"any@inline.example", NULL, "exception"},
		{"any@example.edu", NULL, "no-key"},
	};
	char settings[512], content[128], queue_id[32];
	struct signed_message message;

	(void)state;
	signed_key(&place, "example.com", "c1", key_place_rsa(1));
	key_place_write(&place.keys, "..", "domains", table, sizeof(table) - 1, 0644);
	snprintf(settings, sizeof(settings),
		"sign { domains = { \"file:%s/domains\", \"*inline.example\" } }", place.keys.top);
	start(settings);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(queue_id, sizeof(queue_id), "4EXCEPTION%zu", i);
		snprintf(content, sizeof(content), "From: <%s>\n\ntext\n", rows[i].author);
		if (rows[i].code != NULL) {
			assert_unsigned(queue_id, content, rows[i].code);
			continue;
		}
		message = pass(queue_id, content);
		assert_signed(&message, 1);
		assert_string_equal(message.signatures[0].domain, rows[i].domain);
		signed_free(&message);
	}
	assert_outcome("4EXCEPTION3", "success");
}

/* --- keys --- */

static void both_algorithms_sign_rsa_on_top(void **state)
{
	struct signed_message message;

	(void)state;
	signed_key(&place, "example.org", "e1", key_place_ed25519(0));
	start("sign { selectors = { \"e1\", \"r1\" } }");
	message = pass("4BOTH", plain);
	assert_signed(&message, 2);
	assert_string_equal(message.signatures[0].algorithm, "rsa-sha256");
	assert_string_equal(message.signatures[1].algorithm, "ed25519-sha256");
	assert_int_equal(driver_count_events(&place.driver, "message-signed", "4BOTH"), 2);
	signed_free(&message);
}

static void the_platform_signs_besides_and_not_twice(void **state)
{
	static const struct {
		const char *content, *first, *second;
	} rows[] = {
		{plain, "example.org", "platform.example"},
		{"From: a@example.edu\n\ntext\n", "platform.example", NULL},
		{"From: a@platform.example\n\ntext\n", "platform.example", NULL},
		{"From: a@sub.platform.example\n\ntext\n", "platform.example", NULL},
	};
	char queue_id[32];

	(void)state;
	signed_key(&place, "platform.example", "p1", key_place_rsa(1));
	start("sign { also = \"Platform.Example\" }");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signed_message message;

		snprintf(queue_id, sizeof(queue_id), "4ALSO%zu", i);
		message = pass(queue_id, rows[i].content);
		assert_signed(&message, rows[i].second != NULL ? 2 : 1);
		assert_string_equal(message.signatures[0].domain, rows[i].first);
		if (rows[i].second != NULL)
			assert_string_equal(message.signatures[1].domain, rows[i].second);
		assert_int_equal(
			driver_count_events(&place.driver, "message-unsigned", queue_id), 0);
		signed_free(&message);
	}
}

static void break_key(void)
{
	assert_int_equal(chmod(key_place_path(&place.keys, "example.org", "r1.pem"), 0644), 0);
}

static void mail_of_a_refused_key_goes_unsigned(void **state)
{
	(void)state;
	break_key();
	start("");
	assert_unsigned("4REFUSED", plain, "key-refused");
	driver_wait_events(&place.driver, "key-refused", 1);
}

static void mail_of_a_refused_key_is_deferred_where_that_is_set(void **state)
{
	struct signed_message message;
	json_t *event;
	const char *id;

	(void)state;
	break_key();
	start("unsigned = \"tempfail\"");
	signed_send(
		&place, &(struct letter){.queue_id = "4DEFER", .content = plain}, LIMIT, &message);
	assert_int_equal(message.answer, MG_ANSWER_TEMPFAIL);
	event = event_of("message-unsigned", "4DEFER");
	id = driver_text(event, "event.id");
	if (strncmp(message.reply, "451 4.7.5 ", 10) != 0 ||
		strstr(message.reply, "[key-refused ") == NULL ||
		strstr(message.reply, id + strlen(id) - 8) == NULL)
		fail_msg("%s", message.reply);
	json_decref(event);
	/* A domain that never had a key is not ours to sign. */
	assert_unsigned("4FOREIGN", "From: a@example.com\n\ntext\n", "no-key");
	signed_free(&message);
}

static void mail_of_a_domain_whose_key_is_gone_is_deferred_where_that_is_set(void **state)
{
	static const char content[] = "From: a@sub.example.org\n\ntext\n";
	struct signed_message message;

	(void)state;
	key_place_drop(&place.keys, "example.org", "r1");
	start("unsigned = \"tempfail\"");
	signed_send(
		&place, &(struct letter){.queue_id = "4GONE", .content = content}, LIMIT, &message);
	assert_int_equal(message.answer, MG_ANSWER_TEMPFAIL);
	assert_non_null(strstr(message.reply, "[key-gone "));
	signed_free(&message);
	driver_stop(&place.driver);
	start("");
	assert_unsigned("4WITHOUT", content, "key-gone");
}

static void mail_goes_unsigned_while_the_keys_cannot_be_read(void **state)
{
	int64_t deadline = mg_clock_system.monotonic(&mg_clock_system) + GENEROUS;
	char aside[128], queue_id[32];
	bool told = false;

	(void)state;
	start("");
	snprintf(aside, sizeof(aside), "%s.aside", place.keys.folder);
	assert_int_equal(rename(place.keys.folder, aside), 0);
	/* It is looked at once a second. */
	for (int i = 0; !told; i++) {
		struct signed_message message;

		assert_true(mg_clock_system.monotonic(&mg_clock_system) < deadline);
		snprintf(queue_id, sizeof(queue_id), "4AWAY%d", i);
		message = pass(queue_id, plain);
		told = message.count == 0;
		signed_free(&message);
		poll(NULL, 0, 20);
	}
	assert_unsigned("4AWAY", plain, "keys-unreadable");
	assert_int_equal(rename(aside, place.keys.folder), 0);
}

static void a_field_that_would_be_too_long_is_a_signature_that_failed(void **state)
{
	struct mg_buf content = {0}, settings = {0};
	char name[151];

	(void)state;
	memset(name, 'N', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	mg_buf_add_format(&settings, "sign { headers = { \"%s\" } }", name);
	start(mg_buf_text(&settings));
	/* Each is named in h=. */
	for (int i = 0; i < 500; i++)
		mg_buf_add_format(&content, "%s: x\n", name);
	mg_buf_add_text(&content, plain);
	assert_unsigned("4FAILED", mg_buf_text(&content), "signing-failed");
	mg_buf_free(&settings);
	mg_buf_free(&content);
}

static void a_bounce_is_not_deferred_for_its_key(void **state)
{
	struct signed_message message;

	(void)state;
	break_key();
	start("unsigned = \"tempfail\"");
	signed_send(&place,
		&(struct letter){.queue_id = "4DSN", .local = true, .sender = "", .content = plain},
		LIMIT, &message);
	assert_int_equal(message.answer, MG_ANSWER_CONTINUE);
	signed_free(&message);
}

static void a_refused_key_is_told_beside_a_signature_of_the_platform(void **state)
{
	struct signed_message message;
	json_t *event;

	(void)state;
	break_key();
	signed_key(&place, "platform.example", "p1", key_place_rsa(1));
	start("sign { also = \"platform.example\" }");
	message = pass("4BESIDE", plain);
	assert_signed(&message, 1);
	event = event_of("message-unsigned", "4BESIDE");
	assert_string_equal(driver_text(event, "event.code"), "key-refused");
	assert_string_equal(driver_text(event, "millgate.dkim.domain"), "example.org");
	json_decref(event);
	signed_free(&message);
}

static void a_platform_without_a_key_is_told_beside_a_signature_of_the_author(void **state)
{
	struct signed_message message;
	json_t *event;

	(void)state;
	start("sign { also = \"platform.example\" }");
	message = pass("4PLATFORM", plain);
	assert_signed(&message, 1);
	assert_string_equal(message.signatures[0].domain, "example.org");
	event = event_of("message-unsigned", "4PLATFORM");
	assert_string_equal(driver_text(event, "event.code"), "no-key");
	assert_string_equal(driver_text(event, "millgate.dkim.domain"), "platform.example");
	json_decref(event);
	signed_free(&message);
}

/* --- what comes with the message --- */

static void the_field_of_a_hold_is_taken_off_before(void **state)
{
	struct signed_message message;
	char content[512];

	(void)state;
	start("");
	snprintf(content, sizeof(content), "X-Millgate-Hold: cards\nx-millgate-hold: b\n%s", plain);
	message = pass("4HOLD", content);
	assert_signed(&message, 1);
	assert_null(strcasestr(message.content.data, "x-millgate-hold"));
	signed_free(&message);
}

/* The message as it came out of another run, for the next one: without own Received, LF lines. */
static char *again(const struct signed_message *message)
{
	char *copy = strdup(strchr(message->content.data, '\n') + 1), *to = copy;

	assert_non_null(copy);
	for (const char *at = copy; *at != '\0'; at++)
		if (*at != '\r')
			*to++ = *at;
	*to = '\0';
	return copy;
}

static void our_own_valid_signature_is_not_made_again(void **state)
{
	struct signed_message first, second;
	char *content;

	(void)state;
	start("");
	first = pass("4FIRST", plain);
	content = again(&first);
	second = pass("4AGAIN", content);
	assert_signed(&second, 1);
	assert_int_equal(driver_count_events(&place.driver, "message-signed", "4AGAIN"), 0);
	assert_outcome("4AGAIN", "success");
	free(content);
	signed_free(&first);
	signed_free(&second);
}

static void a_valid_signature_of_a_key_that_signs_no_more_does_not_count(void **state)
{
	struct signed_message first, second;
	char *content;
	json_t *event;

	(void)state;
	start("sign { selectors = { \"r1\" } }");
	first = pass("4OLD", plain);
	content = again(&first);
	driver_stop(&place.driver);
	signed_key(&place, "example.org", "r2", key_place_rsa(1));
	start("sign { selectors = { \"r2\" } }");
	second = pass("4NEW", content);
	assert_signed(&second, 2);
	event = event_of("message-signed", "4NEW");
	assert_string_equal(driver_text(event, "millgate.dkim.selector"), "r2");
	json_decref(event);
	free(content);
	signed_free(&first);
	signed_free(&second);
}

static void our_own_signature_of_changed_content_is_replaced(void **state)
{
	static const char *const changes[] = {"Hello", "Subject: one"};
	char queue_id[32];

	(void)state;
	start("");
	for (size_t i = 0; i < 2; i++) {
		struct signed_message first, second;
		char *content;

		snprintf(queue_id, sizeof(queue_id), "4BEFORE%zu", i);
		first = pass(queue_id, plain);
		content = again(&first);
		strstr(content, changes[i])[strlen(changes[i]) - 1] = 'X';
		snprintf(queue_id, sizeof(queue_id), "4AFTER%zu", i);
		second = pass(queue_id, content);
		assert_signed(&second, 1);
		json_decref(event_of("message-signed", queue_id));
		free(content);
		signed_free(&first);
		signed_free(&second);
	}
}

static void signatures_of_others_stay(void **state)
{
	static const char foreign[] = "DKIM-Signature: v=1; a=rsa-sha256; d=example.edu; s=x;\n"
				      "\tc=simple/simple; h=from; bh=YQ==; b=YQ==\n";
	struct signed_message message;
	char content[1024];

	(void)state;
	start("");
	snprintf(content, sizeof(content), "%sDKIM-Signature: none\nDKIM-Signature:\n%s", foreign,
		plain);
	message = pass("4FOREIGN", content);
	assert_string_equal(message.signatures[0].domain, "example.org");
	assert_true(message.signatures[0].pass);
	assert_true(signed_has(&message, "d=example.edu"));
	assert_true(signed_has(&message, "DKIM-Signature: none"));
	signed_free(&message);
}

/* --- how it is signed --- */

static void a_signature_expires_where_that_is_set(void **state)
{
	struct signed_message message;
	json_t *event;
	const char *tag;
	long long made, expires;

	(void)state;
	start("sign { expire = \"1d\" }");
	message = pass("4EXPIRE", plain);
	assert_signed(&message, 1);
	tag = strstr(message.content.data, "t=");
	assert_non_null(tag);
	made = strtoll(tag + 2, NULL, 10);
	tag = strstr(message.content.data, "x=");
	assert_non_null(tag);
	expires = strtoll(tag + 2, NULL, 10);
	assert_int_equal(expires - made, 24 * 3600);
	event = event_of("message-signed", "4EXPIRE");
	assert_string_equal(
		json_string_value(json_array_get(driver_field(event, "millgate.dkim.fragile"), 0)),
		"expire");
	json_decref(event);
	signed_free(&message);
}

static void mail_over_a_bound_is_not_signed_by_what_was_seen_of_it(void **state)
{
	(void)state;
	start("on_bound = \"accept\" bounds { headers = 3 }");
	assert_unsigned("4BOUND", plain, "over-bound");
}

static void dry_run_decides_and_changes_nothing(void **state)
{
	struct signed_message message;
	json_t *event;

	(void)state;
	start("dry_run = yes");
	message = pass("4DRY", plain);
	assert_int_equal(message.count, 0);
	event = event_of("message-signed", "4DRY");
	assert_true(json_is_true(driver_field(event, "millgate.dry_run")));
	json_decref(event);
	signed_free(&message);
}

static void several_messages_of_a_session_are_signed_each(void **state)
{
	static const char *const contents[] = {plain, "From: b@example.org\n\nother\n", plain};
	struct mg_client *client;

	(void)state;
	start("");
	client = driver_connect(&place.driver);
	letter_open(client, &(struct letter){.queue_id = "4ROW"});
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(letter_send(client, &(struct letter){.queue_id = "4ROW",
							     .content = contents[i]}),
			MG_ANSWER_CONTINUE);
	/* One that is broken off in its body leaves nothing behind. */
	letter_until_again(client, LETTER_BODY, "4BROKEN");
	mg_client_abort(client);
	assert_int_equal(
		letter_send(client, &(struct letter){.queue_id = "4LAST", .content = plain}),
		MG_ANSWER_CONTINUE);
	mg_client_close(client, true);
	assert_int_equal(driver_count_events(&place.driver, "message-signed", "4ROW"), 3);
	assert_int_equal(driver_count_events(&place.driver, "message-signed", "4LAST"), 1);
}

enum { CONNECTIONS = 8, EACH = 25 };

static void *send_each(void *refused)
{
	struct mg_client *client = driver_connect(&place.driver);
	const struct letter letter = {.queue_id = "4MANY", .content = plain};

	letter_open(client, &letter);
	for (int i = 0; i < EACH; i++)
		*(int *)refused += letter_send(client, &letter) != MG_ANSWER_CONTINUE;
	mg_client_close(client, true);
	return NULL;
}

static void many_connections_sign_at_once_also_over_a_reload(void **state)
{
	pthread_t threads[CONNECTIONS];
	int refused[CONNECTIONS] = {0};

	(void)state;
	signed_key(&place, "example.org", "e1", key_place_ed25519(0));
	start("sign { selectors = { \"r1\", \"e1\" } }");
	for (int i = 0; i < CONNECTIONS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_each, &refused[i]), 0);
	for (int i = 0; i < 3; i++)
		kill(place.driver.pid, SIGUSR1);
	for (int i = 0; i < CONNECTIONS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(refused[i], 0);
	}
	assert_int_equal(driver_count_events(&place.driver, "message-signed", "4MANY"),
		2 * CONNECTIONS * EACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DKIM_TEST(outbound_mail_is_signed_by_the_domain_of_its_author),
		DKIM_TEST(the_field_stands_below_our_own_received_and_above_all_others),
		DKIM_TEST(inbound_mail_with_our_author_passes_as_it_is),
		DKIM_TEST(the_event_of_mail_that_passes_can_be_left_out),
		DKIM_TEST(local_mail_is_signed_also_with_the_null_sender),
		DKIM_TEST(the_reason_of_unsigned_mail_is_told_by_code),
		DKIM_TEST(what_is_asked_for_is_no_failure),
		DKIM_TEST(mail_that_the_match_fits_is_signed),
		DKIM_TEST(a_subdomain_is_signed_by_the_domain_above_it),
		DKIM_TEST(a_domain_of_other_letters_is_signed_by_its_a_label),
		DKIM_TEST(the_sender_decides_where_that_is_set),
		DKIM_TEST(exceptions_name_the_domain_that_signs_or_none),
		DKIM_TEST(both_algorithms_sign_rsa_on_top),
		DKIM_TEST(the_platform_signs_besides_and_not_twice),
		DKIM_TEST(mail_of_a_refused_key_goes_unsigned),
		DKIM_TEST(mail_of_a_refused_key_is_deferred_where_that_is_set),
		DKIM_TEST(mail_of_a_domain_whose_key_is_gone_is_deferred_where_that_is_set),
		DKIM_TEST(mail_goes_unsigned_while_the_keys_cannot_be_read),
		DKIM_TEST(a_field_that_would_be_too_long_is_a_signature_that_failed),
		DKIM_TEST(a_bounce_is_not_deferred_for_its_key),
		DKIM_TEST(a_refused_key_is_told_beside_a_signature_of_the_platform),
		DKIM_TEST(a_platform_without_a_key_is_told_beside_a_signature_of_the_author),
		DKIM_TEST(the_field_of_a_hold_is_taken_off_before),
		DKIM_TEST(our_own_valid_signature_is_not_made_again),
		DKIM_TEST(a_valid_signature_of_a_key_that_signs_no_more_does_not_count),
		DKIM_TEST(our_own_signature_of_changed_content_is_replaced),
		DKIM_TEST(signatures_of_others_stay),
		DKIM_TEST(a_signature_expires_where_that_is_set),
		DKIM_TEST(mail_over_a_bound_is_not_signed_by_what_was_seen_of_it),
		DKIM_TEST(dry_run_decides_and_changes_nothing),
		DKIM_TEST(several_messages_of_a_session_are_signed_each),
		DKIM_TEST(many_connections_sign_at_once_also_over_a_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
