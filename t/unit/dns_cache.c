/* SPDX-License-Identifier: ISC */
#include "base/dns_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/dns_answer.h"
#include "base/str.h"

enum { ENTRIES = 100, BYTES = 1 << 20 };

static int64_t time_now;

static int64_t read_time(const struct mg_clock *clock)
{
	(void)clock;
	return time_now;
}

static const struct mg_clock test_clock = {.utc = read_time, .monotonic = read_time};
static struct mg_dns_cache *cache;

static int set_up(void **state)
{
	(void)state;
	time_now = 1000 * MG_SECOND;
	cache = mg_dns_cache_new(ENTRIES, BYTES, &test_clock);
	return cache != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mg_dns_cache_free(cache);
	return 0;
}

static void put(const char *name, enum mg_dns_status status, int64_t ttl, const char *text)
{
	const struct mg_dns_record record = {.data = text, .length = strlen(text)};
	const struct mg_dns_answer model = {
		.status = status, .ttl = ttl, .count = status == MG_DNS_FOUND, .records = &record};
	const struct mg_dns_answer *answer = mg_dns_answer_new(&model);

	mg_dns_cache_put(cache, name, MG_DNS_TXT, answer);
	mg_dns_answer_release(answer);
}

static bool has(const char *name)
{
	const struct mg_dns_answer *answer = mg_dns_cache_get(cache, name, MG_DNS_TXT);

	mg_dns_answer_release(answer);
	return answer != NULL;
}

static size_t count(void)
{
	size_t bytes;

	return mg_dns_cache_count(cache, &bytes);
}

static void an_answer_is_found_by_name_and_type(void **state)
{
	const struct mg_dns_answer *answer;

	(void)state;
	put("a.example.org", MG_DNS_FOUND, 60 * MG_SECOND, "text");
	answer = mg_dns_cache_get(cache, "a.example.org", MG_DNS_TXT);
	assert_string_equal(answer->records[0].data, "text");
	mg_dns_answer_release(answer);
	assert_null(mg_dns_cache_get(cache, "a.example.org", MG_DNS_A));
	assert_null(mg_dns_cache_get(cache, "b.example.org", MG_DNS_TXT));
}

static void an_answer_is_kept_for_its_time_within_bounds(void **state)
{
	static const struct {
		enum mg_dns_status status;
		int64_t ttl, kept; /* seconds */
	} rows[] = {{MG_DNS_FOUND, 60, 60}, {MG_DNS_FOUND, 0, 1}, {MG_DNS_FOUND, 86400, 3600},
		{MG_DNS_NO_DATA, 60, 60}, {MG_DNS_NO_NAME, 0, 1}, {MG_DNS_NO_NAME, 86400, 300},
		{MG_DNS_FAILED, 0, 5}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		put("a", rows[i].status, rows[i].ttl * MG_SECOND, "");
		time_now += rows[i].kept * MG_SECOND - 1;
		assert_true(has("a"));
		time_now += 1;
		assert_false(has("a"));
		assert_int_equal(count(), 0);
	}
}

static void a_new_answer_takes_the_place_of_the_old(void **state)
{
	const struct mg_dns_answer *old, *answer;

	(void)state;
	put("a", MG_DNS_FOUND, MG_SECOND, "old");
	old = mg_dns_cache_get(cache, "a", MG_DNS_TXT);
	put("a", MG_DNS_FOUND, MG_SECOND, "new");
	answer = mg_dns_cache_get(cache, "a", MG_DNS_TXT);
	assert_string_equal(answer->records[0].data, "new");
	assert_string_equal(old->records[0].data, "old");
	assert_int_equal(count(), 1);
	mg_dns_answer_release(old);
	mg_dns_answer_release(answer);
}

static void a_failure_does_not_take_the_place_of_what_holds(void **state)
{
	const struct mg_dns_answer *answer;

	(void)state;
	put("a", MG_DNS_FOUND, MG_SECOND, "text");
	put("a", MG_DNS_FAILED, 0, "");
	answer = mg_dns_cache_get(cache, "a", MG_DNS_TXT);
	assert_int_equal(answer->status, MG_DNS_FOUND);
	mg_dns_answer_release(answer);
	time_now += MG_SECOND;
	put("a", MG_DNS_FAILED, 0, "");
	answer = mg_dns_cache_get(cache, "a", MG_DNS_TXT);
	assert_int_equal(answer->status, MG_DNS_FAILED);
	mg_dns_answer_release(answer);
}

static void name_of(char name[32], int number)
{
	mg_str_format(name, 32, "n%d.example.org", number);
}

static void the_one_not_asked_for_longest_goes_first(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < ENTRIES; i++) {
		name_of(name, i);
		put(name, MG_DNS_FOUND, 60 * MG_SECOND, "");
	}
	assert_true(has("n0.example.org"));
	put("another", MG_DNS_FOUND, 60 * MG_SECOND, "");
	assert_int_equal(count(), ENTRIES);
	assert_true(has("n0.example.org"));
	assert_false(has("n1.example.org"));
	assert_true(has("n2.example.org"));
}

static void failures_push_out_no_answer(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < ENTRIES / 2; i++) {
		name_of(name, i);
		put(name, MG_DNS_FOUND, 60 * MG_SECOND, "");
	}
	for (int i = ENTRIES; i < 10 * ENTRIES; i++) {
		name_of(name, i);
		put(name, MG_DNS_FAILED, 0, "");
		has(name);
	}
	assert_int_equal(count(), ENTRIES);
	for (int i = 0; i < ENTRIES / 2; i++) {
		name_of(name, i);
		assert_true(has(name));
	}
}

static void bytes_are_bounded(void **state)
{
	static char text[BYTES / 10];
	size_t bytes;
	char name[32];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	for (int i = 0; i < ENTRIES; i++) {
		name_of(name, i);
		put(name, MG_DNS_FOUND, 60 * MG_SECOND, text);
		assert_true(mg_dns_cache_count(cache, &bytes) > 0);
		assert_true(bytes <= BYTES);
	}
	assert_int_equal(count(), 9);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_found_by_name_and_type),
		TEST(an_answer_is_kept_for_its_time_within_bounds),
		TEST(a_new_answer_takes_the_place_of_the_old),
		TEST(a_failure_does_not_take_the_place_of_what_holds),
		TEST(the_one_not_asked_for_longest_goes_first),
		TEST(failures_push_out_no_answer),
		TEST(bytes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
