/* SPDX-License-Identifier: ISC */
#include "join_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "mail/delivery.h"
#include "mail/message.h"

#define BEGIN (INT64_C(1795607360) * MG_SECOND)

static const char *const instances[] = {"postfix", "postfix-out", NULL};
static const char *const expected[] = {"dkim", "log", NULL};
static const char *const listeners[] = {"127.0.0.1:10025", NULL};
static const char *const smart_hosts[] = {"*.relay.example", NULL};

static int keep(void *context, struct mg_event *event, struct mg_error *error)
{
	struct join_place *place = context;
	char *text = mg_event_text(event);

	mg_event_free(event);
	if (place->full) {
		free(text);
		mg_error_set(error, "no space left");
		return -1;
	}
	assert_non_null(text);
	place->out = realloc(place->out, (place->out_count + 1) * sizeof(*place->out));
	assert_non_null(place->out);
	place->out[place->out_count++] = text;
	return 0;
}

int join_place_open(void **state)
{
	static const struct mg_events_identity identity = {
		.program = "millgate-track", .host = "mx.example.org", .version = "0.1"};
	struct join_place *place = calloc(1, sizeof(*place));
	struct mg_error error = {.text = ""};

	assert_non_null(place);
	place->events = mg_events_new(&identity, NULL, NULL, &mg_clock_system);
	assert_non_null(place->events);
	place->store = mg_store_open(
		&(struct mg_store_settings){.url = "memory:", .tables = mg_track_tables}, NULL,
		&error);
	assert_non_null(place->store);
	place->join = track_join_new(place->events, keep, place);
	assert_non_null(place->join);
	place->rules = (struct track_rules){.gateway = "mx.example.org",
		.instances = instances,
		.overdue = 4 * 3600 * MG_SECOND,
		.expect = expected,
		.expect_within = 60 * MG_SECOND,
		.keep_replies = 30 * 24 * 3600 * MG_SECOND,
		.own_listeners = listeners,
		.smart_hosts = smart_hosts};
	track_join_set(place->join, place->events, &place->rules);
	place->now = BEGIN;
	*state = place;
	return 0;
}

int join_place_close(void **state)
{
	struct join_place *place = *state;

	if (place == NULL)
		return 0;
	mg_store_end(place->tx);
	track_join_free(place->join);
	mg_store_close(place->store);
	mg_events_free(place->events);
	mg_redact_free(place->redact);
	for (size_t i = 0; i < place->out_count; i++)
		free(place->out[i]);
	free(place->out);
	free(place);
	return 0;
}

/* --- in --- */

static struct mg_store_tx *change(struct join_place *place)
{
	struct mg_error error = {.text = ""};
	struct mg_store_tx *tx =
		place->tx != NULL ? place->tx : mg_store_begin(place->store, &error);

	assert_non_null(tx);
	return tx;
}

static void done(
	struct join_place *place, struct mg_store_tx *tx, int result, const struct mg_error *error)
{
	struct mg_error failure = {.text = ""};

	if (result < 0 && !place->full)
		fail_msg("%s", error->text);
	if (tx == place->tx)
		return;
	if (result < 0)
		mg_store_end(tx);
	else if (mg_store_commit(tx, &failure) < 0)
		fail_msg("%s", failure.text);
}

void line(struct join_place *place, const char *program, uint32_t pid, const char *text)
{
	char identifier[100], position[40];
	struct track_record record = {.pid = pid, .text = text, .length = strlen(text)};
	struct track_line read;
	struct mg_error error = {.text = ""};
	enum track_reading reading;
	struct mg_store_tx *tx;

	snprintf(identifier, sizeof(identifier), "%s%s",
		strncmp(program, "postfix", 7) == 0 ? "" : "postfix/", program);
	snprintf(position, sizeof(position), "position %u", place->position++);
	place->now += 10 * MG_MILLISECOND;
	record.utc = place->now;
	record.identifier = identifier;
	record.identifier_length = strlen(identifier);
	record.position = position;
	reading = track_line_read(&record, instances, &read);
	if (reading == TRACK_FOREIGN)
		fail_msg("foreign: %s: %s", identifier, text);
	tx = change(place);
	done(place, tx, track_join_line(place->join, tx, &record, reading, &read, &error), &error);
}

void lines(struct join_place *place, const char *const *rows)
{
	for (; *rows != NULL; rows++) {
		char program[100];
		unsigned pid = 0;
		int begin = 0;

		if (sscanf(*rows, "%99[^[][%u]: %n", program, &pid, &begin) != 2 || begin == 0)
			fail_msg("no line: %s", *rows);
		line(place, program, pid, *rows + begin);
	}
}

static void set_path(json_t *object, const char *path, json_t *value)
{
	char name[64];

	for (;;) {
		size_t length = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		if (path[length] == '\0')
			break;
		if (json_object_get(object, name) == NULL)
			json_object_set_new(object, name, json_object());
		object = json_object_get(object, name);
		path += length + 1;
	}
	json_object_set_new(object, name, value);
}

static json_t *value_of(const char *text)
{
	json_t *value = NULL;

	if (text[0] == '[' || strcmp(text, "true") == 0 || (text[0] >= '0' && text[0] <= '9'))
		value = json_loads(text, JSON_DECODE_ANY, NULL);
	return value != NULL ? value : json_string(text);
}

void filter_event(struct join_place *place, const char *name, const char *const *members)
{
	json_t *object = json_object();
	struct mg_reading *reading;
	struct mg_error error = {.text = ""};
	struct mg_store_tx *tx;
	char time[40], path[64], *text;

	place->now += 10 * MG_MILLISECOND;
	mg_clock_format(time, sizeof(time), place->now);
	json_object_set_new(object, "@timestamp", json_string(time));
	set_path(object, "event.action", json_string(members[0]));
	for (members++; *members != NULL; members++) {
		const char *equals = strchr(*members, '=');

		assert_non_null(equals);
		snprintf(path, sizeof(path), "%.*s", (int)(equals - *members), *members);
		set_path(object, path, value_of(equals + 1));
	}
	text = json_dumps(object, JSON_COMPACT);
	reading = mg_reading_new(text, strlen(text));
	assert_non_null(reading);
	tx = change(place);
	done(place, tx, track_join_event(place->join, tx, name, reading, &error), &error);
	mg_reading_free(reading);
	free(text);
	json_decref(object);
}

void wait_seconds(struct join_place *place, int64_t seconds)
{
	int64_t until = place->now + seconds * MG_SECOND, next = 0;

	/* Each moment that something is due at; a bound, so that no test runs for ever. */
	for (int i = 0; i < 10000; i++) {
		struct mg_error error = {.text = ""};
		struct mg_store_tx *tx = change(place);

		done(place, tx, track_join_due(place->join, tx, place->now, &next, &error), &error);
		if (place->now == until)
			return;
		assert_true(next > place->now);
		place->now = next < until ? next : until;
	}
	fail_msg("something is due again and again");
}

/* --- out --- */

/* The events before and behind the one that is read next. */
static void dump(const struct join_place *place)
{
	enum { BEFORE = 3, BEHIND = 5 };
	size_t first = place->out_read > BEFORE ? place->out_read - BEFORE : 0;

	for (size_t i = first; i < place->out_count && i < place->out_read + BEHIND; i++)
		print_message("%s %s\n", i == place->out_read ? ">" : " ", place->out[i]);
}

/* A field by its dotted name; "" none. */
static const char *field(const char *document, const char *path)
{
	static char value[4096];
	json_t *root = json_loads(document, 0, NULL), *json = root;
	char name[64];

	assert_non_null(root);
	for (value[0] = '\0'; json != NULL; path += strlen(name) + 1) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(path, "."), path);
		json = json_object_get(json, name);
		if (path[strlen(name)] == '\0')
			break;
	}
	if (json_is_string(json))
		snprintf(value, sizeof(value), "%s", json_string_value(json));
	else if (json_is_real(json))
		snprintf(value, sizeof(value), "%.12g", json_real_value(json));
	else if (json != NULL)
		value[json_dumpb(json, value, sizeof(value) - 1, JSON_ENCODE_ANY | JSON_COMPACT)] =
			'\0';
	json_decref(root);
	return value;
}

static void check_field(struct join_place *place, const char *document, const char *expectation)
{
	const char *equals = strchr(expectation, '=');
	char path[64];

	assert_non_null(equals);
	snprintf(path, sizeof(path), "%.*s", (int)(equals - expectation), expectation);
	if (strcmp(field(document, path), equals + 1) == 0)
		return;
	dump(place);
	fail_msg("%s is \"%s\", not \"%s\"", path, field(document, path), equals + 1);
}

void expect_fields(struct join_place *place, const char *const *fields)
{
	const char *document;

	if (place->out_read == place->out_count) {
		dump(place);
		fail_msg("no event %s", fields[0]);
	}
	document = place->out[place->out_read];
	if (strcmp(field(document, "event.action"), fields[0]) != 0) {
		dump(place);
		fail_msg("event %s, not %s", field(document, "event.action"), fields[0]);
	}
	for (fields++; *fields != NULL; fields++)
		check_field(place, document, *fields);
	place->out_read++;
}

void skip_to(struct join_place *place, const char *action)
{
	while (place->out_read < place->out_count &&
		strcmp(field(place->out[place->out_read], "event.action"), action) != 0)
		place->out_read++;
	if (place->out_read == place->out_count) {
		dump(place);
		fail_msg("no event %s", action);
	}
}

void expect_no_more(struct join_place *place)
{
	if (place->out_read == place->out_count)
		return;
	dump(place);
	fail_msg("%zu more events", place->out_count - place->out_read);
}

const char *field_of_last(struct join_place *place, const char *name)
{
	assert_true(place->out_read > 0);
	return field(place->out[place->out_read - 1], name);
}

int64_t records(struct join_place *place, unsigned table)
{
	struct mg_error error = {.text = ""};
	struct mg_store_tx *tx = change(place);
	int64_t count = mg_store_count(tx, table, &error);

	if (tx != place->tx)
		mg_store_end(tx);
	assert_true(count >= 0);
	return count;
}

/* --- a message --- */

const char *trace(const char *queue_id)
{
	static char text[64];
	char id[33];

	mg_trace_id("mx.example.org", queue_id, id);
	snprintf(text, sizeof(text), "trace.id=%s", id);
	return text;
}

void begin_mail(struct join_place *place)
{
	LINES(place, "submission/smtpd[10]: connect from " CLIENT,
		"submission/smtpd[10]: Anonymous TLS connection established from " CLIENT
		": TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
		"server-signature RSA-PSS (2048 bits) server-digest SHA256",
		"submission/smtpd[10]: " ID ": client=" CLIENT
		", sasl_method=PLAIN, sasl_username=acme-app",
		"cleanup[11]: " ID ": message-id=<7@acme.example>");
}

void accept_mail(struct join_place *place, const char *recipients)
{
	FILTER(place, "dkim", "message-signed", "email.local_id=" ID);
	FILTER(place, "log", "message-accepted", "email.local_id=" ID,
		"email.message_id=7@acme.example", "email.direction=outbound",
		"organization.id=acme", "millgate.smtp.from=bounce+7@acme.example", recipients);
	LINES(place,
		"qmgr[12]: " ID ": from=<bounce+7@acme.example>, size=449, nrcpt=1 (queue active)",
		"submission/smtpd[10]: disconnect from " CLIENT
		" ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8");
}
