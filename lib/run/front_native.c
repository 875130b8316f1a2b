/* SPDX-License-Identifier: ISC */
#include "run/front_native.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "base/net.h"
#include "base/str.h"
#include "mail/milter_macros.h"
#include "run/link.h"
#include "run/negotiate.h"
#include "run/reply.h"
#include "run/session.h"

enum {
	PROTOCOL_VERSION = 6,
	ARGUMENTS_MAX = 64, /* of MAIL or RCPT, the address included */
	MACROS_SIZE = 64 * 1024, /* bytes of the macros of one step that are kept */
	STACK_SIZE = 512 * 1024
};
static const int64_t negotiation_timeout = 10 * MG_SECOND;
static const int64_t packet_timeout = 60 * MG_SECOND;
static const int64_t idle_timeout = 2 * 3600 * MG_SECOND;

static struct {
	struct mg_host *host;
	int fds[MG_LISTEN_MAX];
	int count;
	int stop; /* eventfd: readable once nothing is to be accepted any more */
	bool unix_socket;
	_Atomic size_t connections;
	_Atomic int64_t refused_told; /* monotonic ns: one line a minute */
} front;

struct connection {
	struct mg_link link;
	struct mg_run *run;
	uint32_t protocol; /* MG_WIRE_NO_*, MG_WIRE_NR_* … agreed on */
	struct mg_buf macros[MG_WIRE_STAGE_COUNT]; /* name NUL value NUL … */
	struct mg_buf edit; /* data of the packet being made */
	bool over;
};

/* --- macros --- */

/* The command whose macros a "D" packet brings, and their stage; later stages have later rows. */
static const struct {
	char command;
	enum mg_wire_stage stage;
} macro_stages[] = {
	{MG_WIRE_CONNECT, MG_WIRE_STAGE_CONNECT},
	{MG_WIRE_HELO, MG_WIRE_STAGE_HELO},
	{MG_WIRE_MAIL, MG_WIRE_STAGE_MAIL},
	{MG_WIRE_RCPT, MG_WIRE_STAGE_RCPT},
	{MG_WIRE_DATA, MG_WIRE_STAGE_DATA},
	{MG_WIRE_HEADER_END, MG_WIRE_STAGE_EOH},
	{MG_WIRE_BODY_END, MG_WIRE_STAGE_EOM},
};
enum { MACRO_STAGES = sizeof(macro_stages) / sizeof(macro_stages[0]), ROW_OF_MAIL = 2 };

/* Forgets the macros of the row-th stage and of all later ones. */
static void forget_macros(struct connection *connection, size_t row)
{
	for (; row < MACRO_STAGES; row++)
		mg_buf_reset(&connection->macros[macro_stages[row].stage]);
}

static void on_macros(struct connection *connection, const struct mg_packet *packet)
{
	for (size_t row = 0; packet->length > 0 && row < MACRO_STAGES; row++) {
		struct mg_buf *macros = &connection->macros[macro_stages[row].stage];

		if (macro_stages[row].command != packet->data[0])
			continue;
		forget_macros(connection, row);
		/* Names and values in turn; one that has no end is left out. */
		if (packet->length > 1 && packet->data[packet->length - 1] == '\0')
			mg_buf_add(macros, packet->data + 1, packet->length - 1);
		if (macros->failed)
			mg_buf_reset(macros);
	}
}

static const char *find_macro(const struct mg_buf *macros, const char *name)
{
	struct mg_packet packet = {.data = macros->data, .length = macros->length};
	struct mg_wire_cursor cursor;

	if (macros->length == 0)
		return NULL;
	mg_wire_cursor_init(&cursor, &packet);
	while (!mg_wire_at_end(&cursor)) {
		const char *found = mg_wire_text(&cursor), *value = mg_wire_text(&cursor);

		if (cursor.failed)
			return NULL;
		if (strcmp(found, name) == 0)
			return value;
	}
	return NULL;
}

static const char *front_macro(void *context, const char *name)
{
	const struct connection *connection = context;

	if (strcmp(name, "{millgate_test}") == 0 && !front.unix_socket)
		return NULL;
	for (size_t row = MACRO_STAGES; row-- > 0;) {
		const char *value = find_macro(&connection->macros[macro_stages[row].stage], name);

		if (value != NULL)
			return value;
	}
	return NULL;
}

/* --- edits --- */

static void edit_begin(struct connection *connection)
{
	mg_buf_reset(&connection->edit);
}

static void edit_number(struct connection *connection, unsigned number)
{
	const unsigned char bytes[4] = {(unsigned char)(number >> 24),
		(unsigned char)(number >> 16), (unsigned char)(number >> 8), (unsigned char)number};

	mg_buf_add(&connection->edit, bytes, sizeof(bytes));
}

static void edit_text(struct connection *connection, const char *text)
{
	mg_buf_add(&connection->edit, text, strlen(text) + 1);
}

static int edit_end(struct connection *connection, enum mg_wire_reply kind)
{
	if (connection->edit.failed)
		return -1;
	mg_wire_put(
		&connection->link.out, (char)kind, connection->edit.data, connection->edit.length);
	return connection->link.out.failed ? -1 : 0;
}

/* Without leading space agreed on the MTA itself puts one after the colon. */
static const char *field_value(const struct connection *connection, const char *value)
{
	bool as_it_stands = (connection->protocol & MG_WIRE_HEADER_LEADING_SPACE) != 0;

	return !as_it_stands && value[0] == ' ' ? value + 1 : value;
}

static int edit_field(struct connection *connection, enum mg_wire_reply kind, unsigned number,
	const char *name, const char *value)
{
	edit_begin(connection);
	edit_number(connection, number);
	edit_text(connection, name);
	edit_text(connection, value != NULL ? field_value(connection, value) : "");
	return edit_end(connection, kind);
}

static int front_insert_header(
	void *context, unsigned position, const char *name, const char *value)
{
	return edit_field(context, MG_REPLY_INSERT_HEADER, position, name, value);
}

static int front_change_header(
	void *context, unsigned occurrence, const char *name, const char *value)
{
	return edit_field(context, MG_REPLY_CHANGE_HEADER, occurrence, name, value);
}

static int edit_address(struct connection *connection, enum mg_wire_reply kind, const char *address)
{
	edit_begin(connection);
	mg_buf_add_char(&connection->edit, '<');
	mg_buf_add_text(&connection->edit, address);
	edit_text(connection, ">");
	return edit_end(connection, kind);
}

static int front_add_recipient(void *context, const char *address)
{
	return edit_address(context, MG_REPLY_ADD_RECIPIENT, address);
}

static int front_delete_recipient(void *context, const char *address)
{
	return edit_address(context, MG_REPLY_DELETE_RECIPIENT, address);
}

static int front_change_sender(void *context, const char *address)
{
	return edit_address(context, MG_REPLY_CHANGE_SENDER, address);
}

/* A body is sent as it comes, so that none is kept. */
static int front_replace_body(void *context, const unsigned char *chunk, size_t length)
{
	struct connection *connection = context;
	struct mg_error error;

	mg_wire_put(&connection->link.out, MG_REPLY_REPLACE_BODY, chunk, length);
	return mg_link_flush(&connection->link, mg_link_now() + packet_timeout, &error);
}

static int front_quarantine(void *context, const char *reason)
{
	struct connection *connection = context;

	edit_begin(connection);
	edit_text(connection, reason);
	return edit_end(connection, MG_REPLY_QUARANTINE);
}

static const struct mg_front front_functions = {
	.macro = front_macro,
	.insert_header = front_insert_header,
	.change_header = front_change_header,
	.add_recipient = front_add_recipient,
	.delete_recipient = front_delete_recipient,
	.change_sender = front_change_sender,
	.replace_body = front_replace_body,
	.quarantine = front_quarantine,
};

/* --- answers --- */

static void put_reply(struct connection *connection, enum mg_wire_reply kind)
{
	mg_wire_put(&connection->link.out, (char)kind, NULL, 0);
}

static void put_refusal(
	struct connection *connection, const struct mg_verdict *verdict, enum mg_wire_reply plain)
{
	char class = plain == MG_REPLY_REJECT ? '5' : '4';
	struct mg_reply reply;

	/* A text of the other class would be another answer. */
	if (!mg_reply_split(verdict->reply, &reply) || reply.code[0] != class) {
		put_reply(connection, plain);
		return;
	}
	edit_begin(connection);
	mg_buf_add_format(&connection->edit, "%s %s%s", reply.code, reply.enhanced,
		reply.enhanced[0] != '\0' ? " " : "");
	edit_text(connection, reply.text);
	edit_end(connection, MG_REPLY_CODE);
}

static void put_verdict(struct connection *connection, const struct mg_verdict *verdict)
{
	switch (verdict->action) {
	case MG_CONTINUE: put_reply(connection, MG_REPLY_CONTINUE); break;
	case MG_ACCEPT: put_reply(connection, MG_REPLY_ACCEPT); break;
	case MG_DISCARD: put_reply(connection, MG_REPLY_DISCARD); break;
	case MG_REJECT: put_refusal(connection, verdict, MG_REPLY_REJECT); break;
	case MG_TEMPFAIL:
	case MG_ERROR: put_refusal(connection, verdict, MG_REPLY_TEMPFAIL); break;
	}
}

/* --- negotiation --- */

static void negotiate(struct connection *connection, const struct mg_packet *packet)
{
	const struct mg_plan *plan = &front.host->plan;
	struct mg_wire_options offer, answer = {.version = PROTOCOL_VERSION};

	answer.actions = mg_negotiate_actions(plan);
	if (!mg_wire_get_options(packet, &offer) || offer.version < 2) {
		connection->over = true;
		return;
	}
	if ((answer.actions & ~offer.actions) != 0) {
		mg_log(LOG_ERR, "the MTA does not offer the actions 0x%x, which the filters need",
			answer.actions & ~offer.actions);
		put_reply(connection, MG_REPLY_REJECT);
		connection->over = true;
		return;
	}
	if (offer.version < PROTOCOL_VERSION)
		answer.version = offer.version;
	answer.protocol = connection->protocol = mg_negotiate_protocol(plan) & offer.protocol;
	if ((offer.actions & MG_WIRE_SET_MACROS) != 0) {
		answer.actions |= MG_WIRE_SET_MACROS;
		answer.macros[MG_WIRE_STAGE_MAIL] = mg_milter_macros_mail;
		answer.macros[MG_WIRE_STAGE_RCPT] = mg_milter_macros_later;
		answer.macros[MG_WIRE_STAGE_DATA] = mg_milter_macros_later;
		answer.macros[MG_WIRE_STAGE_EOH] = mg_milter_macros_later;
		answer.macros[MG_WIRE_STAGE_EOM] = mg_milter_macros_later;
	}
	mg_wire_put_options(&connection->link.out, &answer);
	/* A second negotiation is a new beginning. */
	if (connection->run != NULL)
		mg_run_abort(connection->run);
	else
		connection->run = mg_run_new(front.host, &front_functions, connection);
	if (connection->run == NULL)
		connection->over = true;
}

/* --- steps --- */

static void on_connect(
	struct connection *connection, struct mg_wire_cursor *cursor, struct mg_verdict *verdict)
{
	struct sockaddr_storage client = {.ss_family = AF_UNSPEC};
	const char *name = mg_wire_text(cursor);
	char family = mg_wire_char(cursor);

	if (family == '4' || family == '6') {
		uint16_t port = mg_wire_number16(cursor);

		if (!mg_net_parse(mg_wire_text(cursor), port, &client))
			client.ss_family = AF_UNSPEC;
	}
	mg_run_connect(connection->run, name, &client, verdict);
}

static void on_helo(
	struct connection *connection, struct mg_wire_cursor *cursor, struct mg_verdict *verdict)
{
	mg_run_helo(connection->run, mg_wire_text(cursor), verdict);
}

/* The texts of MAIL or RCPT; what is over ARGUMENTS_MAX is left out. */
static void read_arguments(struct mg_wire_cursor *cursor, const char *arguments[ARGUMENTS_MAX + 1])
{
	size_t count = 0;

	while (count < ARGUMENTS_MAX && !mg_wire_at_end(cursor)) {
		arguments[count] = mg_wire_text(cursor);
		if (cursor->failed)
			break;
		count++;
	}
	arguments[count] = NULL;
}

static void on_mail(
	struct connection *connection, struct mg_wire_cursor *cursor, struct mg_verdict *verdict)
{
	const char *arguments[ARGUMENTS_MAX + 1];

	read_arguments(cursor, arguments);
	mg_run_mail(connection->run, arguments, verdict);
}

static void on_rcpt(
	struct connection *connection, struct mg_wire_cursor *cursor, struct mg_verdict *verdict)
{
	const char *arguments[ARGUMENTS_MAX + 1];

	read_arguments(cursor, arguments);
	mg_run_rcpt(connection->run, arguments, verdict);
}

static void on_data(
	struct connection *connection, struct mg_wire_cursor *cursor, struct mg_verdict *verdict)
{
	(void)cursor;
	mg_run_data(connection->run, verdict);
}

static void on_header(
	struct connection *connection, struct mg_wire_cursor *cursor, struct mg_verdict *verdict)
{
	const char *name = mg_wire_text(cursor), *value = mg_wire_text(cursor);

	(void)verdict;
	if (!cursor->failed)
		mg_run_header(connection->run, name, value);
}

static void on_eoh(
	struct connection *connection, struct mg_wire_cursor *cursor, struct mg_verdict *verdict)
{
	(void)cursor;
	(void)verdict;
	mg_run_eoh(connection->run);
}

static bool feed_body(struct connection *connection, const struct mg_wire_cursor *cursor)
{
	size_t length = (size_t)(cursor->end - cursor->next);

	return length == 0 ||
	       mg_run_body(connection->run, (const unsigned char *)cursor->next, length);
}

static void on_eom(
	struct connection *connection, struct mg_wire_cursor *cursor, struct mg_verdict *verdict)
{
	feed_body(connection, cursor);
	mg_run_eom(connection->run, verdict);
	forget_macros(connection, ROW_OF_MAIL);
}

static const struct {
	char command;
	uint32_t silent; /* the flag by which no answer was agreed on; 0: always answered */
	void (*function)(struct connection *, struct mg_wire_cursor *, struct mg_verdict *);
} steps[] = {
	{MG_WIRE_CONNECT, MG_WIRE_NR_CONNECT, on_connect},
	{MG_WIRE_HELO, MG_WIRE_NR_HELO, on_helo},
	{MG_WIRE_MAIL, MG_WIRE_NR_MAIL, on_mail},
	{MG_WIRE_RCPT, MG_WIRE_NR_RCPT, on_rcpt},
	{MG_WIRE_DATA, MG_WIRE_NR_DATA, on_data},
	{MG_WIRE_HEADER, MG_WIRE_NR_HEADER, on_header},
	{MG_WIRE_HEADER_END, MG_WIRE_NR_EOH, on_eoh},
	{MG_WIRE_BODY_END, 0, on_eom},
};

static void on_body(struct connection *connection, const struct mg_packet *packet)
{
	struct mg_wire_cursor cursor;
	bool wanted;

	mg_wire_cursor_init(&cursor, packet);
	wanted = feed_body(connection, &cursor);
	if ((connection->protocol & MG_WIRE_NR_BODY) != 0)
		return;
	put_reply(connection, !wanted && (connection->protocol & MG_WIRE_SKIP) != 0
				      ? MG_REPLY_SKIP
				      : MG_REPLY_CONTINUE);
}

static void take_step(struct connection *connection, const struct mg_packet *packet, size_t row)
{
	struct mg_verdict verdict = {.action = MG_CONTINUE};
	struct mg_wire_cursor cursor;

	mg_wire_cursor_init(&cursor, packet);
	steps[row].function(connection, &cursor, &verdict);
	if ((connection->protocol & steps[row].silent) == 0)
		put_verdict(connection, &verdict);
}

static void dispatch(struct connection *connection, const struct mg_packet *packet)
{
	switch (packet->command) {
	case MG_WIRE_OPTIONS: negotiate(connection, packet); return;
	case MG_WIRE_MACRO: on_macros(connection, packet); return;
	case MG_WIRE_QUIT: connection->over = true; return;
	case MG_WIRE_ABORT:
	case MG_WIRE_QUIT_NEW:
		if (connection->run != NULL)
			mg_run_abort(connection->run);
		forget_macros(connection, packet->command == MG_WIRE_ABORT ? ROW_OF_MAIL : 0);
		return;
	case MG_WIRE_UNKNOWN: put_reply(connection, MG_REPLY_CONTINUE); return;
	default: break;
	}
	/* Steps before negotiation, and commands that are none: no MTA. */
	connection->over = connection->run == NULL;
	if (connection->over)
		return;
	if (packet->command == MG_WIRE_BODY) {
		on_body(connection, packet);
		return;
	}
	for (size_t row = 0; row < sizeof(steps) / sizeof(steps[0]); row++) {
		if (steps[row].command == packet->command) {
			take_step(connection, packet, row);
			return;
		}
	}
	connection->over = true;
}

/* --- connections --- */

/* Waits for a packet as long as its kind may take; false when the connection is over. */
static bool next_packet(struct connection *connection, struct mg_packet *packet)
{
	int64_t limit = connection->run == NULL ? negotiation_timeout : idle_timeout;
	int64_t began = mg_link_now();
	bool stalled = false;

	for (;;) {
		int64_t now = mg_link_now(), wait = began + limit - now;
		struct mg_error error;
		int status;

		if (wait > packet_timeout)
			wait = packet_timeout;
		status = mg_link_next(&connection->link, now + wait, packet, &error);
		if (status != 0)
			return status > 0;
		/* A packet that has begun gets at least one whole packet_timeout. */
		if (wait < packet_timeout || (stalled && mg_link_is_partial(&connection->link)))
			return false;
		stalled = mg_link_is_partial(&connection->link);
	}
}

static void serve_packets(struct connection *connection)
{
	struct mg_packet packet;
	struct mg_error error;

	while (!connection->over && next_packet(connection, &packet)) {
		dispatch(connection, &packet);
		if (connection->link.out.length > 0 &&
			mg_link_flush(&connection->link, mg_link_now() + packet_timeout, &error) !=
				0)
			return;
	}
}

static void *serve_connection(void *argument)
{
	struct connection *connection = argument;

	serve_packets(connection);
	mg_link_close(&connection->link);
	if (connection->run != NULL)
		mg_run_close(connection->run);
	for (size_t i = 0; i < MG_WIRE_STAGE_COUNT; i++)
		mg_buf_free(&connection->macros[i]);
	mg_buf_free(&connection->edit);
	free(connection);
	front.connections--;
	return NULL;
}

static void tell_refused(const char *why)
{
	int64_t now = mg_link_now(), told = front.refused_told;

	if (told != 0 && now - told < 60 * MG_SECOND)
		return;
	front.refused_told = now;
	mg_log(LOG_WARNING, "connections are refused: %s", why);
}

static size_t connections_bound(void)
{
	struct mg_snapshot *snapshot = mg_snapshot_current(&front.host->snapshots);
	size_t bound = snapshot->settings->connections;

	mg_snapshot_release(snapshot);
	return bound;
}

static void start_connection(int fd, const pthread_attr_t *attributes)
{
	struct connection *connection;
	pthread_t thread;
	int status;

	if (front.connections >= connections_bound()) {
		tell_refused("bounds.connections are open");
		close(fd);
		return;
	}
	connection = calloc(1, sizeof(*connection));
	if (connection == NULL) {
		tell_refused("out of memory");
		close(fd);
		return;
	}
	mg_link_open(&connection->link, fd);
	for (size_t i = 0; i < MG_WIRE_STAGE_COUNT; i++)
		mg_buf_init(&connection->macros[i], MACROS_SIZE);
	front.connections++;
	status = pthread_create(&thread, attributes, serve_connection, connection);
	if (status == 0)
		return;
	tell_refused(strerror(status));
	front.connections--;
	mg_link_close(&connection->link);
	free(connection);
}

/* --- the engine --- */

static int native_open(struct mg_host *host, const int fds[], int count, struct mg_error *error)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	front.host = host;
	front.count = count;
	memcpy(front.fds, fds, (size_t)count * sizeof(fds[0]));
	front.unix_socket = getsockname(fds[0], (struct sockaddr *)&address, &length) == 0 &&
			    address.ss_family == AF_UNIX;
	front.stop = eventfd(0, EFD_CLOEXEC);
	if (front.stop >= 0)
		return 0;
	mg_error_system(error, errno, "eventfd");
	return -1;
}

static void accept_one(int listener, const pthread_attr_t *attributes)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		start_connection(fd, attributes);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		/* The client waits in the backlog until a connection ends. */
		tell_refused(strerror(errno));
		poll(NULL, 0, 100);
	}
}

static int native_run(struct mg_error *error)
{
	struct pollfd waits[MG_LISTEN_MAX + 1] = {{.fd = front.stop, .events = POLLIN}};
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (int i = 0; i < front.count; i++)
		waits[i + 1] = (struct pollfd){.fd = front.fds[i], .events = POLLIN};
	while (waits[0].revents == 0) {
		if (poll(waits, (nfds_t)front.count + 1, -1) < 0 && errno != EINTR) {
			mg_error_system(error, errno, "poll");
			pthread_attr_destroy(&attributes);
			return -1;
		}
		for (int i = 1; waits[0].revents == 0 && i <= front.count; i++)
			if (waits[i].revents != 0)
				accept_one(waits[i].fd, &attributes);
	}
	pthread_attr_destroy(&attributes);
	return 0;
}

static void native_stop_accepting(void)
{
	const uint64_t one = 1;

	if (write(front.stop, &one, sizeof(one)) != sizeof(one))
		mg_log(LOG_WARNING, "cannot stop accepting: %s", strerror(errno));
}

const struct mg_engine mg_engine_native = {
	.name = "native",
	.open = native_open,
	.run = native_run,
	.stop_accepting = native_stop_accepting,
};
