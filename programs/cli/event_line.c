/* SPDX-License-Identifier: ISC */
#include "cli/event_line.h"

#include <inttypes.h>
#include <string.h>

#include "cli/tell.h"

/* What is said besides. */
enum detail {
	DETAIL_REASON, /* client or user, code, reason */
	DETAIL_ENVELOPE, /* sender, recipients, size */
	DETAIL_RECIPIENT, /* recipient, status code, host */
	DETAIL_KEY, /* of DKIM */
	DETAIL_OPERATOR,
	DETAIL_SESSION
};

static const struct row {
	const char *action, *word;
	enum cli_color color;
	enum detail detail;
} rows[] = {
	{"message-accepted", "accepted", CLI_PLAIN, DETAIL_ENVELOPE},
	{"message-passed", "passed", CLI_PLAIN, DETAIL_ENVELOPE},
	{"message-rejected", "rejected", CLI_RED, DETAIL_ENVELOPE},
	{"message-deferred", "refused", CLI_YELLOW, DETAIL_ENVELOPE},
	{"message-held", "held", CLI_YELLOW, DETAIL_ENVELOPE},
	{"message-tagged", "tagged", CLI_PLAIN, DETAIL_ENVELOPE},
	{"message-discarded", "discarded", CLI_RED, DETAIL_ENVELOPE},
	{"message-released", "released", CLI_PLAIN, DETAIL_ENVELOPE},
	{"message-removed", "removed", CLI_RED, DETAIL_ENVELOPE},
	{"message-unqueued", "unqueued", CLI_RED, DETAIL_ENVELOPE},
	{"message-signed", "signed", CLI_PLAIN, DETAIL_KEY},
	{"message-unsigned", "unsigned", CLI_YELLOW, DETAIL_REASON},
	{"delivery-succeeded", "delivered", CLI_GREEN, DETAIL_RECIPIENT},
	{"delivery-deferred", "deferred", CLI_YELLOW, DETAIL_RECIPIENT},
	{"delivery-failed", "bounced", CLI_RED, DETAIL_RECIPIENT},
	{"delivery-expired", "expired", CLI_RED, DETAIL_RECIPIENT},
	{"delivery-overdue", "overdue", CLI_YELLOW, DETAIL_RECIPIENT},
	{"notification-sent", "notice", CLI_PLAIN, DETAIL_REASON},
	{"filter-missed", "missed", CLI_YELLOW, DETAIL_REASON},
	{"hold-missed", "not-held", CLI_RED, DETAIL_REASON},
	{"auth-failed", "auth", CLI_RED, DETAIL_REASON},
	{"connection-lost", "lost", CLI_YELLOW, DETAIL_REASON},
	{"session-linked", "session", CLI_PLAIN, DETAIL_SESSION},
	{"limit-exceeded", "limit", CLI_YELLOW, DETAIL_REASON},
	{"limit-warned", "limit", CLI_PLAIN, DETAIL_REASON},
	{"content-matched", "matched", CLI_YELLOW, DETAIL_REASON},
	{"operator-acted", "operator", CLI_PLAIN, DETAIL_OPERATOR},
	{"filter-error", "error", CLI_RED, DETAIL_REASON},
	{"events-lost", "lost", CLI_RED, DETAIL_REASON},
	{"log-opened", "opened", CLI_PLAIN, DETAIL_REASON},
	{"config-loaded", "config", CLI_PLAIN, DETAIL_REASON},
	{"config-rejected", "config", CLI_RED, DETAIL_REASON},
};

static const struct row *row_of(const struct mg_reading *event)
{
	const char *action = mg_reading_text(event, "event.action");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].action, action) == 0)
			return &rows[i];
	return NULL;
}

const char *cli_event_word(const struct mg_reading *event, enum cli_color *color)
{
	static const char prefix[] = "delivery-";
	const struct row *row = row_of(event);
	const char *status = mg_reading_text(event, "millgate.delivery.status");

	*color = row != NULL ? row->color : CLI_PLAIN;
	if (row == NULL)
		return mg_reading_text(event, "event.action");
	/* What succeeded may be handed over, linked or discarded. */
	return strncmp(row->action, prefix, sizeof(prefix) - 1) == 0 && status[0] != '\0'
		       ? status
		       : row->word;
}

static void add_text(
	struct mg_buf *out, const struct mg_reading *event, const char *name, const char *before)
{
	const char *text = mg_reading_text(event, name);

	if (text[0] == '\0')
		return;
	mg_buf_add_text(out, before);
	cli_tell_plain(out, text);
}

static void add_code_and_reason(struct mg_buf *out, const struct mg_reading *event)
{
	cli_tell_code(out, event);
	if (mg_reading_text(event, "event.reason")[0] != '\0') {
		mg_buf_add_char(out, ' ');
		cli_tell_quote(out, mg_reading_text(event, "event.reason"));
	}
	if (mg_reading_text(event, "millgate.smtp.reply.text")[0] != '\0') {
		mg_buf_add_char(out, ' ');
		cli_tell_reply(out, event, "millgate.smtp.reply");
	}
}

static void add_envelope(struct mg_buf *out, const struct mg_reading *event)
{
	size_t count = mg_reading_count(event, "email.to.address");
	const char *sender = mg_reading_text(event, "email.sender.address");
	int64_t size;

	mg_buf_add_char(out, ' ');
	cli_tell_plain(out, sender[0] != '\0' ? sender : "<>");
	if (count == 1)
		add_text(out, event, "email.to.address", " -> ");
	else if (count > 1)
		mg_buf_add_format(out, " -> %zu recipients", count);
	if (mg_reading_number(event, "millgate.smtp.size", &size)) {
		mg_buf_add_char(out, ' ');
		cli_tell_size(out, size);
	}
	add_text(out, event, "millgate.by", " by ");
	add_code_and_reason(out, event);
}

static void add_recipient(struct mg_buf *out, const struct mg_reading *event)
{
	add_text(out, event, "millgate.delivery.recipient", " ");
	add_text(out, event, "millgate.delivery.dsn", " ");
	if (mg_reading_text(event, "destination.address")[0] != '\0' ||
		mg_reading_text(event, "destination.ip")[0] != '\0') {
		mg_buf_add_text(out, " at ");
		cli_tell_host(out, event);
	}
}

static void add_words(struct mg_buf *out, const struct mg_reading *event)
{
	static const char command[] = "millgate.operator.command";

	add_text(out, event, "user.name", " ");
	mg_buf_add_char(out, ':');
	for (size_t i = 0; i < mg_reading_count(event, command); i++) {
		mg_buf_add_char(out, ' ');
		cli_tell_plain(out, mg_reading_text_at(event, command, i, NULL));
	}
}

void cli_event_line(struct mg_buf *out, const struct mg_reading *event)
{
	const struct row *row = row_of(event);
	enum detail detail = row != NULL ? row->detail : DETAIL_REASON;
	const char *id = mg_reading_text(event, "email.local_id");

	if (id[0] == '\0')
		id = mg_reading_text(event, "millgate.session.key");
	cli_tell_plain(out, id[0] != '\0' ? id : "-");
	switch (detail) {
	case DETAIL_ENVELOPE: add_envelope(out, event); break;
	case DETAIL_RECIPIENT: add_recipient(out, event); break;
	case DETAIL_OPERATOR: add_words(out, event); break;
	case DETAIL_KEY:
		add_text(out, event, "millgate.dkim.domain", " ");
		add_text(out, event, "millgate.dkim.selector", "/");
		break;
	case DETAIL_SESSION:
		mg_buf_add_format(
			out, " %zu messages", mg_reading_count(event, "millgate.session.traces"));
		break;
	case DETAIL_REASON:
		add_text(out, event, "event.provider", " ");
		add_text(out, event, "user.name", " user ");
		add_text(out, event, "millgate.link.relation", " ");
		add_text(out, event, "millgate.link.child", " ");
		add_code_and_reason(out, event);
		break;
	}
	if (mg_reading_bool(event, "millgate.dry_run"))
		mg_buf_add_text(out, "; only logged");
}
