/* SPDX-License-Identifier: ISC */
#include "run/wire.h"

#include <string.h>

enum { LENGTH_BYTES = 4, OPTION_BYTES = 12 };

static void put32(char *target, uint32_t number)
{
	target[0] = (char)(number >> 24 & 0xff);
	target[1] = (char)(number >> 16 & 0xff);
	target[2] = (char)(number >> 8 & 0xff);
	target[3] = (char)(number & 0xff);
}

static uint32_t get32(const char *source)
{
	const unsigned char *bytes = (const unsigned char *)source;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

void mg_wire_put(struct mg_buf *out, char command, const void *data, size_t length)
{
	char head[LENGTH_BYTES + 1];

	if (length >= UINT32_MAX) {
		out->failed = true;
		return;
	}
	put32(head, (uint32_t)length + 1);
	head[LENGTH_BYTES] = command;
	mg_buf_add(out, head, sizeof(head));
	mg_buf_add(out, data, length);
}

long mg_wire_take(char *bytes, size_t length, size_t maximum, struct mg_packet *packet, char *saved)
{
	uint32_t size;

	if (length < LENGTH_BYTES)
		return 0;
	size = get32(bytes);
	if (size == 0 || size > maximum)
		return -1;
	if (length - LENGTH_BYTES < size)
		return 0;
	packet->command = bytes[LENGTH_BYTES];
	packet->data = bytes + LENGTH_BYTES + 1;
	packet->length = size - 1;
	*saved = bytes[LENGTH_BYTES + size];
	bytes[LENGTH_BYTES + size] = '\0';
	return LENGTH_BYTES + (long)size;
}

void mg_wire_cursor_init(struct mg_wire_cursor *cursor, const struct mg_packet *packet)
{
	cursor->next = packet->data;
	cursor->end = packet->data + packet->length;
	cursor->failed = false;
}

/* The next `length` bytes, or NULL and failed. */
static const char *take_bytes(struct mg_wire_cursor *cursor, size_t length)
{
	const char *bytes = cursor->next;

	if (cursor->failed || (size_t)(cursor->end - cursor->next) < length) {
		cursor->failed = true;
		return NULL;
	}
	cursor->next += length;
	return bytes;
}

const char *mg_wire_text(struct mg_wire_cursor *cursor)
{
	size_t left = (size_t)(cursor->end - cursor->next);
	const char *end = left > 0 ? memchr(cursor->next, '\0', left) : NULL;
	const char *text;

	if (end == NULL)
		cursor->failed = true;
	if (cursor->failed)
		return "";
	text = cursor->next;
	cursor->next = end + 1;
	return text;
}

uint32_t mg_wire_number32(struct mg_wire_cursor *cursor)
{
	const char *bytes = take_bytes(cursor, 4);

	return bytes != NULL ? get32(bytes) : 0;
}

uint16_t mg_wire_number16(struct mg_wire_cursor *cursor)
{
	const char *bytes = take_bytes(cursor, 2);

	return bytes != NULL ? (uint16_t)((unsigned char)bytes[0] << 8 | (unsigned char)bytes[1])
			     : 0;
}

char mg_wire_char(struct mg_wire_cursor *cursor)
{
	const char *bytes = take_bytes(cursor, 1);

	return bytes != NULL ? *bytes : '\0';
}

bool mg_wire_at_end(const struct mg_wire_cursor *cursor)
{
	return cursor->next == cursor->end;
}

void mg_wire_put_options(struct mg_buf *out, const struct mg_wire_options *options)
{
	struct mg_buf data = {0};
	char numbers[OPTION_BYTES];
	char stage[4];

	put32(numbers, options->version);
	put32(numbers + 4, options->actions);
	put32(numbers + 8, options->protocol);
	mg_buf_add(&data, numbers, sizeof(numbers));
	for (uint32_t i = 0; i < MG_WIRE_STAGE_COUNT; i++) {
		if (options->macros[i] == NULL)
			continue;
		put32(stage, i);
		mg_buf_add(&data, stage, sizeof(stage));
		mg_buf_add(&data, options->macros[i], strlen(options->macros[i]) + 1);
	}
	if (data.failed)
		out->failed = true;
	else
		mg_wire_put(out, MG_WIRE_OPTIONS, data.data, data.length);
	mg_buf_free(&data);
}

bool mg_wire_get_options(const struct mg_packet *packet, struct mg_wire_options *options)
{
	struct mg_wire_cursor cursor;

	*options = (struct mg_wire_options){0};
	if (packet->command != MG_WIRE_OPTIONS)
		return false;
	mg_wire_cursor_init(&cursor, packet);
	options->version = mg_wire_number32(&cursor);
	options->actions = mg_wire_number32(&cursor);
	options->protocol = mg_wire_number32(&cursor);
	while (!cursor.failed && !mg_wire_at_end(&cursor)) {
		uint32_t stage = mg_wire_number32(&cursor);
		const char *macros = mg_wire_text(&cursor);

		if (cursor.failed || stage >= MG_WIRE_STAGE_COUNT || options->macros[stage] != NULL)
			return false;
		options->macros[stage] = macros;
	}
	return !cursor.failed;
}
