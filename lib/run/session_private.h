/* SPDX-License-Identifier: ISC */
/* What session.c (connection and envelope), content.c (content and end of message), verdict.c (what
 * an answer leads to) and edits.c (what a filter changes) share of one connection. No other file
 * includes this. */
#ifndef MG_RUN_SESSION_PRIVATE_H
#define MG_RUN_SESSION_PRIVATE_H
#include "run/block.h"
#include "run/session.h"

enum mg_edit_kind {
	MG_DO_INSERT_HEADER,
	MG_DO_CHANGE_HEADER,
	MG_DO_ADD_RECIPIENT,
	MG_DO_DELETE_RECIPIENT,
	MG_DO_CHANGE_SENDER
};

/* An edit as the MTA will be told. */
struct mg_edit {
	enum mg_edit_kind kind;
	unsigned number; /* position or occurrence */
	const char *name; /* field name, or address */
	const char *value; /* of a field, folds as LF; NULL deletes */
	struct mg_edit *next;
};

/* A filter on this message. */
struct mg_slot {
	struct mg_call call; /* first: a call is its slot */
	const struct mg_configured *configured;
	/* No more callbacks but end: it answered ACCEPT, on_error let the message pass, or the
	 * answer for the whole message stands. */
	bool done;
	bool begun; /* it has seen MAIL: no earlier filter refused that */
	bool skips_body;
	char failed[256]; /* why it cannot judge (mg_fail); "" it can */
	char ref[9]; /* of its last filter-error event, "" none */
	/* Both came before the content, and stay when that comes again. */
	bool failed_early, held_early;
	char hold[64]; /* code, "" none */
	char hold_value[66]; /* of the field that holds */
	struct mg_edit *edits, **edits_end;
	/* the new body, NULL none */
	long (*read)(void *source, unsigned char *, size_t);
	void *source;
};

struct mg_run {
	struct mg_host *host;
	const struct mg_front *front;
	void *context;

	/* of the connection */
	struct mg_session session;
	char client_name[256], helo[512];
	struct mg_snapshot *snapshot; /* in use since the connection began or the last MAIL */
	bool counted; /* in host->sessions */

	/* of the message */
	bool open;
	struct mg_arena *arena, *recipient_arena;
	struct mg_message message;
	char queue_id[128];
	struct mg_recipient *recipients;
	size_t recipients_size;
	size_t header_count;
	struct mg_block block;
	uint64_t block_bytes; /* when the turn began */
	bool in_content, in_eom;
	const struct mg_slot *turn; /* whose turn at end of message it is, or NULL */
	bool at_bound; /* in this callback memory ran out by the message's own bound */
	bool starved; /* memory ran out that is not this message's own bound */
	int64_t used; /* ns of message_timeout */
	/* Local mail: what is answered at end of message; MG_CONTINUE none. */
	struct mg_verdict refusal;
	/* Recipients to be removed at end of message, and what is answered when none is left. */
	struct mg_edit *removals, **removals_end;
	struct mg_verdict recipient_refusal;

	struct mg_slot slots[MG_FILTERS_MAX];
	size_t slot_count;
};

/* --- session.c --- */

int64_t mg_run_monotonic(const struct mg_run *run);
/* Before a callback: sets the deadline and the time it begins; false when the filter must not be
 * called, for it has failed or the time for this message or memory is used up. After it, in both
 * cases: leave. */
bool mg_run_enter(struct mg_run *run, struct mg_slot *slot, int64_t *began);
void mg_run_leave(struct mg_run *run, int64_t began);
/* Asks the MTA for the queue id as long as it is unknown. */
void mg_run_learn_queue_id(struct mg_run *run);
/* The answer that ends the message; before its end local mail gets it at its end. */
void mg_run_conclude(struct mg_run *run, struct mg_verdict *verdict);

/* --- verdict.c --- */

/* What the answer of a filter at a step leads to: failures become what on_error and on_bound say,
 * local mail and dry_run are minded, a reply is made whole. Returns true when the message (session,
 * recipient) is refused or discarded: verdict then is the final answer. */
/* step: enum mg_step, MG_STEP_COUNT for the end of message. */
bool mg_verdict_settle(
	struct mg_run *run, struct mg_slot *slot, unsigned step, struct mg_verdict *verdict);
/* The filter's turn at end of message when the message is over a bound: the answer of on_bound. As
 * mg_verdict_settle. */
bool mg_verdict_bound(struct mg_run *run, struct mg_slot *slot, struct mg_verdict *verdict);

/* --- content.c --- */

/* The content comes again, for an earlier filter replaced the body: `first` and the filters after
 * it forget the old one and are given the header block as it is now. */
void mg_content_renew(struct mg_run *run, struct mg_slot *first);
/* A chunk of the new body for them. */
void mg_content_body(
	struct mg_run *run, struct mg_slot *first, const unsigned char *chunk, size_t length);

/* --- edits.c --- */

/* Begins the turn of a filter at end of message. */
void mg_edits_turn(struct mg_run *run, struct mg_slot *slot);
/* Drops the edits of its turn: filters after it do not see them. */
void mg_edits_drop(struct mg_run *run, struct mg_slot *slot);
/* Tells the MTA the edits of a filter, and its hold when that is a header field; a new body goes to
 * the filters after it, too. 0, or -1 when the MTA could not be told. */
int mg_edits_carry_out(struct mg_run *run, struct mg_slot *slot);
/* Notes what refused memory: the message's own bound, or the machine. */
void mg_run_no_memory(struct mg_run *run, size_t bytes);
#endif
