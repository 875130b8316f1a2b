/* SPDX-License-Identifier: ISC */
#include "streams.h"

#include <arpa/inet.h>
#include <string.h>

#include "run/client.h"

/* --- sessions --- */

static void put(struct mg_buf *bytes, char command, const char *data, size_t length)
{
	mg_wire_put(bytes, command, data, length);
}

static void put_text(struct mg_buf *bytes, char command, const char *text)
{
	put(bytes, command, text, strlen(text) + 1);
}

/* "Name\0value\0" … after the command that they belong to. */
#define PUT_MACROS(bytes, text) put((bytes), MG_WIRE_MACRO, (text), sizeof(text) - 1)

static const char *or_default(const char *text, const char *otherwise)
{
	return text != NULL ? text : otherwise;
}

void stream_negotiate(struct mg_buf *bytes, uint32_t protocol)
{
	const struct mg_wire_options offer = {
		.version = MG_WIRE_VERSION, .actions = MG_CLIENT_ACTIONS, .protocol = protocol};

	mg_wire_put_options(bytes, &offer);
}

static void put_connect(struct mg_buf *bytes, const char *name)
{
	static const char address[] = "4\231\044203.0.113.5";
	struct mg_buf data = {0};

	mg_buf_add(&data, name, strlen(name) + 1);
	mg_buf_add(&data, address, sizeof(address));
	put(bytes, MG_WIRE_CONNECT, data.data, data.length);
	mg_buf_free(&data);
}

static void put_field(struct mg_buf *bytes, const char *name, const char *value)
{
	struct mg_buf data = {0};

	mg_buf_add(&data, name, strlen(name) + 1);
	mg_buf_add_char(&data, ' ');
	mg_buf_add(&data, value, strlen(value) + 1);
	put(bytes, MG_WIRE_HEADER, data.data, data.length);
	mg_buf_free(&data);
}

static void put_content(struct mg_buf *bytes, const struct stream *stream, uint32_t protocol)
{
	const char *body = or_default(stream->body, "first\r\nsecond\r\n");

	if ((protocol & MG_WIRE_NO_HEADERS) == 0) {
		put_field(bytes, "Received", "from x\n\tby y");
		put_field(bytes, "Subject", "one");
		if (stream->field != NULL)
			put_field(bytes, "X-Probe", stream->field);
		put_field(bytes, "Subject", "two");
	}
	PUT_MACROS(bytes, "Ni\0004QUEUE\0");
	if ((protocol & MG_WIRE_NO_EOH) == 0)
		put(bytes, MG_WIRE_HEADER_END, "", 0);
	if ((protocol & MG_WIRE_NO_BODY) == 0 && body[0] != '\0') {
		put(bytes, MG_WIRE_BODY, body, strlen(body));
		put(bytes, MG_WIRE_BODY, "more\r\n", 6);
	}
	PUT_MACROS(bytes, "Ei\0004QUEUE\0");
	put(bytes, MG_WIRE_BODY_END, "", 0);
}

static void put_message(struct mg_buf *bytes, const struct stream *stream, uint32_t protocol)
{
	PUT_MACROS(bytes, "M{client_addr}\000203.0.113.5\0{client_port}\00039204\0"
			  "{auth_authen}\0user\0");
	put_text(bytes, MG_WIRE_MAIL, or_default(stream->sender, "<sender@example.org>"));
	put_text(bytes, MG_WIRE_RCPT, or_default(stream->recipient, "<recipient@example.net>"));
	put(bytes, MG_WIRE_RCPT, "<other@example.net>\0NOTIFY=NEVER\0", 33);
	PUT_MACROS(bytes, "Ti\0004QUEUE\0");
	if ((protocol & MG_WIRE_NO_DATA) == 0)
		put(bytes, MG_WIRE_DATA, "", 0);
	put_content(bytes, stream, protocol);
}

void stream_session(struct mg_buf *bytes, const struct stream *stream, uint32_t protocol)
{
	stream_negotiate(bytes, STREAM_FULL_OFFER);
	PUT_MACROS(bytes, "Cj\0mx.example.org\0{daemon_name}\0mx\0");
	if ((protocol & MG_WIRE_NO_CONNECT) == 0)
		put_connect(bytes, or_default(stream->client_name, "client.example.org"));
	if ((protocol & MG_WIRE_NO_HELO) == 0)
		put_text(bytes, MG_WIRE_HELO, or_default(stream->helo, "client.example.org"));
	for (int i = 0; i == 0 || i < stream->messages; i++)
		put_message(bytes, stream, protocol);
	put(bytes, MG_WIRE_QUIT, "", 0);
}

/* --- mistakes --- */

static size_t packet_size(const struct mg_buf *bytes, size_t begin)
{
	size_t left = bytes->length - begin, size;
	const unsigned char *head;

	if (left < 5)
		return 0;
	head = (const unsigned char *)bytes->data + begin;
	size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	return size > 0 && size <= left - 4 ? size + 4 : 0;
}

size_t stream_packets(const struct mg_buf *bytes, size_t begins[STREAM_PACKETS_MAX + 1])
{
	size_t count = 0, size;

	begins[0] = 0;
	while (count < STREAM_PACKETS_MAX && (size = packet_size(bytes, begins[count])) > 0) {
		begins[count + 1] = begins[count] + size;
		count++;
	}
	return count;
}

/* xorshift64 */
size_t stream_random(uint64_t *seed, size_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return below > 0 ? (size_t)(*seed >> 11) % below : 0;
}

enum mistake { LEFT_OUT, REPEATED, MOVED, CUT, OTHER_COMMAND, OTHER_BYTE, LONGER, TAKEN, ANY_BYTE };
enum { MISTAKES = ANY_BYTE + 1 };

/* Adds the packet, changed. */
static void add_changed(struct mg_buf *result, const char *packet, size_t size,
	enum mistake mistake, uint64_t *seed)
{
	static const char commands[] = "ABCDEHKLMNOQRTUZa";
	struct mg_buf data = {0};
	char command = packet[4];

	mg_buf_add(&data, packet + 5, size - 5);
	if (mistake == CUT && data.length > 0)
		data.length -= 1 + stream_random(seed, data.length);
	if (mistake == OTHER_COMMAND)
		command = commands[stream_random(seed, sizeof(commands) - 1)];
	if (mistake == OTHER_BYTE && data.length > 0)
		data.data[stream_random(seed, data.length)] = (char)stream_random(seed, 256);
	if (mistake == LONGER)
		mg_buf_add(&data, "x\0y", 1 + stream_random(seed, 3));
	put(result, command, data.data, data.length);
	mg_buf_free(&data);
}

static void add_packet_of(struct mg_buf *result, const struct mg_buf *other, uint64_t *seed)
{
	size_t begins[STREAM_PACKETS_MAX + 1], count = stream_packets(other, begins);
	size_t chosen = stream_random(seed, count);

	if (count > 0)
		mg_buf_add(
			result, other->data + begins[chosen], begins[chosen + 1] - begins[chosen]);
}

void stream_mistake(struct mg_buf *bytes, const struct mg_buf *other, uint64_t *seed)
{
	size_t begins[STREAM_PACKETS_MAX + 1], count = stream_packets(bytes, begins);
	/* Negotiation is seldom wrong, for nothing comes after it then. */
	size_t first = count > 1 && stream_random(seed, 20) > 0 ? 1 : 0;
	size_t chosen = first + stream_random(seed, count - first);
	enum mistake mistake = (enum mistake)stream_random(seed, MISTAKES);
	size_t moved = mistake == MOVED ? first + stream_random(seed, count - first) : count;
	struct mg_buf result = {0};

	for (size_t i = 0; i < count; i++) {
		const char *packet = bytes->data + begins[i];
		size_t size = begins[i + 1] - begins[i];

		if (i == moved)
			mg_buf_add(&result, bytes->data + begins[chosen],
				begins[chosen + 1] - begins[chosen]);
		if (i != chosen)
			mg_buf_add(&result, packet, size);
		else if (mistake == CUT || mistake == OTHER_COMMAND || mistake == OTHER_BYTE ||
			 mistake == LONGER)
			add_changed(&result, packet, size, mistake, seed);
		else if (mistake != LEFT_OUT && mistake != MOVED)
			mg_buf_add(&result, packet, size);
		if (i == chosen && mistake == REPEATED)
			mg_buf_add(&result, packet, size);
		if (i == chosen && mistake == TAKEN)
			add_packet_of(&result, other, seed);
	}
	if (mistake == ANY_BYTE && result.length > 17)
		result.data[17 + stream_random(seed, result.length - 17)] =
			(char)stream_random(seed, 256);
	mg_buf_free(bytes);
	*bytes = result;
}

/* --- differences --- */

/* inet_aton, which libmilter asks, knows "203.0.1137" and "0313.0.113.5", too. */
static bool is_odd_address(const struct mg_packet *packet)
{
	struct mg_wire_cursor cursor;
	struct in_addr address;
	const char *text;

	mg_wire_cursor_init(&cursor, packet);
	mg_wire_text(&cursor);
	if (mg_wire_char(&cursor) != '4')
		return false;
	mg_wire_number16(&cursor);
	text = mg_wire_text(&cursor);
	return !cursor.failed && inet_aton(text, &address) != 0 &&
	       inet_pton(AF_INET, text, &address) != 1;
}

static bool lacks_a_value(const struct mg_packet *packet)
{
	size_t texts = 0;

	for (size_t i = 1; i < packet->length; i++)
		texts += packet->data[i] == '\0';
	return texts % 2 != 0;
}

static bool offers_less(const struct mg_packet *packet, uint32_t protocol)
{
	enum {
		STEPS = MG_WIRE_NO_CONNECT | MG_WIRE_NO_HELO | MG_WIRE_NO_MAIL | MG_WIRE_NO_RCPT |
			MG_WIRE_NO_BODY | MG_WIRE_NO_HEADERS | MG_WIRE_NO_EOH | MG_WIRE_NO_UNKNOWN |
			MG_WIRE_NO_DATA
	};
	struct mg_wire_cursor cursor;

	mg_wire_cursor_init(&cursor, packet);
	mg_wire_number32(&cursor);
	mg_wire_number32(&cursor);
	return (~mg_wire_number32(&cursor) & protocol & STEPS) != 0 && !cursor.failed;
}

static const char *packet_difference(const struct mg_packet *packet, uint32_t protocol)
{
	bool is_text = packet->length > 0 && packet->data[packet->length - 1] == '\0';

	if (packet->length >= 65536)
		return "libmilter takes no more than 65,535 bytes; Postfix sends fields of 100 KiB";
	switch (packet->command) {
	case MG_WIRE_HELO:
		return !is_text && packet->length > 0
			       ? "libmilter leaves a name without end unanswered: the peer waits"
			       : NULL;
	case MG_WIRE_HEADER:
		return is_text && packet->data[0] == '\0'
			       ? "libmilter takes the wrong text for the value of a field "
				 "without name"
			       : NULL;
	case MG_WIRE_CONNECT:
		return is_odd_address(packet) ? "libmilter takes addresses of fewer parts" : NULL;
	case MG_WIRE_BODY_END:
		return packet->length > 0 ? "libmilter answers no end of message that has data"
					  : NULL;
	case MG_WIRE_MACRO:
		return lacks_a_value(packet)
			       ? "libmilter reads beyond its list when a macro has no value"
			       : NULL;
	case MG_WIRE_QUIT_NEW: return "libmilter forgets that there was a negotiation";
	case MG_WIRE_OPTIONS:
		return offers_less(packet, protocol) ? "libmilter has one table of steps left out "
						       "for all connections"
						     : NULL;
	default: return NULL;
	}
}

/* What stands where the next packet would begin. */
static bool is_odd_length(const struct mg_buf *bytes, size_t begin)
{
	const unsigned char *head;

	if (bytes->length - begin < 5)
		return false;
	head = (const unsigned char *)bytes->data + begin;
	return head[0] >= 0x80 || (head[0] | head[1] | head[2] | head[3]) == 0;
}

const char *stream_difference(const struct mg_buf *bytes, uint32_t protocol)
{
	size_t begins[STREAM_PACKETS_MAX + 1], count = stream_packets(bytes, begins);
	struct mg_buf copy = {0};
	const char *why = NULL;
	bool negotiated = false;

	for (size_t i = 0; i < count && why == NULL; i++) {
		struct mg_packet packet;
		char saved;

		mg_buf_reset(&copy);
		mg_buf_add(&copy, bytes->data + begins[i], begins[i + 1] - begins[i]);
		mg_wire_take(copy.data, copy.length, SIZE_MAX, &packet, &saved);
		negotiated = negotiated || packet.command == MG_WIRE_OPTIONS;
		why = packet_difference(&packet, protocol);
		if (why == NULL && !negotiated && packet.command != MG_WIRE_MACRO)
			why = "libmilter goes on with who does not negotiate";
	}
	if (why == NULL && is_odd_length(bytes, begins[count]))
		why = "libmilter takes a length of 0, or of 2 GiB and more, for a packet without "
		      "data";
	mg_buf_free(&copy);
	return why;
}
