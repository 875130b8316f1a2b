/* SPDX-License-Identifier: ISC */
/* Values of header fields: decoded text is UTF-8 without controls, within its limit, and a smaller
 * limit gives the beginning of it; dates are in their range. The first byte is the limit. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct mg_buf *text)
{
	assert(!text->failed);
	for (size_t i = 0, step; i < text->length; i += step) {
		step = mg_str_utf8_length(text->data + i, text->length - i);
		assert(step > 0 && (unsigned char)text->data[i] >= ' ' && text->data[i] != 0x7f);
	}
	if (text->length > 0)
		assert(text->data[0] != ' ' && text->data[text->length - 1] != ' ');
}

typedef void read_function(const char *value, size_t length, struct mg_buf *out);

static void check_reading(read_function *read, const char *value, size_t length, size_t limit)
{
	struct mg_buf whole = {.limit = 0}, cut = {.limit = limit};

	read(value, length, &whole);
	check_text(&whole);
	read(value, length, &cut);
	check_text(&cut);
	assert(cut.length <= limit && cut.length <= whole.length);
	if (cut.length > 0)
		assert(memcmp(cut.data, whole.data, cut.length) == 0);
	mg_buf_free(&whole);
	mg_buf_free(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t limit, length;
	int64_t utc;
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
	check_reading(mg_header_decode, value, length, limit);
	check_reading(mg_header_message_id, value, length, limit);
	if (mg_header_date(value, length, &utc))
		assert(utc >= 0 && utc % 1000000000 == 0);
	if (mg_header_name_valid(value, length))
		assert(length <= 200 && memchr(value, ':', length) == NULL);
	assert(mg_header_encoded_word(value, length) <= length);
	free(value);
	return 0;
}
