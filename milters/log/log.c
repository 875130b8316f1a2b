/* SPDX-License-Identifier: ISC */
/* The callbacks: what is kept of a message while it comes in, and its event at the end. */
#include "log/log.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "log/auth.h"
#include "log/content.h"
#include "log/header.h"
#include "log/settings.h"
#include "log/tags.h"
#include "mail/fields.h"
#include "mail/header.h"

enum { HOLD_CODE_MAX = 60 };

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

/* What is kept of a message. */
struct log_message {
	struct log_content *content; /* NULL: not begun, not wanted, or no memory */
	int64_t spent; /* ns of own work before its end */
};

static int64_t now(const struct mg_call *call)
{
	return call->world->clock->monotonic(call->world->clock);
}

static bool wants_content(const struct log_settings *settings)
{
	return settings->attachments || settings->urls;
}

/* --- the content --- */

static void drop_content(struct mg_call *call)
{
	struct log_message *message = call->state;

	log_content_free(message->content);
	*message = (struct log_message){0};
}

static void log_eoh(struct mg_call *call)
{
	struct log_message *message = call->state;
	int64_t began = now(call);
	const struct mg_header *headers;
	size_t count;

	if (!wants_content(call->conf))
		return;
	message->content = log_content_new(call->conf);
	headers = mg_headers(call, &count);
	for (size_t i = 0; i < count; i++)
		log_content_header(message->content, &headers[i]);
	log_content_header_end(message->content);
	message->spent += now(call) - began;
}

/* With this callback the runner is told of the body and counts it, whether it is looked at or not. */
static void log_body(struct mg_call *call, const unsigned char *chunk, size_t length)
{
	struct log_message *message = call->state;
	int64_t began;

	if (message->content == NULL)
		return;
	began = now(call);
	log_content_body(message->content, chunk, length);
	message->spent += now(call) - began;
}

/* --- the end --- */

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
		if (!log_header_is(&headers[i], hold_field))
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

/* Sets the fields; false: the field that holds could not be taken off. */
static bool record(struct mg_call *call, struct mg_event *event)
{
	const struct log_settings *settings = call->conf;
	struct log_message *message = call->state;
	size_t count = 0;
	const struct mg_header *headers = mg_headers(call, &count);

	mg_fields_message(event, call->message);
	mg_event_set_number(
		event, &mg_fields[MG_FIELD_SMTP_SIZE], (int64_t)message_size(call->message));
	log_header_record(event, headers, count, settings);
	log_auth_record(event, headers, count, settings->authserv_id);
	if (settings->tags)
		log_tags_record(event, headers, count);
	if (wants_content(settings))
		log_content_record(message->content, settings, event);
	return take_holds_off(call, event, headers, count);
}

static void count(struct mg_call *call, enum log_metric metric, uint64_t amount)
{
	if (call->world->metrics != NULL)
		mg_metrics_add(call->world->metrics, metric, (int64_t)amount);
}

static void log_eom(struct mg_call *call, struct mg_verdict *verdict)
{
	const struct log_message *message = call->state;
	int64_t began = now(call);
	struct mg_event *event = mg_event_new(call->world->events, MG_MESSAGE_ACCEPTED);
	uint64_t size = message_size(call->message);
	struct mg_error error = {.text = ""};
	bool removed = record(call, event);

	mg_event_set_number(
		event, &mg_fields[MG_FIELD_EVENT_DURATION], message->spent + now(call) - began);
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

static void log_end(struct mg_call *call, enum mg_end how)
{
	(void)how;
	drop_content(call);
}

static void *configure(
	const struct mg_conf *conf, const struct mg_world *world, struct mg_errors *errors)
{
	(void)world;
	return log_settings_new(conf, errors);
}

static void release(void *snapshot)
{
	log_settings_free(snapshot);
}

const struct mg_filter mg_log_filter = {
	.name = "log",
	.edits = MG_EDIT_CHANGE,
	.message_size = sizeof(struct log_message),
	.options = log_settings_options,
	.defaults = (const char *const[]){"on_error=accept", "on_bound=accept", NULL},
	.metrics = log_metrics,
	.configure = configure,
	.release = release,
	.eoh = log_eoh,
	.body = log_body,
	.eom = log_eom,
	.renew = drop_content,
	.end = log_end,
};
