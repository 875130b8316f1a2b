/* SPDX-License-Identifier: ISC */
/* What Postfix does behind millgate-dkim: lines that it will cut, content that it may convert. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "signed.h"

enum { LIMIT = 998 };

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

#define LINES_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void start(const char *settings)
{
	signed_start(&place, "millgate-dkim", settings);
}

/* Sends header and body with From before them. */
static struct signed_message send_with(
	const char *queue_id, const char *header, const char *body, size_t limit)
{
	struct signed_message message;
	struct mg_buf content = {0};

	mg_buf_add_format(&content, "From: ann@example.org\n%s\n%s", header, body);
	signed_send(&place,
		&(struct letter){.queue_id = queue_id,
			.content = mg_buf_text(&content),
			.content_length = content.length},
		limit, &message);
	mg_buf_free(&content);
	return message;
}

/* The text `count` times, to be freed. */
static char *repeat(const char *before, const char *text, size_t count, const char *behind)
{
	struct mg_buf all = {0};

	mg_buf_add_text(&all, before);
	for (size_t i = 0; i < count; i++)
		mg_buf_add_text(&all, text);
	mg_buf_add_text(&all, behind);
	assert_false(all.failed);
	return all.data;
}

static void assert_signed(const struct signed_message *message)
{
	if (message->answer != MG_ANSWER_CONTINUE)
		fail_msg("answered %d: %s", message->answer, message->reply);
	if (message->count != 1 || !message->signatures[0].pass)
		fail_msg("%zu signatures, %s\n%.3000s", message->count, message->signatures[0].why,
			message->content.data);
}

/* The event of the message tells these of millgate.dkim.fragile, with a comma behind each. */
static void assert_fragile(const char *action, const char *queue_id, const char *reasons)
{
	json_t *events = driver_events(&place.driver, action, queue_id);
	const json_t *list = driver_field(json_array_get(events, 0), "millgate.dkim.fragile");
	char told[256] = "";

	assert_int_equal(json_array_size(events), 1);
	for (size_t i = 0; i < json_array_size(list); i++) {
		strcat(told, json_string_value(json_array_get(list, i)));
		strcat(told, ",");
	}
	if (strcmp(told, reasons) != 0)
		fail_msg("%s: fragile \"%s\", expected \"%s\"", queue_id, told, reasons);
	json_decref(events);
}

static void assert_code(const char *queue_id, const char *code)
{
	json_t *events = driver_events(&place.driver, "message-unsigned", queue_id);

	assert_int_equal(json_array_size(events), 1);
	assert_string_equal(driver_text(json_array_get(events, 0), "event.code"), code);
	json_decref(events);
}

/* --- long lines --- */

static size_t longest_line(const struct signed_message *message)
{
	size_t longest = 0, column = 0;

	for (size_t i = 0; i < message->content.length; i++) {
		column = message->content.data[i] == '\n' ? 0 : column + 1;
		longest = column > longest ? column : longest;
	}
	return longest;
}

static void a_long_field_is_folded_at_blanks_and_verifies_in_every_form(void **state)
{
	static const char *const forms[] = {
		"relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed"};
	char *references = repeat("References: <0@example.org>",
		" <0123456789abcdef0123456789@example.org>", 100, "\n");
	char settings[128];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct signed_message message;

		snprintf(
			settings, sizeof(settings), "sign { canonicalization = \"%s\" }", forms[i]);
		start(settings);
		message = send_with("4FOLD", references, "text\n", LIMIT);
		assert_signed(&message);
		assert_fragile("message-signed", "4FOLD", "");
		/* Postfix had nothing to cut. */
		assert_true(longest_line(&message) <= 78 + 1);
		signed_free(&message);
		driver_stop(&place.driver);
	}
	free(references);
}

static void several_long_fields_of_a_name_are_folded_each(void **state)
{
	char *long_one = repeat("To: a@example.net", ", bob@example.net", 100, "\n");
	char *header = repeat("To: short@example.net\nCc: c@example.net\n", long_one, 3,
		"TO: last@example.net\n");
	struct signed_message message;

	(void)state;
	start("sign { canonicalization = \"simple/simple\" }");
	message = send_with("4SEVERAL", header, "text\n", LIMIT);
	assert_signed(&message);
	assert_true(longest_line(&message) <= 78 + 1);
	signed_free(&message);
	free(long_one);
	free(header);
}

static void a_long_field_without_a_blank_is_hashed_as_it_is_cut_and_fragile(void **state)
{
	char *subject = repeat("Subject: ", "0123456789", 300, "\n");
	struct signed_message message;

	(void)state;
	start("");
	message = send_with("4NOBLANK", subject, "text\n", LIMIT);
	assert_signed(&message);
	assert_fragile("message-signed", "4NOBLANK", "long-header,");
	signed_free(&message);
	free(subject);
}

static void a_long_field_with_a_bare_cr_cannot_be_folded_and_is_fragile(void **state)
{
	char *subject = repeat("Subject: a\rb", " word", 400, "\n");
	struct signed_message message;

	(void)state;
	start("");
	message = send_with("4BARE", subject, "text\n", LIMIT);
	if (message.answer != MG_ANSWER_CONTINUE)
		fail_msg("answered %d: %s", message.answer, message.reply);
	assert_fragile("message-signed", "4BARE", "long-header,");
	signed_free(&message);
	free(subject);
}

static void a_name_that_is_cut_is_fragile_also_of_a_field_that_is_not_signed(void **state)
{
	char *field = repeat("X-", "long", 300, ": x\n");
	struct signed_message message;

	(void)state;
	start("");
	message = send_with("4NAME", field, "text\n", LIMIT);
	assert_fragile("message-signed", "4NAME", "long-header,");
	signed_free(&message);
	free(field);
}

static void a_long_field_that_is_not_signed_is_left(void **state)
{
	char *field = repeat("X-Long:", " word", 400, "\n");
	struct signed_message message;

	(void)state;
	start("");
	message = send_with("4LEFT", field, "text\n", LIMIT);
	assert_signed(&message);
	assert_fragile("message-signed", "4LEFT", "");
	assert_true(longest_line(&message) > 900);
	signed_free(&message);
	free(field);
}

static void long_body_lines_are_hashed_as_they_are_cut(void **state)
{
	static const size_t lengths[] = {998, 999, 1000, 1995, 1996, 3000, 10000};
	static const char *const forms[] = {"relaxed/relaxed", "simple/simple"};
	char settings[128], queue_id[32];

	(void)state;
	for (size_t form = 0; form < 2; form++) {
		snprintf(settings, sizeof(settings), "sign { canonicalization = \"%s\" }",
			forms[form]);
		start(settings);
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			char *body = repeat("a\n", i % 2 ? "y" : " ", lengths[i], "z\nb\n\n");
			struct signed_message message;

			snprintf(queue_id, sizeof(queue_id), "4LINE%zu", i);
			message = send_with(queue_id, "", body, LIMIT);
			assert_signed(&message);
			assert_fragile("message-signed", queue_id, "");
			signed_free(&message);
			free(body);
		}
		driver_stop(&place.driver);
	}
}

static void long_lines_are_signed_as_they_are_where_that_is_set(void **state)
{
	char *body = repeat("", "0123456789", 300, "\n");
	char *subject = repeat("Subject:", " word", 300, "\n");
	struct signed_message message;

	(void)state;
	start("long_lines = \"sign\"");
	message = send_with("4ASIS", subject, body, 0);
	assert_signed(&message);
	assert_fragile("message-signed", "4ASIS", "long-line,long-header,");
	signed_free(&message);
	free(body);
	free(subject);
}

static void mail_with_long_lines_is_unsigned_where_that_is_set(void **state)
{
	char *body = repeat("", "0123456789", 100, "\n");
	char *subject = repeat("Subject:", " word", 300, "\n");
	struct signed_message message;

	(void)state;
	start("long_lines = \"skip\"");
	message = send_with("4BODY", "", body, LIMIT);
	assert_int_equal(message.count, 0);
	assert_code("4BODY", "long-line");
	signed_free(&message);
	message = send_with("4HEADER", subject, "text\n", LIMIT);
	assert_int_equal(message.count, 0);
	assert_code("4HEADER", "long-line");
	signed_free(&message);
	message = send_with("4SHORT", "", "text\n", LIMIT);
	assert_signed(&message);
	signed_free(&message);
	free(body);
	free(subject);
}

static void another_limit_is_minded(void **state)
{
	char *body = repeat("", "0123456789", 60, "\n");
	struct signed_message message;

	(void)state;
	start("line_limit = 512");
	message = send_with("4LIMIT", "", body, 512);
	assert_signed(&message);
	signed_free(&message);
	free(body);
}

/* --- what is fragile --- */

static const char eight_bit[] = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
				"Content-Transfer-Encoding: 8bit\n";
static const char parts[] = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n";

static void content_that_postfix_may_convert_is_fragile(void **state)
{
	static const struct {
		const char *header, *body, *reasons;
	} rows[] = {
		{eight_bit, "gr\303\274n\n", "eight-bit,"},
		{eight_bit, "green\n", "eight-bit,"},
		{parts, "--b\nContent-Transfer-Encoding: 8bit\n\ngr\303\274n\n--b--\n",
			"eight-bit,"},
		{parts, "--b\nContent-Transfer-Encoding: base64\n\nYQ==\n--b--\n", ""},
		{"", "gr\303\274n\n", ""},
	};
	char queue_id[32];

	(void)state;
	start("");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signed_message message;

		snprintf(queue_id, sizeof(queue_id), "4FRAGILE%zu", i);
		message = send_with(queue_id, rows[i].header, rows[i].body, LIMIT);
		assert_signed(&message);
		assert_fragile("message-signed", queue_id, rows[i].reasons);
		signed_free(&message);
	}
}

/* In a field that is not signed, or in the simple form, they break nothing. */
static void controls_that_verifiers_take_for_white_space_are_fragile(void **state)
{
	static const struct {
		const char *form, *header, *reasons;
	} rows[] = {
		{"relaxed/relaxed", "Reply-To: a@example.org\f\n", "control,"},
		{"relaxed/relaxed", "Comments: a \v b\nCc: a\vb@example.org\n", "control,"},
		{"relaxed/relaxed", "Comments: a \v b\f\n", ""},
		{"simple/relaxed", "Reply-To: a@example.org\f\n", ""},
	};
	char settings[64], queue_id[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signed_message message;

		snprintf(settings, sizeof(settings), "sign { canonicalization = \"%s\" }",
			rows[i].form);
		start(settings);
		snprintf(queue_id, sizeof(queue_id), "4CONTROL%zu", i);
		message = send_with(queue_id, rows[i].header, "text\n", LIMIT);
		assert_fragile("message-signed", queue_id, rows[i].reasons);
		if (rows[i].reasons[0] == '\0')
			assert_signed(&message);
		signed_free(&message);
		driver_stop(&place.driver);
	}
}

/* h= has "From:From:" and "Cc:" 1,361 times, less the last colon: 4,092 octets. */
static void more_signed_fields_than_verifiers_read_are_fragile(void **state)
{
	static const struct {
		size_t fields;
		const char *reasons;
	} rows[] = {{1361, ""}, {1363, "many-fields,"}};
	char queue_id[32];

	(void)state;
	start("bounds { headers = 2000 }\nsign { oversign = { \"From\" } }");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *header = repeat("", "Cc: a\n", rows[i].fields, "");
		struct signed_message message;

		snprintf(queue_id, sizeof(queue_id), "4MANY%zu", i);
		message = send_with(queue_id, header, "text\n", LIMIT);
		assert_fragile("message-signed", queue_id, rows[i].reasons);
		if (rows[i].reasons[0] == '\0')
			assert_signed(&message);
		signed_free(&message);
		free(header);
	}
}

static void fragile_mail_can_be_left_unsigned(void **state)
{
	struct signed_message message;

	(void)state;
	start("fragile = \"skip\"");
	message = send_with("4SKIP", eight_bit, "text\n", LIMIT);
	assert_int_equal(message.answer, MG_ANSWER_CONTINUE);
	assert_int_equal(message.count, 0);
	assert_code("4SKIP", "fragile");
	assert_fragile("message-unsigned", "4SKIP", "eight-bit,");
	signed_free(&message);
}

static void fragile_mail_can_be_deferred(void **state)
{
	struct signed_message message;

	(void)state;
	start("fragile = \"tempfail\"");
	message = send_with("4DEFER", eight_bit, "text\n", LIMIT);
	assert_int_equal(message.answer, MG_ANSWER_TEMPFAIL);
	assert_non_null(strstr(message.reply, "451 4.7.5 "));
	assert_non_null(strstr(message.reply, "[fragile "));
	signed_free(&message);
	message = send_with("4GOOD", "", "text\n", LIMIT);
	assert_signed(&message);
	signed_free(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINES_TEST(a_long_field_is_folded_at_blanks_and_verifies_in_every_form),
		LINES_TEST(several_long_fields_of_a_name_are_folded_each),
		LINES_TEST(a_long_field_without_a_blank_is_hashed_as_it_is_cut_and_fragile),
		LINES_TEST(a_long_field_with_a_bare_cr_cannot_be_folded_and_is_fragile),
		LINES_TEST(a_name_that_is_cut_is_fragile_also_of_a_field_that_is_not_signed),
		LINES_TEST(a_long_field_that_is_not_signed_is_left),
		LINES_TEST(long_body_lines_are_hashed_as_they_are_cut),
		LINES_TEST(long_lines_are_signed_as_they_are_where_that_is_set),
		LINES_TEST(mail_with_long_lines_is_unsigned_where_that_is_set),
		LINES_TEST(another_limit_is_minded),
		LINES_TEST(content_that_postfix_may_convert_is_fragile),
		LINES_TEST(controls_that_verifiers_take_for_white_space_are_fragile),
		LINES_TEST(more_signed_fields_than_verifiers_read_are_fragile),
		LINES_TEST(fragile_mail_can_be_left_unsigned),
		LINES_TEST(fragile_mail_can_be_deferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
