/* SPDX-License-Identifier: ISC */
/* A writer that is killed at any moment leaves what its last commit left. The child makes one change
 * after the other, each of which follows from its number, and tells the number when it is committed;
 * the parent kills it, opens the store, and compares it with a model that made the same changes. */
#include <fcntl.h>
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

#include "store_place.h"

enum { KILLS = 300, KEYS = 1000, EDITS = 40, VALUE_SIZE = 700 };

/* The number of the change that put a key last; 0: none. */
static unsigned model[KEYS];

/* The i-th edit of a change: its key, and whether that is put. */
static unsigned edit_of(unsigned change, unsigned i, bool *put)
{
	unsigned seed = change * 2654435761U + i * 40503U;

	*put = rand_r(&seed) % 3 != 0;
	return (unsigned)rand_r(&seed) % KEYS;
}

static int key_of(unsigned index, char key[32])
{
	return snprintf(key, 32, "%u@example.com", index * 7919 % KEYS);
}

static size_t value_of(unsigned index, unsigned change, char value[VALUE_SIZE])
{
	size_t length = 20 + (index * 31 + change) % (VALUE_SIZE - 20);

	memset(value, 'a' + (int)(change % 26), length);
	snprintf(value, 20, "%u/%u", index, change);
	return length;
}

static bool make_change(struct mg_store *store, unsigned change)
{
	struct mg_store_tx *tx = mg_store_begin(store, NULL);
	char key[32], value[VALUE_SIZE];

	if (!tx)
		return false;
	for (unsigned i = 0; i < EDITS; i++) {
		bool put;
		unsigned index = edit_of(change, i, &put);
		size_t key_length = (size_t)key_of(index, key);
		size_t length = value_of(index, change, value);

		if (put ? mg_store_put(tx, NUMBERS, key, key_length, value, length, NULL) < 0
			: mg_store_delete(tx, NUMBERS, key, key_length, NULL) < 0)
			return false;
	}
	return mg_store_put(tx, COLOURS, "change", 6, &change, sizeof(change), NULL) == 0 &&
	       mg_store_commit(tx, NULL) == 0;
}

static void run_child(const struct store_place *place, int pipe, unsigned change)
{
	struct mg_store *store = mg_store_open(&place->settings, NULL, NULL);

	while (store && make_change(store, change) &&
		write(pipe, &change, sizeof(change)) == (ssize_t)sizeof(change))
		change++;
	_exit(1);
}

/* Kills a child when it has told `some` changes; the last that it told, 0 none. */
static unsigned kill_one(const struct store_place *place, unsigned next, unsigned some)
{
	unsigned told = 0, change;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		run_child(place, ends[1], next);
	}
	close(ends[1]);
	while ((told == 0 ? some > 0 : told - next + 1 < some) &&
		read(ends[0], &change, sizeof(change)) == (ssize_t)sizeof(change))
		told = change;
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (read(ends[0], &change, sizeof(change)) == (ssize_t)sizeof(change))
		told = change;
	close(ends[0]);
	return told;
}

static unsigned last_change(struct mg_store_tx *tx)
{
	struct mg_store_value value;
	unsigned change = 0;

	if (mg_store_get(tx, COLOURS, "change", 6, &value, NULL) == 1)
		memcpy(&change, value.bytes, sizeof(change));
	return change;
}

static void check_model(struct mg_store_tx *tx)
{
	char key[32], value[VALUE_SIZE];
	int64_t count = 0;

	for (unsigned index = 0; index < KEYS; index++) {
		struct mg_store_value found;
		int key_length = key_of(index, key);
		int result = mg_store_get(tx, NUMBERS, key, (size_t)key_length, &found, NULL);
		size_t length;

		assert_int_equal(result, model[index] != 0);
		if (result == 0)
			continue;
		length = value_of(index, model[index], value);
		assert_int_equal(found.length, length);
		assert_memory_equal(found.bytes, value, length);
		count++;
	}
	assert_int_equal(mg_store_count(tx, NUMBERS, NULL), count);
}

static void a_kill_at_any_moment_leaves_the_last_commit(void **state)
{
	struct store_place place;
	unsigned seed = (unsigned)time(NULL), made = 0;

	(void)state;
	store_place_make(&place);
	print_message("# seed %u\n", seed);
	for (unsigned round = 0; round < KILLS; round++) {
		/* From 0 (killed while it opens the store) on. */
		unsigned told = kill_one(&place, made + 1, (unsigned)rand_r(&seed) % 6);
		struct mg_store *store = store_place_open(&place);
		struct mg_store_tx *tx = store_view(store);
		unsigned last = last_change(tx);

		/* What was committed but could not be told any more may be there, too. */
		if (told == 0)
			told = made;
		assert_in_range(last, told, told + 1);
		while (made < last) {
			made++;
			for (unsigned i = 0; i < EDITS; i++) {
				bool put;
				unsigned index = edit_of(made, i, &put);

				model[index] = put ? made : 0;
			}
		}
		check_model(tx);
		mg_store_end(tx);
		mg_store_close(store);
	}
	print_message("# %u changes\n", made);
	store_place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kill_at_any_moment_leaves_the_last_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
