/* SPDX-License-Identifier: ISC */
/* A file that is no sound database must not end the process that opens it: LMDB trusts what it maps. A
 * store of all that the format has is damaged in many ways; a child opens it, reads all, changes much,
 * and must end by itself. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/store_verify.h"
#include "store_place.h"

enum { PAGE = 4096, FLIPS = 300 };

/* The file of a sound store, and where it is put. */
struct sound {
	struct store_place place;
	unsigned char *bytes, *damaged;
	size_t length;
	char file[128];
};

static void put_some(struct mg_store *store, unsigned from, unsigned to, size_t size)
{
	static char value[3 * PAGE];
	struct mg_store_tx *tx = store_begin(store);
	char key[64];

	memset(value, 'v', sizeof(value));
	for (unsigned i = from; i < to; i++) {
		int length = snprintf(key, sizeof(key), "%05u-%.*s", i * 7919 % 10007,
			(int)(i % 40), "----------------------------------------");

		assert_int_equal(mg_store_put(tx, i % 2, key, (size_t)length, value,
					 i % 50 == 0 ? sizeof(value) : size + i % 200, NULL),
			0);
	}
	store_commit(tx);
}

static bool drop_half(void *context, struct mg_store_tx *tx, const void *key, size_t key_length,
	const struct mg_store_value *value)
{
	unsigned *count = context;

	(void)value;
	if (++*count % 2 == 0)
		mg_store_delete(tx, NUMBERS, key, key_length, NULL);
	return true;
}

/* Several levels, values in overflow pages, pages that are free. */
static void fill(const struct store_place *place)
{
	struct mg_store *store = store_place_open(place);
	struct mg_store_tx *tx;
	unsigned count = 0;

	for (unsigned i = 0; i < 3000; i += 500)
		put_some(store, i, i + 500, 100);
	tx = store_begin(store);
	assert_true(mg_store_walk(tx, NUMBERS, "", 0, drop_half, &count, NULL) > 0);
	store_commit(tx);
	put_some(store, 0, 300, 300);
	mg_store_close(store);
}

static int make(void **state)
{
	struct sound *sound = calloc(1, sizeof(*sound));
	struct stat status;
	int descriptor;

	assert_non_null(sound);
	store_place_make(&sound->place);
	fill(&sound->place);
	snprintf(sound->file, sizeof(sound->file), "%s/data.mdb", sound->place.path);
	descriptor = open(sound->file, O_RDONLY | O_CLOEXEC);
	assert_true(descriptor >= 0);
	assert_int_equal(fstat(descriptor, &status), 0);
	sound->length = (size_t)status.st_size;
	sound->bytes = malloc(sound->length);
	sound->damaged = malloc(sound->length);
	assert_non_null(sound->bytes);
	assert_non_null(sound->damaged);
	assert_int_equal(read(descriptor, sound->bytes, sound->length), sound->length);
	memcpy(sound->damaged, sound->bytes, sound->length);
	close(descriptor);
	*state = sound;
	return 0;
}

static int drop(void **state)
{
	struct sound *sound = *state;

	store_place_remove(&sound->place);
	free(sound->bytes);
	free(sound->damaged);
	free(sound);
	return 0;
}

static void write_damaged(const struct sound *sound, size_t length)
{
	int descriptor = open(sound->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, sound->damaged, length), length);
	close(descriptor);
}

static bool read_all(void *context, struct mg_store_tx *tx, const void *key, size_t key_length,
	const struct mg_store_value *value)
{
	unsigned *sum = context;

	(void)tx;
	for (size_t i = 0; i < key_length; i++)
		*sum += ((const unsigned char *)key)[i];
	for (size_t i = 0; i < value->length; i++)
		*sum += ((const unsigned char *)value->bytes)[i];
	return true;
}

static bool drop_all(void *context, struct mg_store_tx *tx, const void *key, size_t key_length,
	const struct mg_store_value *value)
{
	(void)context;
	(void)value;
	return mg_store_delete(tx, COLOURS, key, key_length, NULL) >= 0;
}

/* How the child ends. */
enum { USED, REPLACED, REFUSED };

static int use(const struct mg_store_settings *settings)
{
	struct mg_error replaced, error;
	struct mg_store *store = mg_store_open(settings, &replaced, &error);
	struct mg_store_tx *tx;
	unsigned sum = 0;

	if (!store)
		return REFUSED;
	tx = mg_store_view(store, NULL);
	mg_store_walk(tx, COLOURS, "", 0, read_all, &sum, NULL);
	mg_store_walk(tx, NUMBERS, "", 0, read_all, &sum, NULL);
	mg_store_end(tx);
	if (!settings->read_only) {
		put_some(store, 2000, 2700, 150);
		tx = mg_store_begin(store, NULL);
		mg_store_walk(tx, COLOURS, "", 0, drop_all, NULL, NULL);
		mg_store_commit(tx, NULL);
		put_some(store, 100, 600, 150);
	}
	mg_store_close(store);
	return *replaced.text ? REPLACED : USED;
}

static int use_in_child(const struct mg_store_settings *settings)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(use(settings));
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status))
		fail_msg("the child was ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* Writes the damaged file and uses it; the damage is undone in memory. */
static int use_damaged(struct sound *sound, size_t length)
{
	int end;

	write_damaged(sound, length);
	sound->place.settings.read_only = true;
	end = use_in_child(&sound->place.settings);
	assert_true(end == USED || end == REFUSED);
	sound->place.settings.read_only = false;
	end = use_in_child(&sound->place.settings);
	memcpy(sound->damaged, sound->bytes, sound->length);
	return end;
}

/* Removes what was moved aside, whose number is expected to be 1. */
static void remove_aside(const struct sound *sound)
{
	static const char *const files[] = {"/data.mdb", "/lock.mdb", "/owner", ""};
	char path[160];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s.damaged-1%s", sound->place.path, files[i]);
		assert_int_equal(remove(path), 0);
	}
}

static void expect_replaced(struct sound *sound, size_t length)
{
	assert_int_equal(use_damaged(sound, length), REPLACED);
	remove_aside(sound);
}

static void the_sound_store_is_used(void **state)
{
	assert_int_equal(use_damaged(*state, ((struct sound *)*state)->length), USED);
}

static void what_is_damaged_is_moved_aside_and_told(void **state)
{
	struct sound *sound = *state;
	struct mg_error replaced, error;
	struct mg_store *store;
	struct mg_store_tx *tx;
	char expected[256];

	for (int i = 1; i <= 2; i++) {
		memset(sound->damaged, 'x', sound->length);
		write_damaged(sound, sound->length);
		store = mg_store_open(&sound->place.settings, &replaced, &error);
		assert_non_null(store);
		snprintf(expected, sizeof(expected),
			"%s: damaged: page 0: is no meta page; moved to %s.damaged-%d, a new one was made",
			sound->place.path, sound->place.path, i);
		assert_string_equal(replaced.text, expected);
		tx = store_begin(store);
		assert_int_equal(store_count(tx, COLOURS), 0);
		store_put(tx, COLOURS, "red", "");
		store_commit(tx);
		mg_store_close(store);
	}
	sound->place.settings.read_only = true;
	write_damaged(sound, sound->length);
	assert_null(mg_store_open(&sound->place.settings, &replaced, &error));
	snprintf(expected, sizeof(expected), "%s: damaged: page 0: is no meta page",
		sound->place.path);
	assert_string_equal(error.text, expected);
	sound->place.settings.read_only = false;
}

static void a_file_that_was_cut_anywhere_is_replaced(void **state)
{
	struct sound *sound = *state;

	for (size_t length = 1; length < sound->length - 8 * PAGE; length += 3 * PAGE + 17)
		expect_replaced(sound, length);
}

static void an_empty_file_is_a_new_store(void **state)
{
	assert_int_equal(use_damaged(*state, 0), USED);
}

static void use_and_tidy(struct sound *sound, unsigned *replaced)
{
	if (use_damaged(sound, sound->length) != REPLACED)
		return;
	remove_aside(sound);
	++*replaced;
}

static void a_meta_page_that_is_damaged_is_found(void **state)
{
	/* Number, flags, magic, page size, flags of the tables, transaction: of both pages. */
	static const size_t both[] = {0, 10, 16, 40, 44, 92, 144};
	/* Depths and roots: of the page that counts. */
	static const size_t newer[] = {46, 80, 94, 128};
	struct sound *sound = *state;
	unsigned replaced = 0;

	for (size_t page = 0; page < 2; page++) {
		for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
			sound->damaged[page * PAGE + both[i]] ^= 0x40;
			expect_replaced(sound, sound->length);
		}
		for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]); i++) {
			sound->damaged[page * PAGE + newer[i]] ^= 0x40;
			use_and_tidy(sound, &replaced);
		}
	}
	assert_int_equal(replaced, sizeof(newer) / sizeof(newer[0]));
}

static void a_file_of_another_version_of_lmdb_is_refused_and_stays(void **state)
{
	struct sound *sound = *state;

	sound->damaged[20] = sound->damaged[PAGE + 20] = 2;
	assert_int_equal(use_damaged(sound, sound->length), REFUSED);
	assert_int_equal(use_damaged(sound, sound->length), USED);
}

static void pages_in_the_place_of_others_end_no_process(void **state)
{
	struct sound *sound = *state;
	size_t pages = sound->length / PAGE;
	unsigned replaced = 0;

	for (size_t page = 2; page < pages; page += 7) {
		memcpy(sound->damaged + page * PAGE, sound->bytes + (page * 7 % pages) * PAGE,
			PAGE);
		use_and_tidy(sound, &replaced);
		memset(sound->damaged + page * PAGE, 0, PAGE);
		use_and_tidy(sound, &replaced);
	}
	assert_true(replaced > pages / 14);
}

/* Most bytes of a page are values, which nobody can check; the others are what LMDB works with. */
static void bytes_turned_anywhere_end_no_process(void **state)
{
	struct sound *sound = *state;
	unsigned seed = (unsigned)time(NULL), replaced = 0, flips = FLIPS;

	if (getenv("STORE_FLIPS"))
		flips = (unsigned)atoi(getenv("STORE_FLIPS"));
	print_message("# seed %u\n", seed);
	for (unsigned i = 0; i < flips; i++) {
		unsigned count = (unsigned)rand_r(&seed) % 4 + 1;

		while (count-- > 0) {
			size_t at = (size_t)rand_r(&seed) % sound->length;

			/* Half of them where a page's head and its list of records are. */
			if (rand_r(&seed) % 2)
				at = at / PAGE * PAGE + at % 64;
			sound->damaged[at] = (unsigned char)rand_r(&seed);
		}
		use_and_tidy(sound, &replaced);
	}
	print_message("# %u of %u replaced\n", replaced, flips);
	assert_true(replaced > flips / 10);
}

static void say_of_owner(const struct store_place *place, const char *record)
{
	char path[128];
	int descriptor;

	snprintf(path, sizeof(path), "%s/owner", place->path);
	descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(descriptor, record, strlen(record)), strlen(record));
	close(descriptor);
}

static void what_lmdb_could_not_go_on_with_is_moved_aside(void **state)
{
	struct sound *sound = *state;

	say_of_owner(&sound->place, "distrusted 0 4711 \n");
	expect_replaced(sound, sound->length);
}

/* 20,000 pages, one of the last of which, with records, is no longer one; its place in the file. */
static void make_large(const struct store_place *place, int *descriptor)
{
	struct mg_store *store = store_place_open(place);
	char file[128], number[8] = "damaged";

	for (unsigned i = 0; i < 40000; i += 2000)
		put_some(store, i, i + 2000, 1500);
	mg_store_close(store);
	snprintf(file, sizeof(file), "%s/data.mdb", place->path);
	*descriptor = open(file, O_RDWR | O_CLOEXEC);
	assert_true(*descriptor >= 0);
	for (off_t page = 15000;; page++) {
		struct {
			uint64_t number;
			uint16_t pad, flags;
		} head;

		assert_int_equal(
			pread(*descriptor, &head, sizeof(head), page * PAGE), sizeof(head));
		if (head.flags != 2)
			continue;
		assert_int_equal(pwrite(*descriptor, number, sizeof(number), page * PAGE), 8);
		if (mg_store_verify(*descriptor, UINT64_MAX, INT64_MAX, NULL) == MG_STORE_DAMAGED)
			return; /* it was in use */
	}
}

static void a_large_store_is_looked_through_while_there_is_time_and_whole_after_two_crashes(
	void **state)
{
	struct store_place place;
	struct mg_error error;
	int descriptor;

	(void)state;
	store_place_make(&place);
	make_large(&place, &descriptor);
	assert_int_equal(mg_store_verify(descriptor, UINT64_MAX, 0, &error), MG_STORE_SOUND_SO_FAR);
	close(descriptor);
	say_of_owner(&place, "open 1 4711 \n");
	assert_int_equal(use_in_child(&place.settings), REPLACED);
	store_place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_sound_store_is_used, make, drop),
		cmocka_unit_test_setup_teardown(
			what_is_damaged_is_moved_aside_and_told, make, drop),
		cmocka_unit_test_setup_teardown(
			a_file_that_was_cut_anywhere_is_replaced, make, drop),
		cmocka_unit_test_setup_teardown(an_empty_file_is_a_new_store, make, drop),
		cmocka_unit_test_setup_teardown(a_meta_page_that_is_damaged_is_found, make, drop),
		cmocka_unit_test_setup_teardown(
			a_file_of_another_version_of_lmdb_is_refused_and_stays, make, drop),
		cmocka_unit_test_setup_teardown(
			pages_in_the_place_of_others_end_no_process, make, drop),
		cmocka_unit_test_setup_teardown(bytes_turned_anywhere_end_no_process, make, drop),
		cmocka_unit_test_setup_teardown(
			what_lmdb_could_not_go_on_with_is_moved_aside, make, drop),
		cmocka_unit_test(
			a_large_store_is_looked_through_while_there_is_time_and_whole_after_two_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
