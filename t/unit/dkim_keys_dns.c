/* SPDX-License-Identifier: ISC */
/* Which of several keys signs, by what DNS has. */
#include "dkim/keys.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "key_place.h"
#include "keys_case.h"

/* RSA keys "s0" (the oldest) to "s2" of example.org. */
static void put_rsa(size_t index)
{
	char selector[8];

	snprintf(selector, sizeof(selector), "s%zu", index);
	key_place_put(
		&here.place, "example.org", selector, key_place_rsa(index), 300 - 100 * (int)index);
}

static void publish_rsa(size_t index)
{
	char selector[8];

	snprintf(selector, sizeof(selector), "s%zu", index);
	hand_dns_publish(selector, "example.org", key_place_rsa(index));
}

static void put_ed25519(void)
{
	key_place_put(&here.place, "example.org", "e1", key_place_ed25519(0), 10);
}

static void publish_ed25519(void)
{
	hand_dns_publish("e1", "example.org", key_place_ed25519(0));
}

/* Without a background thread each choice asks what is not known. */
static void open_asking(void)
{
	here.with_dns = true;
	keys_case_open();
}

/* With one, which looks often. */
static void open_watched(void)
{
	here.with_dns = true;
	here.background = true;
	here.settings.check_dns = 5 * MG_MILLISECOND;
	keys_case_open();
}

static bool await_signs(const char *wanted)
{
	static const struct timespec moment = {.tv_nsec = 5000000};
	int64_t end = mg_clock_system.monotonic(&mg_clock_system) + 60 * MG_SECOND;

	while (strcmp(keys_case_signs("example.org"), wanted) != 0) {
		if (mg_clock_system.monotonic(&mg_clock_system) > end)
			return false;
		nanosleep(&moment, NULL);
	}
	return true;
}

static void the_newest_that_dns_has_signs(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		put_rsa(i);
	publish_rsa(0);
	publish_rsa(1);
	open_asking();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	assert_int_equal(here.dns.questions, 2);
}

static void a_key_that_waits_is_told_once_with_the_record_to_publish(void **state)
{
	const char *record;

	(void)state;
	put_rsa(0);
	put_rsa(1);
	publish_rsa(0);
	open_asking();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	assert_int_equal(keys_case_events("key-waiting"), 1);
	assert_string_equal(keys_case_event("key-waiting", "millgate.dkim.domain"), "example.org");
	assert_string_equal(keys_case_event("key-waiting", "millgate.dkim.selector"), "s1");
	assert_string_equal(
		keys_case_event("key-waiting", "millgate.dkim.algorithm"), "rsa-sha256");
	assert_string_equal(keys_case_event("key-waiting", "millgate.dkim.dns"), "no record");
	record = keys_case_event("key-waiting", "millgate.dkim.record");
	assert_ptr_equal(
		record, strstr(record, "s1._domainkey.example.org. TXT \"v=DKIM1; k=rsa; p="));
	assert_int_equal(json_array_size(here.taken), 1);
}

static void a_record_of_another_key_is_a_mismatch(void **state)
{
	(void)state;
	put_rsa(0);
	put_rsa(1);
	publish_rsa(0);
	hand_dns_publish("s1", "example.org", key_place_rsa(2));
	open_asking();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	assert_int_equal(keys_case_events("key-mismatch"), 1);
	assert_string_equal(keys_case_event("key-mismatch", "millgate.dkim.selector"), "s1");
	assert_string_equal(keys_case_event("key-mismatch", "millgate.dkim.dns"), "other");
}

static void with_dns_down_the_oldest_signs_and_newer_ones_wait(void **state)
{
	(void)state;
	put_rsa(0);
	put_rsa(1);
	hand_dns_down(true);
	open_asking();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	assert_int_equal(keys_case_events("key-waiting"), 1);
	assert_string_equal(keys_case_event("key-waiting", "millgate.dkim.dns"), "no answer");
}

static void a_key_that_dns_lacks_does_not_sign_before_one_nothing_is_known_of(void **state)
{
	(void)state;
	here.with_dns = true;
	here.background = true;
	put_rsa(0);
	put_rsa(1);
	publish_rsa(1);
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
}

static void a_key_alone_signs_whatever_dns_says(void **state)
{
	(void)state;
	put_rsa(0);
	open_watched();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	assert_true(keys_case_await_events("key-waiting", 1));
	assert_string_equal(keys_case_event("key-waiting", "event.reason"),
		"s0 signs, and is not seen in DNS: s0._domainkey.example.org: no such name");
	hand_dns_publish("s0", "example.org", key_place_rsa(2));
	assert_true(keys_case_await_events("key-mismatch", 1));
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	assert_int_equal(keys_case_events("key-waiting"), 1);
}

static void mail_does_not_wait_for_dns_when_a_key_is_alone(void **state)
{
	(void)state;
	put_rsa(0);
	open_asking();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	assert_int_equal(here.dns.questions, 0);
}

static void ed25519_beside_rsa_waits_until_it_is_seen(void **state)
{
	(void)state;
	put_rsa(0);
	put_ed25519();
	open_watched();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	publish_ed25519();
	assert_true(await_signs("example.org/s0 rsa-sha256, example.org/e1 ed25519-sha256"));
	hand_dns_publish("e1", "example.org", NULL);
	assert_true(await_signs("example.org/s0 rsa-sha256"));
}

static void ed25519_alone_signs(void **state)
{
	(void)state;
	put_ed25519();
	open_asking();
	assert_string_equal(keys_case_signs("example.org"), "example.org/e1 ed25519-sha256");
}

static void a_rotation_goes_from_key_to_key_as_dns_does(void **state)
{
	(void)state;
	put_rsa(0);
	publish_rsa(0);
	open_watched();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	put_rsa(1);
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	assert_true(keys_case_await_events("key-waiting", 1));
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	publish_rsa(1);
	assert_true(keys_case_await_events("key-switched", 1));
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	assert_string_equal(
		keys_case_event("key-switched", "event.reason"), "s1 signs in place of s0");
	assert_string_equal(keys_case_event("key-switched", "millgate.dkim.selector"), "s1");
	/* The old record goes, then the old file: nobody minds. */
	hand_dns_publish("s0", "example.org", NULL);
	key_place_drop(&here.place, "example.org", "s0");
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	assert_int_equal(keys_case_events("key-waiting"), 1);
	assert_int_equal(keys_case_events("key-switched"), 1);
	assert_int_equal(keys_case_events("key-mismatch"), 0);
}

static void dns_down_changes_nothing_that_was_known(void **state)
{
	unsigned asked;

	(void)state;
	put_rsa(0);
	put_rsa(1);
	publish_rsa(0);
	publish_rsa(1);
	open_watched();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	hand_dns_down(true);
	asked = here.dns.questions;
	while (here.dns.questions < asked + 6)
		assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	assert_int_equal(json_array_size(here.taken), 0);
}

static void a_seen_key_that_dns_loses_gives_way_to_another_seen_one(void **state)
{
	(void)state;
	put_rsa(0);
	put_rsa(1);
	publish_rsa(0);
	publish_rsa(1);
	open_watched();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	hand_dns_publish("s1", "example.org", NULL);
	assert_true(await_signs("example.org/s0 rsa-sha256"));
	assert_true(keys_case_await_events("key-switched", 1));
	assert_true(keys_case_await_events("key-waiting", 1));
}

static void what_was_known_outlives_a_reload_and_a_rewritten_file(void **state)
{
	struct dkim_keys *before;

	(void)state;
	put_rsa(0);
	put_rsa(1);
	publish_rsa(0);
	publish_rsa(1);
	open_asking();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	hand_dns_down(true);
	before = here.keys;
	here.keys = NULL;
	keys_case_open();
	dkim_keys_close(before);
	put_rsa(1);
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	assert_int_equal(here.dns.questions, 1);
}

static void another_key_under_the_same_selector_must_be_seen_anew(void **state)
{
	(void)state;
	put_rsa(0);
	put_rsa(1);
	publish_rsa(0);
	publish_rsa(1);
	open_asking();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	key_place_put(&here.place, "example.org", "s1", key_place_rsa(2), 0);
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	assert_int_equal(keys_case_events("key-mismatch"), 1);
}

static void pinned_selectors_sign_whatever_dns_says(void **state)
{
	static const char *const pinned[] = {"s1"};

	(void)state;
	put_rsa(0);
	put_rsa(1);
	publish_rsa(0);
	here.settings.selectors = pinned;
	here.settings.selector_count = 1;
	open_asking();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	assert_int_equal(here.dns.questions, 0);
}

static void check_dns_of_nothing_never_asks(void **state)
{
	(void)state;
	put_rsa(0);
	put_rsa(1);
	put_ed25519();
	here.settings.check_dns = 0;
	here.with_dns = true;
	here.background = true;
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"),
		"example.org/s0 rsa-sha256, example.org/e1 ed25519-sha256");
	assert_int_equal(here.dns.questions, 0);
}

static void *choose_in_thread(void *context)
{
	*(bool *)context = strcmp(keys_case_signs("example.org"), "example.org/s1 rsa-sha256") == 0;
	return NULL;
}

static void await_question(void)
{
	static const struct timespec moment = {.tv_nsec = 1000000};

	while (here.dns.questions == 0)
		nanosleep(&moment, NULL);
}

static void a_wait_for_dns_holds_up_no_other_domain(void **state)
{
	pthread_t threads[4];
	bool right[4] = {false};

	(void)state;
	put_rsa(0);
	put_rsa(1);
	publish_rsa(0);
	publish_rsa(1);
	key_place_put(&here.place, "example.net", "s1", key_place_rsa(0), 10);
	open_asking();
	hand_dns_wait(true);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, choose_in_thread, &right[i]), 0);
	await_question();
	assert_string_equal(keys_case_signs("example.net"), "example.net/s1 rsa-sha256");
	hand_dns_wait(false);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_true(right[i]);
	}
	assert_int_equal(here.dns.questions, 1);
}

static void a_silent_dns_delays_the_first_message_only(void **state)
{
	int64_t begun, first, second;

	(void)state;
	put_rsa(0);
	put_rsa(1);
	here.with_dns = true;
	here.background = true;
	keys_case_open();
	hand_dns_wait(true);
	begun = mg_clock_system.monotonic(&mg_clock_system);
	assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	first = mg_clock_system.monotonic(&mg_clock_system);
	/* Far below the message's deadline of 20 s. */
	assert_true(first - begun < 10 * MG_SECOND);
	for (int i = 0; i < 100; i++)
		assert_string_equal(keys_case_signs("example.org"), "example.org/s0 rsa-sha256");
	second = mg_clock_system.monotonic(&mg_clock_system);
	assert_true(second - first < first - begun);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEYS_TEST(the_newest_that_dns_has_signs),
		KEYS_TEST(a_key_that_waits_is_told_once_with_the_record_to_publish),
		KEYS_TEST(a_record_of_another_key_is_a_mismatch),
		KEYS_TEST(with_dns_down_the_oldest_signs_and_newer_ones_wait),
		KEYS_TEST(a_key_that_dns_lacks_does_not_sign_before_one_nothing_is_known_of),
		KEYS_TEST(a_key_alone_signs_whatever_dns_says),
		KEYS_TEST(mail_does_not_wait_for_dns_when_a_key_is_alone),
		KEYS_TEST(ed25519_beside_rsa_waits_until_it_is_seen),
		KEYS_TEST(ed25519_alone_signs),
		KEYS_TEST(a_rotation_goes_from_key_to_key_as_dns_does),
		KEYS_TEST(dns_down_changes_nothing_that_was_known),
		KEYS_TEST(a_seen_key_that_dns_loses_gives_way_to_another_seen_one),
		KEYS_TEST(what_was_known_outlives_a_reload_and_a_rewritten_file),
		KEYS_TEST(another_key_under_the_same_selector_must_be_seen_anew),
		KEYS_TEST(pinned_selectors_sign_whatever_dns_says),
		KEYS_TEST(check_dns_of_nothing_never_asks),
		KEYS_TEST(a_wait_for_dns_holds_up_no_other_domain),
		KEYS_TEST(a_silent_dns_delays_the_first_message_only),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	key_place_end();
	return failed;
}
