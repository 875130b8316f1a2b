/* SPDX-License-Identifier: ISC */
/* dkim_public: a key record as a verifier reads it (RFC 6376 sections 3.6.1 and 6.1.2, RFC 8463): may
 * it verify this signature, and if so, the record in the one form that libopendkim is given. */
#ifndef MG_AUTH_DKIM_PUBLIC_H
#define MG_AUTH_DKIM_PUBLIC_H
#include <stdbool.h>
#include <stddef.h>

#include "auth/dkim_signature.h"
#include "base/buf.h"

/* Adds "v=DKIM1; k=rsa; p=…" of the text of a TXT record; an RSA key that is given without its
 * algorithm (PKCS#1) gets it. false: it may not, why in words (permerror). */
bool mg_dkim_public_read(const char *text, size_t length, const struct mg_dkim_signature *signature,
	struct mg_buf *record, char why[160]);
#endif
