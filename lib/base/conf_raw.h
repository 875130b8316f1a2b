/* SPDX-License-Identifier: ISC */
/* conf_raw: a value as it is written, before its setting says what it must be. Private to conf. */
#ifndef MG_BASE_CONF_RAW_H
#define MG_BASE_CONF_RAW_H
#include <stdbool.h>
#include <stddef.h>

#include "base/conf_lex.h"
#include "base/conf_tree.h"

enum mg_conf_raw_kind {
	MG_CONF_RAW_WORD, /* without quotes: 5, yes */
	MG_CONF_RAW_TEXT, /* in quotes */
	MG_CONF_RAW_BARE, /* of -o or a default, where either is meant */
	MG_CONF_RAW_LIST
};

struct mg_conf_entry {
	const char *text;
	unsigned line;
};

struct mg_conf_raw {
	enum mg_conf_raw_kind kind;
	unsigned line;
	const char *text; /* all but lists */
	const struct mg_conf_entry *entries; /* of a list */
	size_t count;
};

/* Reads the value of setting `name` at the lexer's token, and stops behind it. false with errors,
 * or when out of memory; then too the lexer is behind what could be taken for the value. context
 * may be NULL: then only false says so. */
bool mg_conf_raw_read(struct mg_conf_tree *tree, struct mg_conf_lexer *lexer, const char *name,
	struct mg_conf_raw *raw, const struct mg_conf_context *context);
/* The whole of text as a value, as -o and defaults have it: quotes may be left out. */
bool mg_conf_raw_parse(struct mg_conf_tree *tree, const char *text, const char *name,
	struct mg_conf_raw *raw, const struct mg_conf_context *context);
#endif
