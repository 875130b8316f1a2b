/* SPDX-License-Identifier: ISC */
#include "log/references.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const struct {
	const char *name;
	char character;
} names[] = {{"amp", '&'}, {"AMP", '&'}, {"colon", ':'}, {"sol", '/'}, {"bsol", '\\'},
	{"period", '.'}, {"commat", '@'}, {"lowbar", '_'}, {"num", '#'}, {"quest", '?'},
	{"quot", '"'}, {"QUOT", '"'}, {"apos", '\''}, {"lt", '<'}, {"LT", '<'}, {"gt", '>'},
	{"GT", '>'}, {"equals", '='}, {"percnt", '%'}, {"lpar", '('}, {"rpar", ')'}, {"lsqb", '['},
	{"lbrack", '['}, {"rsqb", ']'}, {"rbrack", ']'}, {"Tab", '\t'}, {"NewLine", '\n'},
	{"nbsp", ' '}};

static size_t encode(uint32_t code, char character[LOG_CHARACTER_MAX])
{
	size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	for (size_t i = length; i-- > 1; code >>= 6)
		character[i] = (char)(0x80 | (code & 0x3f));
	character[0] = (char)(first[length] | code);
	return length;
}

static size_t read_number(const char *text, size_t length, char character[LOG_CHARACTER_MAX])
{
	bool hex = length > 0 && (text[0] | 0x20) == 'x';
	uint32_t code = 0;

	for (size_t i = hex; i < length; i++) {
		uint32_t digit = (uint32_t)text[i] - '0';

		if (hex && digit > 9)
			digit = ((uint32_t)text[i] | 0x20) - 'a' + 10;
		if (digit >= (hex ? 16u : 10u) || code > 0x10ffff)
			return 0;
		code = code * (hex ? 16 : 10) + digit;
	}
	return encode(code, character);
}

size_t log_reference(const char *text, size_t length, char character[LOG_CHARACTER_MAX])
{
	if (length > 0 && text[0] == '#')
		return read_number(text + 1, length - 1, character);
	for (size_t i = 0; length > 1 && i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].name[0] != text[0] || strlen(names[i].name) != length ||
			memcmp(names[i].name, text, length) != 0)
			continue;
		character[0] = names[i].character;
		return 1;
	}
	return 0;
}
