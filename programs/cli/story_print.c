/* SPDX-License-Identifier: ISC */
#include "cli/story_print.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/postfix.h"
#include "cli/screen.h"
#include "cli/story_line.h"
#include "cli/tell.h"
#include "cli/wrap.h"

enum {
	HEAD = 9, /* columns of "Message  " */
	WHO = 14, /* column of who did it */
	TEXT = 25, /* of what was done */
	WORK = 75 /* where the milliseconds of a filter end */
};

struct printing {
	const struct cli_call *call;
	FILE *stream;
	const struct cli_story *story;
	const struct cli_outcome *outcome;
	int64_t now;
	bool color;
};

/* Begins a colour, or ends it with CLI_PLAIN. */
static void put_color(const struct printing *printing, enum cli_color color)
{
	static const char *const codes[] = {[CLI_PLAIN] = "\033[0m",
		[CLI_GREEN] = "\033[32m",
		[CLI_YELLOW] = "\033[33m",
		[CLI_RED] = "\033[31m"};

	if (printing->color)
		fputs(codes[color], printing->stream);
}

/* --- line 1 --- */

static void add_capital(struct mg_buf *out, const char *word)
{
	mg_buf_add_char(out, (char)toupper((unsigned char)word[0]));
	mg_buf_add_text(out, word + 1);
}

/* "1 bounced, 2 delivered of 3 recipients" */
static void sum_up(struct mg_buf *out, const struct cli_outcome *outcome)
{
	const char *comma = "";

	if (outcome->count == 1) {
		add_capital(out, cli_fate_word(outcome->recipients[0].fate));
		mg_buf_add_text(out, ": ");
		cli_tell_plain(out, outcome->recipients[0].address);
		return;
	}
	for (size_t i = 0; i < CLI_FATE_COUNT; i++)
		if (outcome->fates[i] > 0) {
			mg_buf_add_format(out, "%s%zu %s", comma, outcome->fates[i],
				cli_fate_word((enum cli_fate)i));
			comma = ", ";
		}
	mg_buf_add_format(out, " of %zu recipients", outcome->count);
}

static void add_times(struct mg_buf *out, size_t count)
{
	if (count == 1)
		mg_buf_add_text(out, "once");
	else
		mg_buf_add_format(out, "%zu times", count);
}

/* Which rule, or what was answered. */
static void add_why(struct mg_buf *out, const struct mg_reading *event)
{
	const char *rule = mg_reading_text(event, "rule.name");

	if (rule[0] != '\0') {
		mg_buf_add_text(out, ": rule ");
		cli_tell_quote(out, rule);
	} else if (mg_reading_text(event, "millgate.smtp.reply.text")[0] != '\0') {
		mg_buf_add_text(out, ": ");
		cli_tell_reply(out, event, "millgate.smtp.reply");
	} else if (mg_reading_text(event, "event.reason")[0] != '\0') {
		mg_buf_add_text(out, ": ");
		cli_tell_plain(out, mg_reading_text(event, "event.reason"));
	}
	cli_tell_code(out, event);
}

static void add_stage(struct mg_buf *out, const struct mg_reading *event)
{
	static const char end[] = "end of message";
	const char *stage = mg_reading_text(event, "millgate.smtp.stage");

	if (stage[0] == '\0')
		return;
	mg_buf_add_text(out, " at ");
	if (strcmp(stage, "eom") == 0) {
		mg_buf_add_text(out, end);
		return;
	}
	for (; *stage != '\0'; stage++)
		mg_buf_add_char(out, (char)toupper((unsigned char)*stage));
}

/* Of a session that came to no message. */
static void sum_up_session(struct mg_buf *out, const struct cli_outcome *outcome)
{
	if (outcome->refused > 0) {
		const struct mg_reading *event = outcome->refusal->reading;

		add_capital(out, cli_fate_word(cli_outcome_worst(outcome)));
		add_stage(out, event);
		mg_buf_add_text(out, ", ");
		add_times(out, outcome->refused);
		add_why(out, event);
	} else if (outcome->auth_failed > 0) {
		mg_buf_add_text(out, "Log-in failed, ");
		add_times(out, outcome->auth_failed);
	} else {
		mg_buf_add_text(out, "A session without a message");
	}
}

static void add_next_try(struct printing *printing, struct mg_buf *out)
{
	const struct cli_outcome *outcome = printing->outcome;
	int64_t next;

	if (outcome->fates[CLI_FATE_DEFERRED] + outcome->fates[CLI_FATE_OVERDUE] == 0 ||
		outcome->tried == 0)
		return;
	next = cli_postfix_next_try(outcome->begun, outcome->tried);
	if (next <= printing->now) {
		mg_buf_add_text(out, "; next try is due");
		return;
	}
	mg_buf_add_text(out, "; next try about ");
	cli_tell_clock(printing->call, out, next, false);
	out->length -= 3; /* to the minute */
	out->data[out->length] = '\0';
}

static void print_sum(struct printing *printing)
{
	const struct cli_outcome *outcome = printing->outcome;
	enum cli_fate worst = cli_outcome_worst(outcome);
	struct mg_buf out = {0};

	if (outcome->hold_missed)
		mg_buf_add_text(&out, "Not held, as a filter wanted: ");
	if (outcome->count == 0)
		sum_up_session(&out, outcome);
	else
		sum_up(&out, outcome);
	if (outcome->count > 0 && outcome->refusal != NULL &&
		(worst == CLI_FATE_REJECTED || worst == CLI_FATE_REFUSED)) {
		add_stage(&out, outcome->refusal->reading);
		add_why(&out, outcome->refusal->reading);
	}
	if (outcome->fates[CLI_FATE_HELD] > 0 && outcome->hold != NULL)
		add_why(&out, outcome->hold->reading);
	add_next_try(printing, &out);
	if (outcome->filter_missed)
		mg_buf_add_text(&out, "; a filter did not see it");
	if (outcome->fates[CLI_FATE_UNTRACKED] > 0)
		mg_buf_add_text(&out, "; no log of millgate-track tells its delivery");
	put_color(printing, outcome->hold_missed ? CLI_RED : cli_fate_color(worst));
	cli_wrap_print(printing->stream, 0, mg_buf_text(&out));
	put_color(printing, CLI_PLAIN);
	fputc('\n', printing->stream);
	mg_buf_free(&out);
}

/* --- the message --- */

static void print_head(const struct printing *printing, const char *name, struct mg_buf *text)
{
	if (text->length > 0) {
		fprintf(printing->stream, "%-*s", HEAD, name);
		cli_wrap_print(printing->stream, HEAD, mg_buf_text(text));
		fputc('\n', printing->stream);
	}
	mg_buf_free(text);
}

static void print_message(const struct printing *printing, const struct mg_reading *event)
{
	const char *id = mg_reading_text(event, "email.message_id");
	const char *subject = mg_reading_text(event, "email.subject");
	struct mg_buf out = {0};
	int64_t size;

	if (id[0] != '\0') {
		mg_buf_add_char(&out, '<');
		cli_tell_plain(&out, id);
		mg_buf_add_char(&out, '>');
	}
	if (subject[0] != '\0') {
		mg_buf_add_text(&out, out.length > 0 ? "  " : "");
		cli_tell_quote(&out, subject);
	}
	if (mg_reading_number(event, "millgate.smtp.size", &size)) {
		mg_buf_add_text(&out, out.length > 0 ? "  " : "");
		cli_tell_size(&out, size);
	}
	print_head(printing, "Message", &out);
}

static void print_sender(const struct printing *printing, const struct mg_reading *event)
{
	const char *sender = mg_reading_text(event, "email.sender.address");
	size_t authors = mg_reading_count(event, "email.from.address");
	struct mg_buf out = {0};

	cli_tell_plain(&out, sender[0] != '\0' ? sender : "<>");
	if (authors > 0) {
		while (out.length < 32)
			mg_buf_add_char(&out, ' ');
		mg_buf_add_text(&out, " author");
		for (size_t i = 0; i < authors && i < 3; i++) {
			mg_buf_add_text(&out, i > 0 ? ", " : " ");
			cli_tell_plain(
				&out, mg_reading_text_at(event, "email.from.address", i, NULL));
		}
	}
	print_head(printing, "Sender", &out);
}

/* "203.0.113.5:39204 app1.acme.example, user acme-app, TLS 1.3", and where it stands. */
static void add_client(struct mg_buf *out, const struct mg_reading *event)
{
	const char *key = mg_reading_text(event, "millgate.session.key");
	const char *domain = mg_reading_text(event, "source.domain");
	const char *user = mg_reading_text(event, "user.name");
	const char *version = mg_reading_text(event, "tls.version");

	cli_tell_plain(out, key[0] != '\0' ? key : mg_reading_text(event, "source.ip"));
	if (domain[0] != '\0') {
		mg_buf_add_char(out, ' ');
		cli_tell_plain(out, domain);
	}
	if (user[0] != '\0') {
		mg_buf_add_text(out, ", user ");
		cli_tell_plain(out, user);
	}
	if (version[0] != '\0') {
		mg_buf_add_text(out, ", TLS" CLI_WRAP_BLANK);
		cli_tell_plain(out, version);
	} else if (mg_reading_count(event, "tls.established") > 0) {
		mg_buf_add_text(out, ", no TLS");
	}
}

static void add_place(struct mg_buf *out, const struct mg_reading *event, const char *before)
{
	static const struct {
		const char *name, *word;
	} places[] = {{"email.direction", ""}, {"organization.id", "tenant "}};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *text = mg_reading_text(event, places[i].name);

		if (text[0] == '\0')
			continue;
		mg_buf_add_text(out, before);
		mg_buf_add_text(out, places[i].word);
		cli_tell_plain(out, text);
		before = ", ";
	}
	if (mg_reading_text(event, "tags")[0] != '\0') {
		mg_buf_add_text(out, before);
		cli_tell_plain(out, mg_reading_text(event, "tags"));
	}
}

static void print_client(const struct printing *printing, const struct mg_reading *event)
{
	struct mg_buf out = {0};

	if (mg_reading_bool(event, "millgate.local"))
		mg_buf_add_text(&out, "local: sendmail(1), or Postfix itself");
	else
		add_client(&out, event);
	add_place(&out, event, "\n");
	print_head(printing, "Client", &out);
}

/* --- the time line --- */

/* "2026-11-24 +01:00" of a time. */
static void add_day(const struct printing *printing, struct mg_buf *out, int64_t utc)
{
	char text[CLI_TIME_MAX];

	cli_screen_time(printing->call, utc, text);
	mg_buf_add_format(out, "%.10s %s", text, strrchr(text, ' ') + 1);
}

static void print_day(const struct printing *printing, int64_t utc, const struct mg_reading *client)
{
	struct mg_buf out = {0};

	add_day(printing, &out, utc);
	if (client != NULL) {
		mg_buf_add_text(&out, ", client ");
		add_client(&out, client);
		add_place(&out, client, ", ");
	}
	fputc('\n', printing->stream);
	cli_wrap_print(printing->stream, 0, mg_buf_text(&out));
	fputc('\n', printing->stream);
	mg_buf_free(&out);
}

static void print_line(
	const struct printing *printing, int64_t utc, const struct cli_story_line *line)
{
	struct mg_buf head = {0};
	char work[32];
	size_t column;

	cli_tell_clock(printing->call, &head, utc, !line->seconds);
	fprintf(printing->stream, "%-*s", WHO, mg_buf_text(&head));
	mg_buf_free(&head);
	put_color(printing, line->color);
	fputs(line->who, printing->stream);
	put_color(printing, CLI_PLAIN);
	column = WHO + cli_wrap_width(line->who);
	fprintf(printing->stream, "%*s", column < TEXT ? (int)(TEXT - column) : 1, "");
	column = cli_wrap_print(printing->stream, TEXT, mg_buf_text(&line->text));
	if (line->milliseconds >= 0) {
		mg_str_format(work, sizeof(work), "%.1f ms", line->milliseconds);
		if (column + 2 + strlen(work) <= WORK)
			fprintf(printing->stream, "%*s", (int)(WORK - column), work);
		else
			fprintf(printing->stream, "  %s", work);
	}
	fputc('\n', printing->stream);
}

/* The client that a session's events tell; NULL none. */
static const struct mg_reading *client_of(const struct cli_story *story)
{
	for (size_t i = 0; i < story->count; i++)
		if (mg_reading_text(story->events[i].reading, "source.ip")[0] != '\0')
			return story->events[i].reading;
	return NULL;
}

static void print_lines(const struct printing *printing, const struct mg_reading *message)
{
	const struct cli_story *story = printing->story;
	const struct mg_reading *client = message == NULL ? client_of(story) : NULL;
	int64_t day = -1;

	for (size_t i = 0; i < story->count; i++) {
		int64_t utc = story->events[i].utc, midnight;
		struct cli_story_line line;

		if (cli_story_line(printing->call, story, printing->outcome, i, &line)) {
			midnight = cli_screen_midnight(printing->call, utc);
			if (midnight != day)
				print_day(printing, utc, day < 0 ? client : NULL);
			day = midnight;
			print_line(printing, utc, &line);
		}
		mg_buf_free(&line.text);
	}
	if (story->cut)
		fprintf(printing->stream, "… more than %d events: --events --json\n",
			CLI_STORY_EVENTS);
}

/* --- mend --- */

enum { MENDS_MAX = 5, MEND_MAX = 400 };

/* Commands to paste, each once. */
struct mends {
	char list[MENDS_MAX][MEND_MAX];
	size_t count;
};

static void add_mend(struct mends *mends, const char *format, const char *value)
	__attribute__((format(printf, 2, 0)));
static void add_mend(struct mends *mends, const char *format, const char *value)
{
	char *mend = mends->list[mends->count];

	/* What is pasted into a shell is made of plain words alone. */
	if (mends->count == MENDS_MAX || value[0] == '\0' ||
		strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") !=
			strlen(value) ||
		value[0] == '-' || !mg_str_format(mend, MEND_MAX, format, value))
		return;
	for (size_t i = 0; i < mends->count; i++)
		if (strcmp(mends->list[i], mend) == 0)
			return;
	mends->count++;
}

static void print_mends(const struct printing *printing)
{
	const struct cli_outcome *outcome = printing->outcome;
	struct mends mends = {.count = 0};

	for (size_t i = 0; i < outcome->count; i++) {
		const struct cli_recipient *recipient = &outcome->recipients[i];

		if (recipient->last == NULL)
			continue;
		if (recipient->fate == CLI_FATE_DEFERRED || recipient->fate == CLI_FATE_OVERDUE)
			add_mend(&mends, "postqueue -i %s",
				mg_reading_text(recipient->last->reading, "email.local_id"));
		if (recipient->fate == CLI_FATE_BOUNCED)
			add_mend(&mends,
				"millgate events --since 1d --action delivery-failed --host %s",
				mg_reading_text(recipient->last->reading, "destination.domain"));
	}
	if (outcome->fates[CLI_FATE_HELD] > 0)
		add_mend(&mends, "sudo postsuper -H %s",
			mg_reading_text(outcome->hold->reading, "email.local_id"));
	if (outcome->refusal != NULL)
		add_mend(&mends, "millgate events --since 7d --code %s",
			mg_reading_text(outcome->refusal->reading, "event.code"));
	for (size_t i = 0; i < mends.count; i++)
		fprintf(printing->stream, "%-6s %s\n", i == 0 ? "Mend" : "", mends.list[i]);
}

void cli_story_print(const struct cli_call *call, FILE *stream, const struct cli_story *story,
	const struct cli_outcome *outcome, int64_t now)
{
	struct printing printing = {call, stream, story, outcome, now, cli_screen_color(call)};
	const struct mg_reading *message =
		story->trace_id[0] != '\0' ? cli_story_message(story) : NULL;

	print_sum(&printing);
	if (message != NULL) {
		fputc('\n', stream);
		print_message(&printing, message);
		print_sender(&printing, message);
		print_client(&printing, message);
	}
	print_lines(&printing, message);
	print_mends(&printing);
}
