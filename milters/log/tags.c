/* SPDX-License-Identifier: ISC */
#include "log/tags.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "log/json.h"
#include "mail/fields.h"
#include "mail/header.h"

enum {
	TAGS_MAX = 50,
	TAG_MAX = 256, /* bytes */
	TRIES_MAX = 500, /* tags and pairs that are looked at, whether they are new or not */
	VALUE_MAX = 64 * 1024 /* bytes of a field that are read */
};

/* What was set so far. */
struct tags {
	struct mg_event *event;
	struct mg_buf told; /* the tags, each with a NUL behind it */
	size_t count, tries;
};

/* Whether one more may be looked at. */
static bool may_try(struct tags *tags, enum mg_field_id id)
{
	if (tags->tries++ < TRIES_MAX)
		return true;
	if (tags->tries == TRIES_MAX + 1)
		mg_event_truncated(tags->event, &mg_fields[id]);
	return false;
}

static bool is_told(const struct tags *tags, const char *tag)
{
	const char *at = tags->told.data;

	for (size_t i = 0; i < tags->count; i++, at += strlen(at) + 1)
		if (strcmp(at, tag) == 0)
			return true;
	return false;
}

static void add_tag(struct tags *tags, const char *text, size_t length)
{
	struct mg_buf tag = {.limit = TAG_MAX};

	if (!may_try(tags, MG_FIELD_MESSAGE_TAGS))
		return;
	mg_header_plain(text, length, &tag);
	if (tag.length > 0 && !is_told(tags, tag.data)) {
		if (tags->count == TAGS_MAX || tag.length + 4 > TAG_MAX)
			mg_event_truncated(tags->event, &mg_fields[MG_FIELD_MESSAGE_TAGS]);
		if (tags->count < TAGS_MAX) {
			mg_event_set_text_n(tags->event, &mg_fields[MG_FIELD_MESSAGE_TAGS],
				tag.data, tag.length);
			mg_buf_add(&tags->told, tag.data, tag.length + 1);
			tags->count += !tags->told.failed;
		}
	}
	mg_buf_free(&tag);
}

static void add_pair(
	struct tags *tags, const char *name, size_t name_length, const char *text, size_t length)
{
	if (may_try(tags, MG_FIELD_MESSAGE_METADATA))
		mg_event_set_member(tags->event, &mg_fields[MG_FIELD_MESSAGE_METADATA], name,
			name_length, text, length);
}

/* --- kinds of fields; text is decoded --- */

/* What a field's name has behind that of its row. */
struct rest {
	const char *name;
	size_t length;
};

static void read_tag(struct tags *tags, const struct rest *rest, const char *text, size_t length)
{
	(void)rest;
	add_tag(tags, text, length);
}

/* name=value, name=value */
static void read_pairs(struct tags *tags, const struct rest *rest, const char *text, size_t length)
{
	const char *at = text, *end = text + length;

	(void)rest;
	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end, *equals, *name_end;

		while (at < stop && *at == ' ')
			at++;
		equals = memchr(at, '=', (size_t)(stop - at));
		if (equals != NULL) {
			const char *value = equals + 1, *value_end = stop;

			for (name_end = equals; name_end > at && name_end[-1] == ' '; name_end--)
				;
			while (value < value_end && *value == ' ')
				value++;
			while (value_end > value && value_end[-1] == ' ')
				value_end--;
			add_pair(tags, at, (size_t)(name_end - at), value,
				(size_t)(value_end - value));
		}
		at = comma != NULL ? comma + 1 : end;
	}
}

/* The rest of the field's name is a name. */
static void read_named(struct tags *tags, const struct rest *rest, const char *text, size_t length)
{
	add_pair(tags, rest->name, rest->length, text, length);
}

/* The members of a JSON object are names and values. */
static void read_object(struct tags *tags, const struct rest *rest, const char *text, size_t length)
{
	struct log_json json = {text, text + length}, value;
	struct mg_buf member = {.limit = 0}, said = {.limit = 0};

	(void)rest;
	if (log_json_open(&json, '{'))
		while (log_json_next(&json, &member, &value)) {
			if (log_json_text(&value, &said))
				add_pair(tags, mg_buf_text(&member), member.length,
					mg_buf_text(&said), said.length);
			mg_buf_reset(&member);
			mg_buf_reset(&said);
		}
	mg_buf_free(&member);
	mg_buf_free(&said);
}

static void read_category(struct tags *tags, const struct log_json *category)
{
	struct log_json json = *category, value = *category;
	struct mg_buf said = {.limit = 0};
	bool list = log_json_open(&json, '[');

	while (!list || log_json_next(&json, NULL, &value)) {
		if (log_json_text(&value, &said))
			add_tag(tags, mg_buf_text(&said), said.length);
		mg_buf_reset(&said);
		if (!list)
			break;
	}
	mg_buf_free(&said);
}

/* { "category": text or list, "unique_args": object, … } */
static void read_smtpapi(
	struct tags *tags, const struct rest *rest, const char *text, size_t length)
{
	struct log_json json = {text, text + length}, value;
	struct mg_buf member = {.limit = 0};

	if (log_json_open(&json, '{'))
		while (log_json_next(&json, &member, &value)) {
			if (strcmp(mg_buf_text(&member), "category") == 0)
				read_category(tags, &value);
			else if (strcmp(mg_buf_text(&member), "unique_args") == 0)
				read_object(tags, rest, value.at, (size_t)(value.end - value.at));
			mg_buf_reset(&member);
		}
	mg_buf_free(&member);
}

static const struct field {
	const char *name;
	bool prefix; /* the name goes on */
	enum mg_field_id id; /* what is cut when the value is */
	void (*read)(struct tags *tags, const struct rest *rest, const char *text, size_t length);
} fields[] = {
	{"X-SES-MESSAGE-TAGS", false, MG_FIELD_MESSAGE_METADATA, read_pairs},
	{"X-PM-Tag", false, MG_FIELD_MESSAGE_TAGS, read_tag},
	{"X-PM-Metadata-", true, MG_FIELD_MESSAGE_METADATA, read_named},
	{"X-SMTPAPI", false, MG_FIELD_MESSAGE_METADATA, read_smtpapi},
	{"X-Mailgun-Tag", false, MG_FIELD_MESSAGE_TAGS, read_tag},
	{"X-Mailgun-Variables", false, MG_FIELD_MESSAGE_METADATA, read_object},
	{"X-Postal-Tag", false, MG_FIELD_MESSAGE_TAGS, read_tag},
};

static const struct field *find(const struct mg_header *header)
{
	if (header->name_length < 2 || (header->name[0] | 0x20) != 'x' || header->name[1] != '-')
		return NULL;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t length = strlen(fields[i].name);

		if ((fields[i].prefix ? header->name_length > length
				      : header->name_length == length) &&
			strncasecmp(header->name, fields[i].name, length) == 0)
			return &fields[i];
	}
	return NULL;
}

void log_tags_record(struct mg_event *event, const struct mg_header *headers, size_t count)
{
	struct tags tags = {.event = event};

	for (size_t i = 0; i < count; i++) {
		const struct field *field = find(&headers[i]);
		struct mg_buf text = {.limit = 0};
		size_t length = headers[i].value_length;
		struct rest rest;

		if (field == NULL)
			continue;
		if (length > VALUE_MAX) {
			mg_event_truncated(event, &mg_fields[field->id]);
			length = VALUE_MAX;
		}
		mg_header_decode(headers[i].value, length, &text);
		rest = (struct rest){headers[i].name + strlen(field->name),
			headers[i].name_length - strlen(field->name)};
		field->read(&tags, &rest, mg_buf_text(&text), text.length);
		mg_buf_free(&text);
	}
	mg_buf_free(&tags.told);
}
