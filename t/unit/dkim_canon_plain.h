/* SPDX-License-Identifier: ISC */
/* dkim_canon_plain: what lib/auth/dkim_canon does, in the slowest and most obvious way: the whole
 * text, one rule after the other, a byte at a time. Tests and the fuzzer compare the two. */
#ifndef MG_T_UNIT_DKIM_CANON_PLAIN_H
#define MG_T_UNIT_DKIM_CANON_PLAIN_H
#include <stddef.h>

#include "auth/dkim_canon.h"
#include "base/buf.h"

/* Adds the canonical body. */
void dkim_canon_plain_body(enum mg_dkim_form form, size_t line_limit, const char *body,
	size_t length, struct mg_buf *out);
void dkim_canon_plain_field(enum mg_dkim_form form, size_t line_limit, const char *name,
	size_t name_length, const char *value, size_t value_length, struct mg_buf *out);
#endif
