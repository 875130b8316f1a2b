/* SPDX-License-Identifier: ISC */
/* service: the main program of a daemon that is no milter (millgate-track, millgate-ship): options,
 * configuration, start, signals, reload, event log, metrics, watchdog, end. What daemons of filters
 * do likewise is done by the same modules (process, command_line, notify, settings).
 *
 *	int main(int argc, char **argv)
 *	{
 *		return mg_service(&track_service, argc, argv);
 *	}
 *
 * One thread: its work is done in steps, between which signals are taken and the housekeeping of
 * each second is done. The watchdog of the service manager is fed by steps that return. */
#ifndef MG_RUN_SERVICE_H
#define MG_RUN_SERVICE_H
#include <stdbool.h>
#include <stddef.h>
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
	struct mg_spool *spool; /* the log's writer; NULL: nothing is written (-t) */
	struct mg_metrics *metrics; /* of its own table; NULL when it has none */
	const char *gateway; /* never empty */
	const char *events_directory, *program; /* "millgate-track" */
};

struct mg_service {
	const char *name; /* "track": NAME.conf, NAME.jsonl, NAME.prom */
	const struct mg_option *options; /* besides the common ones */
	/* Names of further settings of common.conf that it has ("reinject"), ended by NULL; NULL
	 * none. All have gateway, metrics and events; what else stands in common.conf is passed
	 * over, and is an error in NAME.conf itself. */
	const char *const *common;
	const struct mg_metric *metrics; /* or NULL */
	/* Who appends keeps what could not be written, and writes it again later. */
	bool writes_again;

	/* An immutable snapshot of the settings; NULL with errors. Also for -t: opens nothing that
	 * a running one has. release frees it. */
	void *(*configure)(const struct mg_conf *conf, const struct mg_service_world *world,
		struct mg_errors *errors);
	void (*release)(void *snapshot);
	/* Begins the work: NULL with error (exit 69 or as set in *status). */
	void *(*open)(const void *snapshot, const struct mg_service_world *world, int *status,
		struct mg_error *error);
	/* What it does, for the line "ready: …". */
	void (*describe)(const void *work, char *text, size_t size);
	/* A piece of the work of at most a second or so, or waiting for more: wakes when `wake` is
	 * readable (a signal came) and after `timeout` ns at the latest. 0; -1 with error, which is
	 * logged when it is another than before, and it goes on after a second. */
	int (*step)(void *work, int wake, int64_t timeout, struct mg_error *error);
	/* Another snapshot from now on (reload); the one before is gone when it returns. 0; -1 with
	 * error: what cannot change without a restart is told, the rest holds. */
	int (*renew)(void *work, const void *snapshot, const struct mg_service_world *world,
		struct mg_error *error);
	/* Sets metrics that are not counted on the way; NULL: there are none. */
	void (*measure)(void *work);
	/* Ends it: what was begun is finished or given up. */
	void (*close)(void *work);
};

/* Returns the exit code, as of run/daemon.h. */
int mg_service(const struct mg_service *service, int argc, char **argv);
#endif
