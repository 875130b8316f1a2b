/* SPDX-License-Identifier: ISC */
#include "run/idle.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

enum { WAITING_MAX = 32, WAIT_SECONDS = 2 };

struct waiting {
	pthread_cond_t given;
	int fd; /* -1: none was given yet */
	struct waiting *next;
};
static struct {
	pthread_mutex_t lock;
	struct waiting *first;
	size_t count;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void leave_pool(const struct waiting *self)
{
	for (struct waiting **place = &pool.first; *place != NULL; place = &(*place)->next) {
		if (*place != self)
			continue;
		*place = self->next;
		pool.count--;
		return;
	}
}

int mg_idle_wait(void)
{
	struct waiting self = {.fd = -1, .next = NULL};
	struct timespec until;
	int status = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_SECONDS;
	pthread_cond_init(&self.given, NULL);
	pthread_mutex_lock(&pool.lock);
	if (pool.count < WAITING_MAX) {
		self.next = pool.first;
		pool.first = &self;
		pool.count++;
		while (self.fd < 0 && status == 0)
			status = pthread_cond_clockwait(
				&self.given, &pool.lock, CLOCK_MONOTONIC, &until);
		if (self.fd < 0)
			leave_pool(&self);
	}
	pthread_mutex_unlock(&pool.lock);
	pthread_cond_destroy(&self.given);
	return self.fd;
}

bool mg_idle_give(int fd)
{
	struct waiting *taker;

	pthread_mutex_lock(&pool.lock);
	taker = pool.first;
	if (taker != NULL) {
		pool.first = taker->next;
		pool.count--;
		taker->fd = fd;
		pthread_cond_signal(&taker->given);
	}
	pthread_mutex_unlock(&pool.lock);
	return taker != NULL;
}
