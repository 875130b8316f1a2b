/* SPDX-License-Identifier: ISC */
/* serve: the life of a daemon once its configuration is loaded: readiness, signals, reload,
 * housekeeping, watchdog, the drain at the end.
 *
 * Threads: the main one waits for signals, and does nothing else; one runs the engine; one does the
 * housekeeping of each second (event log, metrics) and the reloads; one feeds the watchdog, if
 * there is one. */
#ifndef MG_RUN_SERVE_H
#define MG_RUN_SERVE_H
#include "run/front.h"
#include "run/host.h"
#include "run/process.h"
#include "run/snapshot.h"

struct mg_daemon {
	struct mg_process own;
	const struct mg_hosted *process; /* of several filters; NULL for one alone */
	struct mg_hosted hosted[MG_FILTERS_MAX];
	size_t count;
	struct mg_host host;
	const struct mg_engine *engine;
	struct mg_endpoint endpoint;
	int fds[MG_LISTEN_MAX];
	int fd_count;
	struct mg_metrics *life_metrics; /* mg_life_metrics */
};

/* Serves until SIGTERM or SIGINT; exit code. The engine is open, the first snapshot is current. */
int mg_serve(struct mg_daemon *daemon);
#endif
