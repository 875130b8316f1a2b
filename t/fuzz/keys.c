/* SPDX-License-Identifier: ISC */
/* The keys of a line: of what a parser takes they are those that it finds; of anything else they are
 * texts of the line. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/keys_plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mg_buf plain = {0}, scanned = {0};
	char *line = malloc(size > 0 ? size : 1);
	bool good;

	if (line == NULL)
		return 0;
	memcpy(line, data, size); /* no NUL behind it: reading on is seen */
	good = keys_scanned(line, size, &scanned);
	if (keys_plain(line, size, &plain)) {
		assert(good && plain.length == scanned.length);
		assert(plain.length == 0 || memcmp(plain.data, scanned.data, plain.length) == 0);
	}
	mg_buf_free(&plain);
	mg_buf_free(&scanned);
	free(line);
	return 0;
}
