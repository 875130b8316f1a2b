/* SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef bool normalize_function(const char *text, size_t length, struct mg_buf *out);

struct pair {
	const char *text, *normal; /* NULL: none */
};

static void check(normalize_function *normalize, const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mg_buf out = {.limit = 0};
		bool done = normalize(pairs[i].text, strlen(pairs[i].text), &out);

		if (done != (pairs[i].normal != NULL))
			print_error("%s\n", pairs[i].text);
		assert_int_equal(done, pairs[i].normal != NULL);
		assert_string_equal(
			mg_buf_text(&out), pairs[i].normal != NULL ? pairs[i].normal : "");
		mg_buf_free(&out);
	}
}

#define CHECK(normalize, ...) \
	do { \
		const struct pair pairs[] = {__VA_ARGS__}; \
		check(normalize, pairs, sizeof(pairs) / sizeof(pairs[0])); \
	} while (0)

static void ascii_letters_of_an_address_go_to_lower_case(void **state)
{
	(void)state;
	CHECK(mg_address_normalize, {"Ann.B+Tag@Example.ORG", "ann.b+tag@example.org"},
		{"\xc3\x9c@example.org", "\xc3\x9c@example.org"}, {"Postmaster", "postmaster"});
}

static void quotes_that_are_not_needed_go(void **state)
{
	(void)state;
	CHECK(mg_address_normalize, {"\"ann\"@example.org", "ann@example.org"},
		{"\"a\\n\\n\"@example.org", "ann@example.org"},
		{"\"a b\"@example.org", "\"a b\"@example.org"},
		{"\"a..b\"@example.org", "\"a..b\"@example.org"},
		{"\"a\\@\\\"\\\\\"@example.org", "\"a@\\\"\\\\\"@example.org"},
		{"\"\"@example.org", "\"\"@example.org"});
}

static void u_labels_become_a_labels(void **state)
{
	(void)state;
	CHECK(mg_address_normalize,
		{"j@B\xc3\xbc"
		 "cher.example",
			"j@xn--bcher-kva.example"},
		{"j@xn--BCHER-kva.example", "j@xn--bcher-kva.example"},
		{"j@stra\xc3\x9f"
		 "e.example",
			"j@xn--strae-oqa.example"});
}

static void address_literals_have_one_form(void **state)
{
	(void)state;
	CHECK(mg_address_normalize, {"a@[192.0.2.1]", "a@[192.0.2.1]"},
		{"a@[IPV6:2001:DB8:0::1]", "a@[IPv6:2001:db8::1]"}, {"a@[2001:db8::1]", NULL},
		{"a@[IPv6:192.0.2.1]", NULL}, {"a@[192.0.2]", NULL}, {"a@[]", NULL}, {"a@[x", NULL},
		{"a@[tag:content]", NULL});
}

static void what_is_no_address_has_no_normal_form(void **state)
{
	(void)state;
	CHECK(mg_address_normalize, {"", NULL}, {"@", NULL}, {"a@", NULL}, {"@b.example", NULL},
		{".a@b.example", NULL}, {"a.@b.example", NULL}, {"a..b@c.example", NULL},
		{"a b@c.example", NULL}, {"a@b.example.", NULL}, {"a@b@c.example", NULL},
		{"\"a@b.example", NULL}, {"\"a\"b@c.example", NULL}, {"a(c)@b.example", NULL},
		{"<a@b.example>", NULL}, {"a@-b.example", NULL}, {"a@b-.example", NULL},
		{"a@b_c.example", NULL}, {"a\xff@b.example", NULL}, {"a@\xff.example", NULL},
		{"\"\xff\"@b.example", NULL}, {"a\r\n@b.example", NULL},
		{"\"\x01\"@b.example", NULL}, {"a@b..example", NULL});
}

static void an_address_that_is_none_leaves_the_buffer_alone(void **state)
{
	struct mg_buf out = {.limit = 0};

	(void)state;
	mg_buf_add_text(&out, "before ");
	assert_false(mg_address_normalize("ann@", 4, &out));
	assert_false(mg_domain_normalize("a..b", 4, &out));
	assert_string_equal(mg_buf_text(&out), "before ");
	assert_true(mg_address_normalize("A@B.example", 11, &out));
	assert_string_equal(mg_buf_text(&out), "before a@b.example");
	mg_buf_free(&out);
}

static void a_mailbox_needs_a_domain(void **state)
{
	(void)state;
	assert_true(mg_address_valid("postmaster@example.org", 22));
	assert_true(mg_address_valid("p\xc3\xbc@b\xc3\xbc.example", 14));
	assert_false(mg_address_valid("postmaster", 10));
	assert_false(mg_address_valid("a\0@b.example", 12));
	assert_false(mg_address_valid("", 0));
}

static void a_domain_is_ldh_labels_within_their_bounds(void **state)
{
	char label[65] = "", domain[300] = "";

	(void)state;
	CHECK(mg_domain_normalize, {"Example.ORG.", "example.org"}, {"localhost", "localhost"},
		{"1-2.example", "1-2.example"}, {"", NULL}, {".", NULL}, {"a..", NULL},
		{".a", NULL}, {"*.a", NULL}, {"a/b", NULL}, {"../a", NULL}, {"a b", NULL});
	memset(label, 'x', 63);
	CHECK(mg_domain_normalize, {label, label});
	label[63] = 'x';
	CHECK(mg_domain_normalize, {label, NULL});
	for (size_t i = 0; i < 126; i++)
		memcpy(domain + 2 * i, "a.", 3);
	domain[252] = 'a';
	CHECK(mg_domain_normalize, {domain, domain});
	memcpy(domain + 252, "aa", 3);
	CHECK(mg_domain_normalize, {domain, NULL});
}

static void an_address_ends_at_1024_bytes(void **state)
{
	char address[1100];
	struct mg_buf out = {.limit = 0};

	(void)state;
	memset(address, 'a', sizeof(address));
	memcpy(address + 1024 - 10, "@b.example", 10);
	assert_true(mg_address_normalize(address, 1024, &out));
	memset(address, 'a', sizeof(address));
	memcpy(address + 1025 - 10, "@b.example", 10);
	assert_false(mg_address_normalize(address, 1025, &out));
	mg_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascii_letters_of_an_address_go_to_lower_case),
		cmocka_unit_test(quotes_that_are_not_needed_go),
		cmocka_unit_test(u_labels_become_a_labels),
		cmocka_unit_test(address_literals_have_one_form),
		cmocka_unit_test(what_is_no_address_has_no_normal_form),
		cmocka_unit_test(an_address_that_is_none_leaves_the_buffer_alone),
		cmocka_unit_test(a_mailbox_needs_a_domain),
		cmocka_unit_test(a_domain_is_ldh_labels_within_their_bounds),
		cmocka_unit_test(an_address_ends_at_1024_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
