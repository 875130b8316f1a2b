/* SPDX-License-Identifier: ISC */
/* Prints a list of the manual that has its one source in the code, as mdoc: lists NAME. Used by the
 * build for lines `.\" list: NAME` of a page. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/metrics.h"
#include "cli/commands.h"
#include "cli/manual.h"
#include "dkim/dkim.h"
#include "log/log.h"
#include "mail/fields.h"
#include "mail/match.h"
#include "run/chain.h"
#include "run/host.h"
#include "run/judge_case.h"
#include "run/process.h"
#include "run/settings.h"
#include "track/follow.h"
#include "track/settings.h"

static int print_settings(const struct mg_filter *filter)
{
	const struct mg_option *tables[MG_OPTION_TABLES];
	int status;

	if (!mg_settings_options(filter, tables))
		return -1;
	status = mg_conf_print_mdoc(tables, stdout);
	mg_settings_options_free(tables);
	return status;
}

static int print_settings_log(void)
{
	return print_settings(&mg_log_filter);
}

/* The filter's own: the others are in the list of log. */
static int print_settings_dkim(void)
{
	return mg_conf_print_mdoc(
		(const struct mg_option *const[]){mg_dkim_filter.options, NULL}, stdout);
}

static int print_metrics_log(void)
{
	mg_metrics_print_mdoc(mg_host_metrics, stdout);
	mg_metrics_print_mdoc(mg_life_metrics, stdout);
	mg_metrics_print_mdoc(mg_log_metrics, stdout);
	mg_metrics_print_mdoc(mg_log_filter.metrics, stdout);
	return 0;
}

static int print_metrics_dkim(void)
{
	mg_metrics_print_mdoc(mg_dkim_filter.metrics, stdout);
	return 0;
}

/* Its own: the others are in the list of log. */
static int print_settings_track(void)
{
	return mg_conf_print_mdoc((const struct mg_option *const[]){track_options, NULL}, stdout);
}

static int print_metrics_track(void)
{
	mg_metrics_print_mdoc(track_metrics, stdout);
	return 0;
}

/* What is the process's alone: all else of its tables is in the list of log. */
static int print_settings_chain(void)
{
	static const struct mg_filter *const built_in[] = {&mg_dkim_filter, &mg_log_filter, NULL};
	struct mg_filter_chain chain;
	int status = -1;

	if (mg_filter_chain_init(&chain, "chain", built_in, (const char *const[]){NULL}))
		status = mg_conf_print_mdoc(
			(const struct mg_option *const[]){chain.options, NULL}, stdout);
	mg_filter_chain_free(&chain);
	return status;
}

static int print_fields(void)
{
	mg_fields_print_mdoc(stdout);
	return 0;
}

static int print_match(void)
{
	mg_match_print_mdoc(stdout);
	return 0;
}

static int print_case(void)
{
	mg_case_print_mdoc(stdout);
	return 0;
}

static int print_synopsis_millgate(void)
{
	cli_manual_synopsis(stdout, cli_commands);
	return 0;
}

static int print_options_millgate(void)
{
	cli_manual_common(stdout);
	return 0;
}

static int print_commands_key(void)
{
	cli_manual_commands(stdout, cli_commands, "key");
	return 0;
}

static int print_commands_auth(void)
{
	cli_manual_commands(stdout, cli_commands, "auth");
	return 0;
}

static int print_commands_dkim(void)
{
	cli_manual_commands(stdout, cli_commands, "dkim");
	return 0;
}

static int print_commands_events(void)
{
	cli_manual_commands(stdout, cli_commands, "events");
	return 0;
}

static int print_commands_stuck(void)
{
	cli_manual_commands(stdout, cli_commands, "stuck");
	return 0;
}

static int print_commands_trace(void)
{
	cli_manual_commands(stdout, cli_commands, "trace");
	return 0;
}

/* No list of the manual, but made of the same table: programs/cli/local.mk. */
static int print_completion(void)
{
	cli_manual_completion(stdout, cli_commands);
	return 0;
}

static const struct list {
	const char *name;
	int (*print)(void);
	bool items; /* items alone: the list around them is made here */
} lists[] = {
	{"case", print_case, true}, /* millgate-log(8) */
	{"commands-auth", print_commands_auth, true}, /* millgate(1) */
	{"commands-dkim", print_commands_dkim, true}, /* millgate(1) */
	{"commands-events", print_commands_events, true}, /* millgate(1) */
	{"commands-key", print_commands_key, true}, /* millgate(1) */
	{"commands-stuck", print_commands_stuck, true}, /* millgate(1) */
	{"commands-trace", print_commands_trace, true}, /* millgate(1) */
	{"completion", print_completion, false}, /* bash */
	{"fields", print_fields, true}, /* millgate-events(5) */
	{"match", print_match, true}, /* millgate.conf(5) */
	{"metrics-dkim", print_metrics_dkim, true}, /* millgate-dkim(8) */
	{"metrics-log", print_metrics_log, true}, /* millgate-log(8) */
	{"metrics-track", print_metrics_track, true}, /* millgate-track(8) */
	{"options-millgate", print_options_millgate, true}, /* millgate(1) */
	{"settings-chain", print_settings_chain, false}, /* millgate-chain(8) */
	{"settings-dkim", print_settings_dkim, false}, /* millgate-dkim.conf(5) */
	{"settings-log", print_settings_log, false}, /* millgate-log(8) */
	{"settings-track", print_settings_track, false}, /* millgate-track.conf(5) */
	{"synopsis-millgate", print_synopsis_millgate, false}, /* millgate(1) */
};

static int print_list(const struct list *list)
{
	int status;

	if (list->items)
		puts(".Bl -tag -width Ds");
	status = list->print();
	if (list->items)
		puts(".El");
	return status;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: lists NAME\n");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (strcmp(argv[1], lists[i].name) != 0)
			continue;
		if (print_list(&lists[i]) != 0 || fflush(stdout) != 0 || ferror(stdout)) {
			perror(argv[1]);
			return EXIT_FAILURE;
		}
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "lists: no list \"%s\"\n", argv[1]);
	return EXIT_FAILURE;
}
