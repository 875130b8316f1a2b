/* SPDX-License-Identifier: ISC */
/* dkim_key: a private key, parsed once and kept (RFC 6376 section 3.3, RFC 8463), its public half as
 * DNS has it, and the comparison of both. A key never changes after it was made: any number of
 * threads may sign with it. Hides OpenSSL's keys. */
#ifndef MG_AUTH_DKIM_KEY_H
#define MG_AUTH_DKIM_KEY_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/error.h"

/* In the order in which they sign. */
enum mg_dkim_algorithm { MG_DKIM_RSA_SHA256, MG_DKIM_ED25519_SHA256, MG_DKIM_ALGORITHM_COUNT };
/* "rsa-sha256" (a=), "rsa" (k=) */
const char *mg_dkim_algorithm_name(enum mg_dkim_algorithm algorithm);
const char *mg_dkim_key_type_name(enum mg_dkim_algorithm algorithm);

enum {
	MG_DKIM_RSA_MAX = 8192, /* bits */
	MG_DKIM_SIGNATURE_MAX = MG_DKIM_RSA_MAX / 8,
	MG_DKIM_PEM_MAX = 64 * 1024 /* bytes of a file */
};

struct mg_dkim_key;

/* Reads PEM: PKCS#8, or PKCS#1 for RSA; encrypted ones, public ones and other algorithms are
 * errors. One use is the caller's. NULL with error. */
struct mg_dkim_key *mg_dkim_key_read(const char *pem, size_t length, struct mg_error *error);
/* A new one; bits: of RSA. */
struct mg_dkim_key *mg_dkim_key_make(
	enum mg_dkim_algorithm algorithm, unsigned bits, struct mg_error *error);
/* Adds it as PEM, PKCS#8. The buffer is a secret: mg_dkim_key_wipe ends it. false: no memory. */
bool mg_dkim_key_write(const struct mg_dkim_key *key, struct mg_buf *out);
void mg_dkim_key_wipe(struct mg_buf *pem);
struct mg_dkim_key *mg_dkim_key_use(struct mg_dkim_key *key);
void mg_dkim_key_release(struct mg_dkim_key *key);

enum mg_dkim_algorithm mg_dkim_key_algorithm(const struct mg_dkim_key *key);
unsigned mg_dkim_key_bits(const struct mg_dkim_key *key); /* 256 for Ed25519 */
/* The public half in base64: p= of the record. */
const char *mg_dkim_key_public(const struct mg_dkim_key *key);

/* Signs a SHA-256 (RFC 8463 section 3: Ed25519 signs the hash itself). Returns the bytes of the
 * signature, 0 on failure. */
size_t mg_dkim_key_sign(const struct mg_dkim_key *key, const unsigned char digest[MG_SHA256_SIZE],
	unsigned char signature[MG_DKIM_SIGNATURE_MAX]);

/* --- the record in DNS (RFC 6376 section 3.6.1) --- */

enum mg_dkim_record {
	MG_DKIM_RECORD_SAME, /* it verifies what this key signs */
	MG_DKIM_RECORD_OTHER, /* another key, or another type of key */
	MG_DKIM_RECORD_REVOKED, /* p= is empty */
	MG_DKIM_RECORD_UNUSABLE, /* same key, but h=, s= or its form keep it from verifying */
	MG_DKIM_RECORD_BAD /* no key record: stray quotes, cut at 255 octets, other text */
};
/* What a TXT record says of this key. Its flags change nothing here: t=y tells a verifier nothing,
 * of t=s see below. why: in words, for the event and `millgate key check` ("cut at
 * 255 octets", "quotes inside the text", …); "" when it is the same. */
enum mg_dkim_record mg_dkim_record_compare(
	const struct mg_dkim_key *key, const char *text, size_t length, char why[128]);
/* Has the record the flag t=s: a signature whose i= is of a subdomain does not verify (RFC 6376
 * section 3.6.1). */
bool mg_dkim_record_is_strict(const char *text, size_t length);
/* Adds the text of the record to publish: "v=DKIM1; k=rsa; p=…". */
void mg_dkim_record_text(const struct mg_dkim_key *key, struct mg_buf *out);
#endif
