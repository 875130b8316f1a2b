/* SPDX-License-Identifier: ISC */
#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct pair {
	const char *value, *expected;
};

typedef void read_function(const char *value, size_t length, struct mg_buf *out);

/* Each value, read, is what is expected; the input is no C string. */
static void check(read_function *read, const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mg_buf out = {.limit = 0};

		read(pairs[i].value, strlen(pairs[i].value), &out);
		assert_false(out.failed);
		assert_string_equal(mg_buf_text(&out), pairs[i].expected);
		mg_buf_free(&out);
	}
}

#define CHECK(read, ...) \
	do { \
		const struct pair pairs[] = {__VA_ARGS__}; \
		check(read, pairs, sizeof(pairs) / sizeof(pairs[0])); \
	} while (0)

static void plain_text_loses_folds_and_outer_blanks(void **state)
{
	(void)state;
	CHECK(mg_header_decode, {" Hello", "Hello"}, {"Hello\t \r\n", "Hello"}, {"", ""},
		{" \r\n ", ""}, {"one\r\n two", "one two"}, {"one \n\t two", "one two"},
		{"two  blanks stay", "two  blanks stay"}, {"a\tb", "a b"});
}

static void an_encoded_word_is_decoded(void **state)
{
	(void)state;
	CHECK(mg_header_decode, {"=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"},
		{"=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"},
		{"Re: =?iso-8859-1?Q?f=FCr_dich?= da", "Re: für dich da"},
		{"=?utf-8*de?q?mit_Sprache?=", "mit Sprache"},
		{"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"},
		{"=?utf-8?q?"
		 "?=x",
			"x"});
}

static void blanks_between_encoded_words_are_no_text(void **state)
{
	(void)state;
	CHECK(mg_header_decode, {"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
		{"=?utf-8?q?a?=\r\n =?iso-8859-1?q?b?=", "ab"},
		{"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"},
		{"=?utf-8?q?a_?= =?utf-8?q?b?=", "a b"});
}

static void a_character_cut_over_two_words_is_put_together(void **state)
{
	(void)state;
	CHECK(mg_header_decode, {"=?utf-8?q?Gr=C3?= =?UTF-8?q?=BC=C3=9Fe?=", "Grüße"},
		{"=?utf-8?b?4oI=?=\r\n =?utf-8?b?rA==?=", "€"},
		{"=?utf-8?q?=E2?= =?utf-8?b?gqw=?=", "€"},
		{"=?utf-8?q?=E2?= x =?utf-8?q?=82?=", "\uFFFD x \uFFFD"});
}

static void words_that_touch_text_are_decoded_as_senders_mean_them(void **state)
{
	(void)state;
	CHECK(mg_header_decode, {"[spam]=?utf-8?q?hi?=!", "[spam]hi!"},
		{"=?utf-8?q?a?==?utf-8?q?b?=", "ab"}, {"=?utf-8?q?with blank?=", "with blank"},
		{"=?utf-8?q?Hello\r\n _there?=", "Hello there"});
}

static void what_cannot_be_decoded_stays_as_it_is(void **state)
{
	(void)state;
	CHECK(mg_header_decode, {"=?no-such-set?q?abc?= d", "=?no-such-set?q?abc?= d"},
		{"=?utf-8?x?abc?=", "=?utf-8?x?abc?="}, {"=?utf-8?q?abc", "=?utf-8?q?abc"},
		{"=?utf-8?q?abc?", "=?utf-8?q?abc?"}, {"=?utf-8?b?****?=", "=?utf-8?b?****?="},
		{"=?utf-8?b?YQ==YQ==?=", "=?utf-8?b?YQ==YQ==?="},
		{"=?utf-8?b?YWJjZ?=", "=?utf-8?b?YWJjZ?="}, {"=?", "=?"}, {"=", "="},
		{"=?utf-8?q?=4?=", "=4"}, {"=?utf-8?q?=ZZ=41?=", "=ZZA"},
		{"=?"
		 "?q?a?=",
			"=?"
			"?q?a?="},
		{"=?a?q?", "=?a?q?"});
}

static void base64_may_lack_its_padding_and_be_folded(void **state)
{
	(void)state;
	CHECK(mg_header_decode, {"=?utf-8?b?YWI?=", "ab"}, {"=?utf-8?b?YQ?=", "a"},
		{"=?utf-8?b?YW\r\n Jj?=", "abc"});
}

static void raw_8_bit_text_is_utf8_or_else_latin_1(void **state)
{
	(void)state;
	CHECK(mg_header_decode,
		{"Gr\xc3\xbc\xc3\x9f"
		 "e",
			"Grüße"},
		{"Gr\xfc\xdf"
		 "e",
			"Grüße"},
		{"\xfc =?utf-8?q?=C3=BC?= \xc3\xbc", "ü ü ü"});
}

static void controls_never_reach_the_text(void **state)
{
	(void)state;
	CHECK(mg_header_decode, {"=?utf-8?q?a=0D=0Ab=09c?=", "a  b c"},
		{"=?utf-8?q?a=00b=1B=7Fc?=", "a\uFFFDb\uFFFD\uFFFDc"}, {"a\x01z", "a\uFFFDz"},
		{"=?utf-8?q?end=0A?=", "end"});
}

static void what_does_not_fit_is_cut_at_a_character(void **state)
{
	static const struct {
		const char *value, *expected;
		size_t limit;
	} cuts[] = {
		{"abcdef", "abc", 3},
		{"ab\xc3\xbc", "ab", 3},
		{"=?utf-8?q?=E2=82=AC=E2=82=AC?=", "€", 5},
		{"abc =?utf-8?q?d?=", "abc", 4},
		{"€ a", "", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct mg_buf out = {.limit = cuts[i].limit};

		mg_header_decode(cuts[i].value, strlen(cuts[i].value), &out);
		assert_false(out.failed);
		assert_string_equal(mg_buf_text(&out), cuts[i].expected);
		mg_buf_free(&out);
	}
}

static void text_is_added_behind_what_the_buffer_has(void **state)
{
	struct mg_buf out = {.limit = 0};

	(void)state;
	mg_buf_add_text(&out, "before ");
	mg_header_decode(" x ", 3, &out);
	assert_string_equal(mg_buf_text(&out), "before x");
	mg_header_decode("  ", 2, &out);
	assert_string_equal(mg_buf_text(&out), "before x");
	mg_buf_free(&out);
}

static void a_message_id_is_what_stands_in_angle_brackets(void **state)
{
	(void)state;
	CHECK(mg_header_message_id, {" <1@example.org>", "1@example.org"},
		{"\r\n <1@example.org> (comment)", "1@example.org"}, {"<1@a> <2@b>", "1@a"},
		{" no-brackets@example.org\r\n", "no-brackets@example.org"}, {"<>", "<>"},
		{"<unfinished", "<unfinished"}, {"", ""},
		{"< 1@\r\n example.org >", "1@ example.org"});
}

struct date {
	const char *value;
	int64_t seconds;
};

static void a_date_is_read_in_each_form_of_the_rfc(void **state)
{
	static const struct date dates[] = {
		{" Tue, 24 Nov 2026 12:49:20 +0100", 1795520960},
		{"24 Nov 2026 11:49:20 +0000", 1795520960},
		{"Tue, 24 Nov 2026 11:49 GMT (a (nested) comment)", 1795520940},
		{"Tue,\r\n 24 Nov 2026\r\n 06:49:20 EST", 1795520960},
		{"24 Nov 26 11:49:20 Z", 1795520960},
		{"24 November 2026 11:49:20", 1795520960},
		{"tue, 24-nov-2026 11 : 49 : 20 ut", 1795520960},
		{"1 Jan 1970 00:00:00 +0000", 0},
		{"31 Dec 1969 23:00:00 -0100", -1},
		{"31 Dec 2016 23:59:60 +0000", 1483228800},
		{"29 Feb 2000 00:00:00 +0000", 951782400},
		{"1 Jan 70 00:00:01 +0000", 1},
		{"1 Jan 126 00:00:00 +0000", 1767225600},
		{"Tue, 24 Nov 2026 11:49:20 +0000 and more", 1795520960},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		int64_t utc = -1;
		bool read = mg_header_date(dates[i].value, strlen(dates[i].value), &utc);

		/* Years before 1970 are none, whatever the zone. */
		assert_int_equal(read, dates[i].seconds >= 0);
		assert_int_equal(read ? utc / 1000000000 : utc, dates[i].seconds);
	}
}

static void what_is_no_date_is_refused(void **state)
{
	static const char *const values[] = {
		"",
		"yesterday",
		"32 Jan 2026 00:00:00 +0000",
		"0 Jan 2026 00:00:00 +0000",
		"29 Feb 2026 00:00:00 +0000",
		"29 Feb 2100 00:00:00 +0000",
		"24 Nov 2026",
		"24 Nov 2026 24:00:00 +0000",
		"24 Nov 2026 11:60:00 +0000",
		"24 Nov 2026 11:49:61 +0000",
		"24 Nov 2026 11:49:20 +01",
		"24 Nov 2026 11:49:20 +0199",
		"24 Foo 2026 11:49:20 +0000",
		"24 Anf 2026 11:49:20 +0000",
		"24 No 2026 11:49:20 +0000",
		"24 Nov 2 11:49:20 +0000",
		"24 Nov 2262 11:49:20 +0000",
		"24 Nov 9999 11:49:20 +0000",
		"1 Jan 1970 00:00:00 +0100",
		"Tue, 24 Nov 2026 (open comment 11:49:20 +0000",
		"2026-11-24T11:49:20Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		int64_t utc = 42;

		assert_false(mg_header_date(values[i], strlen(values[i]), &utc));
		assert_int_equal(utc, 42);
	}
}

static void a_field_name_is_printable_ascii_without_colon(void **state)
{
	char longest[201];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_true(mg_header_name_valid("X-Millgate-Hold", 15));
	assert_true(mg_header_name_valid("!", 1));
	assert_true(mg_header_name_valid(longest, 200));
	assert_false(mg_header_name_valid(longest, 201));
	assert_false(mg_header_name_valid("", 0));
	assert_false(mg_header_name_valid("a b", 3));
	assert_false(mg_header_name_valid("a:", 2));
	assert_false(mg_header_name_valid("a\r\n", 3));
	assert_false(mg_header_name_valid("\xc3\xbc", 2));
	assert_false(mg_header_name_valid("a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_loses_folds_and_outer_blanks),
		cmocka_unit_test(an_encoded_word_is_decoded),
		cmocka_unit_test(blanks_between_encoded_words_are_no_text),
		cmocka_unit_test(a_character_cut_over_two_words_is_put_together),
		cmocka_unit_test(words_that_touch_text_are_decoded_as_senders_mean_them),
		cmocka_unit_test(what_cannot_be_decoded_stays_as_it_is),
		cmocka_unit_test(base64_may_lack_its_padding_and_be_folded),
		cmocka_unit_test(raw_8_bit_text_is_utf8_or_else_latin_1),
		cmocka_unit_test(controls_never_reach_the_text),
		cmocka_unit_test(what_does_not_fit_is_cut_at_a_character),
		cmocka_unit_test(text_is_added_behind_what_the_buffer_has),
		cmocka_unit_test(a_message_id_is_what_stands_in_angle_brackets),
		cmocka_unit_test(a_date_is_read_in_each_form_of_the_rfc),
		cmocka_unit_test(what_is_no_date_is_refused),
		cmocka_unit_test(a_field_name_is_printable_ascii_without_colon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
