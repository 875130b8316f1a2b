/* SPDX-License-Identifier: ISC */
/* json_text: text of strangers as a JSON text (RFC 8259 section 7). */
#ifndef MG_EVENT_JSON_TEXT_H
#define MG_EVENT_JSON_TEXT_H
#include <stddef.h>

#include "base/buf.h"

/* Adds text in quotes, on one line. U+FFFD stands for each byte that is no UTF-8. */
void mg_json_text(struct mg_buf *out, const char *text, size_t length);
#endif
