/* SPDX-License-Identifier: ISC */
/* store_lmdb: "lmdb:/path", an LMDB environment: the directory /path (0750) with data.mdb (0640) and
 * lock.mdb (0660: who reads writes there which state it looks at). So who is to read needs the
 * directory's group, and the writer must have opened the store once.
 *
 * A store is opened once a process, whoever asks for it again shares it; not to be used by a child
 * of fork(2). A change is ended by the thread that began it. */
#ifndef MG_BASE_STORE_LMDB_H
#define MG_BASE_STORE_LMDB_H
#include "base/store_private.h"

extern const struct mg_store_kind mg_store_lmdb;
#endif
