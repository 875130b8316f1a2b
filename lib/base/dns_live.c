/* SPDX-License-Identifier: ISC */
#include "base/dns_live.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dns_answer.h"
#include "base/dns_cache.h"
#include "base/dns_servers.h"
#include "base/dns_unbound.h"
#include "base/log.h"

enum {
	KEPT_MAX = 20000, /* answers */
	KEPT_BYTES = 16 << 20,
	UNDER_WAY_MAX = 512 /* questions, whose memory a dead server would hold */
};
/* After a failure to open it is tried again at the earliest. */
static const int64_t reopen_after = 5 * MG_SECOND;

/* A question under way. It ends when the answer comes, though nobody may wait for it any more. */
struct flight {
	struct mg_unbound_question question; /* first */
	struct live *live;
	unsigned uses; /* those that wait, and one until it ends */
	const struct mg_dns_answer *answer; /* NULL until it ends */
	pthread_cond_t ended;
	TAILQ_ENTRY(flight) order;
	enum mg_dns_type type;
	char name[MG_DNS_NAME_SIZE];
};

struct live {
	struct mg_dns dns; /* first */
	char **servers; /* NULL: from the root */
	char *trust_anchor; /* NULL: not validated */
	int64_t timeout;
	LIST_ENTRY(live) next; /* in `resolvers` */
	struct mg_dns_cache *cache;

	pthread_mutex_t open_lock; /* the next two: opening takes some milliseconds */
	struct mg_unbound *unbound; /* NULL until the first question */
	int64_t open_again; /* monotonic ns */

	pthread_mutex_t lock; /* the members below and those of flights */
	pthread_cond_t empty; /* asking is 0 */
	void *tree; /* of flights */
	TAILQ_HEAD(, flight) flights;
	size_t under_way;
	size_t asking; /* threads in ask */
	bool closing;
};

/* The resolvers of this process. A resolver whose last use was given back is taken off by its
 * close, under this lock. */
static pthread_mutex_t resolvers_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, live) resolvers = LIST_HEAD_INITIALIZER(resolvers);

static int64_t monotonic(void)
{
	return mg_clock_system.monotonic(&mg_clock_system);
}

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

/* --- flights; all with the lock held but where it is said --- */

static int compare(const void *a, const void *b)
{
	const struct flight *one = a, *other = b;

	if (one->type != other->type)
		return one->type < other->type ? -1 : 1;
	return strcmp(one->name, other->name);
}

static struct flight *find_flight(struct live *live, const char *name, enum mg_dns_type type)
{
	struct flight wanted = {.type = type}, **found;

	memcpy(wanted.name, name, strlen(name) + 1);
	found = tfind(&wanted, &live->tree, compare);
	return found != NULL ? *found : NULL;
}

static void leave_flight(struct flight *flight)
{
	if (--flight->uses > 0)
		return;
	mg_dns_answer_release(flight->answer);
	pthread_cond_destroy(&flight->ended);
	free(flight);
}

/* Takes the use of the answer. */
static void end_flight(struct flight *flight, const struct mg_dns_answer *answer)
{
	struct live *live = flight->live;

	tdelete(flight, &live->tree, compare);
	TAILQ_REMOVE(&live->flights, flight, order);
	live->under_way--;
	flight->answer = answer;
	pthread_cond_broadcast(&flight->ended);
	leave_flight(flight);
}

/* Without the lock: the answer came. It is kept before the flight is gone, so that who finds no
 * flight finds the answer. */
static void land(struct mg_unbound_question *question, const struct mg_dns_answer *answer)
{
	struct flight *flight = (struct flight *)question;
	struct live *live = flight->live;

	pthread_mutex_lock(&live->lock);
	mg_dns_cache_put(live->cache, flight->name, flight->type, answer);
	end_flight(flight, answer);
	pthread_mutex_unlock(&live->lock);
}

/* NULL: no memory, or too many. */
static struct flight *new_flight(struct live *live, const char *name, enum mg_dns_type type)
{
	struct flight *flight = live->under_way < UNDER_WAY_MAX ? calloc(1, sizeof *flight) : NULL;

	if (flight == NULL)
		return NULL;
	flight->question.done = land;
	flight->live = live;
	flight->uses = 1;
	flight->type = type;
	memcpy(flight->name, name, strlen(name) + 1);
	if (tsearch(flight, &live->tree, compare) == NULL) {
		free(flight);
		return NULL;
	}
	init_condition(&flight->ended);
	TAILQ_INSERT_TAIL(&live->flights, flight, order);
	live->under_way++;
	return flight;
}

/* --- asking --- */

/* Opens at the first question. */
static struct mg_unbound *opened(struct live *live)
{
	struct mg_unbound *unbound;
	struct mg_error error;

	pthread_mutex_lock(&live->open_lock);
	if (live->unbound == NULL && monotonic() >= live->open_again) {
		live->unbound = mg_unbound_open(live->servers, live->trust_anchor, &error);
		if (live->unbound == NULL) {
			mg_log(LOG_ERR, "resolver: %s", error.text);
			live->open_again = monotonic() + reopen_after;
		}
	}
	unbound = live->unbound;
	pthread_mutex_unlock(&live->open_lock);
	return unbound;
}

/* Sends a new flight on its way; the lock is given back for that, for it may take a while. Who
 * calls has a use of it. */
static void send_flight(struct flight *flight, bool fresh)
{
	struct live *live = flight->live;
	struct mg_unbound *unbound;
	bool asked;

	pthread_mutex_unlock(&live->lock);
	unbound = opened(live);
	asked = unbound != NULL &&
		mg_unbound_ask(unbound, flight->name, flight->type, fresh, &flight->question);
	pthread_mutex_lock(&live->lock);
	if (!asked)
		end_flight(flight, mg_dns_plain(MG_DNS_FAILED));
}

/* Waits for a flight, a use of which is the caller's, and gives that back. */
static const struct mg_dns_answer *wait_for(struct flight *flight, int64_t deadline)
{
	struct live *live = flight->live;
	struct timespec until = {.tv_sec = deadline / MG_SECOND, .tv_nsec = deadline % MG_SECOND};
	const struct mg_dns_answer *answer;
	int status = 0;

	while (flight->answer == NULL && !live->closing && status != ETIMEDOUT)
		status = pthread_cond_timedwait(&flight->ended, &live->lock, &until);
	if (flight->answer != NULL)
		answer = mg_dns_answer_use(flight->answer);
	else
		answer = mg_dns_plain(live->closing ? MG_DNS_FAILED : MG_DNS_TIMEOUT);
	leave_flight(flight);
	return answer;
}

/* With the lock held: joins those who wait for it, or asks. */
static const struct mg_dns_answer *ask_anew(
	struct live *live, const char *name, enum mg_dns_type type, bool fresh, int64_t deadline)
{
	const struct mg_dns_answer *answer;
	struct flight *flight = find_flight(live, name, type);

	if (live->closing)
		return mg_dns_plain(MG_DNS_FAILED);
	if (flight != NULL) {
		flight->uses++;
		return wait_for(flight, deadline);
	}
	/* It may have landed meanwhile. */
	answer = fresh ? NULL : mg_dns_cache_get(live->cache, name, type);
	if (answer != NULL)
		return answer;
	flight = new_flight(live, name, type);
	if (flight == NULL)
		return mg_dns_plain(MG_DNS_FAILED);
	flight->uses++;
	send_flight(flight, fresh);
	/* A use of it is ours; the analyzer does not follow the count. */
	return wait_for(flight, deadline); /* NOLINT(clang-analyzer-unix.Malloc) */
}

static const struct mg_dns_answer *ask(
	struct mg_dns *dns, const char *name, enum mg_dns_type type, bool fresh, int64_t deadline)
{
	struct live *live = (struct live *)dns;
	const struct mg_dns_answer *answer =
		fresh ? NULL : mg_dns_cache_get(live->cache, name, type);
	int64_t now;

	if (answer != NULL)
		return answer;
	now = monotonic();
	if (deadline <= now)
		return mg_dns_plain(MG_DNS_TIMEOUT);
	if (deadline - now > live->timeout)
		deadline = now + live->timeout;
	pthread_mutex_lock(&live->lock);
	live->asking++;
	answer = ask_anew(live, name, type, fresh, deadline);
	if (--live->asking == 0)
		pthread_cond_signal(&live->empty);
	pthread_mutex_unlock(&live->lock);
	return answer;
}

/* --- its life --- */

static void free_live(struct live *live)
{
	struct flight *flight;

	/* Each leaves the list before it is freed, which the analyzer does not follow. */
	while ((flight = TAILQ_FIRST(&live->flights)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		end_flight(flight, mg_dns_plain(MG_DNS_FAILED));
	mg_dns_cache_free(live->cache);
	pthread_cond_destroy(&live->empty);
	pthread_mutex_destroy(&live->lock);
	pthread_mutex_destroy(&live->open_lock);
	free(live->servers);
	free(live->trust_anchor);
	free(live);
}

static void close_live(struct mg_dns *dns)
{
	struct live *live = (struct live *)dns;
	struct flight *flight;

	pthread_mutex_lock(&resolvers_lock);
	LIST_REMOVE(live, next);
	pthread_mutex_unlock(&resolvers_lock);
	pthread_mutex_lock(&live->lock);
	live->closing = true;
	TAILQ_FOREACH(flight, &live->flights, order)
	pthread_cond_broadcast(&flight->ended);
	while (live->asking > 0)
		pthread_cond_wait(&live->empty, &live->lock);
	pthread_mutex_unlock(&live->lock);
	mg_unbound_close(live->unbound);
	free_live(live);
}

static const struct mg_dns_kind kind = {.ask = ask, .close = close_live};

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_settings(const struct live *one, const struct live *other)
{
	if (one->timeout != other->timeout || !same_text(one->trust_anchor, other->trust_anchor) ||
		(one->servers == NULL) != (other->servers == NULL))
		return false;
	for (size_t i = 0; one->servers != NULL; i++) {
		if (!same_text(one->servers[i], other->servers[i]))
			return false;
		if (one->servers[i] == NULL)
			break;
	}
	return true;
}

static bool is_recursive(const struct mg_dns_live_settings *settings)
{
	return settings->count == 1 && strcmp(settings->servers[0], "recursive") == 0;
}

static struct live *new_live(const struct mg_dns_live_settings *settings)
{
	struct live *live = calloc(1, sizeof *live);
	bool good;

	if (live == NULL)
		return NULL;
	live->dns = (struct mg_dns){.kind = &kind, .uses = 1};
	live->timeout = settings->timeout;
	pthread_mutex_init(&live->open_lock, NULL);
	pthread_mutex_init(&live->lock, NULL);
	pthread_cond_init(&live->empty, NULL);
	TAILQ_INIT(&live->flights);
	live->cache = mg_dns_cache_new(KEPT_MAX, KEPT_BYTES, &mg_clock_system);
	good = live->cache != NULL;
	if (!is_recursive(settings)) {
		live->servers =
			mg_dns_servers(settings->servers, settings->count, "/etc/resolv.conf");
		good = good && live->servers != NULL;
	}
	if (settings->dnssec) {
		live->trust_anchor = strdup(settings->trust_anchor != NULL ? settings->trust_anchor
									   : MG_DNS_TRUST_ANCHOR);
		good = good && live->trust_anchor != NULL;
	}
	if (good)
		return live;
	free_live(live);
	return NULL;
}

/* With resolvers_lock held: a use of an equal one; NULL, there is none. One that has no user is
 * about to be closed. */
static struct live *use_equal(const struct live *wanted)
{
	struct live *live;

	LIST_FOREACH(live, &resolvers, next)
	{
		unsigned uses = live->dns.uses;

		if (!same_settings(live, wanted))
			continue;
		while (uses > 0)
			if (atomic_compare_exchange_weak(&live->dns.uses, &uses, uses + 1))
				return live;
	}
	return NULL;
}

struct mg_dns *mg_dns_live(const struct mg_dns_live_settings *settings, struct mg_error *error)
{
	struct live *made = new_live(settings), *live;

	if (made == NULL) {
		mg_error_set(error, "out of memory");
		return NULL;
	}
	if (made->trust_anchor != NULL && access(made->trust_anchor, R_OK) != 0) {
		mg_error_system(error, errno, "no trust anchor: %s", made->trust_anchor);
		free_live(made);
		return NULL;
	}
	pthread_mutex_lock(&resolvers_lock);
	live = use_equal(made);
	if (live == NULL)
		LIST_INSERT_HEAD(&resolvers, made, next);
	pthread_mutex_unlock(&resolvers_lock);
	if (live == NULL)
		return &made->dns;
	free_live(made);
	return &live->dns;
}

const char *mg_dns_live_check(const char *text)
{
	return strcmp(text, "recursive") == 0 || mg_dns_server_is(text)
		       ? NULL
		       : "expected IP, IP@PORT or recursive";
}
