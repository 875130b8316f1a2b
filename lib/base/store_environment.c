/* SPDX-License-Identifier: ISC */
#include "base/store_environment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/store_place.h"
#include "base/store_private.h"
#include "base/store_verify.h"
#include "base/str.h"

enum {
	TABLES_MAX = 32, /* of all users of an environment */
	FILE_MODE = 0640,
	LOCK_MODE = 0660,
	/* Of a store that is opened, how long it is looked through; after two crashes one after the
	 * other for as long as it takes. */
	VERIFY_TIME = 50 * MG_MILLISECOND,
	CRASHES_MAX = 2,
	VERIFY_TRIES = 5, /* of a state that a writer goes on from */
	/* An eighth of the limit is kept for deleting, which needs new pages first. */
	RESERVE = 8
};

/* What the store says of itself, beside the tables' names. */
static const char version_key[] = " millgate store";
static const char version[] = "1";

static pthread_mutex_t all_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct mg_environment *all; /* under all_mutex, as is each `users` */

/* LMDB calls it EIO when a write was cut. */
static bool disk_is_full(const struct mg_environment *environment)
{
	enum { LITTLE = 1 << 20 };
	struct statvfs status;

	return statvfs(environment->path, &status) == 0 &&
	       (uint64_t)status.f_bavail * status.f_frsize < LITTLE;
}

void mg_environment_error(
	struct mg_error *error, struct mg_environment *environment, int status, const char *what)
{
	if (status == EIO && disk_is_full(environment))
		status = ENOSPC;
	if (status == MDB_MAP_FULL)
		mg_error_set(error, "%s: %s: full: the limit of its size is reached",
			environment->path, what);
	else if (status == MDB_PANIC)
		mg_error_set(error,
			"%s: %s: a write failed before; it can be changed once it is opened anew",
			environment->path, what);
	else
		mg_error_set(error, "%s: %s: %s", environment->path, what, mdb_strerror(status));
	if (status == MDB_CORRUPTED || status == MDB_PAGE_NOTFOUND || status == MDB_INVALID)
		atomic_store(&environment->doubted, true);
}

static void free_environment(struct mg_environment *environment)
{
	if (environment->env)
		mdb_env_close(environment->env);
	mg_store_place_leave(&environment->place, !atomic_load(&environment->doubted));
	pthread_mutex_destroy(&environment->writing);
	free(environment->path);
	free(environment);
}

static struct mg_environment *new_environment(
	const char *path, bool read_only, struct mg_error *error)
{
	struct mg_environment *environment = calloc(1, sizeof(*environment));

	if (environment && mg_store_writing_init(&environment->writing)) {
		environment->place.owner = -1;
		environment->read_only = read_only;
		environment->path = strdup(path);
		if (environment->path)
			return environment;
		free_environment(environment);
	} else {
		free(environment);
	}
	mg_error_set(error, "%s: out of memory", path);
	return NULL;
}

/* The last that LMDB says before it ends the process. */
static void on_assertion(MDB_env *env, const char *message)
{
	const struct mg_environment *environment = mdb_env_get_userctx(env);

	mg_log(LOG_CRIT, "%s: damaged, to be moved aside: %s", environment->path, message);
	mg_store_place_distrust(&environment->place);
}

static int open_file(const struct mg_environment *environment, struct mg_error *error)
{
	char name[PATH_MAX];
	int descriptor;

	mg_str_format(name, sizeof(name), "%s/data.mdb", environment->path);
	descriptor = open(name, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0 && (errno != ENOENT || environment->read_only))
		mg_error_system(error, errno, "%s", name);
	return descriptor;
}

/* With the place taken. */
static enum mg_store_soundness look_before(
	const struct mg_environment *environment, struct mg_error *error)
{
	const struct mg_store_place *place = &environment->place;
	int64_t deadline = place->crashes >= CRASHES_MAX
				   ? INT64_MAX
				   : mg_clock_system.monotonic(&mg_clock_system) + VERIFY_TIME;
	enum mg_store_soundness answer = MG_STORE_UNKNOWN;
	int descriptor;

	if (place->distrusted) {
		mg_error_set(error, "damaged: LMDB could not go on with it");
		return MG_STORE_DAMAGED;
	}
	if (error)
		error->text[0] = '\0';
	descriptor = open_file(environment, error);
	if (descriptor >= 0)
		answer = mg_store_verify(descriptor, UINT64_MAX, deadline, error);
	else if (errno == ENOENT)
		answer = MG_STORE_EMPTY;
	if (descriptor >= 0)
		close(descriptor);
	return answer;
}

/* Takes the place of a writer, whose store is then sound, or new. */
static bool take_place(
	struct mg_environment *environment, struct mg_error *replaced, struct mg_error *error)
{
	const char *path = environment->path;
	struct mg_error found, moved;

	if (!mg_store_place_take(&environment->place, path, error))
		return false;
	switch (look_before(environment, &found)) {
	case MG_STORE_SOUND:
	case MG_STORE_SOUND_SO_FAR:
	case MG_STORE_EMPTY: return true;
	case MG_STORE_DAMAGED: break;
	default: mg_error_set(error, "%s: %s", path, found.text); return false;
	}
	if (!mg_store_place_move_aside(&environment->place, path, &moved, error) ||
		!mg_store_place_take(&environment->place, path, error))
		return false;
	mg_error_set(replaced, "%s: %s; %s, a new one was made", path, found.text, moved.text);
	return true;
}

static int open_env(struct mg_environment *environment, const struct mg_store_settings *settings)
{
	uint64_t limit = settings->limit ? settings->limit : MG_STORE_LIMIT_DEFAULT;
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	MDB_stat stat;
	int status = mdb_env_create(&environment->env);

	if (limit > SIZE_MAX / 4)
		limit = SIZE_MAX / 4;
	if (status == 0 && !settings->read_only)
		status = mdb_env_set_mapsize(environment->env, limit / page_size * page_size);
	if (status == 0)
		status = mdb_env_set_maxdbs(environment->env, TABLES_MAX);
	if (status == 0) {
		mdb_env_set_userctx(environment->env, environment);
		mdb_env_set_assert(environment->env, on_assertion);
		status = mdb_env_open(environment->env, environment->path,
			MDB_NOTLS | (settings->read_only ? MDB_RDONLY : 0), FILE_MODE);
	}
	if (status == 0)
		status = mdb_env_stat(environment->env, &stat);
	if (status == 0) {
		environment->pages = (limit - limit / RESERVE) / stat.ms_psize;
	}
	return status;
}

/* Others than the owner cannot set what they could not change: then it was set before. */
static bool set_modes(const struct mg_environment *environment, struct mg_error *error)
{
	static const struct {
		const char *name;
		mode_t mode;
	} files[] = {{"data.mdb", FILE_MODE}, {"lock.mdb", LOCK_MODE}};
	char name[PATH_MAX];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		mg_str_format(name, sizeof(name), "%s/%s", environment->path, files[i].name);
		if (chmod(name, files[i].mode) < 0 && errno != EPERM) {
			mg_error_system(error, errno, "%s", name);
			return false;
		}
	}
	return true;
}

/* LMDB would make a lock file, which the writer then might not open. */
static bool has_lock_file(const struct mg_environment *environment, struct mg_error *error)
{
	char name[PATH_MAX];

	mg_str_format(name, sizeof(name), "%s/lock.mdb", environment->path);
	if (access(name, F_OK) == 0)
		return true;
	mg_error_system(error, errno, "%s", name);
	return false;
}

/* Looks through the state that is now, while it is held: a writer may go on. */
static enum mg_store_soundness look_beside(
	const struct mg_environment *environment, int descriptor, struct mg_error *error)
{
	enum mg_store_soundness answer = MG_STORE_UNKNOWN;
	MDB_txn *txn = NULL;
	int status = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &txn);

	if (status == 0)
		answer = mg_store_verify(descriptor, mdb_txn_id(txn), INT64_MAX, error);
	else
		mg_error_set(error, "%s", mdb_strerror(status));
	if (txn)
		mdb_txn_abort(txn);
	return answer;
}

/* Before and behind LMDB's opening: that trusts the first page, and reading wants what it holds. */
static bool verify_readable(const struct mg_environment *environment, struct mg_error *error)
{
	enum mg_store_soundness answer = MG_STORE_GONE;
	struct mg_error found = {""};
	int descriptor = open_file(environment, error);

	if (descriptor < 0)
		return false;
	for (int try = 0; try < VERIFY_TRIES && answer != MG_STORE_SOUND; try++)
		answer = environment->env ? look_beside(environment, descriptor, &found)
					  : mg_store_verify_metas(descriptor, &found);
	close(descriptor);
	if (answer == MG_STORE_SOUND || answer == MG_STORE_SOUND_SO_FAR)
		return true;
	if (answer == MG_STORE_EMPTY)
		mg_error_set(&found, "is empty");
	mg_error_set(error, "%s: %s", environment->path, found.text);
	return false;
}

/* With all_mutex held. */
static struct mg_environment *open_environment(const char *path,
	const struct mg_store_settings *settings, struct mg_error *replaced, struct mg_error *error)
{
	struct mg_environment *environment = new_environment(path, settings->read_only, error);
	struct stat directory;
	int status;

	if (!environment)
		return NULL;
	if (settings->read_only
			? !has_lock_file(environment, error) || !verify_readable(environment, error)
			: !take_place(environment, replaced, error))
		goto failed;
	status = open_env(environment, settings);
	if (status != 0) {
		mg_error_set(error, "%s: %s", path, mdb_strerror(status));
		goto failed;
	}
	if (stat(path, &directory) < 0) {
		mg_error_system(error, errno, "%s", path);
		goto failed;
	}
	environment->device = directory.st_dev;
	environment->inode = directory.st_ino;
	if (settings->read_only ? verify_readable(environment, error)
				: set_modes(environment, error)) {
		if (!settings->read_only)
			mg_store_place_sync(path);
		return environment;
	}
failed:
	free_environment(environment);
	return NULL;
}

static struct mg_environment *find_environment(const char *path)
{
	struct mg_environment *found;
	struct stat directory;

	if (stat(path, &directory) < 0)
		return NULL;
	for (found = all; found; found = found->next)
		if (found->device == directory.st_dev && found->inode == directory.st_ino)
			return found;
	return NULL;
}

/* The environment of the directory, shared with who has it open. NULL with error. */
struct mg_environment *mg_environment_take(const char *path,
	const struct mg_store_settings *settings, struct mg_error *replaced, struct mg_error *error)
{
	struct mg_environment *environment;

	pthread_mutex_lock(&all_mutex);
	environment = find_environment(path);
	if (!environment) {
		environment = open_environment(path, settings, replaced, error);
		if (environment) {
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

void mg_environment_drop(struct mg_environment *environment)
{
	struct mg_environment **at = &all;

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
bool mg_environment_agree(struct mg_environment *environment, MDB_txn *txn, struct mg_error *error)
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
		mg_environment_error(error, environment, status, "version");
		return false;
	}
	if (found.mv_size == value.mv_size && memcmp(found.mv_data, version, value.mv_size) == 0)
		return true;
	mg_str_printable(shown, sizeof(shown), found.mv_data, found.mv_size);
	mg_error_set(error, "%s: is of version %s; this program knows version %s",
		environment->path, shown, version);
	return false;
}
