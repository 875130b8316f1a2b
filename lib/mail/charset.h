/* SPDX-License-Identifier: ISC */
/* charset: text in a named character set to UTF-8; hides iconv(3). Labels are those of the WHATWG
 * Encoding Standard and IANA, no case. */
#ifndef MG_MAIL_CHARSET_H
#define MG_MAIL_CHARSET_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Adds text as UTF-8, bytes that mean nothing as U+FFFD. false when the label is unknown:
 * nothing was added. Thread safe. */
bool mg_charset_decode(const char *label, size_t label_length, const char *text, size_t length,
	struct mg_buf *out);
#endif
