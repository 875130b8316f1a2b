/* SPDX-License-Identifier: ISC */
#include "cli/wrap.h"

#include <string.h>

static size_t width_of(const char *text, size_t length)
{
	size_t width = 0;

	for (size_t i = 0; i < length; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

size_t cli_wrap_width(const char *text)
{
	return width_of(text, strlen(text));
}

size_t cli_wrap_print(FILE *stream, size_t indent, const char *text)
{
	size_t column = indent, gap = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, " \n"), width = width_of(text, length);

		if (column > indent && length > 0 && column + gap + width > CLI_COLUMNS) {
			fprintf(stream, "\n%*s", (int)indent, "");
			column = indent;
		} else if (length > 0 && column > indent) {
			fprintf(stream, "%*s", (int)gap, "");
			column += gap;
		}
		for (size_t i = 0; i < length; i++)
			fputc(text[i] == CLI_WRAP_BLANK[0] ? ' ' : text[i], stream);
		column += width;
		text += length;
		if (*text == '\n') {
			fprintf(stream, "\n%*s", (int)indent, "");
			column = indent;
			text++;
		}
		gap = strspn(text, " ");
		text += gap;
	}
	return column;
}
