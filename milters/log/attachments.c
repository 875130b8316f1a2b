/* SPDX-License-Identifier: ISC */
#include "log/attachments.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mail/fields.h"
#include "mail/parameters.h"

enum {
	ROOM_FIRST = 8,
	NAME_MAX_BYTES = 1024,
	WORD_MAX = 128,
	EXTENSION_MAX = 32,
	TEXTS_MAX = 64 * 1024
};

/* A text of `texts`. */
struct text {
	unsigned at, length;
};

struct log_attachment {
	unsigned part, facts;
	bool hashed; /* it has content of its own: size, hash and detected type */
	uint64_t size;
	const char *detected;
	struct text name, declared, disposition;
	unsigned char sha256[MG_SHA256_SIZE];
};

static struct text keep(struct log_attachments *attachments, const char *text, size_t length)
{
	struct text kept = {.at = (unsigned)attachments->texts.length, .length = (unsigned)length};

	if (length > TEXTS_MAX - attachments->texts.length) {
		attachments->cut = true;
		return (struct text){0};
	}
	mg_buf_add(&attachments->texts, text, length);
	if (attachments->texts.failed) {
		attachments->cut = true;
		return (struct text){0};
	}
	return kept;
}

/* --- what is an attachment --- */

/* Adds the file name a reader would see. */
static void read_name(const struct mg_mime_part *part, struct mg_buf *name)
{
	if (!mg_parameters_text(part->disposition, part->disposition_length, "filename", name))
		mg_parameters_text(part->content_type, part->content_type_length, "name", name);
}

static bool is_displayed(const char *type)
{
	return strncmp(type, "text/", 5) == 0 || strncmp(type, "message/", 8) == 0 ||
	       strncmp(type, "multipart/", 10) == 0;
}

/* A place at the end of the list, zeroed; NULL: no memory. */
static struct log_attachment *make(struct log_attachments *attachments)
{
	if (attachments->count == attachments->room) {
		size_t room = attachments->room == 0 ? ROOM_FIRST : 2 * attachments->room;
		struct log_attachment *list =
			realloc(attachments->list, room * sizeof(*attachments->list));

		if (list == NULL)
			return NULL;
		attachments->list = list;
		attachments->room = room;
	}
	attachments->list[attachments->count] = (struct log_attachment){0};
	return &attachments->list[attachments->count++];
}

static void open_content(struct log_attachments *attachments, struct log_attachment *attachment)
{
	attachments->open = attachment;
	mg_file_type_init(&attachments->type);
	if (attachments->hash == NULL)
		attachments->hash = mg_sha256_new();
}

void log_attachments_begin(struct log_attachments *attachments, const struct mg_mime_part *part)
{
	struct mg_buf name = {.limit = NAME_MAX_BYTES};
	char disposition[WORD_MAX] = "";
	struct log_attachment *attachment;

	attachments->open = NULL;
	if (!mg_parameters_word(
		    part->disposition, part->disposition_length, disposition, sizeof(disposition)))
		disposition[0] = '\0';
	read_name(part, &name);
	if (name.length > 0 || strcmp(disposition, "attachment") == 0 ||
		!is_displayed(part->type)) {
		attachments->total++;
		attachment = make(attachments);
		if (attachment != NULL) {
			attachment->part = part->number;
			attachments->cut |= name.length + 4 > NAME_MAX_BYTES;
			attachment->name = keep(attachments, mg_buf_text(&name), name.length);
			attachment->declared = keep(attachments, part->type, strlen(part->type));
			attachment->disposition =
				keep(attachments, disposition, strlen(disposition));
			if (!part->container)
				open_content(attachments, attachment);
		}
	}
	mg_buf_free(&name);
}

void log_attachments_content(
	struct log_attachments *attachments, const unsigned char *bytes, size_t length)
{
	if (attachments->open == NULL)
		return;
	mg_file_type_add(&attachments->type, bytes, length);
	if (attachments->hash != NULL)
		mg_sha256_add(attachments->hash, bytes, length);
}

void log_attachments_end(struct log_attachments *attachments, const struct mg_mime_part *part)
{
	struct log_attachment *attachment = attachments->open;

	if (attachment == NULL) {
		/* A message that was opened ends behind its parts. */
		for (size_t i = attachments->count;
			part->container && attachment == NULL && i-- > 0;)
			if (attachments->list[i].part == part->number)
				attachment = &attachments->list[i];
	} else {
		attachment->size = part->bytes;
		attachment->detected = mg_file_type_name(&attachments->type);
		attachment->hashed = attachments->hash != NULL &&
				     mg_sha256_finish(attachments->hash, attachment->sha256);
	}
	if (attachment != NULL)
		attachment->facts = part->facts;
	attachments->open = NULL;
}

/* --- the event --- */

static void set(struct mg_event *event, enum mg_field_id id,
	const struct log_attachments *attachments, struct text text)
{
	if (text.length > 0)
		mg_event_set_text_n(
			event, &mg_fields[id], attachments->texts.data + text.at, text.length);
}

/* What follows the last dot of a name; blanks and dots at its end, which some systems leave out, do
 * not count. */
static void set_extension(struct mg_event *event, const char *name, size_t length)
{
	char extension[EXTENSION_MAX + 1];
	size_t begin;

	while (length > 0 && (name[length - 1] == '.' || name[length - 1] == ' '))
		length--;
	for (begin = length; begin > 0 && name[begin - 1] != '.'; begin--)
		if (name[begin - 1] == '/' || name[begin - 1] == '\\' || name[begin - 1] == ' ' ||
			length - begin == EXTENSION_MAX)
			return;
	if (begin == 0 || begin == length)
		return;
	memcpy(extension, name + begin, length - begin);
	extension[length - begin] = '\0';
	mg_str_lower(extension);
	mg_event_set_text(event, &mg_fields[MG_FIELD_ATTACHMENT_EXTENSION], extension);
}

static void record_file(struct mg_event *event, const struct log_attachments *attachments,
	const struct log_attachment *attachment)
{
	char hash[2 * MG_SHA256_SIZE + 1];

	mg_event_begin_object(event, &mg_fields[MG_FIELD_EMAIL_ATTACHMENTS]);
	set(event, MG_FIELD_ATTACHMENT_NAME, attachments, attachment->name);
	if (attachment->name.length > 0)
		set_extension(event, attachments->texts.data + attachment->name.at,
			attachment->name.length);
	if (attachment->detected != NULL) {
		mg_event_set_text(
			event, &mg_fields[MG_FIELD_ATTACHMENT_TYPE], attachment->detected);
		mg_event_set_number(
			event, &mg_fields[MG_FIELD_ATTACHMENT_SIZE], (int64_t)attachment->size);
	} else {
		set(event, MG_FIELD_ATTACHMENT_TYPE, attachments, attachment->declared);
	}
	if (attachment->hashed) {
		mg_str_hex(hash, attachment->sha256, sizeof(attachment->sha256));
		mg_event_set_text(event, &mg_fields[MG_FIELD_ATTACHMENT_SHA256], hash);
	}
	mg_event_end_object(event);
}

static void record_own(struct mg_event *event, const struct log_attachments *attachments,
	const struct log_attachment *attachment)
{
	mg_event_begin_object(event, &mg_fields[MG_FIELD_ATTACHMENTS]);
	mg_event_set_number(event, &mg_fields[MG_FIELD_ATTACHMENTS_PART], attachment->part);
	set(event, MG_FIELD_ATTACHMENTS_DECLARED, attachments, attachment->declared);
	mg_event_set_text(event, &mg_fields[MG_FIELD_ATTACHMENTS_DETECTED], attachment->detected);
	set(event, MG_FIELD_ATTACHMENTS_DISPOSITION, attachments, attachment->disposition);
	for (unsigned fact = 1; fact != 0 && fact <= attachment->facts; fact <<= 1)
		if ((attachment->facts & fact) != 0)
			mg_event_set_text(event, &mg_fields[MG_FIELD_ATTACHMENTS_FACTS],
				mg_mime_fact_name(fact));
	mg_event_end_object(event);
}

void log_attachments_record(const struct log_attachments *attachments, struct mg_event *event)
{
	for (size_t i = 0; i < attachments->count; i++)
		record_file(event, attachments, &attachments->list[i]);
	for (size_t i = 0; i < attachments->count; i++)
		record_own(event, attachments, &attachments->list[i]);
	mg_event_set_number(event, &mg_fields[MG_FIELD_MIME_ATTACHMENTS], attachments->total);
	if (attachments->cut)
		mg_event_truncated(event, &mg_fields[MG_FIELD_ATTACHMENT_NAME]);
	if (attachments->count < attachments->total)
		mg_event_truncated(event, &mg_fields[MG_FIELD_EMAIL_ATTACHMENTS]);
}

void log_attachments_free(struct log_attachments *attachments)
{
	mg_sha256_free(attachments->hash);
	mg_buf_free(&attachments->texts);
	free(attachments->list);
}
