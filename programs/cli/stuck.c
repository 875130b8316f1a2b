/* SPDX-License-Identifier: ISC */
#include "cli/stuck.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/store.h"
#include "base/str.h"
#include "cli/settings.h"
#include "cli/when.h"
#include "mail/delivery.h"

/* Defaults are those of track.conf(5). */
static const struct mg_option options[] = {
	{.name = "store", .kind = MG_TEXT, .value = "lmdb:" MG_STATEDIR "/track"},
	{.name = "overdue", .kind = MG_DURATION, .value = "4h"},
	{.name = NULL},
};

/* What is counted. */
struct search {
	struct cli_stuck_answer answer;
	int64_t before; /* accepted no later than that */
	const char *host, *tenant; /* NULL any */
	bool failed;
};

static bool is_at(const struct mg_delivery *delivery, const char *host)
{
	return fnmatch(host,
		       delivery->host[0] != '\0' ? delivery->host
						 : cli_backlog_domain(delivery->recipient),
		       FNM_CASEFOLD) == 0;
}

static bool add_one(void *context, const struct mg_delivery *delivery)
{
	struct search *search = context;
	int64_t age = search->answer.now - delivery->accepted;

	if (delivery->state > MG_DELIVERY_HELD || delivery->accepted > search->before ||
		(search->tenant != NULL &&
			!mg_str_equal_nocase(delivery->tenant, search->tenant)) ||
		(search->host != NULL && !is_at(delivery, search->host)))
		return true;
	search->failed =
		!cli_backlog_add(search->answer.backlog, delivery, age > search->answer.overdue);
	return !search->failed;
}

/* CLI_GOOD, or why it cannot be read, after that was said. */
static int read_store(const struct cli_call *call, const struct mg_store_settings *settings,
	struct search *search)
{
	struct mg_error error;
	struct mg_store *store = mg_store_open(settings, NULL, &error);
	struct mg_store_tx *tx;
	int status = CLI_GOOD;

	if (store == NULL) {
		bool denied = strstr(error.text, strerror(EACCES)) != NULL;
		bool none = strstr(error.text, strerror(ENOENT)) != NULL;

		if (none)
			return cli_fail(call, CLI_UNKNOWN,
				"%s; millgate-track makes it when it starts", error.text);
		return cli_fail(call, denied ? CLI_DENIED : CLI_FAILED, "%s%s", error.text,
			denied ? "; root and the group of millgate-track can read it" : "");
	}
	search->answer.running = mg_store_has_writer(store);
	tx = mg_store_view(store, &error);
	if (tx == NULL ||
		mg_delivery_walk(tx, add_one, search, &search->answer.unreadable, &error) < 0)
		status = cli_fail(call, CLI_FAILED, "%s", error.text);
	else if (search->failed)
		status = cli_fail(call, CLI_FAILED, "out of memory");
	mg_store_end(tx);
	mg_store_close(store);
	return status;
}

/* What is known of a store that nobody keeps up to date is how it was. */
static int verdict(const struct cli_stuck_answer *answer)
{
	const struct cli_backlog_group *total = cli_backlog_total(answer->backlog);

	if (!answer->running)
		return CLI_UNKNOWN;
	if (total->overdue > 0)
		return CLI_BAD;
	return total->count > 0 ? CLI_LOOK : CLI_GOOD;
}

static int search_and_print(const struct cli_call *call, const struct mg_store_settings *settings,
	struct search *search)
{
	int status = read_store(call, settings, search);

	if (status == CLI_GOOD)
		status = call->json ? cli_stuck_print_json(call, &search->answer)
				    : cli_stuck_print(call, &search->answer);
	return status == CLI_GOOD ? verdict(&search->answer) : status;
}

int cli_stuck(const struct cli_call *call)
{
	static const struct mg_option *const tables[] = {options, NULL};
	struct search search = {.answer.now = mg_clock_system.utc(&mg_clock_system),
		.host = cli_value(call, "host"),
		.tenant = cli_value(call, "tenant")};
	struct mg_store_settings settings = {.tables = mg_track_tables, .read_only = true};
	const char *expected;
	struct mg_conf *conf;
	int64_t older;
	int status;

	if (!cli_when_span(cli_value(call, "older"), &older))
		return cli_fail(call, CLI_USAGE, "--older: expected a span, such as 30m, 2h or 3d");
	search.before = search.answer.now - older;
	conf = cli_settings_load(call, "track.conf", tables);
	if (conf == NULL)
		return CLI_CONFIGURATION;
	settings.url = mg_conf_text(conf, "store");
	search.answer.overdue = mg_conf_number(conf, "overdue");
	search.answer.backlog = cli_backlog_new();
	expected = mg_store_check(settings.url);
	if (expected != NULL)
		status = cli_fail(call, CLI_CONFIGURATION, "track.conf: store: %s", expected);
	else if (search.answer.backlog == NULL)
		status = cli_fail(call, CLI_FAILED, "out of memory");
	else
		status = search_and_print(call, &settings, &search);
	cli_backlog_free(search.answer.backlog);
	mg_conf_free(conf);
	return status;
}
