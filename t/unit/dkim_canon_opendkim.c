/* SPDX-License-Identifier: ISC */
/* Body hashes beside libopendkim's: it is shown a signature that holds ours, over random bodies in
 * chunks of other cuts, and says whether the body is the one that was hashed. */
#include <opendkim/dkim.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/dkim_canon.h"
#include "auth/dkim_key.h"
#include "auth/dkim_names.h"
#include "auth/dkim_sign.h"
#include "base/buf.h"
#include "base/digest.h"
#include "dkim_canon_bodies.h"

enum { BODIES = 600, BODY_MAX = 20000 };

static DKIM_LIB *library;
static struct mg_dkim_key *key;
static struct mg_dkim_names *names;
static struct mg_buf record;

static const char from[] = "From: a@example.com";

static DKIM_CBSTAT look_up(DKIM *dkim, DKIM_SIGINFO *signature, unsigned char *text, size_t size)
{
	(void)dkim;
	(void)signature;
	snprintf((char *)text, size, "%s", mg_buf_text(&record));
	return DKIM_CBSTAT_CONTINUE;
}

static int set_up(void **state)
{
	(void)state;
	key = mg_dkim_key_make(MG_DKIM_ED25519_SHA256, 0, NULL);
	names = mg_dkim_names_new(NULL, 0, NULL, 0, NULL);
	library = dkim_init(NULL, NULL);
	if (key == NULL || names == NULL || library == NULL)
		return -1;
	mg_dkim_record_text(key, &record);
	dkim_set_key_lookup(library, look_up);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dkim_close(library);
	mg_dkim_names_free(names);
	mg_dkim_key_release(key);
	mg_buf_free(&record);
	return 0;
}

static void hash_body(enum mg_dkim_form form, const char *body, size_t length,
	unsigned char digest[MG_SHA256_SIZE])
{
	struct mg_dkim_body under_way;

	assert_true(mg_dkim_body_begin(&under_way, form, 0));
	for (size_t done = 0, piece; done < length; done += piece) {
		piece = 1 + dkim_canon_random_below(length - done);
		mg_dkim_body_add(&under_way, (const unsigned char *)body + done, piece);
	}
	assert_true(mg_dkim_body_end(&under_way, digest));
}

static void add_signature(
	enum mg_dkim_form form, const unsigned char digest[MG_SHA256_SIZE], struct mg_buf *field)
{
	const struct mg_header header = {
		.name = from, .name_length = 4, .value = from + 5, .value_length = sizeof from - 6};
	struct mg_dkim_signing signing = {.headers = &header,
		.header_count = 1,
		.names = names,
		.body_form = form,
		.body_hash = digest,
		.domain = "example.com",
		.selector = "a",
		.identity = "",
		.key = key,
		.time = 1700000000};

	mg_buf_add_text(field, "DKIM-Signature:");
	assert_int_equal(mg_dkim_sign(&signing, field, NULL), 0);
}

static void add_header(DKIM *dkim, const char *field)
{
	assert_int_equal(dkim_header(dkim, (unsigned char *)field, strlen(field)), DKIM_STAT_OK);
}

/* DKIM_SIGBH_MATCH or DKIM_SIGBH_MISMATCH, of a signature that is good. */
static int judge(enum mg_dkim_form form, const char *body, size_t length,
	const unsigned char digest[MG_SHA256_SIZE])
{
	struct mg_buf signature = {.limit = 0};
	DKIM_STAT status;
	DKIM *dkim = dkim_verify(library, (const unsigned char *)"test", NULL, &status);
	DKIM_SIGINFO **signatures;
	int count, result;

	assert_non_null(dkim);
	add_signature(form, digest, &signature);
	add_header(dkim, mg_buf_text(&signature));
	mg_buf_free(&signature);
	add_header(dkim, from);
	assert_int_equal(dkim_eoh(dkim), DKIM_STAT_OK);
	for (size_t done = 0, piece; done < length; done += piece) {
		piece = 1 + dkim_canon_random_below(length - done);
		assert_int_equal(
			dkim_body(dkim, (unsigned char *)body + done, piece), DKIM_STAT_OK);
	}
	dkim_eom(dkim, NULL);
	assert_int_equal(dkim_getsiglist(dkim, &signatures, &count), DKIM_STAT_OK);
	assert_int_equal(count, 1);
	result = dkim_sig_getbh(signatures[0]);
	dkim_free(dkim);
	return result;
}

/* A body as SMTP has it: no CR or LF alone, which libopendkim takes otherwise than dkimpy and we do. */
static size_t make_body(char *body)
{
	size_t length = dkim_canon_random_body(body, BODY_MAX - 2);

	memcpy(body + length, "\r\n", 2);
	length += 2;
	for (size_t i = 0; i < length; i++)
		if (body[i] == '\r' && body[i + 1] == '\n')
			i++;
		else if (body[i] == '\r' || body[i] == '\n')
			body[i] = '\0';
	return length;
}

static void body_hashes_are_libopendkims(void **state)
{
	static char body[BODY_MAX];

	(void)state;
	for (size_t i = 0; i < BODIES; i++) {
		enum mg_dkim_form form = i % 2 == 0 ? MG_DKIM_SIMPLE : MG_DKIM_RELAXED;
		size_t length = make_body(body);
		unsigned char digest[MG_SHA256_SIZE];

		hash_body(form, body, length, digest);
		if (judge(form, body, length, digest) != DKIM_SIGBH_MATCH)
			fail_msg("body %zu, %zu bytes: another hash", i, length);
	}
}

static void another_body_is_told(void **state)
{
	unsigned char digest[MG_SHA256_SIZE];

	(void)state;
	hash_body(MG_DKIM_RELAXED, "a b\r\n", 5, digest);
	assert_int_equal(judge(MG_DKIM_RELAXED, "a  b \r\n\r\n", 9, digest), DKIM_SIGBH_MATCH);
	assert_int_equal(judge(MG_DKIM_RELAXED, "a c\r\n", 5, digest), DKIM_SIGBH_MISMATCH);
	assert_int_equal(judge(MG_DKIM_SIMPLE, "a  b\r\n", 6, digest), DKIM_SIGBH_MISMATCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(body_hashes_are_libopendkims),
		cmocka_unit_test(another_body_is_told),
	};

	return cmocka_run_group_tests_name("dkim_canon and libopendkim", tests, set_up, tear_down);
}
