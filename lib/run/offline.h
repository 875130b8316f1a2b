/* SPDX-License-Identifier: ISC */
/* offline: a message judged without the MTA: a front that walks the session through the steps that
 * Postfix takes, tells it the macros that Postfix would, and notes what it is told. */
#ifndef MG_RUN_OFFLINE_H
#define MG_RUN_OFFLINE_H
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "run/host.h"
#include "run/judge_case.h"

/* A clock that stands still, so that the same message gives the same answer; its monotonic time is
 * that of the system when it was set, for waits go by that. */
struct mg_still_clock {
	struct mg_clock clock; /* first */
	int64_t utc, monotonic;
};
void mg_still_clock_set(struct mg_still_clock *still, int64_t utc);

enum mg_judgement {
	MG_JUDGED_ACCEPTED,
	MG_JUDGED_HELD,
	MG_JUDGED_DEFERRED,
	MG_JUDGED_DISCARDED,
	MG_JUDGED_REJECTED,
	MG_JUDGED_PARTLY, /* accepted, but a recipient is refused */
	MG_NOT_JUDGED
};

/* A message with what is known of it. A line "From " at its begin, of a mailbox file, is left out,
 * as sendmail(1) does. */
struct mg_offline {
	const struct mg_case *facts; /* complete */
	const char *message; /* LF or CRLF */
	size_t length;
	/* Bytes of the next body chunk, as in run/cut.h: NULL, the most there may be. */
	size_t (*chunk)(void *context);
	void *context;
};

/* Judges by the current configuration of the host, whose events are taken from their logs for that:
 * it serves nobody else. Adds one line to out, a JSON object: verdict, reply, hold, edits, events,
 * and, where only some recipients are, refused. MG_NOT_JUDGED with error: the message is empty, or
 * no memory. */
enum mg_judgement mg_offline_judge(struct mg_host *host, const struct mg_offline *offline,
	struct mg_buf *out, struct mg_error *error);
#endif
