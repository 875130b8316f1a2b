/* SPDX-License-Identifier: ISC */
/* message: what the store knows of a queue id, from the first line or event of it until some time
 * after it left the queue. Hides the layout of the record (below 4 KiB). */
#ifndef MG_TRACK_MESSAGE_H
#define MG_TRACK_MESSAGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "track/client.h"
#include "track/line.h"

struct track_call;

enum {
	TRACK_ID_MAX = 31,
	TRACK_TRACE_TEXT = 33,
	TRACK_MESSAGE_BYTES = 4096,
	TRACK_MESSAGE_KEPT = 200
};

/* Where it came from. */
enum track_origin {
	TRACK_ORIGIN_UNKNOWN, /* only an event, or a line that does not tell */
	TRACK_ORIGIN_CLIENT, /* SMTP */
	TRACK_ORIGIN_PICKUP, /* sendmail(1), or a requeue */
	TRACK_ORIGIN_INTERNAL /* Postfix itself: bounces, notices, forwards */
};

enum track_relation {
	TRACK_RELATION_NONE,
	TRACK_RELATION_BOUNCE,
	TRACK_RELATION_DELAY,
	TRACK_RELATION_SUCCESS,
	TRACK_RELATION_POSTMASTER,
	TRACK_RELATION_FORWARD,
	TRACK_RELATION_REINJECT,
	TRACK_RELATION_REQUEUE,
	TRACK_RELATION_COUNT
};

/* Facts of a message, bits of track_message.facts. */
enum track_fact {
	TRACK_FACT_CONTENT = 1 << 0, /* cleanup has seen its header */
	TRACK_FACT_ACTIVE = 1 << 1, /* it was in the active queue */
	TRACK_FACT_CLOSED = 1 << 2, /* ended: nothing more comes of it */
	TRACK_FACT_REQUEUED = 1 << 3, /* goes on under another queue id */
	TRACK_FACT_PROBE = 1 << 4, /* verifies an address, is no mail */
	TRACK_FACT_HELD = 1 << 5, /* is in the hold queue */
	TRACK_FACT_HOLD_LINE = 1 << 6, /* Postfix told that it holds it */
	TRACK_FACT_HOLD_EVENT = 1 << 7, /* a filter of ours told that it holds it */
	TRACK_FACT_HOLD_ASKED = 1 << 8, /* a milter held it; whether one of ours is not known yet */
	TRACK_FACT_HOLD_MISSED = 1 << 9, /* told */
	TRACK_FACT_FILTERS_CUT = 1 << 10, /* a milter ended the round: later ones do not see it */
	TRACK_FACT_FILTERS_DONE = 1 << 11, /* looked for the events of all */
	TRACK_FACT_DISCARDED = 1 << 12,
	TRACK_FACT_DISCARD_ASKED = 1 << 13, /* by a milter; as HOLD_ASKED */
	TRACK_FACT_DISCARD_EVENT = 1 << 14,
	TRACK_FACT_GIVEN = 1 << 15, /* the store has the recipients the client gave */
	TRACK_FACT_TRIED = 1 << 16, /* a delivery was told */
	TRACK_FACT_MATCHED = 1 << 17, /* of a recipient that was given */
	TRACK_FACT_OVERDUE = 1 << 18, /* told */
	TRACK_FACT_WAITING = 1 << 19, /* its parent is not known yet: its lines wait */
	TRACK_FACT_QUEUED = 1 << 20, /* postqueue has just named it */
	TRACK_FACT_DOUBT = 1 << 21, /* postqueue did not name it */
	TRACK_FACT_REFUSED = 1 << 22,
	TRACK_FACT_WAITING_LOG = 1 << 23, /* WAITING, but for the event of millgate-log */
	TRACK_FACT_WAITED = 1 << 24 /* long enough for that */
};

enum track_message_text {
	TRACK_MESSAGE_FROM, /* envelope sender; empty: the null sender */
	TRACK_MESSAGE_MESSAGE_ID,
	TRACK_MESSAGE_DIRECTION,
	TRACK_MESSAGE_TENANT,
	TRACK_MESSAGE_PARENT, /* queue id */
	TRACK_MESSAGE_SEEN, /* names of filters with an event of it: " dkim log" */
	TRACK_MESSAGE_HOLD_CODE,
	TRACK_MESSAGE_HOLD_BY,
	TRACK_MESSAGE_INSTANCE,
	TRACK_MESSAGE_TEXT_COUNT
};

/* Texts point into `raw`, or where who set them has them. */
struct track_message {
	char id[TRACK_ID_MAX + 1];
	char trace_id[TRACK_TRACE_TEXT]; /* of its root */
	uint32_t facts; /* enum track_fact */
	enum track_origin origin;
	enum track_relation relation; /* to PARENT */
	/* UTC ns; 0: not yet. asked: since when it waits for what others say. */
	int64_t created, accepted, active, asked, last;
	int64_t due; /* when it is looked at, the key of its row; 0: no row */
	int64_t size, recipients; /* -1 unknown */
	uint32_t pid; /* of the smtpd that took it */
	uint32_t lines; /* that wait for its parent */
	struct track_client client;
	struct track_text texts[TRACK_MESSAGE_TEXT_COUNT];
	char kept[TRACK_MESSAGE_KEPT]; /* texts of its parent */
	char raw[TRACK_MESSAGE_BYTES];
};

/* Each: -1 with the call's error. */

/* 1 there; 0 not: the message has its id and nothing else. A text that is no queue id: 0, and the id
 * is "". */
int track_message_load(
	struct track_call *call, struct track_text id, struct track_message *message);
/* Begins anew: trace.id of its own, created now. */
void track_message_begin(
	struct track_call *call, struct track_message *message, enum track_origin origin);
/* Saves it, and when it is to be looked at. */
int track_message_save(struct track_call *call, struct track_message *message);
int track_message_drop(struct track_call *call, struct track_message *message);
bool track_message_has(const struct track_message *message, uint32_t facts); /* all of them */
bool track_message_any(const struct track_message *message, uint32_t facts);
const char *track_relation_name(enum track_relation relation);

/* The rows of when messages are looked at: at most `most` of those until `now`, each taken out of the
 * store and given to look. Number of rows, -1 with error. */
int64_t track_message_walk_due(struct track_call *call, int64_t now, size_t most,
	int (*look)(struct track_call *call, struct track_message *message, int64_t now));
/* When the first row is due; INT64_MAX none. 0, -1. */
int track_message_first_due(struct track_call *call, int64_t *first);
/* Calls each for every message; it may save it. */
int track_message_walk(struct track_call *call,
	int (*each)(struct track_call *call, struct track_message *message, void *context),
	void *context);
#endif
