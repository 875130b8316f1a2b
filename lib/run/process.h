/* SPDX-License-Identifier: ISC */
/* process: what each daemon does alike, whether it serves filters (daemon, serve) or not (service):
 * how it begins, what it tells of its configuration, and its file of metrics. */
#ifndef MG_RUN_PROCESS_H
#define MG_RUN_PROCESS_H
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/error.h"
#include "base/metrics.h"
#include "event/event.h"
#include "event/spool.h"
#include "run/command_line.h"

struct mg_process {
	const char *name; /* "log": NAME.conf, NAME.jsonl, NAME.prom */
	char program[64]; /* "millgate-log" */
	char path[512]; /* of NAME.conf, where no -c is given */
	int64_t started; /* monotonic ns */
	struct mg_command_line line;
};

/* First of all: blocks the signals of mg_process_signals in this thread and all that come, and reads
 * the command line. judges: it has the option --judge. Returns -1, or the exit code of what needs no
 * configuration: help, version, wrong use. */
int mg_process_begin(
	struct mg_process *process, const char *name, bool judges, int argc, char **argv);
/* SIGUSR1 and SIGHUP (reload), SIGTERM and SIGINT (end). */
void mg_process_signals(sigset_t *set);

/* On standard error; the list is empty then. */
void mg_process_print_errors(const char *program, struct mg_errors *errors);

/* Writes an event config-loaded, or config-rejected with errors, about the file path. */
void mg_process_tell_config(const struct mg_events *events, enum mg_event_action action,
	const char *path, const struct mg_errors *errors);
/* Logs a reload that was refused. */
void mg_process_tell_refused(const struct mg_errors *errors);
/* Logs that a setting changed that only a start can change: the running daemon keeps its value. */
void mg_process_tell_fixed(
	const struct mg_conf *before, const struct mg_conf *after, const char *setting);

/* Rows of the metrics of a process's life, mg_life_metrics. */
enum mg_life_metric { MG_METRIC_RELOADS, MG_METRIC_RELOADS_REFUSED };
extern const struct mg_metric mg_life_metrics[];
/* Rows of the metrics of an event log, mg_log_metrics, and their values as of now. */
enum mg_log_metric { MG_METRIC_LOG_SEQUENCE, MG_METRIC_LOG_BYTES, MG_METRIC_LOG_LOST };
extern const struct mg_metric mg_log_metrics[];
void mg_process_set_log_metrics(struct mg_metrics *metrics, struct mg_spool *spool);

/* Writes DIRECTORY/NAME.prom, whose rows bear the name, for a directory has many such files. What
 * fails is logged once, until it works again. One thread. */
void mg_process_write_metrics(
	const char *directory, const char *name, const struct mg_metrics *const list[]);
#endif
