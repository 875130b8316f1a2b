/* SPDX-License-Identifier: ISC */
/* Lines of the programs around the queue: cleanup, pickup, qmgr, bounce, postsuper. */
#include <string.h>

#include "track/line_private.h"

/* Whether text is "ID: …" of a message. */
static bool of_message(const struct track_line *line)
{
	return line->queue_id.text != NULL;
}

/* "message-id=<…>": the value is a header's, all that follows. */
static bool read_message_id(struct line_cursor cursor, struct track_line *line)
{
	if (LINE_SKIP(&cursor, "resent-"))
		line->word = line_constant("resent");
	if (!LINE_SKIP(&cursor, "message-id="))
		return false;
	line->kind = TRACK_MESSAGE_ID;
	line->message_id = line_rest(&cursor);
	if (line->message_id.length >= 2 && line->message_id.text[0] == '<' &&
		line->message_id.text[line->message_id.length - 1] == '>') {
		line->message_id.text++;
		line->message_id.length -= 2;
	}
	return true;
}

static bool read_cleanup_lines(struct line_cursor cursor, struct track_line *line)
{
	static const struct line_pattern lines[] = {
		/* Postfix 3.10: the message was refused, or discarded, after it had a queue id. */
		{TRACK_REMOVED, "removed (canceled)", "canceled"},
		{TRACK_REMOVED, "removed (discarded)", "discarded"},
		{0},
	};

	return line_by_patterns(lines, cursor, line);
}

/* "5.7.1 TEXT": cleanup tells a refusal without the code of the reply. */
static void take_enhanced(struct track_line *line)
{
	struct line_cursor rule;

	if (line->kind != TRACK_REFUSAL || line->text.text == NULL || line->dsn.text != NULL)
		return;
	rule = line_of(line->text);
	if (!line_enhanced(&rule, &line->dsn))
		return;
	LINE_SKIP(&rule, " ");
	line->text = line_rest(&rule);
}

/* "milter-reject: END-OF-MESSAGE from CLIENT: TEXT; from=<…> …". */
static bool read_milter(struct line_cursor cursor, struct track_line *line)
{
	struct line_cursor word = cursor;

	if ((!LINE_SKIP(&word, "milter-reject: ") && !LINE_SKIP(&word, "milter-hold: ") &&
		    !LINE_SKIP(&word, "milter-discard: ")) ||
		!line_command(cursor, line))
		return false;
	take_enhanced(line);
	return true;
}

/* Where the message came from, at the end of "CONTENT from CLIENT" or "CONTENT from local"; CONTENT
 * may end in the same words. */
static void cut_origin(struct track_text *content, struct track_peer *client)
{
	static const char mark[] = " from";
	const char *blank = memrchr(content->text, ' ', content->length);
	struct line_cursor origin;

	if (blank == NULL || (size_t)(blank - content->text) < sizeof(mark) - 1 ||
		memcmp(blank - (sizeof(mark) - 1), mark, sizeof(mark) - 1) != 0)
		return;
	origin = (struct line_cursor){.at = blank + 1, .end = content->text + content->length};
	if (line_peer(&origin, client) && origin.at < origin.end)
		*client = (struct track_peer){.port = 0};
	content->length = (size_t)(blank - (sizeof(mark) - 1) - content->text);
}

/* "hold: header NAME: VALUE from CLIENT; from=<…> … helo=<…>: RULE" of header and body checks
 * (Postfix, cleanup_message.c), "milter-header-hold: header …" of those for what milters add
 * (cleanup_milter.c), "reject: mime-error REASON: …". The header is a stranger's. */
static bool read_check(struct line_cursor cursor, struct track_line *line)
{
	if (!line_word(&cursor, &line->word) || !LINE_SKIP(&cursor, ": ") ||
		!line_word(&cursor, &line->stage) || !LINE_SKIP(&cursor, " "))
		return false;
	line->kind = line_kind_of_word(line->word);
	if (line_context_and_rule(&cursor, line, &line->content, &line->text))
		cut_origin(&line->content, &line->client);
	else
		line->content = line_rest(&cursor);
	take_enhanced(line);
	return true;
}

bool line_read_cleanup(struct line_cursor cursor, struct track_line *line)
{
	static line_reader *const readers[] = {
		read_message_id, read_milter, read_cleanup_lines, line_delivery, read_check, NULL};

	return of_message(line) && line_by_readers(readers, cursor, line);
}

/* "uid=0 from=<…> orig_id=ID". */
bool line_read_pickup(struct line_cursor cursor, struct track_line *line)
{
	if (!of_message(line) || !LINE_SKIP(&cursor, "uid=") || !line_number(&cursor, &line->uid) ||
		!LINE_SKIP(&cursor, " from=") || !line_address(&cursor, &line->from))
		return false;
	line->kind = TRACK_PICKUP;
	if (LINE_SKIP(&cursor, " orig_id=") && !line_queue_id(&cursor, &line->orig_id))
		return false;
	return cursor.at == cursor.end;
}

/* "from=<…>, size=1234, nrcpt=3 (queue active)". */
static bool read_active(struct line_cursor cursor, struct track_line *line)
{
	line->kind = TRACK_ACTIVE;
	return LINE_SKIP(&cursor, "from=") && line_address(&cursor, &line->from) &&
	       LINE_SKIP(&cursor, ", size=") && line_number(&cursor, &line->size) &&
	       LINE_SKIP(&cursor, ", nrcpt=") && line_number(&cursor, &line->recipients) &&
	       LINE_SKIP(&cursor, " (queue active)") && cursor.at == cursor.end;
}

static bool read_qmgr_lines(struct line_cursor cursor, struct track_line *line)
{
	static const struct line_pattern lines[] = {
		{TRACK_REMOVED, "removed", ""},
		{TRACK_EXPIRED, "from=%f, status=%w, returned to sender", NULL},
		{TRACK_NONE, "skipped, still being delivered", NULL},
		{0},
	};

	return line_by_patterns(lines, cursor, line);
}

bool line_read_qmgr(struct line_cursor cursor, struct track_line *line)
{
	static line_reader *const readers[] = {read_active, read_qmgr_lines, line_delivery, NULL};

	return of_message(line) && line_by_readers(readers, cursor, line);
}

/* "sender notification failed to <ADDRESS>: REASON" (Postfix 3.11). */
static bool read_notification_failed(struct line_cursor cursor, struct track_line *line)
{
	line->addressee = line_constant("sender");
	if (!LINE_SKIP(&cursor, "sender notification failed to ") ||
		!line_address(&cursor, &line->to))
		return false;
	line->kind = TRACK_NOTIFICATION_FAILED;
	if (LINE_SKIP(&cursor, ": "))
		line->text = line_rest(&cursor);
	return cursor.at == cursor.end;
}

static bool read_notification(struct line_cursor cursor, struct track_line *line)
{
	static const struct line_pattern lines[] = {
		{TRACK_NOTIFICATION, "non-delivery notification: %k", "non-delivery"},
		{TRACK_NOTIFICATION, "delay notification: %k", "delay"},
		{TRACK_NOTIFICATION, "delivery status notification: %k", "delivery status"},
		{0},
	};
	const char *addressee = NULL;

	if (LINE_SKIP(&cursor, "sender "))
		addressee = "sender";
	else if (LINE_SKIP(&cursor, "postmaster "))
		addressee = "postmaster";
	if (addressee == NULL || !line_by_patterns(lines, cursor, line))
		return false;
	line->addressee = line_constant(addressee);
	return true;
}

/* What bounce leaves out (Postfix, bounce_notify_service.c, bounce_trace_service.c). */
static bool read_no_notification(struct line_cursor cursor, struct track_line *line)
{
	static const struct line_pattern lines[] = {
		{TRACK_NONE, "undeliverable postmaster notification discarded", NULL},
		{TRACK_NONE, "not sending trace/success notification for %.", NULL},
		{TRACK_NONE, "no trace file -- not sending a notification", NULL},
		{0},
	};

	return line_by_patterns(lines, cursor, line);
}

bool line_read_bounce(struct line_cursor cursor, struct track_line *line)
{
	static line_reader *const readers[] = {read_notification, read_notification_failed,
		read_no_notification, line_delivery, NULL};

	return of_message(line) && line_by_readers(readers, cursor, line);
}

bool line_read_postsuper(struct line_cursor cursor, struct track_line *line)
{
	static const struct line_pattern of_one[] = {
		{TRACK_OPERATOR, "placed on hold", "held"},
		{TRACK_OPERATOR, "released from hold", "released"},
		{TRACK_OPERATOR, "requeued", "requeued"},
		{TRACK_OPERATOR, "removed", "removed"},
		{TRACK_OPERATOR, "expired", "expired"},
		{0},
	};
	static const struct line_pattern counts[] = {
		{TRACK_NONE, "%*: %d message", NULL},
		{TRACK_NONE, "%*: %d messages", NULL},
		{0},
	};

	return line_by_patterns(of_message(line) ? of_one : counts, cursor, line);
}
