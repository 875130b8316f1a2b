/* SPDX-License-Identifier: ISC */
/* Suite `dkim`: canonical forms of fields and messages, hashes of bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "auth/dkim_canon.h"
#include "base/buf.h"
#include "base/digest.h"
#include "suite.h"

enum { LINE_LIMIT = 998, BASE64_SIZE = (MG_SHA256_SIZE + 2) / 3 * 4 + 1 };

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static enum mg_dkim_form form_of(const json_t *row)
{
	return strcmp(text_of(row, "canonicalization"), "relaxed") == 0 ? MG_DKIM_RELAXED
									: MG_DKIM_SIMPLE;
}

/* "Name: value" */
static void add_field(enum mg_dkim_form form, const char *field, size_t length, struct mg_buf *out)
{
	const char *colon = memchr(field, ':', length);

	assert_non_null(colon);
	mg_dkim_field(form, LINE_LIMIT, field, (size_t)(colon - field), colon + 1,
		length - (size_t)(colon + 1 - field), out);
}

/* Length of the field at the start, without its line end. */
static size_t field_length(const char *text, const char *end)
{
	const char *place = text;

	for (;;) {
		const char *line_end = memmem(place, (size_t)(end - place), "\r\n", 2);

		if (line_end == NULL)
			return (size_t)(end - text);
		if (line_end + 2 == end || (line_end[2] != ' ' && line_end[2] != '\t'))
			return (size_t)(line_end - text);
		place = line_end + 2;
	}
}

static void fields_are_made_canonical(void **state)
{
	static const struct suite_kept kept[] = {{NULL, NULL}};
	json_t *json = suite_load("dkim/canonicalization.json", false), *row, *item;
	struct suite suite = {.kept = kept};
	size_t i, j;

	(void)state;
	json_array_foreach(json_object_get(json, "header_fields"), i, row)
	{
		struct mg_buf out = {.limit = 0};
		bool agreed = true;

		json_array_foreach(json_object_get(row, "header_fields"), j, item) add_field(
			form_of(row), json_string_value(item), json_string_length(item), &out);
		json_array_foreach(json_object_get(row, "canonical_contains"), j, item) agreed =
			agreed && strstr(mg_buf_text(&out), json_string_value(item)) != NULL;
		json_array_foreach(json_object_get(row, "canonical_lacks"), j, item) agreed =
			agreed && strstr(mg_buf_text(&out), json_string_value(item)) == NULL;
		suite_case(&suite, text_of(row, "name"), agreed, "\"%s\"", mg_buf_text(&out));
		mg_buf_free(&out);
	}
	suite_end(&suite);
	json_decref(json);
}

static void check_header(struct suite *suite, const char *name, enum mg_dkim_form form,
	const char *message, const char *body, const char *wanted)
{
	struct mg_buf out = {.limit = 0};
	const char *end = body - 2;

	for (const char *field = message; field < end; field += field_length(field, end) + 2)
		add_field(form, field, field_length(field, end), &out);
	suite_case(suite, name, strcmp(mg_buf_text(&out), wanted) == 0, "\"%s\", expected \"%s\"",
		mg_buf_text(&out), wanted);
	mg_buf_free(&out);
}

static void hash_body(enum mg_dkim_form form, const char *body, size_t length,
	unsigned char digest[MG_SHA256_SIZE])
{
	struct mg_dkim_body under_way;

	assert_true(mg_dkim_body_begin(&under_way, form, LINE_LIMIT));
	mg_dkim_body_add(&under_way, (const unsigned char *)body, length);
	assert_true(mg_dkim_body_end(&under_way, digest));
}

static void check_body(struct suite *suite, const char *name, enum mg_dkim_form form,
	const char *body, const char *wanted)
{
	unsigned char digest[MG_SHA256_SIZE], right[MG_SHA256_SIZE];

	hash_body(form, body, strlen(body), digest);
	assert_true(mg_sha256_of(wanted, strlen(wanted), right));
	suite_case(suite, name, memcmp(digest, right, sizeof digest) == 0,
		"the hash is not that of \"%s\"", wanted);
}

static void messages_are_made_canonical(void **state)
{
	static const char name[] = "no field name: an MTA does not hand it over";
	static const struct suite_kept kept[] = {
		{"1 relaxed header", name}, {"3 relaxed header", name}, {NULL, NULL}};
	json_t *json = suite_load("dkim/canonicalization.json", false), *row;
	struct suite suite = {.kept = kept};
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "messages"), i, row)
	{
		const char *message = text_of(row, "message"), *body = strstr(message, "\r\n\r\n");
		char label[64];

		assert_non_null(body);
		body += 4;
		snprintf(label, sizeof label, "%zu simple header", i);
		check_header(&suite, label, MG_DKIM_SIMPLE, message, body,
			text_of(row, "simple_header"));
		snprintf(label, sizeof label, "%zu relaxed header", i);
		check_header(&suite, label, MG_DKIM_RELAXED, message, body,
			text_of(row, "relaxed_header"));
		snprintf(label, sizeof label, "%zu simple body", i);
		check_body(&suite, label, MG_DKIM_SIMPLE, body, text_of(row, "simple_body"));
		snprintf(label, sizeof label, "%zu relaxed body", i);
		check_body(&suite, label, MG_DKIM_RELAXED, body, text_of(row, "relaxed_body"));
	}
	suite_end(&suite);
	json_decref(json);
}

/* The body of a row: its own, or what is behind the header of a file, LF made CRLF. */
static void add_body(const json_t *row, struct mg_buf *body)
{
	struct mg_buf file = {.limit = 0};
	const char *text;
	char path[128];

	mg_buf_add_text(body, text_of(row, "body"));
	if (json_object_get(row, "file") == NULL)
		return;
	snprintf(path, sizeof path, "dkim/body-hash/%s", text_of(row, "file"));
	suite_read(path, &file);
	text = strstr(mg_buf_text(&file), "\n\n");
	assert_non_null(text);
	for (text += 2; *text != '\0'; text++) {
		if (*text == '\n')
			mg_buf_add_char(body, '\r');
		mg_buf_add_char(body, *text);
	}
	mg_buf_free(&file);
}

static void bodies_are_hashed(void **state)
{
	static const char no_l[] = "l= is never used";
	static const struct suite_kept kept[] = {{"4", "a lone LF is no line end"},
		{"5", "no SHA-1"}, {"7", no_l}, {"9", no_l}, {NULL, NULL}};
	json_t *json = suite_load("dkim/canonicalization.json", false), *row;
	struct suite suite = {.kept = kept};
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "body_hash"), i, row)
	{
		unsigned char digest[MG_SHA256_SIZE], text[BASE64_SIZE];
		struct mg_buf body = {.limit = 0};
		char name[32];

		add_body(row, &body);
		hash_body(form_of(row), mg_buf_text(&body), body.length, digest);
		EVP_EncodeBlock(text, digest, sizeof digest);
		snprintf(name, sizeof name, "%zu", i);
		suite_case(&suite, name, strcmp((char *)text, text_of(row, "sha256")) == 0,
			"%s, expected %s", (char *)text, text_of(row, "sha256"));
		mg_buf_free(&body);
	}
	suite_end(&suite);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_made_canonical),
		cmocka_unit_test(messages_are_made_canonical),
		cmocka_unit_test(bodies_are_hashed),
	};

	suite_needed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
