/* SPDX-License-Identifier: ISC */
/* Long lines of a header field are folded at blanks, and nothing else becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "dkim/long_lines.h"

enum { LIMIT = 998, NAME = 7 };

/* The value with its line ends taken out (RFC 5322 section 2.2.3). */
static void unfold(const struct mg_buf *value, struct mg_buf *out)
{
	for (size_t i = 0; i < value->length; i++)
		if (value->data[i] != '\r' && value->data[i] != '\n')
			mg_buf_add_char(out, value->data[i]);
}

static size_t longest_line(const struct mg_buf *value, size_t name_length)
{
	size_t column = name_length + 1, longest = column;

	for (size_t i = 0; i < value->length; i++) {
		column = value->data[i] == '\n' ? 0 : column + (value->data[i] != '\r');
		longest = column > longest ? column : longest;
	}
	return longest;
}

/* No line is empty or of blanks alone, and each one behind the first begins with a blank. */
static bool is_well_folded(const struct mg_buf *value)
{
	const char *line = mg_buf_text(value), *end;
	bool first = true;

	for (; (end = strstr(line, "\r\n")) != NULL; line = end + 2, first = false)
		if ((!first && *line != ' ' && *line != '\t') ||
			(size_t)(end - line) == strspn(line, " \t"))
			return false;
	return first || ((*line == ' ' || *line == '\t') && line[strspn(line, " \t")] != '\0');
}

static void add_times(struct mg_buf *out, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mg_buf_add_text(out, text);
}

/* Folds `count` times the text; `left` is what is expected. */
static void assert_folded(const char *text, size_t count, bool left, size_t longest)
{
	struct mg_buf value = {0}, folded = {0}, before = {0}, after = {0};

	add_times(&value, text, count);
	if (dkim_long_lines_fold_value(NAME, value.data, value.length, LIMIT, &folded) != left)
		fail_msg("%.40s: left is not %d", text, left);
	unfold(&value, &before);
	unfold(&folded, &after);
	assert_string_equal(mg_buf_text(&after), mg_buf_text(&before));
	assert_true(is_well_folded(&folded));
	assert_true(longest_line(&folded, NAME) <= longest);
	mg_buf_free(&value);
	mg_buf_free(&folded);
	mg_buf_free(&before);
	mg_buf_free(&after);
}

static void a_long_line_is_folded_to_78_columns_at_blanks(void **state)
{
	(void)state;
	assert_folded(" word", 400, false, 78);
	assert_folded("\tword", 400, false, 78);
	assert_folded(" a", 2000, false, 78);
	assert_folded("  two  blanks ", 200, false, 78);
}

static void a_word_longer_than_that_stands_on_a_line_of_its_own(void **state)
{
	(void)state;
	assert_folded(" 0123456789012345678901234567890123456789012345678901234567890123456789"
		      "01234567890123456789",
		50, false, 8 + 91);
}

static void a_word_over_the_limit_is_left(void **state)
{
	(void)state;
	assert_folded("x", 3000, true, 3000 + NAME + 1);
	assert_folded(" ", 3000, true, 3000 + NAME + 1);
}

static void a_value_without_long_lines_stays_as_it_is(void **state)
{
	static const char *const values[] = {"", " x", " a b\r\n c d", "\r\n x\r\n\ty ", " a\n b"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct mg_buf folded = {0};

		assert_false(dkim_long_lines_fold_value(
			NAME, values[i], strlen(values[i]), LIMIT, &folded));
		assert_string_equal(mg_buf_text(&folded), values[i]);
		mg_buf_free(&folded);
	}
}

static void only_the_long_lines_of_a_value_are_folded(void **state)
{
	struct mg_buf value = {0}, folded = {0};

	(void)state;
	mg_buf_add_text(&value, " first line of some ninety columns that is not long, though it is "
				"over seventy-eight columns\r\n");
	add_times(&value, " word", 400);
	mg_buf_add_text(&value, "\r\n last");
	assert_false(dkim_long_lines_fold_value(NAME, value.data, value.length, LIMIT, &folded));
	assert_int_equal(memcmp(folded.data, value.data, strcspn(value.data, "\r")), 0);
	assert_non_null(strstr(folded.data, "\r\n last"));
	mg_buf_free(&value);
	mg_buf_free(&folded);
}

static uint64_t steps;

void __sanitizer_cov_trace_pc(void);

/* Called by the compiled code at each branch (-fsanitize-coverage=trace-pc). */
void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

/* Half of it text, half of it tail. */
static uint64_t steps_to_fold(const char *text, const char *tail, size_t bytes)
{
	struct mg_buf value = {0}, folded = {0};

	while (value.length < bytes / 2)
		mg_buf_add_text(&value, text);
	while (value.length < bytes)
		mg_buf_add_text(&value, tail);
	steps = 0;
	(void)dkim_long_lines_fold_value(NAME, value.data, value.length, LIMIT, &folded);
	assert_false(folded.failed);
	mg_buf_free(&value);
	mg_buf_free(&folded);
	return steps;
}

static void folding_costs_steps_in_proportion_to_the_length(void **state)
{
	static const char *const pieces[] = {" ", "x", " word", " a", "a\r\n ", "  x", "\t"};
	enum { PIECES = sizeof(pieces) / sizeof(pieces[0]), FEW = 8 * 1024, TIMES = 8 };

	(void)state;
	for (size_t i = 0; i < PIECES * PIECES; i++) {
		const char *text = pieces[i / PIECES], *tail = pieces[i % PIECES];
		uint64_t few = steps_to_fold(text, tail, FEW);
		uint64_t many = steps_to_fold(text, tail, FEW * TIMES);

		assert_true(few > 0);
		if (many > 2 * few * TIMES)
			fail_msg("\"%s\" and \"%s\": %llu steps, %llu for %d times as much", text,
				tail, (unsigned long long)few, (unsigned long long)many, TIMES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_line_is_folded_to_78_columns_at_blanks),
		cmocka_unit_test(a_word_longer_than_that_stands_on_a_line_of_its_own),
		cmocka_unit_test(a_word_over_the_limit_is_left),
		cmocka_unit_test(a_value_without_long_lines_stays_as_it_is),
		cmocka_unit_test(only_the_long_lines_of_a_value_are_folded),
		cmocka_unit_test(folding_costs_steps_in_proportion_to_the_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
