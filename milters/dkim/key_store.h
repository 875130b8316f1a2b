/* SPDX-License-Identifier: ISC */
/* key_store: what is known of one folder of keys, shared by all snapshots that use it: the domains
 * that were asked for, their keys, what DNS had. Files are looked at when a domain is asked for, at
 * most once a second.
 *
 * One lock, which no wait holds: files are read and DNS is asked without it, by one thread a
 * domain. */
#ifndef MG_DKIM_KEY_STORE_H
#define MG_DKIM_KEY_STORE_H
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "auth/dkim_domain.h"
#include "auth/dkim_folder.h"
#include "base/error.h"
#include "dkim/key_choice.h"
#include "dkim/key_notice.h"

/* The order in which DNS is asked again: of each queue those asked longest ago first. */
TAILQ_HEAD(key_queue, key_entry);
enum key_queue_kind {
	KEY_QUEUE_WAITING, /* a key waits, or several of one algorithm are there to choose from */
	KEY_QUEUE_SETTLED, /* all are seen */
	KEY_QUEUE_UNANSWERED, /* the last question of a key had no answer: these come last */
	KEY_QUEUE_COUNT
};

/* A domain whose folder was there when it was last looked at. All members are the lock's. */
struct key_entry {
	struct key_entry *next; /* of the same hash */
	TAILQ_ENTRY(key_entry) order;
	struct key_queue *queue; /* NULL: in none */
	unsigned uses; /* the table's, and those of threads that wait */
	bool listed; /* in the table */
	bool reading, asking; /* by one thread, without the lock */
	uint64_t generation; /* of the folder of keys when it was looked at */
	int64_t looked, asked; /* monotonic; asked INT64_MIN: never */
	struct mg_dkim_domain *domain; /* NULL until it was first read */
	struct key_state *states; /* one a key */
	char signs[MG_DKIM_ALGORITHM_COUNT][MG_DKIM_SELECTOR_MAX + 1]; /* unpinned; "" none */
	char name[];
};

struct key_store {
	struct key_store *next;
	unsigned uses; /* the register's lock's */
	char *path;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* someone has read or asked; CLOCK_MONOTONIC */
	pthread_cond_t queued; /* a key came that was never asked for, or a watch ends; likewise */
	struct key_opened *opened;
	uint64_t generation;
	int64_t looked;
	bool looking, looked_once;
	struct mg_error trouble; /* the folder of keys is not there; "" it is */
	struct key_entry **table;
	size_t size, count;
	struct key_queue queues[KEY_QUEUE_COUNT];
};

/* A use of the store of this folder. NULL with error. */
struct key_store *key_store_open(const char *path, struct mg_error *error);
void key_store_close(struct key_store *store);

/* The domain (mg_dkim_is_domain), read when it is new or a second has passed: with the lock, which
 * key_store_leave gives back. now: monotonic. NULL, without the lock: found says why, error more of
 * MG_DKIM_FAILED. */
struct key_entry *key_store_enter(struct key_store *store, const char *name, int64_t now,
	struct key_notices *notices, enum mg_dkim_found *found, struct mg_error *error);
void key_store_leave(struct key_store *store);

/* All with the lock. The folder of keys, until the lock is given back. */
const struct mg_dkim_folder *key_store_folder(const struct key_store *store);
/* Keeps an entry over a time without the lock; it may be out of the table, or read anew, after. */
void key_entry_use(struct key_entry *entry);
void key_entry_release(struct key_entry *entry);
/* Puts an entry where it is asked again: by what is known of its keys, those never asked first. */
void key_store_queue(struct key_store *store, struct key_entry *entry);
/* The key of a file name's selector, in any case; -1 none. */
int key_entry_find(const struct key_entry *entry, const char *selector);
#endif
