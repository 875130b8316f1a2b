/* SPDX-License-Identifier: ISC */
/* What the native engine bounds: connections, packets, descriptors; and that a callback which waits
 * holds up no other session. On libmilter that is measured and told. */
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
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
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "driver.h"

static void start(struct driver *driver, const char *engine, const char *settings)
{
	const char *before = getenv("MILLGATE_ENGINE");

	setenv("MILLGATE_ENGINE", engine, 1);
	driver_start(driver, "millgate-probe", settings);
	if (before == NULL)
		unsetenv("MILLGATE_ENGINE");
	else
		setenv("MILLGATE_ENGINE", before, 1);
}

static int64_t now(void)
{
	return mg_clock_system.monotonic(&mg_clock_system);
}

/* Whether a message passes on a connection of its own. */
static bool passes(const struct driver *driver)
{
	struct mg_client *client = driver_connect(driver);
	enum mg_answer answer;

	letter_open(client, &(struct letter){0});
	answer = letter_send(client, &(struct letter){0});
	mg_client_close(client, true);
	return answer == MG_ANSWER_CONTINUE;
}

/* Waits for the end of a connection on which nothing may come. */
static void assert_closed(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	char byte;

	assert_int_equal(poll(&ready, 1, (int)(GENEROUS / MG_MILLISECOND)), 1);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
}

static void one_connection_over_the_bound_is_closed_and_told_once(void **state)
{
	enum { BOUND = 5, OVER = 20 };
	struct mg_client *clients[BOUND];
	struct driver driver;
	int before;

	(void)state;
	start(&driver, "native", "bounds { connections = 5 }");
	before = driver_descriptors(&driver);
	for (int i = 0; i < BOUND; i++)
		clients[i] = driver_connect(&driver);
	for (int i = 0; i < OVER; i++)
		assert_closed(driver_connect_raw(&driver));
	driver_wait_log(&driver, "bounds.connections", 1);
	assert_int_equal(driver_count_log(&driver, "connections are refused"), 1);
	/* Those that are open are served, and their places are free again after them. */
	for (int i = 0; i < BOUND; i++) {
		letter_until(clients[i], LETTER_EOM, "4BOUND");
		mg_client_close(clients[i], true);
	}
	assert_true(driver_wait_descriptors(&driver, before));
	assert_true(passes(&driver));
	driver_stop(&driver);
}

/* ns until the daemon closes a connection that negotiates. */
static int64_t refused_within(const struct driver *driver)
{
	static const unsigned char negotiation[] = {
		0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff};
	int64_t began = now();
	int fd = driver_connect_raw(driver);

	/* It may be closed already. */
	(void)send(fd, negotiation, sizeof(negotiation), MSG_NOSIGNAL);
	assert_closed(fd);
	return now() - began;
}

static void a_negotiation_over_the_bound_is_refused_while_the_others_stand(void **state)
{
	enum { BOUND = 3 };
	struct mg_client *clients[BOUND];
	struct driver driver;

	(void)state;
	start(&driver, "native", "bounds { connections = 3 }");
	for (int i = 0; i < BOUND; i++) {
		clients[i] = driver_connect(&driver);
		letter_until(clients[i], LETTER_BODY, "4STAND");
	}
	print_message("# a negotiation over bounds.connections is refused after %lld ms\n",
		(long long)(refused_within(&driver) / MG_MILLISECOND));
	for (int i = 0; i < BOUND; i++) {
		assert_int_equal(mg_client_eom(clients[i]), MG_ANSWER_CONTINUE);
		mg_client_close(clients[i], true);
	}
	driver_stop(&driver);
}

static void a_daemon_without_descriptors_serves_once_there_are_some(void **state)
{
	enum { OPEN = 40 };
	const struct rlimit few = {.rlim_cur = 32, .rlim_max = 1024};
	struct driver driver;
	int fds[OPEN];

	(void)state;
	start(&driver, "native", "");
	assert_int_equal(prlimit(driver.pid, RLIMIT_NOFILE, &few, NULL), 0);
	for (int i = 0; i < OPEN; i++)
		fds[i] = driver_connect_raw(&driver);
	driver_wait_log(&driver, "connections are refused: Too many open files", 1);
	for (int i = 0; i < OPEN; i++)
		close(fds[i]);
	assert_true(passes(&driver));
	assert_int_equal(driver_count_log(&driver, "connections are refused"), 1);
	driver_stop(&driver);
}

/* Sends a field whose packet has this length (command and data) in a message; true when the
 * session goes on. */
static bool takes_packet(const struct driver *driver, size_t length)
{
	struct mg_client *client = driver_connect(driver);
	struct mg_buf bytes = {0};
	char *data = calloc(1, length - 1);
	bool taken;

	assert_non_null(data);
	memset(data, 'x', length - 2);
	data[1] = '\0';
	letter_until(client, LETTER_DATA, "4PACKET");
	mg_wire_put(&bytes, MG_WIRE_HEADER, data, length - 1);
	mg_client_raw(client, bytes.data, bytes.length);
	taken = mg_client_eoh(client) != MG_ANSWER_LOST &&
		mg_client_body(client, "x", 1) != MG_ANSWER_LOST &&
		mg_client_eom(client) != MG_ANSWER_LOST;
	mg_client_close(client, taken);
	mg_buf_free(&bytes);
	free(data);
	return taken;
}

static void a_packet_of_a_mebibyte_is_taken_and_one_byte_more_ends_its_connection(void **state)
{
	struct driver driver;

	(void)state;
	start(&driver, "native", "");
	assert_true(takes_packet(&driver, MG_WIRE_PACKET_MAX));
	assert_false(takes_packet(&driver, MG_WIRE_PACKET_MAX + 1));
	assert_true(passes(&driver));
	driver_stop(&driver);
}

/* --- one that waits --- */

enum { OTHERS = 9, WAITING_MAX = 10 };

struct session {
	const struct driver *driver;
	_Atomic bool *answered; /* one that waits */
	pthread_t thread;
	bool passed, before; /* the answer of one that waits */
	int64_t took; /* ns */
};

static void *run_other(void *argument)
{
	struct session *session = argument;
	int64_t began = now();
	struct mg_client *client = mg_client_open(&session->driver->endpoint, 0, 0, GENEROUS, NULL);

	if (client == NULL)
		return NULL;
	letter_open(client, &(struct letter){0});
	session->passed = letter_send(client, &(struct letter){0}) == MG_ANSWER_CONTINUE;
	session->before = !*session->answered;
	session->took = now() - began;
	mg_client_close(client, true);
	return NULL;
}

/* Waits until the daemon has read all that was sent to it. */
static void wait_until_read(int fd)
{
	int unread = 1;

	for (int64_t deadline = now() + GENEROUS; unread > 0; poll(NULL, 0, 1)) {
		assert_int_equal(ioctl(fd, SIOCOUTQ, &unread), 0);
		assert_true(now() < deadline);
	}
}

/* Sessions whose callback waits 3 s. On libmilter some of them may wait for others before. */
static void begin_waiting(
	const struct driver *driver, struct mg_client *clients[], size_t count, bool all_are_read)
{
	int fds[WAITING_MAX];

	for (size_t i = 0; i < count; i++) {
		fds[i] = driver_connect_raw(driver);
		clients[i] = mg_client_open_fd(fds[i], 0, 0, GENEROUS, NULL);
		assert_non_null(clients[i]);
		letter_until(clients[i], LETTER_DATA, "4BLOCKED");
	}
	for (size_t i = 0; i < count; i++) {
		mg_client_header(clients[i], "X-Probe", " wait 3000");
		mg_client_raw(clients[i], "", 0);
	}
	for (size_t i = 0; i < (all_are_read ? count : 1); i++)
		wait_until_read(fds[i]);
}

static void end_waiting(struct mg_client *clients[], size_t count, _Atomic bool *answered)
{
	for (size_t i = 0; i < count; i++) {
		mg_client_eoh(clients[i]);
		assert_int_equal(mg_client_eom(clients[i]), MG_ANSWER_CONTINUE);
		*answered = true;
		mg_client_close(clients[i], true);
	}
}

/* How long the longest took, ns. */
struct longest {
	int64_t of_others, of_waiting;
};

/* How many of nine sessions were through before the first of those whose callback waits 3 s. */
static int count_unhindered(const char *engine, size_t waiting, struct longest *longest)
{
	int64_t began;
	struct mg_client *clients[WAITING_MAX];
	_Atomic bool answered = false;
	struct session others[OTHERS];
	struct driver driver;
	int unhindered = 0;

	start(&driver, engine, "");
	began = now();
	begin_waiting(&driver, clients, waiting, strcmp(engine, "native") == 0);
	for (int i = 0; i < OTHERS; i++) {
		others[i] = (struct session){.driver = &driver, .answered = &answered};
		assert_int_equal(pthread_create(&others[i].thread, NULL, run_other, &others[i]), 0);
	}
	end_waiting(clients, waiting, &answered);
	*longest = (struct longest){.of_waiting = now() - began};
	for (int i = 0; i < OTHERS; i++) {
		pthread_join(others[i].thread, NULL);
		assert_true(others[i].passed);
		unhindered += others[i].before;
		if (others[i].took > longest->of_others)
			longest->of_others = others[i].took;
	}
	driver_stop(&driver);
	return unhindered;
}

static void tell_longest(const char *engine, size_t waiting, const struct longest *longest)
{
	print_message(
		"# %s, %zu blocked for 3,000 ms: the slowest of nine others took %lld ms, of the "
		"blocked %lld ms\n",
		engine, waiting, (long long)(longest->of_others / MG_MILLISECOND),
		(long long)(longest->of_waiting / MG_MILLISECOND));
}

static void callbacks_that_wait_hold_up_no_other_session(void **state)
{
	static const size_t waiting[] = {1, WAITING_MAX};
	struct longest longest;

	(void)state;
	for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++) {
		assert_int_equal(count_unhindered("native", waiting[i], &longest), OTHERS);
		tell_longest("native", waiting[i], &longest);
		count_unhindered("libmilter", waiting[i], &longest);
		tell_longest("libmilter", waiting[i], &longest);
	}
}

/* --- both families --- */

static bool has_ipv6(void)
{
	const struct sockaddr_in6 address = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

static void localhost_is_served_on_both_families(void **state)
{
	static const char *const addresses[] = {"127.0.0.1", "::1"};
	struct sockaddr_in free_port = {.sin_family = AF_INET};
	socklen_t length = sizeof(free_port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct driver driver;
	char settings[64];

	(void)state;
	free_port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (const struct sockaddr *)&free_port, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&free_port, &length), 0);
	close(fd);
	mg_str_format(settings, sizeof(settings), "socket = \"inet:%d@localhost\"",
		ntohs(free_port.sin_port));
	start(&driver, "native", settings);
	for (size_t i = 0; i < (has_ipv6() ? 2 : 1); i++) {
		driver.endpoint = (struct mg_endpoint){
			.kind = MG_ENDPOINT_INET, .port = ntohs(free_port.sin_port)};
		mg_str_copy(driver.endpoint.host, sizeof(driver.endpoint.host), addresses[i]);
		assert_true(passes(&driver));
	}
	driver_stop(&driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_connection_over_the_bound_is_closed_and_told_once),
		cmocka_unit_test(a_negotiation_over_the_bound_is_refused_while_the_others_stand),
		cmocka_unit_test(a_daemon_without_descriptors_serves_once_there_are_some),
		cmocka_unit_test(
			a_packet_of_a_mebibyte_is_taken_and_one_byte_more_ends_its_connection),
		cmocka_unit_test(callbacks_that_wait_hold_up_no_other_session),
		cmocka_unit_test(localhost_is_served_on_both_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
