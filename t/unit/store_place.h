/* SPDX-License-Identifier: ISC */
/* A store in a folder of its own for the tests of stores. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/store.h"

enum { COLOURS, NUMBERS }; /* tables */

struct store_place {
	char folder[64], path[80], url[96];
	struct mg_store_settings settings;
};

/* A folder, in memory where there is one; the settings are of an LMDB store in it, not yet made. */
void store_place_make(struct store_place *place);
void store_place_remove(struct store_place *place);

/* Each fails the test on an error. */
struct mg_store *store_place_open(const struct store_place *place);
struct mg_store_tx *store_begin(struct mg_store *store);
struct mg_store_tx *store_view(struct mg_store *store);
void store_commit(struct mg_store_tx *tx);
void store_put(struct mg_store_tx *tx, unsigned table, const char *key, const char *value);
bool store_delete(struct mg_store_tx *tx, unsigned table, const char *key);
int64_t store_count(struct mg_store_tx *tx, unsigned table);

/* The value, NULL when there is none; until the next call. */
const char *store_get(struct mg_store_tx *tx, unsigned table, const char *key);
/* "key=value key=value " from the key on; until the next call. */
const char *store_list(struct mg_store_tx *tx, unsigned table, const char *from);
#endif
