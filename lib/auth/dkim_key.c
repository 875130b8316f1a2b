/* SPDX-License-Identifier: ISC */
/* An OpenSSL key is slow to share: blinding and its renewal are one state under a lock, and a context
 * is bound to its thread while it signs. So a key keeps ready signers, each with a copy of the key and
 * a context of its own; one is taken for a signature, and made when none is idle. */
#include "auth/dkim_key.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "auth/dkim_key_private.h"

/* More are made when more threads sign at once, and not kept. */
enum { IDLE_MAX = 32 };

enum { ED25519_SIZE = 32 /* octets of a public key */ };

struct signer {
	struct signer *next;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *rsa;
	EVP_MD_CTX *ed25519;
};

struct mg_dkim_key {
	_Atomic size_t uses;
	enum mg_dkim_algorithm algorithm;
	unsigned bits;
	EVP_PKEY *pkey;
	char *public; /* base64 */
	pthread_mutex_t lock; /* of the two below, for a few instructions */
	struct signer *idle;
	size_t idle_count;
};

/* name: OpenSSL's. */
static const struct {
	const char *algorithm, *type, *name;
} algorithms[MG_DKIM_ALGORITHM_COUNT] = {
	[MG_DKIM_RSA_SHA256] = {"rsa-sha256", "rsa", "RSA"},
	[MG_DKIM_ED25519_SHA256] = {"ed25519-sha256", "ed25519", "ED25519"},
};

const char *mg_dkim_algorithm_name(enum mg_dkim_algorithm algorithm)
{
	return algorithms[algorithm].algorithm;
}

const char *mg_dkim_key_type_name(enum mg_dkim_algorithm algorithm)
{
	return algorithms[algorithm].type;
}

static void signer_free(struct signer *signer)
{
	if (signer == NULL)
		return;
	EVP_PKEY_CTX_free(signer->rsa);
	EVP_MD_CTX_free(signer->ed25519);
	EVP_PKEY_free(signer->pkey);
	free(signer);
}

static bool prepare_rsa(struct signer *signer)
{
	signer->rsa = EVP_PKEY_CTX_new_from_pkey(NULL, signer->pkey, NULL);
	return signer->rsa != NULL && EVP_PKEY_sign_init(signer->rsa) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(signer->rsa, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(signer->rsa, EVP_sha256()) == 1;
}

static bool prepare_ed25519(struct signer *signer)
{
	signer->ed25519 = EVP_MD_CTX_new();
	return signer->ed25519 != NULL &&
	       EVP_DigestSignInit(signer->ed25519, NULL, NULL, NULL, signer->pkey) == 1;
}

/* The key itself, or a copy: only RSA has a state. */
static struct signer *signer_new(const struct mg_dkim_key *key, bool copy)
{
	struct signer *signer = calloc(1, sizeof(*signer));
	bool rsa = key->algorithm == MG_DKIM_RSA_SHA256;

	if (signer == NULL)
		return NULL;
	if (copy && rsa)
		signer->pkey = EVP_PKEY_dup(key->pkey);
	else if (EVP_PKEY_up_ref(key->pkey) == 1)
		signer->pkey = key->pkey;
	if (signer->pkey == NULL || !(rsa ? prepare_rsa(signer) : prepare_ed25519(signer))) {
		signer_free(signer);
		return NULL;
	}
	return signer;
}

static struct signer *take_signer(struct mg_dkim_key *key)
{
	struct signer *signer;

	pthread_mutex_lock(&key->lock);
	signer = key->idle;
	if (signer != NULL) {
		key->idle = signer->next;
		key->idle_count--;
	}
	pthread_mutex_unlock(&key->lock);
	return signer != NULL ? signer : signer_new(key, true);
}

static void give_signer(struct mg_dkim_key *key, struct signer *signer)
{
	bool kept;

	pthread_mutex_lock(&key->lock);
	kept = key->idle_count < IDLE_MAX;
	if (kept) {
		signer->next = key->idle;
		key->idle = signer;
		key->idle_count++;
	}
	pthread_mutex_unlock(&key->lock);
	if (!kept)
		signer_free(signer);
}

/* A context makes one Ed25519 signature a beginning (OpenSSL 3.2 insists); one without a key is a mere
 * reset, which looks nothing up. */
static bool sign(const struct signer *signer, const unsigned char digest[MG_SHA256_SIZE],
	unsigned char *signature, size_t *length)
{
	*length = MG_DKIM_SIGNATURE_MAX;
	if (signer->rsa != NULL)
		return EVP_PKEY_sign(signer->rsa, signature, length, digest, MG_SHA256_SIZE) == 1;
	return EVP_DigestSignInit(signer->ed25519, NULL, NULL, NULL, NULL) == 1 &&
	       EVP_DigestSign(signer->ed25519, signature, length, digest, MG_SHA256_SIZE) == 1;
}

size_t mg_dkim_key_sign(const struct mg_dkim_key *key, const unsigned char digest[MG_SHA256_SIZE],
	unsigned char signature[MG_DKIM_SIGNATURE_MAX])
{
	/* What the signers are changes nothing that a caller sees of a key. */
	struct mg_dkim_key *pool = (struct mg_dkim_key *)key;
	struct signer *signer = take_signer(pool);
	size_t length;

	if (signer == NULL || !sign(signer, digest, signature, &length)) {
		ERR_clear_error();
		signer_free(signer);
		return 0;
	}
	give_signer(pool, signer);
	return length;
}

/* In base64: the SubjectPublicKeyInfo of RSA; of Ed25519 the key alone, with which it ends (RFC 8463
 * section 4.2). */
static char *public_text(const EVP_PKEY *pkey, enum mg_dkim_algorithm algorithm)
{
	unsigned char *bytes = NULL;
	int length = i2d_PUBKEY(pkey, &bytes);
	int skipped = algorithm == MG_DKIM_ED25519_SHA256 ? length - ED25519_SIZE : 0;
	char *text = NULL;

	if (length > 0 && skipped >= 0)
		text = malloc((size_t)(length - skipped + 2) / 3 * 4 + 1);
	if (text != NULL)
		EVP_EncodeBlock((unsigned char *)text, bytes + skipped, length - skipped);
	OPENSSL_free(bytes);
	return text;
}

/* Does the public half verify what the private half signs? A damaged file is seen here, not by those
 * who get the mail. */
static bool halves_fit(const struct mg_dkim_key *key)
{
	static const unsigned char digest[MG_SHA256_SIZE] = "halves of one key, or damaged?";
	unsigned char signature[MG_DKIM_SIGNATURE_MAX];
	size_t length = mg_dkim_key_sign(key, digest, signature);
	EVP_PKEY_CTX *rsa = NULL;
	EVP_MD_CTX *context = NULL;
	bool fit = false;

	if (length == 0)
		return false;
	if (key->algorithm == MG_DKIM_RSA_SHA256) {
		rsa = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
		fit = rsa != NULL && EVP_PKEY_verify_init(rsa) == 1 &&
		      EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PADDING) == 1 &&
		      EVP_PKEY_CTX_set_signature_md(rsa, EVP_sha256()) == 1 &&
		      EVP_PKEY_verify(rsa, signature, length, digest, sizeof(digest)) == 1;
	} else {
		context = EVP_MD_CTX_new();
		fit = context != NULL &&
		      EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
		      EVP_DigestVerify(context, signature, length, digest, sizeof(digest)) == 1;
	}
	EVP_PKEY_CTX_free(rsa);
	EVP_MD_CTX_free(context);
	return fit;
}

static void key_free(struct mg_dkim_key *key)
{
	while (key->idle != NULL) {
		struct signer *signer = key->idle;

		key->idle = signer->next;
		signer_free(signer);
	}
	EVP_PKEY_free(key->pkey);
	free(key->public);
	pthread_mutex_destroy(&key->lock);
	free(key);
}

static bool find_algorithm(const EVP_PKEY *pkey, enum mg_dkim_algorithm *algorithm)
{
	for (size_t i = 0; i < MG_DKIM_ALGORITHM_COUNT; i++)
		if (EVP_PKEY_is_a(pkey, algorithms[i].name)) {
			*algorithm = (enum mg_dkim_algorithm)i;
			return true;
		}
	return false;
}

static bool size_allowed(enum mg_dkim_algorithm algorithm, unsigned bits, struct mg_error *error)
{
	if (algorithm != MG_DKIM_RSA_SHA256 || (bits >= MG_DKIM_RSA_MIN && bits <= MG_DKIM_RSA_MAX))
		return true;
	mg_error_set(error, "RSA key of %u bits; expected %d to %d", bits, MG_DKIM_RSA_MIN,
		MG_DKIM_RSA_MAX);
	return false;
}

/* NULL: no memory. Takes pkey. */
static struct mg_dkim_key *key_new(EVP_PKEY *pkey, enum mg_dkim_algorithm algorithm)
{
	struct mg_dkim_key *key = calloc(1, sizeof(*key));

	if (key == NULL || pthread_mutex_init(&key->lock, NULL) != 0) {
		free(key);
		EVP_PKEY_free(pkey);
		return NULL;
	}
	key->uses = 1;
	key->algorithm = algorithm;
	key->bits = algorithm == MG_DKIM_RSA_SHA256 ? (unsigned)EVP_PKEY_get_bits(pkey) : 256;
	key->pkey = pkey;
	key->public = public_text(pkey, algorithm);
	key->idle = signer_new(key, false);
	key->idle_count = 1;
	if (key->public == NULL || key->idle == NULL) {
		key_free(key);
		return NULL;
	}
	return key;
}

struct mg_dkim_key *mg_dkim_key_of(EVP_PKEY *pkey, struct mg_error *error)
{
	enum mg_dkim_algorithm algorithm;
	struct mg_dkim_key *key;

	if (!find_algorithm(pkey, &algorithm)) {
		const char *name = EVP_PKEY_get0_type_name(pkey);

		mg_error_set(error, "%s key; expected RSA or Ed25519",
			name != NULL ? name : "unknown kind of");
		EVP_PKEY_free(pkey);
		return NULL;
	}
	if (!size_allowed(algorithm, (unsigned)EVP_PKEY_get_bits(pkey), error)) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	key = key_new(pkey, algorithm);
	if (key == NULL) {
		mg_error_set(error, "no memory for the key");
	} else if (!halves_fit(key)) {
		mg_error_set(
			error, "damaged: the public half does not verify what the private signs");
		key_free(key);
		key = NULL;
	}
	ERR_clear_error();
	return key;
}

struct mg_dkim_key *mg_dkim_key_make(
	enum mg_dkim_algorithm algorithm, unsigned bits, struct mg_error *error)
{
	EVP_PKEY *pkey;

	if (!size_allowed(algorithm, bits, error))
		return NULL;
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, algorithms[algorithm].name, (size_t)bits);
	if (pkey == NULL) {
		ERR_clear_error();
		mg_error_set(error, "OpenSSL made no %s key", algorithms[algorithm].name);
		return NULL;
	}
	return mg_dkim_key_of(pkey, error);
}

bool mg_dkim_key_write(const struct mg_dkim_key *key, struct mg_buf *out)
{
	BIO *stream = BIO_new(BIO_s_mem());
	char *pem;
	long length;

	/* One addition: a buffer that grows leaves copies behind. What the stream had is wiped. */
	if (stream != NULL &&
		PEM_write_bio_PKCS8PrivateKey(stream, key->pkey, NULL, NULL, 0, NULL, NULL) == 1 &&
		(length = BIO_get_mem_data(stream, &pem)) > 0)
		mg_buf_add(out, pem, (size_t)length);
	else
		out->failed = true;
	BIO_free(stream);
	ERR_clear_error();
	return !out->failed;
}

void mg_dkim_key_wipe(struct mg_buf *pem)
{
	if (pem->data != NULL)
		OPENSSL_cleanse(pem->data, pem->size);
	mg_buf_free(pem);
}

struct mg_dkim_key *mg_dkim_key_use(struct mg_dkim_key *key)
{
	atomic_fetch_add_explicit(&key->uses, 1, memory_order_relaxed);
	return key;
}

void mg_dkim_key_release(struct mg_dkim_key *key)
{
	if (key != NULL && atomic_fetch_sub_explicit(&key->uses, 1, memory_order_acq_rel) == 1)
		key_free(key);
}

enum mg_dkim_algorithm mg_dkim_key_algorithm(const struct mg_dkim_key *key)
{
	return key->algorithm;
}

unsigned mg_dkim_key_bits(const struct mg_dkim_key *key)
{
	return key->bits;
}

const char *mg_dkim_key_public(const struct mg_dkim_key *key)
{
	return key->public;
}

/* A public key from DER: SubjectPublicKeyInfo, or for RSA the bare RSAPublicKey (RFC 6376 section
 * 3.6.1 says the latter, everyone publishes the former, and verifiers take both). */
static EVP_PKEY *read_public(
	enum mg_dkim_algorithm algorithm, const unsigned char *der, size_t length)
{
	const unsigned char *end = der;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &end, (long)length);

	if (pkey == NULL && algorithm == MG_DKIM_RSA_SHA256) {
		end = der;
		pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &end, (long)length);
	}
	if (pkey != NULL && end != der + length) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	ERR_clear_error();
	return pkey;
}

/* Strict, for some verifiers take nothing else. NULL: no base64, no memory; else free it. */
static unsigned char *decode_base64(const char *text, size_t length, size_t *size)
{
	size_t letters =
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	size_t padding = length - letters;
	unsigned char *bytes;

	if (length == 0 || length % 4 != 0 || padding > 2 || strspn(text + letters, "=") != padding)
		return NULL;
	bytes = malloc(length);
	if (bytes == NULL || EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length) < 0) {
		free(bytes);
		return NULL;
	}
	*size = length / 4 * 3 - padding;
	return bytes;
}

static enum mg_dkim_public compare_public(
	const struct mg_dkim_key *key, const unsigned char *bytes, size_t length)
{
	bool raw = key->algorithm == MG_DKIM_ED25519_SHA256 && length == ED25519_SIZE;
	enum mg_dkim_public result = MG_DKIM_PUBLIC_SAME;
	EVP_PKEY *pkey = raw ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, length)
			     : read_public(key->algorithm, bytes, length);

	if (pkey == NULL || !EVP_PKEY_is_a(pkey, algorithms[key->algorithm].name))
		result = MG_DKIM_PUBLIC_NONE;
	else if (EVP_PKEY_eq(pkey, key->pkey) != 1)
		result = MG_DKIM_PUBLIC_OTHER;
	else if (key->algorithm == MG_DKIM_ED25519_SHA256 && !raw)
		result = MG_DKIM_PUBLIC_WRONG_FORM;
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return result;
}

enum mg_dkim_public mg_dkim_key_compare(
	const struct mg_dkim_key *key, const char *base64, size_t length)
{
	enum mg_dkim_public result = MG_DKIM_PUBLIC_NONE;
	size_t size;
	unsigned char *bytes;

	if (strcmp(base64, key->public) == 0)
		return MG_DKIM_PUBLIC_SAME;
	bytes = decode_base64(base64, length, &size);
	if (bytes != NULL)
		result = compare_public(key, bytes, size);
	free(bytes);
	return result;
}
