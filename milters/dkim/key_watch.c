/* SPDX-License-Identifier: ISC */
#include "dkim/key_watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"

#define SETTLED_EVERY (3600 * MG_SECOND)
#define UNANSWERED_EVERY (30 * MG_SECOND)

struct key_watch {
	struct key_asker asker;
	pthread_t thread;
	atomic_bool stop;
};

/* How long after the last question a queue's keys are asked again. */
static int64_t pace_of(const struct key_watch *watch, enum key_queue_kind kind)
{
	int64_t check_dns = watch->asker.settings->check_dns;

	switch (kind) {
	case KEY_QUEUE_UNANSWERED:
		return check_dns < UNANSWERED_EVERY ? check_dns : UNANSWERED_EVERY;
	case KEY_QUEUE_SETTLED: return check_dns > SETTLED_EVERY ? check_dns : SETTLED_EVERY;
	default: return check_dns;
	}
}

/* The next entry to ask for, NULL none before `next`. */
static struct key_entry *find_due(const struct key_watch *watch, int64_t now, int64_t *next)
{
	*next = INT64_MAX;
	for (int kind = 0; kind < KEY_QUEUE_COUNT; kind++) {
		struct key_entry *entry = TAILQ_FIRST(&watch->asker.store->queues[kind]);
		int64_t due;

		if (!entry)
			continue;
		if (entry->asked == INT64_MIN)
			return entry;
		due = entry->asked + pace_of(watch, kind);
		if (due <= now)
			return entry;
		if (due < *next)
			*next = due;
	}
	return NULL;
}

/* Looks at the files of a domain, then asks for its keys. With the lock, which is given back
 * meanwhile. */
static void look_after(struct key_watch *watch, struct key_entry *entry, int64_t now)
{
	const struct key_asker *asker = &watch->asker;
	struct key_store *store = asker->store;
	struct key_notices notices = {0};
	enum mg_dkim_found found;
	char name[MG_DKIM_DOMAIN_MAX + 1];

	mg_str_copy(name, sizeof(name), entry->name);
	/* Whatever becomes of it, its turn has been. */
	entry->asked = now;
	key_store_queue(store, entry);
	key_store_leave(store);
	entry = key_store_enter(
		store, name, asker->clock->monotonic(asker->clock), &notices, &found, NULL);
	if (entry) {
		key_entry_use(entry);
		key_ask_again(asker, entry, &watch->stop, &notices);
		key_entry_release(entry);
		key_store_leave(store);
	}
	key_notices_write(&notices, asker->events);
	pthread_mutex_lock(&store->lock);
}

static void *run(void *context)
{
	struct key_watch *watch = context;
	struct key_store *store = watch->asker.store;

	pthread_mutex_lock(&store->lock);
	while (!atomic_load(&watch->stop)) {
		int64_t now = mg_clock_system.monotonic(&mg_clock_system), next;
		struct key_entry *entry = find_due(watch, now, &next);

		if (entry) {
			look_after(watch, entry, now);
		} else if (next == INT64_MAX) {
			pthread_cond_wait(&store->queued, &store->lock);
		} else {
			struct timespec until = {
				.tv_sec = next / MG_SECOND, .tv_nsec = (long)(next % MG_SECOND)};

			pthread_cond_timedwait(&store->queued, &store->lock, &until);
		}
	}
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

struct key_watch *key_watch_start(const struct key_asker *asker, struct mg_error *error)
{
	struct key_watch *watch = calloc(1, sizeof(*watch));
	int number;

	if (!watch) {
		mg_error_system(error, ENOMEM, "keys");
		return NULL;
	}
	watch->asker = *asker;
	atomic_init(&watch->stop, false);
	number = pthread_create(&watch->thread, NULL, run, watch);
	if (number == 0)
		return watch;
	mg_error_system(error, number, "keys: no thread to ask the DNS");
	free(watch);
	return NULL;
}

void key_watch_end(struct key_watch *watch)
{
	if (!watch)
		return;
	atomic_store(&watch->stop, true);
	pthread_mutex_lock(&watch->asker.store->lock);
	pthread_cond_broadcast(&watch->asker.store->queued);
	pthread_mutex_unlock(&watch->asker.store->lock);
	pthread_join(watch->thread, NULL);
	free(watch);
}
