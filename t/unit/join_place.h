/* SPDX-License-Identifier: ISC */
/* join_place: lines of Postfix and events of filters in, events of millgate-track out, over a store
 * in memory. Each line is a hundredth of a second after the one before. */
#ifndef MG_UNIT_JOIN_PLACE_H
#define MG_UNIT_JOIN_PLACE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/store.h"
#include "track/join.h"

enum { HOUR = 3600 };

struct join_place {
	struct mg_events *events;
	struct mg_redact *redact;
	struct mg_store *store;
	struct mg_store_tx *tx; /* of a change that is not kept yet; NULL: each is kept */
	struct track_join *join;
	struct track_rules rules;
	char **out; /* documents of the events, oldest first */
	size_t out_count, out_read;
	int64_t now; /* UTC ns */
	unsigned position; /* lines so far */
	bool full; /* no event can be written */
};

/* For setup and teardown of a test: *state is the place. */
int join_place_open(void **state);
int join_place_close(void **state);

/* A line: program "smtpd", "submission/smtpd" or with the instance before it, "postfix-out/qmgr";
 * pid 0 unknown. */
void line(struct join_place *place, const char *program, uint32_t pid, const char *text);
/* Lines "PROGRAM[PID]: TEXT", a row each; NULL ends. */
void lines(struct join_place *place, const char *const *rows);
#define LINES(place, ...) lines(place, (const char *const[]){__VA_ARGS__, NULL})
/* An event of a filter: action, then "name=value" as in expect; NULL ends. A value that begins with
 * "[", "true" or a digit is JSON. */
void filter_event(struct join_place *place, const char *name, const char *const *members);
#define FILTER(place, name, ...) filter_event(place, name, (const char *const[]){__VA_ARGS__, NULL})
/* Time passes; then what is due is done, until nothing more is. */
void wait_seconds(struct join_place *place, int64_t seconds);

/* The next event: its action, then fields "name=value" (numbers, lists and booleans as compact
 * JSON; an empty value: there is no such field). NULL ends. */
void expect_fields(struct join_place *place, const char *const *fields);
#define EXPECT(place, ...) expect_fields(place, (const char *const[]){__VA_ARGS__, NULL})
/* Skips events until one of this action; fails when there is none. */
void skip_to(struct join_place *place, const char *action);
void expect_no_more(struct join_place *place);
/* A field of the event read last, "" none; valid until the next call. */
const char *field_of_last(struct join_place *place, const char *name);

/* trace.id of a queue id, as "trace.id=…"; valid until the next call. */
const char *trace(const char *queue_id);

/* A message of a client that signed in, and what filters say of it: */
#define ID "4jYh153qZyz1bkdK"
#define CLIENT "app1.acme.example[203.0.113.5]:39204"
#define ADDRESSES(list) "email.to.address=" list
#define ANN ADDRESSES("[\"ann@example.com\"]")
/* connect, TLS, client=, message-id= */
void begin_mail(struct join_place *place);
/* dkim's and log's events, then the lines of the active queue and of disconnect. */
void accept_mail(struct join_place *place, const char *recipients);
#define TEST(name) cmocka_unit_test_setup_teardown(name, join_place_open, join_place_close)

/* Records of a table of the store. */
int64_t records(struct join_place *place, unsigned table);
#endif
