/* SPDX-License-Identifier: ISC */
/* follow: the work of millgate-track: lines of Postfix's log, events of the filters and Postfix's
 * queue go to join, in changes of the store of about a thousand lines; before each is committed, its
 * events are in the log and on disk. A change that fails is begun again from what was committed. */
#ifndef MG_TRACK_FOLLOW_H
#define MG_TRACK_FOLLOW_H
#include <stdint.h>

#include "base/error.h"
#include "base/metrics.h"
#include "run/service.h"
#include "track/settings.h"

extern const struct mg_metric track_metrics[];

struct track_follow;

/* settings and world as long as they are not renewed. NULL with error and exit status. */
struct track_follow *track_follow_open(const struct track_settings *settings,
	const struct mg_service_world *world, int *status, struct mg_error *error);
void track_follow_close(struct track_follow *follow);
/* As of run/service.h. */
void track_follow_describe(const struct track_follow *follow, char *text, size_t size);
int track_follow_step(
	struct track_follow *follow, int wake, int64_t timeout, struct mg_error *error);
int track_follow_renew(struct track_follow *follow, const struct track_settings *settings,
	const struct mg_service_world *world, struct mg_error *error);
void track_follow_measure(struct track_follow *follow);
#endif
