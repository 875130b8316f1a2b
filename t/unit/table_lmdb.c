/* SPDX-License-Identifier: ISC */
#include "base/table.h"

#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder with an empty main.cf, a map's source and its LMDB file. */
struct folder {
	char path[64], main_cf[80], source[80], file[96], other[80], entry[128], map[128];
};

static const char *postmap_path(void)
{
	static const char *const paths[] = {"/usr/sbin/postmap", "/usr/bin/postmap"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

/* Runs postmap with the folder's configuration; its exit code, 127 when it is not there. */
static int run_postmap(const struct folder *folder, const char *option, const char *argument)
{
	const char *path = postmap_path();
	int status = -1;
	pid_t child;

	if (!path)
		return 127;
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		dup2(null, STDERR_FILENO);
		execl(path, "postmap", "-c", folder->path, option, argument, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	FILE *stream;

	snprintf(folder->path, sizeof(folder->path), "/tmp/mg-lmdb-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->main_cf, sizeof(folder->main_cf), "%s/main.cf", folder->path);
	snprintf(folder->source, sizeof(folder->source), "%s/map", folder->path);
	snprintf(folder->file, sizeof(folder->file), "%s.lmdb", folder->source);
	snprintf(folder->other, sizeof(folder->other), "%s/new.lmdb", folder->path);
	snprintf(folder->entry, sizeof(folder->entry), "lmdb:%s", folder->source);
	snprintf(folder->map, sizeof(folder->map), "lmdb:%s", folder->source);
	stream = fopen(folder->main_cf, "w");
	assert_non_null(stream);
	fclose(stream);
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;

	unlink(folder->main_cf);
	unlink(folder->source);
	unlink(folder->file);
	unlink(folder->other);
	rmdir(folder->path);
	free(folder);
	return 0;
}

/* `count` keys "Key0@example.org" and on, all with the value "value N", by postmap; skips the
 * test without one that can do LMDB. */
static void make_map(const struct folder *folder, unsigned count, unsigned value)
{
	FILE *stream = fopen(folder->source, "w");

	assert_non_null(stream);
	for (unsigned i = 0; i < count; i++)
		fprintf(stream, "Key%u@example.org value %u\n", i, value);
	assert_int_equal(fclose(stream), 0);
	if (run_postmap(folder, "-o", folder->map) != 0)
		skip();
}

static struct mg_table *must_open(const struct folder *folder)
{
	const char *const entries[] = {folder->entry};
	struct mg_errors errors = {0};
	struct mg_table *table = mg_table_open(entries, 1, &errors);

	if (!table)
		fail_msg("%s", errors.list[0].text);
	return table;
}

/* value NULL: not found. */
static void expect_found(const struct mg_table *table, const char *key, const char *value)
{
	char found[64] = "unchanged";
	struct mg_error error = {""};
	int result = mg_table_find(table, key, found, sizeof(found), NULL, &error);

	if (result != (value ? 1 : 0))
		fail_msg("%s: %d %s", key, result, error.text);
	if (value)
		assert_string_equal(found, value);
}

static void what_postmap_wrote_is_found(void **state)
{
	const struct folder *folder = *state;
	struct mg_table *table;

	make_map(folder, 1000, 7);
	table = must_open(folder);
	expect_found(table, "key0@example.org", "value 7");
	expect_found(table, "KEY999@EXAMPLE.org", "value 7");
	expect_found(table, "key1000@example.org", NULL);
	expect_found(table, "key", NULL);
	expect_found(table, "", NULL);
	mg_table_close(table);
}

static void the_name_may_be_written_with_its_suffix(void **state)
{
	struct folder *folder = *state;
	struct mg_table *table;

	make_map(folder, 1, 7);
	snprintf(folder->entry, sizeof(folder->entry), "lmdb:%s", folder->file);
	table = must_open(folder);
	expect_found(table, "key0@example.org", "value 7");
	mg_table_close(table);
}

/* An LMDB file with one key, made by LMDB itself. */
static void make_file(
	const char *path, const char *key, size_t key_size, const char *value, size_t value_size)
{
	MDB_val key_value = {.mv_data = (void *)key, .mv_size = key_size};
	MDB_val data = {.mv_data = (void *)value, .mv_size = value_size};
	MDB_env *env;
	MDB_txn *transaction;
	MDB_dbi database;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0640), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &transaction), 0);
	assert_int_equal(mdb_dbi_open(transaction, NULL, 0, &database), 0);
	assert_int_equal(mdb_put(transaction, database, &key_value, &data, 0), 0);
	assert_int_equal(mdb_txn_commit(transaction), 0);
	mdb_env_close(env);
}

static void keys_and_values_may_end_in_a_NUL_or_not(void **state)
{
	const struct folder *folder = *state;
	struct mg_table *table;

	make_file(folder->file, "with", 5, "nul", 4);
	make_file(folder->file, "without", 7, "bare", 4);
	make_file(folder->file, "empty", 5, "", 0);
	table = must_open(folder);
	expect_found(table, "with", "nul");
	expect_found(table, "without", "bare");
	expect_found(table, "empty", "");
	mg_table_close(table);
}

static void a_key_over_the_bound_of_lmdb_is_not_found(void **state)
{
	const struct folder *folder = *state;
	char key[1001];
	struct mg_table *table;

	make_file(folder->file, "a", 1, "b", 1);
	table = must_open(folder);
	memset(key, 'a', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	expect_found(table, key, NULL);
	mg_table_close(table);
}

static void a_value_that_does_not_fit_is_an_error_with_the_tables_name(void **state)
{
	const struct folder *folder = *state;
	struct mg_error error;
	struct mg_table *table;
	char value[4], expected[256];

	make_file(folder->file, "a", 1, "1234", 5);
	table = must_open(folder);
	assert_int_equal(mg_table_find(table, "a", value, sizeof(value), NULL, &error), -1);
	snprintf(expected, sizeof(expected),
		"lmdb:%s: the value has 4 bytes; at most 3 are possible here", folder->source);
	assert_string_equal(error.text, expected);
	mg_table_close(table);
}

static void a_look_up_sees_what_postmap_changed_meanwhile(void **state)
{
	const struct folder *folder = *state;
	struct mg_table *table;

	make_map(folder, 10, 1);
	table = must_open(folder);
	expect_found(table, "key9@example.org", "value 1");
	make_map(folder, 5, 2);
	expect_found(table, "key0@example.org", "value 2");
	expect_found(table, "key9@example.org", NULL);
	/* Over the 16 MiB that the map has at first. */
	make_map(folder, 300000, 3);
	expect_found(table, "key299999@example.org", "value 3");
	mg_table_close(table);
}

static void a_file_moved_into_its_place_is_used_by_the_next_look_up(void **state)
{
	const struct folder *folder = *state;
	struct mg_table *first, *second;

	make_file(folder->file, "a", 1, "old", 3);
	first = must_open(folder);
	second = must_open(folder);
	make_file(folder->other, "a", 1, "new", 3);
	assert_int_equal(rename(folder->other, folder->file), 0);
	expect_found(first, "a", "new");
	mg_table_close(first);
	expect_found(second, "a", "new");
	mg_table_close(second);
}

static void while_there_is_no_usable_file_the_old_one_answers(void **state)
{
	const struct folder *folder = *state;
	struct mg_table *table;
	FILE *stream;

	make_file(folder->file, "a", 1, "old", 3);
	table = must_open(folder);
	assert_int_equal(unlink(folder->file), 0);
	expect_found(table, "a", "old");
	stream = fopen(folder->file, "w");
	assert_non_null(stream);
	fputs("no LMDB file", stream);
	fclose(stream);
	expect_found(table, "a", "old");
	mg_table_close(table);
}

static void a_file_cut_in_place_is_an_error_and_no_crash(void **state)
{
	const struct folder *folder = *state;
	struct mg_error error;
	struct mg_table *table;

	make_file(folder->file, "a", 1, "old", 3);
	table = must_open(folder);
	assert_int_equal(truncate(folder->file, 8192), 0);
	assert_int_equal(mg_table_find(table, "a", NULL, 0, NULL, &error), -1);
	assert_non_null(strstr(error.text, "was cut while in use"));
	assert_int_equal(truncate(folder->file, 0), 0);
	assert_int_equal(mg_table_find(table, "a", NULL, 0, NULL, &error), -1);
	mg_table_close(table);
}

static void what_is_no_lmdb_file_is_an_error_at_open(void **state)
{
	const struct folder *folder = *state;
	const char *const entries[] = {folder->entry};
	struct mg_errors errors = {0};
	FILE *stream = fopen(folder->file, "w");

	assert_non_null(stream);
	for (int i = 0; i < 10000; i++)
		fputs("text", stream);
	fclose(stream);
	assert_null(mg_table_open(entries, 1, &errors));
	assert_int_equal(errors.count, 1);
	assert_non_null(strstr(errors.list[0].text, "map.lmdb: MDB_INVALID"));
	mg_errors_clear(&errors);
	assert_int_equal(truncate(folder->file, 0), 0);
	assert_null(mg_table_open(entries, 1, &errors));
	mg_errors_clear(&errors);
}

enum { READERS = 3, KEYS = 2000, REWRITES = 25 };

struct reader {
	struct mg_table *table;
	_Atomic bool *ended;
	unsigned long found;
	char problem[256];
};

/* The N of "value N", 0 when it is none. */
static unsigned long number_in(const char *value)
{
	return strncmp(value, "value ", 6) == 0 ? strtoul(value + 6, NULL, 10) : 0;
}

/* Every key is there at any time, and its value is one that some rewrite gave, never an older one
 * again. */
static void *read_on(void *argument)
{
	struct reader *reader = argument;
	unsigned long last = 1;

	for (unsigned i = 0; !atomic_load(reader->ended); i++) {
		char key[64], value[64];
		struct mg_error error = {""};
		unsigned long number = 0;

		snprintf(key, sizeof(key), "key%u@example.org", i % KEYS);
		if (mg_table_find(reader->table, key, value, sizeof(value), NULL, &error) != 1 ||
			(number = number_in(value)) < last) {
			snprintf(reader->problem, sizeof(reader->problem),
				"%s: %.80s after %lu: %.80s", key, value, last, error.text);
			break;
		}
		last = number;
		reader->found++;
	}
	return NULL;
}

static void look_ups_are_right_while_postmap_rewrites_the_file(void **state)
{
	const struct folder *folder = *state;
	_Atomic bool ended = false;
	struct reader readers[READERS];
	pthread_t threads[READERS];
	struct mg_table *tables[2];

	make_map(folder, KEYS, 1);
	tables[0] = must_open(folder);
	tables[1] = must_open(folder);
	for (int i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.table = tables[i % 2], .ended = &ended};
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
	}
	for (unsigned i = 2; i < 2 + REWRITES; i++) {
		char value[32];

		make_map(folder, KEYS, i);
		snprintf(value, sizeof(value), "value %u", i);
		expect_found(tables[i % 2], "key0@example.org", value);
	}
	atomic_store(&ended, true);
	for (int i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		assert_string_equal(readers[i].problem, "");
		assert_true(readers[i].found > 0);
	}
	mg_table_close(tables[0]);
	mg_table_close(tables[1]);
}

/* Takes the lock of a writer, says so, and keeps it until `finish` is closed. */
static pid_t start_writer(const char *path, int ready, int finish)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t child = fork();
	char byte;

	assert_true(child >= 0);
	if (child == 0) {
		int descriptor = open(path, O_RDWR);
		bool good = fcntl(descriptor, F_SETLK, &lock) == 0 && write(ready, "x", 1) == 1 &&
			    read(finish, &byte, 1) == 1;

		_exit(!good);
	}
	return child;
}

static void *find_a(void *argument)
{
	struct reader *reader = argument;
	char value[8];

	if (mg_table_find(reader->table, "a", value, sizeof(value), NULL, NULL) == 1)
		reader->found++;
	atomic_store(reader->ended, true);
	return NULL;
}

static void a_writers_lock_is_waited_for(void **state)
{
	const struct folder *folder = *state;
	_Atomic bool ended = false;
	struct reader reader = {.ended = &ended};
	int ready[2], finish[2], status;
	pthread_t thread;
	pid_t writer;
	char byte;

	make_file(folder->file, "a", 1, "b", 1);
	reader.table = must_open(folder);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(finish), 0);
	writer = start_writer(folder->file, ready[1], finish[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(pthread_create(&thread, NULL, find_a, &reader), 0);
	/* Long enough for a look-up that does not wait to be noticed. */
	usleep(20 * 1000);
	assert_false(atomic_load(&ended));
	assert_int_equal(write(finish[1], "x", 1), 1);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	pthread_join(thread, NULL);
	assert_int_equal(reader.found, 1);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(finish[i]);
	}
	mg_table_close(reader.table);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_postmap_wrote_is_found),
		TEST(the_name_may_be_written_with_its_suffix),
		TEST(keys_and_values_may_end_in_a_NUL_or_not),
		TEST(a_key_over_the_bound_of_lmdb_is_not_found),
		TEST(a_value_that_does_not_fit_is_an_error_with_the_tables_name),
		TEST(a_look_up_sees_what_postmap_changed_meanwhile),
		TEST(a_file_moved_into_its_place_is_used_by_the_next_look_up),
		TEST(while_there_is_no_usable_file_the_old_one_answers),
		TEST(a_file_cut_in_place_is_an_error_and_no_crash),
		TEST(what_is_no_lmdb_file_is_an_error_at_open),
		TEST(look_ups_are_right_while_postmap_rewrites_the_file),
		TEST(a_writers_lock_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
