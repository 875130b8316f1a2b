/* SPDX-License-Identifier: ISC */
#include "base/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int test_n(const char *pattern, const char *text, size_t length, struct mg_error *error)
{
	struct mg_regex *regex = mg_regex_new(pattern, error);
	int result;

	if (regex == NULL)
		fail_msg("%s: %s", pattern, error->text);
	result = mg_regex_test(regex, text, length, error);
	mg_regex_free(regex);
	return result;
}

static int test(const char *pattern, const char *text)
{
	struct mg_error error;

	return test_n(pattern, text, strlen(text), &error);
}

static void a_pattern_fits_anywhere_unless_it_is_anchored(void **state)
{
	(void)state;
	assert_int_equal(test("b+", "abbc"), 1);
	assert_int_equal(test("^b+", "abbc"), 0);
	assert_int_equal(test("^a.*c$", "abbc"), 1);
	assert_int_equal(test("d", "abbc"), 0);
	assert_int_equal(test("^$", ""), 1);
}

static void case_counts_unless_the_pattern_says_no(void **state)
{
	(void)state;
	assert_int_equal(test("yes", "YES"), 0);
	assert_int_equal(test("(?i)yes", "YES"), 1);
	assert_int_equal(test("(?i)\xc3\xbc", "\xc3\x9c"), 1);
}

static void a_character_is_one_whatever_its_bytes(void **state)
{
	(void)state;
	assert_int_equal(test("^b.cher$", "b\xc3\xbc"
					  "cher"),
		1);
	assert_int_equal(test("^\\p{Greek}+$", "\xce\xb1\xce\xb2"), 1);
}

static void bytes_that_are_no_text_fit_nothing_and_what_is_around_them_does(void **state)
{
	(void)state;
	assert_int_equal(test("^b.c$", "b\xff"
				       "c"),
		0);
	assert_int_equal(test("secret", "\xff secret \xc3"), 1);
}

static void a_nul_in_the_text_does_not_end_it(void **state)
{
	struct mg_error error;

	(void)state;
	assert_int_equal(test_n("b", "a\0b", 3, &error), 1);
}

static void a_wrong_pattern_is_an_error_with_its_column(void **state)
{
	static const struct {
		const char *pattern, *says;
	} wrong[] = {
		{"^(yes", "missing closing parenthesis at column 6"},
		{"a[b", "at column 4"},
		{"*a", "at column 1"},
		{"a\\Cb", "at column 4"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct mg_error error = {""};
		struct mg_regex *regex = mg_regex_new(wrong[i].pattern, &error);

		assert_null(regex);
		if (strstr(error.text, wrong[i].says) == NULL)
			fail_msg("%s: %s", wrong[i].pattern, error.text);
	}
}

static void a_pattern_that_goes_back_for_ever_ends_by_its_limit(void **state)
{
	static const char *const patterns[] = {"^(a+)+$", "^(a|aa)+$", "^(.*a){12}$"};
	char text[64];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '!';
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct mg_error error = {""};

		assert_int_equal(test_n(patterns[i], text, sizeof(text), &error), -1);
		assert_non_null(strstr(error.text, "limit"));
	}
}

/* Each round of these is kept, to go back to: more than the stack of compiled patterns holds. */
static void a_long_text_needs_more_than_a_stack_and_not_without_end(void **state)
{
	enum { LENGTH = 2000000 };
	char *text = malloc(LENGTH);
	struct mg_error error = {""};

	(void)state;
	assert_non_null(text);
	memset(text, 'a', LENGTH);
	assert_int_equal(test_n("^(?:a|b)*$", text, 5000, &error), 1);
	assert_int_equal(test_n("^(?:a|b)*$", text, LENGTH, &error), -1);
	assert_non_null(strstr(error.text, "limit"));
	assert_int_equal(test_n("^a*$", text, LENGTH, &error), 1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_fits_anywhere_unless_it_is_anchored),
		cmocka_unit_test(case_counts_unless_the_pattern_says_no),
		cmocka_unit_test(a_character_is_one_whatever_its_bytes),
		cmocka_unit_test(bytes_that_are_no_text_fit_nothing_and_what_is_around_them_does),
		cmocka_unit_test(a_nul_in_the_text_does_not_end_it),
		cmocka_unit_test(a_wrong_pattern_is_an_error_with_its_column),
		cmocka_unit_test(a_pattern_that_goes_back_for_ever_ends_by_its_limit),
		cmocka_unit_test(a_long_text_needs_more_than_a_stack_and_not_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
