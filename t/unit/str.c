/* SPDX-License-Identifier: ISC */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void a_copy_that_fits_is_whole(void **state)
{
	char target[4];

	(void)state;
	assert_true(mg_str_copy(target, sizeof(target), "abc"));
	assert_string_equal(target, "abc");
	assert_true(mg_str_copy(target, sizeof(target), ""));
	assert_string_equal(target, "");
}

static void a_copy_that_does_not_fit_is_cut_and_ended(void **state)
{
	char target[4] = "zzz";

	(void)state;
	assert_false(mg_str_copy(target, sizeof(target), "abcd"));
	assert_string_equal(target, "abc");
	assert_false(mg_str_copy(target, 1, "a"));
	assert_string_equal(target, "");
}

static void format_tells_whether_it_was_cut(void **state)
{
	char target[6];

	(void)state;
	assert_true(mg_str_format(target, sizeof(target), "%d", 12345));
	assert_string_equal(target, "12345");
	assert_false(mg_str_format(target, sizeof(target), "%d", 123456));
	assert_string_equal(target, "12345");
}

static void comparison_ignores_the_case_of_ascii_letters_only(void **state)
{
	(void)state;
	assert_true(mg_str_equal_nocase("Example.ORG", "eXAMPLE.org"));
	assert_true(mg_str_equal_nocase("", ""));
	assert_false(mg_str_equal_nocase("example", "example.org"));
	assert_false(mg_str_equal_nocase("example.org", "example"));
	assert_false(mg_str_equal_nocase("[", "{"));
	assert_false(mg_str_equal_nocase("@", "`"));
	assert_false(mg_str_equal_nocase("\xc3\x84", "\xc3\xa4"));
}

static void a_prefix_is_found_in_any_case(void **state)
{
	(void)state;
	assert_true(mg_str_starts_nocase("Content-Type", "content-"));
	assert_true(mg_str_starts_nocase("abc", ""));
	assert_true(mg_str_starts_nocase("abc", "ABC"));
	assert_false(mg_str_starts_nocase("ab", "abc"));
	assert_false(mg_str_starts_nocase("", "a"));
}

static void lower_changes_ascii_letters_only(void **state)
{
	char text[] = "AZaz09[@\xc3\x84Z";
	char part[] = "ABCD";

	(void)state;
	mg_str_lower(text);
	assert_string_equal(text, "azaz09[@\xc3\x84z");
	mg_str_lower_n(part, 2);
	assert_string_equal(part, "abCD");
}

static const char *printable(const char *text, size_t length)
{
	static char target[256];

	return mg_str_printable(target, sizeof(target), text, length);
}

static void printable_utf8_stays(void **state)
{
	(void)state;
	assert_string_equal(
		printable("Grüße, € 📧 C:\\", strlen("Grüße, € 📧 C:\\")), "Grüße, € 📧 C:\\");
	assert_string_equal(printable("", 0), "");
}

static void controls_and_broken_bytes_are_escaped(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *shown;
	} rows[] = {
		{"a\nb\r\t", 5, "a\\x0ab\\x0d\\x09"},
		{"\x1b[2J\x7f", 5, "\\x1b[2J\\x7f"},
		{"a\0b", 3, "a\\x00b"},
		{"\xff\xfe", 2, "\\xff\\xfe"},
		/* C1 control CSI, a direction override, a line separator, a byte order mark. */
		{"\xc2\x9b", 2, "\\xc2\\x9b"},
		{"\xe2\x80\xae", 3, "\\xe2\\x80\\xae"},
		{"\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8"},
		{"\xef\xbb\xbf", 3, "\\xef\\xbb\\xbf"},
		/* A character whose end is missing. */
		{"x\xe2\x82", 3, "x\\xe2\\x82"},
		{"\xe2\x82z", 3, "\\xe2\\x82z"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(printable(rows[i].text, rows[i].length), rows[i].shown);
}

static void long_text_is_cut_with_an_ellipsis(void **state)
{
	char target[8];

	(void)state;
	assert_string_equal(mg_str_printable(target, sizeof(target), "1234567", 7), "1234567");
	assert_string_equal(mg_str_printable(target, sizeof(target), "12345678", 8), "1234…");
}

static void a_cut_never_splits_a_character_or_an_escape(void **state)
{
	static const char text[] = "a\n\xe2\x82\xac\xf0\x9f\x93\xa7\x01\xffz";
	char target[64];

	(void)state;
	for (size_t size = 1; size <= sizeof(target); size++) {
		size_t length;

		memset(target, '#', sizeof(target));
		mg_str_printable(target, size, text, sizeof(text) - 1);
		length = strlen(target);
		assert_true(length < size);
		for (size_t i = 0; i < length;) {
			size_t step = mg_str_utf8_length(target + i, length - i);

			assert_int_not_equal(step, 0);
			if (target[i] == '\\')
				assert_true(length - i >= 4);
			i += step;
		}
		if (size >= sizeof("…") && length + 1 < sizeof(text))
			assert_string_equal(target + length - strlen("…"), "…");
	}
}

static void no_room_at_all_gives_the_empty_text(void **state)
{
	char target[1] = {'#'};

	(void)state;
	assert_string_equal(mg_str_printable(target, 1, "abc", 3), "");
}

static void utf8_is_that_of_rfc_3629(void **state)
{
	static const struct {
		const char *text;
		size_t length, result;
	} rows[] = {
		{"", 0, 0},
		{"\0", 1, 1},
		{"\x7f", 1, 1},
		{"\x80", 1, 0},
		{"\xbf", 1, 0},
		/* overlong forms and the first that are not */
		{"\xc0\x80", 2, 0},
		{"\xc1\xbf", 2, 0},
		{"\xc2\x80", 2, 2},
		{"\xe0\x80\x80", 3, 0},
		{"\xe0\x9f\xbf", 3, 0},
		{"\xe0\xa0\x80", 3, 3},
		{"\xf0\x80\x80\x80", 4, 0},
		{"\xf0\x8f\xbf\xbf", 4, 0},
		{"\xf0\x90\x80\x80", 4, 4},
		/* surrogates and their neighbours */
		{"\xed\x9f\xbf", 3, 3},
		{"\xed\xa0\x80", 3, 0},
		{"\xed\xbf\xbf", 3, 0},
		{"\xee\x80\x80", 3, 3},
		/* the last code point, and beyond */
		{"\xdf\xbf", 2, 2},
		{"\xef\xbf\xbf", 3, 3},
		{"\xf4\x8f\xbf\xbf", 4, 4},
		{"\xf4\x90\x80\x80", 4, 0},
		{"\xf5\x80\x80\x80", 4, 0},
		{"\xff", 1, 0},
		/* cut and broken */
		{"\xc2", 1, 0},
		{"\xe2\x82", 2, 0},
		{"\xf0\x9f\x93", 3, 0},
		{"\xc2z", 2, 0},
		{"\xe2\x82z", 3, 0},
		{"\xe2z\x82", 3, 0},
		{"\xf0\x9f\x93z", 4, 0},
		{"\xf0\x9f\xc2\x80", 4, 0},
		/* what follows does not matter */
		{"\xc2\xa2\xff", 3, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(mg_str_utf8_length(rows[i].text, rows[i].length), rows[i].result);
}

static void hex_is_lower_case_and_ended(void **state)
{
	char target[9];

	(void)state;
	mg_str_hex(target, "\x00\x9f\xab\xff", 4);
	assert_string_equal(target, "009fabff");
	mg_str_hex(target, "", 0);
	assert_string_equal(target, "");
}

static void a_number_is_digits_up_to_its_maximum(void **state)
{
	static const struct {
		const char *text;
		uint64_t maximum, number;
	} rows[] = {
		{"0", 0, 0},
		{"7", 7, 7},
		{"0099", 99, 99},
		{"65535", 65535, 65535},
		{"18446744073709551615", UINT64_MAX, UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t number = 12345;

		assert_true(mg_str_number(rows[i].text, rows[i].maximum, &number));
		assert_true(number == rows[i].number);
	}
}

static void what_is_no_number_is_refused_and_leaves_the_result(void **state)
{
	static const struct {
		const char *text;
		uint64_t maximum;
	} rows[] = {
		{"", 10},
		{" 1", 10},
		{"1 ", 10},
		{"+1", 10},
		{"-1", 10},
		{"1.0", 10},
		{"0x1", 10},
		{"1\n", 10},
		{"1", 0},
		{"8", 7},
		{"65536", 65535},
		{"655350", 65535},
		{"18446744073709551616", UINT64_MAX},
		{"99999999999999999999", UINT64_MAX},
		{"184467440737095516150", UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t number = 12345;

		assert_false(mg_str_number(rows[i].text, rows[i].maximum, &number));
		assert_int_equal(number, 12345);
	}
}

static const char *const settings[] = {"rate", "socket", "on_error", "internal_networks"};

static const char *nearest(const char *text)
{
	return mg_str_nearest(text, settings, sizeof(settings) / sizeof(settings[0]));
}

static void the_nearest_name_is_found(void **state)
{
	(void)state;
	assert_string_equal(nearest("rat"), "rate");
	assert_string_equal(nearest("socekt"), "socket");
	assert_string_equal(nearest("onerror"), "on_error");
	assert_string_equal(nearest("internal_nets"), "internal_networks");
	assert_string_equal(nearest("rate"), "rate");
}

static void a_name_too_far_away_is_not_offered(void **state)
{
	char longest[300];

	(void)state;
	assert_null(nearest("x"));
	assert_null(nearest(""));
	assert_null(nearest("keys"));
	assert_null(nearest("sokkettt"));
	assert_null(mg_str_nearest("rate", NULL, 0));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(nearest(longest));
	assert_null(mg_str_nearest("a", (const char *[]){longest}, 1));
}

static void exchanged_neighbours_are_one_edit(void **state)
{
	static const char *const names[] = {"kepe", "keeping", "keep"};

	(void)state;
	assert_string_equal(mg_str_nearest("kepep", names, 3), "kepe");
	assert_string_equal(mg_str_nearest("ekep", names + 1, 2), "keep");
	assert_string_equal(mg_str_nearest("kpee", names, 3), "kepe");
}

static void of_equally_near_names_the_first_is_taken(void **state)
{
	static const char *const names[] = {"bald", "bold", "ball"};

	(void)state;
	assert_string_equal(mg_str_nearest("bld", names, 3), "bald");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_that_fits_is_whole),
		cmocka_unit_test(a_copy_that_does_not_fit_is_cut_and_ended),
		cmocka_unit_test(format_tells_whether_it_was_cut),
		cmocka_unit_test(comparison_ignores_the_case_of_ascii_letters_only),
		cmocka_unit_test(a_prefix_is_found_in_any_case),
		cmocka_unit_test(lower_changes_ascii_letters_only),
		cmocka_unit_test(printable_utf8_stays),
		cmocka_unit_test(controls_and_broken_bytes_are_escaped),
		cmocka_unit_test(long_text_is_cut_with_an_ellipsis),
		cmocka_unit_test(a_cut_never_splits_a_character_or_an_escape),
		cmocka_unit_test(no_room_at_all_gives_the_empty_text),
		cmocka_unit_test(utf8_is_that_of_rfc_3629),
		cmocka_unit_test(hex_is_lower_case_and_ended),
		cmocka_unit_test(a_number_is_digits_up_to_its_maximum),
		cmocka_unit_test(what_is_no_number_is_refused_and_leaves_the_result),
		cmocka_unit_test(the_nearest_name_is_found),
		cmocka_unit_test(a_name_too_far_away_is_not_offered),
		cmocka_unit_test(exchanged_neighbours_are_one_edit),
		cmocka_unit_test(of_equally_near_names_the_first_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
