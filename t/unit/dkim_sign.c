/* SPDX-License-Identifier: ISC */
/* The field that dkim_sign makes; whether it verifies is in dkim_sign_opendkim.c and
 * dkim_sign_python.t. */
#include "auth/dkim_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/dkim_tags.h"
#include "dkim_letters.h"

static struct mg_dkim_key *keys[MG_DKIM_ALGORITHM_COUNT];
static struct mg_dkim_names *names;
static const unsigned char body_hash[MG_SHA256_SIZE];

static int set_up(void **state)
{
	(void)state;
	keys[0] = mg_dkim_key_make(MG_DKIM_RSA_SHA256, 2048, NULL);
	keys[1] = mg_dkim_key_make(MG_DKIM_ED25519_SHA256, 0, NULL);
	names = mg_dkim_names_new(
		NULL, 0, (const char *const[]){"From", "Subject", "Date", "To"}, 4, NULL);
	return keys[0] != NULL && keys[1] != NULL && names != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mg_dkim_key_release(keys[0]);
	mg_dkim_key_release(keys[1]);
	mg_dkim_names_free(names);
	return 0;
}

static struct mg_dkim_signing signing_of(const struct letter *letter)
{
	return (struct mg_dkim_signing){.headers = letter->headers,
		.header_count = letter->header_count,
		.names = names,
		.header_form = MG_DKIM_RELAXED,
		.body_form = MG_DKIM_SIMPLE,
		.body_hash = body_hash,
		.domain = "example.org",
		.selector = "s2026",
		.identity = "",
		.key = keys[MG_DKIM_ED25519_SHA256],
		.time = 1700000000};
}

/* A letter with this header. */
static struct letter *letter_of(const char *header)
{
	struct letter *letter = malloc(sizeof(*letter));
	char *text;

	assert_non_null(letter);
	assert_true(asprintf(&text, "%s\r\n", header) > 0);
	letter_read(letter, "letter", text, strlen(text));
	free(text);
	return letter;
}

static void letter_end(struct letter *letter)
{
	letter_free(letter);
	free(letter);
}

/* The value for these settings; free it. */
static char *signed_value(const struct mg_dkim_signing *signing)
{
	struct mg_buf value = {.limit = 0};
	struct mg_error error = {""};

	if (mg_dkim_sign(signing, &value, &error) != 0)
		fail_msg("%s", error.text);
	return value.data;
}

static void assert_tag(const char *value, const char *name, const char *expected)
{
	struct mg_dkim_tags tags;
	const struct mg_dkim_tag *tag;
	struct mg_buf text = {.limit = 0};

	assert_true(mg_dkim_tags_read(value, strlen(value), &tags));
	tag = mg_dkim_tag_find(&tags, name);
	if (tag != NULL)
		mg_dkim_tag_compact(tag, &text);
	if ((tag == NULL) != (expected == NULL) ||
		(tag != NULL && strcmp(mg_buf_text(&text), expected) != 0))
		fail_msg("%s=%s, expected %s", name, tag != NULL ? mg_buf_text(&text) : "(none)",
			expected != NULL ? expected : "(none)");
	mg_buf_free(&text);
}

/* h= for a header. */
static void assert_signed(const char *header, const char *expected)
{
	struct letter *letter = letter_of(header);
	struct mg_dkim_signing signing = signing_of(letter);
	char *value = signed_value(&signing);

	assert_tag(value, "h", expected);
	free(value);
	letter_end(letter);
}

static void the_field_has_its_tags_in_order_and_the_signature_last(void **state)
{
	struct letter *letter = letter_of("From: a@example.org\r\n");
	struct mg_dkim_signing signing = signing_of(letter);
	static const char expected[] =
		" v=1; a=ed25519-sha256; c=relaxed/simple; d=example.org;\r\n"
		"\ts=s2026; t=1700000000;\r\n"
		"\th=From:From;\r\n"
		"\tbh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;\r\n"
		"\tb=";
	char *value = signed_value(&signing);

	(void)state;
	assert_memory_equal(value, expected, strlen(expected));
	assert_null(strchr(value + strlen(expected), ';'));
	free(value);
	letter_end(letter);
}

static void tags_say_what_was_asked_for(void **state)
{
	struct letter *letter = letter_of("From: a@example.org\r\n");
	struct mg_dkim_signing signing = signing_of(letter);
	char *value;

	(void)state;
	signing.key = keys[MG_DKIM_RSA_SHA256];
	signing.header_form = MG_DKIM_SIMPLE;
	signing.body_form = MG_DKIM_RELAXED;
	signing.expires = 1700086400;
	signing.identity = "@mail.example.org";
	value = signed_value(&signing);
	assert_tag(value, "v", "1");
	assert_tag(value, "a", "rsa-sha256");
	assert_tag(value, "c", "simple/relaxed");
	assert_tag(value, "d", "example.org");
	assert_tag(value, "s", "s2026");
	assert_tag(value, "t", "1700000000");
	assert_tag(value, "x", "1700086400");
	assert_tag(value, "i", "@mail.example.org");
	assert_tag(value, "l", NULL);
	free(value);
	letter_end(letter);
}

static void no_time_and_no_identity_are_no_tags(void **state)
{
	struct letter *letter = letter_of("From: a@example.org\r\n");
	struct mg_dkim_signing signing = signing_of(letter);
	char *value;

	(void)state;
	signing.time = 0;
	value = signed_value(&signing);
	assert_tag(value, "t", NULL);
	assert_tag(value, "x", NULL);
	assert_tag(value, "i", NULL);
	free(value);
	letter_end(letter);
}

static void fields_are_signed_from_the_bottom_as_often_as_they_are_there(void **state)
{
	(void)state;
	assert_signed("From: a\r\nCc: 1\r\nX-Other: x\r\nCc: 2\r\nReply-To: b\r\n",
		"From:From:Reply-To:Cc:Cc");
}

static void oversigned_fields_are_named_once_more_if_they_are_there(void **state)
{
	(void)state;
	assert_signed("From: a\r\nSubject: b\r\n", "From:From:Subject:Subject");
	assert_signed("To: b\r\nTo: c\r\nFrom: a\r\n", "From:From:To:To:To");
}

static void from_is_named_first_wherever_it_stands(void **state)
{
	(void)state;
	assert_signed("Cc: 1\r\nFrom: a\r\nCc: 2\r\nFROM: b\r\nCc: 3\r\n",
		"From:From:From:Cc:Cc:Cc");
}

static void from_is_oversigned_even_where_it_is_missing(void **state)
{
	(void)state;
	assert_signed("", "From");
	assert_signed("Cc: b\r\n", "From:Cc");
}

/* No line is over 78 octets, none ends in a blank, each but the first begins with one. */
static void assert_lines(const char *name, const char *value, size_t most)
{
	size_t before = strlen("DKIM-Signature:");

	assert_int_equal(value[0], ' ');
	for (;;) {
		const char *end = strstr(value, "\r\n");
		size_t length = end != NULL ? (size_t)(end - value) : strlen(value);

		if (length + before > most || length < 2 || value[length - 1] == ' ' ||
			value[length - 1] == '\t')
			fail_msg("%s: line \"%.*s\"", name, (int)length, value);
		if (end == NULL)
			return;
		value = end + 2;
		before = 0;
		assert_int_equal(value[0], '\t');
	}
}

static void lines_are_short_and_end_without_blanks(void **state)
{
	struct letter *letters[LETTERS_MAX];
	size_t count = letters_make(letters);

	(void)state;
	for (size_t i = 0; i < count * 2; i++) {
		struct mg_dkim_signing signing = signing_of(letters[i / 2]);
		char *value;

		signing.key = keys[i % 2];
		signing.identity = "@a-rather-long-subdomain.of.example.org";
		value = signed_value(&signing);
		assert_lines(letters[i / 2]->name, value, 78);
		free(value);
	}
	letters_free(letters, count);
}

static void lines_are_short_for_names_and_domains_of_every_length(void **state)
{
	struct letter *letter = letter_of("From: a\r\nX: b\r\nCc: c\r\nX: d\r\n");
	struct mg_dkim_signing signing = signing_of(letter);
	char text[73] = "";

	(void)state;
	for (size_t length = 1; length < sizeof(text); length++) {
		const char *headers[] = {text, "Cc", "X"};
		struct mg_header named[] = {letter->headers[1], letter->headers[2],
			{text, " v", length, 2}, letter->headers[3], {text, " w", length, 2}};
		char *value;

		text[length - 1] = 'a';
		signing.names = mg_dkim_names_new(headers, 3, &headers[0], 1, NULL);
		assert_non_null(signing.names);
		signing.headers = named;
		signing.header_count = 5;
		signing.domain = text;
		value = signed_value(&signing);
		assert_lines(text, value, 78);
		free(value);
		mg_dkim_names_free((struct mg_dkim_names *)signing.names);
	}
	letter_end(letter);
}

static void a_domain_longer_than_a_line_stands_alone(void **state)
{
	struct letter *letter = letter_of("From: a@example.org\r\n");
	struct mg_dkim_signing signing = signing_of(letter);
	char domain[254];
	char *value;

	(void)state;
	memset(domain, 'a', sizeof(domain) - 1);
	domain[sizeof(domain) - 1] = '\0';
	signing.domain = domain;
	value = signed_value(&signing);
	assert_lines("domain", value, sizeof(domain) - 1 + strlen("\td=;"));
	assert_tag(value, "d", domain);
	assert_non_null(strstr(value, ";\r\n\td=aaa"));
	free(value);
	letter_end(letter);
}

static void several_signatures_of_one_header_are_as_if_made_alone(void **state)
{
	struct letter *letters[LETTERS_MAX];
	size_t count = letters_make(letters);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct mg_dkim_signing signing = signing_of(letters[i]);
		struct mg_dkim_header header;

		assert_int_equal(mg_dkim_header_begin(&header, &signing, NULL), 0);
		for (size_t k = 0; k < 4; k++) {
			struct mg_buf value = {.limit = 0};
			char *alone;

			signing.key = keys[k % 2];
			signing.selector = k < 2 ? "s1" : "s2";
			assert_int_equal(mg_dkim_header_sign(&header, &signing, &value, NULL), 0);
			alone = signed_value(&signing);
			assert_string_equal(value.data, alone);
			free(alone);
			mg_buf_free(&value);
		}
		mg_dkim_header_drop(&header);
		mg_dkim_header_drop(&header);
	}
	letters_free(letters, count);
}

/* The text of a letter as the next hop gets it: lines of the header over limit are cut. */
static void add_cut(const struct letter *letter, size_t limit, struct mg_buf *out)
{
	size_t header_size = (size_t)(letter->body - letter->text.data), column = 0;

	for (size_t i = 0; i < header_size; i++) {
		char character = letter->text.data[i];
		bool line_end = character == '\r' || character == '\n';

		if (!line_end && column == limit) {
			mg_buf_add_text(out, "\r\n ");
			column = 1;
		}
		mg_buf_add_char(out, character);
		column = line_end ? 0 : column + 1;
	}
	mg_buf_add(out, letter->body, letter->body_length);
}

static void long_lines_are_signed_as_the_next_hop_gets_them(void **state)
{
	struct letter *letters[LETTERS_MAX], *cut = malloc(sizeof(*cut));
	size_t count = letters_make(letters);

	(void)state;
	assert_non_null(cut);
	for (size_t i = 0; i < count * 2; i++) {
		struct mg_dkim_signing signing = signing_of(letters[i / 2]), signing_cut;
		struct mg_buf text = {.limit = 0};
		char *value, *value_cut;

		add_cut(letters[i / 2], 40, &text);
		letter_read(cut, "cut", text.data, text.length);
		signing_cut = signing_of(cut);
		signing.header_form = signing_cut.header_form = i % 2;
		signing.line_limit = 40;
		value = signed_value(&signing);
		value_cut = signed_value(&signing_cut);
		assert_string_equal(value, value_cut);
		free(value);
		free(value_cut);
		letter_free(cut);
		mg_buf_free(&text);
	}
	letters_free(letters, count);
	free(cut);
}

static void the_value_is_added_to_what_is_there(void **state)
{
	struct letter *letter = letter_of("From: a@example.org\r\n");
	struct mg_dkim_signing signing = signing_of(letter);
	struct mg_buf value = {.limit = 0};
	char *alone = signed_value(&signing);

	(void)state;
	mg_buf_add_text(&value, "DKIM-Signature:");
	assert_int_equal(mg_dkim_sign(&signing, &value, NULL), 0);
	assert_string_equal(value.data + strlen("DKIM-Signature:"), alone);
	mg_buf_free(&value);
	free(alone);
	letter_end(letter);
}

static void a_full_buffer_is_an_error(void **state)
{
	struct letter *letter = letter_of("From: a@example.org\r\n");
	struct mg_dkim_signing signing = signing_of(letter);
	struct mg_error error = {""};

	(void)state;
	for (size_t limit = 1; limit < 220; limit += 23) {
		struct mg_buf value = {.limit = limit};

		assert_int_equal(mg_dkim_sign(&signing, &value, &error), -1);
		assert_string_equal(error.text, "no memory for the signature");
		mg_buf_free(&value);
	}
	letter_end(letter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_field_has_its_tags_in_order_and_the_signature_last),
		cmocka_unit_test(tags_say_what_was_asked_for),
		cmocka_unit_test(no_time_and_no_identity_are_no_tags),
		cmocka_unit_test(fields_are_signed_from_the_bottom_as_often_as_they_are_there),
		cmocka_unit_test(oversigned_fields_are_named_once_more_if_they_are_there),
		cmocka_unit_test(from_is_named_first_wherever_it_stands),
		cmocka_unit_test(from_is_oversigned_even_where_it_is_missing),
		cmocka_unit_test(lines_are_short_and_end_without_blanks),
		cmocka_unit_test(lines_are_short_for_names_and_domains_of_every_length),
		cmocka_unit_test(a_domain_longer_than_a_line_stands_alone),
		cmocka_unit_test(several_signatures_of_one_header_are_as_if_made_alone),
		cmocka_unit_test(long_lines_are_signed_as_the_next_hop_gets_them),
		cmocka_unit_test(the_value_is_added_to_what_is_there),
		cmocka_unit_test(a_full_buffer_is_an_error),
	};

	return cmocka_run_group_tests_name("dkim_sign", tests, set_up, tear_down);
}
