/* SPDX-License-Identifier: ISC */
/* conf_lex: cuts the text of a configuration into tokens. Private to conf. */
#ifndef MG_BASE_CONF_LEX_H
#define MG_BASE_CONF_LEX_H
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum { MG_CONF_TEXT_MAX = 64 * 1024 };

enum mg_conf_token_kind {
	MG_CONF_END,
	MG_CONF_WORD, /* a run of bytes that are none of the others: a name, a number, yes, no */
	MG_CONF_TEXT, /* in quotes; text is what stands between, escapes resolved */
	MG_CONF_OPEN,
	MG_CONF_CLOSE,
	MG_CONF_SET, /* = */
	MG_CONF_ADD, /* += */
	MG_CONF_COMMA,
	MG_CONF_LEFT,
	MG_CONF_RIGHT
};

struct mg_conf_token {
	enum mg_conf_token_kind kind;
	unsigned line; /* where it begins; of the end, the last line */
	const char *text; /* of WORD and TEXT; "" for the others; lives as long as the arena */
	/* What is wrong with a bad TEXT, or with a WORD that is too long, else NULL. */
	const char *problem;
};

struct mg_conf_lexer {
	struct mg_conf_token token, ahead; /* the one to look at, and the next */
	const char *at, *end;
	unsigned line;
	struct mg_arena *arena;
	bool out_of_memory; /* the arena gave no more; from then on only MG_CONF_END is read */
};

/* Reads the first tokens. The text needs no NUL and must outlive the lexer. first_line: usually
 * 1; 0: lines are not counted. */
void mg_conf_lex_start(struct mg_conf_lexer *lexer, const char *text, size_t length,
	unsigned first_line, struct mg_arena *arena);
void mg_conf_lex_next(struct mg_conf_lexer *lexer);
/* The token for an error: its text as written, "}", or "the end of the file". size >= 64. */
void mg_conf_lex_show(const struct mg_conf_token *token, char *text, size_t size);
#endif
