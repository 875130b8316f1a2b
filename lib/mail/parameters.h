/* SPDX-License-Identifier: ISC */
/* parameters: the parameters of Content-Type, Content-Disposition and their like (RFC 2045 section
 * 5.1), also in pieces, with a character set and percent signs (RFC 2231), and as encoded words in
 * quotes (RFC 2047, which forbids them; mailers send them). Blanks, comments, missing quotes and
 * other junk are read as mail programs read them: the aim is the one name a reader sees. */
#ifndef MG_MAIL_PARAMETERS_H
#define MG_MAIL_PARAMETERS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* The media type at the begin of a Content-Type: "text/html" in lower case; false when it is none,
 * or over size - 1 bytes. */
bool mg_parameters_type(const char *value, size_t length, char *type, size_t size);
/* The first word of a Content-Disposition in lower case, likewise. */
bool mg_parameters_word(const char *value, size_t length, char *word, size_t size);
/* Adds the parameter `name` (no case) as UTF-8 text: RFC 2231 forms win over the plain one, pieces
 * in the order of their numbers (the first 100), the first of several wins; tabs and folds as blanks,
 * none around it, control bytes as U+FFFD. false: there is none, or it is empty. Cut by the limit of
 * out. */
bool mg_parameters_text(const char *value, size_t length, const char *name, struct mg_buf *out);
/* Adds the parameter as the bytes that stand there, quotes and backslashes resolved: a boundary. */
bool mg_parameters_bytes(const char *value, size_t length, const char *name, struct mg_buf *out);
#endif
