/* SPDX-License-Identifier: ISC */
/* base64: RFC 4648 section 4, writing. */
#ifndef MG_BASE_BASE64_H
#define MG_BASE_BASE64_H
#include <stddef.h>

/* Characters of the text of so many bytes, padding counted. */
#define MG_BASE64_LENGTH(bytes) (((bytes) + 2) / 3 * 4)

/* Writes the text, padded, and a NUL into target: MG_BASE64_LENGTH(length) + 1 bytes. Returns the
 * length of the text. */
size_t mg_base64_encode(char *target, const unsigned char *bytes, size_t length);
#endif
