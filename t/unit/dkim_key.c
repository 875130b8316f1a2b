/* SPDX-License-Identifier: ISC */
#include "auth/dkim_key.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREADS = 8, SIGNATURES = 25 };

/* Private and public key of RFC 8463 appendix A. */
#define RFC_8463_PUBLIC "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define RFC_8463_PEM \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n" \
	"-----END PRIVATE KEY-----\n"

static const unsigned char digest[MG_SHA256_SIZE] = "a digest of thirty-two octets..";

/* Made once: they are slow to make. */
static struct mg_dkim_key *rsa, *other_rsa, *ed25519;

static int make_keys(void **state)
{
	(void)state;
	rsa = mg_dkim_key_make(MG_DKIM_RSA_SHA256, 2048, NULL);
	other_rsa = mg_dkim_key_make(MG_DKIM_RSA_SHA256, 2048, NULL);
	ed25519 = mg_dkim_key_make(MG_DKIM_ED25519_SHA256, 0, NULL);
	return rsa != NULL && other_rsa != NULL && ed25519 != NULL ? 0 : -1;
}

static int release_keys(void **state)
{
	(void)state;
	mg_dkim_key_release(rsa);
	mg_dkim_key_release(other_rsa);
	mg_dkim_key_release(ed25519);
	return 0;
}

static EVP_PKEY *openssl_key(const struct mg_dkim_key *key)
{
	struct mg_buf pem = {.limit = 0};
	BIO *stream;
	EVP_PKEY *pkey;

	assert_true(mg_dkim_key_write(key, &pem));
	stream = BIO_new_mem_buf(pem.data, (int)pem.length);
	pkey = PEM_read_bio_PrivateKey(stream, NULL, NULL, NULL);
	assert_non_null(pkey);
	BIO_free(stream);
	mg_dkim_key_wipe(&pem);
	assert_null(pem.data);
	return pkey;
}

/* Writes pkey as PEM of some form into text, which is made longer by that. */
static void add_pem(struct mg_buf *text, int (*write)(BIO *stream, EVP_PKEY *pkey), EVP_PKEY *pkey)
{
	BIO *stream = BIO_new(BIO_s_mem());
	char *pem;
	long length;

	assert_int_equal(write(stream, pkey), 1);
	length = BIO_get_mem_data(stream, &pem);
	mg_buf_add(text, pem, (size_t)length);
	BIO_free(stream);
}

static int write_pkcs8(BIO *stream, EVP_PKEY *pkey)
{
	return PEM_write_bio_PKCS8PrivateKey(stream, pkey, NULL, NULL, 0, NULL, NULL);
}

static int write_traditional(BIO *stream, EVP_PKEY *pkey)
{
	return PEM_write_bio_PrivateKey_traditional(stream, pkey, NULL, NULL, 0, NULL, NULL);
}

static int write_encrypted_pkcs8(BIO *stream, EVP_PKEY *pkey)
{
	return PEM_write_bio_PKCS8PrivateKey(
		stream, pkey, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
}

static int write_encrypted_traditional(BIO *stream, EVP_PKEY *pkey)
{
	return PEM_write_bio_PrivateKey_traditional(
		stream, pkey, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL);
}

static int write_public(BIO *stream, EVP_PKEY *pkey)
{
	return PEM_write_bio_PUBKEY(stream, pkey);
}

static void assert_is(const char *pem, size_t length, const struct mg_dkim_key *expected)
{
	struct mg_error error = {""};
	struct mg_dkim_key *key = mg_dkim_key_read(pem, length, &error);

	if (key == NULL)
		fail_msg("%s", error.text);
	assert_string_equal(mg_dkim_key_public(key), mg_dkim_key_public(expected));
	assert_int_equal(mg_dkim_key_algorithm(key), mg_dkim_key_algorithm(expected));
	assert_int_equal(mg_dkim_key_bits(key), mg_dkim_key_bits(expected));
	mg_dkim_key_release(key);
}

static void assert_refused(const char *pem, size_t length, const char *why)
{
	struct mg_error error = {""};

	assert_null(mg_dkim_key_read(pem, length, &error));
	assert_string_equal(error.text, why);
	assert_null(mg_dkim_key_read(pem, length, NULL));
}

static void assert_form_refused(
	int (*write)(BIO *stream, EVP_PKEY *pkey), EVP_PKEY *pkey, const char *why)
{
	struct mg_buf text = {.limit = 0};

	add_pem(&text, write, pkey);
	assert_refused(text.data, text.length, why);
	mg_dkim_key_wipe(&text);
}

static void algorithms_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(mg_dkim_algorithm_name(MG_DKIM_RSA_SHA256), "rsa-sha256");
	assert_string_equal(mg_dkim_algorithm_name(MG_DKIM_ED25519_SHA256), "ed25519-sha256");
	assert_string_equal(mg_dkim_key_type_name(MG_DKIM_RSA_SHA256), "rsa");
	assert_string_equal(mg_dkim_key_type_name(MG_DKIM_ED25519_SHA256), "ed25519");
}

static void a_key_is_read_as_it_was_written(void **state)
{
	struct mg_dkim_key *keys[] = {rsa, ed25519};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct mg_buf pem = {.limit = 0};

		assert_true(mg_dkim_key_write(keys[i], &pem));
		assert_memory_equal(pem.data, "-----BEGIN PRIVATE KEY-----", 27);
		assert_is(pem.data, pem.length, keys[i]);
		mg_dkim_key_wipe(&pem);
	}
}

static void the_older_form_of_rsa_is_read(void **state)
{
	EVP_PKEY *pkey = openssl_key(rsa);
	struct mg_buf pem = {.limit = 0};

	(void)state;
	add_pem(&pem, write_traditional, pkey);
	assert_memory_equal(pem.data, "-----BEGIN RSA PRIVATE KEY-----", 31);
	assert_is(pem.data, pem.length, rsa);
	mg_dkim_key_wipe(&pem);
	EVP_PKEY_free(pkey);
}

static void the_first_private_key_of_a_file_counts_whatever_stands_around_it(void **state)
{
	EVP_PKEY *first = openssl_key(rsa), *second = openssl_key(other_rsa);
	struct mg_buf pem = {.limit = 0};

	(void)state;
	mg_buf_add_text(&pem, "Bag Attributes\r\n    friendlyName: dkim\n");
	add_pem(&pem, write_public, second);
	mg_buf_add_text(&pem, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n\n");
	add_pem(&pem, write_pkcs8, first);
	add_pem(&pem, write_traditional, second);
	mg_buf_add_text(&pem, "end\n-----BEGIN");
	assert_is(pem.data, pem.length, rsa);
	mg_dkim_key_wipe(&pem);
	EVP_PKEY_free(first);
	EVP_PKEY_free(second);
}

static void an_encrypted_key_is_refused_without_a_question(void **state)
{
	static const char why[] = "encrypted; expected a key without passphrase";
	EVP_PKEY *pkey = openssl_key(rsa);

	(void)state;
	assert_form_refused(write_encrypted_pkcs8, pkey, why);
	assert_form_refused(write_encrypted_traditional, pkey, why);
	EVP_PKEY_free(pkey);
}

static void a_public_key_is_refused(void **state)
{
	EVP_PKEY *pkey = openssl_key(ed25519);

	(void)state;
	assert_form_refused(write_public, pkey, "public key; expected the private one");
	EVP_PKEY_free(pkey);
}

static void other_kinds_of_keys_are_named(void **state)
{
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	EVP_PKEY *ed448 = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	EVP_PKEY *x25519 = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");

	(void)state;
	assert_form_refused(write_pkcs8, ec, "EC key; expected RSA or Ed25519");
	assert_form_refused(write_traditional, ec, "EC key; expected RSA or Ed25519");
	assert_form_refused(write_pkcs8, ed448, "ED448 key; expected RSA or Ed25519");
	assert_form_refused(write_pkcs8, x25519, "X25519 key; expected RSA or Ed25519");
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ed448);
	EVP_PKEY_free(x25519);
}

static void what_is_no_pem_of_a_key_is_refused_in_words(void **state)
{
	static const char damaged[] =
		"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
	static const char torn[] = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1h\n";
	static const char other[] = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
				    "-----END OPENSSH PRIVATE KEY-----\n";
	char *much = calloc(1, MG_DKIM_PEM_MAX + 1);

	(void)state;
	assert_refused("", 0, "not PEM; expected a line -----BEGIN PRIVATE KEY-----");
	assert_refused("\x30\x82", 2, "not PEM; expected a line -----BEGIN PRIVATE KEY-----");
	assert_refused(
		torn, strlen(torn), "damaged, or no private key; expected PEM, PKCS#8 or PKCS#1");
	assert_refused(
		damaged, strlen(damaged), "damaged: what stands in \"PRIVATE KEY\" is no key");
	assert_refused(other, strlen(other), "form of OpenSSH; expected PKCS#8 or PKCS#1");
	assert_refused(much, MG_DKIM_PEM_MAX + 1, "over 65536 bytes; expected one key in PEM");
	free(much);
}

/* As PKCS#1, with a byte changed in the middle of its modulus. */
static int write_damaged(BIO *stream, EVP_PKEY *pkey)
{
	enum { MODULUS_MIDDLE = 150 };
	unsigned char *der = NULL;
	int length = i2d_PrivateKey(pkey, &der), result;

	der[MODULUS_MIDDLE] ^= 1;
	result = PEM_write_bio(stream, "RSA PRIVATE KEY", "", der, length) > 0;
	OPENSSL_free(der);
	return result;
}

static void a_key_whose_halves_do_not_fit_is_refused(void **state)
{
	EVP_PKEY *pkey = openssl_key(rsa);

	(void)state;
	assert_form_refused(write_damaged, pkey,
		"damaged: the public half does not verify what the private signs");
	EVP_PKEY_free(pkey);
}

static void add_integer(struct mg_buf *der, const void *bytes, size_t length)
{
	const unsigned char head[] = {2, 0x82, (unsigned char)(length >> 8), (unsigned char)length};

	mg_buf_add(der, head, sizeof(head));
	mg_buf_add(der, bytes, length);
}

/* As PKCS#1: version and modulus are right, the rest is as long as eight of them. */
static int write_overlong(BIO *stream, EVP_PKEY *pkey)
{
	enum { LONG = 2048, MODULUS = 257 };
	unsigned char number[LONG] = {1}, head[4] = {0x30, 0x82, 0, 0};
	struct mg_buf inner = {.limit = 0}, der = {.limit = 0};
	unsigned char bytes[MODULUS];
	BIGNUM *modulus = NULL;
	int result;

	number[LONG - 1] = 3;
	add_integer(&inner, "", 1);
	assert_int_equal(EVP_PKEY_get_bn_param(pkey, "n", &modulus), 1);
	assert_int_equal(BN_bn2binpad(modulus, bytes, MODULUS), MODULUS);
	add_integer(&inner, bytes, MODULUS);
	for (int i = 0; i < 7; i++)
		add_integer(&inner, i == 0 ? "\1\0\1" : (const char *)number, i == 0 ? 3 : LONG);
	head[2] = (unsigned char)(inner.length >> 8);
	head[3] = (unsigned char)inner.length;
	mg_buf_add(&der, head, sizeof(head));
	mg_buf_add(&der, inner.data, inner.length);
	result = PEM_write_bio(stream, "RSA PRIVATE KEY", "", (unsigned char *)der.data,
			 (long)der.length) > 0;
	mg_buf_free(&inner);
	mg_buf_free(&der);
	BN_free(modulus);
	return result;
}

static void a_key_of_overlong_numbers_is_refused_before_it_is_used(void **state)
{
	EVP_PKEY *pkey = openssl_key(rsa);

	(void)state;
	assert_form_refused(
		write_overlong, pkey, "damaged: what stands in \"RSA PRIVATE KEY\" is no key");
	EVP_PKEY_free(pkey);
}

static void rsa_keys_are_of_512_to_8192_bits(void **state)
{
	struct mg_error error = {""};
	struct mg_dkim_key *small = mg_dkim_key_make(MG_DKIM_RSA_SHA256, 512, &error);

	(void)state;
	assert_non_null(small);
	assert_int_equal(mg_dkim_key_bits(small), 512);
	mg_dkim_key_release(small);
	assert_null(mg_dkim_key_make(MG_DKIM_RSA_SHA256, 511, &error));
	assert_string_equal(error.text, "RSA key of 511 bits; expected 512 to 8192");
	assert_null(mg_dkim_key_make(MG_DKIM_RSA_SHA256, 8193, &error));
	assert_string_equal(error.text, "RSA key of 8193 bits; expected 512 to 8192");
}

static void the_public_half_is_what_the_record_says(void **state)
{
	struct mg_dkim_key *key = mg_dkim_key_read(RFC_8463_PEM, strlen(RFC_8463_PEM), NULL);
	struct mg_buf text = {.limit = 0};

	(void)state;
	assert_non_null(key);
	assert_string_equal(mg_dkim_key_public(key), RFC_8463_PUBLIC);
	assert_int_equal(mg_dkim_key_bits(key), 256);
	mg_dkim_record_text(key, &text);
	assert_string_equal(mg_buf_text(&text), "v=DKIM1; k=ed25519; p=" RFC_8463_PUBLIC);
	mg_buf_reset(&text);
	mg_dkim_record_text(rsa, &text);
	assert_memory_equal(text.data, "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", 50);
	mg_buf_free(&text);
	mg_dkim_key_release(key);
}

static bool verifies_rsa(
	const struct mg_dkim_key *key, const unsigned char *signature, size_t length)
{
	EVP_PKEY *pkey = openssl_key(key);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
	bool good;

	assert_int_equal(EVP_PKEY_verify_init(context), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()), 1);
	good = EVP_PKEY_verify(context, signature, length, digest, sizeof(digest)) == 1;
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(pkey);
	return good;
}

static bool verifies_ed25519(
	const struct mg_dkim_key *key, const unsigned char *signature, size_t length)
{
	EVP_PKEY *pkey = openssl_key(key);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good;

	assert_int_equal(EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey), 1);
	good = EVP_DigestVerify(context, signature, length, digest, sizeof(digest)) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
	return good;
}

static void signatures_verify_time_after_time(void **state)
{
	unsigned char signature[MG_DKIM_SIGNATURE_MAX], first[64];

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mg_dkim_key_sign(rsa, digest, signature), 256);
		assert_true(verifies_rsa(rsa, signature, 256));
		assert_false(verifies_rsa(other_rsa, signature, 256));
		assert_int_equal(mg_dkim_key_sign(ed25519, digest, signature), 64);
		assert_true(verifies_ed25519(ed25519, signature, 64));
		if (i > 0)
			assert_memory_equal(signature, first, sizeof(first));
		memcpy(first, signature, sizeof(first));
	}
}

struct work {
	struct mg_dkim_key *key;
	size_t wrong;
};

static void *sign_many(void *argument)
{
	struct work *work = argument;
	unsigned char expected[MG_DKIM_SIGNATURE_MAX], signature[MG_DKIM_SIGNATURE_MAX];
	size_t length = mg_dkim_key_sign(work->key, digest, expected);

	work->wrong += length == 0;
	for (int i = 0; i < SIGNATURES; i++)
		if (mg_dkim_key_sign(work->key, digest, signature) != length ||
			memcmp(signature, expected, length) != 0)
			work->wrong++;
	mg_dkim_key_release(work->key);
	return NULL;
}

static void threads_sign_with_one_key_at_once(void **state)
{
	struct mg_dkim_key *keys[] = {rsa, ed25519};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct work work[THREADS];
		pthread_t threads[THREADS];

		for (int i = 0; i < THREADS; i++) {
			work[i] = (struct work){mg_dkim_key_use(keys[k]), 0};
			assert_int_equal(pthread_create(&threads[i], NULL, sign_many, &work[i]), 0);
		}
		for (int i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(threads[i], NULL), 0);
			assert_int_equal(work[i].wrong, 0);
		}
	}
}

/* --- the record --- */

static void assert_record(const struct mg_dkim_key *key, const char *text,
	enum mg_dkim_record expected, const char *expected_why)
{
	char why[128];
	enum mg_dkim_record record = mg_dkim_record_compare(key, text, strlen(text), why);

	if (record != expected || strcmp(why, expected_why) != 0)
		fail_msg("%s: %d \"%s\", expected %d \"%s\"", text, (int)record, why, (int)expected,
			expected_why);
}

/* A record with the public half of key between two texts. */
static void assert_made_record(const struct mg_dkim_key *key, const char *before,
	const struct mg_dkim_key *published, const char *after, enum mg_dkim_record expected,
	const char *why)
{
	struct mg_buf text = {.limit = 0};

	mg_buf_add_format(&text, "%s%s%s", before, mg_dkim_key_public(published), after);
	assert_record(key, text.data, expected, why);
	mg_buf_free(&text);
}

static void a_record_as_we_publish_it_is_the_same(void **state)
{
	struct mg_dkim_key *keys[] = {rsa, ed25519};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct mg_buf text = {.limit = 0};

		mg_dkim_record_text(keys[i], &text);
		assert_record(keys[i], text.data, MG_DKIM_RECORD_SAME, "");
		mg_buf_free(&text);
	}
}

static void records_as_others_write_them_are_the_same(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{"p=", ""},
		{"v=DKIM1;p=", ";"},
		{"v = DKIM1 ; p = ", " ; "},
		{"k=rsa; p=", "; n=\"say no\" more"},
		{"v=DKIM1; h=sha1 : sha256; s=email; t=y:s; p=", ""},
		{"v=DKIM1; s=tlsrpt:*; K=x; p=", ""},
		{"v=DKIM1; g=; s=*; p=", "; x=1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_made_record(
			rsa, cases[i].before, rsa, cases[i].after, MG_DKIM_RECORD_SAME, "");
}

static void white_space_inside_the_key_is_nothing(void **state)
{
	struct mg_buf text = {.limit = 0};
	const char *public = mg_dkim_key_public(rsa);

	(void)state;
	mg_buf_add_text(&text, "v=DKIM1; p=");
	for (size_t i = 0; public[i] != '\0'; i++) {
		mg_buf_add_char(&text, public[i]);
		if (i % 64 == 63)
			mg_buf_add_text(&text, i % 128 == 127 ? " " : "\r\n\t");
	}
	assert_record(rsa, text.data, MG_DKIM_RECORD_SAME, "");
	mg_buf_free(&text);
}

static void a_bare_rsa_public_key_is_the_same(void **state)
{
	EVP_PKEY *pkey = openssl_key(rsa);
	unsigned char *der = NULL;
	int length = i2d_PublicKey(pkey, &der);
	char base64[1024];
	struct mg_buf text = {.limit = 0};

	(void)state;
	assert_true(length > 0);
	EVP_EncodeBlock((unsigned char *)base64, der, length);
	mg_buf_add_format(&text, "v=DKIM1; p=%s", base64);
	assert_record(rsa, text.data, MG_DKIM_RECORD_SAME, "");
	assert_record(other_rsa, text.data, MG_DKIM_RECORD_OTHER, "another key");
	mg_buf_free(&text);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
}

static void another_key_or_type_is_another(void **state)
{
	(void)state;
	assert_made_record(rsa, "v=DKIM1; p=", other_rsa, "", MG_DKIM_RECORD_OTHER, "another key");
	assert_made_record(rsa, "k=ed25519; p=", ed25519, "", MG_DKIM_RECORD_OTHER,
		"k=ed25519; the key is rsa");
	assert_made_record(ed25519, "p=", ed25519, "", MG_DKIM_RECORD_OTHER,
		"no k=, so rsa; the key is ed25519");
	assert_record(
		ed25519, "k=ed25519; p=" RFC_8463_PUBLIC, MG_DKIM_RECORD_OTHER, "another key");
	assert_record(rsa, "k=x\x80; p=AAAA", MG_DKIM_RECORD_OTHER, "k=x\\x80; the key is rsa");
}

static void an_empty_key_is_revoked(void **state)
{
	(void)state;
	assert_record(rsa, "v=DKIM1; k=rsa; p=", MG_DKIM_RECORD_REVOKED, "p= is empty: revoked");
	assert_record(rsa, "v=DKIM1; p= \t;", MG_DKIM_RECORD_REVOKED, "p= is empty: revoked");
}

static void a_record_that_forbids_what_we_do_is_unusable(void **state)
{
	EVP_PKEY *pkey = openssl_key(ed25519);
	unsigned char *der = NULL;
	int length = i2d_PUBKEY(pkey, &der);
	char base64[256];
	struct mg_buf text = {.limit = 0};

	(void)state;
	assert_made_record(rsa, "h=sha1; p=", rsa, "", MG_DKIM_RECORD_UNUSABLE,
		"h=sha1: sha256 is not allowed");
	assert_made_record(
		rsa, "h=; p=", rsa, "", MG_DKIM_RECORD_UNUSABLE, "h=: sha256 is not allowed");
	assert_made_record(
		rsa, "s=tlsrpt; p=", rsa, "", MG_DKIM_RECORD_UNUSABLE, "s=tlsrpt: not for email");
	EVP_EncodeBlock((unsigned char *)base64, der, length);
	mg_buf_add_format(&text, "k=ed25519; p=%s", base64);
	assert_record(ed25519, text.data, MG_DKIM_RECORD_UNUSABLE,
		"this key in another form; expected its 32 octets alone");
	mg_buf_free(&text);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
}

static void what_is_no_key_record_says_why(void **state)
{
	(void)state;
	assert_record(rsa, "v=spf1 -all", MG_DKIM_RECORD_BAD, "v=spf1 -all; expected v=DKIM1");
	assert_record(rsa, "some text", MG_DKIM_RECORD_BAD, "not a list of tag=value; other text");
	assert_record(rsa, "", MG_DKIM_RECORD_BAD, "not a list of tag=value; other text");
	assert_record(rsa, "\"v=DKIM1; p=AAAA\"", MG_DKIM_RECORD_BAD, "quotes inside the text");
	assert_record(rsa, "v=DKIM1; p=AA\" \"AA", MG_DKIM_RECORD_BAD, "quotes inside the text");
	assert_record(rsa, "v=DKIM1\\; p=AAAA", MG_DKIM_RECORD_BAD, "backslashes inside the text");
	assert_record(rsa, "v=dkim1; p=AAAA", MG_DKIM_RECORD_BAD, "v=dkim1; expected v=DKIM1");
	assert_record(rsa, "p=AAAA; v=DKIM1", MG_DKIM_RECORD_BAD, "v=DKIM1 is not the first tag");
	assert_record(rsa, "v=DKIM1; k=rsa", MG_DKIM_RECORD_BAD, "no p=: it has no key");
	assert_record(rsa, "p=AAAA", MG_DKIM_RECORD_BAD, "p= is not a key of type rsa in base64");
	assert_record(rsa, "p=AAA", MG_DKIM_RECORD_BAD, "p= is not a key of type rsa in base64");
	assert_record(rsa, "p=A=A=", MG_DKIM_RECORD_BAD, "p= is not a key of type rsa in base64");
	assert_record(rsa, "p=A===", MG_DKIM_RECORD_BAD, "p= is not a key of type rsa in base64");
	assert_record(rsa, "p=====", MG_DKIM_RECORD_BAD, "p= is not a key of type rsa in base64");
	assert_made_record(rsa, "p=", ed25519, "", MG_DKIM_RECORD_BAD,
		"p= is not a key of type rsa in base64");
	assert_made_record(rsa, "p=", rsa, "AAAA", MG_DKIM_RECORD_BAD,
		"p= is not a key of type rsa in base64");
}

static void a_record_that_was_cut_is_told(void **state)
{
	static const struct {
		size_t length;
		const char *why;
	} cuts[] = {
		{255, "cut at 255 octets"}, {200, "cut at 200 octets"}, {50, "cut at 50 octets"}};
	struct mg_buf text = {.limit = 0};
	char why[128];

	(void)state;
	mg_dkim_record_text(rsa, &text);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		assert_int_equal(mg_dkim_record_compare(rsa, text.data, cuts[i].length, why),
			MG_DKIM_RECORD_BAD);
		assert_string_equal(why, cuts[i].why);
	}
	mg_buf_reset(&text);
	mg_dkim_record_text(other_rsa, &text);
	assert_int_equal(mg_dkim_record_compare(rsa, text.data, 255, why), MG_DKIM_RECORD_BAD);
	assert_string_equal(why, "cut at 255 octets");
	mg_buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(algorithms_have_their_names),
		cmocka_unit_test(a_key_is_read_as_it_was_written),
		cmocka_unit_test(the_older_form_of_rsa_is_read),
		cmocka_unit_test(the_first_private_key_of_a_file_counts_whatever_stands_around_it),
		cmocka_unit_test(an_encrypted_key_is_refused_without_a_question),
		cmocka_unit_test(a_public_key_is_refused),
		cmocka_unit_test(other_kinds_of_keys_are_named),
		cmocka_unit_test(what_is_no_pem_of_a_key_is_refused_in_words),
		cmocka_unit_test(a_key_whose_halves_do_not_fit_is_refused),
		cmocka_unit_test(a_key_of_overlong_numbers_is_refused_before_it_is_used),
		cmocka_unit_test(rsa_keys_are_of_512_to_8192_bits),
		cmocka_unit_test(the_public_half_is_what_the_record_says),
		cmocka_unit_test(signatures_verify_time_after_time),
		cmocka_unit_test(threads_sign_with_one_key_at_once),
		cmocka_unit_test(a_record_as_we_publish_it_is_the_same),
		cmocka_unit_test(records_as_others_write_them_are_the_same),
		cmocka_unit_test(white_space_inside_the_key_is_nothing),
		cmocka_unit_test(a_bare_rsa_public_key_is_the_same),
		cmocka_unit_test(another_key_or_type_is_another),
		cmocka_unit_test(an_empty_key_is_revoked),
		cmocka_unit_test(a_record_that_forbids_what_we_do_is_unusable),
		cmocka_unit_test(what_is_no_key_record_says_why),
		cmocka_unit_test(a_record_that_was_cut_is_told),
	};

	return cmocka_run_group_tests_name("dkim_key", tests, make_keys, release_keys);
}
