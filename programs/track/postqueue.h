/* SPDX-License-Identifier: ISC */
/* postqueue: what Postfix has in its queue, by postqueue -j (postqueue(1)): a child process that is read
 * without waiting, with a bound in time and in size. */
#ifndef MG_TRACK_POSTQUEUE_H
#define MG_TRACK_POSTQUEUE_H
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "track/join.h"

struct track_postqueue;

/* Asks the Postfix of a configuration directory. NULL with error. */
struct track_postqueue *track_postqueue_ask(
	const char *directory, const struct mg_clock *clock, struct mg_error *error);
/* Readable when there may be more. */
int track_postqueue_descriptor(const struct track_postqueue *queue);
/* ns until it is given up. */
int64_t track_postqueue_timeout(const struct track_postqueue *queue);

enum track_postqueue_news {
	TRACK_POSTQUEUE_WAIT, /* no more now */
	TRACK_POSTQUEUE_MESSAGE,
	TRACK_POSTQUEUE_END, /* all were told */
	TRACK_POSTQUEUE_FAILED /* with error: nobody knows what is missing */
};
/* queued: valid until the next call. */
enum track_postqueue_news track_postqueue_next(
	struct track_postqueue *queue, struct track_queued *queued, struct mg_error *error);
/* Ends the child if it is there still. NULL is allowed. */
void track_postqueue_free(struct track_postqueue *queue);
#endif
