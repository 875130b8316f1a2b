/* SPDX-License-Identifier: ISC */
/* host: what the sessions of a process share: the filters' needs, the current configuration,
 * memory, counters. Threads: everything that changes is atomic, or in the snapshot holder under its
 * lock. */
#ifndef MG_RUN_HOST_H
#define MG_RUN_HOST_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "mail/filter.h"
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
	MG_STEP_DECLINED, /* never sent: SMFIP_NO* */
	MG_STEP_SILENT, /* sent, not answered: SMFIP_NR_* */
	MG_STEP_ANSWERED
};
struct mg_plan {
	enum mg_need steps[MG_STEP_COUNT];
	unsigned edits; /* MG_EDIT_*, what the runner itself may do included */
	bool headers; /* the header block is kept */
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
	MG_METRIC_RECIPIENTS_REFUSED
};
extern const struct mg_metric mg_host_metrics[];

/* What the sessions of a process share. */
struct mg_host {
	struct mg_plan plan;
	struct mg_snapshot_holder snapshots;
	const struct mg_clock *clock;
	struct mg_arena_total memory;
	struct mg_metrics *metrics;
	_Atomic int sessions; /* open now */
	_Atomic int messages; /* under way now: between MAIL and its end */
	_Atomic int64_t last_step; /* monotonic ns of the last step of any session */
};

/* What `count` filters need together. */
void mg_plan_make(struct mg_plan *plan, const struct mg_filter *const filters[], size_t count);
#endif
