/* SPDX-License-Identifier: ISC */
#include "cli/auth.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/net.h"
#include "base/str.h"
#include "cli/json.h"
#include "cli/logins.h"
#include "cli/screen.h"
#include "cli/settings.h"
#include "cli/sheet.h"
#include "cli/when.h"
#include "event/logs.h"
#include "event/reading.h"

enum { ROWS_MAX = 40, MENDS_MAX = 3, SHOWN = 200 };

static const char *const headings[] = {"user", "client", "tries", "last", "reason"};
enum { CELLS = sizeof(headings) / sizeof(headings[0]) };

/* What Postfix says of a login that failed, and what it means. */
enum cause { CAUSE_PASSWORD, CAUSE_SERVER, CAUSE_METHOD, CAUSE_OTHER };
static const struct {
	const char *begin;
	enum cause cause;
} causes[] = {
	{"authentication failure", CAUSE_PASSWORD},
	{"(reason unavailable)", CAUSE_PASSWORD},
	/* The last prompt: "Password:", "Username:". */
	{"UGFzc3dvcmQ6", CAUSE_PASSWORD},
	{"VXNlcm5hbWU6", CAUSE_PASSWORD},
	{"bad password", CAUSE_PASSWORD},
	{"user not found", CAUSE_PASSWORD},
	{"generic failure", CAUSE_SERVER},
	{"Connection lost", CAUSE_SERVER},
	{"temporary", CAUSE_SERVER},
	{"Temporary", CAUSE_SERVER},
	{"no mechanism", CAUSE_METHOD},
	{"Invalid authentication mechanism", CAUSE_METHOD},
};

struct listing {
	const struct cli_call *call;
	const char *user; /* NULL any */
	struct mg_network network; /* of --client */
	bool has_network;
	int64_t now, since;
	struct cli_logins *logins;
	const struct cli_login_row *rows;
	size_t count, users, clients, networks, seen;
};

static enum cause cause_of(const char *reason)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strncmp(reason, causes[i].begin, strlen(causes[i].begin)) == 0)
			return causes[i].cause;
	return reason[0] == '\0' ? CAUSE_PASSWORD : CAUSE_OTHER;
}

/* --- gathering --- */

static bool is_asked_for(const struct listing *listing, const char *user, const char *client)
{
	struct sockaddr_storage address;

	if (listing->user != NULL && strcmp(user, listing->user) != 0)
		return false;
	return !listing->has_network || (mg_net_parse(client, 0, &address) &&
						mg_network_contains(&listing->network, &address));
}

/* Most events tell of no login. */
static bool may_tell(const struct mg_logs_event *found, bool *failed)
{
	*failed = strstr(found->line, "\"auth-failed\"") != NULL;
	return *failed || (strstr(found->line, "\"user\":{") != NULL &&
				  (strstr(found->line, "\"message-accepted\"") != NULL ||
					  strstr(found->line, "\"session-linked\"") != NULL));
}

static bool take(struct listing *listing, const struct mg_logs_event *found)
{
	struct mg_reading *event;
	const char *user, *client, *action;
	bool failed, good = true;

	if (!may_tell(found, &failed))
		return true;
	event = mg_reading_new(found->line, found->length);
	if (event == NULL)
		return true;
	action = mg_reading_text(event, "event.action");
	user = mg_reading_text(event, "user.name");
	client = mg_reading_text(event, "source.ip");
	failed = strcmp(action, "auth-failed") == 0;
	if ((failed || strcmp(action, "message-accepted") == 0 ||
		    strcmp(action, "session-linked") == 0) &&
		is_asked_for(listing, user, client)) {
		listing->seen++;
		good = failed ? cli_logins_failed(listing->logins, user, client,
					mg_reading_text(event, "event.reason"), found->utc)
			      : cli_logins_worked(listing->logins, user, client, found->utc);
	}
	mg_reading_free(event);
	return good;
}

static int gather(struct listing *listing, struct mg_logs *logs)
{
	struct mg_logs_event found;
	struct mg_error error;
	int got;

	while ((got = mg_logs_next(logs, &found, &error)) > 0)
		if (!take(listing, &found))
			return cli_fail(listing->call, CLI_FAILED, "out of memory");
	if (got < 0)
		return cli_settings_unreadable(listing->call, &error);
	listing->rows = cli_logins_rows(listing->logins, listing->user != NULL, &listing->count);
	if (listing->rows == NULL)
		return cli_fail(listing->call, CLI_FAILED, "out of memory");
	for (size_t i = 0; i < listing->count; i++)
		if (listing->rows[i].guessing)
			listing->networks++;
		else if (listing->rows[i].user[0] != '\0')
			listing->users += i == 0 || strcmp(listing->rows[i].user,
							    listing->rows[i - 1].user) != 0;
		else
			listing->clients++;
	return CLI_GOOD;
}

/* --- for people --- */

static void say_time(const struct listing *listing, int64_t utc, char text[CLI_TIME_MAX])
{
	char time[CLI_TIME_MAX];

	cli_screen_time(listing->call, utc, time);
	if (utc >= cli_screen_midnight(listing->call, listing->now))
		mg_str_format(text, CLI_TIME_MAX, "%.5s", time + strlen("2026-11-24 "));
	else
		mg_str_format(text, CLI_TIME_MAX, "%.16s", time);
}

static void add_reason(
	const struct listing *listing, const struct cli_login_row *row, struct mg_buf *text)
{
	char quoted[CLI_QUOTED_MAX], time[CLI_TIME_MAX];

	if (row->guessing) {
		mg_buf_add_format(text, "%zu names tried: guessing, not a user", row->names);
		return;
	}
	cli_screen_quoted(quoted, row->reason, strlen(row->reason));
	switch (cause_of(row->reason)) {
	case CAUSE_PASSWORD: mg_buf_add_text(text, "password wrong (535 5.7.8)"); break;
	case CAUSE_SERVER: mg_buf_add_format(text, "the SASL server fails: %s", quoted); break;
	case CAUSE_METHOD:
		mg_buf_add_format(text, "a method that is not offered: %s", quoted);
		break;
	default: mg_buf_add_text(text, quoted);
	}
	if (row->worked == 0)
		return;
	say_time(listing, row->worked, time);
	if (row->works)
		mg_buf_add_format(text, "; works since then: %s", time);
	else
		mg_buf_add_format(text, "; worked from %s until %s", row->worked_client, time);
}

static void print_count(size_t count, const char *name, bool *first, size_t left)
{
	if (count == 0)
		return;
	printf("%s%zu %s%s",
		*first      ? ""
		: left == 0 ? " and "
			    : ", ",
		count, name, count == 1 ? "" : "s");
	*first = false;
}

static void print_first_line(const struct listing *listing)
{
	size_t failing = listing->users + listing->clients + listing->networks;
	size_t working = cli_logins_working(listing->logins);
	bool first = true;

	print_count(listing->users, "user", &first, 1);
	print_count(listing->clients, "client", &first, listing->networks);
	print_count(listing->networks, "network", &first, 0);
	printf("%s log in; %zu user%s do%s%s\n",
		failing == 0   ? "Nobody fails to"
		: failing == 1 ? " fails to"
			       : " fail to",
		working, working == 1 ? "" : "s", working == 1 ? "es" : "",
		failing == 0 ? "" : " not");
}

static int print_table(const struct listing *listing)
{
	struct cli_sheet *sheet = cli_sheet_new(headings, CELLS);
	size_t rows = listing->count < ROWS_MAX ? listing->count : ROWS_MAX;
	struct mg_buf reason = {0};

	for (size_t i = 0; sheet != NULL && i < rows; i++) {
		const struct cli_login_row *row = &listing->rows[i];
		char user[SHOWN], client[SHOWN], tries[24], last[CLI_TIME_MAX];

		mg_str_printable(user, sizeof(user), row->user, strlen(row->user));
		mg_str_printable(client, sizeof(client), row->client, strlen(row->client));
		mg_str_format(tries, sizeof(tries), "%5zu", row->tries);
		say_time(listing, row->last, last);
		mg_buf_reset(&reason);
		add_reason(listing, row, &reason);
		cli_sheet_add(sheet,
			(const char *const[CELLS]){user[0] != '\0' ? user : "-",
				client[0] != '\0' ? client : "-", tries, last,
				mg_buf_text(&reason)},
			row->guessing ? CLI_YELLOW : CLI_RED);
	}
	mg_buf_free(&reason);
	if (cli_sheet_print(sheet, stdout, cli_screen_color(listing->call)) != 0)
		return cli_fail(listing->call, CLI_FAILED, "out of memory");
	if (rows < listing->count)
		printf("…  %zu more: millgate auth --json\n", listing->count - rows);
	return CLI_GOOD;
}

static void print_mend(
	const struct listing *listing, const struct cli_login_row *row, const char *head)
{
	char user[SHOWN], time[CLI_TIME_MAX];

	mg_str_printable(user, sizeof(user), row->user, strlen(row->user));
	printf("%-6s %s: ", head, user);
	switch (cause_of(row->reason)) {
	case CAUSE_PASSWORD:
		if (row->worked != 0) {
			printf("put the new password into the app at %s\n", row->client);
			break;
		}
		say_time(listing, listing->since, time);
		printf("never logged in since %s: look at name and password there\n", time);
		break;
	case CAUSE_METHOD: printf("set PLAIN, with TLS, in the app at %s\n", row->client); break;
	default: printf("look at the SASL server of Postfix; its log has more\n");
	}
}

static int print_text(const struct listing *listing)
{
	size_t mends = 0;
	int status;

	print_first_line(listing);
	if (listing->count == 0)
		return CLI_GOOD;
	putchar('\n');
	status = print_table(listing);
	for (size_t i = 0; status == CLI_GOOD && i < listing->count && mends < MENDS_MAX; i++) {
		const struct cli_login_row *row = &listing->rows[i];

		if (row->guessing || row->user[0] == '\0' || row->works)
			continue;
		print_mend(listing, row, mends++ == 0 ? "Mend" : "");
	}
	return status;
}

/* --- --json --- */

static void add_time(struct cli_json *json, const char *name, int64_t utc)
{
	char time[32];

	mg_clock_format(time, sizeof(time), utc);
	cli_json_text(json, name, time);
}

static void add_row(struct cli_json *json, const struct cli_login_row *row)
{
	cli_json_item_open(json);
	cli_json_bool(json, "guessing", row->guessing);
	cli_json_bool(json, "works", row->works);
	if (row->user[0] != '\0')
		cli_json_text(json, "user.name", row->user);
	cli_json_text(json, "client", row->client);
	cli_json_number(json, "tries", (int64_t)row->tries);
	cli_json_number(json, "names", (int64_t)row->names);
	add_time(json, "last", row->last);
	if (row->reason[0] != '\0')
		cli_json_text(json, "event.reason", row->reason);
	if (row->worked != 0) {
		cli_json_text(json, "worked.client", row->worked_client);
		add_time(json, "worked.last", row->worked);
	}
	cli_json_close(json);
}

static int print_json(const struct listing *listing)
{
	struct cli_json *json = cli_json_new();

	cli_json_number(json, "users", (int64_t)listing->users);
	cli_json_number(json, "clients", (int64_t)listing->clients);
	cli_json_number(json, "networks", (int64_t)listing->networks);
	cli_json_number(json, "working", (int64_t)cli_logins_working(listing->logins));
	cli_json_list_open(json, "failing");
	for (size_t i = 0; i < listing->count; i++)
		add_row(json, &listing->rows[i]);
	cli_json_close(json);
	return cli_json_print(json, stdout) == 0
		       ? CLI_GOOD
		       : cli_fail(listing->call, CLI_FAILED, "out of memory");
}

/* --- the command --- */

/* Somebody tries names and passwords at any time: only a user is bad news. */
static int verdict(const struct listing *listing)
{
	bool some = false;

	if (listing->user != NULL && listing->seen == 0)
		return CLI_UNKNOWN;
	for (size_t i = 0; i < listing->count; i++) {
		const struct cli_login_row *row = &listing->rows[i];

		if (!row->guessing && !row->works && row->user[0] != '\0')
			return CLI_BAD;
		some = some || !row->works;
	}
	return some ? CLI_LOOK : CLI_GOOD;
}

static int read_options(struct listing *listing)
{
	const char *client = cli_value(listing->call, "client");
	struct mg_error error;

	if (client != NULL && !mg_network_parse(client, &listing->network, &error))
		return cli_fail(listing->call, CLI_USAGE, "--client: %s", error.text);
	listing->has_network = client != NULL;
	return cli_when_option(listing->call, "since", listing->now, &listing->since);
}

int cli_auth(const struct cli_call *call)
{
	struct listing listing = {.call = call,
		.user = cli_argument(call, 0),
		.now = mg_clock_system.utc(&mg_clock_system),
		.logins = cli_logins_new()};
	struct cli_settings settings = {.dkim = NULL};
	struct mg_logs *logs = NULL;
	struct mg_error error;
	int status = read_options(&listing);

	if (listing.logins == NULL)
		status = cli_fail(call, CLI_FAILED, "out of memory");
	if (status == CLI_GOOD)
		status = cli_settings_read_common(call, &settings);
	if (status == CLI_GOOD) {
		logs = mg_logs_open(settings.operator_log.directory, NULL, listing.since, &error);
		status = logs != NULL ? gather(&listing, logs)
				      : cli_settings_unreadable(call, &error);
	}
	if (status == CLI_GOOD)
		status = call->json ? print_json(&listing) : print_text(&listing);
	if (status == CLI_GOOD)
		status = verdict(&listing);
	mg_logs_close(logs);
	cli_settings_free(&settings);
	cli_logins_free(listing.logins);
	return status;
}
