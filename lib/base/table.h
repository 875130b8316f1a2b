/* SPDX-License-Identifier: ISC */
/* table: look-up of a key in a list that lives in the configuration or outside it, by a struct of
 * functions a kind:
 *
 *   text, glob       inline: an entry of a list in the configuration, e.g. "*.example.org" (fnmatch
 *                    without path rules, no case)
 *   file:/path       a key a line, then optionally white space and a value; read whole at open. "#"
 *                    at the start of a line or behind white space begins a comment
 *   cidr:/path       a network a line, then optionally a value; the longest prefix wins
 *   lmdb:/path       the LMDB file /path.lmdb as postmap(1) writes it (lmdb_table(5)): keys lower
 *                    case, with or without a final NUL
 *
 * A table is opened with the configuration snapshot and never changes (lmdb: each look-up sees
 * the database as it is then). Look-ups are thread safe. Keys are compared in lower case (ASCII).
 * Bounds: file and cidr 64 MiB and 1,000,000 entries, a line 4 KiB. */
#ifndef MG_BASE_TABLE_H
#define MG_BASE_TABLE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct mg_table;

/* Is the entry a "kind:path", known or not, and no inline text? */
bool mg_table_is_outside(const char *entry);

/* Opens the entries of one setting: each is an inline text or a "kind:path"; a key is found if it
 * is in one of them, first entry first. All errors are reported, for a file with file and line.
 * NULL when errors grew. */
struct mg_table *mg_table_open(const char *const entries[], size_t count, struct mg_errors *errors);
void mg_table_close(struct mg_table *table);

/* 1 found: value (size bytes; "" when the entry has none; cut values are an error) and, in
 * `entry`, the index of the entry that had it; 0 not found; -1 with error (lmdb: I/O). value and
 * entry may be NULL. For cidr the key is an address. */
int mg_table_find(const struct mg_table *table, const char *key, char *value, size_t size,
	size_t *entry, struct mg_error *error);

/* A kind of table; table_file, table_cidr and table_lmdb have one each. */
struct mg_table_kind {
	const char *prefix; /* "file:" */
	void *(*open)(const char *path, struct mg_errors *errors);
	int (*find)(const void *opened, const char *key, char *value, size_t size,
		struct mg_error *error);
	void (*close)(void *opened);
};
#endif
