/* SPDX-License-Identifier: ISC */
/* json: goes through a JSON text (RFC 8259) of a stranger from its begin: members of an object,
 * values of a list, with no memory of its own and no depth to fall into. Where the text is broken it
 * ends: what was read before stays. */
#ifndef MG_MILTERS_LOG_JSON_H
#define MG_MILTERS_LOG_JSON_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A piece of the text. */
struct log_json {
	const char *at, *end;
};

/* Begins an object or a list, after blanks: open is '{' or '['. false: it is none. */
bool log_json_open(struct log_json *json, char open);
/* The next member of an object, of a list the next value: its name (added to name; NULL in a list)
 * and its value as a piece of the text. false: there is no more. */
bool log_json_next(struct log_json *json, struct mg_buf *name, struct log_json *value);
/* Adds a value as text: what a string says, in UTF-8; others as they stand. false: null, or
 * nothing. */
bool log_json_text(const struct log_json *value, struct mg_buf *out);
#endif
