/* SPDX-License-Identifier: ISC */
/* What a filter changes, as the message leaves Postfix (mta_model): millgate-probe edits by the
 * fields X-Probe, which are left out where a header is compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "mta_model.h"

static int setup(void **state)
{
	static struct driver driver;

	driver_start(&driver, "millgate-probe", "");
	*state = &driver;
	return 0;
}

/* The message that an MTA of this protocol (0: Postfix 3.7) has after a letter that must pass. */
static struct mta_model *deliver_by(
	const struct driver *driver, const struct letter *letter, uint32_t protocol)
{
	struct mg_error error = {""};
	struct mg_client *client = mg_client_open(&driver->endpoint, protocol, 0, GENEROUS, &error);
	const struct mg_client_edit *edits;
	struct mta_model *model;
	enum mg_answer answer;
	size_t count;

	if (client == NULL)
		fail_msg("%s", error.text);
	letter_open(client, letter);
	answer = letter_send(client, letter);
	if (answer != MG_ANSWER_CONTINUE && answer != MG_ANSWER_ACCEPT)
		fail_msg("answered %d %s %s", answer, mg_client_reply(client),
			mg_client_error(client));
	model = mta_model_new(
		letter, (mg_client_options(client)->protocol & MG_WIRE_HEADER_LEADING_SPACE) != 0);
	edits = mg_client_edits(client, &count);
	mta_model_apply(model, edits, count);
	mg_client_close(client, true);
	return model;
}

static struct mta_model *deliver(const struct driver *driver, const struct letter *letter)
{
	return deliver_by(driver, letter, 0);
}

/* The header without the fields that steer the probe. */
static void assert_header(struct mta_model *model, const char *expected)
{
	const char *line = mta_model_header(model);
	struct mg_buf header = {0};

	while (*line != '\0') {
		size_t length = strcspn(line, "\n") + 1;

		if (!mg_str_starts_nocase(line, "X-Probe:"))
			mg_buf_add(&header, line, length);
		line += length;
	}
	assert_string_equal(mg_buf_text(&header), expected);
	mg_buf_free(&header);
}

static void assert_becomes(const struct driver *driver, const char *content, const char *expected)
{
	struct mta_model *model = deliver(driver, &(struct letter){.content = content});

	assert_header(model, expected);
	mta_model_free(model);
}

/* The model itself, against what Postfix was seen to do. */
static void the_model_edits_as_postfix_does(void **state)
{
	static const struct {
		struct mg_client_edit edit;
		const char *header;
	} cases[] = {
		{{MG_REPLY_INSERT_HEADER, 0, "N", " v", 2},
			"N: v\nReceived: own\nA: 1\nB: 2\nA: 3\n"},
		{{MG_REPLY_INSERT_HEADER, 1, "N", " v", 2},
			"Received: own\nN: v\nA: 1\nB: 2\nA: 3\n"},
		{{MG_REPLY_ADD_HEADER, 0, "N", " v", 2}, "Received: own\nA: 1\nB: 2\nA: 3\nN: v\n"},
		{{MG_REPLY_CHANGE_HEADER, 2, "a", " v", 2}, "Received: own\nA: 1\nB: 2\na: v\n"},
		{{MG_REPLY_CHANGE_HEADER, 3, "A", " v", 2},
			"Received: own\nA: 1\nB: 2\nA: 3\nA: v\n"},
		{{MG_REPLY_CHANGE_HEADER, 1, "A", "", 0}, "Received: own\nB: 2\nA: 3\n"},
		{{MG_REPLY_CHANGE_HEADER, 1, "Received", "", 0},
			"Received: own\nA: 1\nB: 2\nA: 3\n"},
	};
	const struct letter letter = {.content = "A: 1\nB: 2\nA: 3\n\n"};
	static const struct mg_client_edit first = {MG_REPLY_CHANGE_HEADER, 1, "A", "", 0};
	struct mta_model *model;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		model = mta_model_new(&letter, true);
		mta_model_apply(model, &cases[i].edit, 1);
		assert_string_equal(mta_model_header(model), cases[i].header);
		mta_model_free(model);
	}
	/* A deletion is done at once: the next one of that name becomes the first. */
	model = mta_model_new(&letter, true);
	mta_model_apply(model, &first, 1);
	mta_model_apply(model, &first, 1);
	assert_string_equal(mta_model_header(model), "Received: own\nB: 2\n");
	mta_model_free(model);
}

static void insertion_counts_the_received_field_of_the_mta(void **state)
{
	assert_becomes(*state, "X-Probe: insert 0 Top a\nA: 1\nB: 2\n\n",
		"Top: a\nReceived: own\nA: 1\nB: 2\n");
	assert_becomes(*state, "X-Probe: insert 1 Below b\nA: 1\nB: 2\n\n",
		"Received: own\nBelow: b\nA: 1\nB: 2\n");
	assert_becomes(*state, "A: 1\nB: 2\nX-Probe: insert 2 Third c\n\n",
		"Received: own\nA: 1\nThird: c\nB: 2\n");
	assert_becomes(
		*state, "A: 1\nX-Probe: insert 1000 Last d\n\n", "Received: own\nA: 1\nLast: d\n");
}

static void several_insertions_stand_in_the_order_they_were_made(void **state)
{
	assert_becomes(*state,
		"X-Probe: insert 1 First a\nX-Probe: insert 1 Second b\nX-Probe: insert 0 Top c\nA: 1\n\n",
		"Top: c\nReceived: own\nSecond: b\nFirst: a\nA: 1\n");
}

static void a_change_takes_the_named_occurrence(void **state)
{
	assert_becomes(*state, "A: 1\nB: 2\nA: 3\nX-Probe: change A 2 new\n\n",
		"Received: own\nA: 1\nB: 2\nA: new\n");
	assert_becomes(*state, "a: 1\nX-Probe: change A 1 new\n\n", "Received: own\nA: new\n");
}

static void the_received_field_of_the_mta_is_not_counted_by_a_change(void **state)
{
	assert_becomes(*state, "Received: before\nX-Probe: change Received 1 changed\n\n",
		"Received: own\nReceived: changed\n");
	assert_becomes(
		*state, "Received: before\nX-Probe: delete Received 1\n\n", "Received: own\n");
}

static void occurrences_count_as_the_message_came_whatever_was_deleted(void **state)
{
	assert_becomes(*state,
		"A: 1\nA: 2\nA: 3\nX-Probe: delete A 1\nX-Probe: delete A 2\n"
		"X-Probe: change A 3 kept\n\n",
		"Received: own\nA: kept\n");
	assert_becomes(*state, "A: 1\nA: 2\nA: 3\nX-Probe: delete A 3\nX-Probe: delete A 1\n\n",
		"Received: own\nA: 2\n");
	assert_becomes(*state,
		"A: 1\nA: 2\nX-Probe: insert 1 A new\nX-Probe: delete A 1\n"
		"X-Probe: change A 2 two\n\n",
		"Received: own\nA: new\nA: two\n");
	assert_becomes(*state, "A: 1\nA: 2\nX-Probe: insert 0 A top\nX-Probe: delete A 2\n\n",
		"A: top\nReceived: own\nA: 1\n");
}

static void ten_forged_results_are_deleted_and_foreign_ones_stay(void **state)
{
	static const char forged[] =
		"Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=bank.example\n";
	static const char foreign[] = "authentication-results: other%d.example; spf=fail\n";
	struct mg_buf content = {0}, expected = {0};

	mg_buf_add_text(&expected, "Received: own\nAuthentication-Results: mx.example.org; none\n");
	for (int i = 0; i < 10; i++) {
		mg_buf_add_text(&content, forged);
		if (i % 3 != 0)
			continue;
		mg_buf_add_format(&content, foreign, i);
		mg_buf_add_format(&expected, foreign, i);
	}
	mg_buf_add_text(&content,
		"Subject: s\n"
		"X-Probe: delete-all Authentication-Results mx.example.org\n"
		"X-Probe: insert 1 Authentication-Results mx.example.org; none\n\nx\n");
	mg_buf_add_text(&expected, "Subject: s\n");
	assert_becomes(*state, mg_buf_text(&content), mg_buf_text(&expected));
	mg_buf_free(&content);
	mg_buf_free(&expected);
}

static void a_folded_value_has_line_feeds_alone(void **state)
{
	assert_becomes(*state, "A: 1\nX-Probe: insert-folded Folded\n\n",
		"Received: own\nFolded: one\n\ttwo\n three\nA: 1\n");
}

static void a_value_that_would_end_its_field_is_not_taken(void **state)
{
	assert_becomes(*state, "A: 1\nX-Probe: insert-broken Broken\n\n", "Received: own\nA: 1\n");
}

static void a_change_of_a_field_that_is_not_there_fails(void **state)
{
	struct mg_client *client = driver_connect(*state);
	const struct letter letter = {
		.queue_id = "4NOFIELD", .content = "A: 1\nX-Probe: change A 2 new\n\n"};
	size_t count;

	letter_open(client, &letter);
	assert_int_equal(letter_send(client, &letter), MG_ANSWER_TEMPFAIL);
	mg_client_edits(client, &count);
	assert_int_equal(count, 0);
	mg_client_close(client, true);
	assert_int_equal(driver_count_events(*state, "filter-error", "4NOFIELD"), 1);
}

static void envelope_and_body_become_what_the_filter_says(void **state)
{
	static const char *const recipients[] = {
		"<one@example.net>", "<two@example.net>", "<three@example.net>", NULL};
	const struct letter letter = {.recipients = recipients,
		.content = "X-Probe: add-recipient new@example.net\n"
			   "X-Probe: delete-recipient two@example.net\n"
			   "X-Probe: sender other@example.org\n"
			   "X-Probe: body a new body\n\nold\nbody\n"};
	struct mta_model *model = deliver(*state, &letter);

	assert_string_equal(
		mta_model_recipients(model), "one@example.net,three@example.net,new@example.net");
	assert_string_equal(mta_model_sender(model), "other@example.org");
	assert_string_equal(mta_model_body(model), "a new body\r\n");
	mta_model_free(model);
}

static void without_edits_the_message_stays_as_it_is(void **state)
{
	struct mta_model *model = deliver(*state, &(struct letter){.content = "A: 1\n\nold\n"});

	assert_header(model, "Received: own\nA: 1\n");
	assert_string_equal(mta_model_body(model), "old\r\n");
	assert_string_equal(mta_model_held(model), "");
	mta_model_free(model);
}

static void a_refused_message_is_not_edited(void **state)
{
	struct mg_client *client = driver_connect(*state);
	const struct letter letter = {.content = "X-Probe: insert 0 A b\nX-Probe: hold code\n"
						 "X-Probe: reject 550 5.7.1 No\n\n"};
	size_t count;

	letter_open(client, &letter);
	assert_int_equal(letter_send(client, &letter), MG_ANSWER_REJECT);
	mg_client_edits(client, &count);
	assert_int_equal(count, 0);
	mg_client_close(client, true);
}

static void an_mta_without_leading_space_gets_the_same_message(void **state)
{
	const struct letter letter = {.content = "A: 1\nX-Probe: insert 1 New value\n"
						 "X-Probe: change A 1 other\n\n"};
	struct mta_model *model = deliver_by(
		*state, &letter, MG_CLIENT_PROTOCOL & ~(uint32_t)MG_WIRE_HEADER_LEADING_SPACE);

	assert_header(model, "Received: own\nNew: value\nA: other\n");
	mta_model_free(model);
}

static void an_mta_that_cannot_make_the_edits_is_turned_away(void **state)
{
	const struct driver *driver = *state;
	struct mg_error error = {""};

	assert_null(mg_client_open(&driver->endpoint, 0, MG_WIRE_ADD_HEADERS, GENEROUS, &error));
	assert_string_not_equal(error.text, "");
	mta_model_free(deliver(driver, &(struct letter){.content = "A: 1\n\n"}));
}

static void a_hold_is_a_quarantine_with_its_code(void **state)
{
	struct mta_model *model = deliver(*state,
		&(struct letter){
			.content = "A: 1\nX-Probe: hold too-odd\nX-Probe: insert 1 B 2\n\n"});

	assert_string_equal(mta_model_held(model), "too-odd");
	assert_header(model, "Received: own\nB: 2\nA: 1\n");
	mta_model_free(model);
}

static void a_hold_decided_at_mail_is_done_at_the_end(void **state)
{
	struct mta_model *model = deliver(*state,
		&(struct letter){.sender = "<hold-mail@example.org>", .content = "A: 1\n\n"});

	assert_string_equal(mta_model_held(model), "probe");
	mta_model_free(model);
}

static void a_hold_by_header_is_a_field_that_the_mta_matches(void **state)
{
	struct driver driver;
	struct mta_model *model;

	(void)state;
	driver_start(&driver, "millgate-probe", "hold = \"header\"");
	model = deliver(&driver, &(struct letter){.content = "A: 1\nX-Probe: hold too-odd\n\n"});
	assert_string_equal(mta_model_held(model), "millgate too-odd");
	assert_header(model, "Received: own\nX-Millgate-Hold: too-odd\nA: 1\n");
	mta_model_free(model);
	/* One that the client itself wrote holds nothing. */
	model = deliver(&driver, &(struct letter){.content = "X-Millgate-Hold: forged\nA: 1\n\n"});
	assert_string_equal(mta_model_held(model), "");
	mta_model_free(model);
	driver_stop(&driver);
}

static void a_dry_run_changes_refuses_and_holds_nothing(void **state)
{
	static const char *const recipients[] = {"<reject-rcpt@example.net>", NULL};
	static const struct letter letters[] = {
		{.content = "X-Probe: insert 0 A b\nX-Probe: body x\nX-Probe: hold code\n\nold\n"},
		{.content = "X-Probe: reject 550 5.7.1 No\n\nold\n"},
		{.content = "X-Probe: discard\n\nold\n"},
		{.content = "\nold\n", .sender = "<tempfail-mail@example.org>"},
		{.content = "\nold\n", .recipients = recipients},
		{.content = "\nold\n", .helo = "reject-helo"},
	};
	struct driver driver;

	(void)state;
	driver_start(&driver, "millgate-probe", "dry_run = yes");
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		struct mta_model *model = deliver(&driver, &letters[i]);

		assert_header(model, "Received: own\n");
		assert_string_equal(mta_model_body(model), "old\r\n");
		assert_string_equal(mta_model_held(model), "");
		mta_model_free(model);
	}
	driver_stop(&driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_model_edits_as_postfix_does),
		cmocka_unit_test(insertion_counts_the_received_field_of_the_mta),
		cmocka_unit_test(several_insertions_stand_in_the_order_they_were_made),
		cmocka_unit_test(a_change_takes_the_named_occurrence),
		cmocka_unit_test(the_received_field_of_the_mta_is_not_counted_by_a_change),
		cmocka_unit_test(occurrences_count_as_the_message_came_whatever_was_deleted),
		cmocka_unit_test(ten_forged_results_are_deleted_and_foreign_ones_stay),
		cmocka_unit_test(a_folded_value_has_line_feeds_alone),
		cmocka_unit_test(a_value_that_would_end_its_field_is_not_taken),
		cmocka_unit_test(a_change_of_a_field_that_is_not_there_fails),
		cmocka_unit_test(envelope_and_body_become_what_the_filter_says),
		cmocka_unit_test(without_edits_the_message_stays_as_it_is),
		cmocka_unit_test(a_refused_message_is_not_edited),
		cmocka_unit_test(an_mta_without_leading_space_gets_the_same_message),
		cmocka_unit_test(an_mta_that_cannot_make_the_edits_is_turned_away),
		cmocka_unit_test(a_hold_is_a_quarantine_with_its_code),
		cmocka_unit_test(a_hold_decided_at_mail_is_done_at_the_end),
		cmocka_unit_test(a_hold_by_header_is_a_field_that_the_mta_matches),
		cmocka_unit_test(a_dry_run_changes_refuses_and_holds_nothing),
	};

	return cmocka_run_group_tests(tests, setup, driver_teardown);
}
