/* SPDX-License-Identifier: ISC */
#include "cli/sheet.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { GAP = 2 };

/* Cells one after the other, each ended by NUL; headings are the first row. */
struct cli_sheet {
	size_t columns, rows;
	struct mg_buf cells, colors;
};

struct cli_sheet *cli_sheet_new(const char *const headings[], size_t columns)
{
	struct cli_sheet *sheet = calloc(1, sizeof(*sheet));

	if (sheet == NULL)
		return NULL;
	sheet->columns = columns;
	cli_sheet_add(sheet, headings, CLI_PLAIN);
	return sheet;
}

void cli_sheet_add(struct cli_sheet *sheet, const char *const cells[], enum cli_color color)
{
	for (size_t i = 0; i < sheet->columns; i++)
		mg_buf_add(&sheet->cells, cells[i], strlen(cells[i]) + 1);
	mg_buf_add_char(&sheet->colors, (char)color);
	sheet->rows++;
}

/* Characters of a text in UTF-8, each a column wide: names here are ASCII, words are ours. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void measure(const struct cli_sheet *sheet, size_t widths[])
{
	const char *cell = sheet->cells.data;

	for (size_t i = 0; i < sheet->rows * sheet->columns; i++) {
		size_t *width = &widths[i % sheet->columns];

		if (width_of(cell) > *width)
			*width = width_of(cell);
		cell += strlen(cell) + 1;
	}
}

static void print_rows(
	const struct cli_sheet *sheet, const size_t widths[], FILE *stream, bool color)
{
	static const char *const codes[] = {
		[CLI_GREEN] = "\033[32m", [CLI_YELLOW] = "\033[33m", [CLI_RED] = "\033[31m"};
	const char *cell = sheet->cells.data;

	for (size_t row = 0; row < sheet->rows; row++) {
		const char *code = color ? codes[(size_t)sheet->colors.data[row]] : NULL;

		fputs(code != NULL ? code : "", stream);
		for (size_t i = 0; i < sheet->columns; i++) {
			fputs(cell, stream);
			if (i + 1 < sheet->columns)
				fprintf(stream, "%*s", (int)(widths[i] - width_of(cell) + GAP), "");
			cell += strlen(cell) + 1;
		}
		fputs(code != NULL ? "\033[0m\n" : "\n", stream);
	}
}

int cli_sheet_print(struct cli_sheet *sheet, FILE *stream, bool color)
{
	size_t *widths = NULL;
	int status = -1;

	if (sheet == NULL)
		return -1;
	widths = calloc(sheet->columns, sizeof(*widths));
	if (widths != NULL && !sheet->cells.failed && !sheet->colors.failed) {
		measure(sheet, widths);
		print_rows(sheet, widths, stream, color);
		status = 0;
	}
	free(widths);
	mg_buf_free(&sheet->cells);
	mg_buf_free(&sheet->colors);
	free(sheet);
	return status;
}
