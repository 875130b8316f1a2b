/* SPDX-License-Identifier: ISC */
/* references: character references of HTML (HTML Living Standard section 13.5), those that URLs are
 * written with and all that are numbers. */
#ifndef MG_MILTERS_LOG_REFERENCES_H
#define MG_MILTERS_LOG_REFERENCES_H
#include <stddef.h>

enum { LOG_CHARACTER_MAX = 4 /* bytes of a character */ };

/* text: what stands between "&" and its end ("amp", "#x2f"). Writes the character as UTF-8 and
 * returns its length; 0: no reference, or another. */
size_t log_reference(const char *text, size_t length, char character[LOG_CHARACTER_MAX]);
#endif
