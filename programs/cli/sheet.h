/* SPDX-License-Identifier: ISC */
/* sheet: rows in columns, for people: a line of headings, then the rows, two blanks between
 * columns, the last one as long as it is. No cell is cut: they are names and states, which an
 * operator copies. */
#ifndef MG_CLI_SHEET_H
#define MG_CLI_SHEET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum cli_color { CLI_PLAIN, CLI_GREEN, CLI_YELLOW, CLI_RED };

struct cli_sheet;

/* headings: as many as columns, kept; NULL: no memory. */
struct cli_sheet *cli_sheet_new(const char *const headings[], size_t columns);
/* A row; cells are copied. Failure is sticky. */
void cli_sheet_add(struct cli_sheet *sheet, const char *const cells[], enum cli_color color);
/* Prints and frees it; color: the cells of a row that has a colour may have it. -1: no memory. */
int cli_sheet_print(struct cli_sheet *sheet, FILE *stream, bool color);
#endif
