/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void an_empty_buffer_has_no_data_and_the_text_is_empty(void **state)
{
	struct mg_buf buf = {0};

	(void)state;
	mg_buf_add(&buf, "ignored", 0);
	mg_buf_add_text(&buf, "");
	mg_buf_add_format(&buf, "%s", "");
	assert_null(buf.data);
	assert_string_equal(mg_buf_text(&buf), "");
	assert_false(buf.failed);
	mg_buf_consume(&buf, 5);
	mg_buf_reset(&buf);
	mg_buf_free(&buf);
}

static void additions_follow_each_other_and_end_in_nul(void **state)
{
	struct mg_buf buf;

	(void)state;
	mg_buf_init(&buf, 0);
	mg_buf_add(&buf, "ab\0c", 4);
	mg_buf_add_char(&buf, 'd');
	mg_buf_add_text(&buf, "ef");
	mg_buf_add_format(&buf, "%03d", 7);
	assert_int_equal(buf.length, 10);
	assert_memory_equal(buf.data, "ab\0cdef007", 11);
	mg_buf_free(&buf);
}

static void a_buffer_grows_without_limit_when_that_is_0(void **state)
{
	struct mg_buf buf = {0};

	(void)state;
	for (int i = 0; i < 100000; i++)
		mg_buf_add_format(&buf, "%05d", i);
	assert_false(buf.failed);
	assert_int_equal(buf.length, 500000);
	assert_memory_equal(buf.data + 499995, "99999", 6);
	mg_buf_free(&buf);
}

static void the_limit_can_be_filled_to_the_last_byte(void **state)
{
	struct mg_buf buf;

	(void)state;
	mg_buf_init(&buf, 5);
	mg_buf_add_text(&buf, "abcd");
	mg_buf_add_format(&buf, "%c", 'e');
	assert_false(buf.failed);
	assert_string_equal(mg_buf_text(&buf), "abcde");
	mg_buf_add_char(&buf, 'f');
	assert_true(buf.failed);
	assert_string_equal(mg_buf_text(&buf), "abcde");
	mg_buf_free(&buf);
}

static void failure_is_sticky(void **state)
{
	struct mg_buf buf;

	(void)state;
	mg_buf_init(&buf, 4);
	mg_buf_add_text(&buf, "ab");
	mg_buf_add_text(&buf, "cde");
	assert_true(buf.failed);
	mg_buf_add_char(&buf, 'c');
	mg_buf_add_format(&buf, "%d", 1);
	assert_true(buf.failed);
	assert_string_equal(mg_buf_text(&buf), "ab");
	mg_buf_free(&buf);
}

static void a_size_that_overflows_fails(void **state)
{
	struct mg_buf buf;

	(void)state;
	mg_buf_init(&buf, 0);
	mg_buf_add_text(&buf, "ab");
	mg_buf_add(&buf, "x", SIZE_MAX);
	assert_true(buf.failed);
	assert_string_equal(mg_buf_text(&buf), "ab");
	mg_buf_free(&buf);

	mg_buf_init(&buf, SIZE_MAX);
	mg_buf_add(&buf, "x", SIZE_MAX);
	assert_true(buf.failed);
	assert_null(buf.data);
	mg_buf_free(&buf);
}

static void consume_drops_the_first_bytes(void **state)
{
	struct mg_buf buf = {0};

	(void)state;
	mg_buf_add_text(&buf, "abcdef");
	mg_buf_consume(&buf, 0);
	mg_buf_consume(&buf, 2);
	assert_string_equal(mg_buf_text(&buf), "cdef");
	assert_int_equal(buf.length, 4);
	mg_buf_add_char(&buf, 'g');
	assert_string_equal(mg_buf_text(&buf), "cdefg");
	mg_buf_consume(&buf, 99);
	assert_string_equal(mg_buf_text(&buf), "");
	assert_int_equal(buf.length, 0);
	mg_buf_free(&buf);
}

static void consumed_bytes_no_longer_count_against_the_limit(void **state)
{
	struct mg_buf buf;

	(void)state;
	mg_buf_init(&buf, 4);
	mg_buf_add_text(&buf, "abcd");
	mg_buf_consume(&buf, 3);
	mg_buf_add_text(&buf, "efg");
	assert_false(buf.failed);
	assert_string_equal(mg_buf_text(&buf), "defg");
	mg_buf_free(&buf);
}

static void reset_keeps_memory_and_forgets_failure(void **state)
{
	struct mg_buf buf;
	const char *data;

	(void)state;
	mg_buf_init(&buf, 4);
	mg_buf_add_text(&buf, "abcd");
	mg_buf_add_char(&buf, 'e');
	data = buf.data;
	mg_buf_reset(&buf);
	assert_false(buf.failed);
	assert_int_equal(buf.length, 0);
	assert_string_equal(mg_buf_text(&buf), "");
	assert_ptr_equal(buf.data, data);
	mg_buf_add_text(&buf, "xyz");
	assert_string_equal(mg_buf_text(&buf), "xyz");
	mg_buf_free(&buf);
}

static void a_freed_buffer_is_empty_with_the_same_limit(void **state)
{
	struct mg_buf buf;

	(void)state;
	mg_buf_init(&buf, 3);
	mg_buf_add_text(&buf, "abc");
	mg_buf_free(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.length, 0);
	assert_int_equal(buf.limit, 3);
	mg_buf_add_text(&buf, "abcd");
	assert_true(buf.failed);
	mg_buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_has_no_data_and_the_text_is_empty),
		cmocka_unit_test(additions_follow_each_other_and_end_in_nul),
		cmocka_unit_test(a_buffer_grows_without_limit_when_that_is_0),
		cmocka_unit_test(the_limit_can_be_filled_to_the_last_byte),
		cmocka_unit_test(failure_is_sticky),
		cmocka_unit_test(a_size_that_overflows_fails),
		cmocka_unit_test(consume_drops_the_first_bytes),
		cmocka_unit_test(consumed_bytes_no_longer_count_against_the_limit),
		cmocka_unit_test(reset_keeps_memory_and_forgets_failure),
		cmocka_unit_test(a_freed_buffer_is_empty_with_the_same_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
