/* SPDX-License-Identifier: ISC */
/* store_environment: an LMDB environment that is safe to use: its directory is taken, what is in it was
 * looked through, and it is opened once a process, whoever asks for it again shares it.
 *
 * A writer takes the directory for itself (store_place.h), looks through the file before LMDB does
 * (store_verify.h; 50 ms, or to the end after two crashes one after the other), and moves a damaged one
 * aside. A reader looks through the state that it finds while it holds it. What is left: a byte that
 * turns on the disk while the store is open, or in a large one after a clean end, is LMDB's to find: an
 * error, or the end of the process, after which it is looked through. */
#ifndef MG_BASE_STORE_ENVIRONMENT_H
#define MG_BASE_STORE_ENVIRONMENT_H
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/store.h"
#include "base/store_place.h"

struct mg_environment {
	dev_t device; /* of the directory */
	ino_t inode;
	char *path;
	struct mg_store_place place; /* taken, unless read_only */
	MDB_env *env;
	size_t pages; /* over which nothing is put any more */
	bool read_only;
	atomic_bool doubted; /* LMDB has found it damaged */
	pthread_mutex_t writing;
	unsigned users;
	struct mg_environment *next;
};

/* The environment of the directory `path`. NULL with error; replaced as in mg_store_open. */
struct mg_environment *mg_environment_take(const char *path,
	const struct mg_store_settings *settings, struct mg_error *replaced,
	struct mg_error *error);
/* The last user closes it. */
void mg_environment_drop(struct mg_environment *environment);

/* Looks at the version of the store, or writes it into a new one. false with error. */
bool mg_environment_agree(struct mg_environment *environment, MDB_txn *txn, struct mg_error *error);
/* Sets the error: what LMDB's status means, when doing `what`. */
void mg_environment_error(
	struct mg_error *error, struct mg_environment *environment, int status, const char *what);
#endif
