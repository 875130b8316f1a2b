/* SPDX-License-Identifier: ISC */
#include "mail/charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct text {
	const char *label, *bytes, *utf8; /* utf8 NULL: the label is unknown */
};

static void check(const struct text *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mg_buf out = {.limit = 0};
		bool known = mg_charset_decode(texts[i].label, strlen(texts[i].label),
			texts[i].bytes, strlen(texts[i].bytes), &out);

		assert_int_equal(known, texts[i].utf8 != NULL);
		assert_string_equal(mg_buf_text(&out), known ? texts[i].utf8 : "");
		mg_buf_free(&out);
	}
}

#define CHECK(...) \
	do { \
		const struct text texts[] = {__VA_ARGS__}; \
		check(texts, sizeof(texts) / sizeof(texts[0])); \
	} while (0)

static void text_of_a_known_set_becomes_utf8(void **state)
{
	(void)state;
	CHECK({"utf-8", "\xc3\xbc", "ü"}, {"iso-8859-15", "\xa4", "€"},
		{"koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"},
		{"shift_jis", "\x93\xfa\x96\x7b", "日本"},
		{"iso-2022-jp", "\x1b$BF|K\\\x1b(B.", "日本."}, {"utf-7", "+AOQ-", "ä"},
		{"gb2312", "\xd6\xd0", "中"}, {"euc-kr", "\xc7\xd1", "한"});
}

static void labels_have_no_case_and_no_outer_blanks(void **state)
{
	(void)state;
	CHECK({" UTF8\t", "\xc3\xbc", "ü"}, {"Windows-1251", "\xcf", "П"}, {"L1", "\xfc", "ü"});
}

static void us_ascii_and_latin_1_are_read_as_what_senders_mean(void **state)
{
	(void)state;
	CHECK({"us-ascii", "\x80 caf\xe9", "€ café"}, {"iso-8859-1", "\x93hi\x94", "“hi”"});
}

static void an_unknown_label_adds_nothing(void **state)
{
	char label[100];

	(void)state;
	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	CHECK({"x-nothing", "a", NULL}, {"", "a", NULL}, {" ", "a", NULL}, {label, "a", NULL},
		{"utf-8//TRANSLIT", "a", NULL}, {"../../etc", "a", NULL}, {"utf-8 utf8", "a", NULL},
		{"\xc3\xbc", "a", NULL}, {"EBCDIC-US", "a", NULL});
}

static void bytes_that_mean_nothing_become_the_replacement_character(void **state)
{
	(void)state;
	CHECK({"utf-8", "a\xff\xc3z\xe2\x82", "a\uFFFD\uFFFDz\uFFFD\uFFFD"},
		{"shift_jis", "a\xffz", "a\uFFFDz"}, {"iso-8859-6", "\xa1z", "\uFFFDz"},
		{"shift_jis", "a\x93", "a\uFFFD"});
}

static void nul_is_a_character(void **state)
{
	struct mg_buf out = {.limit = 0};

	(void)state;
	assert_true(mg_charset_decode("utf-16be", 8, "\0a\0\0\0b", 6, &out));
	assert_int_equal(out.length, 3);
	assert_memory_equal(out.data, "a\0b", 3);
	mg_buf_free(&out);
}

static void text_longer_than_any_piece_is_whole(void **state)
{
	struct mg_buf bytes = {.limit = 0}, out = {.limit = 0};

	(void)state;
	for (size_t i = 0; i < 10000; i++)
		mg_buf_add(&bytes, "\x93\xfa", 2);
	assert_true(mg_charset_decode("shift_jis", 9, bytes.data, bytes.length, &out));
	assert_int_equal(out.length, 30000);
	for (size_t i = 0; i < out.length; i += 3)
		assert_memory_equal(out.data + i, "日", 3);
	mg_buf_free(&bytes);
	mg_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_a_known_set_becomes_utf8),
		cmocka_unit_test(labels_have_no_case_and_no_outer_blanks),
		cmocka_unit_test(us_ascii_and_latin_1_are_read_as_what_senders_mean),
		cmocka_unit_test(an_unknown_label_adds_nothing),
		cmocka_unit_test(bytes_that_mean_nothing_become_the_replacement_character),
		cmocka_unit_test(nul_is_a_character),
		cmocka_unit_test(text_longer_than_any_piece_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
