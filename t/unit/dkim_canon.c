/* SPDX-License-Identifier: ISC */
#include "auth/dkim_canon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/str.h"
#include "dkim_canon_bodies.h"
#include "dkim_canon_plain.h"

static void hash_of(const char *bytes, size_t length, unsigned char digest[MG_SHA256_SIZE])
{
	assert_true(mg_sha256_of(bytes, length, digest));
}

/* The hash of a body that comes in three pieces. */
static void hash_in_pieces(enum mg_dkim_form form, size_t line_limit, const char *body,
	size_t length, size_t first, size_t second, unsigned char digest[MG_SHA256_SIZE])
{
	const unsigned char *bytes = (const unsigned char *)body;
	struct mg_dkim_body under_way;

	assert_true(mg_dkim_body_begin(&under_way, form, line_limit));
	mg_dkim_body_add(&under_way, bytes, first);
	mg_dkim_body_add(&under_way, bytes + first, second - first);
	mg_dkim_body_add(&under_way, bytes + second, length - second);
	assert_true(mg_dkim_body_end(&under_way, digest));
}

static void hash_bytewise(enum mg_dkim_form form, size_t line_limit, const char *body,
	size_t length, unsigned char digest[MG_SHA256_SIZE])
{
	struct mg_dkim_body under_way;

	assert_true(mg_dkim_body_begin(&under_way, form, line_limit));
	for (size_t i = 0; i < length; i++)
		mg_dkim_body_add(&under_way, (const unsigned char *)body + i, 1);
	assert_true(mg_dkim_body_end(&under_way, digest));
}

static void expect_form(enum mg_dkim_form form, const char *body, size_t length, const char *wanted)
{
	unsigned char digest[MG_SHA256_SIZE], right[MG_SHA256_SIZE];

	hash_of(wanted, strlen(wanted), right);
	hash_in_pieces(form, 0, body, length, 0, 0, digest);
	assert_memory_equal(digest, right, sizeof digest);
	hash_bytewise(form, 998, body, length, digest);
	assert_memory_equal(digest, right, sizeof digest);
}

static void expect_forms(const char *body, const char *simple, const char *relaxed)
{
	expect_form(MG_DKIM_SIMPLE, body, strlen(body), simple);
	expect_form(MG_DKIM_RELAXED, body, strlen(body), relaxed);
}

/* RFC 6376 section 3.4.5 and the hashes of empty bodies in 3.4.3 and 3.4.4. */
static void the_examples_of_the_rfc_are_met(void **state)
{
	(void)state;
	expect_forms(" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n");
	expect_forms("", "\r\n", "");
}

static void lines_at_the_end_that_are_empty_do_not_count(void **state)
{
	(void)state;
	expect_forms("\r\n", "\r\n", "");
	expect_forms("\r\n\r\n\r\n", "\r\n", "");
	expect_forms("a\r\n\r\n\r\n", "a\r\n", "a\r\n");
	expect_forms("\r\n\r\na\r\n", "\r\n\r\na\r\n", "\r\n\r\na\r\n");
}

static void a_line_of_white_space_is_empty_when_relaxed(void **state)
{
	(void)state;
	expect_forms("a\r\n \t \r\n", "a\r\n \t \r\n", "a\r\n");
	expect_forms(" \r\n\t\r\nb\r\n", " \r\n\t\r\nb\r\n", "\r\n\r\nb\r\n");
	expect_forms("  ", "  \r\n", "");
}

static void a_body_without_line_end_gets_one(void **state)
{
	(void)state;
	expect_forms("a", "a\r\n", "a\r\n");
	expect_forms("a \t", "a \t\r\n", "a\r\n");
	expect_forms("a\r\nb", "a\r\nb\r\n", "a\r\nb\r\n");
}

static void a_lone_cr_or_lf_is_no_line_end(void **state)
{
	(void)state;
	expect_forms("a \r", "a \r\r\n", "a \r\r\n");
	expect_forms("a \n", "a \n\r\n", "a \n\r\n");
	expect_forms("a  \r b\n\n", "a  \r b\n\n\r\n", "a \r b\n\n\r\n");
	expect_forms("a \r\r\n", "a \r\r\n", "a \r\r\n");
	expect_forms("a\n\r", "a\n\r\r\n", "a\n\r\r\n");
}

static void a_nul_is_a_byte_like_others(void **state)
{
	unsigned char digest[MG_SHA256_SIZE], right[MG_SHA256_SIZE];

	(void)state;
	hash_of("a \0 b\r\n", 7, right);
	hash_in_pieces(MG_DKIM_RELAXED, 998, "a  \0 b \r\n", 9, 3, 4, digest);
	assert_memory_equal(digest, right, sizeof digest);
}

/* Bodies of few letters, all of a length, cut at every pair of places, agree with the plain way. */
static void expect_every_cut(const char *body, size_t length, size_t line_limit)
{
	for (enum mg_dkim_form form = MG_DKIM_SIMPLE; form <= MG_DKIM_RELAXED; form++) {
		unsigned char digest[MG_SHA256_SIZE], right[MG_SHA256_SIZE];
		struct mg_buf plain = {.limit = 0};

		dkim_canon_plain_body(form, line_limit, body, length, &plain);
		hash_of(mg_buf_text(&plain), plain.length, right);
		mg_buf_free(&plain);
		for (size_t first = 0; first <= length; first++)
			for (size_t second = first; second <= length; second++) {
				hash_in_pieces(
					form, line_limit, body, length, first, second, digest);
				assert_memory_equal(digest, right, sizeof digest);
			}
		hash_bytewise(form, line_limit, body, length, digest);
		assert_memory_equal(digest, right, sizeof digest);
	}
}

static void every_small_body_in_every_cut_has_one_hash(void **state)
{
	static const char letters[] = "a \t\r\n";
	enum { LENGTH = 5, LETTERS = sizeof letters - 1 };

	(void)state;
	for (size_t length = 0, count = 1; length <= LENGTH; length++, count *= LETTERS)
		for (size_t number = 0; number < count; number++) {
			char body[LENGTH + 1];
			size_t rest = number;

			for (size_t i = 0; i < length; i++, rest /= LETTERS)
				body[i] = letters[rest % LETTERS];
			expect_every_cut(body, length, number % 2 == 0 ? 0 : 2 + number % 3);
		}
}

static void hash_in_random_pieces(enum mg_dkim_form form, size_t line_limit, const char *body,
	size_t length, unsigned char digest[MG_SHA256_SIZE])
{
	size_t most = 1 + dkim_canon_random_below(3000);
	struct mg_dkim_body under_way;

	assert_true(mg_dkim_body_begin(&under_way, form, line_limit));
	for (size_t done = 0, piece; done < length; done += piece) {
		piece = 1 + dkim_canon_random_below(most);
		if (piece > length - done)
			piece = length - done;
		mg_dkim_body_add(&under_way, (const unsigned char *)body + done, piece);
	}
	assert_true(mg_dkim_body_end(&under_way, digest));
}

static void random_bodies_agree_with_the_plain_way(void **state)
{
	enum { SIZE = 20000 };
	static const size_t limits[] = {0, 2, 3, 16, 17, 64, 512, 998, 998, 998, 1024, 2048};
	static char body[SIZE];

	(void)state;
	for (size_t round = 0; round < 2000; round++) {
		size_t length = dkim_canon_random_body(body, 1 + dkim_canon_random_below(SIZE));
		size_t limit = limits[dkim_canon_random_below(sizeof limits / sizeof limits[0])];
		enum mg_dkim_form form = round % 2 == 0 ? MG_DKIM_SIMPLE : MG_DKIM_RELAXED;
		unsigned char digest[MG_SHA256_SIZE], right[MG_SHA256_SIZE];
		struct mg_buf plain = {.limit = 0};

		dkim_canon_plain_body(form, limit, body, length, &plain);
		hash_of(mg_buf_text(&plain), plain.length, right);
		mg_buf_free(&plain);
		hash_in_random_pieces(form, limit, body, length, digest);
		assert_memory_equal(digest, right, sizeof digest);
	}
}

/* A body of one line of x, and the lengths of the lines that are sent of it. */
static void expect_cut(size_t line_limit, size_t length, const size_t *sent, size_t count)
{
	struct mg_buf line = {.limit = 0}, wanted = {.limit = 0};
	unsigned char digest[MG_SHA256_SIZE], right[MG_SHA256_SIZE];

	for (size_t i = 0; i < length; i++)
		mg_buf_add_char(&line, 'x');
	mg_buf_add_text(&line, "\r\n");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			mg_buf_add_char(&wanted, ' ');
		for (size_t j = i > 0 ? 1 : 0; j < sent[i]; j++)
			mg_buf_add_char(&wanted, 'x');
		mg_buf_add_text(&wanted, "\r\n");
	}
	hash_of(wanted.data, wanted.length, right);
	for (size_t first = 0; first <= line.length; first += 1 + line.length / 50) {
		hash_in_pieces(MG_DKIM_SIMPLE, line_limit, line.data, line.length, first,
			line.length - (line.length - first) / 2, digest);
		assert_memory_equal(digest, right, sizeof digest);
	}
	mg_buf_free(&line);
	mg_buf_free(&wanted);
}

#define EXPECT_CUT(line_limit, length, ...) \
	expect_cut(line_limit, length, (const size_t[]){__VA_ARGS__}, \
		sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t))

/* As seen at the next hop of Postfix 3.7. */
static void long_lines_are_cut_as_postfix_sends_them(void **state)
{
	(void)state;
	EXPECT_CUT(998, 997, 997);
	EXPECT_CUT(998, 998, 998);
	EXPECT_CUT(998, 999, 998, 2);
	EXPECT_CUT(998, 1995, 998, 998);
	EXPECT_CUT(998, 1996, 998, 998, 2);
	EXPECT_CUT(998, 2048, 998, 998, 54);
	EXPECT_CUT(998, 5000, 998, 998, 998, 998, 998, 15);
	EXPECT_CUT(0, 5000, 5000);
}

static void a_line_that_fills_piece_and_record_is_followed_by_a_blank(void **state)
{
	(void)state;
	EXPECT_CUT(2048, 2048, 2048, 1);
	EXPECT_CUT(1024, 1024, 1024);
	EXPECT_CUT(4096, 4096, 4096, 1);
	EXPECT_CUT(512, 2048, 512, 512, 512, 512, 4);
}

static void expect_field(enum mg_dkim_form form, size_t line_limit, const char *name,
	const char *value, const char *wanted)
{
	struct mg_buf out = {.limit = 0};

	mg_dkim_field(form, line_limit, name, strlen(name), value, strlen(value), &out);
	assert_string_equal(mg_buf_text(&out), wanted);
	mg_buf_free(&out);
}

/* RFC 6376 section 3.4.5. */
static void the_fields_of_the_rfc_are_met(void **state)
{
	(void)state;
	expect_field(MG_DKIM_RELAXED, 998, "A", " X", "a:X\r\n");
	expect_field(MG_DKIM_RELAXED, 998, "B ", " Y\t\r\n\tZ  ", "b:Y Z\r\n");
	expect_field(MG_DKIM_SIMPLE, 998, "A", " X", "A: X\r\n");
	expect_field(MG_DKIM_SIMPLE, 998, "B ", " Y\t\r\n\tZ  ", "B : Y\t\r\n\tZ  \r\n");
}

static void a_fold_is_lf_or_crlf(void **state)
{
	(void)state;
	expect_field(MG_DKIM_SIMPLE, 998, "To", " a,\n\tb,\r\n c", "To: a,\r\n\tb,\r\n c\r\n");
	expect_field(MG_DKIM_RELAXED, 998, "To", " a,\n\tb,\r\n c", "to:a, b, c\r\n");
	expect_field(MG_DKIM_RELAXED, 998, "X-Y", "\n \r\n\ta \n ", "x-y:a\r\n");
}

static void an_empty_field_stays(void **state)
{
	(void)state;
	expect_field(MG_DKIM_SIMPLE, 998, "X-Empty", "", "X-Empty:\r\n");
	expect_field(MG_DKIM_RELAXED, 998, "X-Empty", "", "x-empty:\r\n");
	expect_field(MG_DKIM_RELAXED, 998, "X-Empty", " \t ", "x-empty:\r\n");
}

static void each_line_of_a_field_is_cut_by_itself_and_before_it_is_made_canonical(void **state)
{
	(void)state;
	expect_field(MG_DKIM_SIMPLE, 10, "AB", "3456789", "AB:3456789\r\n");
	expect_field(MG_DKIM_SIMPLE, 10, "AB", "3456789x", "AB:3456789\r\n x\r\n");
	expect_field(MG_DKIM_SIMPLE, 10, "AB", "3456789x\n 23456789",
		"AB:3456789\r\n x\r\n 23456789\r\n");
	expect_field(MG_DKIM_SIMPLE, 10, "AB", "\n 234567890123456789",
		"AB:\r\n 234567890\r\n 123456789\r\n");
	expect_field(MG_DKIM_RELAXED, 10, "AB", "3456789x", "ab:3456789 x\r\n");
	expect_field(MG_DKIM_RELAXED, 10, "AB", "345678 x", "ab:345678 x\r\n");
	expect_field(MG_DKIM_RELAXED, 10, "AB", "  \r\n\t234567890123456789",
		"ab:234567890 123456789\r\n");
}

static void random_fields_agree_with_the_plain_way(void **state)
{
	static const size_t limits[] = {0, 10, 78, 998, 998};
	static char value[5000];

	(void)state;
	for (size_t round = 0; round < 4000; round++) {
		size_t length =
			dkim_canon_random_body(value, 1 + dkim_canon_random_below(sizeof value));
		size_t limit = limits[dkim_canon_random_below(sizeof limits / sizeof limits[0])];
		enum mg_dkim_form form = round % 2 == 0 ? MG_DKIM_SIMPLE : MG_DKIM_RELAXED;
		struct mg_buf plain = {.limit = 0}, out = {.limit = 0};

		dkim_canon_plain_field(form, limit, "Subject", 7, value, length, &plain);
		mg_dkim_field(form, limit, "Subject", 7, value, length, &out);
		assert_int_equal(out.length, plain.length);
		assert_memory_equal(out.data, plain.data, out.length);
		mg_buf_free(&plain);
		mg_buf_free(&out);
	}
}

static void a_body_dropped_half_way_frees_its_memory(void **state)
{
	struct mg_dkim_body never = {.hash = NULL}, half;

	(void)state;
	mg_dkim_body_drop(&never);
	assert_true(mg_dkim_body_begin(&half, MG_DKIM_RELAXED, 998));
	mg_dkim_body_add(&half, (const unsigned char *)"a ", 2);
	mg_dkim_body_drop(&half);
	mg_dkim_body_drop(&half);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc_are_met),
		cmocka_unit_test(lines_at_the_end_that_are_empty_do_not_count),
		cmocka_unit_test(a_line_of_white_space_is_empty_when_relaxed),
		cmocka_unit_test(a_body_without_line_end_gets_one),
		cmocka_unit_test(a_lone_cr_or_lf_is_no_line_end),
		cmocka_unit_test(a_nul_is_a_byte_like_others),
		cmocka_unit_test(every_small_body_in_every_cut_has_one_hash),
		cmocka_unit_test(random_bodies_agree_with_the_plain_way),
		cmocka_unit_test(long_lines_are_cut_as_postfix_sends_them),
		cmocka_unit_test(a_line_that_fills_piece_and_record_is_followed_by_a_blank),
		cmocka_unit_test(the_fields_of_the_rfc_are_met),
		cmocka_unit_test(a_fold_is_lf_or_crlf),
		cmocka_unit_test(an_empty_field_stays),
		cmocka_unit_test(
			each_line_of_a_field_is_cut_by_itself_and_before_it_is_made_canonical),
		cmocka_unit_test(random_fields_agree_with_the_plain_way),
		cmocka_unit_test(a_body_dropped_half_way_frees_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
