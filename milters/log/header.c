/* SPDX-License-Identifier: ISC */
#include "log/header.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "mail/fields.h"
#include "mail/header.h"
#include "mail/mailbox.h"

enum {
	VALUE_MAX = 64 * 1024, /* bytes of a field value that are looked at */
	TEXT_MAX = 16 * 1024, /* of a decoded text; events cut it further */
	FURTHER_MAX = 50, /* fields of the setting `headers` */
	FURTHER_TEXT_MAX = 1024
};

bool log_header_is(const struct mg_header *header, const char *name)
{
	return header->name_length == strlen(name) &&
	       strncasecmp(header->name, name, header->name_length) == 0;
}

static void record_text(struct mg_event *event, enum mg_field_id field,
	void (*read)(const char *, size_t, struct mg_buf *), const char *value, size_t length)
{
	struct mg_buf text = {.limit = TEXT_MAX};

	read(value, length, &text);
	mg_event_set_text_n(event, &mg_fields[field], mg_buf_text(&text), text.length);
	mg_buf_free(&text);
}

static void record_subject(struct mg_event *event, const char *value, size_t length)
{
	record_text(event, MG_FIELD_EMAIL_SUBJECT, mg_header_decode, value, length);
}

static void record_message_id(struct mg_event *event, const char *value, size_t length)
{
	record_text(event, MG_FIELD_EMAIL_MESSAGE_ID, mg_header_message_id, value, length);
}

static void record_mailer(struct mg_event *event, const char *value, size_t length)
{
	record_text(event, MG_FIELD_EMAIL_X_MAILER, mg_header_decode, value, length);
}

static void record_date(struct mg_event *event, const char *value, size_t length)
{
	int64_t utc;

	if (mg_header_date(value, length, &utc))
		mg_event_set_time(event, &mg_fields[MG_FIELD_EMAIL_ORIGINATION], utc);
}

static void record_author(void *event, const struct mg_mailbox *mailbox)
{
	mg_event_set_text(event, &mg_fields[MG_FIELD_EMAIL_FROM], mailbox->address);
	mg_event_set_text(event, &mg_fields[MG_FIELD_HEADER_FROM_NAME], mailbox->name);
}

static void record_from(struct mg_event *event, const char *value, size_t length)
{
	mg_mailbox_list(value, length, record_author, event);
}

static void record_one_to(void *event, const struct mg_mailbox *mailbox)
{
	mg_event_set_text(event, &mg_fields[MG_FIELD_HEADER_TO], mailbox->address);
}

static void record_to(struct mg_event *event, const char *value, size_t length)
{
	mg_mailbox_list(value, length, record_one_to, event);
}

static void record_one_cc(void *event, const struct mg_mailbox *mailbox)
{
	mg_event_set_text(event, &mg_fields[MG_FIELD_HEADER_CC], mailbox->address);
}

static void record_cc(struct mg_event *event, const char *value, size_t length)
{
	mg_mailbox_list(value, length, record_one_cc, event);
}

static void record_one_reply_to(void *event, const struct mg_mailbox *mailbox)
{
	mg_event_set_text(event, &mg_fields[MG_FIELD_EMAIL_REPLY_TO], mailbox->address);
}

static void record_reply_to(struct mg_event *event, const char *value, size_t length)
{
	mg_mailbox_list(value, length, record_one_reply_to, event);
}

/* What is recorded of a header, by the name of the field. Of a field that must be there once
 * (RFC 5322 section 3.6) the first counts; every From does, for which one a reader sees depends on
 * his program. */
static const struct recorded {
	const char *name;
	bool each;
	void (*record)(struct mg_event *event, const char *value, size_t length);
} recorded[] = {
	{"From", true, record_from},
	{"To", false, record_to},
	{"Cc", false, record_cc},
	{"Reply-To", false, record_reply_to},
	{"Subject", false, record_subject},
	{"Message-ID", false, record_message_id},
	{"Date", false, record_date},
	{"User-Agent", false, record_mailer},
	{"X-Mailer", false, record_mailer},
};
enum { RECORDED = sizeof(recorded) / sizeof(recorded[0]) };

static void record_known(
	struct mg_event *event, const struct mg_header *header, bool seen[RECORDED])
{
	size_t length = header->value_length;

	for (size_t row = 0; row < RECORDED; row++) {
		if (!log_header_is(header, recorded[row].name))
			continue;
		if (!seen[row] || recorded[row].each)
			recorded[row].record(
				event, header->value, length < VALUE_MAX ? length : VALUE_MAX);
		seen[row] = true;
		return;
	}
}

static bool is_further(
	const struct mg_header *header, const struct log_settings *settings, const char **name)
{
	for (size_t i = 0; i < settings->header_count; i++) {
		if (!log_header_is(header, settings->headers[i]))
			continue;
		*name = settings->headers[i];
		return true;
	}
	return false;
}

static void record_further(struct mg_event *event, const struct mg_header *header, const char *name)
{
	struct mg_buf text = {.limit = FURTHER_TEXT_MAX};
	size_t length = header->value_length;

	mg_header_decode(header->value, length < VALUE_MAX ? length : VALUE_MAX, &text);
	if (text.length + 4 > FURTHER_TEXT_MAX)
		mg_event_truncated(event, &mg_fields[MG_FIELD_HEADERS_VALUE]);
	mg_event_begin_object(event, &mg_fields[MG_FIELD_HEADERS]);
	mg_event_set_text(event, &mg_fields[MG_FIELD_HEADERS_NAME], name);
	mg_event_set_text_n(
		event, &mg_fields[MG_FIELD_HEADERS_VALUE], mg_buf_text(&text), text.length);
	mg_event_end_object(event);
	mg_buf_free(&text);
}

void log_header_record(struct mg_event *event, const struct mg_header *headers, size_t count,
	const struct log_settings *settings)
{
	bool seen[RECORDED] = {false};
	size_t further = 0;

	for (size_t i = 0; i < count; i++) {
		const char *name;

		record_known(event, &headers[i], seen);
		if (!is_further(&headers[i], settings, &name))
			continue;
		if (further++ < FURTHER_MAX)
			record_further(event, &headers[i], name);
		else
			mg_event_truncated(event, &mg_fields[MG_FIELD_HEADERS]);
	}
}
