/* SPDX-License-Identifier: ISC */
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void an_error_is_one_formatted_text(void **state)
{
	struct mg_error error;

	(void)state;
	mg_error_set(&error, "%s:%d: no setting", "log.conf", 14);
	assert_string_equal(error.text, "log.conf:14: no setting");
}

static void a_caller_that_wants_no_text_passes_null(void **state)
{
	(void)state;
	mg_error_set(NULL, "%s", "lost");
	mg_error_system(NULL, ENOENT, "%s", "lost");
}

static void a_text_that_is_too_long_is_cut_at_its_end(void **state)
{
	struct mg_error error;
	char text[2 * sizeof(error.text)];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	mg_error_set(&error, "%s", text);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	mg_error_system(&error, ENOENT, "%s", text);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
}

static void a_new_text_may_contain_the_old_one(void **state)
{
	struct mg_error error;

	(void)state;
	mg_error_set(&error, "no such key");
	mg_error_set(&error, "dkim.conf:3: %s", error.text);
	assert_string_equal(error.text, "dkim.conf:3: no such key");
	mg_error_system(&error, EIO, "reload: %s", error.text);
	assert_string_equal(error.text, "reload: dkim.conf:3: no such key: Input/output error");
}

static void a_system_error_ends_in_the_text_of_errno(void **state)
{
	struct mg_error error;

	(void)state;
	mg_error_system(&error, ENOENT, "/no/%s", "file");
	assert_string_equal(error.text, "/no/file: No such file or directory");
}

static void errors_keep_the_order_they_were_found_in(void **state)
{
	struct mg_errors errors = {0};

	(void)state;
	mg_errors_add(&errors, "line %d", 1);
	mg_errors_add(&errors, "line %d", 2);
	assert_int_equal(errors.count, 2);
	assert_int_equal(errors.kept, 2);
	assert_string_equal(errors.list[0].text, "line 1");
	assert_string_equal(errors.list[1].text, "line 2");
	mg_errors_clear(&errors);
}

static void at_most_100_errors_are_kept_and_all_counted(void **state)
{
	struct mg_errors errors = {0};

	(void)state;
	for (int i = 1; i <= 250; i++)
		mg_errors_add(&errors, "line %d", i);
	assert_int_equal(errors.kept, 100);
	assert_int_equal(errors.count, 250);
	assert_string_equal(errors.list[99].text, "line 100");
	mg_errors_clear(&errors);
}

static void a_cleared_list_is_empty_and_can_be_used_again(void **state)
{
	struct mg_errors errors = {0};

	(void)state;
	mg_errors_clear(&errors);
	mg_errors_add(&errors, "first");
	mg_errors_clear(&errors);
	assert_null(errors.list);
	assert_int_equal(errors.kept, 0);
	assert_int_equal(errors.count, 0);
	mg_errors_add(&errors, "second");
	assert_string_equal(errors.list[0].text, "second");
	mg_errors_clear(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_is_one_formatted_text),
		cmocka_unit_test(a_caller_that_wants_no_text_passes_null),
		cmocka_unit_test(a_text_that_is_too_long_is_cut_at_its_end),
		cmocka_unit_test(a_new_text_may_contain_the_old_one),
		cmocka_unit_test(a_system_error_ends_in_the_text_of_errno),
		cmocka_unit_test(errors_keep_the_order_they_were_found_in),
		cmocka_unit_test(at_most_100_errors_are_kept_and_all_counted),
		cmocka_unit_test(a_cleared_list_is_empty_and_can_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
