/* SPDX-License-Identifier: ISC */
/* Verification of DKIM signatures: what passes, what does not, and in which words. The messages are
 * signed by our own signer; others' are in the conformance suites. */
#include <pthread.h>
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
#include "auth/dkim_sign.h"
#include "auth/dkim_verify.h"
#include "base/clock.h"
#include "base/dns_case.h"
#include "mail/letter.h"

enum { NOW = 1764000000, TEXT_MAX = 16384 };

static const char content[] = "From: Ann <ann@example.org>\nTo: bob@example.net\nSubject: one\n"
			      " two\nDate: Tue, 24 Nov 2026 11:49:20 +0000\n\nHello  Bob,\n\nbye\n";

static struct mg_dkim_key *keys[MG_DKIM_ALGORITHM_COUNT];

static int make_keys(void **state)
{
	(void)state;
	for (int i = 0; i < MG_DKIM_ALGORITHM_COUNT; i++) {
		keys[i] = mg_dkim_key_make((enum mg_dkim_algorithm)i, 2048, NULL);
		assert_non_null(keys[i]);
	}
	return 0;
}

static int release_keys(void **state)
{
	(void)state;
	for (int i = 0; i < MG_DKIM_ALGORITHM_COUNT; i++)
		mg_dkim_key_release(keys[i]);
	return 0;
}

/* Signs the message by example.org, selector "s1", and writes it with the field on top. */
static void sign(char *out, const char *message, enum mg_dkim_algorithm algorithm,
	enum mg_dkim_form header, enum mg_dkim_form body, int64_t time, int64_t expires)
{
	struct mg_dkim_names *names = mg_dkim_names_new(NULL, 0, NULL, 0, NULL);
	struct mg_dkim_body hashing = {.hash = NULL};
	unsigned char hash[MG_SHA256_SIZE];
	struct mg_buf value = {.limit = 0};
	struct mg_letter letter;
	struct mg_error error;

	assert_true(mg_letter_read(&letter, message, strlen(message), &error));
	assert_true(mg_dkim_body_begin(&hashing, body, 0));
	mg_dkim_body_add(&hashing, (const unsigned char *)letter.body, letter.body_length);
	assert_true(mg_dkim_body_end(&hashing, hash));
	assert_int_equal(mg_dkim_sign(&(struct mg_dkim_signing){.headers = letter.headers,
					      .header_count = letter.count,
					      .names = names,
					      .header_form = header,
					      .body_form = body,
					      .body_hash = hash,
					      .domain = "example.org",
					      .selector = "s1",
					      .identity = "",
					      .key = keys[algorithm],
					      .time = time,
					      .expires = expires},
				 &value, &error),
		0);
	snprintf(out, TEXT_MAX, "DKIM-Signature:%s\r\n%s", mg_buf_text(&value), message);
	mg_buf_free(&value);
	mg_letter_free(&letter);
	mg_dkim_names_free(names);
}

static void sign_plainly(char *out)
{
	sign(out, content, MG_DKIM_RSA_SHA256, MG_DKIM_RELAXED, MG_DKIM_RELAXED, NOW, 0);
}

/* Puts `with` in the place of `what`, which is there. */
static void replace(char *text, const char *what, const char *with)
{
	char *at = strstr(text, what), rest[TEXT_MAX];

	assert_non_null(at);
	snprintf(rest, sizeof(rest), "%s", at + strlen(what));
	snprintf(at, TEXT_MAX - (size_t)(at - text), "%s%s", with, rest);
}

/* The DNS of the tests: s1._domainkey.example.org has this; NULL: what `failure` says. */
static struct mg_dns *dns_with(const char *failure, const char *one, const char *other)
{
	const char *values[2] = {one, other};
	struct mg_dns_row row = {.question = "s1._domainkey.example.org TXT",
		.failure = failure,
		.values = values,
		.count = (size_t)(one != NULL) + (other != NULL)};
	struct mg_errors errors = {0};
	struct mg_dns *dns = mg_dns_case_new(&row, 1, &errors);

	assert_non_null(dns);
	return dns;
}

static struct mg_dns *dns_of(enum mg_dkim_algorithm algorithm)
{
	struct mg_buf record = {.limit = 0};
	struct mg_dns *dns;

	mg_dkim_record_text(keys[algorithm], &record);
	dns = dns_with(NULL, mg_buf_text(&record), NULL);
	mg_buf_free(&record);
	return dns;
}

static struct mg_dkim_verify_options usual(struct mg_dns *dns)
{
	return (struct mg_dkim_verify_options){.signatures = 8,
		.minimum_bits = 1024,
		.now = NOW * MG_SECOND,
		.deadline = mg_clock_system.monotonic(&mg_clock_system) + 60 * MG_SECOND,
		.dns = dns};
}

/* Verifies a message; the first of its results, which it has, and how many there are. */
static struct mg_dkim_verified verify(
	const char *text, const struct mg_dkim_verify_options *options, size_t *count)
{
	const struct mg_dkim_verified *list;
	struct mg_dkim_verified first = {.result = MG_DKIM_NONE};
	struct mg_dkim_verify *verifying;
	struct mg_letter letter;
	struct mg_error error;
	size_t results;

	assert_true(mg_letter_read(&letter, text, strlen(text), &error));
	verifying = mg_dkim_verify_new(options, letter.headers, letter.count, &error);
	assert_non_null(verifying);
	for (size_t i = 0; i < letter.body_length; i++)
		mg_dkim_verify_body(verifying, (const unsigned char *)letter.body + i, 1);
	list = mg_dkim_verify_end(verifying, &results);
	if (results > 0)
		first = list[0];
	if (count != NULL)
		*count = results;
	mg_dkim_verify_free(verifying);
	mg_letter_free(&letter);
	return first;
}

/* Verifies by the key in DNS; the result with its reason: "fail: …". */
static void expect(const char *text, enum mg_dkim_algorithm algorithm, const char *expected)
{
	struct mg_dns *dns = dns_of(algorithm);
	struct mg_dkim_verify_options options = usual(dns);
	struct mg_dkim_verified found = verify(text, &options, NULL);
	char told[256];

	snprintf(told, sizeof(told), "%s%s%s", mg_dkim_result_name(found.result),
		found.reason[0] != '\0' ? ": " : "", found.reason);
	assert_string_equal(told, expected);
	mg_dns_close(dns);
}

static void both_algorithms_and_all_forms_pass(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	for (int i = 0; i < 8; i++) {
		enum mg_dkim_algorithm algorithm = (enum mg_dkim_algorithm)(i & 1);

		sign(text, content, algorithm, (enum mg_dkim_form)(i >> 1 & 1),
			(enum mg_dkim_form)(i >> 2), NOW, 0);
		expect(text, algorithm, "pass");
	}
}

static void a_result_names_domain_selector_algorithm_and_forms(void **state)
{
	struct mg_dns *dns = dns_of(MG_DKIM_RSA_SHA256);
	struct mg_dkim_verify_options options = usual(dns);
	struct mg_dkim_verified found;
	char text[TEXT_MAX];

	(void)state;
	sign(text, content, MG_DKIM_RSA_SHA256, MG_DKIM_RELAXED, MG_DKIM_SIMPLE, NOW, 0);
	found = verify(text, &options, NULL);
	assert_string_equal(found.domain, "example.org");
	assert_string_equal(found.selector, "s1");
	assert_string_equal(found.algorithm, "rsa-sha256");
	assert_string_equal(found.forms, "relaxed/simple");
	assert_int_equal(found.key_bits, 2048);
	assert_false(found.partial || found.body_changed);
	mg_dns_close(dns);
}

static void a_changed_body_is_told_apart_from_a_changed_header(void **state)
{
	struct mg_dns *dns = dns_of(MG_DKIM_RSA_SHA256);
	struct mg_dkim_verify_options options = usual(dns);
	char text[TEXT_MAX];

	(void)state;
	sign_plainly(text);
	replace(text, "bye", "bye\n-- \na list");
	expect(text, MG_DKIM_RSA_SHA256, "fail: body changed after signing, headers did not");
	assert_true(verify(text, &options, NULL).body_changed);
	sign_plainly(text);
	replace(text, "Subject: one", "Subject: two");
	expect(text, MG_DKIM_RSA_SHA256,
		"fail: a signed header field changed after signing, or another key signed");
	assert_false(verify(text, &options, NULL).body_changed);
	mg_dns_close(dns);
}

/* Signed by python3-dkim with l=, by a key of 1,024 bits: our own signer does not. */
static const char short_record[] =
	"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC35DipZCFyd8dz"
	"x4wgXPcHe63DcUVokV5+N2dAJB5TolUgrtr7/BYEuYXYeCXerD6IRyrH0Vmtnrdjee+Jj1"
	"0eg9fS566/Cb3phRSJ0bu6eHRBBfQSyOCsk6DX9Rs/Y4JDds+/UpzGn6l7OMipnbCr5OfC"
	"7sXh/BhT86NiJ4uyiQIDAQAB";
static const char with_length[] =
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.org;\n"
	" i=@example.org; l=7; q=dns/txt; s=s1; t=1795580115; h=from : to :\n"
	" subject; bh=Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQg=;\n"
	" b=jTAqBiO/QqkgHUlP9GCUbAA497pHWThglIgonLxxt8i/tzVJ6/oHrTZ1TImR2Bg3fzg"
	"+g\n"
	" Vhyexc522iz7DKKKIv68OgPAiQg52gL6wTlcK1NkLgtM81A5JRuCShv1Mqzy9T8/dlqMz"
	"aE\n"
	" EQyLhHywDIwa4MxpIoKdAb7FXRIFbsA=\n"
	"From: Ann <ann@example.org>\n"
	"To: bob@example.net\n"
	"Subject: one\n"
	" two\n"
	"\n"
	"Hello\n"
	"\n";

static void a_length_that_leaves_text_unsigned_is_partial(void **state)
{
	struct mg_dns *dns = dns_with(NULL, short_record, NULL);
	struct mg_dkim_verify_options options = usual(dns);
	struct mg_dkim_verified found;
	char text[TEXT_MAX];

	(void)state;
	options.now = 1800000000 * MG_SECOND;
	found = verify(with_length, &options, NULL);
	assert_int_equal(found.result, MG_DKIM_PASS);
	assert_false(found.partial);
	snprintf(text, sizeof(text), "%smore\n", with_length);
	found = verify(text, &options, NULL);
	assert_int_equal(found.result, MG_DKIM_PASS);
	assert_true(found.partial);
	mg_dns_close(dns);
}

static void a_body_shorter_than_the_length_fails(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	sign_plainly(text);
	replace(text, "a=rsa-sha256;", "a=rsa-sha256; l=300;");
	expect(text, MG_DKIM_RSA_SHA256, "fail: the body is shorter than l= says");
}

static void what_the_rules_forbid_is_refused_in_words(void **state)
{
	static const struct {
		const char *what, *with, *expected;
	} rows[] = {
		{"a=rsa-sha256", "a=rsa-sha1",
			"permerror: rsa-sha1 is not good enough any more (RFC 8301)"},
		{"a=rsa-sha256", "a=dsa-sha256", "permerror: unknown algorithm"},
		{"v=1", "v=2", "permerror: v= is not 1"},
		{"d=example.org", "d=exam ple..org", "permerror: d= is no domain"},
		{"c=relaxed/relaxed", "c=relaxed/nofws", "permerror: c= names no canonical form"},
		{"v=1;", "v=1; q=http/x;", "permerror: q= names no way to the key that is known"},
		{"v=1;", "v=1; i=@example.com;", "permerror: i= is of another domain than d="},
		{"v=1;", "v=1; l=-1;", "permerror: l= is no length"},
		{"v=1;", "v=1; x=soon;", "permerror: x= is no time"},
		{"v=1;", "v=1; v=1;", "permerror: not a list of tags"},
	};
	char text[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sign_plainly(text);
		replace(text, rows[i].what, rows[i].with);
		expect(text, MG_DKIM_RSA_SHA256, rows[i].expected);
	}
}

static void a_signature_without_from_is_refused(void **state)
{
	(void)state;
	expect("DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s1; h=To:Subject;\n"
	       " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\nFrom: a@b\n\n",
		MG_DKIM_RSA_SHA256, "permerror: h= has no From");
}

static void times_are_those_of_the_message_and_clocks_may_differ_by_five_minutes(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	sign(text, content, MG_DKIM_RSA_SHA256, MG_DKIM_RELAXED, MG_DKIM_RELAXED, NOW + 300, 0);
	expect(text, MG_DKIM_RSA_SHA256, "pass");
	sign(text, content, MG_DKIM_RSA_SHA256, MG_DKIM_RELAXED, MG_DKIM_RELAXED, NOW + 301, 0);
	expect(text, MG_DKIM_RSA_SHA256, "permerror: signed in the future (t=)");
	sign(text, content, MG_DKIM_RSA_SHA256, MG_DKIM_RELAXED, MG_DKIM_RELAXED, NOW - 9, NOW);
	expect(text, MG_DKIM_RSA_SHA256, "pass");
	sign(text, content, MG_DKIM_RSA_SHA256, MG_DKIM_RELAXED, MG_DKIM_RELAXED, NOW - 9, NOW - 1);
	expect(text, MG_DKIM_RSA_SHA256, "permerror: expired (x=)");
}

static void a_short_key_does_not_verify(void **state)
{
	struct mg_dns *dns = dns_of(MG_DKIM_RSA_SHA256);
	struct mg_dkim_verify_options options = usual(dns);
	struct mg_dkim_verified found;
	char text[TEXT_MAX];

	(void)state;
	options.minimum_bits = 3072;
	sign_plainly(text);
	found = verify(text, &options, NULL);
	assert_int_equal(found.result, MG_DKIM_PERMERROR);
	assert_string_equal(found.reason, "the key has 2048 bits, fewer than 3072");
	mg_dns_close(dns);
}

static void no_answer_is_temporary_and_no_record_is_not(void **state)
{
	static const struct {
		const char *failure;
		enum mg_dkim_result result;
	} rows[] = {{"SERVFAIL", MG_DKIM_TEMPERROR}, {"TIMEOUT", MG_DKIM_TEMPERROR},
		{"NXDOMAIN", MG_DKIM_PERMERROR}, {NULL, MG_DKIM_PERMERROR}};
	char text[TEXT_MAX];

	(void)state;
	sign_plainly(text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mg_dns *dns = dns_with(rows[i].failure, NULL, NULL);
		struct mg_dkim_verify_options options = usual(dns);
		struct mg_dkim_verified found = verify(text, &options, NULL);

		assert_int_equal(found.result, rows[i].result);
		assert_non_null(strstr(found.reason, "s1._domainkey.example.org"));
		mg_dns_close(dns);
	}
}

static void the_record_that_fits_is_taken_of_several(void **state)
{
	struct mg_buf record = {.limit = 0};
	struct mg_dkim_verify_options options;
	struct mg_dns *dns;
	char text[TEXT_MAX];

	(void)state;
	sign_plainly(text);
	mg_dkim_record_text(keys[MG_DKIM_RSA_SHA256], &record);
	dns = dns_with(NULL, "v=spf1 -all", mg_buf_text(&record));
	options = usual(dns);
	assert_int_equal(verify(text, &options, NULL).result, MG_DKIM_PASS);
	mg_dns_close(dns);
	mg_buf_free(&record);
}

static bool own_key(void *context, const char *domain, const char *selector, struct mg_buf *record)
{
	(void)context;
	if (strcmp(domain, "example.org") != 0 || strcmp(selector, "s1") != 0)
		return false;
	mg_dkim_record_text(keys[MG_DKIM_RSA_SHA256], record);
	return true;
}

static void a_key_of_the_caller_is_asked_for_before_dns(void **state)
{
	struct mg_dns *dns = dns_with("SERVFAIL", NULL, NULL);
	struct mg_dkim_verify_options options = usual(dns);
	char text[TEXT_MAX];

	(void)state;
	sign_plainly(text);
	options.lookup = own_key;
	assert_int_equal(verify(text, &options, NULL).result, MG_DKIM_PASS);
	replace(text, "s=s1", "s=s2");
	assert_int_equal(verify(text, &options, NULL).result, MG_DKIM_PERMERROR);
	mg_dns_close(dns);
}

static void no_more_signatures_than_asked_for_are_looked_at(void **state)
{
	struct mg_dns *dns = dns_of(MG_DKIM_RSA_SHA256);
	struct mg_dkim_verify_options options = usual(dns);
	char text[TEXT_MAX], more[2 * TEXT_MAX];
	size_t count;

	(void)state;
	sign_plainly(text);
	snprintf(more, sizeof(more), "DKIM-Signature: no tags\nDKIM-Signature: v=1\n%s", text);
	assert_int_equal(verify(more, &options, &count).result, MG_DKIM_PERMERROR);
	assert_int_equal(count, 3);
	options.signatures = 2;
	verify(more, &options, &count);
	assert_int_equal(count, 2);
	options.signatures = 0;
	verify(more, &options, &count);
	assert_int_equal(count, 0);
	mg_dns_close(dns);
}

static void a_broken_signature_does_not_touch_the_others(void **state)
{
	struct mg_dns *dns = dns_of(MG_DKIM_RSA_SHA256);
	struct mg_dkim_verify_options options = usual(dns);
	char text[TEXT_MAX], more[TEXT_MAX + 512];

	(void)state;
	sign_plainly(text);
	snprintf(more, sizeof(more), "%.*sDKIM-Signature: v=1; a=rsa-sha256; d=\xff; b=\n%s",
		(int)(strstr(text, "\nFrom:") + 1 - text), text, strstr(text, "\nFrom:") + 1);
	assert_int_equal(verify(more, &options, NULL).result, MG_DKIM_PASS);
	mg_dns_close(dns);
}

static void an_author_that_cannot_be_read_is_no_reason_to_fail(void **state)
{
	static const char message[] = "From: (no address\nSubject: x\n\nbody\n";
	char text[TEXT_MAX];

	(void)state;
	sign(text, message, MG_DKIM_ED25519_SHA256, MG_DKIM_SIMPLE, MG_DKIM_SIMPLE, NOW, 0);
	expect(text, MG_DKIM_ED25519_SHA256, "pass");
}

static void *verify_often(void *text)
{
	struct mg_dns *dns = dns_of(MG_DKIM_RSA_SHA256);
	struct mg_dkim_verify_options options = usual(dns);

	for (int i = 0; i < 20; i++)
		if (verify(text, &options, NULL).result != MG_DKIM_PASS)
			text = NULL;
	mg_dns_close(dns);
	return text;
}

static void threads_verify_at_the_same_time(void **state)
{
	pthread_t threads[4];
	char text[TEXT_MAX];
	void *good;

	(void)state;
	sign_plainly(text);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, verify_often, text), 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], &good);
		assert_ptr_equal(good, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_verify_at_the_same_time),
		cmocka_unit_test(both_algorithms_and_all_forms_pass),
		cmocka_unit_test(a_result_names_domain_selector_algorithm_and_forms),
		cmocka_unit_test(a_changed_body_is_told_apart_from_a_changed_header),
		cmocka_unit_test(a_length_that_leaves_text_unsigned_is_partial),
		cmocka_unit_test(a_body_shorter_than_the_length_fails),
		cmocka_unit_test(what_the_rules_forbid_is_refused_in_words),
		cmocka_unit_test(a_signature_without_from_is_refused),
		cmocka_unit_test(
			times_are_those_of_the_message_and_clocks_may_differ_by_five_minutes),
		cmocka_unit_test(a_short_key_does_not_verify),
		cmocka_unit_test(no_answer_is_temporary_and_no_record_is_not),
		cmocka_unit_test(the_record_that_fits_is_taken_of_several),
		cmocka_unit_test(a_key_of_the_caller_is_asked_for_before_dns),
		cmocka_unit_test(no_more_signatures_than_asked_for_are_looked_at),
		cmocka_unit_test(a_broken_signature_does_not_touch_the_others),
		cmocka_unit_test(an_author_that_cannot_be_read_is_no_reason_to_fail),
	};

	return cmocka_run_group_tests(tests, make_keys, release_keys);
}
