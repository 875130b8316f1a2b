/* SPDX-License-Identifier: ISC */
/* store: records that outlive a process: named tables of keys and values, both bytes, in order of
 * their keys (memcmp). Changes are made in one piece: what mg_store_commit returned for is on disk
 * and survives kill -9 and power loss; a crash before leaves nothing of it. By a struct of functions
 * a kind:
 *
 *   lmdb:/path   an LMDB environment, the directory /path (made if missing, 0750); other processes
 *                may read it meanwhile: those of its group, for who reads writes into lock.mdb
 *   memory:      this process alone; for tests and judging a file
 *
 * Threads: one change at a time (mg_store_begin waits for the one before), ended by the thread that
 * began it; views from any thread. */
#ifndef MG_BASE_STORE_H
#define MG_BASE_STORE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { MG_STORE_KEY_MAX = 480 /* bytes of a key */, MG_STORE_VALUE_MAX = 16 << 20 };

struct mg_store;
struct mg_store_tx; /* a change or a view */

/* What a program needs of a store: the names of its tables, ended by NULL; a table is its index. */
struct mg_store_settings {
	const char *url; /* "lmdb:/var/lib/millgate/track" */
	const char *const *tables;
	/* Bytes it may grow to; 0: 16 GiB (a file has holes: it takes what it holds). */
	uint64_t limit;
	bool read_only; /* the store of another process: must exist, nothing is written */
};

/* NULL with error: no such kind, cannot be opened, or its tables are of another version. A corrupt
 * store is moved aside (PATH.damaged-N) and a new one is made: `replaced` then tells where the old one
 * is (it may be NULL); read_only says so as an error. */
struct mg_store *mg_store_open(const struct mg_store_settings *settings, struct mg_error *replaced,
	struct mg_error *error);
void mg_store_close(struct mg_store *store);
/* Is it a URL that mg_store_open knows? For a check of a setting: NULL, or what was expected. */
const char *mg_store_check(const char *url);

/* Has a process, this or another, opened it to change it? */
bool mg_store_has_writer(const struct mg_store *store);

/* A change. NULL with error; also when this thread has one under way. */
struct mg_store_tx *mg_store_begin(struct mg_store *store, struct mg_error *error);
/* A view: the store as it is now, whatever changes meanwhile. A long view keeps old pages: end it
 * within seconds. */
struct mg_store_tx *mg_store_view(struct mg_store *store, struct mg_error *error);
/* Ends a change and keeps it: 0, or -1 with error (nothing of it is kept). After an error of the disk
 * it may be that no change can be begun any more until the store is closed and opened again. */
int mg_store_commit(struct mg_store_tx *tx, struct mg_error *error);
/* Ends a change without keeping it, or a view. NULL is allowed. */
void mg_store_end(struct mg_store_tx *tx);

struct mg_store_value {
	/* Valid until the next put or delete of the tx, or its end; at any address: read numbers by
	 * memcpy. */
	const void *bytes;
	size_t length;
};
/* 1 found, 0 not (nor is there a key that is empty or too long), -1 with error. */
int mg_store_get(struct mg_store_tx *tx, unsigned table, const void *key, size_t key_length,
	struct mg_store_value *value, struct mg_error *error);
/* 0, -1 with error (disk full, over the limit, no possible key or value: the change can only be ended,
 * nothing of it is kept). */
int mg_store_put(struct mg_store_tx *tx, unsigned table, const void *key, size_t key_length,
	const void *value, size_t length, struct mg_error *error);
/* 1 deleted, 0 there was none, -1 with error. */
int mg_store_delete(struct mg_store_tx *tx, unsigned table, const void *key, size_t key_length,
	struct mg_error *error);
/* Calls `each` for the records from the first key >= from on, in order, until it returns false.
 * `each` may delete the record it is given, and put or delete in other tables; key stays what it is
 * until it returns. Number of calls, -1 with error. */
typedef bool mg_store_each(void *context, struct mg_store_tx *tx, const void *key,
	size_t key_length, const struct mg_store_value *value);
int64_t mg_store_walk(struct mg_store_tx *tx, unsigned table, const void *from, size_t from_length,
	mg_store_each *each, void *context, struct mg_error *error);
/* Records of a table; -1 with error. */
int64_t mg_store_count(struct mg_store_tx *tx, unsigned table, struct mg_error *error);
#endif
