/* SPDX-License-Identifier: ISC */
/* bare SOCKET OPTIONS: the limit of a milter: takes the bytes of an MTA and answers negotiation,
 * MAIL and end of message, and does nothing else: a thread a connection, a read for what has come,
 * a write an answer. OPTIONS: the answer to a negotiation, in hex, as a daemon gave it. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "run/wire.h"

enum { BUFFER_SIZE = 128 * 1024, OPTIONS_MAX = 4096, STACK_SIZE = 256 * 1024 };

static unsigned char options[OPTIONS_MAX];
static size_t options_length;
static const unsigned char proceed[] = {0, 0, 0, 1, MG_REPLY_CONTINUE};

static bool answer(int fd, unsigned char command)
{
	if (command == MG_WIRE_OPTIONS)
		return write(fd, options, options_length) == (ssize_t)options_length;
	if (command == MG_WIRE_MAIL || command == MG_WIRE_BODY_END)
		return write(fd, proceed, sizeof(proceed)) == (ssize_t)sizeof(proceed);
	return command != MG_WIRE_QUIT;
}

static size_t packet_size(const unsigned char *bytes)
{
	return 4 + ((size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 |
			   (size_t)bytes[3]);
}

static void *serve(void *argument)
{
	int fd = *(int *)argument;
	unsigned char *buffer = malloc(BUFFER_SIZE);
	size_t have = 0;
	ssize_t got = 0;
	bool going = buffer != NULL;

	free(argument);
	while (going && (got = read(fd, buffer + have, BUFFER_SIZE - have)) > 0) {
		size_t at = 0;

		have += (size_t)got;
		while (going && have - at > 4 && have - at >= packet_size(buffer + at)) {
			size_t size = packet_size(buffer + at);

			going = answer(fd, buffer[at + 4]);
			at += size;
		}
		memmove(buffer, buffer + at, have - at);
		have -= at;
	}
	close(fd);
	free(buffer);
	return NULL;
}

static bool read_options(const char *hex)
{
	unsigned byte;

	for (; options_length < OPTIONS_MAX && sscanf(hex, "%2x", &byte) == 1; hex += 2) {
		options[options_length++] = (unsigned char)byte;
		if (hex[1] == '\0')
			return false;
	}
	return options_length > 0 && *hex == '\0';
}

static void serve_all(int listener)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int fd;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		int *argument = malloc(sizeof(fd));

		if (argument != NULL)
			*argument = fd;
		if (argument == NULL ||
			pthread_create(&thread, &attributes, serve, argument) != 0) {
			free(argument);
			close(fd);
		}
	}
	pthread_attr_destroy(&attributes);
}

int main(int argc, char **argv)
{
	struct mg_endpoint endpoint;
	struct mg_error error = {""};
	int fds[MG_LISTEN_MAX];

	if (argc != 3 || !read_options(argv[2])) {
		fputs("usage: bare SOCKET OPTIONS\n", stderr);
		return 64;
	}
	if (!mg_endpoint_parse(argv[1], &endpoint, &error) ||
		mg_listen(&endpoint, 0600, fds, &error) != 1) {
		fprintf(stderr, "bare: %s\n", error.text);
		return 69;
	}
	puts("listening");
	fflush(stdout);
	/* mg_listen gives one that does not wait. */
	if (fcntl(fds[0], F_SETFL, 0) == 0)
		serve_all(fds[0]);
	perror("bare");
	return 69;
}
