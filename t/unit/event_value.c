/* SPDX-License-Identifier: ISC */
#include "event_value.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct mg_event *event_value_event;
static struct mg_events *events;

int event_value_set_up(void **state)
{
	static const struct mg_events_identity identity = {"millgate-log", "mx.example.org", "1"};

	(void)state;
	events = mg_events_new(&identity, NULL, NULL, &mg_clock_system);
	event_value_event = events == NULL ? NULL : mg_event_new(events, MG_MESSAGE_ACCEPTED);
	return event_value_event == NULL ? -1 : 0;
}

int event_value_tear_down(void **state)
{
	(void)state;
	mg_event_free(event_value_event);
	mg_events_free(events);
	return 0;
}

const char *event_value(const char *name)
{
	static char value[262144];
	char *text = mg_event_text(event_value_event), *dumped = NULL, part[128];
	json_t *json, *at;

	assert_non_null(text);
	json = at = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	assert_non_null(json);
	while (at != NULL && *name != '\0') {
		size_t length = strcspn(name, ".");

		snprintf(part, sizeof part, "%.*s", (int)length, name);
		at = json_object_get(at, part);
		name += name[length] == '.' ? length + 1 : length;
	}
	if (at != NULL)
		dumped = json_dumps(at, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	snprintf(value, sizeof value, "%s", dumped != NULL ? dumped : "");
	free(dumped);
	json_decref(json);
	free(text);
	return value;
}
