/* SPDX-License-Identifier: ISC */
#include "name_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { HEADER = 12, PACKET = 1500, TTL = 60, GENEROUS_MS = 60000, PAUSE_MS = 2 };

static bool begins(const uint8_t *label, const char *word)
{
	size_t length = strlen(word);

	return label[0] >= length && memcmp(label + 1, word, length) == 0;
}

/* The end of the question that begins at HEADER; 0 when there is none. */
static size_t question_end(const uint8_t *packet, size_t length)
{
	size_t at = HEADER;

	while (at < length && packet[at] != 0)
		at += (size_t)packet[at] + 1;
	return at + 5 <= length ? at + 5 : 0;
}

/* Makes the answer of the query in packet; its length. */
static size_t answer(uint8_t *packet, size_t end, unsigned number)
{
	const uint8_t *label = packet + HEADER;
	char text[16];
	size_t length = (size_t)snprintf(text, sizeof text, "%u", number);
	uint8_t record[] = {0xc0, HEADER, 0, 16, 0, 1, 0, 0, 0, begins(label, "short") ? 1 : TTL, 0,
		(uint8_t)(length + 1), (uint8_t)length};

	if (begins(label, "torn"))
		record[12]++;
	packet[2] = 0x85; /* an answer, with authority; recursion was desired */
	packet[3] = 0x80; /* and is there */
	memset(packet + 6, 0, 6);
	if (begins(label, "servfail"))
		packet[3] |= 2;
	if (begins(label, "none"))
		packet[3] |= 3;
	if ((packet[3] & 15) != 0)
		return end;
	packet[7] = 1;
	memcpy(packet + end, record, sizeof record);
	memcpy(packet + end + sizeof record, text, length);
	return end + sizeof record + length;
}

static void *serve(void *argument)
{
	struct name_server *server = argument;
	struct pollfd fds[] = {
		{.fd = server->socket, .events = POLLIN}, {.fd = server->end[0], .events = POLLIN}};
	uint8_t packet[PACKET + 64];
	struct sockaddr_in client;

	for (;;) {
		socklen_t size = sizeof client;
		ssize_t length;
		size_t end;

		poll(fds, 2, -1);
		if (fds[1].revents != 0)
			return NULL;
		length = recvfrom(server->socket, packet, PACKET, MSG_DONTWAIT,
			(struct sockaddr *)&client, &size);
		end = length > HEADER ? question_end(packet, (size_t)length) : 0;
		if (end == 0)
			continue;
		pthread_mutex_lock(&server->lock);
		memcpy(server->name, packet + HEADER, end - HEADER - 4);
		pthread_mutex_unlock(&server->lock);
		server->queries++;
		if (server->mute || begins(packet + HEADER, "silent"))
			continue;
		end = answer(packet, end, server->queries);
		sendto(server->socket, packet, end, 0, (struct sockaddr *)&client, size);
	}
}

void name_server_start(struct name_server *server)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;

	memset(server, 0, sizeof *server);
	pthread_mutex_init(&server->lock, NULL);
	server->socket = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(server->socket, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(server->socket, (struct sockaddr *)&address, &size), 0);
	snprintf(server->address, sizeof server->address, "127.0.0.1@%u", ntohs(address.sin_port));
	assert_int_equal(pipe(server->end), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

void name_server_stop(struct name_server *server)
{
	close(server->end[1]);
	pthread_join(server->thread, NULL);
	close(server->end[0]);
	close(server->socket);
	pthread_mutex_destroy(&server->lock);
}

void name_server_wait(struct name_server *server, unsigned queries)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

	for (int waited = 0; server->queries < queries; waited += PAUSE_MS) {
		assert_true(waited < GENEROUS_MS);
		nanosleep(&pause, NULL);
	}
}
