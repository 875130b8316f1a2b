/* SPDX-License-Identifier: ISC */
#include "log/log.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"
#include "mail/fields.h"
#include "mail/header.h"
#include "mail/mailbox.h"

enum {
	VALUE_MAX = 64 * 1024, /* bytes of a field value that are looked at */
	TEXT_MAX = 16 * 1024, /* of a decoded text; events cut it further */
	HOLD_CODE_MAX = 60
};

static const char hold_field[] = "X-Millgate-Hold";

enum log_metric { METRIC_MESSAGES, METRIC_BYTES, METRIC_FAILED };

static const struct mg_metric log_metrics[] = {
	[METRIC_MESSAGES] = {"millgate_messages_total", "", "Messages recorded", MG_COUNTER},
	[METRIC_BYTES] = {"millgate_message_bytes_total", "", "Size of messages recorded",
		MG_COUNTER},
	[METRIC_FAILED] = {"millgate_events_failed_total", "",
		"Messages whose event could not be written", MG_COUNTER},
	{.name = NULL},
};

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
	{"Subject", false, record_subject},
	{"Message-ID", false, record_message_id},
	{"Date", false, record_date},
};
enum { RECORDED = sizeof(recorded) / sizeof(recorded[0]) };

static bool is_named(const struct mg_header *header, const char *name)
{
	return header->name_length == strlen(name) &&
	       strncasecmp(header->name, name, header->name_length) == 0;
}

static void record_headers(struct mg_event *event, const struct mg_header *headers, size_t count)
{
	bool seen[RECORDED] = {false};

	for (size_t i = 0; i < count; i++) {
		size_t length = headers[i].value_length;

		for (size_t row = 0; row < RECORDED; row++) {
			if (!is_named(&headers[i], recorded[row].name) ||
				(seen[row] && !recorded[row].each))
				continue;
			seen[row] = true;
			recorded[row].record(
				event, headers[i].value, length < VALUE_MAX ? length : VALUE_MAX);
		}
	}
}

static bool is_hold_code(const char *code, size_t length)
{
	return length > 0 && length <= HOLD_CODE_MAX &&
	       strspn(code, "-0123456789abcdefghijklmnopqrstuvwxyz") == length;
}

/* Records the code of the first hold and asks for the removal of all; false when that failed. */
static bool take_holds_off(
	struct mg_call *call, struct mg_event *event, const struct mg_header *headers, size_t count)
{
	struct mg_buf code = {.limit = HOLD_CODE_MAX + 1};
	unsigned holds = 0;
	bool removed = true;

	for (size_t i = 0; i < count; i++) {
		if (!is_named(&headers[i], hold_field))
			continue;
		if (holds++ == 0)
			mg_header_decode(headers[i].value, headers[i].value_length, &code);
	}
	if (is_hold_code(mg_buf_text(&code), code.length))
		mg_event_set_text(event, &mg_fields[MG_FIELD_HOLD_CODE], mg_buf_text(&code));
	mg_buf_free(&code);
	/* Edits end the validity of `headers`. */
	for (unsigned occurrence = holds; occurrence > 0 && removed; occurrence--)
		removed = mg_change_header(call, hold_field, occurrence, NULL) == 0;
	return removed;
}

static uint64_t message_size(const struct mg_message *message)
{
	return message->header_bytes + strlen("\r\n") + message->body_bytes;
}

static void count(struct mg_call *call, enum log_metric metric, uint64_t amount)
{
	if (call->world->metrics != NULL)
		mg_metrics_add(call->world->metrics, metric, (int64_t)amount);
}

/* Nothing of the body is looked at; with this callback the runner is told of it and counts. */
static void log_body(struct mg_call *call, const unsigned char *chunk, size_t length)
{
	(void)call;
	(void)chunk;
	(void)length;
}

static void log_eom(struct mg_call *call, struct mg_verdict *verdict)
{
	const struct mg_clock *clock = call->world->clock;
	int64_t began = clock->monotonic(clock);
	struct mg_event *event = mg_event_new(call->world->events, MG_MESSAGE_ACCEPTED);
	uint64_t size = message_size(call->message);
	struct mg_error error = {.text = ""};
	size_t header_count = 0;
	const struct mg_header *headers = mg_headers(call, &header_count);
	bool removed = true;

	mg_fields_message(event, call->message);
	mg_event_set_number(event, &mg_fields[MG_FIELD_SMTP_SIZE], (int64_t)size);
	if (headers != NULL) {
		record_headers(event, headers, header_count);
		removed = take_holds_off(call, event, headers, header_count);
	}
	mg_event_set_number(
		event, &mg_fields[MG_FIELD_EVENT_DURATION], clock->monotonic(clock) - began);
	if (mg_events_write(call->world->events, event, &error) == 0) {
		count(call, METRIC_MESSAGES, 1);
		count(call, METRIC_BYTES, size);
	} else {
		count(call, METRIC_FAILED, 1);
		verdict->action = MG_ERROR;
		mg_str_copy(verdict->reply, sizeof(verdict->reply), error.text);
	}
	if (!removed && verdict->action != MG_ERROR) {
		verdict->action = MG_ERROR;
		mg_str_format(
			verdict->reply, sizeof(verdict->reply), "cannot take %s off", hold_field);
	}
	mg_event_free(event);
}

const struct mg_filter mg_log_filter = {
	.name = "log",
	.edits = MG_EDIT_CHANGE,
	.defaults = (const char *const[]){"on_error=accept", "on_bound=accept", NULL},
	.metrics = log_metrics,
	.body = log_body,
	.eom = log_eom,
};
