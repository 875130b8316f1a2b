/* SPDX-License-Identifier: ISC */
/* spool_trim: removes the oldest sealed segments of a log: while all are over `keep` bytes or
 * they are older than `keep_age`, but not what a sink has yet to read, unless all are over
 * `hard_limit`. */
#ifndef MG_EVENT_SPOOL_TRIM_H
#define MG_EVENT_SPOOL_TRIM_H
#include <stdint.h>

#include "base/error.h"
#include "event/spool.h"

struct mg_trimmed {
	uint64_t lost_count, lost_first, lost_last; /* removed before every sink had them; 0 none */
	uint64_t segments, bytes; /* sealed ones that are left */
};

/* open_first, open_bytes: of the file being written. 0, or -1 with error: what could be done is
 * done. */
int mg_spool_trim(int directory, const struct mg_spool_settings *settings, int64_t now,
	uint64_t open_first, uint64_t open_bytes, struct mg_trimmed *trimmed,
	struct mg_error *error);
#endif
