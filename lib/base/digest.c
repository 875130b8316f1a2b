/* SPDX-License-Identifier: ISC */
#include "base/digest.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>

struct mg_sha256 {
	EVP_MD_CTX *context;
	bool used; /* it was added to since it began */
	bool failed;
	struct mg_sha256 *next; /* among those kept */
};

enum { KEPT_MAX = 4 }; /* what a thread has under way at once: two bodies, a header, a record */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256; /* looking it up costs more than hashing a record */
static pthread_key_t kept_key; /* only for its destructor */
static bool kept_key_made;

static _Thread_local struct mg_sha256 *kept;
static _Thread_local unsigned kept_count;

static void destroy(struct mg_sha256 *hash)
{
	EVP_MD_CTX_free(hash->context);
	free(hash);
}

static void destroy_kept(void *first)
{
	(void)first;
	while (kept != NULL) {
		struct mg_sha256 *next = kept->next;

		destroy(kept);
		kept = next;
	}
	kept_count = 0;
}

static void prepare(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	kept_key_made = pthread_key_create(&kept_key, destroy_kept) == 0;
}

static bool begin(struct mg_sha256 *hash)
{
	hash->used = false;
	hash->failed = sha256 == NULL || EVP_DigestInit_ex2(hash->context, sha256, NULL) != 1;
	return !hash->failed;
}

static struct mg_sha256 *take_kept(void)
{
	struct mg_sha256 *hash = kept;

	if (hash != NULL) {
		kept = hash->next;
		kept_count--;
	}
	return hash;
}

struct mg_sha256 *mg_sha256_new(void)
{
	struct mg_sha256 *hash;

	pthread_once(&once, prepare);
	hash = take_kept();
	if (hash == NULL) {
		hash = calloc(1, sizeof *hash);
		if (hash == NULL)
			return NULL;
		hash->context = EVP_MD_CTX_new();
		if (hash->context == NULL)
			goto fail;
		hash->used = true;
	}
	if ((hash->used || hash->failed) && !begin(hash))
		goto fail;
	return hash;
fail:
	destroy(hash);
	return NULL;
}

struct mg_sha256 *mg_sha256_copy(const struct mg_sha256 *hash)
{
	struct mg_sha256 *copy = hash->failed ? NULL : mg_sha256_new();

	if (copy != NULL && EVP_MD_CTX_copy_ex(copy->context, hash->context) != 1) {
		destroy(copy);
		return NULL;
	}
	if (copy != NULL)
		copy->used = true;
	return copy;
}

void mg_sha256_free(struct mg_sha256 *hash)
{
	if (hash == NULL)
		return;
	if (kept_count == KEPT_MAX || !kept_key_made ||
		(kept == NULL && pthread_setspecific(kept_key, hash) != 0)) {
		destroy(hash);
		return;
	}
	hash->next = kept;
	kept = hash;
	kept_count++;
}

void mg_sha256_add(struct mg_sha256 *hash, const void *bytes, size_t length)
{
	hash->used = true;
	if (!hash->failed && EVP_DigestUpdate(hash->context, bytes, length) != 1)
		hash->failed = true;
}

bool mg_sha256_finish(struct mg_sha256 *hash, unsigned char digest[MG_SHA256_SIZE])
{
	bool good = !hash->failed && EVP_DigestFinal_ex(hash->context, digest, NULL) == 1;

	begin(hash);
	return good;
}

bool mg_sha256_of(const void *bytes, size_t length, unsigned char digest[MG_SHA256_SIZE])
{
	struct mg_sha256 *hash = mg_sha256_new();
	bool good = false;

	if (hash != NULL) {
		mg_sha256_add(hash, bytes, length);
		good = mg_sha256_finish(hash, digest);
	}
	mg_sha256_free(hash);
	return good;
}

bool mg_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
	unsigned char digest[MG_SHA256_SIZE])
{
	pthread_once(&once, prepare);
	return sha256 != NULL && key_length <= INT_MAX &&
	       HMAC(sha256, key, (int)key_length, bytes, length, digest, NULL) != NULL;
}
