/* SPDX-License-Identifier: ISC */
/* table_cidr: "cidr:/path", a network a line, then optionally white space and a value; comments
 * as in table_file. The key is an address; of the networks it is in, the one with the longest
 * prefix is found. */
#ifndef MG_BASE_TABLE_CIDR_H
#define MG_BASE_TABLE_CIDR_H
#include "base/table.h"

extern const struct mg_table_kind mg_table_cidr;
#endif
