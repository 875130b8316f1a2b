/* SPDX-License-Identifier: ISC */
#include "base/store_lmdb.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

enum {
	TABLES_MAX = 32, /* of all users of an environment */
	DIRECTORY_MODE = 0750,
	FILE_MODE = 0640,
	LOCK_MODE = 0660
};

/* What the store says of itself, beside the tables' names. */
static const char version_key[] = " millgate store";
static const char version[] = "1";

/* An open environment; LMDB wants it opened once a process. */
struct environment {
	dev_t device; /* of the directory */
	ino_t inode;
	char *path;
	MDB_env *env;
	bool read_only;
	pthread_mutex_t writing;
	unsigned users;
	struct environment *next;
};

static pthread_mutex_t all_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct environment *all; /* under all_mutex, as is each `users` */

struct lmdb_store {
	struct mg_store base;
	struct environment *environment;
	MDB_dbi tables[];
};

struct lmdb_tx {
	struct mg_store_tx base;
	const struct lmdb_store *store;
	MDB_txn *txn;
};

static void set_error(
	struct mg_error *error, const struct environment *environment, int status, const char *what)
{
	if (status == MDB_MAP_FULL)
		mg_error_set(error, "%s: %s: full: the limit of its size is reached",
			environment->path, what);
	else
		mg_error_set(error, "%s: %s: %s", environment->path, what, mdb_strerror(status));
}

static const char *check(const char *rest)
{
	return *rest == '/' && rest[1] ? NULL : "expected an absolute path: lmdb:/PATH";
}

static void free_environment(struct environment *environment)
{
	if (environment->env)
		mdb_env_close(environment->env);
	pthread_mutex_destroy(&environment->writing);
	free(environment->path);
	free(environment);
}

/* With all_mutex held. */
static struct environment *open_environment(
	const char *path, const struct mg_store_settings *settings, struct mg_error *error)
{
	struct environment *environment = calloc(1, sizeof(*environment));
	uint64_t limit = settings->limit ? settings->limit : MG_STORE_LIMIT_DEFAULT;
	char lock[4096];
	int status = ENOMEM;

	if (!environment || !mg_store_writing_init(&environment->writing)) {
		free(environment);
		mg_error_set(error, "%s: out of memory", path);
		return NULL;
	}
	environment->read_only = settings->read_only;
	environment->path = strdup(path);
	if (environment->path)
		status = mdb_env_create(&environment->env);
	if (status == 0 && !settings->read_only)
		status = mdb_env_set_mapsize(environment->env, (size_t)limit);
	if (status == 0)
		status = mdb_env_set_maxdbs(environment->env, TABLES_MAX);
	if (status == 0)
		status = mdb_env_open(environment->env, path,
			MDB_NOTLS | (settings->read_only ? MDB_RDONLY : 0), FILE_MODE);
	if (status != 0) {
		mg_error_set(error, "%s: %s", path, mdb_strerror(status));
		free_environment(environment);
		return NULL;
	}
	mg_str_format(lock, sizeof(lock), "%s/lock.mdb", path);
	if (!settings->read_only && chmod(lock, LOCK_MODE) < 0 && errno != EPERM) {
		mg_error_system(error, errno, "%s", lock);
		free_environment(environment);
		return NULL;
	}
	return environment;
}

/* The environment of the directory, shared with who has it open. NULL with error. */
static struct environment *take_environment(
	const char *path, const struct mg_store_settings *settings, struct mg_error *error)
{
	struct environment *environment;
	struct stat status;

	if ((!settings->read_only && mkdir(path, DIRECTORY_MODE) < 0 && errno != EEXIST) ||
		stat(path, &status) < 0) {
		mg_error_system(error, errno, "%s", path);
		return NULL;
	}
	pthread_mutex_lock(&all_mutex);
	for (environment = all; environment; environment = environment->next)
		if (environment->device == status.st_dev && environment->inode == status.st_ino)
			break;
	if (!environment) {
		environment = open_environment(path, settings, error);
		if (environment) {
			environment->device = status.st_dev;
			environment->inode = status.st_ino;
			environment->next = all;
			all = environment;
		}
	} else if (environment->read_only && !settings->read_only) {
		mg_error_set(error, "%s: this process has it open for reading", path);
		environment = NULL;
	}
	if (environment)
		environment->users++;
	pthread_mutex_unlock(&all_mutex);
	return environment;
}

static void drop_environment(struct environment *environment)
{
	struct environment **at = &all;

	pthread_mutex_lock(&all_mutex);
	if (--environment->users == 0) {
		while (*at != environment)
			at = &(*at)->next;
		*at = environment->next;
		free_environment(environment);
	}
	pthread_mutex_unlock(&all_mutex);
}

/* The version is looked at, or written into a new store. */
static bool agree_on_version(struct environment *environment, MDB_txn *txn, struct mg_error *error)
{
	MDB_val key = {sizeof(version_key) - 1, (void *)version_key};
	MDB_val value = {sizeof(version) - 1, (void *)version}, found;
	MDB_dbi names;
	char shown[40];
	int status = mdb_dbi_open(txn, NULL, 0, &names);

	if (status == 0)
		status = mdb_get(txn, names, &key, &found);
	if (status == MDB_NOTFOUND && !environment->read_only)
		return mdb_put(txn, names, &key, &value, 0) == 0;
	if (status != 0) {
		set_error(error, environment, status, "version");
		return false;
	}
	if (found.mv_size == value.mv_size && memcmp(found.mv_data, version, value.mv_size) == 0)
		return true;
	mg_str_printable(shown, sizeof(shown), found.mv_data, found.mv_size);
	mg_error_set(error, "%s: is of version %s; this program knows version %s",
		environment->path, shown, version);
	return false;
}

/* Opens, or makes, the tables in one transaction. */
static bool open_tables(
	struct lmdb_store *store, const struct mg_store_settings *settings, struct mg_error *error)
{
	struct environment *environment = store->environment;
	bool new = !environment->read_only;
	MDB_txn *txn = NULL;
	int status;

	if (new &&pthread_mutex_lock(&environment->writing) != 0) {
		mg_error_set(error, "%s: this thread has a change under way", environment->path);
		return false;
	}
	status = mdb_txn_begin(environment->env, NULL, new ? 0 : MDB_RDONLY, &txn);
	if (status != 0)
		set_error(error, environment, status, "open");
	if (status == 0 && !agree_on_version(environment, txn, error))
		status = EINVAL;
	for (unsigned i = 0; status == 0 && i < store->base.tables; i++) {
		status = mdb_dbi_open(
			txn, settings->tables[i], new ? MDB_CREATE : 0, &store->tables[i]);
		if (status != 0)
			set_error(error, environment, status, settings->tables[i]);
	}
	if (status == 0) {
		status = mdb_txn_commit(txn);
		if (status != 0)
			set_error(error, environment, status, "open");
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

	drop_environment(store->environment);
	free(store);
}

static struct mg_store *open_store(const char *path, const struct mg_store_settings *settings,
	struct mg_error *replaced, struct mg_error *error)
{
	struct lmdb_store *store;
	unsigned tables = 0;

	(void)replaced;
	while (settings->tables[tables])
		tables++;
	store = calloc(1, sizeof(*store) + tables * sizeof(store->tables[0]));
	if (!store) {
		mg_error_set(error, "%s: out of memory", path);
		return NULL;
	}
	store->base.tables = tables;
	store->environment = take_environment(path, settings, error);
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

static struct mg_store_tx *start(struct mg_store *base, bool change, struct mg_error *error)
{
	const struct lmdb_store *store = (const struct lmdb_store *)base;
	struct environment *environment = store->environment;
	struct lmdb_tx *tx = malloc(sizeof(*tx));
	int dead, status = ENOMEM;

	if (tx)
		status = mdb_txn_begin(environment->env, NULL, change ? 0 : MDB_RDONLY, &tx->txn);
	if (status == MDB_READERS_FULL && mdb_reader_check(environment->env, &dead) == 0)
		status = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &tx->txn);
	if (status == 0) {
		tx->store = store;
		return &tx->base;
	}
	set_error(error, environment, status, change ? "begin" : "view");
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
		set_error(error, tx->store->environment, status, "commit");
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
		set_error(error, tx->store->environment, status, "get");
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
	int status = mdb_put(tx->txn, tx->store->tables[table], &wanted, &written, 0);

	if (status == 0)
		return 0;
	set_error(error, tx->store->environment, status, "put");
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
	set_error(error, tx->store->environment, status, "delete");
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
	set_error(error, tx->store->environment, status, "walk");
	return -1;
}

static int64_t count_records(struct mg_store_tx *base, unsigned table, struct mg_error *error)
{
	const struct lmdb_tx *tx = (const struct lmdb_tx *)base;
	MDB_stat found;
	int status = mdb_stat(tx->txn, tx->store->tables[table], &found);

	if (status == 0)
		return (int64_t)found.ms_entries;
	set_error(error, tx->store->environment, status, "count");
	return -1;
}

const struct mg_store_kind mg_store_lmdb = {
	.prefix = "lmdb:",
	.check = check,
	.open = open_store,
	.close = close_store,
	.start = start,
	.finish = finish,
	.get = get,
	.put = put,
	.remove = remove_record,
	.walk = walk,
	.count = count_records,
};
