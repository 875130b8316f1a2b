/* SPDX-License-Identifier: ISC */
/* What the rooms of join share; each function is of the room named above it. Functions that return
 * an int return -1 with the call's error. */
#ifndef MG_TRACK_JOIN_PRIVATE_H
#define MG_TRACK_JOIN_PRIVATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/store.h"
#include "event/event.h"
#include "mail/delivery.h"
#include "mail/fields.h"
#include "track/join.h"
#include "track/line.h"
#include "track/message.h"
#include "track/pack.h"
#include "track/session.h"
#include "track/source.h"

/* Tables of the store that are join's own, behind those of mail/delivery.h. */
enum track_table {
	TRACK_TABLE_SESSIONS = MG_TABLE_PRIVATE, /* and what else is known of a process */
	TRACK_TABLE_MESSAGES,
	TRACK_TABLE_DUE, /* when a message is looked at */
	TRACK_TABLE_LINES /* that wait for their message's parent */
};

/* Times, ns. */
#define TRACK_WAIT (2 * MG_SECOND) /* for what was written a moment ago: a parent, an event */
#define TRACK_KEEP (60 * MG_SECOND) /* a message after its end, for events that come late */
#define TRACK_FORGET_UNQUEUED (24 * 3600 * MG_SECOND) /* a message that never became active */
#define TRACK_FORGET_QUEUED (30 * 24 * 3600 * MG_SECOND) /* one of which nothing is heard */
#define TRACK_FORGET_SESSION (3 * 3600 * MG_SECOND)

struct track_join {
	const struct mg_events *events;
	const struct track_rules *rules;
	track_emit *emit;
	void *context;
	struct mg_buf key, value; /* of a record that is packed */
	struct mg_buf scratch; /* texts of a recipient that was unpacked */
	struct mg_buf seed; /* of an event's id */
	int64_t swept; /* when what is old was looked for */
	int64_t newest; /* time of the newest line; 0: none yet */
};

/* What is done in one go: a line, an event, or what is due. */
struct track_call {
	struct track_join *join;
	struct mg_store_tx *tx;
	struct mg_error *error;
	const struct track_record *record; /* of the line; NULL: there is none */
	const struct track_line *line;
	/* Of a line with a queue id. */
	struct track_message *message;
	bool known; /* it was in the store */
	int64_t utc; /* of the line, the event, or now */
	unsigned index; /* events made of the line */
	unsigned depth; /* lines that are done within one another */
};

/* --- join --- */

/* The filter that tells recipients. */
extern const char track_log_name[];
/* A line that was read, or that has waited. */
int track_join_dispatch(struct track_call *call);

/* --- session.c: handlers --- */

int track_on_connect(struct track_call *call);
int track_on_tls_in(struct track_call *call);
int track_on_client(struct track_call *call);
int track_on_auth_failed(struct track_call *call);
int track_on_lost(struct track_call *call);
int track_on_disconnect(struct track_call *call);
/* Sessions and processes of which nothing was heard for long. */
int track_sessions_sweep(struct track_call *call, int64_t now);

/* --- stages.c: a queue id on its way through Postfix --- */

int track_on_message_id(struct track_call *call);
int track_on_pickup(struct track_call *call);
int track_on_active(struct track_call *call);
int track_on_removed(struct track_call *call);
int track_on_operator(struct track_call *call);
/* The call's message, begun if it is not known. */
struct track_message *track_stage_message(struct track_call *call, enum track_origin origin);
/* Ends a message: what is open of it ends without an event of its own. Saves it. */
int track_stage_close(struct track_call *call, struct track_message *message, uint32_t facts);
/* Ends one that never came into the queue, with message-unqueued. */
int track_stage_unqueued(
	struct track_call *call, struct track_message *message, int64_t utc, const char *reason);
/* Ends one whose recipients ended unseen, with message-removed, outcome unknown. */
int track_stage_vanished(
	struct track_call *call, struct track_message *message, int64_t utc, const char *reason);
/* hold-missed, if it is so and was not told. */
int track_stage_hold_missed(struct track_call *call, struct track_message *message);

/* --- refuse.c --- */

int track_on_refusal(struct track_call *call);
int track_on_hold(struct track_call *call);
int track_on_discard(struct track_call *call);
int track_on_screen(struct track_call *call);
/* What a milter did, when no filter of ours said that it was it. */
int track_refuse_asked(struct track_call *call, struct track_message *message);
/* Holds a message, or lets it go. */
int track_refuse_held(struct track_call *call, struct track_message *message, bool held);
/* A hold or discard of the transaction before there was a queue id. */
int track_refuse_begun(
	struct track_call *call, struct track_session *session, struct track_message *message);
/* "rcpt" of "RCPT"; "" for none that is known. */
const char *track_stage_name(struct track_text stage);

/* --- recipient.c --- */

int track_on_delivery(struct track_call *call);
int track_on_expired(struct track_call *call);
int track_on_tls_out(struct track_call *call);
/* Calls each for the open recipients of a message; it may save or drop the one it is given. */
typedef int track_each_recipient(
	struct track_call *call, const struct mg_delivery *delivery, void *context);
int track_recipients_each(struct track_call *call, const struct track_message *message,
	track_each_recipient *each, void *context);
int track_recipient_save(struct track_call *call, const struct mg_delivery *delivery);
int track_recipient_drop(struct track_call *call, const struct mg_delivery *delivery);
/* 1 there, 0 not. */
int track_recipient_find(struct track_call *call, const struct track_message *message,
	struct track_text address, struct mg_delivery *delivery);
/* Open recipients, of a message, as email.to.address; and all dropped. */
int track_recipients_report(
	struct track_call *call, const struct track_message *message, struct mg_event *event);
int track_recipients_drop(struct track_call *call, const struct track_message *message);

/* --- links.c --- */

int track_on_notification(struct track_call *call);
/* Makes child one of parent's; the lines that waited for that are done. */
int track_link(struct track_call *call, const struct track_message *parent, struct track_text child,
	enum track_relation relation);
/* The same of a message at hand. */
void track_link_message(const struct track_message *parent, struct track_message *child,
	enum track_relation relation);
/* Keeps the call's line until the message's parent is known. 1 kept; 0 no room: it waits no more. */
int track_link_wait(struct track_call *call);
/* Ends the waiting; the message is loaded anew. */
int track_link_release(struct track_call *call, struct track_message *message);
/* Whether a mail could be one that a filter or list gave back: from the address of an own listener. */
bool track_link_may_return(const struct track_join *join, const struct track_peer *client);
bool track_link_is_own(const struct track_join *join, const struct track_peer *relay);

/* --- due.c --- */

/* When a message is to be looked at next; INT64_MAX never. */
int64_t track_due_next(
	const struct track_join *join, const struct track_message *message, int64_t now);
/* Whether a filter's name is among those seen: " dkim log". */
bool track_due_was_seen(const struct track_message *message, const char *name);

/* --- report.c --- */

/* An event of the call's line; the index-th of it. */
struct mg_event *track_report(struct track_call *call, enum mg_event_action action);
/* An event of what did not happen, or that is no line's: once a queue id and `what`. */
struct mg_event *track_report_of(struct track_call *call, enum mg_event_action action, int64_t utc,
	const char *id, const char *what);
/* Writes it; takes it. */
int track_report_send(struct track_call *call, struct mg_event *event);
void track_report_message(struct mg_event *event, const struct track_message *message);
/* Of which it comes; what tells of a child of it has that instead. */
void track_report_parent(struct mg_event *event, const struct track_message *message);
void track_report_child(
	struct mg_event *event, struct track_text child, enum track_relation relation);
void track_report_client(struct mg_event *event, const struct track_client *client);
void track_report_key(struct mg_event *event, const struct track_client *client);
/* instance and program */
void track_report_line(struct mg_event *event, const struct track_line *line);
void track_report_text(struct mg_event *event, enum mg_field_id field, struct track_text text);
void track_report_word(struct mg_event *event, enum mg_field_id field, const char *word);
void track_report_number(struct mg_event *event, enum mg_field_id field, int64_t number);
/* event.reason in words of Postfix, in which an address may be: not where those are hidden. */
void track_report_reason(struct track_call *call, struct mg_event *event, struct track_text text);
/* Envelope sender: of the null sender there is only that it is empty. */
void track_report_sender(struct mg_event *event, struct track_text from);
/* "1.3" of "TLSv1.3". */
void track_report_tls_version(
	struct mg_event *event, enum mg_field_id field, struct track_text version);
#endif
