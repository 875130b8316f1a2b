/* SPDX-License-Identifier: ISC */
/* session: what the store knows of a client's connection to an smtpd, by the process that serves it:
 * one at a time. Hides the layout of the record (below 4 KiB). */
#ifndef MG_TRACK_SESSION_H
#define MG_TRACK_SESSION_H
#include <stdbool.h>
#include <stdint.h>

#include "track/client.h"
#include "track/line.h"
#include "track/message.h"

struct track_call;

enum {
	TRACK_SESSION_TRACES = 100, /* trace ids in one session-linked; then there is another */
	TRACK_TRACE_BYTES = 16,
	TRACK_SESSION_BYTES = 4096
};

enum track_session_fact {
	TRACK_SESSION_HOLD = 1 << 0, /* the message that comes is held */
	TRACK_SESSION_DISCARD = 1 << 1 /* or thrown away */
};

struct track_session {
	uint32_t pid;
	uint32_t facts;
	uint32_t refusals;
	int64_t started, last; /* UTC ns */
	struct track_client client;
	struct track_text current; /* queue id of the message under way, or the last */
	struct track_text instance;
	uint32_t trace_count;
	unsigned char traces[TRACK_SESSION_TRACES][TRACK_TRACE_BYTES];
	char raw[TRACK_SESSION_BYTES];
};

/* Each: -1 with the call's error. */

/* The session that the call's line is of; begun when it is not known. Lines without a process id are
 * of none: a session that is not saved. 1 known, 0 begun. */
int track_session_load(struct track_call *call, struct track_session *session);
/* That of the process, if the message is its current one: 1, else 0. */
int track_session_of_message(struct track_call *call, const struct track_message *message,
	struct track_session *session);
int track_session_save(struct track_call *call, struct track_session *session);
#endif
