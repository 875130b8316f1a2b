/* SPDX-License-Identifier: ISC */
#include "base/store_lmdb.h"

#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/store_environment.h"

struct lmdb_store {
	struct mg_store base;
	struct mg_environment *environment;
	MDB_dbi tables[];
};

struct lmdb_tx {
	struct mg_store_tx base;
	const struct lmdb_store *store;
	MDB_txn *txn;
	bool full; /* nothing is put */
};

static const char *check(const char *rest)
{
	return *rest == '/' && rest[1] ? NULL : "expected an absolute path: lmdb:/PATH";
}

/* Opens, or makes, the tables in one transaction. */
static bool open_tables(
	struct lmdb_store *store, const struct mg_store_settings *settings, struct mg_error *error)
{
	struct mg_environment *environment = store->environment;
	bool new = !environment->read_only;
	MDB_txn *txn = NULL;
	int status;

	if (new &&pthread_mutex_lock(&environment->writing) != 0) {
		mg_error_set(error, "%s: this thread has a change under way", environment->path);
		return false;
	}
	status = mdb_txn_begin(environment->env, NULL, new ? 0 : MDB_RDONLY, &txn);
	if (status != 0)
		mg_environment_error(error, environment, status, "open");
	if (status == 0 && !mg_environment_agree(environment, txn, error))
		status = EINVAL;
	for (unsigned i = 0; status == 0 && i < store->base.tables; i++) {
		status = mdb_dbi_open(
			txn, settings->tables[i], new ? MDB_CREATE : 0, &store->tables[i]);
		if (status != 0)
			mg_environment_error(error, environment, status, settings->tables[i]);
	}
	if (status == 0) {
		status = mdb_txn_commit(txn);
		if (status != 0)
			mg_environment_error(error, environment, status, "open");
	} else {
		mdb_txn_abort(txn);
	}
	if (new)
		pthread_mutex_unlock(&environment->writing);
	return status == 0;
}

static void close_store(struct mg_store *base)
{
	struct lmdb_store *store = (struct lmdb_store *)base;

	mg_environment_drop(store->environment);
	free(store);
}

static struct mg_store *open_store(const char *path, const struct mg_store_settings *settings,
	struct mg_error *replaced, struct mg_error *error)
{
	struct lmdb_store *store;
	unsigned tables = 0;

	while (settings->tables[tables])
		tables++;
	store = calloc(1, sizeof(*store) + tables * sizeof(store->tables[0]));
	if (!store) {
		mg_error_set(error, "%s: out of memory", path);
		return NULL;
	}
	store->base.tables = tables;
	store->environment = mg_environment_take(path, settings, replaced, error);
	if (!store->environment) {
		free(store);
		return NULL;
	}
	store->base.writing = &store->environment->writing;
	if (open_tables(store, settings, error))
		return &store->base;
	close_store(&store->base);
	return NULL;
}

static bool has_writer(const struct mg_store *base)
{
	const struct lmdb_store *store = (const struct lmdb_store *)base;

	return !store->environment->read_only || mg_store_place_is_taken(store->environment->path);
}

/* Number of pages that can be used again, from the lists in LMDB's own first table, which only a view
 * may read. */
static int count_free_pages(MDB_env *env, size_t *count)
{
	enum { FREE_PAGES_TABLE = 0 };
	MDB_cursor *cursor = NULL;
	MDB_txn *txn = NULL;
	MDB_val key, list;
	size_t length;
	int status = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

	*count = 0;
	if (status == 0)
		status = mdb_cursor_open(txn, FREE_PAGES_TABLE, &cursor);
	while (status == 0) {
		status = mdb_cursor_get(cursor, &key, &list, MDB_NEXT);
		if (status != 0)
			break;
		memcpy(&length, list.mv_data, sizeof(length));
		*count += length;
	}
	if (cursor)
		mdb_cursor_close(cursor);
	if (txn)
		mdb_txn_abort(txn);
	return status == MDB_NOTFOUND ? 0 : status;
}

/* Whether nothing more is put. */
static int look_for_room(const struct mg_environment *environment, bool *full)
{
	MDB_envinfo info;
	size_t free_pages;
	int status;

	mdb_env_info(environment->env, &info);
	*full = false;
	if (info.me_last_pgno < environment->pages)
		return 0;
	status = count_free_pages(environment->env, &free_pages);
	*full = status == 0 && info.me_last_pgno - free_pages >= environment->pages;
	return status;
}

static int begin_change(const struct mg_environment *environment, struct lmdb_tx *tx)
{
	int dead, status;

	/* A reader that was killed would keep the pages of its state for ever. */
	mdb_reader_check(environment->env, &dead);
	status = look_for_room(environment, &tx->full);
	return status == 0 ? mdb_txn_begin(environment->env, NULL, 0, &tx->txn) : status;
}

static int begin_view(struct mg_environment *environment, struct lmdb_tx *tx)
{
	int dead, status = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &tx->txn);

	if (status == MDB_READERS_FULL && mdb_reader_check(environment->env, &dead) == 0)
		status = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &tx->txn);
	return status;
}

static struct mg_store_tx *start(struct mg_store *base, bool change, struct mg_error *error)
{
	const struct lmdb_store *store = (const struct lmdb_store *)base;
	struct mg_environment *environment = store->environment;
	struct lmdb_tx *tx = malloc(sizeof(*tx));
	int status = ENOMEM;

	if (tx)
		status = change ? begin_change(environment, tx) : begin_view(environment, tx);
	if (status == 0) {
		tx->store = store;
		return &tx->base;
	}
	mg_environment_error(error, environment, status, change ? "begin" : "view");
	free(tx);
	return NULL;
}

static int finish(struct mg_store_tx *base, bool keep, struct mg_error *error)
{
	struct lmdb_tx *tx = (struct lmdb_tx *)base;
	int status = 0;

	if (keep)
		status = mdb_txn_commit(tx->txn);
	else
		mdb_txn_abort(tx->txn);
	if (status != 0)
		mg_environment_error(error, tx->store->environment, status, "commit");
	free(tx);
	return status == 0 ? 0 : -1;
}

static int get(struct mg_store_tx *base, unsigned table, const void *key, size_t key_length,
	struct mg_store_value *value, struct mg_error *error)
{
	const struct lmdb_tx *tx = (const struct lmdb_tx *)base;
	MDB_val wanted = {key_length, (void *)key}, found;
	int status = mdb_get(tx->txn, tx->store->tables[table], &wanted, &found);

	if (status == MDB_NOTFOUND)
		return 0;
	if (status != 0) {
		mg_environment_error(error, tx->store->environment, status, "get");
		return -1;
	}
	*value = (struct mg_store_value){found.mv_data, found.mv_size};
	return 1;
}

static int put(struct mg_store_tx *base, unsigned table, const void *key, size_t key_length,
	const void *value, size_t length, struct mg_error *error)
{
	const struct lmdb_tx *tx = (const struct lmdb_tx *)base;
	MDB_val wanted = {key_length, (void *)key}, written = {length, (void *)value};
	int status = tx->full ? MDB_MAP_FULL
			      : mdb_put(tx->txn, tx->store->tables[table], &wanted, &written, 0);

	if (status == 0)
		return 0;
	mg_environment_error(error, tx->store->environment, status, "put");
	return -1;
}

static int remove_record(struct mg_store_tx *base, unsigned table, const void *key,
	size_t key_length, struct mg_error *error)
{
	const struct lmdb_tx *tx = (const struct lmdb_tx *)base;
	MDB_val wanted = {key_length, (void *)key};
	int status = mdb_del(tx->txn, tx->store->tables[table], &wanted, NULL);

	if (status == 0)
		return 1;
	if (status == MDB_NOTFOUND)
		return 0;
	mg_environment_error(error, tx->store->environment, status, "delete");
	return -1;
}

/* Moves the cursor behind the record with this key, which `each` may have deleted, and other pages
 * with it. */
static int go_behind(
	MDB_cursor *cursor, const void *key, size_t length, MDB_val *at, MDB_val *found)
{
	int status;

	*at = (MDB_val){length, (void *)key};
	status = mdb_cursor_get(cursor, at, found, MDB_SET_RANGE);
	if (status == 0 && at->mv_size == length && memcmp(at->mv_data, key, length) == 0)
		status = mdb_cursor_get(cursor, at, found, MDB_NEXT);
	return status;
}

static int64_t walk(struct mg_store_tx *base, unsigned table, const void *from, size_t from_length,
	mg_store_each *each, void *context, struct mg_error *error)
{
	const struct lmdb_tx *tx = (const struct lmdb_tx *)base;
	unsigned char key[MG_STORE_KEY_MAX];
	MDB_val at = {from_length, (void *)from}, found;
	MDB_cursor *cursor = NULL;
	int64_t calls = 0;
	int status = mdb_cursor_open(tx->txn, tx->store->tables[table], &cursor);

	if (status == 0)
		status = mdb_cursor_get(
			cursor, &at, &found, from_length > 0 ? MDB_SET_RANGE : MDB_FIRST);
	while (status == 0) {
		const struct mg_store_value value = {found.mv_data, found.mv_size};
		size_t length = at.mv_size < sizeof(key) ? at.mv_size : sizeof(key);
		uint64_t edits = base->edits;

		memcpy(key, at.mv_data, length);
		calls++;
		if (!each(context, base, key, length, &value))
			break;
		status = edits == base->edits ? mdb_cursor_get(cursor, &at, &found, MDB_NEXT)
					      : go_behind(cursor, key, length, &at, &found);
	}
	if (cursor)
		mdb_cursor_close(cursor);
	if (status == 0 || status == MDB_NOTFOUND)
		return calls;
	mg_environment_error(error, tx->store->environment, status, "walk");
	return -1;
}

static int64_t count_records(struct mg_store_tx *base, unsigned table, struct mg_error *error)
{
	const struct lmdb_tx *tx = (const struct lmdb_tx *)base;
	MDB_stat found;
	int status = mdb_stat(tx->txn, tx->store->tables[table], &found);

	if (status == 0)
		return (int64_t)found.ms_entries;
	mg_environment_error(error, tx->store->environment, status, "count");
	return -1;
}

const struct mg_store_kind mg_store_lmdb = {
	.prefix = "lmdb:",
	.check = check,
	.open = open_store,
	.close = close_store,
	.has_writer = has_writer,
	.start = start,
	.finish = finish,
	.get = get,
	.put = put,
	.remove = remove_record,
	.walk = walk,
	.count = count_records,
};
