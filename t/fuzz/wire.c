/* SPDX-License-Identifier: ISC */
/* Milter packets: the stream cut into packets whatever its bytes are, each read as options, as a
 * filter's reply after each command, and by a cursor. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "run/client_reply.h"
#include "run/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every kind of value in turn until nothing is left: a cursor never leaves its packet. */
static void read_all(const struct mg_packet *packet)
{
	struct mg_wire_cursor cursor;

	mg_wire_cursor_init(&cursor, packet);
	for (unsigned turn = 0; !cursor.failed && !mg_wire_at_end(&cursor); turn++) {
		switch (turn % 4) {
		case 0: mg_wire_char(&cursor); break;
		case 1: (void)strlen(mg_wire_text(&cursor)); break;
		case 2: mg_wire_number16(&cursor); break;
		default: mg_wire_number32(&cursor); break;
		}
		assert(cursor.next <= cursor.end);
	}
}

static void read_options(const struct mg_packet *packet)
{
	struct mg_wire_options options, again;
	struct mg_packet copy;
	struct mg_buf out = {0};
	char saved;

	if (!mg_wire_get_options(packet, &options))
		return;
	mg_wire_put_options(&out, &options);
	assert(!out.failed);
	assert(mg_wire_take(out.data, out.length, SIZE_MAX, &copy, &saved) == (long)out.length);
	assert(mg_wire_get_options(&copy, &again));
	assert(again.version == options.version && again.protocol == options.protocol);
	mg_buf_free(&out);
}

static void read_reply(struct mg_client_reply *reply, const struct mg_packet *packet)
{
	static const char commands[] = "CHMRTLNBEU";

	for (const char *command = commands; *command != '\0'; command++) {
		struct mg_error error;

		mg_client_reply_take(reply, *command, packet, &error);
		(void)strlen(reply->text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Exactly as large as the interface asks for, so that one byte more is an error. */
	char *bytes = malloc(size + 1);
	struct mg_client_reply reply = {0};
	size_t used = 0;

	if (bytes == NULL)
		return 0;
	if (size > 0)
		memcpy(bytes, data, size);
	while (used < size) {
		struct mg_packet packet;
		char saved;
		long taken = mg_wire_take(
			bytes + used, size - used, MG_WIRE_PACKET_MAX, &packet, &saved);

		if (taken <= 0)
			break;
		assert((size_t)taken <= size - used && packet.length + 5 == (size_t)taken);
		read_all(&packet);
		read_options(&packet);
		read_reply(&reply, &packet);
		used += (size_t)taken;
		bytes[used] = saved;
	}
	mg_client_reply_free(&reply);
	free(bytes);
	return 0;
}
