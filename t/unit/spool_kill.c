/* SPDX-License-Identifier: ISC */
/* A writer that is killed at any moment has lost nothing that it acknowledged. The child appends
 * by several threads to a log of tiny segments and tells each sequence by a pipe once it has it;
 * the parent kills it, opens the log, and looks. */
#include "event/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool_place.h"

enum { KILLS = 200, THREADS = 4, ACKNOWLEDGED_MAX = 1000000 };

/* A record that was acknowledged: where it must be found, and what is in it. */
struct told {
	uint64_t sequence;
	uint32_t round, thread, number;
};

static struct told *told;
static size_t told_count;

struct child {
	struct mg_spool *spool;
	int pipe;
	uint32_t round, thread;
};

static void *append_for_ever(void *context)
{
	const struct child *child = context;
	struct told tell = {.round = child->round, .thread = child->thread};
	char reason[64];

	for (;; tell.number++) {
		snprintf(reason, sizeof reason, "%u.%u.%u", tell.round, tell.thread, tell.number);
		tell.sequence = place_try(child->spool, reason, NULL);
		if (tell.sequence == 0 ||
			write(child->pipe, &tell, sizeof tell) != (ssize_t)sizeof tell)
			_exit(1);
	}
	return NULL;
}

static void *tick_for_ever(void *context)
{
	for (;;) {
		mg_spool_tick(context, NULL);
		usleep(1000);
	}
	return NULL;
}

static void run_child(const struct spool_place *place, int pipe, uint32_t round)
{
	struct mg_spool *spool =
		mg_spool_open(&place->settings, &mg_clock_system, place_compose, NULL, NULL);
	struct child children[THREADS];
	pthread_t thread;

	if (spool == NULL)
		_exit(2);
	for (uint32_t i = 0; i < THREADS; i++) {
		children[i] = (struct child){spool, pipe, round, i};
		if (pthread_create(&thread, NULL, append_for_ever, &children[i]) != 0)
			_exit(3);
	}
	tick_for_ever(spool);
}

/* Takes what the child tells; false at its end. */
static bool take_told(int pipe)
{
	struct told taken[64];
	ssize_t got = read(pipe, taken, sizeof taken);

	if (got <= 0)
		return false;
	/* A write of less than PIPE_BUF is never cut. */
	assert_int_equal((size_t)got % sizeof *taken, 0);
	for (size_t i = 0; i < (size_t)got / sizeof *taken; i++) {
		assert_true(told_count < ACKNOWLEDGED_MAX);
		told[told_count++] = taken[i];
	}
	return true;
}

/* Lets a child append until it has told `some`, kills it at once, and takes the rest of what it
 * told. */
static void kill_one(const struct spool_place *place, uint32_t round, size_t some)
{
	size_t before = told_count;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		run_child(place, ends[1], round);
	}
	close(ends[1]);
	while (told_count - before < some && take_told(ends[0]))
		;
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (take_told(ends[0]))
		;
	close(ends[0]);
}

static int by_sequence(const void *one, const void *other)
{
	const struct told *a = one, *b = other;

	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* Every acknowledged record stands under its sequence, and no sequence comes twice. */
static void check_told(const struct spool_place *place)
{
	struct mg_spool_reader *reader = mg_spool_reader_open(place->directory, "log", 0, NULL);
	uint64_t next_sequence = 1, torn = 0;
	struct mg_record record;
	size_t next = 0;

	qsort(told, told_count, sizeof *told, by_sequence);
	while (mg_spool_reader_next(reader, &record, NULL) > 0) {
		const char *opened = strstr(record.line, "\"torn_bytes\":");
		char reason[64];

		assert_int_equal(record.sequence, next_sequence++);
		assert_int_equal(record.state, MG_RECORD_GOOD);
		torn += opened != NULL && strncmp(opened, "\"torn_bytes\":0", 14) != 0;
		if (next == told_count || told[next].sequence != record.sequence)
			continue;
		snprintf(reason, sizeof reason, "\"reason\":\"%u.%u.%u\"", told[next].round,
			told[next].thread, told[next].number);
		assert_non_null(strstr(record.line, reason));
		next++;
	}
	assert_int_equal(next, told_count);
	assert_true(torn <= KILLS);
	mg_spool_reader_close(reader);
	print_message("# %zu records acknowledged, %" PRIu64 " written, %" PRIu64 " torn\n",
		told_count, next_sequence - 1, torn);
}

static void what_was_acknowledged_survives_kills_at_any_moment(void **state)
{
	struct spool_place place;
	struct mg_spool_report report;
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	place_make(&place);
	place.settings.segment_bytes = 8000;
	told = malloc(ACKNOWLEDGED_MAX * sizeof *told);
	assert_non_null(told);
	print_message("# seed %u\n", seed);
	for (uint32_t round = 0; round < KILLS; round++) {
		/* From 0 (killed while it opens the log) on. */
		kill_one(&place, round, (size_t)rand_r(&seed) % 100);
		if (round % 20 == 0)
			assert_int_equal(place_verify(&place, &report), 0);
	}
	mg_spool_close(place_open(&place));
	assert_int_equal(place_verify(&place, &report), 0);
	assert_false(report.torn);
	check_told(&place);
	free(told);
	place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_acknowledged_survives_kills_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
