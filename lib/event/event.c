/* SPDX-License-Identifier: ISC */
#include "event/event.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/str.h"
#include "event/document.h"
#include "event/json_text.h"

#define ECS_VERSION "8.11.0"

enum {
	TEXT_MAX = 8 * 1024,
	MEMBER_NAME_MAX = 64,
	MEMBER_TEXT_MAX = 1024,
	EVENT_OVERHEAD = 1024, /* @timestamp and what event always has */
	UUID_BYTES = 16,
	UUID_TEXT = 37,
	REF_DIGITS = 8,
	TIME_TEXT = 32
};

/* What an action is in ECS 8.11: kind, category and type by its tables of allowed values (a type
 * must be one that its category expects: email info; network denied; configuration change;
 * process info). A refusal is `denied`, so it is of the network too. The log's own records are
 * about the process that writes it. */
static const struct {
	const char *name, *kind, *category, *type, *outcome;
} actions[MG_EVENT_ACTION_COUNT] = {
	[MG_MESSAGE_ACCEPTED] = {"message-accepted", "event", "\"email\"", "\"info\"", "success"},
	[MG_MESSAGE_PASSED] = {"message-passed", "event", "\"email\"", "\"info\"", "success"},
	[MG_MESSAGE_REJECTED] = {"message-rejected", "event", "\"email\",\"network\"",
		"\"info\",\"denied\"", "failure"},
	[MG_MESSAGE_DEFERRED] = {"message-deferred", "event", "\"email\",\"network\"",
		"\"info\",\"denied\"", "failure"},
	[MG_MESSAGE_HELD] = {"message-held", "event", "\"email\"", "\"info\"", "success"},
	[MG_MESSAGE_TAGGED] = {"message-tagged", "event", "\"email\"", "\"info\"", "success"},
	[MG_MESSAGE_DISCARDED] = {"message-discarded", "event", "\"email\"", "\"info\"", "success"},
	[MG_MESSAGE_SIGNED] = {"message-signed", "event", "\"email\"", "\"info\"", "success"},
	[MG_MESSAGE_UNSIGNED] = {"message-unsigned", "event", "\"email\"", "\"info\"", "failure"},
	[MG_KEY_WAITING] = {"key-waiting", "event", "\"configuration\"", "\"info\"", "unknown"},
	[MG_KEY_SWITCHED] = {"key-switched", "event", "\"configuration\"", "\"change\"", "success"},
	[MG_KEY_MISMATCH] = {"key-mismatch", "event", "\"configuration\"", "\"info\"", "failure"},
	[MG_KEY_REFUSED] = {"key-refused", "event", "\"configuration\"", "\"info\"", "failure"},
	[MG_DELIVERY_SUCCEEDED] = {"delivery-succeeded", "event", "\"email\"", "\"info\"",
		"success"},
	[MG_DELIVERY_DEFERRED] = {"delivery-deferred", "event", "\"email\"", "\"info\"", "failure"},
	[MG_DELIVERY_FAILED] = {"delivery-failed", "event", "\"email\"", "\"info\"", "failure"},
	[MG_DELIVERY_EXPIRED] = {"delivery-expired", "event", "\"email\"", "\"info\"", "failure"},
	[MG_DELIVERY_OVERDUE] = {"delivery-overdue", "alert", "\"email\"", "\"info\"", "unknown"},
	[MG_NOTIFICATION_SENT] = {"notification-sent", "event", "\"email\"", "\"info\"", "success"},
	[MG_MESSAGE_RELEASED] = {"message-released", "event", "\"email\"", "\"info\"", "success"},
	[MG_MESSAGE_REMOVED] = {"message-removed", "event", "\"email\"", "\"info\"", "success"},
	[MG_MESSAGE_UNQUEUED] = {"message-unqueued", "event", "\"email\"", "\"info\"", "failure"},
	[MG_FILTER_MISSED] = {"filter-missed", "alert", "\"email\"", "\"info\"", "failure"},
	[MG_HOLD_MISSED] = {"hold-missed", "alert", "\"email\"", "\"info\"", "failure"},
	[MG_AUTH_FAILED] = {"auth-failed", "event", "\"authentication\"", "\"info\"", "failure"},
	[MG_CONNECTION_LOST] = {"connection-lost", "event", "\"network\"", "\"end\"", "failure"},
	[MG_SESSION_LINKED] = {"session-linked", "event", "\"network\"", "\"end\"", "success"},
	[MG_LINE_UNKNOWN] = {"line-unknown", "pipeline_error", "\"process\"", "\"info\"",
		"failure"},
	[MG_OPERATOR_ACTED] = {"operator-acted", "event", "\"configuration\"", "\"change\"",
		"success"},
	[MG_FILTER_ERROR] = {"filter-error", "event", "\"email\"", "\"info\"", "failure"},
	[MG_EVENTS_LOST] = {"events-lost", "event", "\"process\"", "\"info\"", "failure"},
	[MG_LOG_OPENED] = {"log-opened", "event", "\"process\"", "\"info\"", "success"},
	[MG_CONFIG_LOADED] = {"config-loaded", "event", "\"configuration\"", "\"change\"",
		"success"},
	[MG_CONFIG_REJECTED] = {"config-rejected", "event", "\"configuration\"", "\"change\"",
		"failure"},
};

/* What no row of a table may set: every event has it from here. */
static const char *const own_names[] = {"@timestamp", "ecs.version", "host.name", "observer.vendor",
	"observer.product", "observer.version", "observer.type", "observer.hostname", "event.id",
	"event.kind", "event.category", "event.type", "event.action", "event.outcome",
	"event.provider", "event.dataset", "event.sequence", "event.hash"};

struct mg_events {
	const struct mg_redact *redact;
	struct mg_spool *spool;
	mg_events_taker *take; /* NULL: the spool does */
	void *taker;
	const struct mg_clock *clock;
	struct mg_buf host; /* the members ecs, host, observer as text */
	struct mg_buf provider; /* the members provider and dataset of event */
};

struct mg_event {
	const struct mg_events *events;
	enum mg_event_action action;
	struct mg_document document;
	struct mg_buf scratch;
	const char *outcome;
	char time[TIME_TEXT];
	char id[UUID_TEXT];
};

const char *mg_event_action_name(enum mg_event_action action)
{
	return actions[action].name;
}

static void add_member(struct mg_buf *out, const char *name, const char *text)
{
	mg_buf_add_format(out, "\"%s\":", name);
	mg_json_text(out, text, strlen(text));
}

/* --- the log --- */

struct mg_events *mg_events_new(const struct mg_events_identity *identity,
	const struct mg_redact *redact, struct mg_spool *spool, const struct mg_clock *clock)
{
	struct mg_events *events = calloc(1, sizeof *events);
	const char *dash = strchr(identity->program, '-');
	struct mg_buf *host;

	if (events == NULL)
		return NULL;
	events->redact = redact;
	events->spool = spool;
	events->clock = clock;
	host = &events->host;
	mg_buf_add_text(host, "\"ecs\":{\"version\":\"" ECS_VERSION "\"},\"host\":{");
	add_member(host, "name", identity->host);
	mg_buf_add_text(host, "},\"observer\":{\"vendor\":\"millgate\",\"product\":\"millgate\",");
	add_member(host, "version", identity->version);
	mg_buf_add_text(host, ",\"type\":\"mail-gateway\",");
	add_member(host, "hostname", identity->host);
	mg_buf_add_char(host, '}');
	add_member(&events->provider, "provider", identity->program);
	mg_buf_add_text(&events->provider, ",\"dataset\":\"millgate");
	if (dash != NULL) {
		mg_buf_add_char(&events->provider, '.');
		mg_buf_add_text(&events->provider, dash + 1);
	}
	mg_buf_add_char(&events->provider, '"');
	if (host->failed || events->provider.failed) {
		mg_events_free(events);
		return NULL;
	}
	return events;
}

void mg_events_free(struct mg_events *events)
{
	if (events == NULL)
		return;
	mg_buf_free(&events->host);
	mg_buf_free(&events->provider);
	free(events);
}

bool mg_events_is_clear(const struct mg_events *events, enum mg_privacy privacy)
{
	return mg_redact_is_clear(events->redact, privacy);
}

void mg_events_divert(struct mg_events *events, mg_events_taker *take, void *context)
{
	events->take = take;
	events->taker = context;
}

/* --- an event --- */

/* UUIDv7, RFC 9562 section 5.7: 48 bits of milliseconds, then the bytes given but version and
 * variant. */
static void make_id(char text[UUID_TEXT], int64_t utc, unsigned char id[UUID_BYTES])
{
	static const unsigned char dashes[] = {4, 6, 8, 10};
	uint64_t milliseconds = (uint64_t)(utc / MG_MILLISECOND);
	char hex[2 * UUID_BYTES + 1];
	size_t done = 0, end = 0;

	for (size_t i = 0; i < 6; i++)
		id[i] = (unsigned char)(milliseconds >> (40 - 8 * i));
	id[6] = (unsigned char)((id[6] & 0x0f) | 0x70);
	id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
	mg_str_hex(hex, id, UUID_BYTES);
	for (size_t i = 0; i < sizeof dashes; i++) {
		memcpy(text + end, hex + done, 2 * dashes[i] - done);
		end += 2 * dashes[i] - done;
		done = 2 * dashes[i];
		text[end++] = '-';
	}
	memcpy(text + end, hex + done, sizeof hex - done);
}

static struct mg_event *begin(const struct mg_events *events, enum mg_event_action action,
	int64_t utc, unsigned char id[UUID_BYTES])
{
	struct mg_event *event = calloc(1, sizeof *event);

	if (event == NULL)
		return NULL;
	if (!mg_document_init(&event->document,
		    EVENT_OVERHEAD + events->host.length + events->provider.length)) {
		mg_event_free(event);
		return NULL;
	}
	make_id(event->id, utc, id);
	event->events = events;
	event->action = action;
	event->outcome = actions[action].outcome;
	mg_clock_format(event->time, sizeof event->time, utc);
	return event;
}

struct mg_event *mg_event_new(const struct mg_events *events, enum mg_event_action action)
{
	unsigned char id[UUID_BYTES];

	if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id)
		return NULL;
	return begin(events, action, events->clock->utc(events->clock), id);
}

struct mg_event *mg_event_new_of(const struct mg_events *events, enum mg_event_action action,
	int64_t utc, const void *seed, size_t length)
{
	unsigned char digest[MG_SHA256_SIZE];

	if (!mg_sha256_of(seed, length, digest))
		return NULL;
	return begin(events, action, utc, digest + MG_SHA256_SIZE - UUID_BYTES);
}

const char *mg_event_id(const struct mg_event *event)
{
	return event == NULL ? "" : event->id;
}

void mg_event_set_outcome(struct mg_event *event, bool success)
{
	if (event != NULL)
		event->outcome = success ? "success" : "failure";
}

void mg_event_set_outcome_unknown(struct mg_event *event)
{
	if (event != NULL)
		event->outcome = "unknown";
}

void mg_event_free(struct mg_event *event)
{
	if (event == NULL)
		return;
	mg_document_free(&event->document);
	mg_buf_free(&event->scratch);
	free(event);
}

const char *mg_event_ref(const struct mg_event *event)
{
	return event == NULL ? "" : event->id + UUID_TEXT - 1 - REF_DIGITS;
}

/* --- its fields --- */

static bool own_name(const char *name)
{
	if (strchr("@eho", name[0]) == NULL)
		return false;
	for (size_t i = 0; i < sizeof own_names / sizeof own_names[0]; i++)
		if (strcmp(name, own_names[i]) == 0)
			return true;
	return false;
}

/* Whether this event takes a value for the field, of one of the types (bits). */
static bool takes(struct mg_event *event, const struct mg_field *field, unsigned types)
{
	if (event == NULL || event->document.failure != NULL)
		return false;
	if ((types >> field->type & 1) == 0 || own_name(field->name)) {
		event->document.failure = "a field was set that cannot be set so";
		return false;
	}
	return true;
}

/* Where the field is set: in the object being made, when it is one of its members. */
static struct mg_document *place(struct mg_event *event, const struct mg_field *field)
{
	const struct mg_field *list = event->document.list;
	size_t length;

	if (!event->document.making)
		return &event->document;
	length = strlen(list->name);
	return strncmp(field->name, list->name, length) == 0 && field->name[length] == '.'
		       ? event->document.object
		       : &event->document;
}

/* A value that needs no quotes or has them. */
static void put_json(struct mg_event *event, const struct mg_field *field, const char *text)
{
	if (mg_redact_is_clear(event->events->redact, field->privacy))
		mg_document_json(place(event, field), field, text);
}

/* The text as it may be written, in the event's own buffer where that is another; NULL when the
 * field is dropped. */
static const char *redacted(
	struct mg_event *event, const struct mg_field *field, const char *text, size_t *length)
{
	if (mg_redact_is_clear(event->events->redact, field->privacy))
		return text;
	mg_buf_reset(&event->scratch);
	if (!mg_redact_apply(event->events->redact, field->privacy, field->type == MG_TYPE_IP, text,
		    *length, &event->scratch))
		return NULL;
	if (event->scratch.failed)
		event->document.failure = "out of memory";
	*length = event->scratch.length;
	return mg_buf_text(&event->scratch);
}

/* What of the text is taken, at most `most` bytes and no half character. */
static size_t cut(struct mg_event *event, const struct mg_field *field, const char *text,
	size_t length, size_t most)
{
	if (length <= most)
		return length;
	for (int i = 0; i < 3 && ((unsigned char)text[most] & 0xc0) == 0x80; i++)
		most--;
	mg_document_truncated(&event->document, field);
	return most;
}

static bool is_address(const char *text, size_t length)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	return mg_str_format(copy, sizeof copy, "%.*s", (int)length, text) &&
	       (inet_pton(AF_INET, copy, &address) == 1 ||
		       inet_pton(AF_INET6, copy, &address) == 1);
}

void mg_event_set_text_n(
	struct mg_event *event, const struct mg_field *field, const char *text, size_t length)
{
	bool is_ip = field->type == MG_TYPE_IP;

	if (!takes(event, field, 1u << MG_TYPE_KEYWORD | 1u << MG_TYPE_TEXT | 1u << MG_TYPE_IP) ||
		text == NULL || length == 0)
		return;
	/* An index refuses a whole document for an address that is none. */
	if (is_ip && !is_address(text, length > TEXT_MAX ? 0 : length))
		return;
	length = cut(event, field, text, length, TEXT_MAX);
	text = redacted(event, field, text, &length);
	if (text != NULL)
		mg_document_text(place(event, field), field, text, length);
}

void mg_event_set_text(struct mg_event *event, const struct mg_field *field, const char *text)
{
	mg_event_set_text_n(event, field, text, text == NULL ? 0 : strlen(text));
}

void mg_event_set_empty(struct mg_event *event, const struct mg_field *field)
{
	if (!takes(event, field, 1u << MG_TYPE_KEYWORD | 1u << MG_TYPE_TEXT))
		return;
	/* That there is no text tells nothing of one, but what is dropped is not there at all. */
	mg_buf_reset(&event->scratch);
	if (mg_redact_apply(event->events->redact, field->privacy, false, "", 0, &event->scratch))
		mg_document_text(place(event, field), field, "", 0);
}

void mg_event_set_number(struct mg_event *event, const struct mg_field *field, int64_t number)
{
	char text[TIME_TEXT];

	if (!takes(event, field, 1u << MG_TYPE_LONG | 1u << MG_TYPE_FLOAT))
		return;
	mg_str_format(text, sizeof text, "%" PRId64, number);
	put_json(event, field, text);
}

void mg_event_set_float(struct mg_event *event, const struct mg_field *field, double number)
{
	char text[TIME_TEXT];

	if (!takes(event, field, 1u << MG_TYPE_FLOAT) || !isfinite(number) ||
		!mg_str_format(text, sizeof text, "%.6f", number))
		return;
	/* 1.9, not 1.900000; the digits of printf follow no locale here: none is set. */
	for (size_t end = strlen(text);
		end > 1 && (text[end - 1] == '0' || text[end - 1] == '.');) {
		bool point = text[--end] == '.';

		text[end] = '\0';
		if (point)
			break;
	}
	put_json(event, field, text);
}

void mg_event_set_bool(struct mg_event *event, const struct mg_field *field, bool yes)
{
	if (takes(event, field, 1u << MG_TYPE_BOOLEAN))
		put_json(event, field, yes ? "true" : "false");
}

void mg_event_set_time(struct mg_event *event, const struct mg_field *field, int64_t utc)
{
	char text[TIME_TEXT], quoted[TIME_TEXT + 2];

	if (!takes(event, field, 1u << MG_TYPE_DATE))
		return;
	mg_clock_format(text, sizeof text, utc);
	mg_str_format(quoted, sizeof quoted, "\"%s\"", text);
	put_json(event, field, quoted);
}

void mg_event_begin_object(struct mg_event *event, const struct mg_field *list)
{
	if (takes(event, list, 1u << MG_TYPE_NESTED))
		mg_document_begin_object(&event->document, list);
}

void mg_event_end_object(struct mg_event *event)
{
	if (event != NULL)
		mg_document_end_object(&event->document);
}

void mg_event_set_member(struct mg_event *event, const struct mg_field *field, const char *name,
	size_t name_length, const char *text, size_t length)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_-";
	char copy[MEMBER_NAME_MAX + 1];

	if (!takes(event, field, 1u << MG_TYPE_FLATTENED) || name_length == 0 || length == 0)
		return;
	name_length = cut(event, field, name, name_length, MEMBER_NAME_MAX);
	for (size_t i = 0; i < name_length; i++)
		copy[i] = name[i] != '\0' && strchr(good, name[i]) != NULL ? name[i] : '_';
	copy[name_length] = '\0';
	length = cut(event, field, text, length, MEMBER_TEXT_MAX);
	text = redacted(event, field, text, &length);
	if (text != NULL)
		mg_document_member(place(event, field), field, copy, text, length);
}

void mg_event_truncated(struct mg_event *event, const struct mg_field *field)
{
	if (event != NULL && event->document.failure == NULL)
		mg_document_truncated(&event->document, field);
}

/* --- the document --- */

/* The document as the spool wants it: without the last two braces. */
static void add_document(const struct mg_event *event, struct mg_buf *out)
{
	const struct mg_events *events = event->events;

	mg_buf_add_text(out, "{\"@timestamp\":\"");
	mg_buf_add_text(out, event->time);
	mg_buf_add_text(out, "\",");
	mg_buf_add(out, events->host.data, events->host.length);
	mg_document_members_but(&event->document, "event", out);
	mg_buf_add_format(out,
		",\"event\":{\"id\":\"%s\",\"kind\":\"%s\",\"category\":[%s],\"type\":[%s],"
		"\"action\":\"%s\",\"outcome\":\"%s\",",
		event->id, actions[event->action].kind, actions[event->action].category,
		actions[event->action].type, actions[event->action].name, event->outcome);
	mg_buf_add(out, events->provider.data, events->provider.length);
	mg_document_members_of(&event->document, "event", out);
}

static int put(const struct mg_events *events, struct mg_buf *document, struct mg_error *error)
{
	if (events->take == NULL)
		return mg_spool_append(events->spool, document->data, document->length, error) > 0
			       ? 0
			       : -1;
	/* The spool ends a record itself. */
	mg_buf_add_text(document, "}}");
	if (!document->failed)
		return events->take(events->taker, document->data, document->length, error);
	mg_error_set(error, "out of memory");
	return -1;
}

int mg_events_write(
	const struct mg_events *events, const struct mg_event *event, struct mg_error *error)
{
	struct mg_buf document = {0};
	int result = -1;

	if (event == NULL || event->document.failure != NULL) {
		mg_error_set(error, "event%s%s: %s", event == NULL ? "" : " ",
			event == NULL ? "" : actions[event->action].name,
			event == NULL ? "out of memory" : event->document.failure);
		return -1;
	}
	if (events->spool == NULL && events->take == NULL) {
		mg_error_set(error, "event %s: there is no log", actions[event->action].name);
		return -1;
	}
	add_document(event, &document);
	if (document.failed)
		mg_error_set(error, "event %s: out of memory", actions[event->action].name);
	else
		result = put(events, &document, error);
	mg_buf_free(&document);
	return result;
}

char *mg_event_text(const struct mg_event *event)
{
	struct mg_buf document = {0};

	if (event == NULL || event->document.failure != NULL)
		return NULL;
	add_document(event, &document);
	mg_buf_add_text(&document, "}}");
	if (document.failed) {
		mg_buf_free(&document);
		return NULL;
	}
	return document.data;
}
