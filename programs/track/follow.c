/* SPDX-License-Identifier: ISC */
#include "track/follow.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "mail/delivery.h"
#include "run/daemon.h"
#include "track/follow_private.h"

/* Between two changes, so that lines come together; between two looks for logs of filters. */
static const int64_t gather = 200 * MG_MILLISECOND, look_every = 10 * MG_SECOND;

static const char progress_table[] = "progress";

const struct mg_metric track_metrics[] = {
	[TRACK_METRIC_READ] = {"millgate_track_lines_total", "result=\"read\"",
		"Lines of the log by what became of them", MG_COUNTER},
	[TRACK_METRIC_UNKNOWN] = {"millgate_track_lines_total", "result=\"unknown\"", "",
		MG_COUNTER},
	[TRACK_METRIC_FOREIGN] = {"millgate_track_lines_total", "result=\"foreign\"", "",
		MG_COUNTER},
	[TRACK_METRIC_LOST] = {"millgate_track_lines_lost_total", "",
		"Lines that could not be read, as far as their number is known", MG_COUNTER},
	[TRACK_METRIC_EVENTS] = {"millgate_track_events_total", "", "Events written", MG_COUNTER},
	[TRACK_METRIC_FILTER_EVENTS] = {"millgate_track_filter_events_total", "",
		"Events of filters read", MG_COUNTER},
	[TRACK_METRIC_RECIPIENTS] = {"millgate_track_recipients_open", "",
		"Recipients accepted and not finished", MG_GAUGE},
	[TRACK_METRIC_BACKLOG] = {"millgate_track_backlog_bytes", "",
		"Bytes of the log not yet read; -1 unknown", MG_GAUGE},
	[TRACK_METRIC_NEWEST] = {"millgate_track_newest_line_timestamp_seconds", "",
		"Time of the newest line read", MG_GAUGE},
	[TRACK_METRIC_FAILURES] = {"millgate_track_changes_failed_total", "",
		"Changes of the store that were begun again", MG_COUNTER},
	{.name = NULL},
};

static int64_t monotonic(const struct track_follow *follow)
{
	return follow->world->clock->monotonic(follow->world->clock);
}

/* --- rules --- */

/* A filter is expected from its first event on, and from the first line. */
static void make_expectations(struct track_follow *follow)
{
	const char *const *set = (const char *const *)follow->settings->expect;
	const char *const *names = track_logs_names(follow->logs);
	const int64_t *begins = track_logs_begins(follow->logs);
	const char *const *list = set != NULL ? set : names;
	size_t count = 0;

	for (; list[count] != NULL && count < TRACK_EXPECT_MAX; count++) {
		int64_t begin = set != NULL ? 0 : begins[count];

		follow->expect[count] = list[count];
		follow->expect_since[count] = begin > follow->oldest ? begin : follow->oldest;
	}
	follow->expect[count] = NULL;
}

void track_follow_rule(struct track_follow *follow)
{
	const struct track_settings *settings = follow->settings;

	make_expectations(follow);
	follow->rules = (struct track_rules){.gateway = settings->gateway,
		.instances = settings->instances,
		.overdue = settings->overdue,
		.expect = follow->expect,
		.expect_since = follow->expect_since,
		.expect_within = settings->expect_within,
		.keep_replies = settings->keep_replies,
		.own_listeners = settings->own_listeners,
		.smart_hosts = settings->smart_hosts};
	track_join_set(follow->join, follow->world->events, &follow->rules);
}

static void look_for_filters(struct track_follow *follow)
{
	int64_t now = monotonic(follow);

	if (follow->looked > 0 && now - follow->looked < look_every)
		return;
	follow->looked = now;
	if (track_logs_look(follow->logs) > 0)
		track_follow_rule(follow);
}

/* --- begin and end --- */

/* The store's tables: those of deliveries and join, then the one of follow. */
static struct mg_store *open_store(struct track_follow *follow, struct mg_error *error)
{
	const char *tables[TRACK_TABLES_MAX];
	struct mg_store_settings settings = {.url = follow->settings->store, .tables = tables};
	struct mg_error replaced = {""};
	struct mg_store *store;

	while (mg_track_tables[follow->table] != NULL && follow->table < TRACK_TABLES_MAX - 2) {
		tables[follow->table] = mg_track_tables[follow->table];
		follow->table++;
	}
	tables[follow->table] = progress_table;
	tables[follow->table + 1] = NULL;
	store = mg_store_open(&settings, &replaced, error);
	if (replaced.text[0] != '\0')
		mg_log(LOG_WARNING, "%s", replaced.text);
	return store;
}

/* Opens the source, and sets the filters, where the last commit was. */
static int open_source(struct track_follow *follow, struct mg_error *error)
{
	struct mg_store_tx *tx = mg_store_view(follow->store, error);
	char position[TRACK_POSITION_MAX];
	int result;

	if (tx == NULL)
		return -1;
	result = track_follow_load(follow, tx, position, error);
	mg_store_end(tx);
	track_follow_rule(follow);
	if (result != 0)
		return -1;
	follow->source = track_source_open(follow->followed, position, follow->world->clock, error);
	return follow->source != NULL ? 0 : -1;
}

static int load_output(struct track_follow *follow, struct mg_error *error)
{
	struct mg_store_tx *tx = mg_store_view(follow->store, error);
	int result = tx == NULL ? -1 : track_output_load(follow->output, tx, error);

	mg_store_end(tx);
	return result;
}

struct track_follow *track_follow_open(const struct track_settings *settings,
	const struct mg_service_world *world, int *status, struct mg_error *error)
{
	struct track_follow *follow = calloc(1, sizeof *follow);

	mg_error_set(error, "out of memory");
	if (follow == NULL)
		return NULL;
	follow->settings = settings;
	follow->world = world;
	follow->queue_wanted = true;
	follow->followed = strdup(settings->follow);
	*status = MG_EXIT_IO;
	if (follow->followed == NULL)
		goto failed;
	follow->store = open_store(follow, error);
	if (follow->store == NULL)
		goto failed;
	mg_error_set(error, "out of memory");
	follow->logs = track_logs_new(world->events_directory, follow->table);
	follow->output = track_output_new("track", world, follow->table);
	if (follow->logs == NULL || follow->output == NULL)
		goto failed;
	follow->join = track_join_new(world->events, track_output_emit, follow->output);
	if (follow->join == NULL)
		goto failed;
	track_follow_rule(follow);
	if (load_output(follow, error) != 0)
		goto failed;
	*status = MG_EXIT_NO_INPUT;
	if (open_source(follow, error) == 0)
		return follow;
failed:
	track_follow_close(follow);
	return NULL;
}

void track_follow_close(struct track_follow *follow)
{
	if (follow == NULL)
		return;
	track_postqueue_free(follow->queue);
	if (follow->source != NULL)
		track_source_close(follow->source);
	track_join_free(follow->join);
	track_output_free(follow->output);
	track_logs_free(follow->logs);
	if (follow->store != NULL)
		mg_store_close(follow->store);
	free(follow->followed);
	free(follow);
}

void track_follow_describe(const struct track_follow *follow, char *text, size_t size)
{
	mg_str_format(text, size, "%s%s", follow->followed,
		track_output_fills(follow->output) ? ", from its begin, for the store is new" : "");
}

int track_follow_renew(struct track_follow *follow, const struct track_settings *settings,
	const struct mg_service_world *world, struct mg_error *error)
{
	bool fixed = strcmp(settings->follow, follow->followed) == 0 &&
		     strcmp(settings->store, follow->settings->store) == 0;

	follow->settings = settings;
	follow->world = world;
	track_output_set(follow->output, world);
	track_follow_rule(follow);
	if (fixed)
		return 0;
	mg_error_set(error, "follow, store: changed, which takes a restart");
	return -1;
}

/* --- steps --- */

static int to_poll(int64_t timeout)
{
	if (timeout <= 0)
		return 0;
	return timeout > MG_SECOND ? 1000 : (int)((timeout + MG_MILLISECOND - 1) / MG_MILLISECOND);
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ns until there may be something to do that no descriptor tells. */
static int64_t time_to_work(const struct track_follow *follow, int64_t timeout)
{
	int64_t now = follow->world->clock->utc(follow->world->clock);

	timeout = smaller(timeout, track_source_timeout(follow->source));
	if (follow->queue != NULL)
		timeout = smaller(timeout, track_postqueue_timeout(follow->queue));
	return smaller(timeout, follow->next_due > now ? follow->next_due - now : 0);
}

/* Waits for something to do. False: a signal came, or nothing else. */
static bool wait_for_work(const struct track_follow *follow, int wake, int64_t timeout)
{
	struct pollfd news[3] = {{.fd = wake, .events = POLLIN},
		{.fd = track_source_descriptor(follow->source), .events = POLLIN},
		{.fd = follow->queue != NULL ? track_postqueue_descriptor(follow->queue) : -1,
			.events = POLLIN}};
	int64_t rest = follow->changed + gather - monotonic(follow);

	if (follow->more)
		return true;
	if (rest > 0 && poll(news, 1, to_poll(smaller(rest, timeout))) > 0)
		return false;
	if (rest > timeout)
		return false;
	(void)poll(news, 3, to_poll(time_to_work(follow, timeout - (rest > 0 ? rest : 0))));
	return (news[0].revents & POLLIN) == 0;
}

int track_follow_step(
	struct track_follow *follow, int wake, int64_t timeout, struct mg_error *error)
{
	if (follow->source == NULL && open_source(follow, error) != 0)
		return -1;
	if (!follow->begun && track_output_read(follow->output, error) != 0)
		return -1;
	follow->begun = true;
	if (!wait_for_work(follow, wake, timeout))
		return 0;
	look_for_filters(follow);
	return track_follow_change(follow, error);
}

void track_follow_measure(struct track_follow *follow)
{
	struct mg_metrics *metrics = follow->world->metrics;
	struct mg_store_tx *tx = mg_store_view(follow->store, NULL);

	if (tx != NULL)
		mg_metrics_set(metrics, TRACK_METRIC_RECIPIENTS,
			mg_store_count(tx, MG_TABLE_RECIPIENTS, NULL));
	mg_store_end(tx);
	mg_metrics_set(metrics, TRACK_METRIC_EVENTS, track_output_count(follow->output));
	mg_metrics_set(metrics, TRACK_METRIC_NEWEST, follow->newest / MG_SECOND);
	mg_metrics_set(metrics, TRACK_METRIC_BACKLOG,
		follow->source != NULL ? track_source_backlog(follow->source) : -1);
}
