/* SPDX-License-Identifier: ISC */
/* snapshot: one loading of the configuration: the settings and the filters made of them, immutable.
 * A message runs on the snapshot it began with; a reload swaps in another; the last user frees it.
 *
 * Locks: the holder's mutex guards the current pointer alone; the count in a snapshot is atomic. */
#ifndef MG_RUN_SNAPSHOT_H
#define MG_RUN_SNAPSHOT_H
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/dns_record.h"
#include "base/metrics.h"
#include "event/redact.h"
#include "event/spool.h"
#include "mail/filter.h"
#include "mail/origin.h"
#include "run/settings.h"

enum { MG_FILTERS_MAX = 4 };

/* A filter in this process, with what lives as long as the process; or the process itself, where it
 * has a file of its own (run/chain.h): a filter without callbacks and event log. */
struct mg_hosted {
	const struct mg_filter *filter;
	const char *path; /* configuration file */
	const char *const *overrides; /* -o, ended by NULL */
	const struct mg_option *tables[MG_OPTION_TABLES];
	struct mg_spool *spool; /* NULL: nothing is written (-t) */
	/* What answers questions to the DNS; NULL: as the section `resolver` says. */
	struct mg_dns *dns;
	struct mg_dns_notes *dns_notes; /* where they are noted, or NULL */
	struct mg_metrics *metrics; /* of the filter's own table, or NULL */
	struct mg_metrics *log_metrics; /* mg_log_metrics */
	char program[64]; /* "millgate-log" */
	char host_name[256];
};

/* A filter as configured. */
struct mg_configured {
	const struct mg_filter *filter;
	struct mg_conf *conf;
	struct mg_settings settings;
	struct mg_origin *origin;
	struct mg_redact *redact;
	struct mg_events *events;
	struct mg_dns *dns;
	struct mg_world world;
	void *snapshot; /* what the filter's configure made */
};

struct mg_snapshot {
	_Atomic unsigned uses;
	/* What is the process's, whatever each filter's own file says: socket, engine, gateway,
	 * message_timeout, stop_timeout, metrics, bounds, origin. Of `process`, or of the only
	 * filter. */
	const struct mg_conf *conf;
	const struct mg_settings *settings;
	const struct mg_origin *origin;
	struct mg_configured process;
	size_t count;
	struct mg_configured filters[MG_FILTERS_MAX];
};

/* Loads the configuration of the process (NULL: that of the first filter is the process's) and of
 * each hosted filter; NULL when errors has something. One use is the caller's. */
struct mg_snapshot *mg_snapshot_load(const struct mg_hosted *process,
	const struct mg_hosted *hosted, size_t count, const struct mg_clock *clock,
	struct mg_errors *errors);
void mg_snapshot_release(struct mg_snapshot *snapshot);

struct mg_snapshot_holder {
	pthread_mutex_t lock;
	struct mg_snapshot *current;
};
/* The current snapshot, to be released by the caller. */
struct mg_snapshot *mg_snapshot_current(struct mg_snapshot_holder *holder);
/* Makes snapshot the current one (its use goes to the holder) and returns the one before, whose use
 * is the caller's. */
struct mg_snapshot *mg_snapshot_swap(
	struct mg_snapshot_holder *holder, struct mg_snapshot *snapshot);
#endif
