/* SPDX-License-Identifier: ISC */
#include "track/pack.h"

#include <string.h>

enum {
	TEXT_NONE = 0xffff, /* the length of a text that is not there */
	NUMBER_BYTES_MAX = 10
};

struct track_text track_text(const char *text)
{
	return (struct track_text){text, text != NULL ? strlen(text) : 0};
}

bool track_text_is(struct track_text text, const char *word)
{
	return text.text != NULL && text.length == strlen(word) &&
	       memcmp(text.text, word, text.length) == 0;
}

bool track_text_same(struct track_text a, struct track_text b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.text, b.text, a.length) == 0);
}

bool track_text_starts(struct track_text text, const char *prefix)
{
	size_t length = strlen(prefix);

	return text.length >= length && memcmp(text.text, prefix, length) == 0;
}

const char *track_text_copy(struct track_text text, char *target, size_t size)
{
	size_t length = text.length < size ? text.length : size - 1;

	if (length > 0)
		memcpy(target, text.text, length);
	target[length] = '\0';
	return target;
}

/* Seven bits a byte, the lowest first: most numbers are small. */
void track_pack_number(struct mg_buf *record, uint64_t number)
{
	unsigned char bytes[NUMBER_BYTES_MAX];
	size_t count = 0;

	for (; number >= 0x80; number >>= 7)
		bytes[count++] = (unsigned char)(number | 0x80);
	bytes[count++] = (unsigned char)number;
	mg_buf_add(record, bytes, count);
}

void track_pack_text(struct mg_buf *record, struct track_text text, size_t most)
{
	size_t length = text.length < most ? text.length : most;

	track_pack_number(record, text.text != NULL ? length : TEXT_NONE);
	if (text.text == NULL)
		return;
	mg_buf_add(record, text.text, length);
	mg_buf_add_char(record, '\0');
}

uint64_t track_unpack_number(struct track_unpacking *from)
{
	uint64_t number = 0;

	for (unsigned shift = 0; !from->failed; shift += 7) {
		if (from->at >= from->end || shift > 63) {
			from->failed = true;
			break;
		}
		number |= (uint64_t)(*from->at & 0x7f) << shift;
		if (*from->at++ < 0x80)
			return number;
	}
	return 0;
}

struct track_text track_unpack_text(struct track_unpacking *from)
{
	uint64_t length = track_unpack_number(from);
	struct track_text text = {NULL, 0};

	if (from->failed || length == TEXT_NONE)
		return text;
	if (length >= (size_t)(from->end - from->at)) {
		from->failed = true;
		return text;
	}
	text.text = (const char *)from->at;
	text.length = length;
	from->at += length + 1;
	return text;
}
