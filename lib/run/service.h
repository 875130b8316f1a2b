/* SPDX-License-Identifier: ISC */
/* service: the main program of a daemon that is no milter (millgate-track, millgate-ship): options,
 * configuration, start, signals, reload, event log, metrics, watchdog, end. What daemons of filters
 * do likewise is done by the same modules (command_line, notify, settings).
 *
 *	int main(int argc, char **argv)
 *	{
 *		return mg_service(&track_service, argc, argv);
 *	}
 */
#ifndef MG_RUN_SERVICE_H
#define MG_RUN_SERVICE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/error.h"
#include "base/metrics.h"
#include "event/event.h"

/* What a service is given, as long as the snapshot it was made with. */
struct mg_service_world {
	const struct mg_clock *clock;
	const struct mg_events *events; /* its event log */
	struct mg_spool *spool;
	struct mg_metrics *metrics; /* of its own table; NULL when it has none */
	const char *gateway; /* never empty */
	const char *events_directory, *program; /* "millgate-track" */
};

struct mg_service {
	const char *name; /* "track": NAME.conf, NAME.jsonl, NAME.prom */
	const struct mg_option *options; /* besides the common ones */
	const struct mg_metric *metrics; /* or NULL */

	/* An immutable snapshot of the settings; NULL with errors. Also for -t: opens nothing that
	 * a running one has. release frees it. */
	void *(*configure)(const struct mg_conf *conf, const struct mg_service_world *world,
		struct mg_errors *errors);
	void (*release)(void *snapshot);
	/* Begins the work: NULL with error (exit 69 or as set in *status). */
	void *(*open)(const void *snapshot, const struct mg_service_world *world, int *status,
		struct mg_error *error);
	/* A piece of the work of at most a second or so, or waiting for more: wakes when `wake` is
	 * readable (a signal came) and after `timeout` ns at the latest. 0; -1 with error, which is
	 * logged when it is another than before, and it goes on. */
	int (*step)(void *work, int wake, int64_t timeout, struct mg_error *error);
	/* Another snapshot from now on (reload). 0; -1 with error: what cannot change without a
	 * restart is told, the rest holds. */
	int (*renew)(void *work, const void *snapshot, const struct mg_service_world *world,
		struct mg_error *error);
	/* Ends it: what was begun is finished or given up within stop_timeout. */
	void (*close)(void *work);
};

/* Returns the exit code, as of run/daemon.h. */
int mg_service(const struct mg_service *service, int argc, char **argv);
#endif
