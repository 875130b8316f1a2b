/* SPDX-License-Identifier: ISC */
/* The watchdog of the service manager is fed while a session can be served, and then only. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "driver.h"

enum { WATCHDOG_MS = 900 }; /* asked every 300 ms */
static const char nobody[] = "watchdog: no session can be served";

static void it_is_fed_while_sessions_are_served(void **state)
{
	(void)state;
	for (int passed_on = 0; passed_on < 2; passed_on++) {
		struct driver driver;

		driver_start_watched(&driver, "millgate-log", "", WATCHDOG_MS, passed_on != 0);
		for (int i = 0; i < 3; i++)
			driver_wait_notice(&driver, "WATCHDOG=1");
		assert_int_equal(driver_count_log(&driver, nobody), 0);
		assert_int_equal(
			driver_count_log(&driver, "ready: a socket that was passed on"), passed_on);
		driver_stop(&driver);
	}
}

/* A listening socket that nobody accepts at. */
static int listen_mutely(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(mg_str_copy(address.sun_path, sizeof(address.sun_path), path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, SOMAXCONN), 0);
	return fd;
}

/* Between two questions without an answer no notice came. */
static void assert_not_fed(const struct driver *driver)
{
	char text[512];

	driver_wait_log(driver, nobody, 1);
	while (driver_next_notice(driver, 0, text, sizeof(text)))
		;
	driver_wait_log(driver, nobody, 3);
	while (driver_next_notice(driver, 0, text, sizeof(text)))
		assert_null(strstr(text, "WATCHDOG=1"));
}

static void it_is_not_fed_while_nobody_answers_at_the_socket(void **state)
{
	(void)state;
	for (int mute = 0; mute < 2; mute++) {
		struct driver driver;
		char aside[128];
		int fd = -1;

		driver_start_watched(&driver, "millgate-log", "", WATCHDOG_MS, false);
		driver_wait_notice(&driver, "WATCHDOG=1");
		mg_str_format(aside, sizeof(aside), "%s.aside", driver.endpoint.path);
		assert_int_equal(rename(driver.endpoint.path, aside), 0);
		if (mute)
			fd = listen_mutely(driver.endpoint.path);
		assert_not_fed(&driver);
		assert_int_equal(rename(aside, driver.endpoint.path), 0);
		if (fd >= 0)
			close(fd);
		driver_wait_notice(&driver, "WATCHDOG=1");
		driver_stop(&driver);
	}
}

static void the_end_asks_no_more(void **state)
{
	struct driver driver;
	struct mg_client *client;

	(void)state;
	driver_start_watched(&driver, "millgate-log", "", WATCHDOG_MS, true);
	driver_wait_notice(&driver, "WATCHDOG=1");
	client = driver_connect(&driver);
	letter_until(client, LETTER_DATA, "4UNDERWAY");
	kill(driver.pid, SIGTERM);
	driver_wait_notice(&driver, "STOPPING=1");
	poll(NULL, 0, 3 * WATCHDOG_MS);
	assert_int_equal(mg_client_message(client, "A: b\n\nx\n", 8, 0), MG_ANSWER_CONTINUE);
	mg_client_close(client, true);
	assert_int_equal(driver_count_log(&driver, nobody), 0);
	driver_stop(&driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_fed_while_sessions_are_served),
		cmocka_unit_test(it_is_not_fed_while_nobody_answers_at_the_socket),
		cmocka_unit_test(the_end_asks_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
