/* SPDX-License-Identifier: ISC */
/* The bytes of a session, cut anywhere on their way, are answered and recorded alike. */
#include <linux/sockios.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "driver.h"

static const char queue_id[] = "4SPLIT";

/* A step of the stream; declined: the flag by which it is not sent. */
struct part {
	uint32_t declined;
	char command;
	const char *data;
	size_t length;
};
#define PART(flag, letter, text) \
	{ \
		(flag), (letter), (text), sizeof(text) - 1 \
	}

static const struct part parts[] = {
	PART(0, MG_WIRE_MACRO, "Cj\0mx.example.org\0"),
	PART(MG_WIRE_NO_CONNECT, MG_WIRE_CONNECT, "client.example.org\0004\231\044203.0.113.5\0"),
	PART(MG_WIRE_NO_HELO, MG_WIRE_HELO, "client.example.org\0"),
	PART(0, MG_WIRE_MACRO, "M{client_addr}\000203.0.113.5\0{client_port}\00039204\0"),
	PART(MG_WIRE_NO_MAIL, MG_WIRE_MAIL, "<sender@example.org>\0SIZE=100\0"),
	PART(MG_WIRE_NO_RCPT, MG_WIRE_RCPT, "<recipient@example.net>\0"),
	PART(0, MG_WIRE_MACRO, "Ti\0004SPLIT\0"),
	PART(MG_WIRE_NO_DATA, MG_WIRE_DATA, ""),
	PART(MG_WIRE_NO_HEADERS, MG_WIRE_HEADER, "Subject\0 one\n\ttwo\0"),
	PART(0, MG_WIRE_MACRO, "Ni\0004SPLIT\0"),
	PART(MG_WIRE_NO_EOH, MG_WIRE_HEADER_END, ""),
	PART(MG_WIRE_NO_BODY, MG_WIRE_BODY, "first\r\n"),
	PART(MG_WIRE_NO_BODY, MG_WIRE_BODY, "second\r\n"),
	PART(0, MG_WIRE_MACRO, "Ei\0004SPLIT\0"),
	PART(0, MG_WIRE_BODY_END, ""),
	PART(0, MG_WIRE_QUIT, ""),
};

/* The stream of a session with this daemon, from negotiation to QUIT. */
static void make_stream(const struct driver *driver, struct mg_buf *stream)
{
	const struct mg_wire_options offer = {.version = MG_WIRE_VERSION,
		.actions = MG_CLIENT_ACTIONS,
		.protocol = MG_CLIENT_PROTOCOL};
	struct mg_client *client = driver_connect(driver);
	uint32_t protocol = mg_client_options(client)->protocol;

	mg_client_close(client, true);
	mg_wire_put_options(stream, &offer);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if ((protocol & parts[i].declined) == 0)
			mg_wire_put(stream, parts[i].command, parts[i].data, parts[i].length);
	assert_false(stream->failed);
}

/* Waits until the daemon has read all that was sent to it. */
static void wait_until_read(int fd)
{
	int64_t deadline = mg_clock_system.monotonic(&mg_clock_system) + GENEROUS;
	int unread = 0;

	while (ioctl(fd, SIOCOUTQ, &unread) == 0 && unread > 0) {
		if (mg_clock_system.monotonic(&mg_clock_system) > deadline)
			fail_msg("%d bytes are not read", unread);
		poll(NULL, 0, 0);
	}
}

static void send_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		assert_true(sent > 0);
		bytes += sent;
		length -= (size_t)sent;
	}
}

/* Everything that the daemon answers, until it closes. */
static void read_all(int fd, struct mg_buf *answers)
{
	char bytes[4096];

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		ssize_t length;

		if (poll(&ready, 1, (int)(GENEROUS / MG_MILLISECOND)) <= 0)
			fail_msg("the daemon neither answers nor closes");
		length = recv(fd, bytes, sizeof(bytes), 0);
		if (length <= 0)
			break;
		mg_buf_add(answers, bytes, (size_t)length);
	}
	assert_false(answers->failed);
}

/* The answers to the stream, sent in pieces of `first` bytes, then of `then` bytes each. */
static void run_stream(const struct driver *driver, const struct mg_buf *stream, size_t first,
	size_t then, struct mg_buf *answers)
{
	int fd = driver_connect_raw(driver);
	size_t sent = 0, piece = first;

	while (sent < stream->length) {
		if (piece > stream->length - sent)
			piece = stream->length - sent;
		send_all(fd, stream->data + sent, piece);
		sent += piece;
		piece = then;
		if (sent < stream->length)
			wait_until_read(fd);
	}
	read_all(fd, answers);
	close(fd);
}

static void forget(json_t *object, const char *section, const char *name)
{
	json_object_del(section != NULL ? json_object_get(object, section) : object, name);
}

/* The events without what differs from one to the next. */
static void assert_events_alike(const struct driver *driver, size_t expected)
{
	static const char *const different[] = {
		"id", "sequence", "hash", "duration", "start", "end", "created"};
	json_t *events = driver_events(driver, "message-accepted", queue_id);
	json_t *first = NULL;

	assert_int_equal(json_array_size(events), expected);
	for (size_t i = 0; i < expected; i++) {
		json_t *event = json_array_get(events, i);

		forget(event, NULL, "@timestamp");
		for (size_t j = 0; j < sizeof(different) / sizeof(different[0]); j++)
			forget(event, "event", different[j]);
		if (first == NULL)
			first = event;
		assert_true(json_equal(first, event));
	}
	json_decref(events);
}

static void a_session_split_at_any_byte_has_the_same_answers_and_events(void **state)
{
	const struct driver *driver = *state;
	struct mg_buf stream = {0}, whole = {0}, answers = {0};

	make_stream(driver, &stream);
	run_stream(driver, &stream, stream.length, 0, &whole);
	assert_true(whole.length > 17);
	for (size_t cut = 1; cut < stream.length; cut++) {
		mg_buf_reset(&answers);
		run_stream(driver, &stream, cut, stream.length, &answers);
		if (answers.length != whole.length ||
			memcmp(answers.data, whole.data, whole.length) != 0)
			fail_msg("split at %zu: %zu bytes of answers, not %zu", cut, answers.length,
				whole.length);
	}
	assert_events_alike(driver, stream.length);
	mg_buf_free(&stream);
	mg_buf_free(&whole);
	mg_buf_free(&answers);
}

static void a_session_sent_byte_by_byte_has_the_same_answers(void **state)
{
	const struct driver *driver = *state;
	struct mg_buf stream = {0}, whole = {0}, answers = {0};

	make_stream(driver, &stream);
	run_stream(driver, &stream, stream.length, 0, &whole);
	run_stream(driver, &stream, 1, 1, &answers);
	assert_int_equal(answers.length, whole.length);
	assert_memory_equal(answers.data, whole.data, whole.length);
	mg_buf_free(&stream);
	mg_buf_free(&whole);
	mg_buf_free(&answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_split_at_any_byte_has_the_same_answers_and_events),
		cmocka_unit_test(a_session_sent_byte_by_byte_has_the_same_answers),
	};

	return cmocka_run_group_tests(tests, driver_setup_log, driver_teardown);
}
