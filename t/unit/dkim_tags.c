/* SPDX-License-Identifier: ISC */
#include "auth/dkim_tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct mg_dkim_tags tags;

static bool read_text(const char *text)
{
	return mg_dkim_tags_read(text, strlen(text), &tags);
}

static void assert_tag(const char *name, const char *value)
{
	const struct mg_dkim_tag *tag = mg_dkim_tag_find(&tags, name);

	assert_non_null(tag);
	assert_int_equal(tag->value_length, strlen(value));
	assert_memory_equal(tag->value, value, tag->value_length);
}

static void tags_are_read_in_their_order(void **state)
{
	(void)state;
	assert_true(read_text("v=1; a=rsa-sha256;b_2=x"));
	assert_int_equal(tags.count, 3);
	assert_memory_equal(tags.list[0].name, "v", tags.list[0].name_length);
	assert_memory_equal(tags.list[2].name, "b_2", tags.list[2].name_length);
	assert_tag("a", "rsa-sha256");
	assert_null(mg_dkim_tag_find(&tags, "A"));
	assert_null(mg_dkim_tag_find(&tags, "b"));
}

static void white_space_and_folds_around_names_and_values_are_off(void **state)
{
	(void)state;
	assert_true(read_text(" v = 1 ;\r\n\td\n =\t example.org\r\n ; "));
	assert_tag("v", "1");
	assert_tag("d", "example.org");
}

static void a_value_may_be_empty_and_hold_equals_signs(void **state)
{
	(void)state;
	assert_true(read_text("p=; b=a==;"));
	assert_tag("p", "");
	assert_tag("b", "a==");
}

static void a_value_may_hold_utf8(void **state)
{
	(void)state;
	assert_true(read_text("i=@b\xc3\xbc"
			      "cher.example"));
	assert_tag("i", "@b\xc3\xbc"
			"cher.example");
}

static void what_is_no_tag_list_is_refused(void **state)
{
	static const char *const wrong[] = {"", " ", ";", "v", "v=1; ; a=2", "v=1;;", "=1", "1=v",
		"\"v=1", "v-1=2", "v 1=2", "v=1; v=2", "v=\x01", "v=\x7f", "_=1", "v=1; text"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (read_text(wrong[i]))
			fail_msg("\"%s\" was read", wrong[i]);
	assert_false(mg_dkim_tags_read("v=\0", 3, &tags));
}

static void names_differ_by_case(void **state)
{
	(void)state;
	assert_true(read_text("v=1; V=2"));
	assert_tag("V", "2");
}

static void tags_and_bytes_are_bounded(void **state)
{
	enum { MUCH = 64 * 1024 };
	char text[MG_DKIM_TAGS_MAX * 6 + 16];
	char *much = malloc(MUCH + 1);
	size_t length = 0;

	(void)state;
	for (int i = 0; i < MG_DKIM_TAGS_MAX; i++) {
		memcpy(text + length, "aaa=1;", 6);
		text[length + 1] = (char)('a' + i / 26);
		text[length + 2] = (char)('a' + i % 26);
		length += 6;
	}
	assert_true(mg_dkim_tags_read(text, length, &tags));
	memcpy(text + length, "z=1", 3);
	assert_false(mg_dkim_tags_read(text, length + 3, &tags));
	assert_non_null(much);
	memset(much, 'x', MUCH + 1);
	memcpy(much, "v=", 2);
	assert_true(mg_dkim_tags_read(much, MUCH, &tags));
	assert_false(mg_dkim_tags_read(much, MUCH + 1, &tags));
	free(much);
}

static void a_compact_value_has_no_white_space(void **state)
{
	struct mg_buf out = {.limit = 0};

	(void)state;
	assert_true(read_text("b= ab c\r\n\td\n e ;"));
	mg_dkim_tag_compact(mg_dkim_tag_find(&tags, "b"), &out);
	assert_string_equal(mg_buf_text(&out), "abcde");
	mg_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_read_in_their_order),
		cmocka_unit_test(white_space_and_folds_around_names_and_values_are_off),
		cmocka_unit_test(a_value_may_be_empty_and_hold_equals_signs),
		cmocka_unit_test(a_value_may_hold_utf8),
		cmocka_unit_test(what_is_no_tag_list_is_refused),
		cmocka_unit_test(names_differ_by_case),
		cmocka_unit_test(tags_and_bytes_are_bounded),
		cmocka_unit_test(a_compact_value_has_no_white_space),
	};

	return cmocka_run_group_tests_name("dkim_tags", tests, NULL, NULL);
}
