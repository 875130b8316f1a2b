/* SPDX-License-Identifier: ISC */
/* wrap: text for people within 80 columns: words are never cut, lines are broken between them. */
#ifndef MG_CLI_WRAP_H
#define MG_CLI_WRAP_H
#include <stddef.h>
#include <stdio.h>

enum { CLI_COLUMNS = 80 };

/* A blank that no line is broken at; text of strangers is printable and has none. */
#define CLI_WRAP_BLANK "\x1f"

/* Columns of a text in UTF-8, a character a column. */
size_t cli_wrap_width(const char *text);
/* Prints text from column `indent` on, where the stream is, and behind a line's end again; "\n" in it
 * breaks a line, two blanks in a row stay where the line goes on. Ends without a line end; the column
 * it came to. */
size_t cli_wrap_print(FILE *stream, size_t indent, const char *text);
#endif
