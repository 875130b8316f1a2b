/* SPDX-License-Identifier: ISC */
/* load: mail for a daemon, as Postfix would bring it, over several connections at once.
 *
 *	load SOCKET CONNECTIONS MESSAGES EACH SIZE [FIELD]
 *	                                              MESSAGES in all, EACH on a connection, then a
 *	                                              new one; prints the seconds it took. FIELD:
 *	                                              of that name each message gets one
 *	load SOCKET CONNECTIONS stand SIZE            brings every connection to the middle of a
 *	                                              message, prints "standing", and leaves when its
 *	                                              standard input ends
 *
 * A message has SIZE bytes. Exit 1 when one was refused or lost, or did not get FIELD. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "run/client.h"

static const int64_t answer_timeout = 60 * MG_SECOND;
enum {
	STACK_SIZE = 256 * 1024,
	CONNECTIONS_MAX = 10000,
	MESSAGE_MIN = 1024,
	MESSAGE_MAX = 1 << 26
};

static const char header[] =
	"Received: from client.example.org (client.example.org [203.0.113.5])\n"
	"\tby mx.example.org (Postfix) with ESMTPS id 4bQx1v0Zz9z9tXX\n"
	"\tfor <recipient@example.net>; Wed, 25 Nov 2026 10:00:00 +0000 (UTC)\n"
	"Date: Wed, 25 Nov 2026 10:00:00 +0000\n"
	"From: Ada Example <sender@example.org>\n"
	"To: recipient@example.net\n"
	"Subject: The numbers of the third quarter\n"
	"Message-ID: <20261125100000.4711@client.example.org>\n"
	"MIME-Version: 1.0\n"
	"Content-Type: text/plain; charset=utf-8\n"
	"\n";
static const char line[] = "The quick brown fox jumps over the lazy dog, and the dog sleeps on.\n";

static struct {
	struct mg_endpoint endpoint;
	char *message;
	size_t size, each;
	const char *field; /* that the filter adds; NULL: whatever it does */
	_Atomic long left; /* messages to be sent */
	_Atomic unsigned long sent; /* for queue ids */
	_Atomic bool failed;
} load;

static char *make_message(size_t size)
{
	char *message = malloc(size + 1);

	if (message == NULL)
		return NULL;
	for (size_t i = 0; i < size; i++)
		message[i] = i < sizeof(header) - 1
				     ? header[i]
				     : line[(i - sizeof(header) + 1) % (sizeof(line) - 1)];
	message[size - 1] = '\n';
	message[size] = '\0';
	return message;
}

static void fail(const struct mg_client *client, const char *step, enum mg_answer answer)
{
	if (!atomic_exchange(&load.failed, true))
		fprintf(stderr, "load: %s was answered %d: %s %s\n", step, (int)answer,
			mg_client_reply(client), mg_client_error(client));
}

static bool expect(const struct mg_client *client, const char *step, enum mg_answer answer)
{
	if (answer == MG_ANSWER_CONTINUE || answer == MG_ANSWER_NONE || answer == MG_ANSWER_SKIP ||
		answer == MG_ANSWER_ACCEPT)
		return true;
	fail(client, step, answer);
	return false;
}

/* What Postfix knows of a client with TLS; the queue id comes last, from DATA on. */
static bool tell_macros(struct mg_client *client, const char *queue_id)
{
	const struct mg_client_macro macros[] = {
		{"j", "mx.example.org"},
		{"{daemon_name}", "mx.example.org"},
		{"{daemon_addr}", "192.0.2.25"},
		{"{daemon_port}", "25"},
		{"{client_addr}", "203.0.113.5"},
		{"{client_name}", "client.example.org"},
		{"{client_port}", "39204"},
		{"{tls_version}", "TLSv1.3"},
		{"{cipher}", "TLS_AES_256_GCM_SHA384"},
		{"{cipher_bits}", "256"},
		{"i", queue_id},
	};
	size_t count = sizeof(macros) / sizeof(macros[0]) - (queue_id[0] == '\0');

	if (mg_client_macros(client, macros, count))
		return true;
	fail(client, "no memory: a macro", MG_ANSWER_LOST);
	return false;
}

static struct mg_client *open_session(void)
{
	struct mg_error error = {""};
	struct mg_client *client = mg_client_open(&load.endpoint, 0, 0, answer_timeout, &error);

	if (client == NULL) {
		if (!atomic_exchange(&load.failed, true))
			fprintf(stderr, "load: %s\n", error.text);
		return NULL;
	}
	if (tell_macros(client, "") &&
		expect(client, "CONNECT",
			mg_client_connect(
				client, "client.example.org", "203.0.113.5", 39204, '4')) &&
		expect(client, "HELO", mg_client_helo(client, "client.example.org")))
		return client;
	mg_client_close(client, false);
	return NULL;
}

/* MAIL to DATA. */
static bool send_envelope(struct mg_client *client)
{
	static const char *const sender[] = {"<sender@example.org>", "SIZE=2048"};
	static const char *const recipient[] = {"<recipient@example.net>"};
	char queue_id[32];

	mg_str_format(queue_id, sizeof(queue_id), "4bQ%012lu", atomic_fetch_add(&load.sent, 1));
	return tell_macros(client, "") &&
	       expect(client, "MAIL", mg_client_mail(client, sender, 2)) &&
	       expect(client, "RCPT", mg_client_rcpt(client, recipient, 1)) &&
	       tell_macros(client, queue_id) && expect(client, "DATA", mg_client_data(client));
}

/* Did the filter add the field it is there for? */
static bool has_field(struct mg_client *client)
{
	size_t count = 0;
	const struct mg_client_edit *edits = mg_client_edits(client, &count);

	for (size_t i = 0; i < count; i++)
		if ((edits[i].kind == MG_REPLY_INSERT_HEADER ||
			    edits[i].kind == MG_REPLY_ADD_HEADER) &&
			strcasecmp(edits[i].name, load.field) == 0)
			return true;
	if (!atomic_exchange(&load.failed, true))
		fprintf(stderr, "load: a message did not get the field %s\n", load.field);
	return false;
}

static void *send_messages(void *unused)
{
	struct mg_client *client = NULL;
	size_t on_this = 0;
	bool good = true;

	(void)unused;
	while (good && !atomic_load(&load.failed) && atomic_fetch_sub(&load.left, 1) > 0) {
		if (client == NULL)
			client = open_session();
		good = client != NULL && send_envelope(client) &&
		       expect(client, "end of message",
			       mg_client_message(client, load.message, load.size, 0)) &&
		       (load.field == NULL || has_field(client));
		if (++on_this < load.each)
			continue;
		mg_client_close(client, true);
		client = NULL;
		on_this = 0;
	}
	mg_client_close(client, true);
	return NULL;
}

/* A message of which the second half of the body is yet to come. */
static bool stand(struct mg_client **client)
{
	const char *body = strstr(load.message, "\n\n") + 2;

	*client = open_session();
	return *client != NULL && send_envelope(*client) &&
	       expect(*client, "a field",
		       mg_client_header(*client, "From", " sender@example.org")) &&
	       expect(*client, "a field", mg_client_header(*client, "Subject", " Half a letter")) &&
	       expect(*client, "end of header", mg_client_eoh(*client)) &&
	       expect(*client, "body", mg_client_body(*client, body, strlen(body) / 2)) &&
	       mg_client_raw(*client, "", 0) == 0;
}

static int run_standing(size_t connections)
{
	struct mg_client **clients = calloc(connections, sizeof(struct mg_client *));
	bool good = clients != NULL;

	for (size_t i = 0; good && i < connections; i++)
		good = stand(&clients[i]);
	if (good) {
		puts("standing");
		fflush(stdout);
		while (getchar() != EOF)
			continue;
	}
	for (size_t i = 0; clients != NULL && i < connections; i++)
		mg_client_close(clients[i], false);
	free(clients);
	return good ? 0 : 1;
}

static int run_mail(size_t connections)
{
	int64_t started = mg_clock_system.monotonic(&mg_clock_system);
	pthread_t *threads = calloc(connections, sizeof(pthread_t));
	pthread_attr_t attributes;
	size_t running = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	while (threads != NULL && running < connections &&
		pthread_create(&threads[running], &attributes, send_messages, NULL) == 0)
		running++;
	for (size_t i = 0; i < running; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attributes);
	free(threads);
	if (running < connections)
		fputs("load: no thread for each connection\n", stderr);
	printf("%.6f\n", (double)(mg_clock_system.monotonic(&mg_clock_system) - started) /
				 (double)MG_SECOND);
	return running == connections && !atomic_load(&load.failed) ? 0 : 1;
}

static size_t number(const char *text, size_t minimum, size_t maximum)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text != '\0' && *end == '\0' && value >= minimum && value <= maximum)
		return value;
	fprintf(stderr, "load: \"%s\": a number from %zu to %zu is expected\n", text, minimum,
		maximum);
	exit(64);
}

int main(int argc, char **argv)
{
	struct mg_error error = {""};
	bool standing = argc == 5 && strcmp(argv[3], "stand") == 0;
	size_t connections;

	if (argc != 6 && argc != 7 && !standing) {
		fputs("usage: load SOCKET CONNECTIONS MESSAGES EACH SIZE [FIELD]\n"
		      "       load SOCKET CONNECTIONS stand SIZE\n",
			stderr);
		return 64;
	}
	if (!mg_endpoint_parse(argv[1], &load.endpoint, &error)) {
		fprintf(stderr, "load: %s\n", error.text);
		return 64;
	}
	connections = number(argv[2], 1, CONNECTIONS_MAX);
	load.size = number(argv[standing ? 4 : 5], MESSAGE_MIN, MESSAGE_MAX);
	load.field = argc == 7 ? argv[6] : NULL;
	load.message = make_message(load.size);
	if (load.message == NULL)
		return 1;
	if (standing)
		return run_standing(connections);
	atomic_store(&load.left, (long)number(argv[3], 1, 1000000000));
	load.each = number(argv[4], 1, 1000000000);
	return run_mail(connections);
}
