/* SPDX-License-Identifier: ISC */
#include "cli/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/json.h"
#include "cli/outcome.h"
#include "cli/screen.h"
#include "cli/settings.h"
#include "cli/sheet.h"
#include "cli/story.h"
#include "cli/story_print.h"
#include "cli/tell.h"
#include "cli/when.h"
#include "event/logs.h"
#include "event/lookup.h"

enum { STORIES = 20, KEY_SIZE = 1024, UUID = 36, REF = 8 };

struct tracing {
	const struct cli_call *call;
	const char *directory;
	char key[KEY_SIZE];
	struct cli_story_filter filter;
	struct cli_stories stories;
	struct cli_outcome outcomes[STORIES];
	bool tracked; /* there is a log of millgate-track */
	int64_t now;
};

/* --- what is looked for --- */

/* The key as it stands in logs: an address or id without <>, of an event.id its REF, of "[CODE REF]"
 * that. */
static void read_key(struct tracing *tracing)
{
	const char *text = cli_argument(tracing->call, 0), *blank = strrchr(text, ' ');
	size_t length = strlen(text);

	if (length > 2 && text[0] == '[' && text[length - 1] == ']' && blank != NULL) {
		length -= (size_t)(blank + 1 - text) + 1;
		text = blank + 1;
	} else if (length > 2 && text[0] == '<' && text[length - 1] == '>') {
		text++;
		length -= 2;
	}
	if (length == UUID && text[8] == '-' && text[13] == '-' && text[18] == '-' &&
		text[23] == '-') {
		text += UUID - REF;
		length = REF;
	}
	mg_str_format(
		tracing->key, KEY_SIZE, "%.*s", length < KEY_SIZE ? (int)length : KEY_SIZE, text);
}

static void show_progress(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	fprintf(stderr, "\rIndexing event logs: %3.0f %% of %.1f GB",
		100.0 * (double)done / (double)total, (double)total / 1e9);
	if (done == total)
		fputs("\r\033[K", stderr);
}

static bool has_log(const char *directory, const char *name)
{
	struct mg_log_names names;
	bool found = false;

	if (mg_log_names_read(directory, &names, NULL) != 0)
		return false;
	for (size_t i = 0; i < names.count; i++)
		found = found || strcmp(names.list[i], name) == 0;
	mg_log_names_free(&names);
	return found;
}

/* Drops the stories of other clients and recipients. */
static void drop_others(struct tracing *tracing)
{
	struct cli_stories *stories = &tracing->stories, others = {.count = 0};
	size_t kept = 0;

	for (size_t i = 0; i < stories->count; i++) {
		struct cli_story story = stories->list[i];

		if (cli_story_fits(&story, &tracing->filter)) {
			stories->list[kept++] = story;
			continue;
		}
		others = (struct cli_stories){malloc(sizeof(story)), 1, false};
		if (others.list == NULL)
			continue;
		others.list[0] = story;
		cli_stories_free(&others);
	}
	stories->count = kept;
}

static int find(struct tracing *tracing)
{
	struct mg_error error;
	struct mg_lookup *lookup = mg_lookup_open(tracing->directory, NULL,
		isatty(STDERR_FILENO) ? show_progress : NULL, NULL, &error);
	int status = CLI_GOOD;

	if (lookup == NULL)
		return cli_settings_unreadable(tracing->call, &error);
	if (cli_stories_find(lookup, tracing->key, &tracing->filter, STORIES, &tracing->stories,
		    &error) != 0)
		status = cli_settings_unreadable(tracing->call, &error);
	if (status == CLI_GOOD && cli_stories_collect(lookup, &tracing->stories, &error) != 0)
		status = cli_settings_unreadable(tracing->call, &error);
	mg_lookup_close(lookup);
	if (status != CLI_GOOD)
		return status;
	drop_others(tracing);
	for (size_t i = 0; i < tracing->stories.count; i++) {
		cli_outcome_of(&tracing->stories.list[i], tracing->tracked, &tracing->outcomes[i]);
		if (tracing->outcomes[i].failed)
			status = cli_fail(tracing->call, CLI_FAILED, "out of memory");
	}
	return status;
}

/* --- what is shown --- */

static int verdict(const struct tracing *tracing)
{
	int worst = CLI_GOOD;

	if (tracing->stories.count == 0)
		return CLI_UNKNOWN;
	for (size_t i = 0; i < tracing->stories.count; i++)
		if ((int)cli_outcome_exit(&tracing->outcomes[i]) > worst)
			worst = (int)cli_outcome_exit(&tracing->outcomes[i]);
	return worst;
}

static void print_nothing(const struct tracing *tracing)
{
	struct mg_buf key = {0};
	char since[CLI_TIME_MAX];

	cli_tell_quote(&key, tracing->key);
	printf("Nothing known of %s since %s, in %s\n", mg_buf_text(&key),
		cli_screen_time(tracing->call, tracing->filter.since, since), tracing->directory);
	if (!has_log(tracing->directory, "log"))
		printf("Look   millgate-log has no event log there\n");
	if (!tracing->tracked)
		printf("Look   millgate-track has no event log there\n");
	mg_buf_free(&key);
}

/* What a list names a story by. */
static const char *name_of(const struct cli_story *story)
{
	const struct mg_reading *message = cli_story_message(story);
	const char *id = message != NULL ? mg_reading_text(message, "email.local_id") : "";

	return story->trace_id[0] == '\0' ? story->session : id[0] != '\0' ? id : story->trace_id;
}

static void add_envelope(
	struct mg_buf *out, const struct cli_story *story, const struct cli_outcome *outcome)
{
	const struct mg_reading *event = cli_story_message(story);
	const char *sender;

	if (event == NULL)
		return;
	sender = mg_reading_text(event, "email.sender.address");
	cli_tell_plain(out, sender[0] != '\0' ? sender : "<>");
	mg_buf_add_text(out, " -> ");
	if (outcome->count == 1)
		cli_tell_plain(out, outcome->recipients[0].address);
	else if (outcome->count > 1)
		mg_buf_add_format(out, "%zu recipients", outcome->count);
	else
		cli_tell_plain(out, mg_reading_text(event, "email.to.address"));
}

static void add_row(const struct tracing *tracing, struct cli_sheet *sheet, size_t index)
{
	const struct cli_story *story = &tracing->stories.list[index];
	const struct cli_outcome *outcome = &tracing->outcomes[index];
	enum cli_fate worst = cli_outcome_worst(outcome);
	struct mg_buf envelope = {0};
	char time[CLI_TIME_MAX];

	cli_screen_time(tracing->call, outcome->begun, time);
	*strrchr(time, ' ') = '\0';
	add_envelope(&envelope, story, outcome);
	cli_sheet_add(sheet,
		(const char *const[]){
			time, name_of(story), cli_fate_word(worst), mg_buf_text(&envelope)},
		cli_fate_color(worst));
	mg_buf_free(&envelope);
}

static void print_sum(const struct tracing *tracing)
{
	size_t counts[CLI_FATE_COUNT] = {0};
	const char *comma = "";
	char time[CLI_TIME_MAX];

	for (size_t i = 0; i < tracing->stories.count; i++)
		counts[cli_outcome_worst(&tracing->outcomes[i])]++;
	for (size_t i = 0; i < CLI_FATE_COUNT; i++)
		if (counts[i] > 0) {
			printf("%s%zu %s", comma, counts[i], cli_fate_word((enum cli_fate)i));
			comma = ", ";
		}
	printf(" of %s%zu messages; newest first, times %s\n\n",
		tracing->stories.more ? "the newest " : "", tracing->stories.count,
		strrchr(cli_screen_time(tracing->call, tracing->now, time), ' ') + 1);
}

static int print_list(const struct tracing *tracing)
{
	static const char *const headings[] = {"time", "id", "state", "sender -> recipients"};
	struct cli_sheet *sheet = cli_sheet_new(headings, sizeof(headings) / sizeof(headings[0]));

	print_sum(tracing);
	for (size_t i = 0; sheet != NULL && i < tracing->stories.count; i++)
		add_row(tracing, sheet, i);
	if (cli_sheet_print(sheet, stdout, cli_screen_color(tracing->call)) != 0)
		return cli_fail(tracing->call, CLI_FAILED, "out of memory");
	if (tracing->stories.more)
		printf("…  more: --since, --client, --recipient\n");
	return verdict(tracing);
}

static void put_story(
	struct cli_json *json, const struct cli_story *story, const struct cli_outcome *outcome)
{
	const struct mg_reading *message = cli_story_message(story);

	cli_json_item_open(json);
	cli_json_text(json, "status", cli_fate_word(cli_outcome_worst(outcome)));
	if (story->trace_id[0] != '\0')
		cli_json_text(json, "trace.id", story->trace_id);
	if (message != NULL && mg_reading_text(message, "email.local_id")[0] != '\0')
		cli_json_text(json, "email.local_id", mg_reading_text(message, "email.local_id"));
	if (story->session[0] != '\0')
		cli_json_text(json, "millgate.session.key", story->session);
	cli_json_list_open(json, "recipients");
	for (size_t i = 0; i < outcome->count; i++) {
		cli_json_item_open(json);
		cli_json_text(json, "millgate.delivery.recipient", outcome->recipients[i].address);
		cli_json_text(json, "status", cli_fate_word(outcome->recipients[i].fate));
		cli_json_close(json);
	}
	cli_json_close(json);
	cli_json_list_open(json, "events");
	for (size_t i = 0; i < story->count; i++)
		cli_json_item_document(json, story->events[i].line, strlen(story->events[i].line));
	cli_json_close(json);
	cli_json_close(json);
}

static int print_json(const struct tracing *tracing)
{
	struct cli_json *json = cli_json_new();

	cli_json_list_open(json, "messages");
	for (size_t i = 0; i < tracing->stories.count; i++)
		put_story(json, &tracing->stories.list[i], &tracing->outcomes[i]);
	cli_json_close(json);
	cli_json_bool(json, "more", tracing->stories.more);
	return cli_json_print(json, stdout) == 0
		       ? verdict(tracing)
		       : cli_fail(tracing->call, CLI_FAILED, "out of memory");
}

static int print_events(const struct tracing *tracing)
{
	for (size_t i = 0; i < tracing->stories.count; i++)
		for (size_t at = 0; at < tracing->stories.list[i].count; at++)
			puts(tracing->stories.list[i].events[at].line);
	return verdict(tracing);
}

static int print(const struct tracing *tracing)
{
	if (cli_given(tracing->call, "events"))
		return print_events(tracing);
	if (tracing->call->json)
		return print_json(tracing);
	if (tracing->stories.count == 0)
		print_nothing(tracing);
	else if (tracing->stories.count == 1)
		cli_story_print(tracing->call, stdout, &tracing->stories.list[0],
			&tracing->outcomes[0], tracing->now);
	else
		return print_list(tracing);
	return verdict(tracing);
}

int cli_trace(const struct cli_call *call)
{
	struct tracing tracing = {.call = call,
		.filter = {.client = cli_value(call, "client"),
			.recipient = cli_value(call, "recipient")},
		.now = mg_clock_system.utc(&mg_clock_system)};
	struct cli_settings settings = {.dkim = NULL};
	int status = cli_when_option(call, "since", tracing.now, &tracing.filter.since);

	if (status == CLI_GOOD)
		status = cli_settings_read_common(call, &settings);
	if (status == CLI_GOOD) {
		tracing.directory = settings.operator_log.directory;
		tracing.tracked = has_log(tracing.directory, "track");
		read_key(&tracing);
		status = find(&tracing);
	}
	if (status == CLI_GOOD)
		status = print(&tracing);
	for (size_t i = 0; i < tracing.stories.count && i < STORIES; i++)
		cli_outcome_free(&tracing.outcomes[i]);
	cli_stories_free(&tracing.stories);
	cli_settings_free(&settings);
	return status;
}
