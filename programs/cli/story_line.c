/* SPDX-License-Identifier: ISC */
#include "cli/story_line.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/tell.h"
#include "cli/wrap.h"

enum {
	NEAR = 200,
	/* events around that are looked at */ NAMES = 3 /* attachments that are named */
};

/* What a teller works with. */
struct telling {
	const struct cli_call *call;
	const struct cli_story *story;
	const struct cli_outcome *outcome;
	size_t index;
	const struct mg_reading *event;
	struct mg_buf *out;
};

static const char *text_of(const struct telling *telling, const char *name)
{
	return mg_reading_text(telling->event, name);
}

/* --- pieces --- */

static void add_reason(const struct telling *telling, const char *before)
{
	const char *reason = text_of(telling, "event.reason");

	if (reason[0] == '\0')
		return;
	mg_buf_add_text(telling->out, before);
	cli_tell_plain(telling->out, reason);
}

/* "dora@example.net -> ann@example.org", as far as it is known. */
static void add_envelope(const struct telling *telling)
{
	const char *sender = text_of(telling, "email.sender.address");
	size_t count = mg_reading_count(telling->event, "email.to.address");

	cli_tell_plain(telling->out, sender[0] != '\0' ? sender : "<>");
	if (count == 0)
		return;
	mg_buf_add_text(telling->out, " -> ");
	if (count == 1)
		cli_tell_plain(telling->out, text_of(telling, "email.to.address"));
	else
		mg_buf_add_format(telling->out, "%zu recipients", count);
}

/* --- filters --- */

/* A file's name is quoted unless it is a plain word. */
static void add_file(const struct telling *telling, size_t index)
{
	static const char list[] = "email.attachments";
	const char *name = mg_reading_text_at(telling->event, list, index, "file.name");
	int64_t size;

	mg_buf_add_text(telling->out, ", ");
	if (name[0] == '\0')
		name = mg_reading_text_at(telling->event, list, index, "file.mime_type");
	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") ==
			strlen(name) &&
		name[0] != '\0')
		cli_tell_plain(telling->out, name);
	else
		cli_tell_quote(telling->out, name);
	if (mg_reading_number_at(telling->event, list, index, "file.size", &size)) {
		mg_buf_add_char(telling->out, ' ');
		cli_tell_size(telling->out, size);
	}
}

static bool tell_accepted(const struct telling *telling)
{
	size_t files = mg_reading_count(telling->event, "email.attachments");
	int64_t recipients = 0;

	mg_buf_add_text(telling->out, "accepted");
	if (mg_reading_number(telling->event, "millgate.smtp.recipient_count", &recipients))
		mg_buf_add_format(telling->out, ", %" PRId64 " recipient%s", recipients,
			recipients == 1 ? "" : "s");
	for (size_t i = 0; i < files && i < NAMES; i++)
		add_file(telling, i);
	if (files > NAMES)
		mg_buf_add_format(telling->out, ", %zu more files", files - NAMES);
	return true;
}

static bool tell_passed(const struct telling *telling)
{
	mg_buf_add_text(telling->out, "accepted");
	add_reason(telling, ", ");
	return true;
}

static bool tell_signed(const struct telling *telling)
{
	mg_buf_add_text(telling->out, "signed ");
	cli_tell_plain(telling->out, text_of(telling, "millgate.dkim.domain"));
	mg_buf_add_char(telling->out, '/');
	cli_tell_plain(telling->out, text_of(telling, "millgate.dkim.selector"));
	mg_buf_add_char(telling->out, ' ');
	cli_tell_plain(telling->out, text_of(telling, "millgate.dkim.algorithm"));
	return true;
}

static bool tell_unsigned(const struct telling *telling)
{
	mg_buf_add_text(telling->out, "not signed");
	add_reason(telling, ": ");
	cli_tell_code(telling->out, telling->event);
	return true;
}

static bool is_of_track(const struct telling *telling)
{
	return strcmp(text_of(telling, "event.provider"), "millgate-track") == 0;
}

/* "rejected", with the envelope where there is no message that has told it. */
static void tell_refusal(const struct telling *telling, const char *word)
{
	const char *stage = text_of(telling, "millgate.smtp.stage");
	bool whole = text_of(telling, "trace.id")[0] != '\0' && strcmp(stage, "rcpt") != 0;

	if (mg_reading_bool(telling->event, "millgate.dry_run"))
		mg_buf_add_text(telling->out, "would have ");
	mg_buf_add_text(telling->out, word);
	if (!whole) {
		mg_buf_add_char(telling->out, ' ');
		add_envelope(telling);
	}
	if (mg_reading_text(telling->event, "event.reason")[0] != '\0')
		add_reason(telling, whole ? ": " : "\n");
	cli_tell_code(telling->out, telling->event);
	if (text_of(telling, "millgate.smtp.reply.text")[0] != '\0') {
		mg_buf_add_char(telling->out, '\n');
		cli_tell_reply(telling->out, telling->event, "millgate.smtp.reply");
	}
}

static bool tell_rejected(const struct telling *telling)
{
	tell_refusal(telling, "rejected");
	return true;
}

static bool tell_refused(const struct telling *telling)
{
	tell_refusal(telling, "refused for now");
	return true;
}

static bool tell_discarded(const struct telling *telling)
{
	tell_refusal(telling, "discarded");
	return true;
}

static bool tell_tagged(const struct telling *telling)
{
	tell_refusal(telling, "tagged");
	return true;
}

static bool tell_held(const struct telling *telling)
{
	const char *code = text_of(telling, "millgate.hold.code");

	if (!is_of_track(telling)) {
		tell_refusal(telling, "held");
		return true;
	}
	mg_buf_add_text(telling->out, "by ");
	cli_tell_plain(telling->out, text_of(telling, "millgate.by"));
	if (code[0] != '\0') {
		mg_buf_add_text(telling->out, ", ");
		cli_tell_plain(telling->out, code);
	}
	add_reason(telling, ": ");
	return true;
}

static bool tell_error(const struct telling *telling)
{
	mg_buf_add_text(telling->out, "error");
	add_reason(telling, ": ");
	cli_tell_code(telling->out, telling->event);
	return true;
}

/* --- deliveries --- */

static bool is_action(const struct mg_reading *event, const char *action)
{
	return strcmp(mg_reading_text(event, "event.action"), action) == 0;
}

static bool is_failure(const struct mg_reading *event)
{
	return is_action(event, "delivery-failed") || is_action(event, "delivery-expired");
}

static bool same_queue_id(const struct mg_reading *one, const struct mg_reading *other)
{
	return strcmp(mg_reading_text(one, "email.local_id"),
		       mg_reading_text(other, "email.local_id")) == 0;
}

/* The bounce that the failure before it is told with; NULL: another failure comes between. */
static const struct mg_reading *bounce_of(const struct telling *telling)
{
	for (size_t i = telling->index + 1; i < telling->story->count && i <= telling->index + NEAR;
		i++) {
		const struct mg_reading *event = telling->story->events[i].reading;

		if (!same_queue_id(event, telling->event))
			continue;
		if (is_failure(event))
			return NULL;
		if (is_action(event, "notification-sent"))
			return event;
	}
	return NULL;
}

/* Whether a failure before this notification tells it. */
static bool is_told(const struct telling *telling)
{
	for (size_t i = telling->index; i-- > 0 && telling->index - i <= NEAR;) {
		const struct mg_reading *event = telling->story->events[i].reading;

		if (!same_queue_id(event, telling->event))
			continue;
		if (is_failure(event))
			return true;
		if (is_action(event, "notification-sent"))
			return false;
	}
	return false;
}

/* "sender told by 4jYh184tWVz1bkdW, delivered 12:49:23" */
static void add_notice(const struct telling *telling, const struct mg_reading *event)
{
	const char *queue_id = mg_reading_text(event, "millgate.link.child");
	const char *relation = mg_reading_text(event, "millgate.link.relation");
	const struct cli_notice *notice = cli_outcome_notice(telling->outcome, queue_id);

	mg_buf_add_text(telling->out,
		strcmp(relation, "postmaster-notice") == 0 ? "postmaster told" : "sender told");
	if (queue_id[0] != '\0') {
		mg_buf_add_text(telling->out, " by ");
		cli_tell_plain(telling->out, queue_id);
	}
	if (strcmp(mg_reading_text(event, "event.outcome"), "failure") == 0) {
		mg_buf_add_text(telling->out, ", which failed");
	} else if (notice != NULL && notice->utc != 0) {
		mg_buf_add_format(telling->out, ", %s ", cli_fate_word(notice->fate));
		cli_tell_clock(telling->call, telling->out, notice->utc, false);
	}
}

static void add_delivery(const struct telling *telling)
{
	const char *given = text_of(telling, "millgate.delivery.orig_recipient");
	const char *version = text_of(telling, "millgate.delivery.tls_version");

	cli_tell_plain(telling->out, text_of(telling, "millgate.delivery.recipient"));
	if (given[0] != '\0') {
		mg_buf_add_text(telling->out, " for ");
		cli_tell_plain(telling->out, given);
	}
	if (text_of(telling, "destination.address")[0] != '\0' ||
		text_of(telling, "destination.ip")[0] != '\0') {
		mg_buf_add_text(telling->out, " at ");
		cli_tell_host(telling->out, telling->event);
	} else if (text_of(telling, "millgate.delivery.service")[0] != '\0') {
		mg_buf_add_text(telling->out, " by ");
		cli_tell_plain(telling->out, text_of(telling, "millgate.delivery.service"));
	}
	if (version[0] != '\0')
		mg_buf_add_format(telling->out, " TLS" CLI_WRAP_BLANK "%s", version);
}

static void add_answer(const struct telling *telling)
{
	if (text_of(telling, "millgate.delivery.reply.text")[0] == '\0')
		return;
	mg_buf_add_char(telling->out, '\n');
	cli_tell_reply(telling->out, telling->event, "millgate.delivery.reply");
}

static bool is_notice(const struct telling *telling)
{
	return cli_outcome_notice(telling->outcome, text_of(telling, "email.local_id")) != NULL;
}

static bool tell_delivered(const struct telling *telling)
{
	double delay = mg_reading_float(telling->event, "millgate.delivery.delay_s", -1);

	if (is_notice(telling))
		return false; /* told where it was sent */
	add_delivery(telling);
	add_answer(telling);
	if (delay >= 0)
		mg_buf_add_format(telling->out, delay < 10 ? "  %.1f s" : "  %.0f s", delay);
	return true;
}

static bool tell_bounced(const struct telling *telling)
{
	const struct mg_reading *bounce = bounce_of(telling);

	add_delivery(telling);
	add_answer(telling);
	if (bounce != NULL) {
		mg_buf_add_text(telling->out, "; ");
		add_notice(telling, bounce);
	}
	return true;
}

static bool tell_deferred(const struct telling *telling)
{
	int64_t attempt;

	if (telling->story->events[telling->index].folded)
		return false;
	add_delivery(telling);
	if (mg_reading_number(telling->event, "millgate.delivery.attempt", &attempt))
		mg_buf_add_format(telling->out, ", try %" PRId64, attempt);
	add_answer(telling);
	return true;
}

static bool tell_overdue(const struct telling *telling)
{
	add_delivery(telling);
	mg_buf_add_text(telling->out, ", no end yet");
	return true;
}

static bool tell_notified(const struct telling *telling)
{
	if (is_told(telling))
		return false;
	add_notice(telling, telling->event);
	return true;
}

/* --- what Postfix and operators did --- */

static bool tell_by(const struct telling *telling)
{
	mg_buf_add_text(telling->out, "by ");
	cli_tell_plain(telling->out, text_of(telling, "millgate.by"));
	add_reason(telling, ": ");
	return true;
}

static bool tell_reason(const struct telling *telling)
{
	add_reason(telling, "");
	return true;
}

static bool tell_missing(const struct telling *telling)
{
	size_t count = mg_reading_count(telling->event, "millgate.filters.missing");

	mg_buf_add_text(telling->out, "no event of ");
	for (size_t i = 0; i < count; i++) {
		mg_buf_add_text(telling->out, i > 0 ? ", " : "");
		cli_tell_plain(telling->out,
			mg_reading_text_at(telling->event, "millgate.filters.missing", i, NULL));
	}
	return true;
}

static bool tell_auth(const struct telling *telling)
{
	const char *user = text_of(telling, "user.name");
	const char *method = text_of(telling, "millgate.smtp.auth_method");

	mg_buf_add_text(telling->out, "failed");
	if (user[0] != '\0') {
		mg_buf_add_text(telling->out, " as ");
		cli_tell_quote(telling->out, user);
	}
	if (method[0] != '\0') {
		mg_buf_add_text(telling->out, ", ");
		cli_tell_plain(telling->out, method);
	}
	if (text_of(telling, "event.reason")[0] != '\0') {
		mg_buf_add_text(telling->out, ": ");
		cli_tell_quote(telling->out, text_of(telling, "event.reason"));
	}
	return true;
}

static bool tell_lost(const struct telling *telling)
{
	const char *stage = text_of(telling, "millgate.smtp.stage");

	add_reason(telling, "");
	if (stage[0] != '\0') {
		mg_buf_add_text(telling->out, " after ");
		cli_tell_plain(telling->out, stage);
	}
	return true;
}

static bool tell_operator(const struct telling *telling)
{
	size_t count = mg_reading_count(telling->event, "millgate.operator.command");

	cli_tell_plain(telling->out, text_of(telling, "user.name"));
	mg_buf_add_char(telling->out, ':');
	for (size_t i = 0; i < count; i++) {
		mg_buf_add_char(telling->out, ' ');
		cli_tell_plain(telling->out,
			mg_reading_text_at(telling->event, "millgate.operator.command", i, NULL));
	}
	return true;
}

static bool tell_nothing(const struct telling *telling)
{
	(void)telling;
	return false;
}

static bool tell_other(const struct telling *telling)
{
	cli_tell_plain(telling->out, text_of(telling, "event.action"));
	add_reason(telling, ": ");
	return true;
}

/* --- the table --- */

struct row {
	const char *action;
	/* What stands in front; NULL: who wrote it, or of track's, millgate.by. */
	const char *who;
	enum cli_color color;
	bool (*tell)(const struct telling *telling);
};

static const struct row rows[] = {
	{"message-accepted", NULL, CLI_PLAIN, tell_accepted},
	{"message-passed", NULL, CLI_PLAIN, tell_passed},
	{"message-authenticated", NULL, CLI_PLAIN, tell_other},
	{"message-signed", NULL, CLI_PLAIN, tell_signed},
	{"message-unsigned", NULL, CLI_YELLOW, tell_unsigned},
	{"message-rejected", NULL, CLI_RED, tell_rejected},
	{"message-deferred", NULL, CLI_YELLOW, tell_refused},
	{"message-held", "held", CLI_YELLOW, tell_held},
	{"message-discarded", NULL, CLI_RED, tell_discarded},
	{"message-tagged", NULL, CLI_PLAIN, tell_tagged},
	{"delivery-succeeded", "delivered", CLI_GREEN, tell_delivered},
	{"delivery-deferred", "deferred", CLI_YELLOW, tell_deferred},
	{"delivery-failed", "bounced", CLI_RED, tell_bounced},
	{"delivery-expired", "expired", CLI_RED, tell_bounced},
	{"delivery-overdue", "overdue", CLI_YELLOW, tell_overdue},
	{"notification-sent", "notice", CLI_PLAIN, tell_notified},
	{"message-released", "released", CLI_PLAIN, tell_by},
	{"message-removed", "removed", CLI_RED, tell_by},
	{"message-unqueued", "not queued", CLI_RED, tell_reason},
	{"filter-missed", "missed", CLI_YELLOW, tell_missing},
	{"hold-missed", "not held", CLI_RED, tell_reason},
	{"auth-failed", "auth", CLI_RED, tell_auth},
	{"connection-lost", "postfix", CLI_YELLOW, tell_lost},
	{"session-linked", "postfix", CLI_PLAIN, tell_nothing},
	{"filter-error", NULL, CLI_RED, tell_error},
	{"operator-acted", "operator", CLI_PLAIN, tell_operator},
};
static const struct row other = {NULL, NULL, CLI_PLAIN, tell_other};

static const struct row *row_of(const struct mg_reading *event)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_action(event, rows[i].action))
			return &rows[i];
	return &other;
}

/* How a delivery that succeeded is called: it may be no delivery at all. */
static const char *status_word(const struct mg_reading *event)
{
	static const struct {
		const char *status, *word;
	} words[] = {{"handed-over", "handed over"}, {"linked", "handed on"},
		{"discarded", "discarded"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(mg_reading_text(event, "millgate.delivery.status"), words[i].status) ==
			0)
			return words[i].word;
	return "delivered";
}

static const char *who_of(const struct telling *telling, const struct row *row)
{
	static const char prefix[] = "millgate-";
	const char *provider = text_of(telling, "event.provider");

	if (row->tell == tell_delivered)
		return status_word(telling->event);
	if (is_notice(telling) && row->tell != tell_notified)
		return "notice";
	if (is_of_track(telling))
		return row->who != NULL ? row->who : text_of(telling, "millgate.by");
	if (row->who != NULL && row->tell != tell_held)
		return row->who;
	return strncmp(provider, prefix, sizeof(prefix) - 1) == 0 ? provider + sizeof(prefix) - 1
								  : provider;
}

bool cli_story_line(const struct cli_call *call, const struct cli_story *story,
	const struct cli_outcome *outcome, size_t index, struct cli_story_line *line)
{
	const struct mg_reading *event = story->events[index].reading;
	struct telling telling = {call, story, outcome, index, event, &line->text};
	const struct row *row = row_of(event);
	const char *who = who_of(&telling, row);
	int64_t duration;

	*line = (struct cli_story_line){.color = row->color, .milliseconds = -1};
	mg_str_printable(line->who, sizeof(line->who), who, strlen(who));
	line->seconds = strcmp(story->events[index].log, "track") == 0;
	if (!line->seconds && mg_reading_number(event, "event.duration", &duration))
		line->milliseconds = (double)duration / (double)MG_MILLISECOND;
	return row->tell(&telling);
}
