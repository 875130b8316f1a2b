/* SPDX-License-Identifier: ISC */
/* A private key from the text of a file. */
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "auth/dkim_key.h"
#include "auth/dkim_key_private.h"
#include "base/str.h"

#define ENCRYPTED "encrypted; expected a key without passphrase"
#define OTHER(kind) kind " key; expected RSA or Ed25519"

typedef EVP_PKEY *decode_function(const unsigned char *der, size_t length);

static EVP_PKEY *decode_pkcs1(const unsigned char *der, size_t length)
{
	return d2i_PrivateKey(EVP_PKEY_RSA, NULL, &der, (long)length);
}

static EVP_PKEY *decode_pkcs8(const unsigned char *der, size_t length)
{
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, (long)length);
	EVP_PKEY *pkey = info != NULL ? EVP_PKCS82PKEY(info) : NULL;

	PKCS8_PRIV_KEY_INFO_free(info);
	return pkey;
}

/* The blocks that decide what a file is: the first of them; any other is passed over, such as a
 * certificate. Public halves are passed over as well, and told of if nothing else follows. */
static const struct block {
	const char *name;
	decode_function *decode;
	const char *wrong;
} blocks[] = {
	{"PRIVATE KEY", decode_pkcs8, NULL},
	{"RSA PRIVATE KEY", decode_pkcs1, NULL},
	{"ENCRYPTED PRIVATE KEY", NULL, ENCRYPTED},
	{"EC PRIVATE KEY", NULL, OTHER("EC")},
	{"DSA PRIVATE KEY", NULL, OTHER("DSA")},
	{"OPENSSH PRIVATE KEY", NULL, "form of OpenSSH; expected PKCS#8 or PKCS#1"},
};

static const struct block *find_block(const char *name)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (strcmp(blocks[i].name, name) == 0)
			return &blocks[i];
	return NULL;
}

/* A PEM block in OpenSSL's memory, whose every copy is wiped: der in it is a secret. */
struct pem {
	char *name, *header;
	unsigned char *der;
	long length;
};

static void pem_free(struct pem *pem)
{
	OPENSSL_secure_free(pem->name);
	OPENSSL_secure_free(pem->header);
	OPENSSL_secure_clear_free(pem->der, (size_t)pem->length);
	*pem = (struct pem){NULL, NULL, NULL, 0};
}

/* The numbers of an RSA key are no longer than its modulus: all in all under six times that. Others
 * would only make it slow. */
static bool is_in_proportion(const EVP_PKEY *pkey, long length)
{
	return !EVP_PKEY_is_a(pkey, "RSA") || length <= 6 * (EVP_PKEY_get_bits(pkey) / 8) + 256;
}

static struct mg_dkim_key *key_of_block(
	const struct block *block, const struct pem *pem, struct mg_error *error)
{
	EVP_PKEY *pkey;

	if (block->wrong != NULL) {
		mg_error_set(error, "%s", block->wrong);
		return NULL;
	}
	if (strstr(pem->header, "ENCRYPTED") != NULL) {
		mg_error_set(error, ENCRYPTED);
		return NULL;
	}
	pkey = block->decode(pem->der, (size_t)pem->length);
	if (pkey == NULL || !is_in_proportion(pkey, pem->length)) {
		EVP_PKEY_free(pkey);
		mg_error_set(error, "damaged: what stands in \"%s\" is no key", block->name);
		return NULL;
	}
	return mg_dkim_key_of(pkey, error);
}

/* Why there is no block that decides. */
static void explain_nothing(
	const char *pem, size_t length, bool public_half, struct mg_error *error)
{
	if (public_half)
		mg_error_set(error, "public key; expected the private one");
	else if (memmem(pem, length, "-----BEGIN ", strlen("-----BEGIN ")) != NULL)
		mg_error_set(error, "damaged, or no private key; expected PEM, PKCS#8 or PKCS#1");
	else
		mg_error_set(error, "not PEM; expected a line -----BEGIN PRIVATE KEY-----");
}

struct mg_dkim_key *mg_dkim_key_read(const char *pem, size_t length, struct mg_error *error)
{
	struct pem block = {NULL, NULL, NULL, 0};
	const struct block *kind = NULL;
	struct mg_dkim_key *key = NULL;
	bool public_half = false;
	BIO *stream;

	if (length > MG_DKIM_PEM_MAX) {
		mg_error_set(error, "over %d bytes; expected one key in PEM", MG_DKIM_PEM_MAX);
		return NULL;
	}
	stream = BIO_new_mem_buf(pem, (int)length);
	if (stream == NULL) {
		mg_error_set(error, "no memory for the key");
		goto done;
	}
	while (kind == NULL &&
		PEM_read_bio_ex(stream, &block.name, &block.header, &block.der, &block.length,
			PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1) {
		kind = find_block(block.name);
		public_half = public_half || mg_str_equal_nocase(block.name, "PUBLIC KEY") ||
			      mg_str_equal_nocase(block.name, "RSA PUBLIC KEY");
		if (kind != NULL)
			key = key_of_block(kind, &block, error);
		pem_free(&block);
	}
	if (kind == NULL)
		explain_nothing(pem, length, public_half, error);
done:
	BIO_free(stream);
	ERR_clear_error();
	return key;
}
