/* SPDX-License-Identifier: ISC */
/* Content that no mail program would write: it is accepted and recorded by a daemon that accepts
 * what is over a bound, refused by one that does not; neither falls over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "driver.h"

enum { MEBIBYTE = 1024 * 1024 };

struct daemons {
	struct driver accepting, refusing;
};

static int setup(void **state)
{
	static struct daemons daemons;

	driver_start(&daemons.accepting, "millgate-log", "");
	driver_start(&daemons.refusing, "millgate-log", "on_bound = \"reject\"");
	*state = &daemons;
	return 0;
}

static int teardown(void **state)
{
	struct daemons *daemons = *state;

	driver_stop(&daemons->accepting);
	driver_stop(&daemons->refusing);
	return 0;
}

/* The answer to a message of this content on a session of its own, and its reply. */
static enum mg_answer send_content(const struct driver *driver, const char *queue_id,
	const char *content, size_t length, char reply[256])
{
	struct mg_client *client = driver_connect(driver);
	const struct letter letter = {
		.queue_id = queue_id, .content = content, .content_length = length};
	enum mg_answer answer;

	letter_open(client, &letter);
	answer = letter_send(client, &letter);
	snprintf(reply, 256, "%s",
		answer == MG_ANSWER_LOST ? mg_client_error(client) : mg_client_reply(client));
	mg_client_close(client, true);
	return answer;
}

/* The one event of a message that must be accepted; to be released. */
static json_t *event_of(
	const struct driver *driver, const char *queue_id, const char *content, size_t length)
{
	char reply[256];
	enum mg_answer answer = send_content(driver, queue_id, content, length, reply);
	json_t *events, *event;

	if (answer != MG_ANSWER_CONTINUE)
		fail_msg("answered %d: %s", answer, reply);
	events = driver_events(driver, "message-accepted", queue_id);
	assert_int_equal(json_array_size(events), 1);
	event = json_incref(json_array_get(events, 0));
	json_decref(events);
	return event;
}

static json_t *event_of_text(const struct driver *driver, const char *queue_id, const char *content)
{
	return event_of(driver, queue_id, content, strlen(content));
}

/* Header, empty line and body, with CRLF line ends. */
static void assert_size(const json_t *event, int64_t size)
{
	assert_int_equal(json_integer_value(driver_field(event, "millgate.smtp.size")), size);
}

static void raw_eight_bit_bytes_are_recorded_as_valid_json(void **state)
{
	struct daemons *daemons = *state;
	json_t *event = event_of_text(&daemons->accepting, "4UTF8", "Subject: caf\303\251\n\n\n");

	assert_string_equal(driver_text(event, "email.subject"), "caf\303\251");
	json_decref(event);
	event = event_of_text(&daemons->accepting, "4EIGHTBIT",
		"Subject: begin \377\376 end\nFrom: \200\201 <a@\377.example>\n\n\377\376\n");
	assert_int_equal(strncmp(driver_text(event, "email.subject"), "begin ", 6), 0);
	assert_non_null(strstr(driver_text(event, "email.subject"), " end"));
	json_decref(event);
}

static void a_nul_in_header_and_body_is_passed(void **state)
{
	static const char content[] = "Subject: a\0b\nX-Next: c\n\nx\0y\n";
	struct daemons *daemons = *state;
	json_t *event = event_of(&daemons->accepting, "4NUL", content, sizeof(content) - 1);

	/* The protocol ends a header value at its NUL. */
	assert_string_equal(driver_text(event, "email.subject"), "a");
	json_decref(event);
}

static void a_bare_cr_or_lf_in_a_value_breaks_nothing(void **state)
{
	struct daemons *daemons = *state;
	struct mg_client *client = driver_connect(&daemons->accepting);
	json_t *events;

	letter_until(client, LETTER_DATA, "4BARE");
	mg_client_header(client, "Subject", " one\rtwo\nthree\n\nX-Fake: four");
	mg_client_header(client, "X\rY", " a");
	mg_client_eoh(client);
	mg_client_body(client, "a\rb\nc\r\r\n\n", 10);
	if (mg_client_eom(client) != MG_ANSWER_CONTINUE)
		fail_msg("%s", mg_client_error(client));
	mg_client_close(client, true);
	events = driver_events(&daemons->accepting, "message-accepted", "4BARE");
	assert_int_equal(json_array_size(events), 1);
	json_decref(events);
}

static void lines_of_ten_thousand_octets_are_passed(void **state)
{
	struct daemons *daemons = *state;
	struct mg_buf content = {0};
	json_t *event;

	mg_buf_add_text(&content, "Subject: ");
	for (int i = 0; i < 10000; i++)
		mg_buf_add_char(&content, 'a');
	mg_buf_add_text(&content, "\n\n");
	for (int i = 0; i < 10000; i++)
		mg_buf_add_char(&content, 'b');
	mg_buf_add_text(&content, "\n");
	event = event_of_text(&daemons->accepting, "4LINES", mg_buf_text(&content));
	assert_size(event, 9 + 10000 + 2 + 2 + 10000 + 2);
	assert_null(driver_field(event, "millgate.bound"));
	json_decref(event);
	mg_buf_free(&content);
}

static void add_fields(struct mg_buf *content, int count, size_t value_length)
{
	for (int i = 0; i < count; i++) {
		mg_buf_add_format(content, "X-Field-%d: ", i);
		for (size_t j = 0; j < value_length; j++)
			mg_buf_add_char(content, 'v');
		mg_buf_add_char(content, '\n');
	}
	assert_false(content->failed);
}

static void assert_over_bound(const struct daemons *daemons, const char *queue_id,
	const struct mg_buf *content, const char *bound)
{
	char reply[256];
	json_t *event = event_of_text(&daemons->accepting, queue_id, mg_buf_text(content));

	assert_string_equal(driver_text(event, "millgate.bound"), bound);
	json_decref(event);
	assert_int_equal(send_content(&daemons->refusing, queue_id, mg_buf_text(content),
				 content->length, reply),
		MG_ANSWER_REJECT);
	if (strncmp(reply, "552 5.3.4 ", 10) != 0)
		fail_msg("%s", reply);
	assert_int_equal(driver_count_events(&daemons->refusing, "message-accepted", queue_id), 0);
	assert_int_equal(driver_count_events(&daemons->refusing, "filter-error", queue_id), 1);
}

static void a_thousand_fields_are_passed(void **state)
{
	struct daemons *daemons = *state;
	struct mg_buf content = {0};
	char reply[256];

	add_fields(&content, 1000, 10);
	assert_int_equal(send_content(&daemons->refusing, "4THOUSAND", mg_buf_text(&content),
				 content.length, reply),
		MG_ANSWER_CONTINUE);
	mg_buf_free(&content);
}

static void one_field_more_is_over_the_bound_of_fields(void **state)
{
	struct daemons *daemons = *state;
	struct mg_buf content = {0};

	add_fields(&content, 1001, 10);
	assert_over_bound(daemons, "4FIELDS", &content, "bounds.headers");
	mg_buf_free(&content);
}

/* Postfix cuts a field at about 60,000 octets while milters are in use. */
static void a_header_of_a_mebibyte_is_over_the_bound_of_memory(void **state)
{
	struct daemons *daemons = *state;
	struct mg_buf content = {0};

	add_fields(&content, 18, 60000);
	assert_over_bound(daemons, "4MEBIBYTE", &content, "bounds.message_memory");
	mg_buf_free(&content);
}

/* Over what a packet may hold: the connection may end, or the message be over a bound. */
static void one_field_of_a_mebibyte_ends_nothing_but_its_session(void **state)
{
	struct daemons *daemons = *state;
	struct mg_buf content = {0};
	char reply[256];
	enum mg_answer answer;

	add_fields(&content, 1, MEBIBYTE);
	answer = send_content(
		&daemons->refusing, "4ONEFIELD", mg_buf_text(&content), content.length, reply);
	assert_true(answer == MG_ANSWER_LOST || answer == MG_ANSWER_REJECT);
	assert_int_equal(
		driver_count_events(&daemons->refusing, "message-accepted", "4ONEFIELD"), 0);
	json_decref(event_of_text(&daemons->refusing, "4AFTERFIELD", "A: b\n\nx\n"));
	mg_buf_free(&content);
}

static void an_empty_body_or_header_or_message_is_recorded(void **state)
{
	struct daemons *daemons = *state;
	json_t *event = event_of_text(&daemons->accepting, "4NOBODY", "Subject: only\n\n");

	assert_string_equal(driver_text(event, "email.subject"), "only");
	assert_size(event, 17);
	json_decref(event);
	event = event_of_text(&daemons->accepting, "4NOHEADER", "\nbody\n");
	assert_null(driver_field(event, "email.subject"));
	assert_size(event, 8);
	json_decref(event);
	event = event_of_text(&daemons->accepting, "4NOTHING", "\n");
	assert_size(event, 2);
	json_decref(event);
}

static void a_body_of_25_mebibytes_is_passed_and_counted(void **state)
{
	struct daemons *daemons = *state;
	size_t lines = (size_t)25 * MEBIBYTE / 64;
	char line[65];
	struct mg_buf content = {0};
	json_t *event;

	memset(line, 'x', 62);
	memcpy(line + 62, "\r\n", 3);
	mg_buf_add_text(&content, "A: b\r\n\r\n");
	for (size_t i = 0; i < lines; i++)
		mg_buf_add(&content, line, 64);
	assert_false(content.failed);
	event = event_of(&daemons->refusing, "4LARGE", content.data, content.length);
	assert_size(event, 8 + (int64_t)25 * MEBIBYTE);
	json_decref(event);
	mg_buf_free(&content);
}

static void addresses_of_any_bytes_are_recorded_as_valid_json(void **state)
{
	static const char *const recipients[] = {"<\"quoted @\\\" local\"@example.net>",
		"<\377\200@example.net>", "<>", "<<<>>>", "no brackets", "<\t\r\n\001\177@x>", "",
		NULL};
	struct daemons *daemons = *state;
	struct mg_client *client = driver_connect(&daemons->accepting);
	const struct letter letter = {
		.queue_id = "4ADDRESS", .sender = "<\377\"\\@\001>", .recipients = recipients};
	json_t *events;

	letter_open(client, &letter);
	assert_int_equal(letter_send(client, &letter), MG_ANSWER_CONTINUE);
	mg_client_close(client, true);
	events = driver_events(&daemons->accepting, "message-accepted", "4ADDRESS");
	assert_int_equal(json_array_size(events), 1);
	assert_int_equal(json_integer_value(driver_field(
				 json_array_get(events, 0), "millgate.smtp.recipient_count")),
		7);
	json_decref(events);
}

static void a_thousand_recipients_are_recorded(void **state)
{
	enum { COUNT = 1000 };
	static char texts[COUNT][40];
	static const char *recipients[COUNT + 1];
	struct daemons *daemons = *state;
	struct mg_client *client = driver_connect(&daemons->refusing);
	const struct letter letter = {.queue_id = "4MANY", .recipients = recipients};
	json_t *events;

	for (int i = 0; i < COUNT; i++) {
		snprintf(texts[i], sizeof(texts[i]), "<recipient%d@example.net>", i);
		recipients[i] = texts[i];
	}
	letter_open(client, &letter);
	assert_int_equal(letter_send(client, &letter), MG_ANSWER_CONTINUE);
	mg_client_close(client, true);
	events = driver_events(&daemons->refusing, "message-accepted", "4MANY");
	assert_int_equal(json_array_size(events), 1);
	assert_int_equal(json_integer_value(driver_field(
				 json_array_get(events, 0), "millgate.smtp.recipient_count")),
		COUNT);
	json_decref(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_eight_bit_bytes_are_recorded_as_valid_json),
		cmocka_unit_test(a_nul_in_header_and_body_is_passed),
		cmocka_unit_test(a_bare_cr_or_lf_in_a_value_breaks_nothing),
		cmocka_unit_test(lines_of_ten_thousand_octets_are_passed),
		cmocka_unit_test(a_thousand_fields_are_passed),
		cmocka_unit_test(one_field_more_is_over_the_bound_of_fields),
		cmocka_unit_test(a_header_of_a_mebibyte_is_over_the_bound_of_memory),
		cmocka_unit_test(one_field_of_a_mebibyte_ends_nothing_but_its_session),
		cmocka_unit_test(an_empty_body_or_header_or_message_is_recorded),
		cmocka_unit_test(a_body_of_25_mebibytes_is_passed_and_counted),
		cmocka_unit_test(addresses_of_any_bytes_are_recorded_as_valid_json),
		cmocka_unit_test(a_thousand_recipients_are_recorded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
