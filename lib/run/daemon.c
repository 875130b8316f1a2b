/* SPDX-License-Identifier: ISC */
#include "run/daemon.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "event/settings.h"
#include "event/spool_read.h"
#include "mail/fields.h"
#include "run/chain.h"
#include "run/front_libmilter.h"
#include "run/front_native.h"
#include "run/notify.h"
#include "run/offline.h"
#include "run/process.h"
#include "run/serve.h"

enum { SOCKET_MODE = 0660 };
/* A message over this is not judged: no MTA takes it. */
static const size_t message_max = (size_t)1 << 30;

/* In the order of the words of the setting. */
static const struct mg_engine *const engines[] = {&mg_engine_native, &mg_engine_libmilter};

/* --- what it hosts --- */

/* Makes what hosted->filter needs. */
static bool host(struct mg_hosted *hosted)
{
	const struct mg_filter *filter = hosted->filter;

	mg_str_format(hosted->program, sizeof hosted->program, "millgate-%s", filter->name);
	if (gethostname(hosted->host_name, sizeof hosted->host_name - 1) != 0)
		mg_str_copy(hosted->host_name, sizeof hosted->host_name, "localhost");
	if (!mg_settings_options(filter, hosted->tables))
		return false;
	hosted->log_metrics = mg_metrics_new(mg_log_metrics);
	if (filter->metrics != NULL)
		hosted->metrics = mg_metrics_new(filter->metrics);
	return hosted->log_metrics != NULL && (filter->metrics == NULL || hosted->metrics != NULL);
}

/* The filters that the file of the process names; exit code. */
static int host_chain(
	struct mg_daemon *daemon, struct mg_filter_chain *chain, struct mg_hosted *process)
{
	struct mg_errors errors = {0};

	if (!host(process))
		return MG_EXIT_UNAVAILABLE;
	daemon->process = process;
	daemon->count = mg_filter_chain_choose(chain, process, daemon->hosted, &errors);
	if (daemon->count > 0)
		return MG_EXIT_GOOD;
	mg_process_print_errors(process->program, &errors);
	return MG_EXIT_CONFIG;
}

static bool host_all(struct mg_daemon *daemon)
{
	const struct mg_filter *filters[MG_FILTERS_MAX];

	for (size_t i = 0; i < daemon->count; i++) {
		filters[i] = daemon->hosted[i].filter;
		if (!host(&daemon->hosted[i]))
			return false;
	}
	daemon->host.clock = &mg_clock_system;
	daemon->host.memory.limit = SIZE_MAX;
	daemon->host.metrics = mg_metrics_new(mg_host_metrics);
	daemon->life_metrics = mg_metrics_new(mg_life_metrics);
	mg_plan_make(&daemon->host.plan, filters, daemon->count);
	return daemon->host.metrics != NULL && daemon->life_metrics != NULL;
}

/* --- the tasks that end at once --- */

static int check(const struct mg_daemon *daemon)
{
	if (daemon->process != NULL)
		printf("%s: ok\n", daemon->process->path);
	for (size_t i = 0; i < daemon->count; i++)
		printf("%s: ok\n", daemon->hosted[i].path);
	return MG_EXIT_GOOD;
}

/* Several files come each below its name. */
static int print(const struct mg_daemon *daemon, const struct mg_snapshot *snapshot)
{
	if (daemon->process != NULL) {
		printf("# %s\n", daemon->process->path);
		if (mg_conf_print(snapshot->process.conf, stdout) != 0)
			return MG_EXIT_IO;
	}
	for (size_t i = 0; i < snapshot->count; i++) {
		if (daemon->process != NULL)
			printf("\n# %s\n", daemon->hosted[i].path);
		if (mg_conf_print(snapshot->filters[i].conf, stdout) != 0)
			return MG_EXIT_IO;
	}
	return fflush(stdout) == 0 ? MG_EXIT_GOOD : MG_EXIT_IO;
}

static int verify(const struct mg_daemon *daemon, const struct mg_snapshot *snapshot)
{
	int worst = MG_EXIT_GOOD;

	for (size_t i = 0; i < daemon->count; i++) {
		const struct mg_hosted *hosted = &daemon->hosted[i];
		struct mg_spool_settings settings;
		struct mg_error error;
		int status;

		mg_events_spool_settings(
			snapshot->filters[i].conf, hosted->filter->name, &settings);
		status = mg_spool_verify(settings.directory, settings.name, stdout, NULL, &error);
		if (status < 0) {
			fprintf(stderr, "%s: %s\n", hosted->program, error.text);
			return MG_EXIT_IO;
		}
		if (status > 0)
			worst = MG_EXIT_BAD;
	}
	return worst;
}

/* --- judging a message --- */

/* Those that serving waits for end this as any command. */
static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* Reads a whole file, "-" standard input. Returns an exit code. */
static int read_message(const char *program, const char *path, struct mg_buf *message)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "re");
	char block[65536];
	size_t length;
	int status = MG_EXIT_GOOD;

	if (file == NULL) {
		fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno));
		return MG_EXIT_NO_INPUT;
	}
	mg_buf_init(message, message_max);
	while ((length = fread(block, 1, sizeof block, file)) > 0 && !message->failed)
		mg_buf_add(message, block, length);
	if (ferror(file)) {
		fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno));
		status = MG_EXIT_NO_INPUT;
	} else if (message->failed) {
		fprintf(stderr, "%s: %s: over 1 GiB, or out of memory\n", program, path);
		status = MG_EXIT_DATA;
	}
	if (!standard)
		fclose(file);
	return status;
}

/* The case of file, options and defaults. Returns an exit code, errors printed. */
static int make_case(const struct mg_command_line *line, const char *program, struct mg_case *facts)
{
	const struct {
		const char *member, *text;
	} texts[] = {{"client", line->client}, {"helo", line->helo}, {"user", line->user},
		{"tls.version", line->tls}, {"sender", line->sender}};
	struct mg_errors errors = {0};
	int status = MG_EXIT_GOOD;

	if (line->case_file != NULL && !mg_case_load(facts, line->case_file, &errors))
		status = access(line->case_file, R_OK) == 0 ? MG_EXIT_DATA : MG_EXIT_NO_INPUT;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0] && status == MG_EXIT_GOOD; i++)
		if (texts[i].text != NULL &&
			!mg_case_set(facts, texts[i].member, texts[i].text, &errors))
			status = MG_EXIT_USAGE;
	if (status == MG_EXIT_GOOD && !mg_case_set_recipients(facts, line->recipients, &errors))
		status = MG_EXIT_USAGE;
	if (status == MG_EXIT_GOOD &&
		!mg_case_complete(facts, mg_clock_system.utc(&mg_clock_system))) {
		mg_errors_add(&errors, "out of memory");
		status = MG_EXIT_UNAVAILABLE;
	}
	mg_process_print_errors(program, &errors);
	return status;
}

/* Adds the answer to out; exit code, errors printed. */
static int judge_by(struct mg_daemon *daemon, const struct mg_offline *offline, struct mg_buf *out)
{
	static const int statuses[] = {[MG_JUDGED_ACCEPTED] = MG_EXIT_GOOD,
		[MG_JUDGED_PARTLY] = MG_EXIT_LOOK,
		[MG_JUDGED_HELD] = MG_EXIT_LOOK,
		[MG_JUDGED_DEFERRED] = MG_EXIT_LOOK,
		[MG_JUDGED_DISCARDED] = MG_EXIT_LOOK,
		[MG_JUDGED_REJECTED] = MG_EXIT_BAD,
		[MG_NOT_JUDGED] = MG_EXIT_DATA};
	struct mg_errors errors = {0};
	struct mg_snapshot *snapshot = mg_snapshot_load(
		daemon->process, daemon->hosted, daemon->count, daemon->host.clock, &errors);
	enum mg_judgement judgement;
	struct mg_error error;

	mg_process_print_errors(daemon->own.program, &errors);
	if (snapshot == NULL)
		return MG_EXIT_CONFIG;
	pthread_mutex_init(&daemon->host.snapshots.lock, NULL);
	daemon->host.snapshots.current = snapshot;
	judgement = mg_offline_judge(&daemon->host, offline, out, &error);
	if (judgement == MG_NOT_JUDGED)
		fprintf(stderr, "%s: %s\n", daemon->own.program, error.text);
	mg_snapshot_release(snapshot);
	return statuses[judgement];
}

/* Whom the filters ask: the case, if it knows answers; noted, if the case is to be recorded. Exit
 * code, errors printed. */
static int choose_dns(struct mg_daemon *daemon, const struct mg_case *facts,
	struct mg_dns_notes *notes, struct mg_dns **dns)
{
	struct mg_errors errors = {0};

	if (mg_case_has_dns(facts)) {
		*dns = mg_case_dns(facts, &errors);
		mg_process_print_errors(daemon->own.program, &errors);
		if (*dns == NULL)
			return MG_EXIT_DATA;
	}
	for (size_t i = 0; i < daemon->count; i++) {
		daemon->hosted[i].dns = *dns;
		daemon->hosted[i].dns_notes = notes;
	}
	return MG_EXIT_GOOD;
}

/* Judges a message and prints the answer, once what was asked is recorded. */
static int judge_message(struct mg_daemon *daemon, const struct mg_command_line *line,
	struct mg_case *facts, const struct mg_buf *message)
{
	const struct mg_offline offline = {
		.facts = facts, .message = mg_buf_text(message), .length = message->length};
	struct mg_dns_notes *notes = mg_dns_notes_new();
	struct mg_dns *dns = NULL;
	struct mg_still_clock clock;
	struct mg_buf answer = {0};
	struct mg_error error;
	int status = MG_EXIT_UNAVAILABLE;

	if (notes != NULL)
		status = choose_dns(daemon, facts, notes, &dns);
	if (status != MG_EXIT_GOOD)
		goto done;
	mg_still_clock_set(&clock, mg_case_now(facts));
	daemon->host.clock = &clock.clock;
	status = judge_by(daemon, &offline, &answer);
	if (answer.length > 0 && line->record != NULL) {
		mg_error_set(&error, "out of memory");
		if (!mg_case_set_dns(facts, notes) ||
			mg_case_record(facts, line->record, &error) != 0) {
			fprintf(stderr, "%s: %s\n", daemon->own.program, error.text);
			status = MG_EXIT_IO;
			goto done;
		}
	}
	if (fwrite(answer.data, 1, answer.length, stdout) != answer.length || fflush(stdout) != 0)
		status = MG_EXIT_IO;
done:
	mg_buf_free(&answer);
	mg_dns_close(dns);
	mg_dns_notes_free(notes);
	return status;
}

static int judge(struct mg_daemon *daemon, const struct mg_command_line *line)
{
	const char *program = daemon->own.program;
	struct mg_case *facts = mg_case_new();
	struct mg_buf message = {0};
	int status = facts != NULL ? make_case(line, program, facts) : MG_EXIT_UNAVAILABLE;

	unblock_signals();
	if (status == MG_EXIT_GOOD)
		status = read_message(program, line->message, &message);
	if (status == MG_EXIT_GOOD)
		status = judge_message(daemon, line, facts, &message);
	mg_buf_free(&message);
	mg_case_free(facts);
	return status;
}

/* --- serving --- */

static bool open_logs(
	struct mg_daemon *daemon, const struct mg_snapshot *snapshot, struct mg_error *error)
{
	for (size_t i = 0; i < daemon->count; i++) {
		struct mg_spool_settings settings;

		mg_events_spool_settings(
			snapshot->filters[i].conf, daemon->hosted[i].filter->name, &settings);
		daemon->hosted[i].spool = mg_spool_open(&settings, daemon->host.clock,
			mg_fields_compose, snapshot->filters[i].events, error);
		if (daemon->hosted[i].spool == NULL)
			return false;
	}
	return true;
}

static void close_logs(struct mg_daemon *daemon)
{
	for (size_t i = 0; i < daemon->count; i++)
		if (daemon->hosted[i].spool != NULL)
			mg_spool_close(daemon->hosted[i].spool);
}

/* The snapshot made for checking has no log: the one that serves is made when the logs are open. */
static struct mg_snapshot *load_with_logs(
	struct mg_daemon *daemon, const struct mg_snapshot *checked, int *status)
{
	struct mg_errors errors = {0};
	struct mg_snapshot *snapshot;
	struct mg_error error;

	if (!open_logs(daemon, checked, &error)) {
		fprintf(stderr, "%s: %s\n", daemon->own.program, error.text);
		*status = MG_EXIT_IO;
		return NULL;
	}
	snapshot = mg_snapshot_load(
		daemon->process, daemon->hosted, daemon->count, daemon->host.clock, &errors);
	for (size_t i = 0; snapshot != NULL && i < daemon->count; i++)
		mg_spool_set_compose(
			daemon->hosted[i].spool, mg_fields_compose, snapshot->filters[i].events);
	if (snapshot == NULL)
		*status = MG_EXIT_CONFIG;
	mg_process_print_errors(daemon->own.program, &errors);
	return snapshot;
}

/* Listens where the service manager says (socket activation), else where the setting says. */
static bool open_socket(
	struct mg_daemon *daemon, const struct mg_settings *settings, struct mg_error *error)
{
	daemon->endpoint = settings->socket;
	if (mg_notify_listen_fd() >= 0) {
		daemon->endpoint =
			(struct mg_endpoint){.kind = MG_ENDPOINT_FD, .fd = mg_notify_listen_fd()};
	}
	daemon->fd_count = mg_listen(&daemon->endpoint, SOCKET_MODE, daemon->fds, error);
	return daemon->fd_count > 0 &&
	       daemon->engine->open(&daemon->host, daemon->fds, daemon->fd_count, error) == 0;
}

static int serve(struct mg_daemon *daemon, const struct mg_snapshot *checked)
{
	struct mg_snapshot *snapshot;
	struct mg_error error;
	int status = MG_EXIT_UNAVAILABLE;

	daemon->engine = engines[mg_conf_number(checked->conf, "engine")];
	snapshot = load_with_logs(daemon, checked, &status);
	if (snapshot == NULL) {
		close_logs(daemon);
		return status;
	}
	pthread_mutex_init(&daemon->host.snapshots.lock, NULL);
	daemon->host.snapshots.current = snapshot;
	if (open_socket(daemon, snapshot->settings, &error))
		status = mg_serve(daemon);
	else
		fprintf(stderr, "%s: %s\n", daemon->own.program, error.text);
	close_logs(daemon);
	mg_snapshot_release(daemon->host.snapshots.current);
	return status;
}

static int run(struct mg_daemon *daemon, const struct mg_command_line *line)
{
	struct mg_errors errors = {0};
	struct mg_snapshot *checked = mg_snapshot_load(
		daemon->process, daemon->hosted, daemon->count, daemon->host.clock, &errors);
	int status;

	if (checked == NULL) {
		mg_process_print_errors(daemon->own.program, &errors);
		return MG_EXIT_CONFIG;
	}
	if (line->task == MG_TASK_CHECK)
		status = check(daemon);
	else if (line->task == MG_TASK_PRINT)
		status = print(daemon, checked);
	else if (line->task == MG_TASK_VERIFY)
		status = verify(daemon, checked);
	else
		status = serve(daemon, checked);
	mg_snapshot_release(checked);
	mg_errors_clear(&errors);
	return status;
}

static void free_hosted(struct mg_daemon *daemon)
{
	for (size_t i = 0; i < daemon->count; i++) {
		mg_metrics_free(daemon->hosted[i].metrics);
		mg_metrics_free(daemon->hosted[i].log_metrics);
		mg_settings_options_free(daemon->hosted[i].tables);
	}
	mg_metrics_free(daemon->host.metrics);
	mg_metrics_free(daemon->life_metrics);
}

/* With the filters known. */
static int go_on(struct mg_daemon *daemon)
{
	const struct mg_command_line *line = &daemon->own.line;
	int status = MG_EXIT_UNAVAILABLE;

	if (host_all(daemon))
		status = line->task == MG_TASK_JUDGE ? judge(daemon, line) : run(daemon, line);
	else
		fprintf(stderr, "%s: out of memory\n", daemon->own.program);
	free_hosted(daemon);
	return status;
}

int mg_daemon(const struct mg_filter *const filters[], int argc, char **argv)
{
	static struct mg_daemon daemon;
	int status = mg_process_begin(&daemon.own, filters[0]->name, true, argc, argv);

	if (status >= 0)
		return status;
	daemon.hosted[0] = (struct mg_hosted){.filter = filters[0],
		.path = daemon.own.line.config,
		.overrides = daemon.own.line.overrides};
	daemon.count = 1;
	return go_on(&daemon);
}

int mg_daemon_chain(const struct mg_filter *const built_in[], int argc, char **argv)
{
	static struct mg_daemon daemon;
	static struct mg_filter_chain chain;
	static struct mg_hosted process;
	int status = mg_process_begin(&daemon.own, "chain", true, argc, argv);

	if (status >= 0)
		return status;
	if (!mg_filter_chain_init(&chain, "chain", built_in, daemon.own.line.overrides)) {
		fprintf(stderr, "%s: out of memory\n", daemon.own.program);
		return MG_EXIT_UNAVAILABLE;
	}
	process = (struct mg_hosted){.filter = &chain.process,
		.path = daemon.own.line.config,
		.overrides = mg_filter_chain_overrides(&chain)};
	status = host_chain(&daemon, &chain, &process);
	if (status == MG_EXIT_GOOD)
		status = go_on(&daemon);
	mg_metrics_free(process.log_metrics);
	mg_settings_options_free(process.tables);
	mg_filter_chain_free(&chain);
	return status;
}
