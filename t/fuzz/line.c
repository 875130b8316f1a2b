/* SPDX-License-Identifier: ISC */
/* A line of Postfix's log. The first byte is the program, the rest the line. Each text of what was
 * read lies inside the line; ids are ids; and what a stranger wrote gives no field: when text and
 * content are overwritten, everything else is read as before. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/line_fields.h"
#include "track/line.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const identifiers[] = {
	"postfix/smtpd",
	"postfix/cleanup",
	"postfix/qmgr",
	"postfix/smtp",
	"postfix/lmtp",
	"postfix/local",
	"postfix/pipe",
	"postfix/error",
	"postfix/bounce",
	"postfix/pickup",
	"postfix/postsuper",
	"postfix/postscreen",
	"postfix/tlsproxy",
	"postfix/anvil",
	"postfix/submission/smtpd",
	"postfix",
};

/* Made of text or content, or words of ours. */
static const char *const derived[] = {"text", "content", "remote", "reply_code", "reply_enhanced",
	"reply_command", "queued_as", "child", "relay.name", "relay.address", "relay.port"};

static enum track_reading read_line(
	const char *identifier, const char *text, size_t length, struct track_line *line)
{
	static const char *const instances[] = {"postfix", NULL};
	const struct track_record record = {.identifier = identifier,
		.identifier_length = strlen(identifier),
		.text = text,
		.length = length};

	return track_line_read(&record, instances, line);
}

static bool lies_in(const struct track_text *text, const char *start, size_t length)
{
	return text->text >= start && text->length <= length &&
	       (size_t)(text->text - start) <= length - text->length;
}

/* Words and addressees may be constants. */
static void check_texts(
	const struct track_line *line, const char *identifier, const char *text, size_t length)
{
	const struct track_text *field;

	for (size_t i = 0; (field = line_field_text(line, i)) != NULL; i++)
		assert(field->text == NULL || field == &line->word || field == &line->addressee ||
			lies_in(field, text, length) ||
			lies_in(field, identifier, strlen(identifier)));
}

static void check_id(const struct track_text *id)
{
	assert(id->text == NULL || track_is_queue_id(id->text, id->length));
}

static bool is_derived(const char *name)
{
	for (size_t i = 0; i < COUNT(derived); i++)
		if (strcmp(derived[i], name) == 0)
			return true;
	return false;
}

static void mask(char *copy, const char *line, const struct track_text *text)
{
	if (text->text != NULL)
		memset(copy + (text->text - line), 'x', text->length);
}

/* The copy with text and content overwritten gives the same fields. */
static void check_strangers(const struct track_line *line, const char *identifier, const char *text,
	char *copy, size_t length)
{
	struct track_line other;
	char value[4096], other_value[4096];
	const char *name;

	mask(copy, text, &line->text);
	mask(copy, text, &line->content);
	assert(read_line(identifier, copy, length, &other) == TRACK_READ);
	assert(other.kind == line->kind);
	for (size_t i = 0; (name = line_field_name(i)) != NULL; i++) {
		bool has = line_field(line, name, value, sizeof(value));

		if (is_derived(name))
			continue;
		assert(line_field(&other, name, other_value, sizeof(other_value)) == has);
		assert(!has || strcmp(value, other_value) == 0);
	}
}

static void check(const char *identifier, const char *text, char *copy, size_t length)
{
	struct track_line line;

	if (read_line(identifier, text, length, &line) == TRACK_UNKNOWN) {
		assert(line.text.text == text && line.text.length == length);
		assert(line.queue_id.text == NULL);
		return;
	}
	check_texts(&line, identifier, text, length);
	check_id(&line.queue_id);
	check_id(&line.child);
	check_id(&line.queued_as);
	check_id(&line.orig_id);
	assert(line.delay == -1 || line.delay >= 0);
	/* The text of a warning is all of the line, its client with it. */
	if (line.kind != TRACK_WARNING && line.kind != TRACK_MILTER_DOWN)
		check_strangers(&line, identifier, text, copy, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length;
	char *text, *copy;

	if (size == 0)
		return 0;
	length = size - 1;
	/* No NUL behind it: reading on is seen. */
	text = malloc(length > 0 ? length : 1);
	copy = malloc(length > 0 ? length : 1);
	if (text != NULL && copy != NULL) {
		memcpy(text, data + 1, length);
		memcpy(copy, data + 1, length);
		check(identifiers[data[0] % COUNT(identifiers)], text, copy, length);
	}
	free(text);
	free(copy);
	return 0;
}
