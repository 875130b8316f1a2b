/* SPDX-License-Identifier: ISC */
#include "base/table_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/textfile.h"

enum { LOCK_TRIES = 5000, LOCK_PAUSE = MG_MILLISECOND };

/* An open file. LMDB wants a file opened once a process, and each table and each snapshot that
 * uses it shares this. */
struct shared {
	dev_t device;
	ino_t inode;
	MDB_env *env;
	MDB_dbi database;
	unsigned page_size;
	pthread_mutex_t
		reading; /* one look-up at a time: the lock on the file belongs to all threads */
	unsigned users;
	struct shared *next;
};

static pthread_mutex_t all_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct shared *all; /* under all_mutex, as is each `users` */

struct lmdb_table {
	char *path;
	pthread_mutex_t mutex;
	struct shared *current;
};

static bool lock_shared(int descriptor, struct mg_error *error)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE};

	for (int try = 0; try < LOCK_TRIES; try++) {
		if (fcntl(descriptor, F_OFD_SETLK, &lock) == 0)
			return true;
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			break;
		nanosleep(&pause, NULL);
	}
	mg_error_system(error, errno, "lock");
	return false;
}

static void unlock(int descriptor)
{
	struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	fcntl(descriptor, F_OFD_SETLK, &lock);
}

static int descriptor_of(const struct shared *shared)
{
	int descriptor = -1;

	mdb_env_get_fd(shared->env, &descriptor);
	return descriptor;
}

/* Pages in the map that are not in the file would be a SIGBUS: after something else than LMDB has
 * cut it. */
static bool has_pages(const struct shared *shared, size_t pages, struct mg_error *error)
{
	struct stat status;

	if (fstat(descriptor_of(shared), &status) == 0 &&
		(uintmax_t)status.st_size >= (uintmax_t)pages * shared->page_size)
		return true;
	mg_error_set(error, "was cut while in use; put a new file in its place by mv");
	return false;
}

/* Starts a look-up; a writer may have made the file larger than the map. */
static int begin(struct shared *shared, MDB_txn **transaction)
{
	int status = mdb_txn_begin(shared->env, NULL, MDB_RDONLY, transaction);

	if (status == MDB_MAP_RESIZED) {
		status = mdb_env_set_mapsize(shared->env, 0);
		if (status == 0)
			status = mdb_txn_begin(shared->env, NULL, MDB_RDONLY, transaction);
	}
	return status;
}

static bool give_value(const MDB_val *found, char *value, size_t size, struct mg_error *error)
{
	const char *text = found->mv_data;
	size_t length = found->mv_size;

	if (length > 0 && text[length - 1] == '\0')
		length--;
	if (!value)
		return true;
	if (length >= size) {
		mg_error_set(error, "the value has %zu bytes; at most %zu are possible here",
			length, size - 1);
		return false;
	}
	memcpy(value, text, length);
	value[length] = '\0';
	return true;
}

/* With the file locked. postmap ends keys and values by NUL, or not, as it was built. */
static int read_key(
	struct shared *shared, const char *key, char *value, size_t size, struct mg_error *error)
{
	MDB_txn *transaction = NULL;
	MDB_envinfo info;
	MDB_val wanted = {.mv_data = (void *)key, .mv_size = strlen(key) + 1}, found;
	int status, result = -1;

	if (wanted.mv_size > (size_t)mdb_env_get_maxkeysize(shared->env))
		return 0;
	if (!has_pages(shared, 2, error))
		return -1;
	status = begin(shared, &transaction);
	if (status == 0) {
		mdb_env_info(shared->env, &info);
		if (!has_pages(shared, info.me_last_pgno + 1, error))
			goto done;
		status = mdb_get(transaction, shared->database, &wanted, &found);
	}
	if (status == MDB_NOTFOUND && --wanted.mv_size > 0)
		status = mdb_get(transaction, shared->database, &wanted, &found);
	if (status == 0)
		result = give_value(&found, value, size, error) ? 1 : -1;
	else if (status == MDB_NOTFOUND)
		result = 0;
	else
		mg_error_set(error, "%s", mdb_strerror(status));
done:
	if (transaction)
		mdb_txn_abort(transaction);
	return result;
}

static int find_shared(
	struct shared *shared, const char *key, char *value, size_t size, struct mg_error *error)
{
	int result = -1;

	pthread_mutex_lock(&shared->reading);
	if (lock_shared(descriptor_of(shared), error)) {
		result = read_key(shared, key, value, size, error);
		unlock(descriptor_of(shared));
	}
	pthread_mutex_unlock(&shared->reading);
	return result;
}

static void free_shared(struct shared *shared)
{
	if (shared->env)
		mdb_env_close(shared->env);
	pthread_mutex_destroy(&shared->reading);
	free(shared);
}

/* Opens the file that `descriptor` is: the path may have become another one meanwhile. */
static struct shared *open_shared(int descriptor, const struct stat *status, struct mg_error *error)
{
	enum { FLAGS = MDB_RDONLY | MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS };
	struct shared *shared = calloc(1, sizeof(*shared));
	MDB_txn *transaction = NULL;
	MDB_stat pages;
	char path[64];
	int result = ENOMEM;

	mg_str_format(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	if (!shared) {
		mg_error_set(error, "out of memory");
		return NULL;
	}
	shared->device = status->st_dev;
	shared->inode = status->st_ino;
	pthread_mutex_init(&shared->reading, NULL);
	if (!lock_shared(descriptor, error))
		goto failed;
	result = mdb_env_create(&shared->env);
	if (result == 0)
		result = mdb_env_open(shared->env, path, FLAGS, 0);
	if (result == 0)
		result = begin(shared, &transaction);
	if (result == 0)
		result = mdb_dbi_open(transaction, NULL, 0, &shared->database);
	if (result == 0)
		result = mdb_stat(transaction, shared->database, &pages);
	if (result == 0) {
		shared->page_size = pages.ms_psize;
		result = mdb_txn_commit(transaction); /* keeps the database's handle */
		transaction = NULL;
	}
	if (result == 0)
		return shared;
	mg_error_set(error, "%s", mdb_strerror(result));
failed:
	if (transaction)
		mdb_txn_abort(transaction);
	free_shared(shared);
	return NULL;
}

/* The file at path, shared with who has it open already. NULL with error. */
static struct shared *take_shared(const char *path, struct mg_error *error)
{
	struct shared *shared = NULL;
	struct stat status;
	int descriptor = mg_textfile_open(path, SIZE_MAX, &status, error);

	if (descriptor < 0)
		return NULL;
	pthread_mutex_lock(&all_mutex);
	for (shared = all; shared; shared = shared->next)
		if (shared->device == status.st_dev && shared->inode == status.st_ino)
			break;
	if (!shared) {
		shared = open_shared(descriptor, &status, error);
		if (shared) {
			shared->next = all;
			all = shared;
		}
	}
	if (shared)
		shared->users++;
	pthread_mutex_unlock(&all_mutex);
	close(descriptor);
	return shared;
}

static void drop_shared(struct shared *shared)
{
	struct shared **at = &all;

	pthread_mutex_lock(&all_mutex);
	if (--shared->users == 0) {
		while (*at != shared)
			at = &(*at)->next;
		*at = shared->next;
		free_shared(shared);
	}
	pthread_mutex_unlock(&all_mutex);
}

/* The file's own name: the path of an entry goes without ".lmdb", as in main.cf, or with it. NULL
 * when out of memory. */
static char *file_name(const char *path)
{
	static const char suffix[] = ".lmdb";
	size_t length = strlen(path), end = sizeof(suffix) - 1;
	bool has_suffix = length > end && strcmp(path + length - end, suffix) == 0;
	char *name = malloc(length + sizeof(suffix));

	if (name)
		mg_str_format(
			name, length + sizeof(suffix), "%s%s", path, has_suffix ? "" : suffix);
	return name;
}

static void close_lmdb(void *opened)
{
	struct lmdb_table *table = opened;

	if (!table)
		return;
	if (table->current)
		drop_shared(table->current);
	pthread_mutex_destroy(&table->mutex);
	free(table->path);
	free(table);
}

static void *open_lmdb(const char *path, struct mg_errors *errors)
{
	struct lmdb_table *table = calloc(1, sizeof(*table));
	struct mg_error error = {"out of memory"};

	if (table) {
		pthread_mutex_init(&table->mutex, NULL);
		table->path = file_name(path);
		if (table->path)
			table->current = take_shared(table->path, &error);
		if (table->current)
			return table;
	}
	mg_errors_add(errors, "%s: %s", table && table->path ? table->path : path, error.text);
	close_lmdb(table);
	return NULL;
}

/* With table->mutex held. */
static void follow_path(struct lmdb_table *table)
{
	const struct shared *current = table->current;
	struct shared *newer;
	struct stat status;

	if (stat(table->path, &status) < 0 ||
		(status.st_dev == current->device && status.st_ino == current->inode))
		return;
	newer = take_shared(table->path, NULL);
	if (!newer)
		return;
	drop_shared(table->current);
	table->current = newer;
}

static int find_in_lmdb(
	const void *opened, const char *key, char *value, size_t size, struct mg_error *error)
{
	/* What a table says does not change by a look-up; which file it has open may. */
	struct lmdb_table *table = (struct lmdb_table *)opened;
	int result;

	pthread_mutex_lock(&table->mutex);
	follow_path(table);
	result = find_shared(table->current, key, value, size, error);
	pthread_mutex_unlock(&table->mutex);
	return result;
}

const struct mg_table_kind mg_table_lmdb = {
	.prefix = "lmdb:", .open = open_lmdb, .find = find_in_lmdb, .close = close_lmdb};
