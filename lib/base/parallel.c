/* SPDX-License-Identifier: ISC */
#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS_MAX = 16 };

struct run {
	void (*work)(void *context, size_t index);
	void *context;
	size_t count;
	atomic_size_t next;
};

static void *take_part(void *context)
{
	struct run *run = context;
	size_t index;

	while ((index = atomic_fetch_add(&run->next, 1)) < run->count)
		run->work(run->context, index);
	return NULL;
}

void mg_parallel(size_t count, void (*work)(void *context, size_t index), void *context)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted = processors > 1 ? (size_t)processors - 1 : 0, started = 0;
	struct run run = {.work = work, .context = context, .count = count};
	pthread_t threads[THREADS_MAX];

	if (wanted > THREADS_MAX)
		wanted = THREADS_MAX;
	while (started < wanted && started + 1 < count &&
		pthread_create(&threads[started], NULL, take_part, &run) == 0)
		started++;
	take_part(&run);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}
