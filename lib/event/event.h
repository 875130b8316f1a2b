/* SPDX-License-Identifier: ISC */
/* event: one ECS document, from its fields to a line of the event log. Every event of Millgate is
 * made here, so that each has what it must have (DESIGN section 5) and none has a field that is not
 * in a table.
 *
 * An event is built by one thread. Values are redacted as they are set: what the configuration
 * hides never reaches memory that is written. Text that is not UTF-8 gets U+FFFD for each bad byte.
 * Running out of memory is sticky and reported by mg_events_write. */
#ifndef MG_EVENT_EVENT_H
#define MG_EVENT_EVENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "event/field.h"
#include "event/redact.h"
#include "event/spool.h"

/* The values of event.action, DESIGN section 5. A row of the table in event.c gives kind, category,
 * type and the usual outcome. */
enum mg_event_action {
	MG_MESSAGE_ACCEPTED,
	MG_MESSAGE_PASSED,
	MG_MESSAGE_REJECTED,
	MG_MESSAGE_DEFERRED,
	MG_MESSAGE_HELD,
	MG_MESSAGE_TAGGED,
	MG_MESSAGE_DISCARDED,
	MG_MESSAGE_SIGNED,
	MG_MESSAGE_UNSIGNED,
	MG_KEY_WAITING,
	MG_KEY_SWITCHED,
	MG_KEY_MISMATCH,
	MG_KEY_REFUSED,
	MG_DELIVERY_SUCCEEDED,
	MG_DELIVERY_DEFERRED,
	MG_DELIVERY_FAILED,
	MG_DELIVERY_EXPIRED,
	MG_DELIVERY_OVERDUE,
	MG_NOTIFICATION_SENT,
	MG_MESSAGE_RELEASED,
	MG_MESSAGE_REMOVED,
	MG_MESSAGE_UNQUEUED,
	MG_FILTER_MISSED,
	MG_HOLD_MISSED,
	MG_AUTH_FAILED,
	MG_CONNECTION_LOST,
	MG_SESSION_LINKED,
	MG_LINE_UNKNOWN,
	MG_OPERATOR_ACTED,
	MG_FILTER_ERROR,
	MG_EVENTS_LOST,
	MG_LOG_OPENED,
	MG_CONFIG_LOADED,
	MG_CONFIG_REJECTED,
	MG_EVENT_ACTION_COUNT
};

/* The text of an action ("message-accepted"). */
const char *mg_event_action_name(enum mg_event_action action);

/* An event log and who writes it: one a filter and configuration snapshot. Shared by threads,
 * immutable; locks are the spool's. */
struct mg_events;

struct mg_events_identity {
	/* "millgate-log": event.provider; event.dataset is "millgate.log" */
	const char *program;
	const char *host; /* host.name, observer.hostname */
	const char *version; /* observer.version */
};

/* identity is copied; redact (NULL: all clear), spool and clock are kept: the caller frees them
 * after the last event. NULL: no memory. */
struct mg_events *mg_events_new(const struct mg_events_identity *identity,
	const struct mg_redact *redact, struct mg_spool *spool, const struct mg_clock *clock);
void mg_events_free(struct mg_events *events);
/* Whether it writes values of a class as they are. */
bool mg_events_is_clear(const struct mg_events *events, enum mg_privacy privacy);

/* Takes the documents in place of the log: each is whole, but without event.sequence and
 * event.hash, which are the log's. 0, or -1 with error. */
typedef int mg_events_taker(
	void *context, const char *document, size_t length, struct mg_error *error);
/* Before the first event is written. */
void mg_events_divert(struct mg_events *events, mg_events_taker *take, void *context);

struct mg_event;

/* A new event with @timestamp, ecs.version, event.id (UUIDv7), kind, category, type, action,
 * outcome, provider, dataset, host.name, observer.* set; NULL: no memory (every other function
 * accepts NULL, and mg_events_write reports it). */
struct mg_event *mg_event_new(const struct mg_events *events, enum mg_event_action action);
/* The same of something that happened at utc, with an event.id made of `seed`: its first 48 bits
 * are the milliseconds of utc, as in UUIDv7, the others those of a SHA-256 of the seed, so that who
 * reads a log twice makes the same event. */
struct mg_event *mg_event_new_of(const struct mg_events *events, enum mg_event_action action,
	int64_t utc, const void *seed, size_t length);
/* Its event.id, 36 characters. */
const char *mg_event_id(const struct mg_event *event);
void mg_event_free(struct mg_event *event);

/* event.outcome, where it is not the usual one of the action: success or failure. */
void mg_event_set_outcome(struct mg_event *event, bool success);
/* Nobody knows how it went. */
void mg_event_set_outcome_unknown(struct mg_event *event);

/* The last 8 hex digits of event.id: REF of "[CODE REF]". */
const char *mg_event_ref(const struct mg_event *event);

/* Set a field. The row's type decides: text for keyword, text and ip; "" and NULL set nothing
 * (mg_event_set_empty sets ""). Texts longer than 8 KiB are cut, arrays end after 10,000 values;
 * both add the field's name to millgate.truncated. */
void mg_event_set_text(struct mg_event *event, const struct mg_field *field, const char *text);
void mg_event_set_text_n(
	struct mg_event *event, const struct mg_field *field, const char *text, size_t length);
void mg_event_set_empty(struct mg_event *event, const struct mg_field *field);
void mg_event_set_number(struct mg_event *event, const struct mg_field *field, int64_t number);
/* Of a row of type FLOAT; rounded to microunits. */
void mg_event_set_float(struct mg_event *event, const struct mg_field *field, double number);
void mg_event_set_bool(struct mg_event *event, const struct mg_field *field, bool yes);
void mg_event_set_time(struct mg_event *event, const struct mg_field *field, int64_t utc);

/* Begins one more object of a list of objects (a row of type NESTED): until it ends, the rows below
 * that of the list are set in it. Lists are made one after the other; an object without members is
 * left out. */
void mg_event_begin_object(struct mg_event *event, const struct mg_field *list);
void mg_event_end_object(struct mg_event *event);
/* Adds a text to an object of texts (a row of type FLATTENED) under a stranger's name: of its first
 * 64 bytes what is no letter, digit, "_" or "-" becomes "_". The first of a name counts; 50 members
 * at most, texts longer than 1 KiB are cut: then millgate.truncated names the field. */
void mg_event_set_member(struct mg_event *event, const struct mg_field *field, const char *name,
	size_t name_length, const char *text, size_t length);

/* Adds the field's name to millgate.truncated: who sets it knows more than it says. */
void mg_event_truncated(struct mg_event *event, const struct mg_field *field);

/* Writes the event to its log and waits until it is written (synced when durable); 0, or -1 with
 * error. A document stays within 256 KiB: lists end at three quarters of it, and what is still too
 * long loses its longest fields, named in millgate.truncated. The event is not freed. */
int mg_events_write(
	const struct mg_events *events, const struct mg_event *event, struct mg_error *error);
/* The document as it would be written, without sequence and hash (--judge); malloc'ed, NULL: no
 * memory. */
char *mg_event_text(const struct mg_event *event);
#endif
