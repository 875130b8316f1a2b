/* SPDX-License-Identifier: ISC */
/* Peers that do not speak the protocol, or stop in the middle of a word: they get nothing, cost
 * nothing that lasts, and do not fill the log. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "driver.h"

struct greeting {
	const char *name, *bytes;
	size_t length;
	bool stops; /* in the middle of a packet */
};
#define GREETING(name, bytes) \
	{ \
		(name), (bytes), sizeof(bytes) - 1, false \
	}
#define STOPS(name, bytes) \
	{ \
		(name), (bytes), sizeof(bytes) - 1, true \
	}

static const struct greeting greetings[] = {
	GREETING("connect and close", ""),
	STOPS("HTTP", "GET / HTTP/1.1\r\nHost: mail.example.org\r\n\r\n"),
	STOPS("clamd", "zPING\0nSTATS\nzINSTREAM\0\0\0\0\4test\0\0\0\0"),
	STOPS("SMTP", "EHLO client.example.org\r\nMAIL FROM:<>\r\nQUIT\r\n"),
	STOPS("TLS", "\026\003\001\002\0\001\0\001\374\003\003random bytes of a client"),
	STOPS("one byte", "\0"),
	STOPS("half a negotiation", "\0\0\0\015O\0\0\0\6\0\0"),
	STOPS("a negotiation cut before its last byte", "\0\0\0\015O\0\0\0\6\0\0\1\377\0\037\377"),
	GREETING("a short negotiation", "\0\0\0\5O\0\0\0\6"),
	GREETING("a negotiation of version 1", "\0\0\0\015O\0\0\0\1\0\0\0\0\0\0\0\0"),
	GREETING("a packet of 4 GiB", "\377\377\377\377O"),
	GREETING("a packet of 2 GiB", "\200\0\0\0B"),
	GREETING("a packet without a command", "\0\0\0\0"),
	GREETING("an unknown command", "\0\0\0\1Z"),
	GREETING("steps without negotiation", "\0\0\0\4M<>\0\0\0\0\4R<>\0\0\0\0\1E"),
	GREETING("quit", "\0\0\0\1Q"),
	GREETING("negotiation, then HTTP",
		"\0\0\0\015O\0\0\0\6\0\0\1\377\0\037\377\377GET / HTTP/1.1\r\n\r\n"),
	GREETING("negotiation twice", "\0\0\0\015O\0\0\0\6\0\0\1\377\0\037\377\377"
				      "\0\0\0\015O\0\0\0\6\0\0\1\377\0\037\377\377"),
};
enum { GREETINGS = sizeof(greetings) / sizeof(greetings[0]) };

static void assert_serves(const struct driver *driver)
{
	struct mg_client *client = driver_connect(driver);
	size_t before = driver_count_events(driver, "message-accepted", NULL);

	letter_open(client, &(struct letter){0});
	assert_int_equal(letter_send(client, &(struct letter){0}), MG_ANSWER_CONTINUE);
	mg_client_close(client, true);
	assert_int_equal(driver_count_events(driver, "message-accepted", NULL), before + 1);
}

static void greet(const struct driver *driver, const struct greeting *greeting)
{
	int fd = driver_connect_raw(driver);

	if (greeting->length > 0)
		(void)!send(fd, greeting->bytes, greeting->length, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	close(fd);
}

static void after_each_stranger_the_next_session_is_served(void **state)
{
	const struct driver *driver = *state;

	for (size_t i = 0; i < GREETINGS; i++) {
		greet(driver, &greetings[i]);
		assert_serves(driver);
	}
}

static void strangers_leave_no_descriptors(void **state)
{
	const struct driver *driver = *state;
	int before;

	assert_serves(driver);
	before = driver_descriptors(driver);
	for (size_t i = 0; i < GREETINGS * 10; i++)
		greet(driver, &greetings[i % GREETINGS]);
	assert_true(driver_wait_descriptors(driver, before));
	assert_serves(driver);
}

static void strangers_who_stay_do_not_hold_up_others(void **state)
{
	const struct driver *driver = *state;
	const char *engine = getenv("MILLGATE_ENGINE");
	bool native = engine == NULL || strcmp(engine, "libmilter") != 0;
	int before = driver_descriptors(driver), fds[GREETINGS];

	for (size_t i = 0; i < GREETINGS; i++) {
		fds[i] = driver_connect_raw(driver);
		/* libmilter gives a worker to a packet until it is whole, and the sessions that were
		 * promised to that worker wait. */
		if (greetings[i].length > 0 && (native || !greetings[i].stops))
			(void)!send(fds[i], greetings[i].bytes, greetings[i].length, MSG_NOSIGNAL);
	}
	assert_serves(driver);
	for (size_t i = 0; i < GREETINGS; i++)
		close(fds[i]);
	assert_true(driver_wait_descriptors(driver, before));
}

static void a_packet_that_is_too_long_ends_its_connection(void **state)
{
	static const char length[] = "\377\377\377\377O";
	const struct driver *driver = *state;
	int fd = driver_connect_raw(driver);
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char byte;

	assert_int_equal(send(fd, length, 5, MSG_NOSIGNAL), 5);
	assert_int_equal(poll(&ready, 1, (int)(GENEROUS / MG_MILLISECOND)), 1);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
}

static void strangers_do_not_flood_the_log(void **state)
{
	enum { ROUNDS = 100 };
	const struct driver *driver = *state;
	int descriptors = driver_descriptors(driver);
	size_t before = driver_log_lines(driver), lines;

	for (size_t i = 0; i < (size_t)GREETINGS * ROUNDS; i++)
		greet(driver, &greetings[i % GREETINGS]);
	assert_true(driver_wait_descriptors(driver, descriptors));
	lines = driver_log_lines(driver) - before;
	/* A line a connection would be a flood. */
	if (lines > GREETINGS * ROUNDS / 10)
		fail_msg("%zu lines for %d connections", lines, GREETINGS * ROUNDS);
}

static void the_probe_of_the_client_is_answered_and_recorded_nowhere(void **state)
{
	const struct driver *driver = *state;
	size_t before = driver_count_events(driver, "message-accepted", NULL);
	struct mg_error error = {""};

	assert_int_equal(mg_client_probe(&driver->endpoint, GENEROUS, &error), 0);
	assert_int_equal(driver_count_events(driver, "message-accepted", NULL), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_each_stranger_the_next_session_is_served),
		cmocka_unit_test(strangers_leave_no_descriptors),
		cmocka_unit_test(strangers_who_stay_do_not_hold_up_others),
		cmocka_unit_test(a_packet_that_is_too_long_ends_its_connection),
		cmocka_unit_test(strangers_do_not_flood_the_log),
		cmocka_unit_test(the_probe_of_the_client_is_answered_and_recorded_nowhere),
	};

	return cmocka_run_group_tests(tests, driver_setup_log, driver_teardown);
}
