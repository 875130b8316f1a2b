/* SPDX-License-Identifier: ISC */
#include "run/serve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "event/settings.h"
#include "mail/fields.h"
#include "run/connections.h"
#include "run/daemon.h"
#include "run/notify.h"
#include "run/watchdog.h"

enum {
	METRICS_EVERY = 10, /* ticks of a second */
	DRAIN_POLL_MS = 20
};

/* A drain waits this long for the next step of a session: between two messages Postfix keeps the
 * connection for the next one. */
static const int64_t quiet = MG_SECOND;

static struct {
	struct mg_daemon *daemon;
	pthread_t engine, housekeeper;

	pthread_mutex_t lock; /* the members below */
	pthread_cond_t changed;
	bool reload, ending;

	_Atomic bool engine_failed;
} serve = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t monotonic(void)
{
	return mg_clock_system.monotonic(&mg_clock_system);
}

/* Waits for a change of `serve` until deadline (monotonic ns); the lock is held. */
static void wait_until(int64_t deadline)
{
	struct timespec until = {.tv_sec = deadline / MG_SECOND, .tv_nsec = deadline % MG_SECOND};

	(void)pthread_cond_timedwait(&serve.changed, &serve.lock, &until);
}

/* --- reload --- */

/* Writes a config-loaded or config-rejected event into each log. */
static void tell_config(const struct mg_snapshot *snapshot, enum mg_event_action action,
	const struct mg_errors *errors)
{
	for (size_t i = 0; i < snapshot->count; i++)
		mg_process_tell_config(
			snapshot->filters[i].events, action, serve.daemon->hosted[i].path, errors);
}

static bool same_filters(const struct mg_conf *before, const struct mg_conf *after)
{
	size_t count, count_after;
	const char *const *names = mg_conf_list(before, "filters", &count);
	const char *const *names_after = mg_conf_list(after, "filters", &count_after);
	bool same = count == count_after;

	for (size_t i = 0; same && i < count; i++)
		same = strcmp(names[i], names_after[i]) == 0;
	return same;
}

static void tell_all_fixed(const struct mg_snapshot *before, const struct mg_snapshot *after)
{
	mg_process_tell_fixed(before->conf, after->conf, "socket");
	mg_process_tell_fixed(before->conf, after->conf, "engine");
	for (size_t i = 0; i < after->count; i++)
		mg_process_tell_fixed(
			before->filters[i].conf, after->filters[i].conf, "events.directory");
	if (serve.daemon->process != NULL && !same_filters(before->conf, after->conf))
		mg_log(LOG_WARNING, "filters: changed, which takes a restart");
}

static void apply_log_settings(const struct mg_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->count; i++) {
		struct mg_hosted *hosted = &serve.daemon->hosted[i];
		struct mg_spool_settings settings;

		mg_events_spool_settings(
			snapshot->filters[i].conf, hosted->filter->name, &settings);
		mg_spool_set(hosted->spool, &settings);
		mg_spool_set_compose(hosted->spool, mg_fields_compose, snapshot->filters[i].events);
	}
}

static void reload(void)
{
	struct mg_host *host = &serve.daemon->host;
	struct mg_errors errors = {0};
	struct mg_snapshot *before = mg_snapshot_current(&host->snapshots);
	struct mg_snapshot *after = mg_snapshot_load(serve.daemon->process, serve.daemon->hosted,
		serve.daemon->count, host->clock, &errors);

	if (after == NULL) {
		mg_process_tell_refused(&errors);
		tell_config(before, MG_CONFIG_REJECTED, &errors);
		mg_metrics_add(serve.daemon->life_metrics, MG_METRIC_RELOADS_REFUSED, 1);
	} else {
		tell_all_fixed(before, after);
		apply_log_settings(after);
		mg_snapshot_release(mg_snapshot_swap(&host->snapshots, after));
		tell_config(after, MG_CONFIG_LOADED, NULL);
		mg_metrics_add(serve.daemon->life_metrics, MG_METRIC_RELOADS, 1);
		mg_log(LOG_INFO, "reloaded");
	}
	mg_errors_clear(&errors);
	mg_snapshot_release(before);
}

/* --- housekeeping --- */

static void write_metrics(void)
{
	struct mg_host *host = &serve.daemon->host;
	struct mg_snapshot *snapshot = mg_snapshot_current(&host->snapshots);
	const char *directory = snapshot->settings->metrics;
	const struct mg_metrics *life = serve.daemon->life_metrics;
	bool alone = serve.daemon->process == NULL;

	if (directory[0] == '\0')
		goto done;
	mg_metrics_set(host->metrics, MG_METRIC_SESSIONS_OPEN, host->sessions);
	for (size_t i = 0; i < serve.daemon->count; i++) {
		const struct mg_hosted *hosted = &serve.daemon->hosted[i];

		mg_process_set_log_metrics(hosted->log_metrics, hosted->spool);
		mg_process_write_metrics(directory, hosted->filter->name,
			alone ? (const struct mg_metrics *[]){host->metrics, life,
					hosted->log_metrics, hosted->metrics, NULL}
			      : (const struct mg_metrics *[]){
					hosted->log_metrics, hosted->metrics, NULL});
	}
	if (!alone)
		mg_process_write_metrics(directory, serve.daemon->own.name,
			(const struct mg_metrics *[]){host->metrics, life, NULL});
done:
	mg_snapshot_release(snapshot);
}

static void tick(void)
{
	for (size_t i = 0; i < serve.daemon->count; i++) {
		struct mg_error error;

		if (mg_spool_tick(serve.daemon->hosted[i].spool, &error) != 0)
			mg_log(LOG_ERR, "event log: %s", error.text);
	}
}

static void *housekeeper(void *unused)
{
	int64_t next = monotonic() + MG_SECOND;
	unsigned ticks = 0;

	(void)unused;
	pthread_mutex_lock(&serve.lock);
	while (!serve.ending) {
		bool wanted = serve.reload;

		if (!wanted && monotonic() < next) {
			wait_until(next);
			continue;
		}
		serve.reload = false;
		pthread_mutex_unlock(&serve.lock);
		if (wanted)
			reload();
		if (monotonic() >= next) {
			next += MG_SECOND;
			tick();
			if (ticks++ % METRICS_EVERY == 0)
				write_metrics();
		}
		pthread_mutex_lock(&serve.lock);
	}
	pthread_mutex_unlock(&serve.lock);
	write_metrics();
	return NULL;
}

/* --- the engine --- */

static void *engine(void *unused)
{
	struct mg_error error;
	int status = serve.daemon->engine->run(&error);

	(void)unused;
	if (status == 0)
		return NULL;
	serve.engine_failed = true;
	mg_log(LOG_ERR, "%s", error.text);
	kill(getpid(), SIGTERM);
	return NULL;
}

/* Connections taken, those that are no session yet among them. */
static int connections(void)
{
	int count = 0;

	for (int i = 0; i < serve.daemon->fd_count; i++)
		count += mg_connections_open(serve.daemon->fds[i]);
	return count;
}

/* Whether no message is under way, no session is between two messages that follow each other, and
 * no connection was taken that is not a session yet. */
static bool is_idle(void)
{
	const struct mg_host *host = &serve.daemon->host;
	int sessions = host->sessions;

	return connections() <= sessions &&
	       (sessions == 0 || (host->messages == 0 && monotonic() - host->last_step > quiet));
}

/* Waits until nothing is under way: twice, for a connection may be between the kernel and us. */
static void drain(int64_t timeout)
{
	const struct mg_host *host = &serve.daemon->host;
	const struct timespec pause = {.tv_nsec = DRAIN_POLL_MS * MG_MILLISECOND};
	int64_t deadline = monotonic() + timeout;

	for (int idle = 0; monotonic() < deadline; nanosleep(&pause, NULL)) {
		idle = is_idle() ? idle + 1 : 0;
		if (idle == 2)
			return;
	}
	if (host->messages > 0)
		mg_log(LOG_WARNING, "%d messages were not finished within stop_timeout",
			(int)host->messages);
}

/* --- start and end --- */

static bool start(void)
{
	pthread_condattr_t attributes;
	int status;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&serve.changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if ((status = pthread_create(&serve.engine, NULL, engine, NULL)) == 0 &&
		(status = pthread_detach(serve.engine)) == 0 &&
		(status = pthread_create(&serve.housekeeper, NULL, housekeeper, NULL)) == 0 &&
		(status = mg_watchdog_start(&serve.daemon->endpoint, serve.daemon->fds[0])) == 0)
		return true;
	mg_log(LOG_ERR, "cannot start a thread: %s", strerror(status));
	return false;
}

/* A change of `serve`, told to whoever waits. */
static void change(bool *flag)
{
	pthread_mutex_lock(&serve.lock);
	*flag = true;
	pthread_cond_broadcast(&serve.changed);
	pthread_mutex_unlock(&serve.lock);
}

static void wait_for_end(void)
{
	sigset_t set;

	mg_process_signals(&set);
	for (;;) {
		/* Not sigwait, which front_libmilter takes from everybody. */
		int number = sigwaitinfo(&set, NULL);

		if (number < 0)
			continue;
		if (number != SIGUSR1 && number != SIGHUP)
			return;
		change(&serve.reload);
	}
}

static void tell_ready(void)
{
	struct mg_snapshot *snapshot = mg_snapshot_current(&serve.daemon->host.snapshots);

	tell_config(snapshot, MG_CONFIG_LOADED, NULL);
	/* A socket that was passed on goes before the setting. */
	mg_log(LOG_INFO, "ready: %s, engine %s, %lld ms",
		serve.daemon->endpoint.kind == MG_ENDPOINT_FD
			? "a socket that was passed on"
			: mg_conf_text(snapshot->conf, "socket"),
		serve.daemon->engine->name,
		(long long)((monotonic() - serve.daemon->own.started) / MG_MILLISECOND));
	mg_snapshot_release(snapshot);
	mg_notify("READY=1");
}

/* A socket of our own ends with us: who connects is told so at once. One that was passed on keeps
 * new connections for the next process. */
static void turn_away(struct mg_daemon *daemon)
{
	if (daemon->endpoint.kind == MG_ENDPOINT_FD)
		return;
	mg_unlisten(&daemon->endpoint, daemon->fds, daemon->fd_count);
	for (int i = 0; i < daemon->fd_count; i++)
		shutdown(daemon->fds[i], SHUT_RD);
}

int mg_serve(struct mg_daemon *daemon)
{
	struct mg_snapshot *snapshot;
	int64_t timeout;
	int open;

	serve.daemon = daemon;
	if (!start())
		return MG_EXIT_UNAVAILABLE;
	tell_ready();
	wait_for_end();
	mg_watchdog_stop();
	mg_notify("STOPPING=1");
	daemon->engine->stop_accepting();
	turn_away(daemon);
	snapshot = mg_snapshot_current(&daemon->host.snapshots);
	timeout = snapshot->settings->stop_timeout;
	mg_snapshot_release(snapshot);
	drain(timeout);
	change(&serve.ending);
	pthread_join(serve.housekeeper, NULL);
	open = connections();
	if (open > 0 || daemon->host.sessions > 0) {
		/* They still use what a tidy end would free; the log is whole at any moment. */
		mg_log(LOG_INFO, "ended, %d connections were open", open);
		_exit(serve.engine_failed ? MG_EXIT_UNAVAILABLE : MG_EXIT_GOOD);
	}
	mg_log(LOG_INFO, "ended");
	return serve.engine_failed ? MG_EXIT_UNAVAILABLE : MG_EXIT_GOOD;
}
