/* SPDX-License-Identifier: ISC */
#include "mail/parameters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A value and what it has as parameter `name`; NULL: none. */
struct pair {
	const char *value, *expected;
};

typedef bool read_function(const char *value, size_t length, const char *name, struct mg_buf *out);

static void check(read_function *read, const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mg_buf out = {.limit = 0};
		bool found = read(pairs[i].value, strlen(pairs[i].value), "name", &out);

		assert_false(out.failed);
		if (found != (pairs[i].expected != NULL))
			fail_msg("%s: %s", pairs[i].value, found ? "found" : "not found");
		assert_string_equal(
			mg_buf_text(&out), pairs[i].expected != NULL ? pairs[i].expected : "");
		mg_buf_free(&out);
	}
}

#define CHECK(read, ...) \
	do { \
		const struct pair pairs[] = {__VA_ARGS__}; \
		check(read, pairs, sizeof(pairs) / sizeof(pairs[0])); \
	} while (0)

static void a_parameter_is_found_by_its_name(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"text/plain; name=a.txt", "a.txt"},
		{"text/plain; NAME=\"a.txt\"", "a.txt"}, {"text/plain; filename=a.txt", NULL},
		{"text/plain; names=a.txt; name=b.txt", "b.txt"}, {"text/plain", NULL}, {"", NULL},
		{"text/plain; x=\"; name=a.txt\"", NULL},
		{"text/plain; name = a.txt ; x=y", "a.txt"});
}

static void the_first_of_several_counts(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name=a.txt; name=b.exe", "a.txt"},
		{"a/b; name*=''a.txt; name*=''b.exe", "a.txt"},
		{"a/b; name*0=a; name*0=b; name*1=c", "ac"});
}

static void an_empty_parameter_is_none(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name=", NULL}, {"a/b; name=\"\"; x=y", NULL},
		{"a/b; name=\"  \"", NULL}, {"a/b; name*=utf-8''", NULL});
}

static void quotes_and_backslashes_are_resolved(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name=\"a \\\"b\\\" c.txt\"", "a \"b\" c.txt"},
		{"a/b; name=\"a;b=c.txt\"; x=y", "a;b=c.txt"}, {"a/b; name=\"a\\\\b\"", "a\\b"},
		{"a/b; name=a\\b", "a\\b"});
}

static void a_missing_quote_takes_all_that_follows(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name=\"a.txt; x=y", "a.txt; x=y"},
		{"a/b; name=\"a\\", "a\\"});
}

static void a_name_with_blanks_needs_no_quotes(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name=my report.pdf", "my report.pdf"},
		{"a/b; name=my report (1).pdf; x=y", "my report (1).pdf"},
		{"a/b; name=report(1).pdf", "report(1).pdf"},
		{"a/b; name=a (b c.pdf", "a (b c.pdf"});
}

static void a_missing_semicolon_is_forgiven(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b name=a.txt", "a.txt"}, {"a/b; x=y\r\n name=a.txt", "a.txt"},
		{"a/b; name=a.txt\r\n size=3", "a.txt"}, {"a/b; x=\"y\" name=a.txt", "a.txt"},
		{"name=a.txt", "a.txt"});
}

static void comments_are_no_text(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name=a.txt (a (nested) comment)", "a.txt"},
		{"a/b; (name=x) name=a.txt (c); x=y", "a.txt"},
		{"a/b; name (c) = (c) \"a.txt\"", "a.txt"}, {"a/b; (\\) name=x)", NULL},
		{"a/b; name=(c)a.txt", "a.txt"});
}

static void folds_and_tabs_are_blanks(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name=\"one\r\n two\"", "one two"},
		{"a/b; name=\"one\r\n\ttwo\"", "one two"}, {"a/b;\r\n\tname=one", "one"});
}

static void control_bytes_are_replaced(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name=\"a\x01.txt\"", "a\uFFFD.txt"},
		{"a/b; name*=utf-8''a%0Ab%00c", "a b\uFFFDc"});
}

static void percent_signs_and_character_sets_are_decoded(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name*=utf-8'de'Gr%C3%BC%C3%9Fe.txt", "Grüße.txt"},
		{"a/b; name*=iso-8859-1''%E4.txt", "ä.txt"},
		{"a/b; name*=\"utf-8''%C3%A4.txt\"", "ä.txt"},
		{"a/b; name*=nobody-knows''%C3%A4", "ä"}, {"a/b; name*=''%E4", "ä"},
		{"a/b; name*=100%25%", "100%%"}, {"a/b; name*=utf-8''it's", "it's"},
		{"a/b; name*=shift_jis''%93%FA%96%7B", "日本"});
}

static void pieces_are_joined_by_their_numbers(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name*1=b; name*0=a; name*2=\"c d\"", "abc d"},
		{"a/b; name*0*=utf-8''%C3; name*1*=%A4; name*2=%41", "ä%41"},
		{"a/b; name*10=c; name*9=b; name*3=a", "abc"},
		{"a/b; name*0=\"=?utf-8?q?=C3=A4?=\"; name*1=.txt", "ä.txt"});
}

static void of_many_pieces_the_first_hundred_count(void **state)
{
	struct mg_buf value = {.limit = 0}, out = {.limit = 0};

	(void)state;
	for (int i = 200; i-- > 0;)
		mg_buf_add_format(&value, "; name*%d=%c", i, i < 100 ? 'a' : 'b');
	assert_true(mg_parameters_text(mg_buf_text(&value), value.length, "name", &out));
	assert_int_equal(out.length, 100);
	assert_null(strchr(mg_buf_text(&out), 'b'));
	mg_buf_free(&value);
	mg_buf_free(&out);
}

static void extended_forms_win(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name=plain; name*=''single", "single"},
		{"a/b; name=plain; name*0=pie; name*1=ces", "pieces"},
		{"a/b; name*0=pieces; name*=''single", "single"});
}

static void names_with_other_stars_are_other_names(void **state)
{
	(void)state;
	CHECK(mg_parameters_text, {"a/b; name**=a", NULL}, {"a/b; name*x=a", NULL},
		{"a/b; name*1*2=a", NULL}, {"a/b; name*12345678901=a", NULL}, {"a/b; *=a", NULL});
}

static void encoded_words_are_decoded_with_and_without_quotes(void **state)
{
	(void)state;
	CHECK(mg_parameters_text,
		{"a/b; name=\"=?utf-8?Q?=C3=A4?= =?utf-8?Q?=C3=B6?=.txt\"", "äö.txt"},
		{"a/b; name==?utf-8?B?w6Q=?=.txt", "ä.txt"},
		{"a/b; name==?utf-8?Q?a b=3D;c?=; x=y", "a b=;c"},
		{"a/b; name*=utf-8''=?utf-8?q?a?=", "=?utf-8?q?a?="});
}

static void text_is_cut_at_a_character(void **state)
{
	static const char value[] = "a/b; name*=utf-8''%C3%A4%C3%A4%C3%A4";
	struct mg_buf out = {.limit = 5};

	(void)state;
	assert_true(mg_parameters_text(value, strlen(value), "name", &out));
	assert_false(out.failed);
	assert_string_equal(mg_buf_text(&out), "ää");
	mg_buf_free(&out);
}

static void bytes_are_as_they_stand(void **state)
{
	(void)state;
	CHECK(mg_parameters_bytes, {"a/b; name=\" a  b \"", " a  b "},
		{"a/b; name=\"=?utf-8?q?a?=\"", "=?utf-8?q?a?="}, {"a/b; name=\"\xff\"", "\xff"},
		{"a/b; name=\"a\\\"b\"", "a\"b"}, {"a/b; name*0=a; name*1=b", "ab"},
		{"a/b; name*=utf-8''%41", "A"}, {"a/b; x=y", NULL});
}

static void bytes_are_cut_by_the_limit(void **state)
{
	static const char value[] = "a/b; name=abcdef";
	struct mg_buf out = {.limit = 3};

	(void)state;
	assert_true(mg_parameters_bytes(value, strlen(value), "name", &out));
	assert_false(out.failed);
	assert_string_equal(mg_buf_text(&out), "abc");
	mg_buf_free(&out);
}

static void a_media_type_is_in_lower_case(void **state)
{
	static const struct pair types[] = {{"text/html", "text/html"},
		{" Text / HTML; charset=x", "text/html"},
		{"(a) text (b) / (c) html(d)", "text/html"},
		{"application/ld+json", "application/ld+json"}, {"text/html,x", "text/html"},
		{"text/html charset=utf-8", "text/html"}, {"text", NULL}, {"text/", NULL},
		{"/html", NULL}, {"", NULL}, {"text;x/y", NULL}, {"\"text/html\"", NULL},
		{"text/0123456789012345678901234567890", NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		char type[32];
		bool found = mg_parameters_type(
			types[i].value, strlen(types[i].value), type, sizeof(type));

		assert_int_equal(found, types[i].expected != NULL);
		if (found)
			assert_string_equal(type, types[i].expected);
	}
}

static void a_disposition_is_its_first_word(void **state)
{
	static const struct pair words[] = {{" Attachment; filename=x", "attachment"},
		{"inline", "inline"}, {"(c) INLINE", "inline"}, {"; filename=x", NULL}, {"", NULL},
		{"0123456789012345", NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char word[16];
		bool found = mg_parameters_word(
			words[i].value, strlen(words[i].value), word, sizeof(word));

		assert_int_equal(found, words[i].expected != NULL);
		if (found)
			assert_string_equal(word, words[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_parameter_is_found_by_its_name),
		cmocka_unit_test(the_first_of_several_counts),
		cmocka_unit_test(an_empty_parameter_is_none),
		cmocka_unit_test(quotes_and_backslashes_are_resolved),
		cmocka_unit_test(a_missing_quote_takes_all_that_follows),
		cmocka_unit_test(a_name_with_blanks_needs_no_quotes),
		cmocka_unit_test(a_missing_semicolon_is_forgiven),
		cmocka_unit_test(comments_are_no_text),
		cmocka_unit_test(folds_and_tabs_are_blanks),
		cmocka_unit_test(control_bytes_are_replaced),
		cmocka_unit_test(percent_signs_and_character_sets_are_decoded),
		cmocka_unit_test(pieces_are_joined_by_their_numbers),
		cmocka_unit_test(of_many_pieces_the_first_hundred_count),
		cmocka_unit_test(extended_forms_win),
		cmocka_unit_test(names_with_other_stars_are_other_names),
		cmocka_unit_test(encoded_words_are_decoded_with_and_without_quotes),
		cmocka_unit_test(text_is_cut_at_a_character),
		cmocka_unit_test(bytes_are_as_they_stand),
		cmocka_unit_test(bytes_are_cut_by_the_limit),
		cmocka_unit_test(a_media_type_is_in_lower_case),
		cmocka_unit_test(a_disposition_is_its_first_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
