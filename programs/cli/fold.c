/* SPDX-License-Identifier: ISC */
#include "cli/fold.h"

#include <stdbool.h>
#include <string.h>

static const char name_sign[] = "…", number_sign[] = "#";

/* What names, addresses and ids are made of. */
enum { DIGIT = 1, LETTER = 2, AT = 4, DOT = 8, MARK = 16 };
static const unsigned char kinds[256] = {
	['0' ... '9'] = DIGIT,
	['a' ... 'z'] = LETTER,
	['A' ... 'Z'] = LETTER,
	[0x80 ... 0xff] = LETTER,
	['@'] = AT,
	['.'] = DOT,
	['-'] = MARK,
	['_'] = MARK,
	['+'] = MARK,
};

static unsigned kind_of(char character)
{
	return kinds[(unsigned char)character];
}

/* "450 4.7.1 " at the begin. */
static size_t code_length(const char *text)
{
	size_t length = strspn(text, "0123456789"), status;

	if (length != 3 || (text[length] != ' ' && text[length] != '-'))
		return 0;
	status = strspn(text + length + 1, "0123456789.");
	return status >= strlen("4.7.1") && text[length + 1 + status] == ' ' ? length + 1 + status
									     : length;
}

/* What stands for a word; NULL: itself. seen: the kinds of its characters. */
static const char *sign_of(unsigned seen, bool inner_dot)
{
	if (seen & AT)
		return name_sign;
	if ((seen & DIGIT) && !(seen & LETTER))
		return number_sign;
	return (seen & DIGIT) || inner_dot ? name_sign : NULL;
}

/* The length of the word at text; sign: what stands for it. The end of a sentence is not of it. */
static size_t read_word(const char *text, const char **sign)
{
	unsigned seen = 0, kind;
	size_t length = 0, last = 0, first_dot = 0;

	for (; (kind = kind_of(text[length])) != 0; length++) {
		seen |= kind;
		if (kind == DOT && first_dot == 0)
			first_dot = length;
		if (kind & (DIGIT | LETTER | AT))
			last = length;
	}
	*sign = sign_of(seen, first_dot > 0 && first_dot < last);
	return last + 1;
}

char *cli_fold(char *target, size_t size, const char *text)
{
	size_t used = 0, length = code_length(text);
	const char *sign = NULL;

	while (*text != '\0') {
		const char *from = text;
		size_t added;

		if (length == 0)
			length = kind_of(*text) != 0 ? read_word(text, &sign) : 1;
		added = sign != NULL ? strlen(sign) : length;
		if (added >= size - used)
			break;
		if (sign != NULL)
			from = sign;
		memcpy(target + used, from, added);
		used += added;
		text += length;
		length = 0;
		sign = NULL;
	}
	target[used] = '\0';
	return target;
}
