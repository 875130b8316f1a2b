/* SPDX-License-Identifier: ISC */
#include "run/process.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "mail/fields.h"
#include "run/daemon.h"

enum { LARGE_PIECE = 128 * 1024, ARENAS = 8 };

const struct mg_metric mg_life_metrics[] = {
	[MG_METRIC_RELOADS] = {"millgate_reloads_total", "result=\"loaded\"",
		"Loadings of the configuration", MG_COUNTER},
	[MG_METRIC_RELOADS_REFUSED] = {"millgate_reloads_total", "result=\"refused\"", "",
		MG_COUNTER},
	{.name = NULL},
};

const struct mg_metric mg_log_metrics[] = {
	[MG_METRIC_LOG_SEQUENCE] = {"millgate_log_sequence", "",
		"Sequence of the last event written", MG_GAUGE},
	[MG_METRIC_LOG_BYTES] = {"millgate_log_bytes", "", "Size of the event log on disk",
		MG_GAUGE},
	[MG_METRIC_LOG_LOST] = {"millgate_log_events_lost_total", "",
		"Events that could not be written or kept", MG_COUNTER},
	{.name = NULL},
};

/* --- the begin --- */

void mg_process_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

static void block_signals(void)
{
	sigset_t set;

	mg_process_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* A log at RLIMIT_FSIZE is a write that fails, not a death. */
	signal(SIGXFSZ, SIG_IGN);
}

/* Large pieces (the index of a sealed segment, a configuration) go back to the system when they are
 * freed: the size of the process then is what it holds, not what it once held. mallopt(3): setting a
 * threshold keeps malloc from raising it by itself. Few arenas, for threads come and go with
 * connections and each arena keeps what its busiest moment took; small pieces are cached per thread,
 * so they seldom meet at an arena's lock. */
static void steady_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_PIECE);
	mallopt(M_TRIM_THRESHOLD, LARGE_PIECE);
	mallopt(M_ARENA_MAX, ARENAS);
}

int mg_process_begin(
	struct mg_process *process, const char *name, bool judges, int argc, char **argv)
{
	struct mg_command_line *line = &process->line;

	block_signals();
	steady_memory();
	/* Keys and mail stay out of core files. */
	prctl(PR_SET_DUMPABLE, 0);
	process->started = mg_clock_system.monotonic(&mg_clock_system);
	process->name = name;
	mg_str_format(process->program, sizeof process->program, "millgate-%s", name);
	mg_str_format(process->path, sizeof process->path, "%s/%s.conf", MG_SYSCONFDIR, name);
	*line = (struct mg_command_line){
		.task = MG_TASK_SERVE, .config = process->path, .judges = judges};
	if (!mg_command_line_read(line, process->program, argc, argv))
		return MG_EXIT_USAGE;
	if (line->task == MG_TASK_HELP)
		mg_command_line_help(process->program, judges);
	else if (line->task == MG_TASK_VERSION)
		printf("%s %s\n", process->program, PACKAGE_VERSION);
	else
		mg_log_open(process->program, line->verbose);
	return line->task == MG_TASK_HELP || line->task == MG_TASK_VERSION ? MG_EXIT_GOOD : -1;
}

/* --- what it tells --- */

void mg_process_print_errors(const char *program, struct mg_errors *errors)
{
	for (size_t i = 0; i < errors->kept; i++)
		fprintf(stderr, "%s: %s\n", program, errors->list[i].text);
	if (errors->count > errors->kept)
		fprintf(stderr, "%s: and %zu more errors\n", program, errors->count - errors->kept);
	mg_errors_clear(errors);
}

void mg_process_tell_config(const struct mg_events *events, enum mg_event_action action,
	const char *path, const struct mg_errors *errors)
{
	struct mg_event *event = mg_event_new(events, action);

	mg_event_set_text(event, &mg_fields[MG_FIELD_CONFIG_FILE], path);
	for (size_t row = 0; errors != NULL && row < errors->kept; row++)
		mg_event_set_text(
			event, &mg_fields[MG_FIELD_CONFIG_ERRORS], errors->list[row].text);
	(void)mg_events_write(events, event, NULL);
	mg_event_free(event);
}

void mg_process_tell_refused(const struct mg_errors *errors)
{
	for (size_t i = 0; i < errors->kept; i++)
		mg_log(LOG_ERR, "reload refused, old one stays: %s", errors->list[i].text);
}

void mg_process_tell_fixed(
	const struct mg_conf *before, const struct mg_conf *after, const char *setting)
{
	if (strcmp(mg_conf_text(before, setting), mg_conf_text(after, setting)) != 0)
		mg_log(LOG_WARNING, "%s: changed, which takes a restart", setting);
}

/* --- metrics --- */

void mg_process_set_log_metrics(struct mg_metrics *metrics, struct mg_spool *spool)
{
	struct mg_spool_state state;

	mg_spool_state(spool, &state);
	mg_metrics_set(metrics, MG_METRIC_LOG_SEQUENCE, (int64_t)state.sequence);
	mg_metrics_set(metrics, MG_METRIC_LOG_BYTES, (int64_t)state.bytes);
	mg_metrics_set(metrics, MG_METRIC_LOG_LOST, (int64_t)state.lost);
}

void mg_process_write_metrics(
	const char *directory, const char *name, const struct mg_metrics *const list[])
{
	static bool told;
	char path[PATH_MAX], label[64];
	struct mg_error error;

	if (!mg_str_format(path, sizeof path, "%s/%s.prom", directory, name))
		return;
	mg_str_format(label, sizeof label, "daemon=\"%s\"", name);
	if (mg_metrics_write(list, label, path, &error) == 0) {
		told = false;
	} else if (!told) {
		mg_log(LOG_WARNING, "metrics: %s", error.text);
		told = true;
	}
}
