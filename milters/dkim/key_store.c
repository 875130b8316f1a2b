/* SPDX-License-Identifier: ISC */
#include "dkim/key_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum { TABLE_FIRST = 64 };

/* How long what was read of files holds. */
#define LOOK_EVERY MG_SECOND

struct key_opened {
	unsigned uses;
	struct mg_dkim_folder *folder;
};

static pthread_mutex_t stores_lock = PTHREAD_MUTEX_INITIALIZER;
static struct key_store *stores;

/* --- the table --- */

/* FNV-1a: its keys are names of folders, which no stranger makes. */
static size_t hash_of(const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return (size_t)(hash ^ hash >> 32);
}

static struct key_entry **place_of(const struct key_store *store, const char *name)
{
	struct key_entry **place = &store->table[hash_of(name) & (store->size - 1)];

	while (*place && strcmp((*place)->name, name) != 0)
		place = &(*place)->next;
	return place;
}

/* Twice the places, when there is memory for them: else chains get longer. */
static void grow(struct key_store *store)
{
	struct key_entry **table = calloc(store->size * 2, sizeof(struct key_entry *));
	struct key_entry *entry, *next;

	if (!table)
		return;
	for (size_t i = 0; i < store->size; i++)
		for (entry = store->table[i]; entry; entry = next) {
			size_t place = hash_of(entry->name) & (store->size * 2 - 1);

			next = entry->next;
			entry->next = table[place];
			table[place] = entry;
		}
	free(store->table);
	store->table = table;
	store->size *= 2;
}

static struct key_entry *insert(struct key_store *store, const char *name)
{
	size_t length = strlen(name) + 1;
	struct key_entry *entry = calloc(1, sizeof(*entry) + length), **place;

	if (!entry)
		return NULL;
	memcpy(entry->name, name, length);
	entry->uses = 1;
	entry->listed = true;
	entry->asked = INT64_MIN;
	if (store->count >= store->size)
		grow(store);
	place = place_of(store, name);
	*place = entry;
	store->count++;
	return entry;
}

static void leave_queue(struct key_entry *entry)
{
	if (entry->queue)
		TAILQ_REMOVE(entry->queue, entry, order);
	entry->queue = NULL;
}

void key_entry_use(struct key_entry *entry)
{
	entry->uses++;
}

void key_entry_release(struct key_entry *entry)
{
	if (--entry->uses > 0)
		return;
	mg_dkim_domain_free(entry->domain);
	free(entry->states);
	free(entry);
}

static void drop(struct key_store *store, struct key_entry *entry)
{
	if (!entry->listed)
		return;
	entry->listed = false;
	leave_queue(entry);
	*place_of(store, entry->name) = entry->next;
	store->count--;
	key_entry_release(entry);
}

int key_entry_find(const struct key_entry *entry, const char *selector)
{
	for (size_t i = 0; i < entry->domain->key_count; i++)
		if (mg_str_equal_nocase(entry->domain->files[i].selector, selector))
			return (int)i;
	return -1;
}

/* --- the order of questions --- */

static enum key_queue_kind queue_of(const struct key_entry *entry)
{
	size_t counts[MG_DKIM_ALGORITHM_COUNT] = {0};
	enum key_queue_kind kind = KEY_QUEUE_SETTLED;

	for (size_t i = 0; i < entry->domain->key_count; i++) {
		const struct key_state *state = &entry->states[i];

		if (!entry->domain->files[i].key)
			continue;
		if (state->asked && !state->answered)
			return KEY_QUEUE_UNANSWERED;
		if (state->seen != MG_DKIM_SEEN ||
			++counts[mg_dkim_key_algorithm(entry->domain->files[i].key)] > 1)
			kind = KEY_QUEUE_WAITING;
	}
	return kind;
}

static bool has_keys(const struct key_entry *entry)
{
	for (size_t i = 0; i < entry->domain->key_count; i++)
		if (entry->domain->files[i].key)
			return true;
	return false;
}

void key_store_queue(struct key_store *store, struct key_entry *entry)
{
	leave_queue(entry);
	if (!entry->listed || !has_keys(entry))
		return;
	entry->queue = &store->queues[queue_of(entry)];
	if (entry->asked != INT64_MIN) {
		TAILQ_INSERT_TAIL(entry->queue, entry, order);
		return;
	}
	TAILQ_INSERT_HEAD(entry->queue, entry, order);
	pthread_cond_broadcast(&store->queued);
}

/* --- the folder of keys --- */

static void release_opened(struct key_opened *opened)
{
	if (!opened || --opened->uses > 0)
		return;
	mg_dkim_folder_close(opened->folder);
	free(opened);
}

/* Takes the folder; false: no memory. */
static bool set_opened(struct key_store *store, struct mg_dkim_folder *folder)
{
	struct key_opened *opened = malloc(sizeof(*opened));

	if (!opened)
		return false;
	*opened = (struct key_opened){.uses = 1, .folder = folder};
	release_opened(store->opened);
	store->opened = opened;
	store->generation++;
	return true;
}

/* It is known that it is not there; else it will pass, and what is loaded holds. */
static bool is_gone(int number)
{
	return number == ENOENT || number == ENOTDIR || number == EACCES || number == ELOOP ||
	       number == ENAMETOOLONG;
}

static void set_trouble(struct key_store *store, const struct mg_error *error)
{
	if (error && strcmp(error->text, store->trouble.text) != 0)
		mg_log(LOG_ERR, "keys: %s: nothing is signed by its keys", error->text);
	if (!error && store->trouble.text[0])
		mg_log(LOG_NOTICE, "keys: %s: there again", store->path);
	mg_error_set(&store->trouble, "%s", error ? error->text : "");
}

/* Opens the folder anew, once a second, by one thread: it may be another one, or have another
 * mode. */
static void look_at_folder(struct key_store *store, int64_t now)
{
	struct mg_dkim_trust trust;
	struct mg_dkim_folder *folder;
	struct mg_error error;
	int number;

	if (store->looking ||
		(store->looked_once && now >= store->looked && now - store->looked < LOOK_EVERY))
		return;
	store->looking = true;
	pthread_mutex_unlock(&store->lock);
	trust = mg_dkim_trust_self();
	folder = mg_dkim_folder_open(store->path, &trust, &error);
	number = errno;
	pthread_mutex_lock(&store->lock);
	store->looking = false;
	store->looked_once = true;
	store->looked = now;
	if (!folder) {
		if (is_gone(number))
			set_trouble(store, &error);
		return;
	}
	set_trouble(store, NULL);
	if (mg_dkim_folder_same(store->opened->folder, folder) || !set_opened(store, folder))
		mg_dkim_folder_close(folder);
}

const struct mg_dkim_folder *key_store_folder(const struct key_store *store)
{
	return store->opened->folder;
}

/* --- reading a domain --- */

/* What was known of a key is known of the same key. */
static void carry_states(const struct key_entry *entry, const struct mg_dkim_domain *domain,
	struct key_state states[])
{
	for (size_t i = 0; entry->domain && i < domain->key_count; i++) {
		const struct mg_dkim_file *file = &domain->files[i];
		int old = key_entry_find(entry, file->selector);

		if (old >= 0 && file->key && entry->domain->files[old].key &&
			strcmp(mg_dkim_key_public(file->key),
				mg_dkim_key_public(entry->domain->files[old].key)) == 0)
			states[i] = entry->states[old];
	}
}

static void compare_faults(struct key_notices *notices, const struct mg_dkim_folder *folder,
	const struct mg_dkim_domain *domain, const char *selector,
	const struct mg_dkim_fault *before, const struct mg_dkim_fault *fault, bool unsigned_now)
{
	if (mg_dkim_fault_same(before, fault))
		return;
	if (fault)
		key_notice_refused(notices, folder, domain->name, selector, fault, unsigned_now);
	else
		key_notice_mended(notices, folder, before);
}

static void tell_faults(const struct key_store *store, const struct key_entry *entry,
	const struct mg_dkim_domain *domain, struct key_notices *notices)
{
	const struct mg_dkim_domain *before = entry->domain;
	bool unsigned_now = true;

	for (size_t i = 0; i < domain->key_count; i++)
		unsigned_now &= mg_dkim_file_fault(domain, &domain->files[i]) != NULL;
	compare_faults(notices, store->opened->folder, domain, "", before ? before->fault : NULL,
		domain->fault, true);
	for (size_t i = 0; i < domain->key_count; i++) {
		const struct mg_dkim_file *file = &domain->files[i];
		int old = before ? key_entry_find(entry, file->selector) : -1;

		compare_faults(notices, store->opened->folder, domain, file->selector,
			old >= 0 ? before->files[old].fault : NULL, file->fault, unsigned_now);
	}
}

static bool has_unasked(const struct mg_dkim_domain *domain, const struct key_state states[])
{
	for (size_t i = 0; i < domain->key_count; i++)
		if (domain->files[i].key && !states[i].asked)
			return true;
	return false;
}

/* The domain as read in place of what was known; false: no memory, all is as it was. */
static bool install(struct key_store *store, struct key_entry *entry, struct mg_dkim_domain *domain,
	struct key_notices *notices)
{
	struct key_state *states = calloc(domain->key_count + 1, sizeof(*states));

	if (!states)
		return false;
	carry_states(entry, domain, states);
	tell_faults(store, entry, domain, notices);
	free(entry->states);
	mg_dkim_domain_free(entry->domain);
	entry->domain = domain;
	entry->states = states;
	if (has_unasked(domain, states))
		entry->asked = INT64_MIN;
	key_store_queue(store, entry);
	return true;
}

/* Looks at the files of an entry, without the lock meanwhile. What cannot be read for now stays as it
 * was. */
static enum mg_dkim_found look_at_entry(struct key_store *store, struct key_entry *entry,
	int64_t now, struct key_notices *notices, struct mg_error *error)
{
	struct key_opened *opened = store->opened;
	uint64_t generation = store->generation;
	struct mg_dkim_domain *domain = NULL;
	enum mg_dkim_found found;
	bool compare = entry->domain && entry->generation == generation;

	entry->reading = true;
	opened->uses++;
	pthread_mutex_unlock(&store->lock);
	if (compare && mg_dkim_domain_current(opened->folder, entry->domain))
		found = MG_DKIM_FOUND;
	else
		found = mg_dkim_domain_read(
			opened->folder, entry->name, entry->domain, &domain, error);
	pthread_mutex_lock(&store->lock);
	release_opened(opened);
	entry->reading = false;
	pthread_cond_broadcast(&store->changed);
	if (domain && !install(store, entry, domain, notices)) {
		mg_error_system(error, ENOMEM, "%s", entry->name);
		mg_dkim_domain_free(domain);
		found = MG_DKIM_FAILED;
	}
	if (found == MG_DKIM_FAILED && entry->domain)
		found = MG_DKIM_FOUND;
	entry->looked = now;
	entry->generation = generation;
	return found;
}

static bool is_fresh(const struct key_store *store, const struct key_entry *entry, int64_t now)
{
	return entry->reading || (entry->generation == store->generation && now >= entry->looked &&
					 now - entry->looked < LOOK_EVERY);
}

/* An entry for a folder that is there, but not in the table. Without the lock meanwhile. NULL: found
 * and error say why. */
static struct key_entry *find_folder(struct key_store *store, const char *name,
	enum mg_dkim_found *found, struct mg_error *error)
{
	struct key_opened *opened = store->opened;
	struct key_entry *entry;

	opened->uses++;
	pthread_mutex_unlock(&store->lock);
	*found = mg_dkim_domain_look(opened->folder, name, error);
	pthread_mutex_lock(&store->lock);
	release_opened(opened);
	if (*found != MG_DKIM_FOUND)
		return NULL;
	entry = *place_of(store, name);
	if (!entry)
		entry = insert(store, name);
	if (!entry) {
		*found = MG_DKIM_FAILED;
		mg_error_system(error, ENOMEM, "%s", name);
	}
	return entry;
}

struct key_entry *key_store_enter(struct key_store *store, const char *name, int64_t now,
	struct key_notices *notices, enum mg_dkim_found *found, struct mg_error *error)
{
	struct key_entry *entry;

	pthread_mutex_lock(&store->lock);
	look_at_folder(store, now);
	*found = store->trouble.text[0] ? MG_DKIM_FAILED : MG_DKIM_FOUND;
	if (*found == MG_DKIM_FAILED && error)
		*error = store->trouble;
	while (*found == MG_DKIM_FOUND) {
		entry = *place_of(store, name);
		if (!entry)
			entry = find_folder(store, name, found, error);
		if (!entry)
			break;
		if (entry->domain && is_fresh(store, entry, now))
			return entry;
		if (entry->reading) {
			pthread_cond_wait(&store->changed, &store->lock);
			continue;
		}
		*found = look_at_entry(store, entry, now, notices, error);
		if (*found == MG_DKIM_FOUND)
			return entry;
		drop(store, entry);
	}
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

void key_store_leave(struct key_store *store)
{
	pthread_mutex_unlock(&store->lock);
}

/* --- the register of stores --- */

static void free_store(struct key_store *store)
{
	struct key_entry *entry, *next;

	for (size_t i = 0; i < store->size; i++)
		for (entry = store->table[i]; entry; entry = next) {
			next = entry->next;
			key_entry_release(entry);
		}
	free(store->table);
	release_opened(store->opened);
	pthread_cond_destroy(&store->changed);
	pthread_cond_destroy(&store->queued);
	pthread_mutex_destroy(&store->lock);
	free(store->path);
	free(store);
}

static struct key_store *new_store(const char *path, struct mg_error *error)
{
	struct key_store *store = calloc(1, sizeof(*store));
	struct mg_dkim_trust trust = mg_dkim_trust_self();
	struct mg_dkim_folder *folder;
	pthread_condattr_t attributes;

	if (!store) {
		mg_error_system(error, ENOMEM, "%s", path);
		return NULL;
	}
	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&store->changed, &attributes);
	pthread_cond_init(&store->queued, &attributes);
	pthread_condattr_destroy(&attributes);
	for (int kind = 0; kind < KEY_QUEUE_COUNT; kind++)
		TAILQ_INIT(&store->queues[kind]);
	store->path = strdup(path);
	store->table = calloc(TABLE_FIRST, sizeof(struct key_entry *));
	store->size = TABLE_FIRST;
	folder = mg_dkim_folder_open(path, &trust, error);
	if (folder && store->path && store->table && set_opened(store, folder))
		return store;
	if (folder) {
		mg_error_system(error, ENOMEM, "%s", path);
		mg_dkim_folder_close(folder);
	}
	if (!store->table)
		store->size = 0;
	free_store(store);
	return NULL;
}

struct key_store *key_store_open(const char *path, struct mg_error *error)
{
	struct key_store *store;

	pthread_mutex_lock(&stores_lock);
	for (store = stores; store && strcmp(store->path, path) != 0;)
		store = store->next;
	if (!store) {
		store = new_store(path, error);
		if (store) {
			store->next = stores;
			stores = store;
		}
	}
	if (store)
		store->uses++;
	pthread_mutex_unlock(&stores_lock);
	return store;
}

void key_store_close(struct key_store *store)
{
	struct key_store **place = &stores;
	bool last;

	if (!store)
		return;
	pthread_mutex_lock(&stores_lock);
	last = --store->uses == 0;
	if (last) {
		while (*place != store)
			place = &(*place)->next;
		*place = store->next;
	}
	pthread_mutex_unlock(&stores_lock);
	if (last)
		free_store(store);
}
