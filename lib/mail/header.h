/* SPDX-License-Identifier: ISC */
/* header: reading the values of header fields: unfolding, encoded words (RFC 2047), Message-ID,
 * dates (RFC 5322 section 3.3 and obsolete zones). What is added to a buffer is bounded by its
 * limit: text that does not fit is cut at a character, and the buffer has not failed. */
#ifndef MG_MAIL_HEADER_H
#define MG_MAIL_HEADER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Adds the value as UTF-8 text: a fold is one blank, leading and trailing blanks are off,
 * control bytes are blanks or U+FFFD, encoded words are decoded (adjacent ones joined, a
 * character cut over two of them put together), raw 8-bit text is read as UTF-8 when it is, else
 * as ISO-8859-1; what cannot be decoded stays as it is. */
void mg_header_decode(const char *value, size_t length, struct mg_buf *out);
/* The same of text that has no encoded words. */
void mg_header_plain(const char *text, size_t length, struct mg_buf *out);
/* Length of the encoded word at the start of text, 0 when there is none. */
size_t mg_header_encoded_word(const char *text, size_t length);
/* Adds the Message-ID without angle brackets, or the value as it is without folds and outer
 * blanks when it has none. */
void mg_header_message_id(const char *value, size_t length, struct mg_buf *out);
/* UTC ns of a date value; false when it is none. Years 1970 to 2261, which nanoseconds can tell. */
bool mg_header_date(const char *value, size_t length, int64_t *utc);
/* Is `name` (length bytes) a field name: 1 to 200 bytes of 33 to 126 without ":" (RFC 5322 section
 * 2.2). */
bool mg_header_name_valid(const char *name, size_t length);
#endif
