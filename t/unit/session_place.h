/* SPDX-License-Identifier: ISC */
/* session_place: the state machine alone: scripted filters on one side, a front that notes what it
 * is told on the other, a clock that stands still unless it is moved. */
#ifndef MG_T_UNIT_SESSION_PLACE_H
#define MG_T_UNIT_SESSION_PLACE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "run/session.h"

extern int64_t now; /* of the clock */
extern const struct mg_clock test_clock;

/* What the two filters do; of the second one only eom, end and renew are noted unless it watches. */
struct script {
	void (*at_connect)(struct mg_call *, struct mg_verdict *);
	void (*at_helo)(struct mg_call *, struct mg_verdict *);
	void (*at_mail)(struct mg_call *, struct mg_verdict *);
	void (*at_rcpt)(struct mg_call *, const struct mg_recipient *, struct mg_verdict *);
	void (*at_header)(struct mg_call *, const struct mg_header *);
	void (*at_eom)(struct mg_call *, struct mg_verdict *);
	bool watches; /* notes the content it is given */
};
extern struct script first_script, second_script;
extern struct mg_buf seen; /* what they saw: "mail rcpt end:answered …" */

extern struct mg_buf told; /* what the MTA was told, a line an edit */
extern const char *macro_queue_id, *macro_port;

struct fixture {
	struct mg_host host;
	struct mg_hosted hosted[2];
	struct mg_run *run;
	struct mg_verdict verdict;
};

/* A process of count filters with the settings `overrides` ("name=value", NULL ends), and a
 * connection. */
void begin(struct fixture *fixture, size_t count, const char *const overrides[]);
/* Two filters, each with settings of its own. */
void begin_two(struct fixture *fixture, const char *const first[], const char *const second[]);
extern const char *const no_overrides[];
/* Ends it: all counters must be back where they began. */
void finish(struct fixture *fixture);

/* The steps; the answer is in fixture->verdict, too. */
enum mg_action mail(struct fixture *fixture, const char *sender);
enum mg_action rcpt(struct fixture *fixture, const char *recipient);
/* Header, body, end of message. */
enum mg_action content(struct fixture *fixture);
enum mg_action whole_message(struct fixture *fixture);

/* For scripts: refuses with "550 5.7.1 No"; notes the header block in `seen`, MG_ERROR without. */
void reject(struct mg_call *call, struct mg_verdict *verdict);
void see_headers(struct mg_call *call, struct mg_verdict *verdict);

/* For the end of a group of tests. */
int free_notes(void **state);
#endif
