/* SPDX-License-Identifier: ISC */
#include "run/daemon.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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
#include "run/serve.h"

enum { OVERRIDES_MAX = 100, SOCKET_MODE = 0660 };

/* In the order of the words of the setting. */
static const struct mg_engine *const engines[] = {&mg_engine_native, &mg_engine_libmilter};

/* What the command line asks for. */
enum task { TASK_SERVE, TASK_CHECK, TASK_PRINT, TASK_VERIFY, TASK_VERSION, TASK_HELP };

static const struct {
	char letter;
	const char *name, *argument, *help;
	enum task task;
} options[] = {
	{'c', "config", "FILE", "configuration (" MG_SYSCONFDIR "/NAME.conf)", TASK_SERVE},
	{'o', "option", "NAME=VALUE", "a setting, over the file's; again for more", TASK_SERVE},
	{'t', "check", NULL, "check the configuration and everything it names, and exit",
		TASK_CHECK},
	{'T', "print", NULL, "print the effective configuration, and exit", TASK_PRINT},
	{0, "verify", NULL, "verify the hash chain of the event log, and exit", TASK_VERIFY},
	{'v', "verbose", NULL, "log more", TASK_SERVE},
	{'V', "version", NULL, "print the version, and exit", TASK_VERSION},
	{'h', "help", NULL, "print this, and exit", TASK_HELP},
};
enum { OPTION_COUNT = sizeof options / sizeof options[0], LONG_ONLY = 256 };

struct command_line {
	enum task task;
	const char *config;
	const char *overrides[OVERRIDES_MAX + 1];
	size_t override_count;
	bool verbose;
};

static void print_usage(FILE *stream, const char *program)
{
	fprintf(stream, "usage: %s [-c FILE] [-o NAME=VALUE] [-t | -T | --verify | -V | -h] [-v]\n",
		program);
}

static void print_help(const char *program)
{
	print_usage(stdout, program);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		char letter[4] = "   ", name[32];

		if (options[i].letter != 0)
			snprintf(letter, sizeof letter, "-%c,", options[i].letter);
		snprintf(name, sizeof name, "--%s%s%s", options[i].name,
			options[i].argument != NULL ? " " : "",
			options[i].argument != NULL ? options[i].argument : "");
		printf("  %s %-22s %s\n", letter, name, options[i].help);
	}
}

/* What is wrong with an argument that getopt did not take, in the words of the suite. */
static void explain(const char *program, const char *argument, int code)
{
	const char *names[OPTION_COUNT], *nearest;
	char word[64], length[64];

	mg_str_copy(word, sizeof word, argument != NULL ? argument : "");
	word[strcspn(word, "=")] = '\0';
	if (code == ':') {
		fprintf(stderr, "%s: option \"%s\" needs an argument\n", program, word);
		return;
	}
	for (size_t i = 0; i < OPTION_COUNT; i++)
		names[i] = options[i].name;
	nearest =
		strncmp(word, "--", 2) == 0 ? mg_str_nearest(word + 2, names, OPTION_COUNT) : NULL;
	fprintf(stderr, "%s: no option \"%s\"%s%s\n", program,
		mg_str_printable(length, sizeof length, word, strlen(word)),
		nearest != NULL ? "; nearest: --" : "", nearest != NULL ? nearest : "");
}

static void make_getopt_tables(char *letters, struct option *names)
{
	*letters++ = ':';
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		int wants = options[i].argument != NULL ? required_argument : no_argument;

		names[i] = (struct option){options[i].name, wants, NULL,
			options[i].letter != 0 ? options[i].letter : LONG_ONLY + (int)i};
		if (options[i].letter == 0)
			continue;
		*letters++ = options[i].letter;
		if (wants == required_argument)
			*letters++ = ':';
	}
	*letters = '\0';
}

static bool take_option(struct command_line *line, size_t row, const char *program)
{
	if (options[row].task != TASK_SERVE)
		line->task = options[row].task;
	if (options[row].letter == 'c')
		line->config = optarg;
	if (options[row].letter == 'v')
		line->verbose = true;
	if (options[row].letter != 'o')
		return true;
	if (line->override_count == OVERRIDES_MAX || strchr(optarg, '=') == NULL) {
		fprintf(stderr, "%s: -o \"%s\": expected NAME=VALUE, %d at most\n", program, optarg,
			OVERRIDES_MAX);
		return false;
	}
	line->overrides[line->override_count++] = optarg;
	return true;
}

static bool read_command_line(struct command_line *line, const char *program, int argc, char **argv)
{
	char letters[2 * OPTION_COUNT + 2];
	struct option names[OPTION_COUNT + 1] = {0};
	int code;

	make_getopt_tables(letters, names);
	opterr = 0;
	while ((code = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		size_t row = 0;

		while (row < OPTION_COUNT && code != names[row].val)
			row++;
		if (row == OPTION_COUNT) {
			explain(program, argv[optind - 1], code);
			print_usage(stderr, program);
			return false;
		}
		if (!take_option(line, row, program))
			return false;
	}
	if (optind < argc) {
		fprintf(stderr, "%s: \"%s\": no argument is expected here\n", program,
			argv[optind]);
		print_usage(stderr, program);
		return false;
	}
	return true;
}

static void print_errors(const char *program, struct mg_errors *errors)
{
	for (size_t i = 0; i < errors->kept; i++)
		fprintf(stderr, "%s: %s\n", program, errors->list[i].text);
	if (errors->count > errors->kept)
		fprintf(stderr, "%s: and %zu more errors\n", program, errors->count - errors->kept);
	mg_errors_clear(errors);
}

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
	print_errors(process->program, &errors);
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
	mg_plan_make(&daemon->host.plan, filters, daemon->count);
	return daemon->host.metrics != NULL;
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
		fprintf(stderr, "%s: %s\n", daemon->program, error.text);
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
	print_errors(daemon->program, &errors);
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
		fprintf(stderr, "%s: %s\n", daemon->program, error.text);
	close_logs(daemon);
	mg_snapshot_release(daemon->host.snapshots.current);
	return status;
}

static int run(struct mg_daemon *daemon, const struct command_line *line)
{
	struct mg_errors errors = {0};
	struct mg_snapshot *checked = mg_snapshot_load(
		daemon->process, daemon->hosted, daemon->count, daemon->host.clock, &errors);
	int status;

	if (checked == NULL) {
		print_errors(daemon->program, &errors);
		return MG_EXIT_CONFIG;
	}
	if (line->task == TASK_CHECK)
		status = check(daemon);
	else if (line->task == TASK_PRINT)
		status = print(daemon, checked);
	else if (line->task == TASK_VERIFY)
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
}

/* Reads the command line; -1, or the exit code of a task that needs no configuration. */
static int begin(struct mg_daemon *daemon, const char *name, struct command_line *line, int argc,
	char **argv)
{
	static char path[512];

	mg_serve_block_signals();
	/* Keys and mail stay out of core files. */
	prctl(PR_SET_DUMPABLE, 0);
	daemon->started = mg_clock_system.monotonic(&mg_clock_system);
	daemon->name = name;
	mg_str_format(daemon->program, sizeof daemon->program, "millgate-%s", name);
	mg_str_format(path, sizeof path, "%s/%s.conf", MG_SYSCONFDIR, name);
	line->config = path;
	if (!read_command_line(line, daemon->program, argc, argv))
		return MG_EXIT_USAGE;
	if (line->task == TASK_HELP)
		print_help(daemon->program);
	else if (line->task == TASK_VERSION)
		printf("%s %s\n", daemon->program, PACKAGE_VERSION);
	else
		mg_log_open(daemon->program, line->verbose);
	return line->task == TASK_HELP || line->task == TASK_VERSION ? MG_EXIT_GOOD : -1;
}

/* With the filters known. */
static int go_on(struct mg_daemon *daemon, const struct command_line *line)
{
	int status = MG_EXIT_UNAVAILABLE;

	if (host_all(daemon))
		status = run(daemon, line);
	else
		fprintf(stderr, "%s: out of memory\n", daemon->program);
	free_hosted(daemon);
	return status;
}

int mg_daemon(const struct mg_filter *const filters[], int argc, char **argv)
{
	static struct mg_daemon daemon;
	struct command_line line = {.task = TASK_SERVE};
	int status = begin(&daemon, filters[0]->name, &line, argc, argv);

	if (status >= 0)
		return status;
	daemon.hosted[0] = (struct mg_hosted){
		.filter = filters[0], .path = line.config, .overrides = line.overrides};
	daemon.count = 1;
	return go_on(&daemon, &line);
}

int mg_daemon_chain(const struct mg_filter *const built_in[], int argc, char **argv)
{
	static struct mg_daemon daemon;
	static struct mg_filter_chain chain;
	static struct mg_hosted process;
	struct command_line line = {.task = TASK_SERVE};
	int status = begin(&daemon, "chain", &line, argc, argv);

	if (status >= 0)
		return status;
	if (!mg_filter_chain_init(&chain, "chain", built_in, line.overrides)) {
		fprintf(stderr, "%s: out of memory\n", daemon.program);
		return MG_EXIT_UNAVAILABLE;
	}
	process = (struct mg_hosted){.filter = &chain.process,
		.path = line.config,
		.overrides = mg_filter_chain_overrides(&chain)};
	status = host_chain(&daemon, &chain, &process);
	if (status == MG_EXIT_GOOD)
		status = go_on(&daemon, &line);
	mg_metrics_free(process.log_metrics);
	mg_settings_options_free(process.tables);
	mg_filter_chain_free(&chain);
	return status;
}
