/* SPDX-License-Identifier: ISC */
/* What store.c and the kinds of a store share. */
#ifndef MG_BASE_STORE_PRIVATE_H
#define MG_BASE_STORE_PRIVATE_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/store.h"

#define MG_STORE_LIMIT_DEFAULT (UINT64_C(16) << 30)

/* Keys and tables are checked before a kind is asked; `tx` of put and remove is a change. */
struct mg_store_kind {
	const char *prefix; /* "lmdb:" */
	/* NULL, or what was expected behind the prefix. */
	const char *(*check)(const char *rest);
	struct mg_store *(*open)(const char *rest, const struct mg_store_settings *settings,
		struct mg_error *replaced, struct mg_error *error);
	void (*close)(struct mg_store *store);
	bool (*has_writer)(const struct mg_store *store);
	/* With `writing` locked for a change. */
	struct mg_store_tx *(*start)(struct mg_store *store, bool change, struct mg_error *error);
	/* Frees tx. */
	int (*finish)(struct mg_store_tx *tx, bool keep, struct mg_error *error);
	int (*get)(struct mg_store_tx *tx, unsigned table, const void *key, size_t key_length,
		struct mg_store_value *value, struct mg_error *error);
	int (*put)(struct mg_store_tx *tx, unsigned table, const void *key, size_t key_length,
		const void *value, size_t length, struct mg_error *error);
	int (*remove)(struct mg_store_tx *tx, unsigned table, const void *key, size_t key_length,
		struct mg_error *error);
	int64_t (*walk)(struct mg_store_tx *tx, unsigned table, const void *from,
		size_t from_length, mg_store_each *each, void *context, struct mg_error *error);
	int64_t (*count)(struct mg_store_tx *tx, unsigned table, struct mg_error *error);
};

/* First member of a kind's own struct. */
struct mg_store {
	const struct mg_store_kind *kind;
	unsigned tables;
	bool read_only;
	pthread_mutex_t *writing; /* the one change at a time; of type error check */
};

/* Likewise. */
struct mg_store_tx {
	struct mg_store *store;
	bool change;
	bool failed; /* something of the change could not be done: it cannot be kept */
	uint64_t edits; /* records put and deleted */
};

/* A mutex that tells a thread that it holds it already. false: out of memory. */
bool mg_store_writing_init(pthread_mutex_t *writing);
#endif
