/* SPDX-License-Identifier: ISC */
/* session: the state machine between a front and the filters of this process: one struct mg_run a connection of the MTA, any number of messages on it.
 * It knows nothing of a protocol or library: a front calls a function a step, in whatever order a hostile or broken peer sends
 * them, and carries the answer.
 *
 * A message is over at end of message, at a final refusal, at abort, or when the connection ends; each filter's `end` is called once. Local mail, hold,
 * dry_run, on_error, on_bound and time are handled here (DESIGN section 4), so no filter thinks of them.
 *
 * Threads: a struct mg_run is used by one thread at a time; a struct mg_host is shared, its counters are atomic. */
#ifndef MG_RUN_SESSION_H
#define MG_RUN_SESSION_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "mail/filter.h"
#include "run/front.h"
#include "run/snapshot.h"

/* Steps of the protocol, and how much of each the filters of this process need. */
enum mg_step {
	MG_STEP_CONNECT,
	MG_STEP_HELO,
	MG_STEP_MAIL,
	MG_STEP_RCPT,
	MG_STEP_DATA,
	MG_STEP_HEADER,
	MG_STEP_EOH,
	MG_STEP_BODY,
	MG_STEP_COUNT
};
enum mg_need {
	MG_STEP_DECLINED,	/* never sent: SMFIP_NO* */
	MG_STEP_SILENT,		/* sent, not answered: SMFIP_NR_* */
	MG_STEP_ANSWERED
};
struct mg_plan {
	enum mg_need steps[MG_STEP_COUNT];
	unsigned edits;		/* MG_EDIT_*, what the runner itself may do included */
	bool headers;		/* the header block is kept */
};

/* Rows of the runner's metrics, mg_host_metrics. */
enum mg_host_metric {
	MG_METRIC_SESSIONS,
	MG_METRIC_SESSIONS_OPEN,
	MG_METRIC_MESSAGES_CONTINUED,
	MG_METRIC_MESSAGES_REJECTED,
	MG_METRIC_MESSAGES_DEFERRED,
	MG_METRIC_MESSAGES_DISCARDED,
	MG_METRIC_MESSAGES_HELD,
	MG_METRIC_MESSAGES_ABORTED,
	MG_METRIC_MESSAGES_LOST,
	MG_METRIC_FILTER_ERRORS,
	MG_METRIC_RECIPIENTS_REFUSED,
	MG_METRIC_RELOADS,
	MG_METRIC_RELOADS_REFUSED,
	MG_METRIC_LOG_SEQUENCE,
	MG_METRIC_LOG_BYTES,
	MG_METRIC_LOG_LOST
};
extern const struct mg_metric mg_host_metrics[];

/* What the sessions of a process share. */
struct mg_host {
	struct mg_plan plan;
	struct mg_snapshot_holder snapshots;
	const struct mg_clock *clock;
	struct mg_arena_total memory;
	struct mg_metrics *metrics;
	_Atomic int sessions;		/* open now */
	_Atomic int messages;		/* under way now: between MAIL and its end */
	_Atomic int64_t last_step;	/* monotonic ns of the last step of any session */
};

/* What `count` filters need together. */
void mg_plan_make(struct mg_plan *plan, const struct mg_filter *const filters[], size_t count);

/* A connection; NULL: no memory. host, front and context must outlive it. */
struct mg_run *mg_run_new(struct mg_host *host, const struct mg_front *front, void *context);

/* The steps. What a front must answer is put into verdict: MG_CONTINUE, MG_ACCEPT (no more steps of this message), MG_REJECT and MG_TEMPFAIL with a
 * whole reply ("550 5.7.1 text"), MG_DISCARD; never MG_ERROR. At a step that the plan does not answer it is MG_CONTINUE. client may be NULL
 * (unknown). arguments of mail and rcpt are as in SMTP: the address, with or without <>, then ESMTP parameters; ended by NULL. */
void mg_run_connect(struct mg_run *run, const char *client_name, const struct sockaddr_storage *client, struct mg_verdict *verdict);
void mg_run_helo(struct mg_run *run, const char *helo, struct mg_verdict *verdict);
void mg_run_mail(struct mg_run *run, const char *const arguments[], struct mg_verdict *verdict);
void mg_run_rcpt(struct mg_run *run, const char *const arguments[], struct mg_verdict *verdict);
void mg_run_data(struct mg_run *run, struct mg_verdict *verdict);
/* value: every byte after the colon, leading space included; folds LF or CRLF. */
void mg_run_header(struct mg_run *run, const char *name, const char *value);
void mg_run_eoh(struct mg_run *run);
/* false: no filter wants more of the body (the front may answer SKIP). */
bool mg_run_body(struct mg_run *run, const unsigned char *chunk, size_t length);
void mg_run_eom(struct mg_run *run, struct mg_verdict *verdict);
/* RSET, EHLO …: ends the message under way, if any. */
void mg_run_abort(struct mg_run *run);
/* Ends the message under way, frees the run. */
void mg_run_close(struct mg_run *run);
#endif
