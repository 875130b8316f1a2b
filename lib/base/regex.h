/* SPDX-License-Identifier: ISC */
/* regex: regular expressions of a configuration (pcre2pattern(3)) over the text of strangers. Hides
 * libpcre2-8. Pattern and text are UTF-8; a byte that is none fits nothing. Letters have case
 * unless the pattern begins with (?i). What a match may cost is bounded: no text makes a careless
 * pattern run long or take more than 8 MiB. */
#ifndef MG_BASE_REGEX_H
#define MG_BASE_REGEX_H
#include <stddef.h>

#include "base/error.h"

struct mg_regex;

/* Compiles a pattern. NULL with error: "missing closing parenthesis at column 7" (bytes, from 1), or
 * out of memory. Immutable and thread safe; freed by mg_regex_free. */
struct mg_regex *mg_regex_new(const char *pattern, struct mg_error *error);
void mg_regex_free(struct mg_regex *regex);

/* Does the pattern fit somewhere in text? 1 it does, 0 not, -1 with error: it ran into its bounds,
 * or out of memory. */
int mg_regex_test(
	const struct mg_regex *regex, const char *text, size_t length, struct mg_error *error);
#endif
