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
		/* Postfix 3.10: the message was refused after it had a queue id. */
		{TRACK_REMOVED, "removed (canceled)", "canceled"},
		{0},
	};

	return line_by_patterns(lines, cursor, line);
}

bool line_read_cleanup(struct line_cursor cursor, struct track_line *line)
{
	static line_reader *const readers[] = {read_message_id, read_cleanup_lines, NULL};

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
	static line_reader *const readers[] = {read_active, read_qmgr_lines, NULL};

	return of_message(line) && line_by_readers(readers, cursor, line);
}

bool line_read_bounce(struct line_cursor cursor, struct track_line *line)
{
	static const struct line_pattern lines[] = {
		{TRACK_NOTIFICATION, "sender non-delivery notification: %k", "non-delivery"},
		{TRACK_NOTIFICATION, "sender delay notification: %k", "delay"},
		{TRACK_NOTIFICATION, "sender delivery status notification: %k", "delivery status"},
		{TRACK_NOTIFICATION, "postmaster non-delivery notification: %k", "non-delivery"},
		{TRACK_NOTIFICATION, "postmaster delay notification: %k", "delay"},
		{0},
	};

	if (!of_message(line) || !line_by_patterns(lines, cursor, line))
		return false;
	line->addressee = line_constant(*cursor.at == 's' ? "sender" : "postmaster");
	return true;
}

bool line_read_postsuper(struct line_cursor cursor, struct track_line *line)
{
	static const struct line_pattern lines[] = {
		{TRACK_OPERATOR, "placed on hold", "held"},
		{TRACK_OPERATOR, "released from hold", "released"},
		{TRACK_OPERATOR, "requeued", "requeued"},
		{TRACK_OPERATOR, "removed", "removed"},
		{TRACK_OPERATOR, "expired", "expired"},
		{0},
	};

	return of_message(line) && line_by_patterns(lines, cursor, line);
}
