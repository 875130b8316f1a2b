/* SPDX-License-Identifier: ISC */
#include "cli/events.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/event_line.h"
#include "cli/screen.h"
#include "cli/settings.h"
#include "cli/tell.h"
#include "cli/when.h"
#include "cli/wrap.h"
#include "event/logs.h"
#include "event/reading.h"

enum { FIELD_SIZE = 128, LIMIT_MAX = 100000, OFFSET_COLUMN = 13, TIME_WIDTH = 20, WORD_WIDTH = 10 };

/* What an event must be; NULL any. */
struct wanted {
	const char *action, *code, *user, *host, *tenant, *glob;
	char field[FIELD_SIZE]; /* of glob */
	bool would;
	int64_t since, until;
};

struct listing {
	const struct cli_call *call;
	struct wanted wanted;
	int64_t day, now; /* the day that was said last: its begin */
	bool color, cut, offset_said;
	/* The newest lines while the end is not reached; NULL: no limit. */
	char **kept;
	size_t limit, count;
};

/* --- which --- */

static bool has(const struct mg_reading *event, const char *name, const char *text)
{
	for (size_t i = 0; i < mg_reading_count(event, name); i++)
		if (mg_str_equal_nocase(mg_reading_text_at(event, name, i, NULL), text))
			return true;
	return false;
}

static bool has_host(const struct mg_reading *event, const char *host)
{
	static const char *const names[] = {"destination.domain", "destination.address",
		"destination.ip", "source.domain", "source.address", "source.ip"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (has(event, names[i], host))
			return true;
	return false;
}

/* A value of the field: text, number, or yes and no as in JSON. */
static bool fits_glob(const struct mg_reading *event, const char *field, const char *glob)
{
	char number[32];
	int64_t whole;
	double real;

	for (size_t i = 0; i < mg_reading_count(event, field); i++) {
		const char *text = mg_reading_text_at(event, field, i, NULL);

		if (text[0] != '\0' && fnmatch(glob, text, FNM_CASEFOLD) == 0)
			return true;
	}
	real = mg_reading_float(event, field, -1);
	if (mg_reading_number(event, field, &whole))
		mg_str_format(number, sizeof(number), "%" PRId64, whole);
	else if (real >= 0)
		mg_str_format(number, sizeof(number), "%g", real);
	else if (mg_reading_count(event, field) > 0 && mg_reading_text(event, field)[0] == '\0')
		mg_str_copy(
			number, sizeof(number), mg_reading_bool(event, field) ? "true" : "false");
	else
		return false;
	return fnmatch(glob, number, 0) == 0;
}

/* "bounced" for "delivery-failed". */
static bool is_action(const struct mg_reading *event, const char *action)
{
	enum cli_color color;

	return has(event, "event.action", action) ||
	       strcmp(cli_event_word(event, &color), action) == 0;
}

static bool fits(const struct wanted *wanted, const struct mg_reading *event)
{
	/* The link of each session is for joining; who wants it asks for it. */
	if (wanted->action != NULL ? !is_action(event, wanted->action)
				   : has(event, "event.action", "session-linked"))
		return false;
	return (wanted->code == NULL || has(event, "event.code", wanted->code)) &&
	       (wanted->user == NULL || has(event, "user.name", wanted->user)) &&
	       (wanted->tenant == NULL || has(event, "organization.id", wanted->tenant)) &&
	       (wanted->host == NULL || has_host(event, wanted->host)) &&
	       (!wanted->would || mg_reading_bool(event, "millgate.dry_run")) &&
	       (wanted->glob == NULL || fits_glob(event, wanted->field, wanted->glob));
}

/* Cheap, before the line is taken apart: most lines have nothing of it. */
static bool may_fit(const struct wanted *wanted, const struct mg_logs_event *found)
{
	const char *const texts[] = {wanted->code, wanted->user, wanted->tenant, wanted->host,
		wanted->would ? "\"dry_run\":true" : NULL};

	if (found->utc > wanted->until)
		return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		/* What is escaped in a line cannot be looked for in it. */
		if (texts[i] != NULL && strpbrk(texts[i], "\\\"") == NULL &&
			strcasestr(found->line, texts[i]) == NULL)
			return false;
	return true;
}

/* --- printing --- */

/* The text behind the word, cut to the line of a terminal. */
static void add_rest(const struct listing *listing, struct mg_buf *line, struct mg_buf *text)
{
	size_t room = CLI_COLUMNS - TIME_WIDTH - WORD_WIDTH - 1, at = 0;

	for (size_t i = 0; i < text->length; i++)
		if (text->data[i] == CLI_WRAP_BLANK[0])
			text->data[i] = ' ';
	if (!listing->cut || cli_wrap_width(mg_buf_text(text)) <= room) {
		mg_buf_add(line, text->data, text->length);
		return;
	}
	for (size_t column = 0; column < room - 1; column++)
		at += mg_str_utf8_length(text->data + at, text->length - at);
	/* A name is not cut in its middle. */
	at += strcspn(text->data + at, " ");
	mg_buf_add(line, text->data, at);
	if (at < text->length)
		mg_buf_add_text(line, " …");
}

static void add_color(const struct listing *listing, struct mg_buf *line, const char *code)
{
	if (listing->color)
		mg_buf_add_text(line, code);
}

/* "12:49:20.541 +01:00", the offset once. */
static void add_time(
	struct listing *listing, struct mg_buf *line, const struct mg_logs_event *found)
{
	size_t begin = line->length;
	char time[CLI_TIME_MAX];

	cli_tell_clock(listing->call, line, found->utc, strcmp(found->name, "track") != 0);
	while (line->length < begin + OFFSET_COLUMN)
		mg_buf_add_char(line, ' ');
	if (!listing->offset_said)
		mg_buf_add_text(
			line, strrchr(cli_screen_time(listing->call, found->utc, time), ' ') + 1);
	listing->offset_said = true;
	while (line->length < begin + TIME_WIDTH)
		mg_buf_add_char(line, ' ');
}

/* A line of its own for a day that is not today, and for each that begins. */
static void add_day(struct listing *listing, struct mg_buf *line, int64_t utc)
{
	int64_t midnight = cli_screen_midnight(listing->call, utc);
	char time[CLI_TIME_MAX];

	if (midnight != listing->day)
		mg_buf_add_format(line, "%.10s\n", cli_screen_time(listing->call, utc, time));
	listing->day = midnight;
}

static void add_event(struct listing *listing, struct mg_buf *line,
	const struct mg_logs_event *found, const struct mg_reading *event)
{
	static const char *const codes[] = {
		[CLI_GREEN] = "\033[32m", [CLI_YELLOW] = "\033[33m", [CLI_RED] = "\033[31m"};
	struct mg_buf text = {0};
	enum cli_color color;
	char word[32];
	const char *shown = cli_event_word(event, &color);

	mg_str_printable(word, sizeof(word), shown, strlen(shown));
	add_day(listing, line, found->utc);
	add_time(listing, line, found);
	add_color(listing, line, codes[color] != NULL ? codes[color] : "");
	mg_buf_add_text(line, word);
	add_color(listing, line, codes[color] != NULL ? "\033[0m" : "");
	mg_buf_add_format(
		line, "%*s", strlen(word) < WORD_WIDTH ? (int)(WORD_WIDTH - strlen(word)) : 1, "");
	cli_event_line(&text, event);
	add_rest(listing, line, &text);
	mg_buf_free(&text);
}

/* Keeps a line among the newest, or prints it. */
static int put(struct listing *listing, const struct mg_buf *line)
{
	char **place;

	if (listing->kept == NULL)
		return puts(mg_buf_text(line)) == EOF ? -1 : 0;
	place = &listing->kept[listing->count++ % listing->limit];
	free(*place);
	*place = strdup(mg_buf_text(line));
	return *place == NULL ? -1 : 0;
}

/* Says the offset in the first line, which was not known to be that. */
static void say_offset(const struct listing *listing, char *line)
{
	char *start = strrchr(line, '\n'), time[CLI_TIME_MAX];

	start = start != NULL ? start + 1 : line;
	cli_screen_time(listing->call, listing->now, time);
	if (strlen(start) > TIME_WIDTH)
		memcpy(start + OFFSET_COLUMN, strrchr(time, ' ') + 1, strlen("+01:00"));
}

static void free_kept(struct listing *listing)
{
	for (size_t i = 0; listing->kept != NULL && i < listing->limit; i++)
		free(listing->kept[i]);
	free(listing->kept);
	listing->kept = NULL;
}

static void flush_kept(struct listing *listing)
{
	size_t first = listing->count > listing->limit ? listing->count - listing->limit : 0;

	if (listing->kept == NULL)
		return;
	if (listing->count > 0 && !listing->call->json)
		say_offset(listing, listing->kept[first % listing->limit]);
	for (size_t i = first; i < listing->count; i++)
		puts(listing->kept[i % listing->limit]);
	free_kept(listing);
}

static int take(struct listing *listing, const struct mg_logs_event *found)
{
	struct mg_reading *event = mg_reading_new(found->line, found->length);
	struct mg_buf line = {0};
	int result = 0;

	if (event != NULL && fits(&listing->wanted, event)) {
		if (listing->call->json)
			mg_buf_add(&line, found->line, found->length);
		else
			add_event(listing, &line, found, event);
		result = line.failed ? -1 : put(listing, &line);
	}
	mg_buf_free(&line);
	mg_reading_free(event);
	return result;
}

/* --- the command --- */

static int read_limit(struct listing *listing)
{
	const char *text = cli_value(listing->call, "limit");
	char shown[64];
	uint64_t number;

	if (text == NULL)
		return CLI_GOOD;
	if (!mg_str_number(text, LIMIT_MAX, &number) || number == 0)
		return cli_fail(listing->call, CLI_USAGE,
			"--limit \"%s\"; expected a number, 1 to %d",
			mg_str_printable(shown, sizeof(shown), text, strlen(text)), LIMIT_MAX);
	listing->limit = number;
	listing->offset_said = true; /* of the first that is left, at the end */
	listing->kept = calloc(number, sizeof(*listing->kept));
	return listing->kept != NULL ? CLI_GOOD
				     : cli_fail(listing->call, CLI_FAILED, "out of memory");
}

static int read_where(struct listing *listing)
{
	const char *text = cli_value(listing->call, "where");
	const char *equals = text != NULL ? strchr(text, '=') : NULL;
	char shown[64];

	if (text == NULL)
		return CLI_GOOD;
	if (equals == NULL || equals == text || equals - text >= FIELD_SIZE)
		return cli_fail(listing->call, CLI_USAGE,
			"--where \"%s\"; expected FIELD=GLOB, as event.code=payment-*",
			mg_str_printable(shown, sizeof(shown), text, strlen(text)));
	mg_str_format(listing->wanted.field, FIELD_SIZE, "%.*s", (int)(equals - text), text);
	listing->wanted.glob = equals + 1;
	return CLI_GOOD;
}

static int read_options(struct listing *listing)
{
	const struct cli_call *call = listing->call;
	struct wanted *wanted = &listing->wanted;
	int status = cli_when_option(call, "since", listing->now, &wanted->since);

	wanted->action = cli_value(call, "action");
	wanted->code = cli_value(call, "code");
	wanted->user = cli_value(call, "user");
	wanted->host = cli_value(call, "host");
	wanted->tenant = cli_value(call, "tenant");
	wanted->would = cli_given(call, "would");
	wanted->until = INT64_MAX;
	if (status == CLI_GOOD && cli_given(call, "until"))
		status = cli_when_option(call, "until", listing->now, &wanted->until);
	if (status == CLI_GOOD)
		status = read_where(listing);
	return status == CLI_GOOD ? read_limit(listing) : status;
}

static int list(struct listing *listing, struct mg_logs *logs)
{
	bool follow = cli_given(listing->call, "follow");
	struct mg_logs_event found;
	struct mg_error error;
	int got;

	for (;;) {
		while ((got = mg_logs_next(logs, &found, &error)) > 0)
			if (may_fit(&listing->wanted, &found) && take(listing, &found) != 0)
				return cli_fail(listing->call, CLI_FAILED,
					"cannot write, or out of memory");
		if (got < 0)
			return cli_settings_unreadable(listing->call, &error);
		flush_kept(listing);
		if (!follow)
			return CLI_GOOD;
		if (fflush(stdout) != 0)
			return CLI_FAILED;
		mg_logs_wait(logs, MG_SECOND);
	}
}

int cli_events(const struct cli_call *call)
{
	struct listing listing = {.call = call,
		.now = mg_clock_system.utc(&mg_clock_system),
		.color = cli_screen_color(call),
		.cut = isatty(STDOUT_FILENO)};
	struct cli_settings settings = {.dkim = NULL};
	struct mg_logs *logs = NULL;
	struct mg_error error;
	int status = read_options(&listing);

	listing.day = cli_screen_midnight(call, listing.now);
	if (status == CLI_GOOD)
		status = cli_settings_read_common(call, &settings);
	if (status == CLI_GOOD) {
		logs = mg_logs_open(
			settings.operator_log.directory, NULL, listing.wanted.since, &error);
		status =
			logs != NULL ? list(&listing, logs) : cli_settings_unreadable(call, &error);
	}
	mg_logs_close(logs);
	free_kept(&listing);
	cli_settings_free(&settings);
	return status;
}
