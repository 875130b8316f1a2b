/* SPDX-License-Identifier: ISC */
/* What of a message may break its signature behind us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dkim/fragile.h"

/* A comment that is longer than what is looked at of a line. */
#define WORDS "words words words words words words words words words words "
#define COMMENT "(" WORDS WORDS WORDS WORDS WORDS ")"

static struct mg_header field(const char *name, const char *value)
{
	return (struct mg_header){.name = name,
		.name_length = strlen(name),
		.value = value,
		.value_length = strlen(value)};
}

/* What is found in the body of a message of this Content-Type, given in chunks of `step` bytes. */
static struct dkim_body_facts look(
	const char *type, size_t line_limit, const char *body, size_t step)
{
	const struct mg_header headers[] = {
		field("MIME-Version", " 1.0"), field("content-type", type)};
	size_t length = strlen(body);
	struct dkim_body_facts facts;

	dkim_body_facts_begin(&facts, headers, 2, line_limit);
	for (size_t at = 0; at < length; at += step) {
		size_t rest = length - at;

		dkim_body_facts_add(
			&facts, (const unsigned char *)body + at, rest < step ? rest : step);
	}
	return facts;
}

static void the_header_is_eight_bit_as_it_declares(void **state)
{
	static const struct {
		const char *name, *value;
		bool eight_bit;
	} rows[] = {
		{"Content-Transfer-Encoding", " 8bit", true},
		{"CONTENT-TRANSFER-ENCODING", "8BIT", true},
		{"Content-Transfer-Encoding", "\r\n\tbinary", true},
		{"Content-Transfer-Encoding", " (text) 8bit", true},
		{"Content-Transfer-Encoding", " " COMMENT " 8bit", true},
		{"Content-Transfer-Encoding", " " COMMENT " 7bit", false},
		{"Content-Transfer-Encoding", " 7bit", false},
		{"Content-Transfer-Encoding", " base64", false},
		{"Content-Transfer-Encoding", "", false},
		{"X-Content-Transfer-Encoding", " 8bit", false},
		{"Subject", " 8bit", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mg_header headers[] = {
			field("Subject", " x"), field(rows[i].name, rows[i].value)};

		if (dkim_fragile_header(headers, 2) != rows[i].eight_bit)
			fail_msg("%s:%s", rows[i].name, rows[i].value);
	}
}

static void a_part_is_eight_bit_as_it_declares_whatever_the_chunks(void **state)
{
	static const struct {
		const char *body;
		bool eight_bit;
	} rows[] = {
		{"--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\ntext\r\n--b--\r\n", true},
		{"--b\r\ncontent-transfer-encoding:BINARY\r\n\r\ntext\r\n--b--\r\n", true},
		{"--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding : 8bit\r\n\r\n",
			true},
		{"--b\r\nContent-Transfer-Encoding:\r\n 8bit\r\n\r\ntext\r\n", true},
		{"Content-Transfer-Encoding: 8bit\r\n", true},
		{"--b\r\nContent-Transfer-Encoding: " COMMENT " 8bit\r\n\r\ntext\r\n", true},
		{"--b\r\nContent-Transfer-Encoding: 7bit\r\nX: 8bit\r\n\r\ntext\r\n", false},
		{"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n8bit\r\n", false},
		{"--b\r\n\r\nThe Content-Transfer-Encoding: 8bit\r\n", false},
		{"--b\r\nContent-Transfer-Encodings: 8bit\r\n", false},
		{"--b\r\n\r\n\303\244\r\n--b--\r\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t step = 1; step <= strlen(rows[i].body); step++)
			if (look(" multipart/mixed; boundary=b", 0, rows[i].body, step).eight_bit !=
				rows[i].eight_bit)
				fail_msg("%s in chunks of %zu", rows[i].body, step);
}

static void a_declaration_is_found_behind_much_text_at_any_cut(void **state)
{
	static const char declaration[] = "\r\nContent-Transfer-Encoding: 8bit\r\n";
	static char body[4096];

	(void)state;
	for (size_t before = 0; before < 600; before++) {
		memset(body, 'n', before);
		strcpy(body + before, declaration);
		memset(body + before + sizeof(declaration) - 1, 'g', 300);
		body[before + sizeof(declaration) - 1 + 300] = '\0';
		for (size_t step = 1; step <= 300; step += 37)
			assert_true(
				look("multipart/alternative; boundary=b", 0, body, step).eight_bit);
	}
}

static void parts_are_there_whatever_stands_around_the_slash_of_the_type(void **state)
{
	static const char *const types[] = {" multipart / mixed; boundary=b",
		" multipart(x)/(y)mixed; boundary=b", " " COMMENT " multipart/mixed; boundary=b",
		" message / rfc822"};
	static const char body[] = "--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\ntext\r\n";

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!look(types[i], 0, body, sizeof(body)).eight_bit)
			fail_msg("%s", types[i]);
}

static void text_that_has_no_parts_declares_nothing(void **state)
{
	static const char body[] = "x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";

	(void)state;
	assert_false(look(" text/plain", 0, body, sizeof(body)).eight_bit);
	assert_true(look(" message/rfc822", 0, body, sizeof(body)).eight_bit);
}

/* A body of lines of these lengths. */
static void make_body(char *body, const size_t lengths[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		memset(body, 'x', lengths[i]);
		body = stpcpy(body + lengths[i], "\r\n");
	}
	*body = '\0';
}

static void a_line_is_long_over_the_limit_whatever_the_chunks(void **state)
{
	static const struct {
		size_t lengths[4];
		bool long_line;
	} rows[] = {
		{{998, 998, 998, 998}, false},
		{{999, 1, 1, 1}, true},
		{{1, 1, 1, 999}, true},
		{{500, 499, 998, 0}, false},
		{{0, 0, 0, 0}, false},
		{{998, 0, 2000, 0}, true},
		{{997, 997, 1000, 3}, true},
	};
	static char body[8192];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_body(body, rows[i].lengths, 4);
		for (size_t step = 1; step <= 2200; step += step < 20 ? 1 : 97)
			if (look("text/plain", 998, body, step).long_line != rows[i].long_line)
				fail_msg("row %zu in chunks of %zu", i, step);
	}
}

static void without_a_limit_no_line_is_long(void **state)
{
	static char body[8192];

	(void)state;
	make_body(body, (const size_t[]){5000}, 1);
	assert_false(look("text/plain", 0, body, sizeof(body)).long_line);
}

static void a_signature_that_ends_before_the_queue_does_is_fragile(void **state)
{
	(void)state;
	assert_false(dkim_fragile_expires(0));
	assert_true(dkim_fragile_expires(1));
	assert_true(dkim_fragile_expires(5 * 24 * 3600 - 1));
	assert_false(dkim_fragile_expires(5 * 24 * 3600));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_is_eight_bit_as_it_declares),
		cmocka_unit_test(a_part_is_eight_bit_as_it_declares_whatever_the_chunks),
		cmocka_unit_test(a_declaration_is_found_behind_much_text_at_any_cut),
		cmocka_unit_test(parts_are_there_whatever_stands_around_the_slash_of_the_type),
		cmocka_unit_test(text_that_has_no_parts_declares_nothing),
		cmocka_unit_test(a_line_is_long_over_the_limit_whatever_the_chunks),
		cmocka_unit_test(without_a_limit_no_line_is_long),
		cmocka_unit_test(a_signature_that_ends_before_the_queue_does_is_fragile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
