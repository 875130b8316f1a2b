/* SPDX-License-Identifier: ISC */
/* A key file: what is read signs, and is the same after it was written and read again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/dkim_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_key(const struct mg_dkim_key *key)
{
	static const unsigned char digest[MG_SHA256_SIZE];
	unsigned char signature[MG_DKIM_SIGNATURE_MAX];
	struct mg_buf pem = {.limit = 0};
	struct mg_dkim_key *again;
	char why[128];

	assert(mg_dkim_key_sign(key, digest, signature) > 0);
	assert(mg_dkim_key_write(key, &pem));
	again = mg_dkim_key_read(pem.data, pem.length, NULL);
	assert(again != NULL);
	assert(strcmp(mg_dkim_key_public(again), mg_dkim_key_public(key)) == 0);
	mg_dkim_key_wipe(&pem);
	mg_dkim_record_text(key, &pem);
	assert(mg_dkim_record_compare(again, pem.data, pem.length, why) == MG_DKIM_RECORD_SAME);
	mg_buf_free(&pem);
	mg_dkim_key_release(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mg_error error = {""};
	struct mg_dkim_key *key = mg_dkim_key_read((const char *)data, size, &error);

	if (key != NULL)
		check_key(key);
	else
		assert(error.text[0] != '\0');
	mg_dkim_key_release(key);
	return 0;
}
