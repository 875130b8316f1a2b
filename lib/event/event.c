/* SPDX-License-Identifier: ISC */
#include "event/event.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/str.h"
#include "event/json_text.h"

#define ECS_VERSION "8.11.0"
#define TRUNCATED "millgate.truncated"

enum {
	TEXT_MAX = 8 * 1024,
	VALUES_MAX = 10000,
	/* Lists grow until the document has this size: what is left is for other fields. */
	LISTS_MAX = MG_DOCUMENT_MAX / 4 * 3,
	FIELD_OVERHEAD = 16, /* quotes, colon, comma and braces that a field's names need */
	EVENT_OVERHEAD = 1024, /* @timestamp and what event always has */
	NODES_FIRST = 64,
	NODES_MAX = 1024,
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

static const struct mg_field truncated_field = {
	.name = TRUNCATED, .type = MG_TYPE_KEYWORD, .array = true};

struct mg_events {
	const struct mg_redact *redact;
	struct mg_spool *spool;
	mg_events_taker *take; /* NULL: the spool does */
	void *taker;
	const struct mg_clock *clock;
	struct mg_buf host; /* the members ecs, host, observer as text */
	struct mg_buf provider; /* the members provider and dataset of event */
};

/* A name on the way to a field ("sender" of email.sender.address), or a field: a tree by first
 * child and next sibling, as indexes into an array; 0 is the root and, as a child or sibling,
 * none. */
struct node {
	const char *name;
	size_t name_length;
	uint16_t child, last_child, next;
	bool array, closed; /* closed: nothing more is taken */
	size_t count; /* values */
	struct mg_buf value; /* JSON text; of an array without its brackets */
	const char *path; /* the field's whole name; NULL: not a field */
};

struct mg_event {
	const struct mg_events *events;
	enum mg_event_action action;
	struct node *nodes;
	size_t node_count, node_room;
	size_t bytes; /* of the document, at most */
	struct mg_buf scratch;
	const char *failure; /* why it cannot be written; NULL so far it can */
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

void mg_events_divert(struct mg_events *events, mg_events_taker *take, void *context)
{
	events->take = take;
	events->taker = context;
}

/* --- an event --- */

/* UUIDv7, RFC 9562 section 5.7: 48 bits of milliseconds, the rest random but version and
 * variant. */
static bool make_id(char text[UUID_TEXT], int64_t utc)
{
	static const unsigned char dashes[] = {4, 6, 8, 10};
	unsigned char id[UUID_BYTES];
	uint64_t milliseconds = (uint64_t)(utc / MG_MILLISECOND);
	char hex[2 * UUID_BYTES + 1];
	size_t done = 0, end = 0;

	if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id)
		return false;
	for (size_t i = 0; i < 6; i++)
		id[i] = (unsigned char)(milliseconds >> (40 - 8 * i));
	id[6] = (unsigned char)((id[6] & 0x0f) | 0x70);
	id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
	mg_str_hex(hex, id, sizeof id);
	for (size_t i = 0; i < sizeof dashes; i++) {
		memcpy(text + end, hex + done, 2 * dashes[i] - done);
		end += 2 * dashes[i] - done;
		done = 2 * dashes[i];
		text[end++] = '-';
	}
	memcpy(text + end, hex + done, sizeof hex - done);
	return true;
}

struct mg_event *mg_event_new(const struct mg_events *events, enum mg_event_action action)
{
	struct mg_event *event = calloc(1, sizeof *event);
	int64_t now = events->clock->utc(events->clock);

	if (event == NULL)
		return NULL;
	event->nodes = malloc(NODES_FIRST * sizeof *event->nodes);
	if (event->nodes == NULL || !make_id(event->id, now)) {
		mg_event_free(event);
		return NULL;
	}
	event->nodes[0] = (struct node){0};
	event->node_count = 1;
	event->node_room = NODES_FIRST;
	event->events = events;
	event->action = action;
	event->outcome = actions[action].outcome;
	event->bytes = EVENT_OVERHEAD + events->host.length + events->provider.length;
	mg_clock_format(event->time, sizeof event->time, now);
	return event;
}

void mg_event_set_outcome(struct mg_event *event, bool success)
{
	if (event != NULL)
		event->outcome = success ? "success" : "failure";
}

void mg_event_free(struct mg_event *event)
{
	if (event == NULL)
		return;
	for (size_t i = 0; i < event->node_count; i++)
		mg_buf_free(&event->nodes[i].value);
	mg_buf_free(&event->scratch);
	free(event->nodes);
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

static uint16_t add_node(struct mg_event *event, uint16_t parent, const char *name, size_t length)
{
	uint16_t index = (uint16_t)event->node_count;
	struct node *above;

	if (event->node_count == NODES_MAX)
		return 0;
	if (event->node_count == event->node_room) {
		struct node *nodes = realloc(event->nodes, 2 * event->node_room * sizeof *nodes);

		if (nodes == NULL)
			return 0;
		event->nodes = nodes;
		event->node_room *= 2;
	}
	event->nodes[event->node_count++] = (struct node){.name = name, .name_length = length};
	above = &event->nodes[parent];
	if (above->last_child == 0)
		above->child = index;
	else
		event->nodes[above->last_child].next = index;
	above->last_child = index;
	return index;
}

static uint16_t find_child(
	const struct mg_event *event, uint16_t parent, const char *name, size_t length)
{
	uint16_t index = event->nodes[parent].child;

	while (index != 0 && (event->nodes[index].name_length != length ||
				     memcmp(event->nodes[index].name, name, length) != 0))
		index = event->nodes[index].next;
	return index;
}

/* The node of a field, made when missing; NULL, and the event failed, when that is not possible. */
static struct node *locate(struct mg_event *event, const struct mg_field *field)
{
	const char *name = field->name, *end;
	uint16_t index = 0, found;
	struct node *node;

	do {
		end = strchrnul(name, '.');
		found = find_child(event, index, name, (size_t)(end - name));
		index = found != 0 ? found : add_node(event, index, name, (size_t)(end - name));
		if (index == 0) {
			event->failure = "out of memory";
			return NULL;
		}
		name = end + 1;
	} while (*end != '\0');
	node = &event->nodes[index];
	if (node->path == NULL) {
		node->path = field->name;
		node->array = field->array;
		event->bytes += strlen(field->name) + FIELD_OVERHEAD;
	}
	return node;
}

/* Whether this event takes a value for the field, of one of the types (bits). */
static bool takes(struct mg_event *event, const struct mg_field *field, unsigned types)
{
	if (event == NULL || event->failure != NULL)
		return false;
	if ((types >> field->type & 1) == 0 || own_name(field->name)) {
		event->failure = "a field was set that cannot be set so";
		return false;
	}
	return true;
}

/* Adds the name of a field to millgate.truncated. */
static void note_truncated(struct mg_event *event, const char *name)
{
	struct node *node = locate(event, &truncated_field);
	char quoted[128];

	if (node == NULL || !mg_str_format(quoted, sizeof quoted, "\"%s\"", name) ||
		strstr(mg_buf_text(&node->value), quoted) != NULL)
		return;
	if (node->count++ > 0)
		mg_buf_add_char(&node->value, ',');
	mg_buf_add_text(&node->value, quoted);
	event->bytes += strlen(quoted) + 1;
}

/* Leaves out fields until the document fits a record: the longest arrays, then the longest of
 * the others. */
static void fit(struct mg_event *event)
{
	while (event->bytes > MG_DOCUMENT_MAX) {
		struct node *longest = NULL;

		for (size_t i = 1; i < event->node_count; i++) {
			struct node *node = &event->nodes[i];

			if (node->value.length == 0 || strcmp(node->path, TRUNCATED) == 0)
				continue;
			if (longest == NULL || node->array > longest->array ||
				(node->array == longest->array &&
					node->value.length > longest->value.length))
				longest = node;
		}
		if (longest == NULL)
			return;
		event->bytes -= longest->value.length;
		mg_buf_free(&longest->value);
		longest->closed = true;
		note_truncated(event, longest->path);
	}
}

/* The node ready for one more value; NULL when there is no room for it. */
static struct node *begin_value(struct mg_event *event, const struct mg_field *field)
{
	struct node *node = locate(event, field);

	if (node == NULL || node->closed)
		return NULL;
	if (!node->array) {
		event->bytes -= node->value.length;
		mg_buf_reset(&node->value);
	} else if (node->count == VALUES_MAX) {
		node->closed = true;
		note_truncated(event, field->name);
		return NULL;
	} else if (node->count > 0) {
		mg_buf_add_char(&node->value, ',');
		event->bytes++;
	}
	node->count++;
	return node;
}

/* Counts what was added behind `before` bytes of the value. A list that has become too long ends
 * with the value before. */
static void end_value(struct mg_event *event, struct node *node, size_t before)
{
	if (node->value.failed)
		event->failure = "out of memory";
	event->bytes += node->value.length - before;
	if (node->array && event->bytes > LISTS_MAX && strcmp(node->path, TRUNCATED) != 0) {
		size_t end = before > 0 ? before - 1 : 0; /* the comma goes, too */

		event->bytes -= node->value.length - end;
		if (node->value.data != NULL)
			node->value.data[end] = '\0';
		node->value.length = end;
		node->closed = true;
		note_truncated(event, node->path);
	}
	fit(event);
}

static void put_text(
	struct mg_event *event, const struct mg_field *field, const char *text, size_t length)
{
	struct node *node = begin_value(event, field);
	size_t before;

	if (node == NULL)
		return;
	before = node->value.length;
	mg_json_text(&node->value, text, length);
	end_value(event, node, before);
}

/* A value that needs no quotes or has them. */
static void put_json(struct mg_event *event, const struct mg_field *field, const char *text)
{
	struct node *node = mg_redact_is_clear(event->events->redact, field->privacy)
				    ? begin_value(event, field)
				    : NULL;
	size_t before;

	if (node == NULL)
		return;
	before = node->value.length;
	mg_buf_add_text(&node->value, text);
	end_value(event, node, before);
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
	if (length > TEXT_MAX) {
		length = TEXT_MAX;
		/* Not within a character. */
		for (int i = 0; i < 3 && ((unsigned char)text[length] & 0xc0) == 0x80; i++)
			length--;
		note_truncated(event, field->name);
	}
	if (mg_redact_is_clear(event->events->redact, field->privacy)) {
		put_text(event, field, text, length);
		return;
	}
	mg_buf_reset(&event->scratch);
	if (mg_redact_apply(
		    event->events->redact, field->privacy, is_ip, text, length, &event->scratch)) {
		if (event->scratch.failed)
			event->failure = "out of memory";
		else
			put_text(event, field, mg_buf_text(&event->scratch), event->scratch.length);
	}
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
		put_text(event, field, "", 0);
}

void mg_event_set_number(struct mg_event *event, const struct mg_field *field, int64_t number)
{
	char text[TIME_TEXT];

	if (!takes(event, field, 1u << MG_TYPE_LONG | 1u << MG_TYPE_FLOAT))
		return;
	mg_str_format(text, sizeof text, "%" PRId64, number);
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

/* --- the document --- */

/* Whether a field below the node has a value. */
static bool has_value(const struct mg_event *event, const struct node *node)
{
	if (node->path != NULL)
		return node->value.length > 0;
	for (uint16_t i = node->child; i != 0; i = event->nodes[i].next)
		if (has_value(event, &event->nodes[i]))
			return true;
	return false;
}

/* Adds the members below a node, each with a comma before or, with `first`, all but the first.
 * except: a name to leave out, or NULL. Names have few parts, so that the depth is small. */
static void add_members(const struct mg_event *event, const struct node *parent, bool first,
	const struct node *except, struct mg_buf *out)
{
	for (uint16_t i = parent->child; i != 0; i = event->nodes[i].next) {
		const struct node *node = &event->nodes[i];

		if (node == except || !has_value(event, node))
			continue;
		if (!first)
			mg_buf_add_char(out, ',');
		first = false;
		mg_buf_add_char(out, '"');
		mg_buf_add(out, node->name, node->name_length);
		mg_buf_add_text(out, "\":");
		if (node->path == NULL) {
			mg_buf_add_char(out, '{');
			add_members(event, node, true, NULL, out);
			mg_buf_add_char(out, '}');
			continue;
		}
		if (node->array)
			mg_buf_add_char(out, '[');
		mg_buf_add(out, node->value.data, node->value.length);
		if (node->array)
			mg_buf_add_char(out, ']');
	}
}

/* The document as the spool wants it: without the last two braces. */
static void add_document(const struct mg_event *event, struct mg_buf *out)
{
	uint16_t own = find_child(event, 0, "event", strlen("event"));
	const struct mg_events *events = event->events;

	mg_buf_add_text(out, "{\"@timestamp\":\"");
	mg_buf_add_text(out, event->time);
	mg_buf_add_text(out, "\",");
	mg_buf_add(out, events->host.data, events->host.length);
	add_members(event, &event->nodes[0], false, own == 0 ? NULL : &event->nodes[own], out);
	mg_buf_add_format(out,
		",\"event\":{\"id\":\"%s\",\"kind\":\"%s\",\"category\":[%s],\"type\":[%s],"
		"\"action\":\"%s\",\"outcome\":\"%s\",",
		event->id, actions[event->action].kind, actions[event->action].category,
		actions[event->action].type, actions[event->action].name,
		event->outcome);
	mg_buf_add(out, events->provider.data, events->provider.length);
	if (own != 0)
		add_members(event, &event->nodes[own], false, NULL, out);
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

	if (event == NULL || event->failure != NULL) {
		mg_error_set(error, "event%s%s: %s", event == NULL ? "" : " ",
			event == NULL ? "" : actions[event->action].name,
			event == NULL ? "out of memory" : event->failure);
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

	if (event == NULL || event->failure != NULL)
		return NULL;
	add_document(event, &document);
	mg_buf_add_text(&document, "}}");
	if (document.failed) {
		mg_buf_free(&document);
		return NULL;
	}
	return document.data;
}
