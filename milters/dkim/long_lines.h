/* SPDX-License-Identifier: ISC */
/* long_lines: header lines that Postfix's smtp client would cut when it sends them. Cut at any
 * octet they may break the signature, or a word; so they are folded at blanks before. */
#ifndef MG_DKIM_LONG_LINES_H
#define MG_DKIM_LONG_LINES_H
#include <stdbool.h>
#include <stddef.h>

#include "auth/dkim_sign.h"
#include "base/buf.h"
#include "mail/filter.h"

/* Has a field that will be signed a line over the limit (octets), or any field its name? */
bool dkim_long_lines_any(const struct mg_header *headers, size_t count,
	const struct mg_dkim_names *names, size_t limit);
/* Folds the lines over the limit of all fields that will be signed, by changes of the fields, which
 * end what mg_headers() gave. *left: some line has no blank to be folded at, or is
 * of a field that cannot be changed. false: out of
 * message_memory. */
bool dkim_long_lines_fold(
	struct mg_call *call, const struct mg_dkim_names *names, size_t limit, bool *left);
/* Adds the value with its long lines folded (CRLF), and says if one is left: name_length and the
 * colon stand before it on its first line. */
bool dkim_long_lines_fold_value(
	size_t name_length, const char *value, size_t length, size_t limit, struct mg_buf *out);
#endif
