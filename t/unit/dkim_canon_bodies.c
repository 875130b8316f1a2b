/* SPDX-License-Identifier: ISC */
#include "dkim_canon_bodies.h"

#include <stdint.h>
#include <string.h>

static uint64_t random_state = 1;

size_t dkim_canon_random_below(size_t limit)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(random_state >> 33) % limit;
}

size_t dkim_canon_random_body(char *body, size_t size)
{
	static const char *const pieces[] = {"a", "word ", " ", "  ", "\t", "\r\n", "\r\n\r\n",
		"\r", "\n", " \r\n", "\t\r\n", ".", "a line of a length that is usual in mail\r\n",
		"\xff\xfe"};
	size_t length = 0, target = dkim_canon_random_below(size);

	while (length < target) {
		if (dkim_canon_random_below(8) == 0) {
			size_t run = dkim_canon_random_below(
				dkim_canon_random_below(4) == 0 ? 3000 : 60);

			if (run > size - length)
				run = size - length;
			memset(body + length, "x \t"[dkim_canon_random_below(3)], run);
			length += run;
		} else {
			const char *piece =
				pieces[dkim_canon_random_below(sizeof pieces / sizeof pieces[0])];
			size_t piece_length = strlen(piece);

			if (piece_length > size - length)
				break;
			memcpy(body + length, piece, piece_length);
			length += piece_length;
		}
	}
	return length;
}
