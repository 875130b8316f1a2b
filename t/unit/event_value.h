/* SPDX-License-Identifier: ISC */
/* event_value: one event under test, and its fields as JSON. */
#ifndef MG_T_UNIT_EVENT_VALUE_H
#define MG_T_UNIT_EVENT_VALUE_H
#include "event/event.h"

/* Set-up and tear-down of a cmocka test: event_value_event is a new event, without a log. */
int event_value_set_up(void **state);
int event_value_tear_down(void **state);
extern struct mg_event *event_value_event;

/* The value at a dotted name as compact JSON with sorted names, "" when it is not there; until the
 * next call. */
const char *event_value(const char *name);
#endif
