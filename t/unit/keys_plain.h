/* SPDX-License-Identifier: ISC */
/* keys_plain: the keys of a line by a parser that makes a tree: what event/keys.h must give. */
#ifndef MG_T_UNIT_KEYS_PLAIN_H
#define MG_T_UNIT_KEYS_PLAIN_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Adds the keys, sorted, a line each: "fold LENGTH TEXT", TEXT as it is. false: the line is no JSON
 * object, or names a member twice. */
bool keys_plain(const char *line, size_t length, struct mg_buf *out);
/* The same by event/keys.h. */
bool keys_scanned(const char *line, size_t length, struct mg_buf *out);
#endif
