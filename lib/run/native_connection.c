/* SPDX-License-Identifier: ISC */
#include "run/native_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/log.h"
#include "mail/milter_macros.h"
#include "run/link.h"
#include "run/negotiate.h"
#include "run/order.h"
#include "run/reply.h"
#include "run/session.h"
#include "run/told_macros.h"

enum { ARGUMENTS_MAX = 64 /* of MAIL or RCPT, the address included */ };

const struct mg_native_timeouts mg_native_timeouts = {
	.negotiation = 10 * MG_SECOND, .packet = 60 * MG_SECOND, .idle = 2 * 3600 * MG_SECOND};

struct connection {
	struct mg_host *host;
	const struct mg_native_timeouts *timeouts;
	struct mg_link link;
	struct mg_run *run; /* NULL before negotiation */
	struct mg_order order;
	uint32_t protocol; /* MG_WIRE_NO_*, MG_WIRE_NR_* … agreed on */
	struct mg_told_macros macros;
	struct mg_buf edit; /* data of the packet being made */
	bool local;
	bool over;
};

static const char *front_macro(void *context, const char *name)
{
	const struct connection *connection = context;

	if (strcmp(name, "{millgate_test}") == 0 && !connection->local)
		return NULL;
	return mg_told_macros_find(&connection->macros, name);
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
	return mg_link_flush(
		&connection->link, mg_link_now() + connection->timeouts->packet, &error);
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

/* What an MTA that offers nothing is taken to offer: version 1 of the protocol. */
enum { FIRST_ACTIONS = 0xf, FIRST_PROTOCOL = 0x3f };

static bool read_offer(const struct mg_packet *packet, struct mg_wire_options *offer)
{
	struct mg_wire_cursor cursor;

	mg_wire_cursor_init(&cursor, packet);
	offer->version = mg_wire_number32(&cursor);
	offer->actions = mg_wire_number32(&cursor);
	offer->protocol = mg_wire_number32(&cursor);
	if (offer->actions == 0)
		offer->actions = FIRST_ACTIONS;
	if (offer->protocol == 0)
		offer->protocol = FIRST_PROTOCOL;
	return !cursor.failed && offer->version >= 2 && offer->version <= INT32_MAX;
}

static void ask_for_macros(struct mg_wire_options *answer)
{
	answer->actions |= MG_WIRE_SET_MACROS;
	answer->macros[MG_WIRE_STAGE_MAIL] = mg_milter_macros_mail;
	answer->macros[MG_WIRE_STAGE_RCPT] = mg_milter_macros_later;
	answer->macros[MG_WIRE_STAGE_DATA] = mg_milter_macros_later;
	answer->macros[MG_WIRE_STAGE_EOH] = mg_milter_macros_later;
	answer->macros[MG_WIRE_STAGE_EOM] = mg_milter_macros_later;
}

/* false: the MTA is not one that the filters can work with. */
static bool negotiate(struct connection *connection, const struct mg_packet *packet)
{
	const struct mg_plan *plan = &connection->host->plan;
	struct mg_wire_options offer = {0}, answer = {.version = MG_WIRE_VERSION};

	answer.actions = mg_negotiate_actions(plan);
	if (!read_offer(packet, &offer))
		return false;
	if ((answer.actions & ~offer.actions) != 0) {
		mg_log(LOG_ERR, "the MTA does not offer the actions 0x%x, which the filters need",
			answer.actions & ~offer.actions);
		return false;
	}
	if (offer.version < MG_WIRE_VERSION)
		answer.version = offer.version;
	answer.protocol = connection->protocol = mg_negotiate_protocol(plan) & offer.protocol;
	if ((offer.actions & MG_WIRE_SET_MACROS) != 0)
		ask_for_macros(&answer);
	mg_order_decline(&connection->order, connection->protocol);
	connection->run = mg_run_new(connection->host, &front_functions, connection);
	mg_wire_put_options(&connection->link.out, &answer);
	return connection->run != NULL;
}

/* --- steps: each returns false when its packet is malformed --- */

/* The texts of a packet end where it ends. */
static bool ends_as_text(const struct mg_packet *packet)
{
	return packet->length > 0 && packet->data[packet->length - 1] == '\0';
}

static bool read_ipv6(const char *text, void *address)
{
	static const char prefix[] = "IPv6:";

	if (strncasecmp(text, prefix, strlen(prefix)) == 0)
		text += strlen(prefix);
	return inet_pton(AF_INET6, text, address) == 1;
}

/* Family, port and address of the client. Its own kind of address stays unknown: AF_UNSPEC. */
static bool read_client(struct mg_wire_cursor *cursor, struct sockaddr_storage *client)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)client;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)client;
	char family = mg_wire_char(cursor);
	const char *text;
	uint16_t port;

	if (family == 'U')
		return !cursor->failed;
	port = mg_wire_number16(cursor);
	text = mg_wire_text(cursor);
	if (cursor->failed)
		return false;
	switch (family) {
	case '4':
		*ipv4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
		return inet_pton(AF_INET, text, &ipv4->sin_addr) == 1;
	case '6':
		*ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
		return read_ipv6(text, &ipv6->sin6_addr);
	case 'L': return strlen(text) < sizeof(((struct sockaddr_un *)0)->sun_path);
	default: return false;
	}
}

static bool on_connect(
	struct connection *connection, const struct mg_packet *packet, struct mg_verdict *verdict)
{
	struct sockaddr_storage client = {.ss_family = AF_UNSPEC};
	struct mg_wire_cursor cursor;
	const char *name;

	mg_wire_cursor_init(&cursor, packet);
	name = mg_wire_text(&cursor);
	if (!read_client(&cursor, &client) ||
		(client.ss_family != AF_UNSPEC && !ends_as_text(packet)))
		return false;
	mg_run_connect(connection->run, name, &client, verdict);
	return true;
}

static bool on_helo(
	struct connection *connection, const struct mg_packet *packet, struct mg_verdict *verdict)
{
	if (!ends_as_text(packet))
		return false;
	mg_run_helo(connection->run, packet->data, verdict);
	return true;
}

/* The texts of MAIL or RCPT; what is over ARGUMENTS_MAX, or no text, is left out. */
static bool read_arguments(const struct mg_packet *packet, const char *arguments[ARGUMENTS_MAX + 1])
{
	struct mg_wire_cursor cursor;
	size_t count = 0;

	mg_wire_cursor_init(&cursor, packet);
	while (count < ARGUMENTS_MAX && !mg_wire_at_end(&cursor)) {
		arguments[count] = mg_wire_text(&cursor);
		if (cursor.failed)
			break;
		count++;
	}
	arguments[count] = NULL;
	return count > 0;
}

static bool on_mail(
	struct connection *connection, const struct mg_packet *packet, struct mg_verdict *verdict)
{
	const char *arguments[ARGUMENTS_MAX + 1];

	if (!read_arguments(packet, arguments))
		return false;
	mg_run_mail(connection->run, arguments, verdict);
	return true;
}

static bool on_rcpt(
	struct connection *connection, const struct mg_packet *packet, struct mg_verdict *verdict)
{
	const char *arguments[ARGUMENTS_MAX + 1];

	if (!read_arguments(packet, arguments))
		return false;
	mg_run_rcpt(connection->run, arguments, verdict);
	return true;
}

static bool on_data(
	struct connection *connection, const struct mg_packet *packet, struct mg_verdict *verdict)
{
	(void)packet;
	mg_run_data(connection->run, verdict);
	return true;
}

static bool on_header(
	struct connection *connection, const struct mg_packet *packet, struct mg_verdict *verdict)
{
	struct mg_wire_cursor cursor;
	const char *name, *value;

	(void)verdict;
	mg_wire_cursor_init(&cursor, packet);
	name = mg_wire_text(&cursor);
	value = mg_wire_text(&cursor);
	if (cursor.failed || name[0] == '\0' || !ends_as_text(packet))
		return false;
	mg_run_header(connection->run, name, value);
	return true;
}

static bool on_eoh(
	struct connection *connection, const struct mg_packet *packet, struct mg_verdict *verdict)
{
	(void)packet;
	(void)verdict;
	mg_run_eoh(connection->run);
	return true;
}

static bool on_eom(
	struct connection *connection, const struct mg_packet *packet, struct mg_verdict *verdict)
{
	if (packet->length > 0)
		mg_run_body(connection->run, (const unsigned char *)packet->data, packet->length);
	mg_run_eom(connection->run, verdict);
	return true;
}

static const struct {
	char command;
	bool finishes; /* a refusal here is one of the message */
	bool bare; /* may come without data */
	uint32_t silent; /* the flag by which no answer was agreed on; 0: always answered */
	bool (*function)(struct connection *, const struct mg_packet *, struct mg_verdict *);
} steps[] = {
	{MG_WIRE_CONNECT, true, false, MG_WIRE_NR_CONNECT, on_connect},
	{MG_WIRE_HELO, true, false, MG_WIRE_NR_HELO, on_helo},
	{MG_WIRE_MAIL, true, false, MG_WIRE_NR_MAIL, on_mail},
	{MG_WIRE_RCPT, false, false, MG_WIRE_NR_RCPT, on_rcpt},
	{MG_WIRE_DATA, true, true, MG_WIRE_NR_DATA, on_data},
	{MG_WIRE_HEADER, true, false, MG_WIRE_NR_HEADER, on_header},
	{MG_WIRE_HEADER_END, true, true, MG_WIRE_NR_EOH, on_eoh},
	{MG_WIRE_BODY_END, true, true, 0, on_eom},
};

static void take_step(struct connection *connection, const struct mg_packet *packet, size_t row)
{
	struct mg_verdict verdict = {.action = MG_CONTINUE};

	if ((packet->length == 0 && !steps[row].bare) ||
		!steps[row].function(connection, packet, &verdict)) {
		connection->over = true;
		return;
	}
	if ((connection->protocol & steps[row].silent) != 0)
		return;
	put_verdict(connection, &verdict);
	if (verdict.action == MG_ACCEPT || (verdict.action != MG_CONTINUE && steps[row].finishes))
		mg_order_finish(&connection->order);
}

static void on_body(struct connection *connection, const struct mg_packet *packet)
{
	bool wanted;

	connection->over = packet->length == 0;
	if (connection->over)
		return;
	wanted = mg_run_body(connection->run, (const unsigned char *)packet->data, packet->length);
	if (!wanted && (connection->protocol & MG_WIRE_SKIP) != 0)
		put_reply(connection, MG_REPLY_SKIP);
	else if ((connection->protocol & MG_WIRE_NR_BODY) == 0)
		put_reply(connection, MG_REPLY_CONTINUE);
}

/* What is no step of a message. */
static void take_other(struct connection *connection, const struct mg_packet *packet)
{
	switch (packet->command) {
	case MG_WIRE_OPTIONS: connection->over = !negotiate(connection, packet); break;
	case MG_WIRE_BODY: on_body(connection, packet); break;
	case MG_WIRE_ABORT:
	case MG_WIRE_QUIT_NEW: mg_run_abort(connection->run); break;
	case MG_WIRE_UNKNOWN:
		connection->over = packet->length == 0;
		if (!connection->over)
			put_reply(connection, MG_REPLY_CONTINUE);
		break;
	default: break;
	}
}

static void take_in_order(struct connection *connection, const struct mg_packet *packet)
{
	bool ends;
	enum mg_order_taken taken = mg_order_take(&connection->order, packet->command, &ends);

	if (ends)
		mg_run_abort(connection->run);
	if (packet->command == MG_WIRE_QUIT || taken == MG_ORDER_UNKNOWN)
		connection->over = true;
	if (connection->over || taken == MG_ORDER_PASSED_OVER)
		return;
	mg_told_macros_begin(&connection->macros, packet->command);
	for (size_t row = 0; row < sizeof(steps) / sizeof(steps[0]); row++) {
		if (steps[row].command == packet->command) {
			take_step(connection, packet, row);
			return;
		}
	}
	take_other(connection, packet);
}

static void dispatch(struct connection *connection, const struct mg_packet *packet)
{
	if (packet->command == MG_WIRE_MACRO) {
		connection->over = packet->length == 0;
		mg_told_macros_take(&connection->macros, packet);
	} else if (connection->run == NULL && packet->command != MG_WIRE_OPTIONS) {
		/* Who does not begin with negotiation is no MTA. */
		connection->over = true;
	} else {
		take_in_order(connection, packet);
	}
}

/* --- the connection --- */

/* Waits for a packet as long as its kind may take; false when the connection is over. */
static bool next_packet(struct connection *connection, struct mg_packet *packet)
{
	int64_t limit = connection->run == NULL ? connection->timeouts->negotiation
						: connection->timeouts->idle;
	int64_t packet_timeout = connection->timeouts->packet;
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
		/* A packet that has begun gets at least one whole time of its own. */
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
			mg_link_flush(&connection->link,
				mg_link_now() + connection->timeouts->packet, &error) != 0)
			return;
	}
}

void mg_native_serve(
	struct mg_host *host, int fd, bool local, const struct mg_native_timeouts *timeouts)
{
	struct connection connection = {.host = host, .timeouts = timeouts, .local = local};

	mg_link_open(&connection.link, fd);
	mg_told_macros_init(&connection.macros);
	serve_packets(&connection);
	mg_link_close(&connection.link);
	if (connection.run != NULL)
		mg_run_close(connection.run);
	mg_told_macros_free(&connection.macros);
	mg_buf_free(&connection.edit);
}
