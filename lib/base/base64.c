/* SPDX-License-Identifier: ISC */
#include "base/base64.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t mg_base64_encode(char *target, const unsigned char *bytes, size_t length)
{
	char *to = target;

	for (; length >= 3; length -= 3, bytes += 3) {
		uint32_t three = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];

		*to++ = digits[three >> 18];
		*to++ = digits[three >> 12 & 63];
		*to++ = digits[three >> 6 & 63];
		*to++ = digits[three & 63];
	}
	if (length > 0) {
		uint32_t rest = (uint32_t)bytes[0] << 16;

		if (length == 2)
			rest |= (uint32_t)bytes[1] << 8;
		*to++ = digits[rest >> 18];
		*to++ = digits[rest >> 12 & 63];
		*to++ = length == 2 ? digits[rest >> 6 & 63] : '=';
		*to++ = '=';
	}
	*to = '\0';
	return (size_t)(to - target);
}
