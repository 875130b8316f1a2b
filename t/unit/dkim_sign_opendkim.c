/* SPDX-License-Identifier: ISC */
/* What dkim_sign makes, judged by libopendkim: every letter, both forms of header and body, both
 * algorithms. */
#include "auth/dkim_sign.h"

#include <opendkim/dkim.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dkim_letters.h"

enum { RANDOM_LETTERS = 2000 };

static struct letter *letters[LETTERS_MAX];
static size_t letter_count;
static struct mg_dkim_key *keys[MG_DKIM_ALGORITHM_COUNT];
static struct mg_dkim_names *names;
static DKIM_LIB *library;
static struct mg_buf record; /* of the key whose signature is being judged */

static DKIM_CBSTAT look_up(DKIM *dkim, DKIM_SIGINFO *signature, unsigned char *text, size_t size)
{
	(void)dkim;
	if (strcmp((char *)dkim_sig_getdomain(signature), LETTER_DOMAIN) != 0 ||
		strcmp((char *)dkim_sig_getselector(signature), LETTER_SELECTOR) != 0)
		return DKIM_CBSTAT_NOTFOUND;
	snprintf((char *)text, size, "%s", mg_buf_text(&record));
	return DKIM_CBSTAT_CONTINUE;
}

static int set_up(void **state)
{
	(void)state;
	letter_count = letters_make(letters);
	keys[0] = mg_dkim_key_make(MG_DKIM_RSA_SHA256, 2048, NULL);
	keys[1] = mg_dkim_key_make(MG_DKIM_ED25519_SHA256, 0, NULL);
	names = mg_dkim_names_new(NULL, 0, (const char *const[]){"Subject", "To", "Date"}, 3, NULL);
	library = dkim_init(NULL, NULL);
	if (keys[0] == NULL || keys[1] == NULL || names == NULL || library == NULL)
		return -1;
	dkim_set_key_lookup(library, look_up);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	letters_free(letters, letter_count);
	mg_dkim_key_release(keys[0]);
	mg_dkim_key_release(keys[1]);
	mg_dkim_names_free(names);
	dkim_close(library);
	mg_buf_free(&record);
	return 0;
}

/* What libopendkim says of the signature alone, over the letter. */
static DKIM_STAT judge(const struct letter *letter, const struct mg_buf *signature)
{
	DKIM_STAT status;
	DKIM *dkim = dkim_verify(library, (const unsigned char *)"test", NULL, &status);
	DKIM_SIGINFO **signatures;
	int count;

	assert_non_null(dkim);
	status = dkim_header(dkim, (unsigned char *)signature->data, signature->length);
	for (size_t i = 0; i < letter->header_count && status == DKIM_STAT_OK; i++) {
		const struct mg_header *header = &letter->headers[i];
		size_t length = header->name_length + 1 + header->value_length;

		if (strncasecmp(header->name, "DKIM-Signature", header->name_length) == 0)
			continue;
		status = dkim_header(dkim, (unsigned char *)header->name, length);
	}
	if (status == DKIM_STAT_OK)
		status = dkim_eoh(dkim);
	if (status == DKIM_STAT_OK && letter->body_length > 0)
		status = dkim_body(dkim, (unsigned char *)letter->body, letter->body_length);
	/* SMTP ends the last line; libopendkim calls a body without that a syntax error. */
	if (status == DKIM_STAT_OK && letter->body_length > 0 &&
		letter->body[letter->body_length - 1] != '\n')
		status = dkim_body(dkim, (unsigned char *)"\r\n", 2);
	if (status == DKIM_STAT_OK)
		status = dkim_eom(dkim, NULL);
	if (status == DKIM_STAT_OK) {
		assert_int_equal(dkim_getsiglist(dkim, &signatures, &count), DKIM_STAT_OK);
		assert_int_equal(count, 1);
		assert_true(dkim_sig_getbh(signatures[0]) == DKIM_SIGBH_MATCH);
		assert_true((dkim_sig_getflags(signatures[0]) & DKIM_SIGFLAG_PASSED) != 0);
	}
	dkim_free(dkim);
	return status;
}

typedef void check_function(
	const struct letter *letter, const struct mg_buf *signature, const char *what);

static void for_each_signature(check_function *check)
{
	static const char *const forms[] = {"simple", "relaxed"};

	for (size_t i = 0; i < letter_count * 4 * MG_DKIM_ALGORITHM_COUNT; i++) {
		const struct letter *letter = letters[i / 8];
		enum mg_dkim_form header_form = i / 4 % 2, body_form = i / 2 % 2;
		const struct mg_dkim_key *key = keys[i % 2];
		struct mg_buf signature = {.limit = 0};
		char what[128];

		mg_buf_reset(&record);
		mg_dkim_record_text(key, &record);
		letter_sign(letter, names, key, header_form, body_form, &signature);
		snprintf(what, sizeof(what), "%s, %s/%s, %s", letter->name, forms[header_form],
			forms[body_form], mg_dkim_algorithm_name(mg_dkim_key_algorithm(key)));
		check(letter, &signature, what);
		mg_buf_free(&signature);
	}
}

static void check_passes(
	const struct letter *letter, const struct mg_buf *signature, const char *what)
{
	DKIM_STAT status = judge(letter, signature);

	if (status != DKIM_STAT_OK)
		fail_msg("%s: %s\n%s", what, dkim_getresultstr(status), signature->data);
}

static void every_letter_verifies_in_every_way(void **state)
{
	(void)state;
	assert_true(letter_count > 20);
	for_each_signature(check_passes);
}

/* The first letter of the From field's value. */
static void check_change_fails(
	const struct letter *letter, const struct mg_buf *signature, const char *what)
{
	for (size_t i = 0; i < letter->header_count; i++) {
		char *value = (char *)letter->headers[i].value;
		size_t blanks = strspn(value, " \t\r\n\"");

		if (strncasecmp(letter->headers[i].name, "From", 4) != 0)
			continue;
		value[blanks] ^= 1;
		if (judge(letter, signature) == DKIM_STAT_OK)
			fail_msg("%s: passes with another From", what);
		value[blanks] ^= 1;
	}
}

static void one_changed_letter_fails(void **state)
{
	(void)state;
	for_each_signature(check_change_fails);
}

static void letters_by_chance_verify(void **state)
{
	(void)state;
	mg_buf_reset(&record);
	mg_dkim_record_text(keys[MG_DKIM_ED25519_SHA256], &record);
	for (uint64_t i = 0; i < RANDOM_LETTERS; i++) {
		struct letter *letter = letter_random(i / 4);
		struct mg_buf signature = {.limit = 0};
		DKIM_STAT status;

		letter_sign(
			letter, names, keys[MG_DKIM_ED25519_SHA256], i / 2 % 2, i % 2, &signature);
		status = judge(letter, &signature);
		if (status != DKIM_STAT_OK)
			fail_msg("letter %u, %s:\n%s\n%s", (unsigned)i, dkim_getresultstr(status),
				signature.data, letter->text.data);
		mg_buf_free(&signature);
		letters_free(&letter, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_letter_verifies_in_every_way),
		cmocka_unit_test(one_changed_letter_fails),
		cmocka_unit_test(letters_by_chance_verify),
	};

	return cmocka_run_group_tests_name("dkim_sign and libopendkim", tests, set_up, tear_down);
}
