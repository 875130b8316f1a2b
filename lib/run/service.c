/* SPDX-License-Identifier: ISC */
#include "run/service.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "event/settings.h"
#include "event/spool_read.h"
#include "mail/fields.h"
#include "run/daemon.h"
#include "run/notify.h"
#include "run/process.h"
#include "run/settings.h"

enum { METRICS_EVERY = 10 /* seconds */, PAUSE_MS = 1000 /* after a step that failed */ };

/* One loading of the configuration. */
struct snapshot {
	struct mg_conf *conf;
	struct mg_redact *redact;
	struct mg_events *events;
	struct mg_service_world world;
	void *own; /* what configure made */
	char gateway[256];
};

/* The daemon: one a process. */
struct running {
	const struct mg_service *service;
	struct mg_process process;
	char host_name[256];
	const struct mg_option *tables[MG_OPTION_TABLES];
	struct mg_metrics *life_metrics, *log_metrics, *metrics;
	struct mg_spool *spool;
	struct snapshot *snapshot;
	void *work;
	int signals; /* signalfd(2) */
	bool ending;
	struct mg_error trouble; /* of the last step; "" none */
	int64_t next_tick, next_note; /* monotonic ns */
	unsigned ticks;
};

static int64_t monotonic(void)
{
	return mg_clock_system.monotonic(&mg_clock_system);
}

/* --- the configuration --- */

static void free_snapshot(const struct running *running, struct snapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	if (snapshot->own != NULL)
		running->service->release(snapshot->own);
	mg_events_free(snapshot->events);
	mg_redact_free(snapshot->redact);
	mg_conf_free(snapshot->conf);
	free(snapshot);
}

/* What stands behind the configuration itself. False with errors. */
static bool fill_snapshot(
	const struct running *running, struct snapshot *snapshot, struct mg_errors *errors)
{
	const struct mg_events_identity identity = {.program = running->process.program,
		.host = running->host_name,
		.version = PACKAGE_VERSION};
	size_t before = errors->count;

	mg_settings_gateway(snapshot->conf, snapshot->gateway, sizeof snapshot->gateway, errors);
	snapshot->redact = mg_events_redact(snapshot->conf, errors);
	if (errors->count > before)
		return false;
	snapshot->events =
		mg_events_new(&identity, snapshot->redact, running->spool, &mg_clock_system);
	if (snapshot->events == NULL) {
		mg_errors_add(errors, "%s: out of memory", running->process.program);
		return false;
	}
	snapshot->world = (struct mg_service_world){.clock = &mg_clock_system,
		.events = snapshot->events,
		.spool = running->spool,
		.metrics = running->metrics,
		.gateway = snapshot->gateway,
		.events_directory = mg_conf_text(snapshot->conf, "events.directory"),
		.program = running->process.program};
	snapshot->own = running->service->configure(snapshot->conf, &snapshot->world, errors);
	return errors->count == before;
}

/* NULL with errors. */
static struct snapshot *load(const struct running *running, struct mg_errors *errors)
{
	const struct mg_command_line *line = &running->process.line;
	struct snapshot *snapshot = calloc(1, sizeof *snapshot);

	if (snapshot == NULL) {
		mg_errors_add(errors, "%s: out of memory", running->process.program);
		return NULL;
	}
	snapshot->conf = mg_conf_load(line->config, running->tables, line->overrides, errors);
	if (snapshot->conf != NULL && fill_snapshot(running, snapshot, errors))
		return snapshot;
	free_snapshot(running, snapshot);
	return NULL;
}

static void log_settings(const struct running *running, const struct snapshot *snapshot,
	struct mg_spool_settings *settings)
{
	mg_events_spool_settings(snapshot->conf, running->service->name, settings);
	settings->written_again = running->service->writes_again;
}

/* --- the tasks that end at once --- */

static int check(const struct running *running)
{
	printf("%s: ok\n", running->process.line.config);
	return MG_EXIT_GOOD;
}

static int print(const struct snapshot *snapshot)
{
	return mg_conf_print(snapshot->conf, stdout) == 0 && fflush(stdout) == 0 ? MG_EXIT_GOOD
										 : MG_EXIT_IO;
}

static int verify(const struct running *running, const struct snapshot *snapshot)
{
	struct mg_spool_settings settings;
	struct mg_error error;
	int status;

	log_settings(running, snapshot, &settings);
	status = mg_spool_verify(settings.directory, settings.name, stdout, NULL, &error);
	if (status < 0) {
		fprintf(stderr, "%s: %s\n", running->process.program, error.text);
		return MG_EXIT_IO;
	}
	return status == 0 ? MG_EXIT_GOOD : MG_EXIT_BAD;
}

/* --- housekeeping --- */

static void write_metrics(struct running *running)
{
	const char *directory = mg_conf_text(running->snapshot->conf, "metrics");

	if (directory[0] == '\0')
		return;
	if (running->work != NULL && running->service->measure != NULL)
		running->service->measure(running->work);
	mg_process_set_log_metrics(running->log_metrics, running->spool);
	mg_process_write_metrics(directory, running->service->name,
		(const struct mg_metrics *[]){
			running->life_metrics, running->log_metrics, running->metrics, NULL});
}

static void keep_house(struct running *running)
{
	struct mg_error error;
	int64_t now = monotonic(), watchdog = mg_notify_watchdog();

	if (watchdog > 0 && now >= running->next_note) {
		mg_notify("WATCHDOG=1");
		running->next_note = now + watchdog / 3;
	}
	if (now < running->next_tick)
		return;
	running->next_tick = now + MG_SECOND;
	if (mg_spool_tick(running->spool, &error) != 0)
		mg_log(LOG_ERR, "event log: %s", error.text);
	if (running->ticks++ % METRICS_EVERY == 0)
		write_metrics(running);
}

static void reload(struct running *running)
{
	struct mg_errors errors = {0};
	struct snapshot *before = running->snapshot, *after = load(running, &errors);
	struct mg_spool_settings settings;
	struct mg_error error;

	if (after == NULL) {
		mg_process_tell_refused(&errors);
		mg_process_tell_config(
			before->events, MG_CONFIG_REJECTED, running->process.line.config, &errors);
		mg_metrics_add(running->life_metrics, MG_METRIC_RELOADS_REFUSED, 1);
		mg_errors_clear(&errors);
		return;
	}
	mg_process_tell_fixed(before->conf, after->conf, "events.directory");
	if (running->service->renew(running->work, after->own, &after->world, &error) != 0)
		mg_log(LOG_WARNING, "%s", error.text);
	log_settings(running, after, &settings);
	mg_spool_set(running->spool, &settings);
	mg_spool_set_compose(running->spool, mg_fields_compose, after->events);
	running->snapshot = after;
	free_snapshot(running, before);
	mg_process_tell_config(after->events, MG_CONFIG_LOADED, running->process.line.config, NULL);
	mg_metrics_add(running->life_metrics, MG_METRIC_RELOADS, 1);
	mg_log(LOG_INFO, "reloaded");
}

static void take_signals(struct running *running)
{
	struct signalfd_siginfo signal;
	bool wanted = false;

	while (read(running->signals, &signal, sizeof signal) == (ssize_t)sizeof signal)
		if (signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGINT)
			running->ending = true;
		else
			wanted = true;
	if (wanted && !running->ending)
		reload(running);
}

/* --- serving --- */

static void step(struct running *running)
{
	struct pollfd signals = {.fd = running->signals, .events = POLLIN};
	int64_t timeout = running->next_tick - monotonic();
	struct mg_error error;

	error.text[0] = '\0';
	if (running->service->step(
		    running->work, running->signals, timeout > 0 ? timeout : 0, &error) == 0) {
		running->trouble.text[0] = '\0';
		return;
	}
	if (strcmp(error.text, running->trouble.text) != 0)
		mg_log(LOG_ERR, "%s", error.text);
	running->trouble = error;
	(void)poll(&signals, 1, PAUSE_MS);
}

static void tell_ready(const struct running *running)
{
	char what[256] = "";

	running->service->describe(running->work, what, sizeof what);
	mg_process_tell_config(
		running->snapshot->events, MG_CONFIG_LOADED, running->process.line.config, NULL);
	mg_log(LOG_INFO, "ready: %s, %lld ms", what,
		(long long)((monotonic() - running->process.started) / MG_MILLISECOND));
	mg_notify("READY=1");
}

static void work(struct running *running)
{
	tell_ready(running);
	running->next_tick = running->next_note = monotonic();
	while (!running->ending) {
		keep_house(running);
		step(running);
		take_signals(running);
	}
	mg_notify("STOPPING=1");
}

/* The log, and the configuration once more with it. Exit code. */
static int open_log(struct running *running, const struct snapshot *checked)
{
	struct mg_spool_settings settings;
	struct mg_errors errors = {0};
	struct mg_error error;

	log_settings(running, checked, &settings);
	running->spool = mg_spool_open(
		&settings, &mg_clock_system, mg_fields_compose, checked->events, &error);
	if (running->spool == NULL) {
		fprintf(stderr, "%s: %s\n", running->process.program, error.text);
		return MG_EXIT_IO;
	}
	running->snapshot = load(running, &errors);
	mg_process_print_errors(running->process.program, &errors);
	if (running->snapshot == NULL)
		return MG_EXIT_CONFIG;
	mg_spool_set_compose(running->spool, mg_fields_compose, running->snapshot->events);
	return MG_EXIT_GOOD;
}

static int open_signals(struct running *running)
{
	sigset_t set;

	mg_process_signals(&set);
	running->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (running->signals >= 0)
		return MG_EXIT_GOOD;
	fprintf(stderr, "%s: signals: %s\n", running->process.program, strerror(errno));
	return MG_EXIT_UNAVAILABLE;
}

static int serve(struct running *running, const struct snapshot *checked)
{
	int status = open_signals(running);
	struct mg_error error;

	if (status == MG_EXIT_GOOD)
		status = open_log(running, checked);
	if (status != MG_EXIT_GOOD)
		goto done;
	status = MG_EXIT_UNAVAILABLE;
	running->work = running->service->open(
		running->snapshot->own, &running->snapshot->world, &status, &error);
	if (running->work == NULL) {
		fprintf(stderr, "%s: %s\n", running->process.program, error.text);
		goto done;
	}
	work(running);
	write_metrics(running);
	running->service->close(running->work);
	status = MG_EXIT_GOOD;
	mg_log(LOG_INFO, "ended");
done:
	if (running->spool != NULL)
		mg_spool_close(running->spool);
	free_snapshot(running, running->snapshot);
	if (running->signals >= 0)
		close(running->signals);
	return status;
}

static int run(struct running *running)
{
	struct mg_errors errors = {0};
	struct snapshot *checked = load(running, &errors);
	int status;

	mg_process_print_errors(running->process.program, &errors);
	if (checked == NULL)
		return MG_EXIT_CONFIG;
	switch (running->process.line.task) {
	case MG_TASK_CHECK: status = check(running); break;
	case MG_TASK_PRINT: status = print(checked); break;
	case MG_TASK_VERIFY: status = verify(running, checked); break;
	default: status = serve(running, checked);
	}
	free_snapshot(running, checked);
	return status;
}

static bool make_tables(struct running *running)
{
	const struct mg_service *service = running->service;

	if (gethostname(running->host_name, sizeof running->host_name - 1) != 0)
		mg_str_copy(running->host_name, sizeof running->host_name, "localhost");
	running->life_metrics = mg_metrics_new(mg_life_metrics);
	running->log_metrics = mg_metrics_new(mg_log_metrics);
	if (service->metrics != NULL)
		running->metrics = mg_metrics_new(service->metrics);
	return mg_settings_service_options(service->options, service->common, running->tables) &&
	       running->life_metrics != NULL && running->log_metrics != NULL &&
	       (service->metrics == NULL || running->metrics != NULL);
}

int mg_service(const struct mg_service *service, int argc, char **argv)
{
	static struct running running = {.signals = -1};
	int status = mg_process_begin(&running.process, service->name, false, argc, argv);

	if (status >= 0)
		return status;
	running.service = service;
	status = MG_EXIT_UNAVAILABLE;
	if (make_tables(&running))
		status = run(&running);
	else
		fprintf(stderr, "%s: out of memory\n", running.process.program);
	mg_metrics_free(running.life_metrics);
	mg_metrics_free(running.log_metrics);
	mg_metrics_free(running.metrics);
	if (running.tables[0] != NULL)
		mg_settings_options_free(running.tables);
	return status;
}
