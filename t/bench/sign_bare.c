/* SPDX-License-Identifier: ISC */
/* sign_bare [ROUNDS]: the signing function over a message of 2 KiB (body and header canonical and
 * hashed, signed, the field written) beside the bare operation of OpenSSL with a kept key: rounds of
 * both in turn, CPU of the thread. Prints one JSON object: medians in µs, and the median of the ratios
 * of the rounds. */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/dkim_sign.h"

enum { BODY_SIZE = 2048, ROUNDS_MAX = 10000 };

#define FIELD(name, value) \
	{ \
		name, " " value, sizeof(name) - 1, sizeof(value) \
	}

/* As an app hands in its mail. */
static const struct mg_header headers[] = {
	FIELD("Received", "from app1.example.org (app1.example.org [203.0.113.5])\r\n"
			  "\tby mx1.example.org (Postfix) with ESMTPSA id 4jYh153qZyz1bkdK\r\n"
			  "\tfor <ann@example.com>; Tue, 24 Nov 2026 12:49:13 +0100 (CET)"),
	FIELD("Date", "Tue, 24 Nov 2026 12:49:13 +0100"),
	FIELD("From", "Acme Billing <billing@acme.example>"),
	FIELD("To", "Ann Example <ann@example.com>"),
	FIELD("Reply-To", "support@acme.example"),
	FIELD("Message-ID", "<20261124114913.7@acme.example>"),
	FIELD("Subject", "Invoice 2026-118"),
	FIELD("MIME-Version", "1.0"),
	FIELD("Content-Type", "text/plain; charset=utf-8"),
	FIELD("Content-Transfer-Encoding", "8bit"),
	FIELD("List-Unsubscribe", "<https://acme.example/unsubscribe?i=0123456789abcdef>"),
	FIELD("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
	FIELD("X-Mailer", "Acme 7.1"),
};

static unsigned char body[BODY_SIZE];
static unsigned char digest[MG_SHA256_SIZE];

static const struct algorithm {
	const char *name;
	enum mg_dkim_algorithm algorithm;
	unsigned bits, times; /* operations a round */
} algorithms[] = {
	{"rsa-2048", MG_DKIM_RSA_SHA256, 2048, 10},
	{"ed25519", MG_DKIM_ED25519_SHA256, 0, 100},
};

/* What one side needs. */
struct bench {
	struct mg_dkim_key *key;
	struct mg_dkim_names *names;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *rsa;
	EVP_MD_CTX *ed25519;
};

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "sign_bare: %s\n", what);
	exit(1);
}

static void sign_bare(struct bench *bench)
{
	unsigned char signature[MG_DKIM_SIGNATURE_MAX];
	size_t length = sizeof(signature);

	if (bench->rsa != NULL)
		check(EVP_PKEY_sign(bench->rsa, signature, &length, digest, sizeof(digest)) == 1,
			"RSA");
	else if (EVP_DigestSign(bench->ed25519, signature, &length, digest, sizeof(digest)) != 1)
		/* Later OpenSSLs want a new beginning. */
		check(EVP_DigestSignInit(bench->ed25519, NULL, NULL, NULL, bench->pkey) == 1 &&
				EVP_DigestSign(bench->ed25519, signature, &length, digest,
					sizeof(digest)) == 1,
			"Ed25519");
}

static void sign_whole(struct bench *bench)
{
	unsigned char body_hash[MG_SHA256_SIZE];
	struct mg_dkim_body state;
	struct mg_buf value = {.limit = 0};
	struct mg_dkim_signing signing = {.headers = headers,
		.header_count = sizeof(headers) / sizeof(headers[0]),
		.names = bench->names,
		.header_form = MG_DKIM_RELAXED,
		.body_form = MG_DKIM_RELAXED,
		.line_limit = 998,
		.body_hash = body_hash,
		.domain = "acme.example",
		.selector = "s2026",
		.identity = "",
		.key = bench->key,
		.time = 1795520953};

	check(mg_dkim_body_begin(&state, MG_DKIM_RELAXED, 998), "body");
	mg_dkim_body_add(&state, body, sizeof(body));
	check(mg_dkim_body_end(&state, body_hash), "hash");
	check(mg_dkim_sign(&signing, &value, NULL) == 0, "signature");
	mg_buf_free(&value);
}

static double measure(void (*operation)(struct bench *bench), struct bench *bench, unsigned times)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	for (unsigned i = 0; i < times; i++)
		operation(bench);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	return ((double)(end.tv_sec - begin.tv_sec) * 1e6 +
		       (double)(end.tv_nsec - begin.tv_nsec) / 1e3) /
	       times;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *list, size_t count)
{
	qsort(list, count, sizeof(*list), compare);
	return list[count / 2];
}

static void set_up(struct bench *bench, const struct algorithm *algorithm)
{
	struct mg_buf pem = {.limit = 0};
	BIO *stream;

	bench->key = mg_dkim_key_make(algorithm->algorithm, algorithm->bits, NULL);
	bench->names = mg_dkim_names_new(
		NULL, 0, (const char *const[]){"From", "Subject", "Date", "To"}, 4, NULL);
	check(bench->key != NULL && bench->names != NULL && mg_dkim_key_write(bench->key, &pem),
		"key");
	stream = BIO_new_mem_buf(pem.data, (int)pem.length);
	bench->pkey = PEM_read_bio_PrivateKey(stream, NULL, NULL, NULL);
	BIO_free(stream);
	mg_dkim_key_wipe(&pem);
	check(bench->pkey != NULL, "key");
	if (algorithm->algorithm == MG_DKIM_RSA_SHA256) {
		bench->rsa = EVP_PKEY_CTX_new_from_pkey(NULL, bench->pkey, NULL);
		check(bench->rsa != NULL && EVP_PKEY_sign_init(bench->rsa) == 1 &&
				EVP_PKEY_CTX_set_rsa_padding(bench->rsa, RSA_PKCS1_PADDING) == 1 &&
				EVP_PKEY_CTX_set_signature_md(bench->rsa, EVP_sha256()) == 1,
			"context");
	} else {
		bench->ed25519 = EVP_MD_CTX_new();
		check(bench->ed25519 != NULL && EVP_DigestSignInit(bench->ed25519, NULL, NULL, NULL,
							bench->pkey) == 1,
			"context");
	}
}

static void tear_down(struct bench *bench)
{
	mg_dkim_key_release(bench->key);
	mg_dkim_names_free(bench->names);
	EVP_PKEY_CTX_free(bench->rsa);
	EVP_MD_CTX_free(bench->ed25519);
	EVP_PKEY_free(bench->pkey);
}

static void run(const struct algorithm *algorithm, size_t rounds)
{
	static double bare[ROUNDS_MAX], whole[ROUNDS_MAX], ratio[ROUNDS_MAX];
	struct bench bench = {NULL, NULL, NULL, NULL, NULL};

	set_up(&bench, algorithm);
	measure(sign_bare, &bench, algorithm->times);
	measure(sign_whole, &bench, algorithm->times);
	for (size_t i = 0; i < rounds; i++) {
		bare[i] = measure(sign_bare, &bench, algorithm->times);
		whole[i] = measure(sign_whole, &bench, algorithm->times);
		ratio[i] = whole[i] / bare[i];
	}
	printf("\"%s\": {\"bare_us\": %.2f, \"whole_us\": %.2f, \"ratio\": %.4f}", algorithm->name,
		median(bare, rounds), median(whole, rounds), median(ratio, rounds));
	tear_down(&bench);
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 301;

	check(rounds > 0 && rounds <= ROUNDS_MAX, "ROUNDS is 1 to 10000");
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (unsigned char)(i % 72 == 70   ? '\r'
					  : i % 72 == 71 ? '\n'
					  : i % 7 == 6   ? ' '
							 : 'a' + i % 26);
	printf("{");
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		printf("%s", i > 0 ? ", " : "");
		run(&algorithms[i], rounds);
	}
	printf("}\n");
	return 0;
}
