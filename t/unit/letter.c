/* SPDX-License-Identifier: ISC */
/* A message of a file, taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mail/letter.h"

/* Fields as [name|value], then the body. */
static void expect(const char *text, const char *expected)
{
	struct mg_letter letter;
	struct mg_buf told = {.limit = 0};

	if (!mg_letter_read(&letter, text, strlen(text), NULL))
		mg_buf_add_text(&told, "none");
	for (size_t i = 0; i < letter.count; i++)
		mg_buf_add_format(&told, "[%.*s|%.*s]", (int)letter.headers[i].name_length,
			letter.headers[i].name, (int)letter.headers[i].value_length,
			letter.headers[i].value);
	mg_buf_add(&told, letter.body, letter.body_length);
	assert_string_equal(mg_buf_text(&told), expected);
	mg_buf_free(&told);
	mg_letter_free(&letter);
}

static void line_ends_become_crlf(void **state)
{
	(void)state;
	expect("A: b\nC:d\r\n\r\ne\nf\r\n", "[A| b][C|d]e\r\nf\r\n");
}

static void a_last_line_without_an_end_gets_one(void **state)
{
	(void)state;
	expect("A: b\n\ne", "[A| b]e\r\n");
	expect("A: b", "[A| b]");
}

static void folds_are_part_of_the_value(void **state)
{
	(void)state;
	expect("A: b\n c\n\td\nE:\n\nf\n", "[A| b\r\n c\r\n\td][E|]f\r\n");
}

static void a_line_of_a_mailbox_file_is_left_out(void **state)
{
	(void)state;
	expect("From ann@example.org Tue Nov 24\nA: b\n\n", "[A| b]");
}

static void what_is_no_field_ends_the_header(void **state)
{
	(void)state;
	expect("A: b\nno field\nC: d\n", "[A| b]no field\r\nC: d\r\n");
	expect("A: b\nno\n field: x\n", "[A| b]no\r\n field: x\r\n");
	expect("A : b\n\n", "[A| b]");
}

static void what_begins_with_no_field_is_no_message(void **state)
{
	(void)state;
	expect("", "none");
	expect("hello\n", "nonehello\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_ends_become_crlf),
		cmocka_unit_test(a_last_line_without_an_end_gets_one),
		cmocka_unit_test(folds_are_part_of_the_value),
		cmocka_unit_test(a_line_of_a_mailbox_file_is_left_out),
		cmocka_unit_test(what_is_no_field_ends_the_header),
		cmocka_unit_test(what_begins_with_no_field_is_no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
