/* SPDX-License-Identifier: ISC */
#include "base/store.h"

#include <errno.h>
#include <string.h>

#include "base/store_lmdb.h"
#include "base/store_memory.h"
#include "base/store_private.h"
#include "base/str.h"

static const struct mg_store_kind *const kinds[] = {&mg_store_lmdb, &mg_store_memory};

/* NULL with `expected`; rest is what follows the kind's prefix. */
static const struct mg_store_kind *kind_of(
	const char *url, const char **rest, const char **expected)
{
	*expected = "expected lmdb:/PATH or memory:";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i]->prefix);

		if (strncmp(url, kinds[i]->prefix, length) != 0)
			continue;
		*rest = url + length;
		*expected = kinds[i]->check(*rest);
		return *expected ? NULL : kinds[i];
	}
	return NULL;
}

const char *mg_store_check(const char *url)
{
	const char *rest, *expected;

	kind_of(url, &rest, &expected);
	return expected;
}

struct mg_store *mg_store_open(
	const struct mg_store_settings *settings, struct mg_error *replaced, struct mg_error *error)
{
	const char *rest, *expected;
	const struct mg_store_kind *kind = kind_of(settings->url, &rest, &expected);
	struct mg_store *store;
	char shown[80];

	if (replaced)
		replaced->text[0] = '\0';
	if (!kind) {
		mg_str_printable(shown, sizeof(shown), settings->url, strlen(settings->url));
		mg_error_set(error, "\"%s\": %s", shown, expected);
		return NULL;
	}
	store = kind->open(rest, settings, replaced, error);
	if (!store)
		return NULL;
	store->kind = kind;
	store->read_only = settings->read_only;
	return store;
}

void mg_store_close(struct mg_store *store)
{
	if (store)
		store->kind->close(store);
}

bool mg_store_has_writer(const struct mg_store *store)
{
	return store->kind->has_writer(store);
}

bool mg_store_writing_init(pthread_mutex_t *writing)
{
	pthread_mutexattr_t attributes;
	bool done;

	if (pthread_mutexattr_init(&attributes) != 0)
		return false;
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	done = pthread_mutex_init(writing, &attributes) == 0;
	pthread_mutexattr_destroy(&attributes);
	return done;
}

static struct mg_store_tx *start(struct mg_store *store, bool change, struct mg_error *error)
{
	struct mg_store_tx *tx = store->kind->start(store, change, error);

	if (!tx)
		return NULL;
	tx->store = store;
	tx->change = change;
	tx->failed = false;
	tx->edits = 0;
	return tx;
}

struct mg_store_tx *mg_store_begin(struct mg_store *store, struct mg_error *error)
{
	struct mg_store_tx *tx;
	int status;

	if (store->read_only) {
		mg_error_set(error, "%s store was opened for reading", store->kind->prefix);
		return NULL;
	}
	status = pthread_mutex_lock(store->writing);
	if (status != 0) {
		mg_error_set(error, "%s",
			status == EDEADLK ? "this thread has a change of the store under way"
					  : "store: cannot be locked");
		return NULL;
	}
	tx = start(store, true, error);
	if (!tx)
		pthread_mutex_unlock(store->writing);
	return tx;
}

struct mg_store_tx *mg_store_view(struct mg_store *store, struct mg_error *error)
{
	return start(store, false, error);
}

static int finish(struct mg_store_tx *tx, bool keep, struct mg_error *error)
{
	pthread_mutex_t *writing = tx->change ? tx->store->writing : NULL;
	int result = tx->store->kind->finish(tx, keep, error);

	if (writing)
		pthread_mutex_unlock(writing);
	return result;
}

int mg_store_commit(struct mg_store_tx *tx, struct mg_error *error)
{
	if (tx->change && !tx->failed)
		return finish(tx, true, error);
	mg_error_set(error, "%s",
		tx->change ? "a part of the change could not be done: nothing of it is kept"
			   : "a view has nothing to keep");
	finish(tx, false, NULL);
	return -1;
}

void mg_store_end(struct mg_store_tx *tx)
{
	if (tx)
		finish(tx, false, NULL);
}

static bool check_table(
	const struct mg_store_tx *tx, unsigned table, bool edit, struct mg_error *error)
{
	if (table >= tx->store->tables)
		mg_error_set(error, "the store has no table %u", table);
	else if (edit && !tx->change)
		mg_error_set(error, "a view cannot change the store");
	else if (edit && tx->failed)
		mg_error_set(error, "a part of the change could not be done before");
	else
		return true;
	return false;
}

static bool can_be_key(size_t length)
{
	return length > 0 && length <= MG_STORE_KEY_MAX;
}

int mg_store_get(struct mg_store_tx *tx, unsigned table, const void *key, size_t key_length,
	struct mg_store_value *value, struct mg_error *error)
{
	if (!check_table(tx, table, false, error))
		return -1;
	if (!can_be_key(key_length))
		return 0;
	return tx->store->kind->get(tx, table, key, key_length, value, error);
}

int mg_store_put(struct mg_store_tx *tx, unsigned table, const void *key, size_t key_length,
	const void *value, size_t length, struct mg_error *error)
{
	int result = -1;

	if (!check_table(tx, table, true, error))
		return -1;
	if (!can_be_key(key_length))
		mg_error_set(error, "a key of %zu bytes; 1 to %d are possible", key_length,
			MG_STORE_KEY_MAX);
	else if (length > MG_STORE_VALUE_MAX)
		mg_error_set(error, "a value of %zu bytes; at most %d are possible", length,
			MG_STORE_VALUE_MAX);
	else
		result = tx->store->kind->put(tx, table, key, key_length, value, length, error);
	tx->edits++;
	if (result < 0)
		tx->failed = true;
	return result;
}

int mg_store_delete(struct mg_store_tx *tx, unsigned table, const void *key, size_t key_length,
	struct mg_error *error)
{
	int result;

	if (!check_table(tx, table, true, error))
		return -1;
	if (!can_be_key(key_length))
		return 0;
	result = tx->store->kind->remove(tx, table, key, key_length, error);
	tx->edits++;
	if (result < 0)
		tx->failed = true;
	return result;
}

int64_t mg_store_walk(struct mg_store_tx *tx, unsigned table, const void *from, size_t from_length,
	mg_store_each *each, void *context, struct mg_error *error)
{
	if (!check_table(tx, table, false, error))
		return -1;
	if (from_length > MG_STORE_KEY_MAX) {
		mg_error_set(error, "a key of %zu bytes; at most %d are possible", from_length,
			MG_STORE_KEY_MAX);
		return -1;
	}
	return tx->store->kind->walk(tx, table, from, from_length, each, context, error);
}

int64_t mg_store_count(struct mg_store_tx *tx, unsigned table, struct mg_error *error)
{
	if (!check_table(tx, table, false, error))
		return -1;
	return tx->store->kind->count(tx, table, error);
}
