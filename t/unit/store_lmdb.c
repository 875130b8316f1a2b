/* SPDX-License-Identifier: ISC */
/* What is special to a store on disk: its files, other processes, room. */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store_place.h"

static int make(void **state)
{
	struct store_place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	store_place_make(place);
	*state = place;
	return 0;
}

static int drop(void **state)
{
	/* Where a test that failed has left a disk. */
	umount2(((struct store_place *)*state)->folder, MNT_DETACH);
	store_place_remove(*state);
	free(*state);
	return 0;
}

static struct stat status_of(const struct store_place *place, const char *file)
{
	struct stat status;
	char path[128];

	snprintf(path, sizeof(path), "%s%s", place->path, file);
	assert_int_equal(stat(path, &status), 0);
	return status;
}

static unsigned mode_of(const struct store_place *place, const char *file)
{
	return status_of(place, file).st_mode & 07777;
}

static void its_files_are_for_its_user_and_group(void **state)
{
	const struct store_place *place = *state;
	mode_t mask = umask(0);
	struct mg_store *store = store_place_open(place);

	umask(mask);
	assert_int_equal(mode_of(place, ""), 0750);
	assert_int_equal(mode_of(place, "/data.mdb"), 0640);
	/* Who reads writes into it which state it looks at. */
	assert_int_equal(mode_of(place, "/lock.mdb"), 0660);
	assert_int_equal(mode_of(place, "/owner"), 0640);
	mg_store_close(store);
}

static void what_was_committed_is_there_when_it_is_opened_again(void **state)
{
	struct mg_store *store = store_place_open(*state);
	struct mg_store_tx *tx = store_begin(store);

	store_put(tx, COLOURS, "red", "warm");
	store_commit(tx);
	tx = store_begin(store);
	store_put(tx, COLOURS, "blue", "cold");
	mg_store_end(tx);
	mg_store_close(store);
	store = store_place_open(*state);
	tx = store_view(store);
	assert_string_equal(store_list(tx, COLOURS, ""), "red=warm ");
	mg_store_end(tx);
	mg_store_close(store);
}

static void a_process_that_opens_it_twice_shares_it(void **state)
{
	struct mg_store *one = store_place_open(*state), *other = store_place_open(*state);
	struct mg_store_tx *tx = store_begin(one);
	struct mg_error error;

	store_put(tx, COLOURS, "red", "warm");
	assert_null(mg_store_begin(other, &error));
	assert_string_equal(error.text, "this thread has a change of the store under way");
	store_commit(tx);
	mg_store_close(one);
	tx = store_begin(other);
	assert_string_equal(store_list(tx, COLOURS, ""), "red=warm ");
	store_commit(tx);
	mg_store_close(other);
}

static void a_table_that_is_new_is_made(void **state)
{
	static const char *const more[] = {"colours", "numbers", "shapes", NULL};
	struct store_place *place = *state;
	struct mg_store *store = store_place_open(place);
	struct mg_store_tx *tx = store_begin(store);
	struct mg_error error;

	store_put(tx, COLOURS, "red", "warm");
	store_commit(tx);
	mg_store_close(store);
	place->settings.tables = more;
	place->settings.read_only = true;
	assert_null(mg_store_open(&place->settings, NULL, &error));
	assert_non_null(strstr(error.text, ": shapes: "));
	place->settings.read_only = false;
	store = store_place_open(place);
	tx = store_begin(store);
	store_put(tx, 2, "round", "");
	assert_string_equal(store_list(tx, COLOURS, ""), "red=warm ");
	store_commit(tx);
	mg_store_close(store);
}

/* Puts a record beside the tables' names, by LMDB itself. */
static void put_by_hand(const struct store_place *place, const char *key_text, const char *text)
{
	MDB_val key = {strlen(key_text), (void *)key_text}, value = {strlen(text), (void *)text};
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi names;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, place->path, 0, 0640), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &names), 0);
	assert_int_equal(mdb_put(txn, names, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void a_store_of_another_version_is_refused_and_stays(void **state)
{
	const struct store_place *place = *state;
	struct mg_error error, replaced;
	char expected[256];

	mg_store_close(store_place_open(place));
	put_by_hand(place, " millgate store", "2");
	assert_null(mg_store_open(&place->settings, &replaced, &error));
	snprintf(expected, sizeof(expected), "%s: is of version 2; this program knows version 1",
		place->path);
	assert_string_equal(error.text, expected);
	assert_string_equal(replaced.text, "");
	put_by_hand(place, " millgate store", "1");
	mg_store_close(store_place_open(place));
}

static void reading_makes_nothing(void **state)
{
	struct store_place *place = *state;
	struct mg_error error;
	char path[128];

	place->settings.read_only = true;
	assert_null(mg_store_open(&place->settings, NULL, &error));
	assert_non_null(strstr(error.text, "No such file or directory"));
	assert_int_equal(access(place->path, F_OK), -1);
	place->settings.read_only = false;
	mg_store_close(store_place_open(place));
	snprintf(path, sizeof(path), "%s/lock.mdb", place->path);
	assert_int_equal(unlink(path), 0);
	place->settings.read_only = true;
	assert_null(mg_store_open(&place->settings, NULL, &error));
	assert_int_equal(access(path, F_OK), -1);
}

/* Another process, which LMDB wants to be there before the store is opened in this one: it waits
 * until it is let go. */
struct other {
	pid_t process;
	int go;
};

static struct other start_other(
	int (*work)(const struct store_place *place), const struct store_place *place)
{
	struct other other;
	int ends[2];
	char byte;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	other.process = fork();
	assert_true(other.process >= 0);
	if (other.process == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 1 ? work(place) : 99);
	}
	close(ends[0]);
	other.go = ends[1];
	return other;
}

/* Lets it go; its exit code, or 128 and the signal. */
static int let_go(struct other other)
{
	int status;

	assert_int_equal(write(other.go, "g", 1), 1);
	assert_int_equal(waitpid(other.process, &status, 0), other.process);
	close(other.go);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int open_second(const struct store_place *place)
{
	char expected[256];
	struct mg_error error = {""};

	snprintf(expected, sizeof(expected), "%s: process %ld has it open", place->path,
		(long)getppid());
	if (mg_store_open(&place->settings, NULL, &error))
		return 1;
	return strcmp(error.text, expected) == 0 ? 0 : 2;
}

static void a_second_process_cannot_have_it_to_write(void **state)
{
	struct other other = start_other(open_second, *state);
	struct mg_store *store = store_place_open(*state);

	assert_int_equal(let_go(other), 0);
	mg_store_close(store);
}

static int read_red(const struct store_place *place)
{
	struct store_place reader = *place;
	struct mg_store *store;
	struct mg_store_tx *tx;
	struct mg_store_value value;
	int result = 1;

	reader.settings.read_only = true;
	store = mg_store_open(&reader.settings, NULL, NULL);
	if (!store || mg_store_begin(store, NULL))
		return 2;
	tx = mg_store_view(store, NULL);
	if (tx && mg_store_get(tx, COLOURS, "red", 3, &value, NULL) == 1 && value.length == 4 &&
		memcmp(value.bytes, "warm", 4) == 0)
		result = 0;
	mg_store_end(tx);
	mg_store_close(store);
	return result;
}

static void another_process_reads_beside_a_change(void **state)
{
	struct other other = start_other(read_red, *state);
	struct mg_store *store = store_place_open(*state);
	struct mg_store_tx *tx = store_begin(store);

	store_put(tx, COLOURS, "red", "warm");
	store_commit(tx);
	tx = store_begin(store);
	store_put(tx, COLOURS, "red", "hot!");
	assert_int_equal(let_go(other), 0);
	mg_store_end(tx);
	mg_store_close(store);
}

static int view_and_die(const struct store_place *place)
{
	struct store_place reader = *place;
	struct mg_store *store;

	reader.settings.read_only = true;
	store = mg_store_open(&reader.settings, NULL, NULL);
	if (store && mg_store_view(store, NULL))
		raise(SIGKILL);
	return 1;
}

/* Overwrites all records of a table some times. */
static void overwrite(struct mg_store *store, unsigned times)
{
	char key[16], value[400];

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (unsigned i = 0; i < times; i++) {
		struct mg_store_tx *tx = store_begin(store);

		for (unsigned k = 0; k < 100; k++) {
			snprintf(key, sizeof(key), "%u", k);
			store_put(tx, NUMBERS, key, value);
		}
		store_commit(tx);
	}
}

static void a_reader_that_was_killed_keeps_no_pages(void **state)
{
	struct other other = start_other(view_and_die, *state);
	struct mg_store *store = store_place_open(*state);
	off_t size;

	overwrite(store, 10);
	assert_int_equal(let_go(other), 128 + SIGKILL);
	size = status_of(*state, "/data.mdb").st_size;
	overwrite(store, 100);
	assert_true(status_of(*state, "/data.mdb").st_size <= 2 * size);
	mg_store_close(store);
}

static int write_and_die(const struct store_place *place)
{
	struct mg_store *store = mg_store_open(&place->settings, NULL, NULL);
	struct mg_store_tx *tx = store ? mg_store_begin(store, NULL) : NULL;

	if (tx && mg_store_put(tx, COLOURS, "red", 3, "hot!", 4, NULL) == 0)
		raise(SIGKILL);
	return 1;
}

static void a_change_whose_process_was_killed_is_not_kept_and_locks_nobody_out(void **state)
{
	struct mg_store *store;
	struct mg_store_tx *tx;

	for (int i = 0; i < 4; i++)
		assert_int_equal(let_go(start_other(write_and_die, *state)), 128 + SIGKILL);
	store = store_place_open(*state);
	tx = store_begin(store);
	assert_null(store_get(tx, COLOURS, "red"));
	store_commit(tx);
	mg_store_close(store);
}

/* Puts records until it cannot; how many changes were kept. */
static unsigned fill(struct mg_store *store, struct mg_error *error)
{
	char key[16], value[2000];

	memset(value, 'v', sizeof(value));
	for (unsigned change = 0; change < 100000; change++) {
		struct mg_store_tx *tx = mg_store_begin(store, error);
		int result = 0;

		if (!tx)
			fail_msg("%s", error->text);
		for (unsigned i = 0; i < 10 && result == 0; i++) {
			int length = snprintf(key, sizeof(key), "%08u", change * 10 + i);

			result = mg_store_put(
				tx, NUMBERS, key, (size_t)length, value, sizeof(value), error);
		}
		if (result == 0 && mg_store_commit(tx, error) == 0)
			continue;
		if (result != 0)
			mg_store_end(tx);
		return change;
	}
	fail_msg("it is never full");
	return 0;
}

/* Deletes what fill has put, some at a time. */
static void empty(struct mg_store *store, unsigned changes)
{
	char key[16];

	for (unsigned change = 0; change < changes; change++) {
		struct mg_store_tx *tx = store_begin(store);

		for (unsigned i = 0; i < 10; i++) {
			snprintf(key, sizeof(key), "%08u", change * 10 + i);
			assert_true(store_delete(tx, NUMBERS, key));
		}
		store_commit(tx);
	}
}

static void check_filled(struct mg_store *store, unsigned changes)
{
	struct mg_store_tx *tx = store_view(store);

	assert_int_equal(store_count(tx, NUMBERS), changes * 10);
	mg_store_end(tx);
}

static void a_store_that_is_full_takes_records_again_when_some_are_deleted(void **state)
{
	struct store_place *place = *state;
	struct mg_error error = {""};
	struct mg_store *store;
	unsigned changes, again;

	place->settings.limit = 4 << 20;
	store = store_place_open(place);
	changes = fill(store, &error);
	assert_non_null(strstr(error.text, ": full: the limit of its size is reached"));
	check_filled(store, changes);
	assert_in_range(changes, 50, 200);
	empty(store, changes);
	again = fill(store, &error);
	assert_in_range(again, changes - changes / 5, changes + changes / 5);
	assert_true(status_of(place, "/data.mdb").st_size <= 4 << 20);
	mg_store_close(store);
	store = store_place_open(place);
	check_filled(store, again);
	mg_store_close(store);
}

/* Takes all room of a disk. */
static void fill_disk(const char *path)
{
	static const char zeros[4096];
	int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(descriptor >= 0);
	while (write(descriptor, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros))
		;
	close(descriptor);
}

static void expect_no_room(const struct mg_error *error)
{
	if (!strstr(error->text, "No space left on device"))
		fail_msg("%s", error->text);
}

static void a_full_disk_is_an_error_of_the_change_until_there_is_room(void **state)
{
	struct store_place *place = *state;
	struct mg_error error = {""};
	struct mg_store *store;
	char filler[128];
	unsigned changes, more;

	if (mount("tmpfs", place->folder, "tmpfs", 0, "size=2m") != 0)
		skip();
	snprintf(filler, sizeof(filler), "%s/filler", place->folder);
	store = store_place_open(place);
	fill_disk(filler);
	changes = fill(store, &error);
	expect_no_room(&error);
	check_filled(store, changes);
	assert_int_equal(fill(store, &error), changes < 1 ? 0 : changes);
	assert_int_equal(unlink(filler), 0);
	more = fill(store, &error);
	assert_true(more > changes + 10);
	expect_no_room(&error);
	check_filled(store, more);
	mg_store_close(store);
	store = store_place_open(place);
	check_filled(store, more);
	mg_store_close(store);
	assert_int_equal(umount2(place->folder, MNT_DETACH), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_files_are_for_its_user_and_group, make, drop),
		cmocka_unit_test_setup_teardown(
			what_was_committed_is_there_when_it_is_opened_again, make, drop),
		cmocka_unit_test_setup_teardown(
			a_process_that_opens_it_twice_shares_it, make, drop),
		cmocka_unit_test_setup_teardown(a_table_that_is_new_is_made, make, drop),
		cmocka_unit_test_setup_teardown(
			a_store_of_another_version_is_refused_and_stays, make, drop),
		cmocka_unit_test_setup_teardown(reading_makes_nothing, make, drop),
		cmocka_unit_test_setup_teardown(
			a_second_process_cannot_have_it_to_write, make, drop),
		cmocka_unit_test_setup_teardown(another_process_reads_beside_a_change, make, drop),
		cmocka_unit_test_setup_teardown(
			a_reader_that_was_killed_keeps_no_pages, make, drop),
		cmocka_unit_test_setup_teardown(
			a_change_whose_process_was_killed_is_not_kept_and_locks_nobody_out, make,
			drop),
		cmocka_unit_test_setup_teardown(
			a_store_that_is_full_takes_records_again_when_some_are_deleted, make, drop),
		cmocka_unit_test_setup_teardown(
			a_full_disk_is_an_error_of_the_change_until_there_is_room, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
