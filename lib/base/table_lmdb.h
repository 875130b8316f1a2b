/* SPDX-License-Identifier: ISC */
/* table_lmdb: "lmdb:/path", the LMDB file /path.lmdb as postmap(1) writes it (lmdb_table(5));
 * ".lmdb" may be written too.
 *
 * Look-ups read the file as it is then. postmap changes it in place, in one transaction; LMDB's
 * own lock file is not used, but locks of fcntl(2) on the file itself, as Postfix has it: a
 * writer that may reuse pages of an old state first takes an exclusive lock for a moment, so a
 * look-up holds a shared one while it reads. Ours are open file description locks, which exclude
 * those of other processes and do not disturb other users of the file in this one. A look-up that
 * cannot have the lock for 5 s is an error.
 *
 * When another file was put in its place (mv), the next look-up opens that. While there is none,
 * or it cannot be opened, the old one answers. A file overwritten in place by something else than
 * LMDB (cp) cannot be read safely: make a new one and mv it. */
#ifndef MG_BASE_TABLE_LMDB_H
#define MG_BASE_TABLE_LMDB_H
#include "base/table.h"

extern const struct mg_table_kind mg_table_lmdb;
#endif
