/* SPDX-License-Identifier: ISC */
/* How long the native front waits for a peer. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "run/native_connection.h"
#include "run/session.h"
#include "run/settings.h"
#include "run/wire.h"

/* So long that a test which waits for it has failed. */
#define NEVER (3600 * MG_SECOND)
#define SOON (20 * MG_MILLISECOND)
enum { GENEROUS_MS = 60000, BODY_CHUNKS = 100 };

/* --- a filter that answers with more than a socket's buffer takes --- */

static long read_body(void *source, unsigned char *target, size_t size)
{
	int *left = source;

	memset(target, 'x', size);
	return *left > 0 && (*left)-- > 0 ? (long)size : 0;
}

static int chunks_left;

static void large_eom(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)verdict;
	chunks_left = BODY_CHUNKS;
	mg_replace_body(call, read_body, &chunks_left);
}

static const struct mg_filter large = {.name = "large", .edits = MG_EDIT_BODY, .eom = large_eom};

/* --- a connection, served by a thread --- */

struct place {
	struct mg_host host;
	struct mg_hosted hosted;
	struct mg_native_timeouts timeouts;
	int ends[2]; /* ours, the front's */
	pthread_t thread;
};

static void *serve(void *argument)
{
	struct place *place = argument;

	mg_native_serve(&place->host, place->ends[1], true, &place->timeouts);
	return NULL;
}

static void begin(struct place *place, struct mg_native_timeouts timeouts)
{
	static const struct mg_filter *const filters[] = {&large};
	static const char *const overrides[] = {NULL};
	struct mg_errors errors = {0};

	memset(place, 0, sizeof(*place));
	place->timeouts = timeouts;
	place->hosted = (struct mg_hosted){.filter = &large, .overrides = overrides};
	mg_str_copy(place->hosted.program, sizeof(place->hosted.program), "millgate-test");
	assert_true(mg_settings_options(&large, place->hosted.tables));
	place->host.clock = &mg_clock_system;
	place->host.metrics = mg_metrics_new(mg_host_metrics);
	place->host.memory.limit = SIZE_MAX;
	mg_plan_make(&place->host.plan, filters, 1);
	pthread_mutex_init(&place->host.snapshots.lock, NULL);
	place->host.snapshots.current =
		mg_snapshot_load(NULL, &place->hosted, 1, &mg_clock_system, &errors);
	assert_non_null(place->host.snapshots.current);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, place->ends), 0);
	assert_int_equal(pthread_create(&place->thread, NULL, serve, place), 0);
}

/* The front must end the connection by itself. */
static void assert_ends(struct place *place)
{
	struct pollfd hung_up = {.fd = place->ends[0]};

	assert_int_equal(poll(&hung_up, 1, GENEROUS_MS), 1);
	assert_true((hung_up.revents & POLLHUP) != 0);
	pthread_join(place->thread, NULL);
	close(place->ends[0]);
	assert_int_equal(place->host.sessions, 0);
	assert_int_equal(place->host.messages, 0);
	mg_snapshot_release(place->host.snapshots.current);
	mg_metrics_free(place->host.metrics);
	pthread_mutex_destroy(&place->host.snapshots.lock);
	mg_settings_options_free(place->hosted.tables);
}

static void send_packet(struct place *place, char command, const char *data, size_t length)
{
	struct mg_buf bytes = {0};

	mg_wire_put(&bytes, command, data, length);
	assert_int_equal(
		send(place->ends[0], bytes.data, bytes.length, MSG_NOSIGNAL), bytes.length);
	mg_buf_free(&bytes);
}

static void negotiate(struct place *place)
{
	const struct mg_wire_options offer = {
		.version = MG_WIRE_VERSION, .actions = 0x1ff, .protocol = 0x1fffff};
	struct pollfd ready = {.fd = place->ends[0], .events = POLLIN};
	struct mg_buf bytes = {0};
	char answer[4096];

	mg_wire_put_options(&bytes, &offer);
	assert_int_equal(
		send(place->ends[0], bytes.data, bytes.length, MSG_NOSIGNAL), bytes.length);
	mg_buf_free(&bytes);
	assert_int_equal(poll(&ready, 1, GENEROUS_MS), 1);
	assert_true(recv(place->ends[0], answer, sizeof(answer), 0) > 5);
	assert_int_equal(answer[4], MG_WIRE_OPTIONS);
}

static void who_says_nothing_has_the_time_of_negotiation(void **state)
{
	struct place place;

	(void)state;
	begin(&place, (struct mg_native_timeouts){SOON, NEVER, NEVER});
	assert_ends(&place);
}

static void half_a_negotiation_has_the_time_of_negotiation(void **state)
{
	struct place place;

	(void)state;
	begin(&place, (struct mg_native_timeouts){SOON, NEVER, NEVER});
	assert_int_equal(send(place.ends[0], "\0\0\0\015O\0\0\0\6", 9, MSG_NOSIGNAL), 9);
	assert_ends(&place);
}

static void half_a_packet_has_the_time_of_a_packet(void **state)
{
	struct place place;

	(void)state;
	begin(&place, (struct mg_native_timeouts){NEVER, SOON, NEVER});
	negotiate(&place);
	assert_int_equal(send(place.ends[0], "\0\0\0\011H", 5, MSG_NOSIGNAL), 5);
	assert_ends(&place);
}

static void who_is_idle_has_the_time_between_packets(void **state)
{
	struct place place;

	(void)state;
	begin(&place, (struct mg_native_timeouts){NEVER, NEVER, SOON});
	negotiate(&place);
	assert_ends(&place);
}

static void who_reads_no_answer_has_the_time_of_a_packet(void **state)
{
	struct place place;

	(void)state;
	begin(&place, (struct mg_native_timeouts){NEVER, SOON, NEVER});
	negotiate(&place);
	send_packet(&place, MG_WIRE_MAIL, "<>", 3);
	send_packet(&place, MG_WIRE_RCPT, "<a@example.net>", 16);
	send_packet(&place, MG_WIRE_BODY_END, "", 0);
	assert_ends(&place);
	assert_true(chunks_left > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_says_nothing_has_the_time_of_negotiation),
		cmocka_unit_test(half_a_negotiation_has_the_time_of_negotiation),
		cmocka_unit_test(half_a_packet_has_the_time_of_a_packet),
		cmocka_unit_test(who_is_idle_has_the_time_between_packets),
		cmocka_unit_test(who_reads_no_answer_has_the_time_of_a_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
