/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/json.h"
#include "cli/screen.h"
#include "cli/sheet.h"
#include "cli/stuck.h"
#include "cli/when.h"

enum {
	COLUMNS = 80,
	REPLY_LEAST = 24, /* characters of a reply that are shown in any case */
	ROWS_MAX = 20,
	MENDS_MAX = 3,
	WHERE_SHOWN = 300,
	LONG = 10 * 60 /* seconds within which a message is tried first */
};

static const char *const headings[] = {
	"count", "oldest", "where", "last reply (names and numbers folded)"};
enum { CELLS = sizeof(headings) / sizeof(headings[0]) };

static const char *const wait_names[] = {
	[CLI_WAIT_HOST] = "host",
	[CLI_WAIT_DNS] = "dns",
	[CLI_WAIT_DOMAIN] = "domain",
	[CLI_WAIT_UNTRIED] = "untried",
	[CLI_WAIT_HELD] = "held",
	[CLI_WAIT_OTHER] = "other",
};

static void say_where(const struct cli_backlog_group *group, char text[WHERE_SHOWN])
{
	static const char *const heads[] = {[CLI_WAIT_HOST] = "",
		[CLI_WAIT_DNS] = "dns: ",
		[CLI_WAIT_DOMAIN] = "to ",
		[CLI_WAIT_UNTRIED] = "not tried yet",
		[CLI_WAIT_HELD] = "held: ",
		[CLI_WAIT_OTHER] = "other groups"};
	size_t length = (size_t)snprintf(text, WHERE_SHOWN, "%s", heads[group->wait]);

	if (group->wait == CLI_WAIT_HELD && group->where[0] == '\0')
		mg_str_copy(text + length, WHERE_SHOWN - length, "by hand");
	else
		mg_str_printable(
			text + length, WHERE_SHOWN - length, group->where, strlen(group->where));
}

static void say_reply(const struct cli_backlog_group *group, char text[CLI_QUOTED_MAX])
{
	switch (group->wait) {
	case CLI_WAIT_HELD: mg_str_copy(text, CLI_QUOTED_MAX, "waits for you: postsuper -H"); break;
	case CLI_WAIT_DNS:
		mg_str_format(text, CLI_QUOTED_MAX, "no answer of DNS: %s", group->dsn);
		break;
	default:
		if (group->reply[0] != '\0')
			cli_screen_quoted(text, group->reply, strlen(group->reply));
		else
			mg_str_copy(text, CLI_QUOTED_MAX, "-");
	}
}

/* Cuts a text at `most` characters, with a sign that it was. */
static void cut(char *text, size_t most)
{
	char *at = text, *end = text;

	for (size_t count = 0; *at != '\0'; count++) {
		if (count + 1 == most)
			end = at;
		if (count == most) {
			memcpy(end, "…", strlen("…") + 1);
			return;
		}
		do
			at++;
		while (((unsigned char)*at & 0xc0) == 0x80);
	}
}

/* Width of all columns but the last, gaps with them. */
static size_t measure(const struct cli_backlog_group *const *groups, size_t rows)
{
	size_t where_width = strlen(headings[2]), count_width = strlen(headings[0]);
	char text[WHERE_SHOWN];

	for (size_t i = 0; i < rows; i++) {
		size_t width;

		say_where(groups[i], text);
		width = strlen(text);
		where_width = width > where_width ? width : where_width;
		width = (size_t)snprintf(NULL, 0, "%zu", groups[i]->count);
		count_width = width > count_width ? width : count_width;
	}
	return count_width + 2 + strlen(headings[1]) + 2 + where_width + 2;
}

static int print_table(const struct cli_call *call, const struct cli_stuck_answer *answer,
	const struct cli_backlog_group *const *groups, size_t rows)
{
	struct cli_sheet *sheet = cli_sheet_new(headings, CELLS);
	size_t used = measure(groups, rows);
	size_t room = used + REPLY_LEAST < COLUMNS ? COLUMNS - used : REPLY_LEAST;

	for (size_t i = 0; sheet != NULL && i < rows; i++) {
		const struct cli_backlog_group *group = groups[i];
		char number[24], where[WHERE_SHOWN], reply[CLI_QUOTED_MAX], age[CLI_SPAN_MAX];
		char count[CLI_SPAN_MAX], oldest[CLI_SPAN_MAX];

		snprintf(number, sizeof(number), "%zu", group->count);
		mg_str_format(count, sizeof(count), "%*s", (int)strlen(headings[0]), number);
		mg_str_format(oldest, sizeof(oldest), "%*s", (int)strlen(headings[1]),
			cli_when_say(answer->now - group->oldest, 1, age));
		say_where(group, where);
		say_reply(group, reply);
		if (isatty(STDOUT_FILENO))
			cut(reply, room);
		cli_sheet_add(sheet, (const char *const[CELLS]){count, oldest, where, reply},
			group->overdue > 0 ? CLI_RED : CLI_PLAIN);
	}
	return cli_sheet_print(sheet, stdout, cli_screen_color(call)) == 0
		       ? CLI_GOOD
		       : cli_fail(call, CLI_FAILED, "out of memory");
}

/* What may be put into a line that is pasted into a shell. */
static bool is_plain(const char *text)
{
	return text[0] != '\0' && text[0] != '-' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789.-")] == '\0';
}

/* "09:40", or with the day when that is not today. */
static void say_since(
	const struct cli_call *call, int64_t utc, int64_t now, char text[CLI_TIME_MAX])
{
	char time[CLI_TIME_MAX];

	cli_screen_time(call, utc, time);
	if (utc >= cli_screen_midnight(call, now))
		mg_str_format(text, CLI_TIME_MAX, "%.5s", time + strlen("2026-11-24 "));
	else
		mg_str_format(text, CLI_TIME_MAX, "%.16s", time);
}

/* Whose matter it is, by the subject of the status (RFC 3463). */
static const char *cause_of(const struct cli_backlog_group *group)
{
	static const struct {
		const char *begin, *cause;
	} causes[] = {{"4.1.", "addresses, as they see them"}, {"4.2.", "mailboxes over there"},
		{"4.3.", "their system"}, {"4.4.", "the network between"},
		{"4.7.", "reputation or rate, not a filter"}};

	if (group->reply_code == 421)
		return "reputation or rate, not a filter";
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strncmp(group->dsn, causes[i].begin, strlen(causes[i].begin)) == 0)
			return causes[i].cause;
	return "what they say, not a filter";
}

/* A line of what to do; false: there is nothing to say of the group. */
static bool print_mend(const struct cli_call *call, const struct cli_stuck_answer *answer,
	const struct cli_backlog_group *group, const char *head)
{
	char since[CLI_TIME_MAX];
	int64_t hours = (answer->now - group->oldest) / (3600 * MG_SECOND) + 1;

	say_since(call, group->oldest, answer->now, since);
	switch (group->wait) {
	case CLI_WAIT_HOST:
		printf("%-6s %zu at one host since %s: %s;\n", head, group->count, since,
			cause_of(group));
		if (is_plain(group->where))
			printf("%-6s millgate events --action delivery-deferred --host %s --since "
			       "%" PRId64 "h\n",
				"", group->where, hours);
		return true;
	case CLI_WAIT_DNS:
		if (!is_plain(group->where))
			return false;
		printf("%-6s %zu to a domain whose DNS does not answer: dig %s MX\n", head,
			group->count, group->where);
		return true;
	case CLI_WAIT_DOMAIN:
		printf("%-6s %zu to one domain since %s: postqueue -i %s\n", head, group->count,
			since, is_plain(group->queue_id) ? group->queue_id : "ID");
		return true;
	case CLI_WAIT_UNTRIED:
		if (answer->now - group->oldest < LONG * MG_SECOND)
			return false;
		printf("%-6s %zu not tried since %s: postfix status; postqueue -f\n", head,
			group->count, since);
		return true;
	case CLI_WAIT_HELD:
		if (!is_plain(group->queue_id))
			return false;
		printf("%-6s look at the oldest that is held: postcat -hq %s\n", head,
			group->queue_id);
		printf("%-6s let it go, or remove it: postsuper -H %s, postsuper -d %s\n", "",
			group->queue_id, group->queue_id);
		return true;
	default: return false;
	}
}

static void print_first_line(const struct cli_stuck_answer *answer)
{
	const struct cli_backlog_group *total = cli_backlog_total(answer->backlog);
	char overdue[CLI_SPAN_MAX], oldest[CLI_SPAN_MAX];

	if (total->count == 0) {
		puts("No recipient waits");
		return;
	}
	printf("%zu recipient%s accepted and not finished; ", total->count,
		total->count == 1 ? "" : "s");
	if (total->overdue > 0)
		printf("%zu overdue (over %s); ", total->overdue,
			cli_when_say(answer->overdue, 2, overdue));
	printf("oldest %s\n", cli_when_say(answer->now - total->oldest, 2, oldest));
}

int cli_stuck_print(const struct cli_call *call, const struct cli_stuck_answer *answer)
{
	size_t count, rows, mends = 0;
	const struct cli_backlog_group *const *groups = cli_backlog_groups(answer->backlog, &count);
	int status;

	print_first_line(answer);
	if (!answer->running)
		puts("millgate-track does not run: this is how it left it");
	if (answer->unreadable > 0)
		printf("%zu more are of another version of millgate-track\n", answer->unreadable);
	if (count == 0)
		return CLI_GOOD;
	putchar('\n');
	rows = count < ROWS_MAX ? count : ROWS_MAX;
	status = print_table(call, answer, groups, rows);
	if (status != CLI_GOOD)
		return status;
	if (rows < count)
		printf("…      %zu more groups: millgate stuck --json\n", count - rows);
	for (size_t i = 0; i < rows && mends < MENDS_MAX; i++)
		mends += print_mend(call, answer, groups[i], mends == 0 ? "Mend" : "");
	return CLI_GOOD;
}

static void add_time(struct cli_json *json, const char *name, int64_t utc)
{
	char time[32];

	mg_clock_format(time, sizeof(time), utc);
	cli_json_text(json, name, time);
}

static void add_group(struct cli_json *json, const struct cli_backlog_group *group)
{
	cli_json_item_open(json);
	cli_json_number(json, "count", (int64_t)group->count);
	cli_json_number(json, "overdue", (int64_t)group->overdue);
	add_time(json, "oldest", group->oldest);
	cli_json_text(json, "waits", wait_names[group->wait]);
	cli_json_text(json, "where", group->where);
	cli_json_text(json, "reply", group->reply);
	if (group->dsn[0] != '\0')
		cli_json_text(json, "millgate.delivery.dsn", group->dsn);
	if (group->reply_code != 0)
		cli_json_number(json, "millgate.delivery.reply.code", group->reply_code);
	if (group->queue_id[0] != '\0')
		cli_json_text(json, "email.local_id", group->queue_id);
	cli_json_close(json);
}

int cli_stuck_print_json(const struct cli_call *call, const struct cli_stuck_answer *answer)
{
	const struct cli_backlog_group *total = cli_backlog_total(answer->backlog);
	struct cli_json *json = cli_json_new();
	size_t count;
	const struct cli_backlog_group *const *groups = cli_backlog_groups(answer->backlog, &count);

	cli_json_bool(json, "running", answer->running);
	cli_json_number(json, "count", (int64_t)total->count);
	cli_json_number(json, "overdue", (int64_t)total->overdue);
	if (total->count > 0)
		add_time(json, "oldest", total->oldest);
	cli_json_number(json, "unreadable", (int64_t)answer->unreadable);
	cli_json_list_open(json, "groups");
	for (size_t i = 0; i < count; i++)
		add_group(json, groups[i]);
	cli_json_close(json);
	return cli_json_print(json, stdout) == 0 ? CLI_GOOD
						 : cli_fail(call, CLI_FAILED, "out of memory");
}
