/* SPDX-License-Identifier: ISC */
/* One specification for each kind of store: every test is run over all of them. */
#include "base/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store_place.h"

struct fixture {
	struct store_place place;
	struct mg_store *store;
};

static int make_memory(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	store_place_make(&fixture->place);
	fixture->place.settings.url = "memory:";
	fixture->store = store_place_open(&fixture->place);
	*state = fixture;
	return 0;
}

static int make_lmdb(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	store_place_make(&fixture->place);
	fixture->store = store_place_open(&fixture->place);
	*state = fixture;
	return 0;
}

static int drop(void **state)
{
	struct fixture *fixture = *state;

	mg_store_close(fixture->store);
	store_place_remove(&fixture->place);
	free(fixture);
	return 0;
}

static struct mg_store *store_of(void **state)
{
	return ((struct fixture *)*state)->store;
}

static void a_committed_record_is_found_in_its_table_only(void **state)
{
	struct mg_store_tx *tx = store_begin(store_of(state));

	store_put(tx, COLOURS, "red", "warm");
	store_commit(tx);
	tx = store_view(store_of(state));
	assert_string_equal(store_get(tx, COLOURS, "red"), "warm");
	assert_null(store_get(tx, NUMBERS, "red"));
	assert_null(store_get(tx, COLOURS, "re"));
	assert_null(store_get(tx, COLOURS, "redd"));
	mg_store_end(tx);
}

static void a_change_sees_what_it_has_done(void **state)
{
	struct mg_store_tx *tx = store_begin(store_of(state));

	store_put(tx, COLOURS, "red", "warm");
	store_put(tx, COLOURS, "red", "hot");
	assert_string_equal(store_get(tx, COLOURS, "red"), "hot");
	assert_int_equal(store_count(tx, COLOURS), 1);
	assert_true(store_delete(tx, COLOURS, "red"));
	assert_false(store_delete(tx, COLOURS, "red"));
	assert_null(store_get(tx, COLOURS, "red"));
	assert_int_equal(store_count(tx, COLOURS), 0);
	store_commit(tx);
}

static void a_change_that_is_ended_leaves_nothing(void **state)
{
	struct mg_store_tx *tx = store_begin(store_of(state));

	store_put(tx, COLOURS, "red", "warm");
	store_put(tx, COLOURS, "blue", "cold");
	store_commit(tx);
	tx = store_begin(store_of(state));
	store_put(tx, COLOURS, "red", "hot");
	store_put(tx, COLOURS, "green", "fresh");
	store_delete(tx, COLOURS, "blue");
	mg_store_end(tx);
	tx = store_view(store_of(state));
	assert_string_equal(store_list(tx, COLOURS, ""), "blue=cold red=warm ");
	mg_store_end(tx);
}

static void a_view_does_not_see_what_changes_meanwhile(void **state)
{
	struct mg_store_tx *change = store_begin(store_of(state)), *view;

	store_put(change, COLOURS, "red", "warm");
	store_commit(change);
	view = store_view(store_of(state));
	change = store_begin(store_of(state));
	store_put(change, COLOURS, "red", "hot");
	assert_string_equal(store_get(view, COLOURS, "red"), "warm");
	store_commit(change);
	assert_string_equal(store_get(view, COLOURS, "red"), "warm");
	mg_store_end(view);
	view = store_view(store_of(state));
	assert_string_equal(store_get(view, COLOURS, "red"), "hot");
	mg_store_end(view);
}

static void records_come_in_the_order_of_their_bytes(void **state)
{
	static const char *const keys[] = {"b", "a\x7f", "a", "\xff", "ab", "B", "a\x80"};
	struct mg_store_tx *tx = store_begin(store_of(state));

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		store_put(tx, COLOURS, keys[i], "");
	assert_string_equal(store_list(tx, COLOURS, ""), "B= a= ab= a\x7f= a\x80= b= \xff= ");
	assert_string_equal(store_list(tx, COLOURS, "aa"), "ab= a\x7f= a\x80= b= \xff= ");
	assert_string_equal(store_list(tx, COLOURS, "b"), "b= \xff= ");
	assert_string_equal(store_list(tx, COLOURS, "\xff\xff"), "");
	store_commit(tx);
}

static void keys_and_values_may_have_any_bytes(void **state)
{
	struct mg_store_tx *tx = store_begin(store_of(state));
	struct mg_store_value value;
	char key[MG_STORE_KEY_MAX];

	memset(key, 0, sizeof(key));
	assert_int_equal(mg_store_put(tx, COLOURS, key, 1, "", 0, NULL), 0);
	assert_int_equal(mg_store_put(tx, COLOURS, key, sizeof(key), "a\0b", 3, NULL), 0);
	assert_int_equal(mg_store_get(tx, COLOURS, key, 2, &value, NULL), 0);
	assert_int_equal(mg_store_get(tx, COLOURS, key, 1, &value, NULL), 1);
	assert_int_equal(value.length, 0);
	assert_int_equal(mg_store_get(tx, COLOURS, key, sizeof(key), &value, NULL), 1);
	assert_int_equal(value.length, 3);
	assert_memory_equal(value.bytes, "a\0b", 3);
	store_commit(tx);
}

static void a_large_value_comes_back_whole(void **state)
{
	struct mg_store_tx *tx = store_begin(store_of(state));
	size_t length = 3 * 1024 * 1024 + 17;
	unsigned char *bytes = malloc(length);
	struct mg_store_value value;

	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	assert_int_equal(mg_store_put(tx, NUMBERS, "big", 3, bytes, length, NULL), 0);
	store_commit(tx);
	tx = store_view(store_of(state));
	assert_int_equal(mg_store_get(tx, NUMBERS, "big", 3, &value, NULL), 1);
	assert_int_equal(value.length, length);
	assert_memory_equal(value.bytes, bytes, length);
	mg_store_end(tx);
	free(bytes);
}

static void what_cannot_be_a_record_is_refused(void **state)
{
	static char key[MG_STORE_KEY_MAX + 1] = "k";
	struct mg_store_tx *tx = store_begin(store_of(state));
	struct mg_store_value value;
	struct mg_error error;

	assert_int_equal(mg_store_put(tx, COLOURS, "", 0, "x", 1, &error), -1);
	assert_string_equal(error.text, "a key of 0 bytes; 1 to 480 are possible");
	assert_int_equal(mg_store_commit(tx, &error), -1);
	tx = store_begin(store_of(state));
	assert_int_equal(mg_store_put(tx, COLOURS, key, sizeof(key), "x", 1, &error), -1);
	mg_store_end(tx);
	tx = store_begin(store_of(state));
	assert_int_equal(
		mg_store_put(tx, COLOURS, "k", 1, key, (size_t)MG_STORE_VALUE_MAX + 1, &error), -1);
	mg_store_end(tx);
	tx = store_begin(store_of(state));
	assert_int_equal(mg_store_put(tx, 2, "k", 1, "", 0, &error), -1);
	assert_string_equal(error.text, "the store has no table 2");
	assert_int_equal(mg_store_get(tx, COLOURS, "", 0, &value, &error), 0);
	assert_int_equal(mg_store_get(tx, COLOURS, key, sizeof(key), &value, &error), 0);
	assert_int_equal(mg_store_delete(tx, COLOURS, key, sizeof(key), &error), 0);
	store_commit(tx);
}

static void a_view_changes_nothing(void **state)
{
	struct mg_store_tx *tx = store_view(store_of(state));
	struct mg_error error;

	assert_int_equal(mg_store_put(tx, COLOURS, "red", 3, "hot", 3, &error), -1);
	assert_string_equal(error.text, "a view cannot change the store");
	assert_int_equal(mg_store_delete(tx, COLOURS, "red", 3, &error), -1);
	assert_int_equal(mg_store_commit(tx, &error), -1);
}

static void a_change_with_an_error_in_it_is_not_kept(void **state)
{
	struct mg_store_tx *tx = store_begin(store_of(state));

	store_put(tx, COLOURS, "red", "warm");
	assert_int_equal(mg_store_put(tx, COLOURS, "", 0, "", 0, NULL), -1);
	assert_int_equal(mg_store_put(tx, COLOURS, "blue", 4, "", 0, NULL), -1);
	assert_int_equal(mg_store_commit(tx, NULL), -1);
	tx = store_view(store_of(state));
	assert_int_equal(store_count(tx, COLOURS), 0);
	mg_store_end(tx);
}

static void a_thread_that_begins_twice_is_told_so(void **state)
{
	struct mg_store_tx *tx = store_begin(store_of(state));
	struct mg_error error;

	assert_null(mg_store_begin(store_of(state), &error));
	assert_string_equal(error.text, "this thread has a change of the store under way");
	store_commit(tx);
	mg_store_end(store_begin(store_of(state)));
}

static bool stop_at_b(void *context, struct mg_store_tx *tx, const void *key, size_t key_length,
	const struct mg_store_value *value)
{
	(void)context;
	(void)tx;
	(void)value;
	return key_length != 1 || *(const char *)key != 'b';
}

static void a_walk_stops_where_it_is_told(void **state)
{
	struct mg_store_tx *tx = store_begin(store_of(state));

	store_put(tx, COLOURS, "a", "");
	store_put(tx, COLOURS, "b", "");
	store_put(tx, COLOURS, "c", "");
	assert_int_equal(mg_store_walk(tx, COLOURS, "", 0, stop_at_b, NULL, NULL), 2);
	assert_int_equal(mg_store_walk(tx, COLOURS, "c", 1, stop_at_b, NULL, NULL), 1);
	assert_int_equal(mg_store_walk(tx, NUMBERS, "", 0, stop_at_b, NULL, NULL), 0);
	mg_store_end(tx);
}

/* Moves each second record to another table. */
static bool move_even(void *context, struct mg_store_tx *tx, const void *key, size_t key_length,
	const struct mg_store_value *value)
{
	unsigned *seen = context;
	char expected[16], copy[300];

	snprintf(expected, sizeof(expected), "%06u", *seen);
	assert_int_equal(key_length, 6);
	assert_memory_equal(key, expected, 6);
	if (*seen % 2 == 0) {
		memcpy(copy, value->bytes, value->length);
		assert_int_equal(mg_store_delete(tx, NUMBERS, key, key_length, NULL), 1);
		assert_int_equal(
			mg_store_put(tx, COLOURS, expected, 6, copy, value->length, NULL), 0);
	}
	++*seen;
	return true;
}

static bool drop_one(void *context, struct mg_store_tx *tx, const void *key, size_t key_length,
	const struct mg_store_value *value)
{
	(void)context;
	(void)value;
	assert_int_equal(mg_store_delete(tx, NUMBERS, key, key_length, NULL), 1);
	return true;
}

static void a_walk_may_delete_what_it_is_given_and_put_elsewhere(void **state)
{
	enum { COUNT = 3000 };
	struct mg_store_tx *tx = store_begin(store_of(state));
	char key[16], value[200];
	unsigned seen = 0;

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(key, sizeof(key), "%06u", i);
		store_put(tx, NUMBERS, key, value);
	}
	assert_int_equal(mg_store_walk(tx, NUMBERS, "", 0, move_even, &seen, NULL), COUNT);
	assert_int_equal(store_count(tx, NUMBERS), COUNT / 2);
	assert_int_equal(store_count(tx, COLOURS), COUNT / 2);
	assert_string_equal(store_get(tx, COLOURS, "000124"), value);
	assert_int_equal(mg_store_walk(tx, NUMBERS, "", 0, drop_one, NULL, NULL), COUNT / 2);
	assert_int_equal(store_count(tx, NUMBERS), 0);
	store_commit(tx);
}

/* What a store should hold, in an array. */
enum { MODEL_KEYS = 500 };

struct model {
	unsigned value[MODEL_KEYS]; /* 0: none */
};

static size_t model_key(unsigned index, char key[40])
{
	/* Lengths differ, so one key is another's begin. */
	return (size_t)snprintf(
		key, 40, "%.*s%u", (int)(index % 23), "-----------------------", index);
}

static void check_model(struct mg_store_tx *tx, const struct model *model)
{
	int64_t count = 0;

	for (unsigned i = 0; i < MODEL_KEYS; i++) {
		char key[40], wanted[300];
		const char *found;

		model_key(i, key);
		found = store_get(tx, NUMBERS, key);
		if (model->value[i] == 0) {
			assert_null(found);
			continue;
		}
		snprintf(wanted, sizeof(wanted), "%0*u", (int)(model->value[i] % 200 + 1),
			model->value[i]);
		assert_non_null(found);
		assert_string_equal(found, wanted);
		count++;
	}
	assert_int_equal(store_count(tx, NUMBERS), count);
}

static bool in_order(void *context, struct mg_store_tx *tx, const void *key, size_t key_length,
	const struct mg_store_value *value)
{
	char *before = context;

	(void)tx;
	(void)value;
	assert_true(key_length < 40);
	assert_true(strncmp(before, key, key_length) < 0);
	memcpy(before, key, key_length);
	before[key_length] = '\0';
	return true;
}

static void any_order_of_changes_gives_what_a_model_has(void **state)
{
	static struct model kept, wanted;
	unsigned seed = 4711;
	char key[40], value[300], before[40];

	memset(&kept, 0, sizeof(kept));
	for (unsigned round = 0; round < 300; round++) {
		struct mg_store_tx *tx = store_begin(store_of(state));
		unsigned edits = (unsigned)rand_r(&seed) % 60;

		wanted = kept;
		for (unsigned i = 0; i < edits; i++) {
			unsigned index = (unsigned)rand_r(&seed) % MODEL_KEYS;

			model_key(index, key);
			if (rand_r(&seed) % 5 < 2) {
				assert_int_equal(
					store_delete(tx, NUMBERS, key), wanted.value[index] != 0);
				wanted.value[index] = 0;
				continue;
			}
			wanted.value[index] = (unsigned)rand_r(&seed) % 100000 + 1;
			snprintf(value, sizeof(value), "%0*u", (int)(wanted.value[index] % 200 + 1),
				wanted.value[index]);
			store_put(tx, NUMBERS, key, value);
		}
		if (rand_r(&seed) % 4 == 0) {
			mg_store_end(tx);
		} else {
			store_commit(tx);
			kept = wanted;
		}
		if (round % 20 != 19)
			continue;
		tx = store_view(store_of(state));
		check_model(tx, &kept);
		before[0] = '\0';
		mg_store_walk(tx, NUMBERS, "", 0, in_order, before, NULL);
		mg_store_end(tx);
	}
}

struct counting {
	struct mg_store *store;
	atomic_bool stop;
	atomic_uint looks;
};

/* The two tables are changed together: no view may see them differ. */
static void *look(void *context)
{
	struct counting *counting = context;

	while (!atomic_load(&counting->stop)) {
		struct mg_store_tx *tx = mg_store_view(counting->store, NULL);
		struct mg_store_value one = {"", 0}, other = {"", 0};

		if (!tx)
			return "no view";
		mg_store_get(tx, COLOURS, "n", 1, &one, NULL);
		mg_store_get(tx, NUMBERS, "n", 1, &other, NULL);
		if (one.length != other.length || memcmp(one.bytes, other.bytes, one.length) != 0)
			return "the tables differ";
		mg_store_end(tx);
		atomic_fetch_add(&counting->looks, 1);
	}
	return NULL;
}

static void *count_up(void *context)
{
	struct counting *counting = context;

	for (int i = 0; i < 200; i++) {
		struct mg_store_tx *tx = mg_store_begin(counting->store, NULL);
		struct mg_store_value value = {"0", 1};
		char text[16];

		if (!tx)
			return "no change";
		mg_store_get(tx, NUMBERS, "n", 1, &value, NULL);
		snprintf(text, sizeof(text), "%.*s", (int)value.length, (const char *)value.bytes);
		snprintf(text, sizeof(text), "%u", (unsigned)strtoul(text, NULL, 10) + 1);
		mg_store_put(tx, NUMBERS, "n", 1, text, strlen(text), NULL);
		mg_store_put(tx, COLOURS, "n", 1, text, strlen(text), NULL);
		if (mg_store_commit(tx, NULL) != 0)
			return "no commit";
	}
	return NULL;
}

static void threads_change_one_after_the_other_and_look_beside(void **state)
{
	struct counting counting = {.store = store_of(state)};
	pthread_t writers[3], readers[2];
	struct mg_store_tx *tx;
	void *complaint;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, look, &counting), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, count_up, &counting), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(writers[i], &complaint), 0);
		assert_null(complaint);
	}
	while (atomic_load(&counting.looks) < 10)
		sched_yield();
	atomic_store(&counting.stop, true);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(readers[i], &complaint), 0);
		assert_null(complaint);
	}
	tx = store_view(store_of(state));
	assert_string_equal(store_get(tx, NUMBERS, "n"), "600");
	mg_store_end(tx);
}

static void a_url_is_checked(void **state)
{
	(void)state;
	assert_null(mg_store_check("lmdb:/var/lib/millgate/track"));
	assert_null(mg_store_check("memory:"));
	assert_string_equal(mg_store_check("lmdb:track"), "expected an absolute path: lmdb:/PATH");
	assert_string_equal(mg_store_check("lmdb:/"), "expected an absolute path: lmdb:/PATH");
	assert_string_equal(mg_store_check("memory:x"), "expected memory: and nothing behind it");
	assert_string_equal(mg_store_check("redis://x"), "expected lmdb:/PATH or memory:");
	assert_string_equal(mg_store_check(""), "expected lmdb:/PATH or memory:");
}

#define OVER_BOTH(test) \
	{"memory: " #test, test, make_memory, drop, NULL}, \
	{ \
		"lmdb: " #test, test, make_lmdb, drop, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OVER_BOTH(a_committed_record_is_found_in_its_table_only),
		OVER_BOTH(a_change_sees_what_it_has_done),
		OVER_BOTH(a_change_that_is_ended_leaves_nothing),
		OVER_BOTH(a_view_does_not_see_what_changes_meanwhile),
		OVER_BOTH(records_come_in_the_order_of_their_bytes),
		OVER_BOTH(keys_and_values_may_have_any_bytes),
		OVER_BOTH(a_large_value_comes_back_whole),
		OVER_BOTH(what_cannot_be_a_record_is_refused),
		OVER_BOTH(a_view_changes_nothing),
		OVER_BOTH(a_change_with_an_error_in_it_is_not_kept),
		OVER_BOTH(a_thread_that_begins_twice_is_told_so),
		OVER_BOTH(a_walk_stops_where_it_is_told),
		OVER_BOTH(a_walk_may_delete_what_it_is_given_and_put_elsewhere),
		OVER_BOTH(any_order_of_changes_gives_what_a_model_has),
		OVER_BOTH(threads_change_one_after_the_other_and_look_beside),
		cmocka_unit_test(a_url_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
