/* SPDX-License-Identifier: ISC */
#include "line_fields.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum type { TEXT, CODE, FLAG, NUMBER, SECONDS, PORT };

#define FIELD(name, type) \
	{ \
#name, type, offsetof(struct track_line, name) \
	}

static const struct field {
	const char *name;
	enum type type;
	size_t offset;
} fields[] = {
	FIELD(instance, TEXT),
	FIELD(service, TEXT),
	FIELD(program, TEXT),
	FIELD(queue_id, TEXT),
	FIELD(client.name, TEXT),
	FIELD(client.address, TEXT),
	FIELD(client.port, PORT),
	FIELD(relay.name, TEXT),
	FIELD(relay.address, TEXT),
	FIELD(relay.port, PORT),
	FIELD(word, TEXT),
	FIELD(stage, TEXT),
	FIELD(from, TEXT),
	FIELD(to, TEXT),
	FIELD(orig_to, TEXT),
	FIELD(message_id, TEXT),
	FIELD(helo, TEXT),
	FIELD(proto, TEXT),
	FIELD(sasl_method, TEXT),
	FIELD(sasl_username, TEXT),
	FIELD(sasl_sender, TEXT),
	FIELD(orig_queue_id, TEXT),
	FIELD(orig_client, TEXT),
	FIELD(orig_id, TEXT),
	FIELD(child, TEXT),
	FIELD(queued_as, TEXT),
	FIELD(status, TEXT),
	FIELD(addressee, TEXT),
	FIELD(dsn, TEXT),
	FIELD(tls_version, TEXT),
	FIELD(tls_cipher, TEXT),
	FIELD(tls_level, TEXT),
	FIELD(text, TEXT),
	FIELD(content, TEXT),
	FIELD(reply_command, TEXT),
	FIELD(remote, FLAG),
	FIELD(reply_code, CODE),
	FIELD(reply_enhanced, TEXT),
	FIELD(delay, SECONDS),
	FIELD(delays[0], SECONDS),
	FIELD(delays[1], SECONDS),
	FIELD(delays[2], SECONDS),
	FIELD(delays[3], SECONDS),
	FIELD(size, NUMBER),
	FIELD(recipients, NUMBER),
	FIELD(uid, NUMBER),
	FIELD(conn_use, NUMBER),
	FIELD(auth_tried, NUMBER),
	FIELD(auth_good, NUMBER),
	FIELD(mails, NUMBER),
	FIELD(rcpts_good, NUMBER),
	FIELD(rcpts_tried, NUMBER),
};

static bool text_value(const struct track_text *text, char *value, size_t size)
{
	snprintf(value, size, "%.*s", (int)text->length, text->text != NULL ? text->text : "");
	return text->text != NULL;
}

static bool field_value(const void *at, enum type type, char *value, size_t size)
{
	switch (type) {
	case TEXT: return text_value(at, value, size);
	case CODE: snprintf(value, size, "%d", *(const int *)at); return *(const int *)at != 0;
	case FLAG: snprintf(value, size, "yes"); return *(const bool *)at;
	case NUMBER:
		snprintf(value, size, "%jd", (intmax_t) * (const int64_t *)at);
		return *(const int64_t *)at != -1;
	case SECONDS:
		snprintf(value, size, "%g", *(const double *)at);
		return *(const double *)at >= 0;
	default:
		snprintf(value, size, "%d", *(const uint16_t *)at);
		return *(const uint16_t *)at != 0;
	}
}

bool line_field(const struct track_line *line, const char *name, char *value, size_t size)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return field_value(
				(const char *)line + fields[i].offset, fields[i].type, value, size);
	snprintf(value, size, "no such field");
	return false;
}

const char *line_field_name(size_t n)
{
	return n < COUNT(fields) ? fields[n].name : NULL;
}

const struct track_text *line_field_text(const struct track_line *line, size_t n)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (fields[i].type == TEXT && n-- == 0)
			return (const void *)((const char *)line + fields[i].offset);
	return NULL;
}
