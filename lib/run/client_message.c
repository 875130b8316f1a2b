/* SPDX-License-Identifier: ISC */
/* mg_client_message: a message cut into the steps that Postfix makes of it. */
#include <stdlib.h>
#include <string.h>

#include "run/client.h"

/* A text to be read line by line. */
struct reader {
	const char *next, *end;
};

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

/* The next line without its CRLF or LF, not taken yet; *after is where the line after it begins. */
static size_t peek_line(const struct reader *reader, const char **after)
{
	size_t left = (size_t)(reader->end - reader->next);
	const char *newline = left > 0 ? memchr(reader->next, '\n', left) : NULL;
	const char *end = newline != NULL ? newline : reader->end;

	*after = newline != NULL ? newline + 1 : reader->end;
	if (newline != NULL && end > reader->next && end[-1] == '\r')
		end--;
	return (size_t)(end - reader->next);
}

/* Length of the field name at the begin of the line, 0 when it is no header field; *colon is the
 * place of its colon. */
static size_t name_length(const char *line, size_t length, size_t *colon)
{
	size_t name = 0;

	while (name < length && line[name] > ' ' && line[name] < 127 && line[name] != ':')
		name++;
	*colon = name;
	while (*colon < length && is_blank(line[*colon]))
		++*colon;
	return *colon < length && line[*colon] == ':' ? name : 0;
}

static bool goes_on(enum mg_answer answer)
{
	return answer == MG_ANSWER_CONTINUE || answer == MG_ANSWER_NONE || answer == MG_ANSWER_SKIP;
}

/* Takes one field with its folds into name and value; false at the end of the header. */
static bool read_field(struct reader *reader, struct mg_buf *name, struct mg_buf *value)
{
	const char *after;
	size_t length = peek_line(reader, &after), colon;
	size_t name_bytes = name_length(reader->next, length, &colon);

	if (name_bytes == 0)
		return false;
	mg_buf_reset(name);
	mg_buf_reset(value);
	mg_buf_add(name, reader->next, name_bytes);
	mg_buf_add(value, reader->next + colon + 1, length - colon - 1);
	reader->next = after;
	while (reader->next < reader->end && is_blank(*reader->next)) {
		length = peek_line(reader, &after);
		mg_buf_add_char(value, '\n');
		mg_buf_add(value, reader->next, length);
		reader->next = after;
	}
	return true;
}

static enum mg_answer send_header(struct mg_client *client, struct reader *reader)
{
	struct mg_buf name = {0}, value = {0};
	enum mg_answer answer = MG_ANSWER_NONE;
	const char *after;

	while (goes_on(answer) && read_field(reader, &name, &value))
		answer = name.failed || value.failed ? MG_ANSWER_LOST
						     : mg_client_header(client, mg_buf_text(&name),
							       mg_buf_text(&value));
	if (reader->next < reader->end && peek_line(reader, &after) == 0)
		reader->next = after;
	mg_buf_free(&name);
	mg_buf_free(&value);
	return answer;
}

/* A body chunk being filled. */
struct chunk {
	struct mg_client *client;
	char *bytes;
	size_t length, size;
	enum mg_answer answer;
};

static void add_to_chunk(struct chunk *chunk, const char *bytes, size_t length)
{
	while (length > 0 && goes_on(chunk->answer)) {
		size_t room = chunk->size - chunk->length;
		size_t part = length < room ? length : room;

		memcpy(chunk->bytes + chunk->length, bytes, part);
		chunk->length += part;
		bytes += part;
		length -= part;
		if (chunk->length == chunk->size) {
			chunk->answer = mg_client_body(chunk->client, chunk->bytes, chunk->length);
			chunk->length = 0;
		}
	}
}

static enum mg_answer send_body(struct mg_client *client, struct reader *reader, size_t size)
{
	struct chunk chunk = {.client = client, .size = size, .answer = MG_ANSWER_NONE};

	chunk.bytes = malloc(size);
	if (chunk.bytes == NULL)
		return MG_ANSWER_LOST;
	while (reader->next < reader->end && goes_on(chunk.answer)) {
		const char *after;
		size_t length = peek_line(reader, &after);
		bool ended = after > reader->next && after[-1] == '\n';

		add_to_chunk(&chunk, reader->next, length);
		if (ended)
			add_to_chunk(&chunk, "\r\n", 2);
		reader->next = after;
	}
	if (chunk.length > 0 && goes_on(chunk.answer))
		chunk.answer = mg_client_body(client, chunk.bytes, chunk.length);
	free(chunk.bytes);
	return chunk.answer;
}

enum mg_answer mg_client_message(
	struct mg_client *client, const char *message, size_t length, size_t chunk)
{
	struct reader reader = {.next = message, .end = message + length};
	enum mg_answer answer;

	if (chunk == 0 || chunk > MG_WIRE_CHUNK_MAX)
		chunk = MG_WIRE_CHUNK_MAX;
	answer = send_header(client, &reader);
	if (goes_on(answer))
		answer = mg_client_eoh(client);
	if (goes_on(answer))
		answer = send_body(client, &reader, chunk);
	return goes_on(answer) ? mg_client_eom(client) : answer;
}
