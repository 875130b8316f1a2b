/* SPDX-License-Identifier: ISC */
/* table_file: "file:/path", a key a line, then optionally white space and a value. "#" at the
 * start of a line or behind white space begins a comment. A key may stand twice when its value is
 * the same. */
#ifndef MG_BASE_TABLE_FILE_H
#define MG_BASE_TABLE_FILE_H
#include "base/table.h"

extern const struct mg_table_kind mg_table_file;
#endif
