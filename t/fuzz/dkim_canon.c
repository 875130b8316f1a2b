/* SPDX-License-Identifier: ISC */
/* Canonical forms: a body in chunks of any cut has the hash of the body in one, which is that of the
 * plain way; so has a field. The first byte is form and line limit, the second the length of chunks,
 * the rest the text. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/dkim_canon_plain.h"
#include "auth/dkim_canon.h"
#include "base/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hash_body(enum mg_dkim_form form, size_t line_limit, size_t chunk, const uint8_t *text,
	size_t length, unsigned char digest[MG_SHA256_SIZE])
{
	struct mg_dkim_body body;

	assert(mg_dkim_body_begin(&body, form, line_limit));
	for (size_t done = 0, piece; done < length; done += piece) {
		unsigned char *exact;

		piece = chunk < length - done ? chunk : length - done;
		/* Memory of just that size: reading on is seen. */
		exact = malloc(piece);
		assert(exact != NULL);
		memcpy(exact, text + done, piece);
		mg_dkim_body_add(&body, exact, piece);
		free(exact);
	}
	assert(mg_dkim_body_end(&body, digest));
}

static void check_body(
	enum mg_dkim_form form, size_t line_limit, size_t chunk, const uint8_t *text, size_t length)
{
	unsigned char whole[MG_SHA256_SIZE], chunked[MG_SHA256_SIZE], right[MG_SHA256_SIZE];
	struct mg_buf plain = {.limit = 0};

	dkim_canon_plain_body(form, line_limit, (const char *)text, length, &plain);
	assert(mg_sha256_of(mg_buf_text(&plain), plain.length, right));
	hash_body(form, line_limit, length, text, length, whole);
	hash_body(form, line_limit, chunk, text, length, chunked);
	assert(memcmp(whole, right, sizeof right) == 0);
	assert(memcmp(chunked, right, sizeof right) == 0);
	mg_buf_free(&plain);
}

static void check_field(
	enum mg_dkim_form form, size_t line_limit, const uint8_t *text, size_t length)
{
	struct mg_buf plain = {.limit = 0}, out = {.limit = 0};

	dkim_canon_plain_field(form, line_limit, "X", 1, (const char *)text, length, &plain);
	mg_dkim_field(form, line_limit, "X", 1, (const char *)text, length, &out);
	assert(out.length == plain.length && memcmp(out.data, plain.data, out.length) == 0);
	mg_buf_free(&plain);
	mg_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t limits[] = {0, 998, 2, 3, 31, 64, 512, 2048};
	enum mg_dkim_form form;
	size_t limit;

	if (size < 2)
		return 0;
	form = data[0] % 2 == 0 ? MG_DKIM_SIMPLE : MG_DKIM_RELAXED;
	limit = limits[data[0] / 2 % (sizeof limits / sizeof limits[0])];
	check_body(form, limit, 1 + (size_t)data[1], data + 2, size - 2);
	check_field(form, limit, data + 2, size - 2);
	return 0;
}
