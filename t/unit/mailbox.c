/* SPDX-License-Identifier: ISC */
#include "mail/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

/* "name|address" a mailbox, one after another behind ";". */
static void note(void *context, const struct mg_mailbox *mailbox)
{
	mg_buf_add_format(
		context, "%s|%s;", mailbox->name != NULL ? mailbox->name : "", mailbox->address);
}

struct field {
	const char *value, *mailboxes;
	int result;
};

static void check(const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mg_buf told = {.limit = 0};
		int result = mg_mailbox_list(fields[i].value, strlen(fields[i].value), note, &told);

		assert_string_equal(mg_buf_text(&told), fields[i].mailboxes);
		assert_int_equal(result, fields[i].result);
		mg_buf_free(&told);
	}
}

#define CHECK(...) \
	do { \
		const struct field fields[] = {__VA_ARGS__}; \
		check(fields, sizeof(fields) / sizeof(fields[0])); \
	} while (0)

static void a_mailbox_is_bare_or_in_angle_brackets(void **state)
{
	(void)state;
	CHECK({" ann@example.org", "|ann@example.org;", 1},
		{"<ann@example.org>", "|ann@example.org;", 1},
		{"Ann <ann@example.org>", "Ann|ann@example.org;", 1},
		{"Ann B.\r\n C. <ann@example.org>", "Ann B. C.|ann@example.org;", 1},
		{"a@b.example, C <c@d.example>", "|a@b.example;C|c@d.example;", 2}, {"", "", 0},
		{" , ,", "", 0},
		{"ann@example.org <ann@example.org>", "ann@example.org|ann@example.org;", 1});
}

static void a_quoted_name_keeps_its_commas_and_brackets(void **state)
{
	(void)state;
	CHECK({"\"Doe, Joe\" <joe@example.org>", "Doe, Joe|joe@example.org;", 1},
		{"\"<other@example.com>\" <joe@example.org>",
			"<other@example.com>|joe@example.org;", 1},
		{"\"a \\\"b\\\" c\" <joe@example.org>", "a \"b\" c|joe@example.org;", 1},
		{"\"fol\r\n ded\" <joe@example.org>", "fol ded|joe@example.org;", 1});
}

static void a_quoted_local_part_keeps_its_quotes(void **state)
{
	(void)state;
	CHECK({"\"a b\"@example.org", "|\"a b\"@example.org;", 1},
		{"X <\"a@b\"@example.org>", "X|\"a@b\"@example.org;", 1},
		{"<\"a\\\"b>\"@example.org>", "|\"a\\\"b>\"@example.org;", 1});
}

static void names_are_decoded_after_the_field_is_cut_into_mailboxes(void **state)
{
	(void)state;
	CHECK({"=?utf-8?q?J=C3=BCrgen?= <j@example.org>", "Jürgen|j@example.org;", 1},
		{"\"=?utf-8?q?J=C3=BCrgen?=\" <j@example.org>", "Jürgen|j@example.org;", 1},
		{"=?utf-8?q?Doe=2C_Joe_=3Cx=40example.com=3E?= <j@example.org>",
			"Doe, Joe <x@example.com>|j@example.org;", 1},
		{"=?utf-8?q?Doe,_<Joe>?= <j@example.org>", "Doe, <Joe>|j@example.org;", 1},
		{"J\xfcrgen <j@example.org>", "Jürgen|j@example.org;", 1});
}

static void comments_go_but_name_a_bare_address(void **state)
{
	(void)state;
	CHECK({"j@example.org (Joe Doe)", "Joe Doe|j@example.org;", 1},
		{"j(x)@(y)example.org", "y|j@example.org;", 1},
		{"(a (nested \\) one)) Joe <j@example.org> (b)", "Joe|j@example.org;", 1});
}

static void members_of_groups_are_told(void **state)
{
	(void)state;
	CHECK({"Team: a@b.example, C <c@d.example>; e@f.example",
		      "|a@b.example;C|c@d.example;|e@f.example;", 3},
		{"undisclosed-recipients:;", "", 0},
		{"A:a@b.example; B:c@d.example;", "|a@b.example;|c@d.example;", 2});
}

static void obsolete_forms_are_read(void **state)
{
	(void)state;
	CHECK({"<@relay.example,@other.example:a@b.example>", "|a@b.example;", 1},
		{"a . b @ c . example", "|a.b@c.example;", 1},
		{"<a@[192.0.2.1]>, b@[IPv6:2001:db8::1]", "|a@[192.0.2.1];|b@[IPv6:2001:db8::1];",
			2},
		{"a@[ 192.0.2.1 ]", "|a@[192.0.2.1];", 1});
}

static void what_cannot_be_read_is_skipped_up_to_the_next_comma(void **state)
{
	(void)state;
	CHECK({"nobody, a@b.example", "|a@b.example;", -1},
		{"Joe <>, a@b.example", "|a@b.example;", -1},
		{"two words@b.example, a@b.example", "|a@b.example;", -1},
		{"@b.example, a@, a@b.example", "|a@b.example;", -1},
		{"<mailto:a@b.example>", "", -1});
}

static void what_can_be_guessed_is_told_and_reported(void **state)
{
	(void)state;
	CHECK({"\"Joe <j@example.org>", "Joe|j@example.org;", -1},
		{"Joe <j@example.org", "Joe|j@example.org;", -1},
		{"Joe (open <j@example.org>", "Joe open|j@example.org;", -1},
		{"<<j@example.org>>", "|j@example.org;", -1},
		{"<a@b.example> C <c@d.example>", "|a@b.example;C|c@d.example;", -1},
		{"a\x01@b.example", "|a@b.example;", -1});
}

static void an_address_with_what_must_be_quoted_is_reported(void **state)
{
	(void)state;
	CHECK({"ann@ex@example.org", "|ann@ex@example.org;", -1},
		{"<ann@@example.org>", "|ann@@example.org;", -1},
		{"ann@example)org", "|ann@example)org;", -1},
		{"a]nn@example.org", "|a]nn@example.org;", -1},
		{"a\\nn@example.org", "|a\\nn@example.org;", -1},
		{"<,ann@example.org>", "|,ann@example.org;", -1},
		{"ann@\"example\".org", "|ann@\"example\".org;", -1},
		{"ann@[192.0.2.1]x", "|ann@[192.0.2.1]x;", -1},
		{"ann@[192.0.[2.1]", "|ann@[192.0.[2.1];", -1},
		{"ann@[192.0.2.1", "|ann@[192.0.2.1;", -1},
		{"a.\"b@,\".c@[IPv6:2001:db8::1]", "|a.\"b@,\".c@[IPv6:2001:db8::1];", 1});
}

static void nul_bytes_end_nothing(void **state)
{
	static const char value[] = "Jo\0e <j@example.org>";
	struct mg_buf told = {.limit = 0};

	(void)state;
	assert_int_equal(mg_mailbox_list(value, sizeof(value) - 1, note, &told), -1);
	assert_string_equal(mg_buf_text(&told), "Joe|j@example.org;");
	mg_buf_free(&told);
}

static void count(void *context, const struct mg_mailbox *mailbox)
{
	(void)mailbox;
	++*(int *)context;
}

static void a_field_of_too_many_mailboxes_tells_the_first_thousand(void **state)
{
	struct mg_buf value = {.limit = 0};
	int told = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		mg_buf_add_format(&value, "u%d@example.org,", i);
	assert_int_equal(mg_mailbox_list(value.data, value.length - 1, count, &told), 1000);
	mg_buf_add_text(&value, "one@example.org");
	told = 0;
	assert_int_equal(mg_mailbox_list(value.data, value.length, count, &told), -1);
	assert_int_equal(told, 1000);
	mg_buf_free(&value);
}

static void an_address_over_its_bound_is_skipped_and_a_name_is_cut(void **state)
{
	struct mg_buf value = {.limit = 0}, told = {.limit = 0};

	(void)state;
	for (int i = 0; i < 1100; i++)
		mg_buf_add_char(&value, 'n');
	mg_buf_add_text(&value, "@example.org, ");
	for (int i = 0; i < 1100; i++)
		mg_buf_add_char(&value, 'n');
	mg_buf_add_text(&value, " <a@b.example>");
	assert_int_equal(mg_mailbox_list(value.data, value.length, note, &told), -1);
	assert_int_equal(told.length, 1024 + strlen("|a@b.example;"));
	mg_buf_free(&value);
	mg_buf_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mailbox_is_bare_or_in_angle_brackets),
		cmocka_unit_test(a_quoted_name_keeps_its_commas_and_brackets),
		cmocka_unit_test(a_quoted_local_part_keeps_its_quotes),
		cmocka_unit_test(names_are_decoded_after_the_field_is_cut_into_mailboxes),
		cmocka_unit_test(comments_go_but_name_a_bare_address),
		cmocka_unit_test(members_of_groups_are_told),
		cmocka_unit_test(obsolete_forms_are_read),
		cmocka_unit_test(what_cannot_be_read_is_skipped_up_to_the_next_comma),
		cmocka_unit_test(what_can_be_guessed_is_told_and_reported),
		cmocka_unit_test(an_address_with_what_must_be_quoted_is_reported),
		cmocka_unit_test(nul_bytes_end_nothing),
		cmocka_unit_test(a_field_of_too_many_mailboxes_tells_the_first_thousand),
		cmocka_unit_test(an_address_over_its_bound_is_skipped_and_a_name_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
