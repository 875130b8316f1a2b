/* SPDX-License-Identifier: ISC */
/* Lines of a delivery (Postfix, log_adhoc.c), and of the programs that deliver. What stands in the
 * parentheses behind status= is a stranger's. */
#include <string.h>

#include "track/line_private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* "[0.05/0/0/0]": before the queue manager, in it, set-up of the connection, transmission. */
static bool read_delays(struct line_cursor *cursor, struct track_line *line)
{
	for (size_t i = 0; i < COUNT(line->delays); i++)
		if ((i > 0 && !LINE_SKIP(cursor, "/")) || !line_decimal(cursor, &line->delays[i]))
			return false;
	return true;
}

/* "… (in reply to RCPT TO command)" (Postfix, smtp_trouble.c). Only what stands at the very end is
 * Postfix's: another one is part of the reply. */
static void cut_reply_command(struct track_text *text, struct track_text *command)
{
	struct line_cursor cursor;
	const char *mark = memrchr(text->text, '(', text->length);

	if (mark == NULL || mark == text->text || mark[-1] != ' ')
		return;
	cursor = (struct line_cursor){.at = mark, .end = text->text + text->length};
	if (!LINE_SKIP(&cursor, "(in reply to ") ||
		(!line_rest_before(&cursor, " command)", sizeof(" command)") - 1, command) &&
			!line_rest_before(&cursor, ")", 1, command)))
		return;
	text->length = (size_t)(mark - 1 - text->text);
}

/* "host NAME[ADDRESS] said: 550 …" or "… refused to talk to me: 421 …": the reply is all that
 * follows. `said`: it was the first. */
static bool read_host(struct line_cursor *cursor, struct track_peer *host, bool *said)
{
	struct line_cursor at = *cursor;

	if (!LINE_SKIP(&at, "host ") || !line_peer(&at, host))
		return false;
	*said = LINE_SKIP(&at, " said: ");
	if (!*said && !LINE_SKIP(&at, " refused to talk to me: "))
		return false;
	*cursor = at;
	return true;
}

/* The reason of a client of SMTP or LMTP: a reply, or Postfix's own words. */
static void read_remote(struct line_cursor cursor, struct track_line *line)
{
	struct track_peer host;
	bool said;

	line->remote = read_host(&cursor, &host, &said);
	line->text = line_rest(&cursor);
	if (!line->remote)
		return;
	if (said)
		cut_reply_command(&line->text, &line->reply_command);
	cursor = line_of(line->text);
	line_reply(&cursor, line);
}

/* What stands in the parentheses, by program. */
static void read_reason(struct track_text reason, struct track_line *line)
{
	struct line_cursor cursor = line_of(reason);
	bool client = line_text_is(line->program, "smtp") || line_text_is(line->program, "lmtp");

	if (!client) {
		line->text = reason;
		if (line_text_is(line->program, "local") && LINE_SKIP(&cursor, "forwarded as ") &&
			!(line_queue_id(&cursor, &line->child) && cursor.at == cursor.end))
			line->child = (struct track_text){.text = NULL};
		return;
	}
	if (!line_text_is(line->status, "sent") && !line_text_is(line->status, "deliverable")) {
		read_remote(cursor, line);
		return;
	}
	line->text = reason;
	line_reply(&cursor, line);
	line->remote = line->reply_code != 0;
	line_queued_as(reason, &line->queued_as);
}

/* ", tls=dane/requiretls" (Postfix 3.11), ", dsn=5.1.1". */
static bool read_tls_and_dsn(struct line_cursor *cursor, struct track_line *line)
{
	if (LINE_SKIP(cursor, ", tls=")) {
		if (!LINE_UNTIL(cursor, ", dsn=", &line->tls_level))
			return false;
	} else if (!LINE_SKIP(cursor, ", dsn=")) {
		return false;
	}
	return line_enhanced(cursor, &line->dsn);
}

static bool read_delivery(struct line_cursor cursor, struct track_line *line)
{
	struct track_text reason;

	if (!LINE_SKIP(&cursor, "to=") || !line_address(&cursor, &line->to) ||
		(LINE_SKIP(&cursor, ", orig_to=") && !line_address(&cursor, &line->orig_to)) ||
		!LINE_SKIP(&cursor, ", relay=") || !line_relay(&cursor, &line->relay) ||
		(LINE_SKIP(&cursor, ", conn_use=") && !line_number(&cursor, &line->conn_use)) ||
		!LINE_SKIP(&cursor, ", delay=") || !line_decimal(&cursor, &line->delay) ||
		!LINE_SKIP(&cursor, ", delays=") || !read_delays(&cursor, line) ||
		!read_tls_and_dsn(&cursor, line) || !LINE_SKIP(&cursor, ", status=") ||
		!line_word(&cursor, &line->status) || !LINE_SKIP(&cursor, " ("))
		return false;
	line->kind = TRACK_DELIVERY;
	reason = line_rest(&cursor);
	/* A line that was cut has no parenthesis at its end. */
	if (reason.length > 0 && reason.text[reason.length - 1] == ')')
		reason.length--;
	read_reason(reason, line);
	return true;
}

bool line_delivery(struct line_cursor cursor, struct track_line *line)
{
	/* Of all recipients: the log of bounces could not be written (Postfix, bounce.c). */
	static const struct line_pattern lines[] = {
		{TRACK_NOTICE, "status=deferred (%x)", "deferred"},
		{0},
	};

	return line->queue_id.text != NULL &&
	       (read_delivery(cursor, line) || line_by_patterns(lines, cursor, line));
}

bool line_read_delivery(struct line_cursor cursor, struct track_line *line)
{
	return line_delivery(cursor, line);
}

/* What a client met on its way, of a message: "host … said: …", "lost connection with … while …"
 * (Postfix, smtp_trouble.c). The delivery line comes when all hosts were tried. */
static bool read_trouble(struct line_cursor cursor, struct track_line *line)
{
	static const struct line_pattern lines[] = {
		{TRACK_NOTICE, "lost connection with %r while %x", "lost connection"},
		{TRACK_NOTICE, "conversation with %r timed out while %x", "timeout"},
		{TRACK_NONE, "enabling PIX workarounds: %.", NULL},
		{TRACK_NONE, "breaking line > %.", NULL},
		{TRACK_NONE, "replacing server reply %.", NULL},
		{0},
	};
	struct line_cursor at = cursor;
	bool said;

	if (line->queue_id.text == NULL)
		return false;
	if (line_by_patterns(lines, cursor, line))
		return true;
	/* A delivery line that cannot be read is none of these. */
	if (LINE_SKIP(&at, "to=") || LINE_SKIP(&at, "status="))
		return false;
	line->kind = TRACK_NOTICE;
	read_host(&at, &line->relay, &said);
	read_remote(cursor, line);
	return true;
}

static bool read_session(struct line_cursor cursor, struct track_line *line)
{
	static const struct line_pattern lines[] = {
		{TRACK_NOTICE, "connect to %r: %x", "connect"},
		{TRACK_NONE, "Host offered STARTTLS: %.", NULL},
		{TRACK_NONE, "discarding EHLO keywords: %.", NULL},
		{TRACK_NONE, "server features: %.", NULL},
		{TRACK_NONE, "Using ESMTP PIPELINING%.", NULL},
		{TRACK_NOTICE, "host %r %x", "host"},
		{TRACK_NOTICE, "%r %x", "host"},
		{0},
	};

	return line->queue_id.text == NULL && line_by_patterns(lines, cursor, line);
}

bool line_read_smtp(struct line_cursor cursor, struct track_line *line)
{
	static line_reader *const readers[] = {
		line_read_delivery, line_tls, read_session, read_trouble, NULL};

	return line_by_readers(readers, cursor, line);
}
