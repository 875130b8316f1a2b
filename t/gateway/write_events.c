/* SPDX-License-Identifier: ISC */
/* Writes event logs for tests: `write_events DIRECTORY` reads an event a line, JSON, from standard
 * input: "log" names its log, "action" and "@timestamp" what it is and when, the others are its
 * fields; "id" makes the event.id. Prints the REF of each. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "event/event.h"
#include "event/reading.h"
#include "mail/fields.h"

enum { LOGS_MAX = 8 };

struct log {
	char name[32], program[64];
	struct mg_spool *spool;
	struct mg_events *events;
};

static struct log logs[LOGS_MAX];
static size_t log_count;

/* A log; ends the program when it cannot be. */
static struct log *open_log(const char *directory, const char *name)
{
	struct log *log = &logs[log_count];
	struct mg_spool_settings settings = {.directory = directory,
		.segment_bytes = UINT64_C(1) << 30,
		.keep_bytes = UINT64_C(1) << 40,
		.hard_limit_bytes = UINT64_C(1) << 40,
		.keep_age = INT64_MAX};
	struct mg_events_identity identity = {.host = "mx1.example.org", .version = "0"};

	for (size_t i = 0; i < log_count; i++)
		if (strcmp(logs[i].name, name) == 0)
			return &logs[i];
	if (log_count++ == LOGS_MAX)
		exit(64);
	snprintf(log->name, sizeof log->name, "%s", name);
	snprintf(log->program, sizeof log->program, "millgate-%s", name);
	settings.name = log->name;
	identity.program = log->program;
	log->events = mg_events_new(&identity, NULL, NULL, &mg_clock_system);
	log->spool =
		mg_spool_open(&settings, &mg_clock_system, mg_fields_compose, log->events, NULL);
	mg_events_free(log->events);
	log->events = mg_events_new(&identity, NULL, log->spool, &mg_clock_system);
	if (log->spool == NULL || log->events == NULL)
		exit(74);
	return log;
}

static enum mg_event_action action_of(const char *name)
{
	for (int i = 0; i < MG_EVENT_ACTION_COUNT; i++)
		if (strcmp(mg_event_action_name((enum mg_event_action)i), name) == 0)
			return (enum mg_event_action)i;
	fprintf(stderr, "no action \"%s\"\n", name);
	exit(64);
}

static void set_field(
	struct mg_event *event, const struct mg_field *field, const struct mg_reading *reading)
{
	size_t count = mg_reading_count(reading, field->name);
	int64_t number = 0;

	switch (count > 0 ? field->type : MG_TYPE_NESTED) {
	case MG_TYPE_KEYWORD:
	case MG_TYPE_TEXT:
	case MG_TYPE_IP:
		for (size_t i = 0; i < count; i++)
			mg_event_set_text(
				event, field, mg_reading_text_at(reading, field->name, i, NULL));
		break;
	case MG_TYPE_LONG:
		mg_reading_number(reading, field->name, &number);
		mg_event_set_number(event, field, number);
		break;
	case MG_TYPE_FLOAT:
		mg_event_set_float(event, field, mg_reading_float(reading, field->name, 0));
		break;
	case MG_TYPE_BOOLEAN:
		mg_event_set_bool(event, field, mg_reading_bool(reading, field->name));
		break;
	case MG_TYPE_DATE:
		mg_reading_time(reading, field->name, &number);
		mg_event_set_time(event, field, number);
		break;
	case MG_TYPE_NESTED:
	case MG_TYPE_FLATTENED: break;
	}
}

/* The attachments are objects: their rows are set one by one. */
static void set_attachments(struct mg_event *event, const struct mg_reading *reading)
{
	static const char list[] = "email.attachments";
	int64_t size;

	for (size_t i = 0; i < mg_reading_count(reading, list); i++) {
		mg_event_begin_object(event, &mg_fields[MG_FIELD_EMAIL_ATTACHMENTS]);
		mg_event_set_text(event, &mg_fields[MG_FIELD_ATTACHMENT_NAME],
			mg_reading_text_at(reading, list, i, "file.name"));
		if (mg_reading_number_at(reading, list, i, "file.size", &size))
			mg_event_set_number(event, &mg_fields[MG_FIELD_ATTACHMENT_SIZE], size);
		mg_event_end_object(event);
	}
}

static bool is_member(const char *name)
{
	static const char *const lists[] = {
		"email.attachments", "millgate.headers", "millgate.attachments", "millgate.urls"};

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if (strncmp(name, lists[i], strlen(lists[i])) == 0)
			return true;
	return false;
}

static void write_event(const char *directory, const char *line)
{
	struct mg_reading *reading = mg_reading_new(line, strlen(line));
	struct mg_error error = {""};
	struct mg_event *event;
	struct log *log;
	int64_t utc;

	if (reading == NULL || !mg_reading_time(reading, "@timestamp", &utc)) {
		fprintf(stderr, "no event: %s\n", line);
		exit(64);
	}
	log = open_log(directory, mg_reading_text(reading, "log"));
	event = mg_event_new_of(log->events, action_of(mg_reading_text(reading, "action")), utc,
		line, strlen(line));
	for (size_t i = 0; i < MG_FIELD_COUNT; i++)
		if (!is_member(mg_fields[i].name))
			set_field(event, &mg_fields[i], reading);
	set_attachments(event, reading);
	if (mg_events_write(log->events, event, &error) != 0) {
		fprintf(stderr, "%s\n", error.text);
		exit(74);
	}
	printf("%s\n", mg_event_ref(event));
	mg_event_free(event);
	mg_reading_free(reading);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;

	if (argc != 2)
		return 64;
	while (getline(&line, &size, stdin) > 0)
		write_event(argv[1], line);
	free(line);
	for (size_t i = 0; i < log_count; i++) {
		mg_events_free(logs[i].events);
		mg_spool_close(logs[i].spool);
	}
	return 0;
}
