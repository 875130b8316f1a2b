/* SPDX-License-Identifier: ISC */
/* Several filters on one message: what one edits the next sees, as if Postfix stood between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session_place.h"

static const char *const dry[] = {"dry_run=yes", NULL};
static const char *const by_header[] = {"hold=header", NULL};

/* --- a body that the first filter replaces --- */

static const char *new_body; /* read in pieces of a few bytes */
enum { PIECE = 5 };

static long read_body(void *source, unsigned char *target, size_t size)
{
	const char **left = source;
	size_t length = strnlen(*left, size < PIECE ? size : PIECE);

	memcpy(target, *left, length);
	*left += length;
	return (long)length;
}

static long read_nothing(void *source, unsigned char *target, size_t size)
{
	(void)source;
	(void)target;
	(void)size;
	return -1;
}

static void replace(struct mg_call *call, struct mg_verdict *verdict)
{
	static const char *left;

	(void)verdict;
	left = new_body;
	assert_int_equal(mg_change_header(call, "X-Two", 1, NULL), 0);
	assert_int_equal(mg_replace_body(call, read_body, &left), 0);
}

static void see_size(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)verdict;
	mg_buf_add_format(&seen, "%llu+%llu ", (unsigned long long)call->message->header_bytes,
		(unsigned long long)call->message->body_bytes);
}

static void begin_watched(struct fixture *fixture, const char *const first[], const char *body)
{
	begin_two(fixture, first, no_overrides);
	new_body = body;
	first_script.at_eom = replace;
	second_script.watches = true;
	second_script.at_eom = see_size;
}

static void a_replaced_body_comes_again_to_the_filter_that_follows(void **state)
{
	struct fixture fixture;

	(void)state;
	begin_watched(&fixture, no_overrides, "A\r\nB\r\n");
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_string_equal(mg_buf_text(&seen),
		"mail rcpt (Subject: one)(X-Two: a\r\n\tb)eoh2 <body\r\n>eom "
		"renew2 (Subject: one)eoh2 <A\r\nB\r><\n>eom2 14+6 end:answered end2 ");
	assert_string_equal(mg_buf_text(&told), "change 1 X-Two:-\nbody A\r\nB\r\nbody \n\n");
	finish(&fixture);
}

static void the_lines_of_a_new_body_end_as_postfix_ends_them(void **state)
{
	static const struct {
		const char *body, *seen;
	} cases[] = {
		{"a\nb", "<a\r\nb><\r\n>"},
		{"a\r", "<a\r><\n>"},
		{"1234\r\n\n", "<1234\r><\n\r\n>"},
		{"", "eoh2 eom2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fixture fixture;

		begin_watched(&fixture, no_overrides, cases[i].body);
		assert_int_equal(whole_message(&fixture), MG_CONTINUE);
		assert_non_null(strstr(strstr(mg_buf_text(&seen), "renew2"), cases[i].seen));
		assert_non_null(strstr(mg_buf_text(&told), "body "));
		finish(&fixture);
	}
}

static void a_body_replaced_in_a_dry_run_is_not_seen_by_the_filter_that_follows(void **state)
{
	struct fixture fixture;

	(void)state;
	begin_watched(&fixture, dry, "A\r\n");
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_null(strstr(mg_buf_text(&seen), "renew2"));
	assert_non_null(strstr(mg_buf_text(&seen), "eom2 28+6 "));
	assert_string_equal(mg_buf_text(&told), "");
	finish(&fixture);
}

static void fail_at_two(struct mg_call *call, const struct mg_header *header)
{
	if (strcmp(header->name, "X-Two") == 0) {
		mg_fail(call, "a field it cannot read");
		assert_int_equal(mg_hold(call, "two"), 0);
	}
}

static void a_failure_and_a_hold_of_the_old_content_are_void(void **state)
{
	struct fixture fixture;

	(void)state;
	begin_watched(&fixture, no_overrides, "A\r\n");
	second_script.at_header = fail_at_two;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_null(strstr(mg_buf_text(&told), "quarantine"));
	first_script.at_eom = NULL;
	assert_int_equal(whole_message(&fixture), MG_TEMPFAIL);
	finish(&fixture);
}

static void hold_it(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)verdict;
	assert_int_equal(mg_hold(call, "test-code"), 0);
}

static void a_hold_of_the_envelope_stays(void **state)
{
	struct fixture fixture;

	(void)state;
	begin_watched(&fixture, no_overrides, "A\r\n");
	second_script.at_mail = hold_it;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_non_null(strstr(mg_buf_text(&told), "quarantine test-code\n"));
	finish(&fixture);
}

static void replace_by_nothing(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)verdict;
	assert_int_equal(mg_replace_body(call, read_nothing, NULL), 0);
}

static void a_body_that_cannot_be_read_defers_the_message_whatever_on_error_says(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 2, (const char *const[]){"on_error=accept", NULL});
	first_script.at_eom = replace_by_nothing;
	assert_int_equal(whole_message(&fixture), MG_TEMPFAIL);
	assert_null(strstr(mg_buf_text(&seen), "eom2"));
	assert_int_equal(mg_metrics_get(fixture.host.metrics, MG_METRIC_FILTER_ERRORS), 1);
	finish(&fixture);
}

static bool edit_refused;

static void edit_early(struct mg_call *call, const struct mg_header *header)
{
	(void)header;
	edit_refused = mg_insert_header(call, 1, "X-Early", " x") == -1;
}

static void a_filter_edits_in_its_own_turn_alone(void **state)
{
	struct fixture fixture;

	(void)state;
	begin_watched(&fixture, no_overrides, "A\r\n");
	second_script.at_header = edit_early;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_true(edit_refused);
	assert_null(strstr(mg_buf_text(&told), "X-Early"));
	finish(&fixture);
}

/* --- facts --- */

static void insert(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)verdict;
	assert_int_equal(mg_insert_header(call, 1, "X-New", " 1\r\n 2"), 0);
}

static void the_size_that_a_filter_sees_has_the_edits_before_it(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 2, by_header);
	first_script.at_mail = hold_it;
	first_script.at_eom = insert;
	second_script.at_eom = see_size;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	/* 28 bytes, "X-New: 1\r\n 2\r\n" and "X-Millgate-Hold: test-code\r\n" */
	assert_non_null(strstr(mg_buf_text(&seen), "eom2 70+6 "));
	finish(&fixture);
}

static void see_dry_run(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)verdict;
	mg_buf_add_format(&seen, "dry:%d ", call->message->dry_run);
}

static void each_filter_has_its_own_dry_run(void **state)
{
	struct fixture fixture;

	(void)state;
	begin_two(&fixture, dry, no_overrides);
	first_script.at_eom = second_script.at_eom = see_dry_run;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_non_null(strstr(mg_buf_text(&seen), "eom dry:1 eom2 dry:0 "));
	finish(&fixture);
}

static void a_filter_is_not_told_of_a_message_that_one_before_refused_at_mail(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 2, no_overrides);
	first_script.at_mail = reject;
	second_script.watches = true;
	assert_int_equal(mail(&fixture, "<a@example.com>"), MG_REJECT);
	assert_string_equal(mg_buf_text(&seen), "mail end:answered ");
	finish(&fixture);
}

static void accept_it(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)call;
	verdict->action = MG_ACCEPT;
}

static void an_accepting_filter_leaves_the_others_to_go_on(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 2, no_overrides);
	first_script.at_mail = accept_it;
	second_script.at_eom = reject;
	assert_int_equal(whole_message(&fixture), MG_REJECT);
	assert_null(strstr(mg_buf_text(&seen), "eom eom2"));
	finish(&fixture);
}

/* --- holds --- */

static void a_message_that_two_filters_hold_is_held_and_counted_once(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 2, no_overrides);
	first_script.at_eom = second_script.at_eom = hold_it;
	assert_int_equal(whole_message(&fixture), MG_CONTINUE);
	assert_string_equal(mg_buf_text(&told), "quarantine test-code\n");
	assert_int_equal(mg_metrics_get(fixture.host.metrics, MG_METRIC_MESSAGES_HELD), 1);
	finish(&fixture);
}

static void a_refusal_after_a_hold_is_a_refusal(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, 2, no_overrides);
	first_script.at_eom = hold_it;
	second_script.at_eom = reject;
	assert_int_equal(whole_message(&fixture), MG_REJECT);
	assert_null(strstr(mg_buf_text(&told), "quarantine"));
	finish(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replaced_body_comes_again_to_the_filter_that_follows),
		cmocka_unit_test(the_lines_of_a_new_body_end_as_postfix_ends_them),
		cmocka_unit_test(
			a_body_replaced_in_a_dry_run_is_not_seen_by_the_filter_that_follows),
		cmocka_unit_test(a_failure_and_a_hold_of_the_old_content_are_void),
		cmocka_unit_test(a_hold_of_the_envelope_stays),
		cmocka_unit_test(
			a_body_that_cannot_be_read_defers_the_message_whatever_on_error_says),
		cmocka_unit_test(a_filter_edits_in_its_own_turn_alone),
		cmocka_unit_test(the_size_that_a_filter_sees_has_the_edits_before_it),
		cmocka_unit_test(each_filter_has_its_own_dry_run),
		cmocka_unit_test(a_filter_is_not_told_of_a_message_that_one_before_refused_at_mail),
		cmocka_unit_test(an_accepting_filter_leaves_the_others_to_go_on),
		cmocka_unit_test(a_message_that_two_filters_hold_is_held_and_counted_once),
		cmocka_unit_test(a_refusal_after_a_hold_is_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, free_notes);
}
