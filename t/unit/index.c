/* SPDX-License-Identifier: ISC */
#include "event/lookup.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool_place.h"

#define FIRST_SEALED "log-00000000000000000001.jsonl"
#define FIRST_INDEX "log-00000000000000000001.idx"

static struct spool_place place;

enum { MESSAGES = 60 };

/* A log of messages 0 to MESSAGES - 1 over several segments. Message n has its own ids; its
 * recipients are r<n> and one that all have. */
static void make_log(void)
{
	struct mg_spool *spool;

	place.settings.segment_bytes = 4000;
	spool = place_open(&place);
	for (int i = 0; i < MESSAGES; i++) {
		char document[1024];
		int length = snprintf(document, sizeof document,
			"{\"@timestamp\":\"2026-11-25T00:00:01.000000Z\",\"trace\":{\"id\":\"trace%d\"},"
			"\"email\":{\"local_id\":\"4jYh%dzQ\",\"message_id\":\"m%d@example.com\","
			"\"sender\":{\"address\":\"Sender%d@Example.com\"},\"from\":{\"address\":[\"f%d@example.com\"]},"
			"\"to\":{\"address\":[\"r%d@example.net\",\"all@example.net\"]},\"subject\":\"r%d@example.org\"},"
			"\"millgate\":{\"session\":{\"key\":\"192.0.2.1:%d\"},\"header\":{\"cc\":[\"\\\"q \\\\\\\"%d\\\"@example.com\"]}},"
			"\"event\":{\"id\":\"01a20d63-981d-7b1e-9d3c-5a7eABCD%04d\"",
			i, i, i, i, i, i, i, i, i, i);

		assert_int_not_equal(mg_spool_append(spool, document, (size_t)length, NULL), 0);
	}
	mg_spool_close(spool);
}

static int set_up(void **state)
{
	(void)state;
	place_make(&place);
	make_log();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove(&place);
	return 0;
}

struct hits {
	int count, end_after;
	uint64_t last;
	char first[2048];
};

static bool take(void *context, const struct mg_lookup_hit *hit)
{
	struct hits *hits = context;
	const char *sequence = strstr(hit->line, "\"sequence\":");
	uint64_t number = strtoull(sequence + strlen("\"sequence\":"), NULL, 10);

	assert_int_equal(strlen(hit->line), hit->length);
	assert_string_equal(hit->name, "log");
	assert_true(number > hits->last);
	hits->last = number;
	if (hits->count++ == 0)
		snprintf(hits->first, sizeof hits->first, "%s", hit->line);
	return hits->count != hits->end_after;
}

static void look_up(const char *key, struct hits *hits)
{
	struct mg_error error = {""};
	struct mg_lookup *lookup = mg_lookup_open(place.directory, "log", NULL, NULL, &error);

	if (lookup == NULL || mg_lookup_find(lookup, &key, 1, false, take, hits, &error) != 0)
		fail_msg("%s", error.text);
	mg_lookup_close(lookup);
}

static struct hits find(const char *key)
{
	struct hits hits = {0};

	look_up(key, &hits);
	return hits;
}

/* The key must find message `number` and nothing else. */
static void expect_message(const char *key, int number)
{
	struct hits hits = find(key);
	char trace[32];

	if (hits.count != 1)
		fail_msg("%s: %d hits", key, hits.count);
	snprintf(trace, sizeof trace, "\"trace\":{\"id\":\"trace%d\"}", number);
	assert_non_null(strstr(hits.first, trace));
}

static void every_kind_of_key_finds_its_record_in_every_file(void **state)
{
	static const char *const keys[] = {"trace%d", "192.0.2.1:%d", "4jYh%dzQ", "m%d@example.com",
		"Sender%d@Example.com", "sender%d@example.com", "f%d@example.com",
		"R%d@example.NET", "\"q \\\"%d\"@example.com", "abcd%04d", "ABCD%04d"};

	(void)state;
	assert_true(place_has(&place, FIRST_SEALED));
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		for (int number = 0; number < MESSAGES; number++) {
			char key[64];

			/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): all of them take
			 * one int */
			snprintf(key, sizeof key, keys[i], number);
			expect_message(key, number);
		}
}

static void a_key_of_many_records_finds_them_in_order(void **state)
{
	struct hits hits = find("all@example.net");

	(void)state;
	assert_int_equal(hits.count, MESSAGES);
}

static void the_caller_can_end_the_search(void **state)
{
	struct hits hits = {.end_after = 3};

	(void)state;
	look_up("all@example.net", &hits);
	assert_int_equal(hits.count, 3);
}

static void what_is_no_key_is_not_found(void **state)
{
	(void)state;
	/* Text of a subject, parts of keys, ids in another case, nothing. */
	assert_int_equal(find("r1@example.org").count, 0);
	assert_int_equal(find("trace").count, 0);
	assert_int_equal(find("TRACE1").count, 0);
	assert_int_equal(find("4JYH1ZQ").count, 0);
	assert_int_equal(find("nobody@example.net").count, 0);
	assert_int_equal(find("").count, 0);
}

static void a_search_builds_the_index_that_is_missing(void **state)
{
	(void)state;
	assert_false(place_has(&place, FIRST_INDEX));
	expect_message("trace1", 1);
	assert_true(place_has(&place, FIRST_INDEX));
	/* And the next uses it. */
	expect_message("trace1", 1);
}

static void a_sealed_segment_is_looked_up_by_its_index(void **state)
{
	size_t length;
	char *text;

	(void)state;
	expect_message("trace1", 1);
	text = place_read(&place, FIRST_SEALED, &length);
	memcpy(strstr(text, "trace1\""), "traceX", 6);
	place_write(&place, FIRST_SEALED, text, length);
	/* The index does not know it; and what it still names is not there. */
	assert_int_equal(find("traceX").count, 0);
	assert_int_equal(find("trace1").count, 0);
	free(text);
}

static void an_index_that_is_damaged_anywhere_finds_the_same(void **state)
{
	size_t length;
	char *bytes;

	(void)state;
	expect_message("trace1", 1);
	bytes = place_read(&place, FIRST_INDEX, &length);
	for (size_t i = 0; i < length; i += 13) {
		bytes[i] ^= 0x10;
		place_write(&place, FIRST_INDEX, bytes, length);
		expect_message("trace1", 1);
		expect_message("r2@example.net", 2);
		bytes[i] ^= 0x10;
	}
	for (size_t end = 0; end < length; end += 511) {
		place_write(&place, FIRST_INDEX, bytes, end);
		expect_message("trace1", 1);
	}
	free(bytes);
}

static void an_index_of_another_size_of_its_segment_is_built_anew(void **state)
{
	char *old, *new, *text, *rest;
	size_t old_length, new_length, length;

	(void)state;
	expect_message("trace1", 1);
	old = place_read(&place, FIRST_INDEX, &old_length);
	text = place_read(&place, FIRST_SEALED, &length);
	/* One line less in front. */
	rest = strchr(text, '\n') + 1;
	place_write(&place, FIRST_SEALED, rest, (size_t)(text + length - rest));
	expect_message("trace1", 1);
	new = place_read(&place, FIRST_INDEX, &new_length);
	assert_true(new_length != old_length || memcmp(old, new, old_length) != 0);
	free(new);
	free(text);
	free(old);
}

static void without_a_usable_index_segments_are_read_through(void **state)
{
	char path[256];

	(void)state;
	/* No temporary file can be made where a link stands. */
	snprintf(path, sizeof path, "%s/" FIRST_INDEX ".tmp", place.directory);
	place_write(&place, FIRST_INDEX, "", 0);
	assert_int_equal(symlink("/nonexistent/millgate", path), 0);
	expect_message("trace1", 1);
	assert_int_equal(unlink(path), 0);
}

static void damaged_lines_are_passed_over(void **state)
{
	size_t length;
	char *text, *second;

	(void)state;
	text = place_read(&place, FIRST_SEALED, &length);
	second = strchr(text, '\n') + 1;
	second[0] = '#';
	place_write(&place, FIRST_SEALED, text, length);
	assert_int_equal(find("trace0").count, 0);
	expect_message("trace1", 1);
	free(text);
}

static void a_log_without_files_has_no_hits(void **state)
{
	static const char *const key = "trace1";
	struct mg_error error = {""};
	struct hits hits = {0};
	struct mg_lookup *lookup = mg_lookup_open(place.directory, "other", NULL, NULL, &error);

	(void)state;
	assert_non_null(lookup);
	assert_int_equal(mg_lookup_find(lookup, &key, 1, false, take, &hits, &error), 0);
	assert_int_equal(hits.count, 0);
	mg_lookup_close(lookup);
	assert_null(mg_lookup_open("/nonexistent/millgate", "log", NULL, NULL, &error));
	assert_non_null(strstr(error.text, "/nonexistent/millgate"));
}

static void several_keys_of_a_record_find_it_once(void **state)
{
	static const char *const keys[] = {"trace7", "4jYh7zQ", "r7@example.net", "trace9"};
	struct mg_lookup *lookup = mg_lookup_open(place.directory, "log", NULL, NULL, NULL);
	struct hits hits = {0};

	(void)state;
	assert_non_null(lookup);
	assert_int_equal(mg_lookup_find(lookup, keys, 4, false, take, &hits, NULL), 0);
	assert_int_equal(hits.count, 2);
	assert_non_null(strstr(hits.first, "\"trace7\""));
	mg_lookup_close(lookup);
}

static bool take_backwards(void *context, const struct mg_lookup_hit *hit)
{
	struct hits *hits = context;
	const char *sequence = strstr(hit->line, "\"sequence\":");
	uint64_t number = strtoull(sequence + strlen("\"sequence\":"), NULL, 10);

	assert_true(hits->count == 0 || number < hits->last);
	hits->last = number;
	return ++hits->count != hits->end_after;
}

static void the_newest_records_come_first_on_demand(void **state)
{
	static const char *const key = "all@example.net";
	struct mg_lookup *lookup = mg_lookup_open(place.directory, "log", NULL, NULL, NULL);
	struct hits hits = {0};

	(void)state;
	assert_non_null(lookup);
	assert_int_equal(mg_lookup_find(lookup, &key, 1, true, take_backwards, &hits, NULL), 0);
	assert_int_equal(hits.count, MESSAGES);
	mg_lookup_close(lookup);
}

struct names {
	char text[64];
};

static bool take_name(void *context, const struct mg_lookup_hit *hit)
{
	struct names *names = context;

	snprintf(names->text + strlen(names->text), sizeof names->text - strlen(names->text), "%s ",
		hit->name);
	return false;
}

static void all_logs_of_a_directory_are_looked_up(void **state)
{
	static const char *const keys[] = {"trace7"};
	struct names names = {""};
	struct mg_lookup *lookup;

	(void)state;
	place.settings.name = "dkim";
	make_log();
	place.settings.name = "log";
	lookup = mg_lookup_open(place.directory, NULL, NULL, NULL, NULL);
	assert_non_null(lookup);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			mg_lookup_find(lookup, keys, 1, false, take_name, &names, NULL), 0);
	assert_string_equal(names.text, "dkim log dkim log ");
	mg_lookup_close(lookup);
}

struct told {
	uint64_t done, total;
	int count;
};

static void hear(void *context, uint64_t done, uint64_t total)
{
	struct told *told = context;

	assert_true(done >= told->done && done <= total);
	assert_true(told->count == 0 || total == told->total);
	*told = (struct told){done, total, told->count + 1};
}

static void building_indexes_tells_how_far_it_is(void **state)
{
	struct told told = {.count = 0}, again = {.count = 0};

	(void)state;
	mg_lookup_close(mg_lookup_open(place.directory, NULL, hear, &told, NULL));
	assert_true(told.count > 2 && told.done == told.total);
	mg_lookup_close(mg_lookup_open(place.directory, NULL, hear, &again, NULL));
	assert_int_equal(again.count, 0);
}

static void an_index_of_another_version_is_built_anew(void **state)
{
	size_t length;
	char *bytes, *now;

	(void)state;
	expect_message("trace1", 1);
	bytes = place_read(&place, FIRST_INDEX, &length);
	assert_non_null(bytes);
	assert_memory_equal(bytes, "MGINDX2\n", 8);
	bytes[6] = '1';
	place_write(&place, FIRST_INDEX, bytes, length);
	expect_message("trace1", 1);
	now = place_read(&place, FIRST_INDEX, &length);
	assert_memory_equal(now, "MGINDX2\n", 8);
	free(bytes);
	free(now);
}

static void a_daemon_builds_an_index_of_another_version_anew(void **state)
{
	struct mg_spool *spool;
	size_t length;
	char *now;

	(void)state;
	place_write(&place, FIRST_INDEX, "MGINDX1\n", 8);
	spool = place_open(&place);
	assert_int_equal(mg_spool_tick(spool, NULL), 0);
	mg_spool_close(spool);
	now = place_read(&place, FIRST_INDEX, &length);
	assert_true(length > 8 && memcmp(now, "MGINDX2\n", 8) == 0);
	free(now);
}

static void an_index_of_thousands_of_keys_finds_each(void **state)
{
	struct mg_spool *spool;

	(void)state;
	place.settings.segment_bytes = UINT64_C(1) << 30;
	spool = place_open(&place);
	for (int i = 0; i < 5000; i++) {
		char document[256];
		int length = snprintf(document, sizeof document,
			"{\"trace\":{\"id\":\"many%d\"},\"event\":{\"id\":\"01a20d63-981d-7b1e-9d3c-5a7e%08x\"",
			i, i * 7919);

		assert_int_not_equal(mg_spool_append(spool, document, (size_t)length, NULL), 0);
	}
	place.settings.segment_bytes = 1;
	mg_spool_set(spool, &place.settings);
	assert_int_equal(mg_spool_tick(spool, NULL), 0);
	mg_spool_close(spool);
	for (int i = 0; i < 5000; i += 37) {
		char key[32];

		snprintf(key, sizeof key, "many%d", i);
		assert_int_equal(find(key).count, 1);
		snprintf(key, sizeof key, "%08x", i * 7919);
		assert_int_equal(find(key).count, 1);
	}
}

#define INDEX_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INDEX_TEST(every_kind_of_key_finds_its_record_in_every_file),
		INDEX_TEST(a_key_of_many_records_finds_them_in_order),
		INDEX_TEST(the_caller_can_end_the_search),
		INDEX_TEST(what_is_no_key_is_not_found),
		INDEX_TEST(a_search_builds_the_index_that_is_missing),
		INDEX_TEST(a_sealed_segment_is_looked_up_by_its_index),
		INDEX_TEST(an_index_that_is_damaged_anywhere_finds_the_same),
		INDEX_TEST(an_index_of_another_size_of_its_segment_is_built_anew),
		INDEX_TEST(without_a_usable_index_segments_are_read_through),
		INDEX_TEST(damaged_lines_are_passed_over),
		INDEX_TEST(a_log_without_files_has_no_hits),
		INDEX_TEST(several_keys_of_a_record_find_it_once),
		INDEX_TEST(the_newest_records_come_first_on_demand),
		INDEX_TEST(all_logs_of_a_directory_are_looked_up),
		INDEX_TEST(building_indexes_tells_how_far_it_is),
		INDEX_TEST(an_index_of_another_version_is_built_anew),
		INDEX_TEST(a_daemon_builds_an_index_of_another_version_anew),
		INDEX_TEST(an_index_of_thousands_of_keys_finds_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
