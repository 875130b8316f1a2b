/* SPDX-License-Identifier: ISC */
#include "base/dns_cache.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/dns_answer.h"

static const int64_t least = MG_SECOND, most = 3600 * MG_SECOND, most_absent = 300 * MG_SECOND,
		     failure = 5 * MG_SECOND;

enum { NODE_SIZE = 48 }; /* of the tree and the allocator, about */

/* A balanced tree, for names are chosen by strangers: no choice makes it slow. */
struct kept {
	enum mg_dns_type type;
	const char *name;
	const struct mg_dns_answer *answer;
	int64_t until; /* monotonic ns */
	size_t size;
	TAILQ_ENTRY(kept) order;
};

struct mg_dns_cache {
	pthread_mutex_t lock; /* all below */
	const struct mg_clock *clock;
	size_t entries_max, bytes_max;
	void *tree;
	TAILQ_HEAD(, kept) used; /* the one asked for last is the last */
	size_t count, bytes;
};

static int compare(const void *a, const void *b)
{
	const struct kept *one = a, *other = b;

	if (one->type != other->type)
		return one->type < other->type ? -1 : 1;
	return strcmp(one->name, other->name);
}

struct mg_dns_cache *mg_dns_cache_new(size_t entries, size_t bytes, const struct mg_clock *clock)
{
	struct mg_dns_cache *cache = calloc(1, sizeof *cache);

	if (cache == NULL)
		return NULL;
	pthread_mutex_init(&cache->lock, NULL);
	cache->clock = clock;
	cache->entries_max = entries;
	cache->bytes_max = bytes;
	TAILQ_INIT(&cache->used);
	return cache;
}

static void drop(struct mg_dns_cache *cache, struct kept *entry)
{
	tdelete(entry, &cache->tree, compare);
	TAILQ_REMOVE(&cache->used, entry, order);
	cache->count--;
	cache->bytes -= entry->size;
	mg_dns_answer_release(entry->answer);
	free(entry);
}

void mg_dns_cache_free(struct mg_dns_cache *cache)
{
	struct kept *entry;

	if (cache == NULL)
		return;
	while ((entry = TAILQ_FIRST(&cache->used)) != NULL)
		drop(cache, entry);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* With the lock held. */
static struct kept *find(struct mg_dns_cache *cache, const char *name, enum mg_dns_type type)
{
	const struct kept wanted = {.type = type, .name = name};
	struct kept **found = tfind(&wanted, &cache->tree, compare);

	return found != NULL ? *found : NULL;
}

/* Whether it says something of the name, not of the way to it. */
static bool is_answer(const struct mg_dns_answer *answer)
{
	return answer->status == MG_DNS_FOUND || answer->status == MG_DNS_NO_DATA ||
	       answer->status == MG_DNS_NO_NAME;
}

const struct mg_dns_answer *mg_dns_cache_get(
	struct mg_dns_cache *cache, const char *name, enum mg_dns_type type)
{
	int64_t now = cache->clock->monotonic(cache->clock);
	const struct mg_dns_answer *answer = NULL;
	struct kept *entry;

	pthread_mutex_lock(&cache->lock);
	entry = find(cache, name, type);
	if (entry != NULL && entry->until <= now) {
		drop(cache, entry);
	} else if (entry != NULL) {
		if (is_answer(entry->answer)) {
			TAILQ_REMOVE(&cache->used, entry, order);
			TAILQ_INSERT_TAIL(&cache->used, entry, order);
		}
		answer = mg_dns_answer_use(entry->answer);
	}
	pthread_mutex_unlock(&cache->lock);
	return answer;
}

/* How long an answer is kept, ns. */
static int64_t life(const struct mg_dns_answer *answer)
{
	int64_t limit = answer->status == MG_DNS_FOUND ? most : most_absent;

	if (!is_answer(answer))
		return failure;
	if (answer->ttl < least)
		return least;
	return answer->ttl < limit ? answer->ttl : limit;
}

static struct kept *new_entry(
	const char *name, enum mg_dns_type type, const struct mg_dns_answer *answer, int64_t now)
{
	size_t length = strlen(name) + 1;
	struct kept *entry = malloc(sizeof *entry + length);

	if (entry == NULL)
		return NULL;
	memcpy(entry + 1, name, length);
	*entry = (struct kept){.type = type,
		.name = (const char *)(entry + 1),
		.answer = answer,
		.until = now + life(answer),
		.size = sizeof *entry + length + NODE_SIZE + mg_dns_answer_size(answer)};
	return entry;
}

/* With the lock held: puts it where it is found, and what is over the bounds out. */
static bool insert(struct mg_dns_cache *cache, struct kept *entry)
{
	if (tsearch(entry, &cache->tree, compare) == NULL)
		return false;
	mg_dns_answer_use(entry->answer);
	if (is_answer(entry->answer))
		TAILQ_INSERT_TAIL(&cache->used, entry, order);
	else
		TAILQ_INSERT_HEAD(&cache->used, entry, order);
	cache->count++;
	cache->bytes += entry->size;
	while (cache->count > cache->entries_max || cache->bytes > cache->bytes_max)
		drop(cache, TAILQ_FIRST(&cache->used));
	return true;
}

void mg_dns_cache_put(struct mg_dns_cache *cache, const char *name, enum mg_dns_type type,
	const struct mg_dns_answer *answer)
{
	int64_t now = cache->clock->monotonic(cache->clock);
	struct kept *entry = new_entry(name, type, answer, now), *before;
	bool better = true;

	if (entry == NULL)
		return;
	pthread_mutex_lock(&cache->lock);
	before = find(cache, name, type);
	if (before != NULL && is_answer(before->answer) && before->until > now)
		better = is_answer(answer);
	if (before != NULL && better)
		drop(cache, before);
	if (!better || !insert(cache, entry))
		free(entry);
	pthread_mutex_unlock(&cache->lock);
}

size_t mg_dns_cache_count(struct mg_dns_cache *cache, size_t *bytes)
{
	size_t count;

	pthread_mutex_lock(&cache->lock);
	count = cache->count;
	*bytes = cache->bytes;
	pthread_mutex_unlock(&cache->lock);
	return count;
}
