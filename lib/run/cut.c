/* SPDX-License-Identifier: ISC */
#include "run/cut.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "run/wire.h"

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

/* Whether the message goes on; *memory becomes false when it ran out. */
static bool cut_header(const struct mg_cut *cut, struct reader *reader, bool *memory)
{
	struct mg_buf name = {0}, value = {0};
	bool goes_on = true;
	const char *after;

	while (goes_on && *memory && read_field(reader, &name, &value)) {
		*memory = !name.failed && !value.failed;
		if (*memory)
			goes_on =
				cut->header(cut->context, mg_buf_text(&name), mg_buf_text(&value));
	}
	if (reader->next < reader->end && peek_line(reader, &after) == 0)
		reader->next = after;
	mg_buf_free(&name);
	mg_buf_free(&value);
	return goes_on && *memory;
}

/* A body chunk being filled. */
struct chunk {
	const struct mg_cut *cut;
	char bytes[MG_WIRE_CHUNK_MAX];
	size_t length, size;
	bool goes_on;
};

static void begin_chunk(struct chunk *chunk)
{
	chunk->length = 0;
	chunk->size = chunk->cut->chunk(chunk->cut->context);
	if (chunk->size == 0 || chunk->size > MG_WIRE_CHUNK_MAX)
		chunk->size = MG_WIRE_CHUNK_MAX;
}

static void add_to_chunk(struct chunk *chunk, const char *bytes, size_t length)
{
	while (length > 0 && chunk->goes_on) {
		size_t room = chunk->size - chunk->length;
		size_t part = length < room ? length : room;

		memcpy(chunk->bytes + chunk->length, bytes, part);
		chunk->length += part;
		bytes += part;
		length -= part;
		if (chunk->length < chunk->size)
			continue;
		chunk->goes_on = chunk->cut->body(chunk->cut->context, chunk->bytes, chunk->length);
		begin_chunk(chunk);
	}
}

static void cut_body(struct chunk *chunk, struct reader *reader)
{
	begin_chunk(chunk);
	while (reader->next < reader->end && chunk->goes_on) {
		const char *after;
		size_t length = peek_line(reader, &after);

		add_to_chunk(chunk, reader->next, length);
		if (after[-1] == '\n')
			add_to_chunk(chunk, "\r\n", 2);
		reader->next = after;
	}
	if (chunk->length > 0 && chunk->goes_on)
		chunk->cut->body(chunk->cut->context, chunk->bytes, chunk->length);
}

bool mg_cut_message(const struct mg_cut *cut, const char *message, size_t length)
{
	struct reader reader = {.next = message, .end = message + length};
	struct chunk *chunk = malloc(sizeof *chunk);
	bool memory = chunk != NULL;

	if (memory && cut_header(cut, &reader, &memory) && cut->eoh(cut->context)) {
		chunk->cut = cut;
		chunk->goes_on = true;
		cut_body(chunk, &reader);
	}
	free(chunk);
	return memory;
}
