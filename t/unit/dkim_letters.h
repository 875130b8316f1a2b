/* SPDX-License-Identifier: ISC */
/* dkim_letters: messages that are hard to sign, and signing one as a daemon does: for the tests of the
 * signer, and for the other implementations that judge its signatures. */
#ifndef MG_T_UNIT_DKIM_LETTERS_H
#define MG_T_UNIT_DKIM_LETTERS_H
#include <stddef.h>
#include <stdint.h>

#include "auth/dkim_canon.h"
#include "auth/dkim_key.h"
#include "auth/dkim_names.h"
#include "base/buf.h"
#include "mail/message.h"

enum { LETTERS_MAX = 32, LETTER_HEADERS_MAX = 1200 };

#define LETTER_DOMAIN "example.org"
#define LETTER_SELECTOR "s2026"

struct letter {
	const char *name;
	struct mg_buf text; /* as on the wire: CRLF, header, empty line, body */
	struct mg_header headers[LETTER_HEADERS_MAX]; /* into text */
	size_t header_count;
	const char *body; /* into text */
	size_t body_length;
};

/* A letter from text, which is copied; the test fails when it has no empty line. */
void letter_read(struct letter *letter, const char *name, const char *text, size_t length);
void letter_free(struct letter *letter);
/* All of them; free each. */
size_t letters_make(struct letter *letters[LETTERS_MAX]);
/* One by chance, always the same for a number; free it. */
struct letter *letter_random(uint64_t number);
void letters_free(struct letter *letters[], size_t count);
/* Adds "DKIM-Signature:" and the value, without CRLF at its end. */
void letter_sign(const struct letter *letter, const struct mg_dkim_names *names,
	const struct mg_dkim_key *key, enum mg_dkim_form header_form, enum mg_dkim_form body_form,
	struct mg_buf *field);
#endif
