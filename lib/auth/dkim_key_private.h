/* SPDX-License-Identifier: ISC */
/* Shared by the parts of dkim_key: dkim_key (its life, signing), dkim_key_read (PEM) and
 * dkim_key_record (what DNS has). */
#ifndef MG_AUTH_DKIM_KEY_PRIVATE_H
#define MG_AUTH_DKIM_KEY_PRIVATE_H
#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "auth/dkim_key.h"

enum { MG_DKIM_RSA_MIN = 512 /* bits: fewer do not hold the hash and its padding safely */ };

/* Takes pkey, a whole key pair of one of the algorithms; gives it back to OpenSSL on failure as
 * well. NULL with error: another algorithm, a size out of bounds, halves that do not fit. */
struct mg_dkim_key *mg_dkim_key_of(EVP_PKEY *pkey, struct mg_error *error);

/* What a public key is, beside ours. */
enum mg_dkim_public {
	MG_DKIM_PUBLIC_SAME,
	MG_DKIM_PUBLIC_OTHER,
	MG_DKIM_PUBLIC_WRONG_FORM, /* ours, as no verifier reads it */
	MG_DKIM_PUBLIC_NONE /* no key of this type in base64, or no memory */
};
/* base64: what p= says, without white space. */
enum mg_dkim_public mg_dkim_key_compare(
	const struct mg_dkim_key *key, const char *base64, size_t length);
#endif
