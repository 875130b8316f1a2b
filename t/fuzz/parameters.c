/* SPDX-License-Identifier: ISC */
/* Parameters: text is UTF-8 without controls and within its limit, a smaller limit gives the
 * beginning of it, and types are of token characters. The first byte is the limit. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mail/parameters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *value, size_t length, size_t limit)
{
	struct mg_buf whole = {.limit = 0}, cut = {.limit = limit};
	bool found = mg_parameters_text(value, length, "name", &whole);

	assert(!whole.failed && found == (whole.length > 0));
	for (size_t i = 0, step; i < whole.length; i += step) {
		step = mg_str_utf8_length(whole.data + i, whole.length - i);
		assert(step > 0 && (unsigned char)whole.data[i] >= ' ' && whole.data[i] != 0x7f);
	}
	mg_parameters_text(value, length, "name", &cut);
	assert(!cut.failed && cut.length <= limit && cut.length <= whole.length);
	if (cut.length > 0)
		assert(memcmp(cut.data, whole.data, cut.length) == 0);
	mg_buf_free(&whole);
	mg_buf_free(&cut);
}

static void check_bytes(const char *value, size_t length, size_t limit)
{
	struct mg_buf whole = {.limit = 0}, cut = {.limit = limit};

	assert(mg_parameters_bytes(value, length, "name", &whole) == (whole.length > 0));
	mg_parameters_bytes(value, length, "name", &cut);
	assert(!whole.failed && !cut.failed && whole.length <= length);
	assert(cut.length == (whole.length < limit ? whole.length : limit));
	mg_buf_free(&whole);
	mg_buf_free(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char word[64], type[64];
	size_t limit, length;
	char *value;

	if (size == 0)
		return 0;
	limit = (size_t)data[0] + 1;
	length = size - 1;
	/* No NUL behind it: reading on is seen. */
	value = malloc(length > 0 ? length : 1);
	if (value == NULL)
		return 0;
	memcpy(value, data + 1, length);
	check_text(value, length, limit);
	check_bytes(value, length, limit);
	if (mg_parameters_type(value, length, type, sizeof(type))) {
		assert(mg_parameters_word(value, length, word, sizeof(word)));
		assert(strncmp(type, word, strlen(word)) == 0 && type[strlen(word)] == '/');
		for (const char *at = type; *at != '\0'; at++)
			assert(*at > ' ' && *at < 127 && strchr("();\"=", *at) == NULL);
	}
	free(value);
	return 0;
}
