/* SPDX-License-Identifier: ISC */
/* dkim_canon_print LINE_LIMIT body|field FILE...: of each file a line with two SHA-256 in hex, those of
 * the simple and of the relaxed form. A field file is "Name:value" without its last line end. Bodies
 * are fed in chunks of changing size. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/dkim_canon.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/str.h"

enum { CHUNK_MAX = 70000 };

static bool read_file(const char *path, struct mg_buf *text)
{
	FILE *file = fopen(path, "re");
	char piece[4096];
	size_t length;

	if (file == NULL) {
		perror(path);
		return false;
	}
	while ((length = fread(piece, 1, sizeof piece, file)) > 0)
		mg_buf_add(text, piece, length);
	fclose(file);
	return !text->failed;
}

static bool hash_body(enum mg_dkim_form form, size_t line_limit, const struct mg_buf *text,
	unsigned char digest[MG_SHA256_SIZE])
{
	struct mg_dkim_body body;
	size_t chunk = 1;

	if (!mg_dkim_body_begin(&body, form, line_limit))
		return false;
	for (size_t done = 0, piece; done < text->length; done += piece) {
		piece = chunk < text->length - done ? chunk : text->length - done;
		mg_dkim_body_add(&body, (const unsigned char *)text->data + done, piece);
		chunk = chunk * 3 % CHUNK_MAX + 1;
	}
	return mg_dkim_body_end(&body, digest);
}

static bool hash_field(enum mg_dkim_form form, size_t line_limit, const struct mg_buf *text,
	unsigned char digest[MG_SHA256_SIZE])
{
	struct mg_buf out = {.limit = 0};
	const char *field = mg_buf_text(text), *colon = strchr(field, ':');
	bool good;

	if (colon == NULL)
		return false;
	mg_dkim_field(form, line_limit, field, (size_t)(colon - field), colon + 1,
		text->length - (size_t)(colon + 1 - field), &out);
	good = !out.failed && mg_sha256_of(out.data, out.length, digest);
	mg_buf_free(&out);
	return good;
}

static bool print_file(const char *path, size_t line_limit, bool is_field)
{
	struct mg_buf text = {.limit = 0};
	bool good = read_file(path, &text);

	for (enum mg_dkim_form form = MG_DKIM_SIMPLE; good && form <= MG_DKIM_RELAXED; form++) {
		unsigned char digest[MG_SHA256_SIZE];
		char hex[2 * MG_SHA256_SIZE + 1];

		good = is_field ? hash_field(form, line_limit, &text, digest)
				: hash_body(form, line_limit, &text, digest);
		mg_str_hex(hex, digest, sizeof digest);
		printf("%s%c", hex, form == MG_DKIM_SIMPLE ? ' ' : '\n');
	}
	mg_buf_free(&text);
	return good;
}

int main(int argc, char **argv)
{
	uint64_t line_limit;

	if (argc < 3 || !mg_str_number(argv[1], UINT32_MAX, &line_limit)) {
		fprintf(stderr, "usage: dkim_canon_print LINE_LIMIT body|field FILE...\n");
		return 64;
	}
	for (int i = 3; i < argc; i++)
		if (!print_file(argv[i], (size_t)line_limit, strcmp(argv[2], "field") == 0))
			return 1;
	return 0;
}
