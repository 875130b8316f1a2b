/* SPDX-License-Identifier: ISC */
/* Suite `dkim/rfc8463` (appendix A of that RFC): both algorithms are deterministic, so our keys over our
 * canonical forms give its signatures byte for byte. */
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/dkim_canon.h"
#include "auth/dkim_key.h"
#include "auth/dkim_tags.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/str.h"
#include "dkim_letters.h"
#include "suite.h"

/* PKCS#8 of an Ed25519 key (RFC 8410 section 7), before its seed. */
static const unsigned char pkcs8[] = {
	0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20};

enum { SEED_SIZE = 32 };

static struct letter letter;
static json_t *vector;
static struct mg_dkim_key *keys[MG_DKIM_ALGORITHM_COUNT];

static struct mg_dkim_key *key_of_seed(const char *base64)
{
	unsigned char der[sizeof(pkcs8) + SEED_SIZE + 1];
	char text[MG_BASE64_LENGTH(sizeof(pkcs8) + SEED_SIZE) + 1], pem[256];

	memcpy(der, pkcs8, sizeof(pkcs8));
	assert_int_equal(EVP_DecodeBlock(der + sizeof(pkcs8), (const unsigned char *)base64,
				 (int)strlen(base64)),
		SEED_SIZE + 1);
	mg_base64_encode(text, der, sizeof(pkcs8) + SEED_SIZE);
	snprintf(pem, sizeof(pem), "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n",
		text);
	return mg_dkim_key_read(pem, strlen(pem), NULL);
}

static int set_up(void **state)
{
	struct mg_buf file = {.limit = 0}, text = {.limit = 0};
	const char *name;
	json_t *value;

	(void)state;
	vector = suite_load("dkim/rfc8463/vector.json", false);
	json_object_foreach(json_object_get(vector, "private_keys"), name, value)
	{
		const char *secret = json_string_value(value);

		if (strncmp(secret, "-----", 5) == 0)
			keys[MG_DKIM_RSA_SHA256] = mg_dkim_key_read(secret, strlen(secret), NULL);
		else
			keys[MG_DKIM_ED25519_SHA256] = key_of_seed(secret);
	}
	suite_read("dkim/rfc8463/signed.eml", &file);
	for (size_t i = 0; i < file.length; i++) {
		if (file.data[i] == '\n')
			mg_buf_add_char(&text, '\r');
		mg_buf_add_char(&text, file.data[i]);
	}
	letter_read(&letter, "rfc8463", text.data, text.length);
	mg_buf_free(&file);
	mg_buf_free(&text);
	return keys[0] != NULL && keys[1] != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	letter_free(&letter);
	json_decref(vector);
	mg_dkim_key_release(keys[0]);
	mg_dkim_key_release(keys[1]);
	return 0;
}

static void add_field(const struct mg_header *header, size_t value_length, struct mg_buf *out)
{
	mg_dkim_field(MG_DKIM_RELAXED, 0, header->name, header->name_length, header->value,
		value_length, out);
}

/* The fields that h= names, each from the bottom. */
static void add_signed_fields(char *names, struct mg_buf *out)
{
	bool used[LETTER_HEADERS_MAX] = {false};
	char *rest;

	for (char *name = strtok_r(names, ":", &rest); name != NULL;
		name = strtok_r(NULL, ":", &rest))
		for (size_t i = letter.header_count; i > 0; i--) {
			const struct mg_header *header = &letter.headers[i - 1];

			if (used[i - 1] || header->name_length != strlen(name) ||
				strncasecmp(header->name, name, header->name_length) != 0)
				continue;
			add_field(header, header->value_length, out);
			used[i - 1] = true;
			break;
		}
}

static char *tag_text(const struct mg_dkim_tags *tags, const char *name)
{
	struct mg_buf text = {.limit = 0};

	mg_dkim_tag_compact(mg_dkim_tag_find(tags, name), &text);
	assert_non_null(text.data);
	return text.data;
}

/* Both messages of the suite end in their signature: b= is the last tag. */
static void check_signature(const struct mg_header *header)
{
	struct mg_dkim_tags tags;
	struct mg_buf text = {.limit = 0};
	unsigned char digest[MG_SHA256_SIZE], signature[MG_DKIM_SIGNATURE_MAX];
	char ours[MG_BASE64_LENGTH(MG_DKIM_SIGNATURE_MAX) + 1];
	char *names, *expected, *algorithm;
	size_t length;

	assert_true(mg_dkim_tags_read(header->value, header->value_length, &tags));
	names = tag_text(&tags, "h");
	expected = tag_text(&tags, "b");
	algorithm = tag_text(&tags, "a");
	add_signed_fields(names, &text);
	add_field(header, (size_t)(mg_dkim_tag_find(&tags, "b")->value - header->value), &text);
	assert_true(mg_sha256_of(text.data, text.length - 2, digest));
	for (int i = 0; i < MG_DKIM_ALGORITHM_COUNT; i++) {
		if (strcmp(algorithm, mg_dkim_algorithm_name((enum mg_dkim_algorithm)i)) != 0)
			continue;
		length = mg_dkim_key_sign(keys[i], digest, signature);
		assert_true(length > 0);
		mg_base64_encode(ours, signature, length);
		assert_string_equal(ours, expected);
	}
	free(names);
	free(expected);
	free(algorithm);
	mg_buf_free(&text);
}

static void our_signatures_are_those_of_the_rfc(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < letter.header_count; i++)
		if (strncmp(letter.headers[i].name, "DKIM-Signature:", 15) == 0) {
			check_signature(&letter.headers[i]);
			count++;
		}
	assert_int_equal(count, 2);
}

static void its_records_are_of_its_keys(void **state)
{
	json_t *dns = json_object_get(vector, "dns"), *value;
	const char *name;
	int same = 0;

	(void)state;
	json_object_foreach(dns, name, value)
	{
		const char *text = json_string_value(json_object_get(value, "TXT"));
		char why[128];

		for (int i = 0; i < MG_DKIM_ALGORITHM_COUNT; i++)
			same += mg_dkim_record_compare(keys[i], text, strlen(text), why) ==
				MG_DKIM_RECORD_SAME;
	}
	assert_int_equal(same, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_signatures_are_those_of_the_rfc),
		cmocka_unit_test(its_records_are_of_its_keys),
	};

	suite_needed();
	return cmocka_run_group_tests_name("dkim/rfc8463", tests, set_up, tear_down);
}
