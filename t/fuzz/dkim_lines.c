/* SPDX-License-Identifier: ISC */
/* Long lines, and what a body declares. A folded value is the value again when its folds are taken
 * out, and folding it once more changes nothing; what is found in a body does not depend on how it
 * is cut. The first byte is the limit, the second one the size of a chunk. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "dkim/fragile.h"
#include "dkim/long_lines.h"

enum { NAME = 10, LEAST = 100 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the runner gives values: no line end but a fold. */
static bool is_value(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\r' && (i + 1 == length || text[i + 1] != '\n'))
			return false;
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r' || i + 1 == length ||
					       (text[i + 1] != ' ' && text[i + 1] != '\t')))
			return false;
	}
	return true;
}

static void unfold(const char *text, size_t length, struct mg_buf *out)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != '\r' && text[i] != '\n')
			mg_buf_add_char(out, text[i]);
}

static size_t longest_line(const struct mg_buf *value)
{
	size_t column = NAME + 1, longest = column;

	for (size_t i = 0; i < value->length; i++) {
		column = value->data[i] == '\n' ? 0 : column + (value->data[i] != '\r');
		longest = column > longest ? column : longest;
	}
	return longest;
}

static void check_fold(const char *text, size_t length, size_t limit)
{
	struct mg_buf folded = {0}, again = {0}, before = {0}, after = {0};
	bool left = dkim_long_lines_fold_value(NAME, text, length, limit, &folded);

	assert(!folded.failed && is_value(mg_buf_text(&folded), folded.length));
	assert(left || longest_line(&folded) <= limit);
	unfold(text, length, &before);
	unfold(mg_buf_text(&folded), folded.length, &after);
	assert(before.length == after.length);
	assert(memcmp(mg_buf_text(&before), mg_buf_text(&after), before.length) == 0);
	assert(dkim_long_lines_fold_value(
		       NAME, mg_buf_text(&folded), folded.length, limit, &again) == left);
	assert(again.length == folded.length);
	assert(memcmp(mg_buf_text(&again), mg_buf_text(&folded), folded.length) == 0);
	mg_buf_free(&folded);
	mg_buf_free(&again);
	mg_buf_free(&before);
	mg_buf_free(&after);
}

static bool has_long_line(const unsigned char *body, size_t length, size_t limit)
{
	size_t column = 0;

	for (size_t i = 0; i < length; i++) {
		column = body[i] == '\n' ? 0 : column + 1;
		if (column > limit + 1)
			return true;
	}
	return false;
}

static struct dkim_body_facts look(
	const unsigned char *body, size_t length, size_t limit, size_t chunk)
{
	const struct mg_header header = {.name = "Content-Type",
		.name_length = 12,
		.value = " multipart/x",
		.value_length = 12};
	struct dkim_body_facts facts;

	dkim_body_facts_begin(&facts, &header, 1, limit);
	for (size_t at = 0; at < length; at += chunk)
		dkim_body_facts_add(&facts, body + at, length - at < chunk ? length - at : chunk);
	return facts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dkim_body_facts whole, cut;
	size_t limit, length;
	char *text;

	if (size < 3)
		return 0;
	limit = LEAST + data[0];
	length = size - 2;
	/* No NUL behind it: reading on is seen. */
	text = malloc(length);
	if (text == NULL)
		return 0;
	memcpy(text, data + 2, length);
	if (is_value(text, length))
		check_fold(text, length, limit);
	whole = look((const unsigned char *)text, length, limit, length);
	cut = look((const unsigned char *)text, length, limit, (size_t)data[1] + 1);
	assert(whole.eight_bit == cut.eight_bit && whole.long_line == cut.long_line);
	assert(whole.long_line == has_long_line((const unsigned char *)text, length, limit));
	free(text);
	return 0;
}
