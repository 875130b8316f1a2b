/* SPDX-License-Identifier: ISC */
/* The resolver that asks, at a name server in this process that counts. */
#include "base/dns_live.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"

#include "name_server.h"

enum { THREADS = 50, MANY = 100000 };
static const int64_t long_time = 100 * MG_SECOND;

static struct name_server server;
static struct mg_dns *dns;

static int64_t now(void)
{
	return mg_clock_system.monotonic(&mg_clock_system);
}

static struct mg_dns *open_at(const char *address, int64_t timeout)
{
	const struct mg_dns_live_settings settings = {
		.servers = &address, .count = 1, .timeout = timeout};
	struct mg_dns *opened = mg_dns_live(&settings, NULL);

	assert_non_null(opened);
	return opened;
}

static int set_up(void **state)
{
	(void)state;
	name_server_start(&server);
	dns = open_at(server.address, long_time);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mg_dns_close(dns);
	name_server_stop(&server);
	return 0;
}

/* Asks for a TXT record: the status, and its text in `text`. */
static enum mg_dns_status ask_at(
	struct mg_dns *resolver, const char *name, bool fresh, int64_t deadline, char text[64])
{
	const struct mg_dns_answer *answer =
		mg_dns_ask(resolver, name, MG_DNS_TXT, fresh, deadline);
	enum mg_dns_status status = answer->status;

	text[0] = '\0';
	if (status == MG_DNS_FOUND)
		mg_str_copy(text, 64, answer->records[0].data);
	mg_dns_release(resolver, answer);
	return status;
}

static char text[64];

static enum mg_dns_status ask(const char *name, bool fresh)
{
	return ask_at(dns, name, fresh, now() + long_time, text);
}

/* --- answers that are kept --- */

static void an_answer_is_asked_for_once_and_then_kept(void **state)
{
	(void)state;
	assert_int_equal(ask("a.example.org", false), MG_DNS_FOUND);
	assert_string_equal(text, "1");
	assert_int_equal(ask("A.Example.ORG.", false), MG_DNS_FOUND);
	assert_string_equal(text, "1");
	assert_int_equal(server.queries, 1);
}

static void a_name_that_does_not_exist_is_kept_too(void **state)
{
	(void)state;
	assert_int_equal(ask("none.example.org", false), MG_DNS_NO_NAME);
	assert_int_equal(ask("none.example.org", false), MG_DNS_NO_NAME);
	assert_int_equal(server.queries, 1);
}

static void fresh_asks_anew_and_what_comes_is_kept(void **state)
{
	(void)state;
	assert_int_equal(ask("a.example.org", false), MG_DNS_FOUND);
	assert_int_equal(ask("a.example.org", true), MG_DNS_FOUND);
	assert_string_equal(text, "2");
	assert_int_equal(ask("a.example.org", false), MG_DNS_FOUND);
	assert_string_equal(text, "2");
	assert_int_equal(server.queries, 2);
}

static void an_answer_is_asked_for_again_when_its_time_is_over(void **state)
{
	int64_t until = now() + long_time;

	(void)state;
	assert_int_equal(ask("short.example.org", false), MG_DNS_FOUND);
	while (ask("short.example.org", false) == MG_DNS_FOUND && strcmp(text, "1") == 0)
		assert_true(now() < until);
	assert_string_equal(text, "2");
}

static void over_its_deadline_a_question_is_answered_by_what_is_kept(void **state)
{
	(void)state;
	assert_int_equal(ask("a.example.org", false), MG_DNS_FOUND);
	assert_int_equal(ask_at(dns, "a.example.org", false, now(), text), MG_DNS_FOUND);
	assert_int_equal(ask_at(dns, "b.example.org", false, now(), text), MG_DNS_TIMEOUT);
	assert_int_equal(ask_at(dns, "a.example.org", true, now(), text), MG_DNS_TIMEOUT);
	assert_int_equal(server.queries, 1);
}

static void a_failure_takes_the_place_of_no_answer(void **state)
{
	(void)state;
	assert_int_equal(ask("a.example.org", false), MG_DNS_FOUND);
	server.mute = true;
	assert_int_equal(ask_at(dns, "a.example.org", true, now() + 50 * MG_MILLISECOND, text),
		MG_DNS_TIMEOUT);
	assert_int_equal(ask("a.example.org", true), MG_DNS_FAILED);
	assert_int_equal(ask("a.example.org", false), MG_DNS_FOUND);
}

static void equal_settings_share_what_is_kept_and_others_do_not(void **state)
{
	struct mg_dns *same = open_at(server.address, long_time);
	struct mg_dns *other = open_at(server.address, long_time - 1);

	(void)state;
	assert_ptr_equal(same, dns);
	assert_ptr_not_equal(other, dns);
	assert_int_equal(ask("a.example.org", false), MG_DNS_FOUND);
	mg_dns_close(dns);
	dns = same;
	server.mute = true;
	assert_int_equal(ask("a.example.org", false), MG_DNS_FOUND);
	assert_int_equal(ask_at(other, "a.example.org", false, now() + MG_MILLISECOND, text),
		MG_DNS_TIMEOUT);
	mg_dns_close(other);
}

/* --- names --- */

static void what_is_no_name_is_not_asked(void **state)
{
	char label[70], name[300] = "";
	const char *const names[] = {
		"", ".", "a..example.org", ".example.org", "a.b..", label, name};

	(void)state;
	memset(label, 'a', 64);
	label[64] = '\0';
	for (size_t i = 0; i < 127; i++)
		mg_str_copy(name + 2 * i, sizeof name - 2 * i, "a.");
	mg_str_copy(name + 254, 2, "a");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_int_equal(ask(names[i], false), MG_DNS_BAD_NAME);
	assert_int_equal(server.queries, 0);
}

static void any_byte_of_a_name_stands_for_itself(void **state)
{
	static const char *const names[] = {
		"a b", "\\065", "a\\", "\"", "(;)", "$@", "\xc3\xa9", "\x01\x7f\xff", "*"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char name[64];

		mg_str_format(name, sizeof name, "%s.example.org", names[i]);
		assert_int_equal(ask(name, false), MG_DNS_FOUND);
		pthread_mutex_lock(&server.lock);
		assert_int_equal(server.name[0], strlen(names[i]));
		assert_memory_equal(server.name + 1, names[i], strlen(names[i]));
		pthread_mutex_unlock(&server.lock);
	}
}

static void a_record_that_is_torn_is_none(void **state)
{
	(void)state;
	assert_int_equal(ask("torn.example.org", false), MG_DNS_FAILED);
	assert_int_equal(ask("a.example.org", false), MG_DNS_FOUND);
}

/* --- time --- */

static void a_question_to_a_dead_server_ends_by_its_deadline(void **state)
{
	int64_t begun = now();

	(void)state;
	assert_int_equal(
		ask_at(dns, "silent.example.org", false, begun + 100 * MG_MILLISECOND, text),
		MG_DNS_TIMEOUT);
	assert_true(now() - begun >= 100 * MG_MILLISECOND);
	assert_true(now() - begun < long_time);
}

static void a_question_to_a_dead_server_ends_by_the_setting(void **state)
{
	struct mg_dns *hasty = open_at(server.address, 100 * MG_MILLISECOND);
	int64_t begun = now();

	(void)state;
	assert_int_equal(ask_at(hasty, "silent.example.org", false, begun + long_time, text),
		MG_DNS_TIMEOUT);
	assert_true(now() - begun < long_time);
	mg_dns_close(hasty);
}

static void a_failure_is_told_and_not_asked_for_again_at_once(void **state)
{
	unsigned queries;

	(void)state;
	assert_int_equal(ask("servfail.example.org", false), MG_DNS_FAILED);
	queries = server.queries;
	assert_int_equal(ask("servfail.example.org", false), MG_DNS_FAILED);
	assert_int_equal(server.queries, queries);
}

static void an_answer_that_comes_too_late_is_kept_for_the_next(void **state)
{
	int64_t until = now() + long_time;

	(void)state;
	server.mute = true;
	assert_int_equal(ask_at(dns, "a.example.org", false, now() + 10 * MG_MILLISECOND, text),
		MG_DNS_TIMEOUT);
	server.mute = false;
	while (ask_at(dns, "a.example.org", false, 0, text) != MG_DNS_FOUND)
		assert_true(now() < until);
}

static void from_the_root_a_question_ends_by_its_deadline_too(void **state)
{
	struct mg_dns *recursive = open_at("recursive", long_time);
	int64_t begun = now();

	(void)state;
	/* Whatever comes of it: here there may be no network. */
	ask_at(recursive, "a.invalid", false, begun + 100 * MG_MILLISECOND, text);
	ask_at(recursive, "a.example.org", true, begun + 100 * MG_MILLISECOND, text);
	assert_true(now() - begun < long_time);
	mg_dns_close(recursive);
}

/* --- threads --- */

static _Atomic unsigned begun;

static void *ask_in_thread(void *answer)
{
	begun++;
	*(const struct mg_dns_answer **)answer =
		mg_dns_ask(dns, "a.example.org", MG_DNS_TXT, false, now() + long_time);
	return NULL;
}

static void fifty_threads_with_one_question_are_one_query(void **state)
{
	const struct timespec pause = {.tv_nsec = MG_MILLISECOND};
	const struct mg_dns_answer *answers[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	begun = 0;
	server.mute = true;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_in_thread, &answers[i]), 0);
	while (begun < THREADS)
		nanosleep(&pause, NULL);
	name_server_wait(&server, 1);
	server.mute = false;
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(answers[i]->status, MG_DNS_FOUND);
		/* A query repeated for want of an answer counts at the server: the one answer is
		 * what shows it. */
		assert_ptr_equal(answers[i], answers[0]);
	}
	for (size_t i = 0; i < THREADS; i++)
		mg_dns_release(dns, answers[i]);
}

static void closing_ends_questions_under_way(void **state)
{
	const struct mg_dns_answer *answer;
	pthread_t thread;

	(void)state;
	server.mute = true;
	assert_int_equal(pthread_create(&thread, NULL, ask_in_thread, &answer), 0);
	name_server_wait(&server, 1);
	mg_dns_close(dns);
	pthread_join(thread, NULL);
	assert_int_equal(answer->status, MG_DNS_FAILED);
	dns = open_at(server.address, long_time);
}

static unsigned entries(const char *path)
{
	DIR *directory = opendir(path);
	unsigned count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

static void before_the_first_question_nothing_is_started(void **state)
{
	unsigned tasks = entries("/proc/self/task"), files = entries("/proc/self/fd");
	struct mg_dns *idle = open_at("192.0.2.1", long_time);

	(void)state;
	assert_int_equal(ask_at(idle, "a..b", false, now() + long_time, text), MG_DNS_BAD_NAME);
	assert_int_equal(entries("/proc/self/task"), tasks);
	assert_int_equal(entries("/proc/self/fd"), files);
	mg_dns_close(idle);
}

static void threads_and_descriptors_go_with_the_resolver(void **state)
{
	unsigned tasks = entries("/proc/self/task"), files = entries("/proc/self/fd");

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct mg_dns *another = open_at(server.address, long_time - 1 - i);

		assert_int_equal(ask_at(another, "a.example.org", false, now() + long_time, text),
			MG_DNS_FOUND);
		assert_true(entries("/proc/self/task") > tasks);
		mg_dns_close(another);
		assert_int_equal(entries("/proc/self/task"), tasks);
		assert_int_equal(entries("/proc/self/fd"), files);
	}
}

static void a_hundred_thousand_questions_at_a_dead_server_leave_nothing(void **state)
{
	unsigned tasks = entries("/proc/self/task"), files = entries("/proc/self/fd");
	int64_t until = now() + long_time;

	(void)state;
	server.mute = true;
	for (int i = 0; i < MANY; i++) {
		char name[64];

		mg_str_format(name, sizeof name, "n%d.example.org", i);
		assert_int_not_equal(ask_at(dns, name, false, now() + 100000, text), MG_DNS_FOUND);
	}
	server.mute = false;
	while (ask("a.example.org", true) != MG_DNS_FOUND)
		assert_true(now() < until);
	mg_dns_close(dns);
	assert_int_equal(entries("/proc/self/task"), tasks);
	assert_int_equal(entries("/proc/self/fd"), files);
	dns = open_at(server.address, long_time);
}

static void a_trust_anchor_that_is_not_there_is_told(void **state)
{
	const struct mg_dns_live_settings settings = {
		.timeout = MG_SECOND, .dnssec = true, .trust_anchor = "/nowhere/root.key"};
	struct mg_error error;

	(void)state;
	assert_null(mg_dns_live(&settings, &error));
	assert_string_equal(
		error.text, "no trust anchor: /nowhere/root.key: No such file or directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_asked_for_once_and_then_kept),
		TEST(a_name_that_does_not_exist_is_kept_too),
		TEST(fresh_asks_anew_and_what_comes_is_kept),
		TEST(an_answer_is_asked_for_again_when_its_time_is_over),
		TEST(over_its_deadline_a_question_is_answered_by_what_is_kept),
		TEST(a_failure_takes_the_place_of_no_answer),
		TEST(equal_settings_share_what_is_kept_and_others_do_not),
		TEST(what_is_no_name_is_not_asked),
		TEST(any_byte_of_a_name_stands_for_itself),
		TEST(a_record_that_is_torn_is_none),
		TEST(a_question_to_a_dead_server_ends_by_its_deadline),
		TEST(a_question_to_a_dead_server_ends_by_the_setting),
		TEST(a_failure_is_told_and_not_asked_for_again_at_once),
		TEST(an_answer_that_comes_too_late_is_kept_for_the_next),
		TEST(from_the_root_a_question_ends_by_its_deadline_too),
		TEST(fifty_threads_with_one_question_are_one_query),
		TEST(closing_ends_questions_under_way),
		TEST(before_the_first_question_nothing_is_started),
		TEST(threads_and_descriptors_go_with_the_resolver),
		TEST(a_hundred_thousand_questions_at_a_dead_server_leave_nothing),
		TEST(a_trust_anchor_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
