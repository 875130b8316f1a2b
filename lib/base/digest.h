/* SPDX-License-Identifier: ISC */
/* digest: SHA-256 (FIPS 180-4) and HMAC over it (RFC 2104). Hides OpenSSL's digests. */
#ifndef MG_BASE_DIGEST_H
#define MG_BASE_DIGEST_H
#include <stdbool.h>
#include <stddef.h>

enum { MG_SHA256_SIZE = 32 };

/* A hash under way; one thread at a time. */
struct mg_sha256;

/* Begun; NULL: no memory. A thread keeps a few of those it freed, so that one a record costs no
 * allocation. */
struct mg_sha256 *mg_sha256_new(void);
/* Another that has begun with the same bytes; hash goes on. NULL: no memory, or hash had failed. */
struct mg_sha256 *mg_sha256_copy(const struct mg_sha256 *hash);
/* NULL is allowed. */
void mg_sha256_free(struct mg_sha256 *hash);
/* Failure is sticky until mg_sha256_finish, which then returns false. */
void mg_sha256_add(struct mg_sha256 *hash, const void *bytes, size_t length);
/* The hash of what was added; it has begun anew after that. */
bool mg_sha256_finish(struct mg_sha256 *hash, unsigned char digest[MG_SHA256_SIZE]);

/* Of one piece. false: no memory, or the library fails. */
bool mg_sha256_of(const void *bytes, size_t length, unsigned char digest[MG_SHA256_SIZE]);
bool mg_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
	unsigned char digest[MG_SHA256_SIZE]);
#endif
