/* SPDX-License-Identifier: ISC */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static unsigned char lower(char character)
{
	unsigned char byte = (unsigned char)character;

	return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

bool mg_str_copy(char *target, size_t size, const char *text)
{
	size_t length = strnlen(text, size);
	bool whole = length < size;

	if (!whole)
		length = size - 1;
	memcpy(target, text, length);
	target[length] = '\0';
	return whole;
}

bool mg_str_format(char *target, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(target, size, format, arguments);
	va_end(arguments);
	if (length < 0)
		target[0] = '\0';
	return length >= 0 && (size_t)length < size;
}

bool mg_str_equal_nocase(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

bool mg_str_starts_nocase(const char *text, const char *prefix)
{
	while (*prefix != '\0' && lower(*text) == lower(*prefix)) {
		text++;
		prefix++;
	}
	return *prefix == '\0';
}

void mg_str_lower(char *text)
{
	mg_str_lower_n(text, strlen(text));
}

void mg_str_lower_n(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		text[i] = (char)lower(text[i]);
}

/* RFC 3629 section 4: the first byte gives the length and the bounds of the second one. */
static const struct utf8_lead {
	unsigned char first, last, length, second_minimum, second_maximum;
} utf8_leads[] = {
	{0x00, 0x7f, 1, 0, 0},
	{0xc2, 0xdf, 2, 0x80, 0xbf},
	{0xe0, 0xe0, 3, 0xa0, 0xbf},
	{0xe1, 0xec, 3, 0x80, 0xbf},
	{0xed, 0xed, 3, 0x80, 0x9f},
	{0xee, 0xef, 3, 0x80, 0xbf},
	{0xf0, 0xf0, 4, 0x90, 0xbf},
	{0xf1, 0xf3, 4, 0x80, 0xbf},
	{0xf4, 0xf4, 4, 0x80, 0x8f},
};

size_t mg_str_utf8_length(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	const struct utf8_lead *lead = utf8_leads;
	const struct utf8_lead *end = lead + sizeof(utf8_leads) / sizeof(utf8_leads[0]);

	if (length == 0)
		return 0;
	while (lead < end && bytes[0] > lead->last)
		lead++;
	if (lead == end || bytes[0] < lead->first || lead->length > length)
		return 0;
	if (lead->length == 1)
		return 1;
	if (bytes[1] < lead->second_minimum || bytes[1] > lead->second_maximum)
		return 0;
	for (size_t i = 2; i < lead->length; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return lead->length;
}

/* The code point of a valid character of `length` bytes. */
static uint32_t utf8_decode(const char *text, size_t length)
{
	static const unsigned char lead_masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t point = (unsigned char)text[0] & lead_masks[length];

	for (size_t i = 1; i < length; i++)
		point = point << 6 | ((unsigned char)text[i] & 0x3f);
	return point;
}

/* What moves or hides the text around it: controls, joiners, line separators, directions, tags. */
static bool is_invisible(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0x00, 0x1f},
		{0x7f, 0x9f},
		{0xad, 0xad},
		{0x61c, 0x61c},
		{0x180e, 0x180e},
		{0x200b, 0x200f},
		{0x2028, 0x202e},
		{0x2060, 0x206f},
		{0xfdd0, 0xfdef},
		{0xfeff, 0xfeff},
		{0xfff9, 0xfffb},
		{0xe0000, 0xe0fff},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	return (point & 0xfffe) == 0xfffe;
}

/* One character at text, or its first byte escaped, into piece; returns how many bytes it used. */
static size_t printable_piece(char piece[static 5], const char *text, size_t length)
{
	size_t used = mg_str_utf8_length(text, length);

	if (used == 0 || is_invisible(utf8_decode(text, used))) {
		snprintf(piece, 5, "\\x%02x", (unsigned)(unsigned char)text[0]);
		return 1;
	}
	memcpy(piece, text, used);
	piece[used] = '\0';
	return used;
}

const char *mg_str_printable(char *target, size_t size, const char *text, size_t length)
{
	static const char more[] = "…";
	size_t used = 0, cut = 0; /* cut: where `more` still has room behind whole characters */

	for (size_t i = 0; i < length;) {
		char piece[5];
		size_t piece_length;

		i += printable_piece(piece, text + i, length - i);
		piece_length = strlen(piece);
		if (used + piece_length >= size) {
			used = cut;
			if (used + sizeof(more) <= size) {
				memcpy(target + used, more, sizeof(more) - 1);
				used += sizeof(more) - 1;
			}
			break;
		}
		memcpy(target + used, piece, piece_length);
		used += piece_length;
		if (used + sizeof(more) <= size)
			cut = used;
	}
	target[used] = '\0';
	return target;
}

void mg_str_hex(char *target, const void *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;

	for (size_t i = 0; i < length; i++) {
		target[2 * i] = digits[from[i] >> 4];
		target[2 * i + 1] = digits[from[i] & 0xf];
	}
	target[2 * length] = '\0';
}

bool mg_str_number(const char *text, uint64_t maximum, uint64_t *number)
{
	uint64_t value = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		uint64_t digit;

		if (*text < '0' || *text > '9')
			return false;
		digit = (uint64_t)(*text - '0');
		if (digit > maximum || value > (maximum - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}

enum { NEAREST_MAX = 64 }; /* no name of ours is longer */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance with exchanged neighbours as one edit (optimal string alignment). Neither length is
 * over NEAREST_MAX. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][NEAREST_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *oldest = before;

		before = above;
		above = row;
		row = oldest;
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t changed = above[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = smaller(changed, smaller(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
	}
	return row[b_length];
}

const char *mg_str_nearest(const char *text, const char *const names[], size_t count)
{
	size_t length = strnlen(text, NEAREST_MAX + 1);
	size_t best = length / 3 < 2 ? 2 : length / 3;
	const char *nearest = NULL;

	if (length > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t name_length = strnlen(names[i], NEAREST_MAX + 1);
		size_t distance;

		if (name_length > NEAREST_MAX)
			continue;
		distance = edit_distance(text, length, names[i], name_length);
		/* Nothing in common is not near, however short. */
		if (distance >= length && distance >= name_length)
			continue;
		if (nearest == NULL ? distance <= best : distance < best) {
			nearest = names[i];
			best = distance;
		}
	}
	return nearest;
}
