/* SPDX-License-Identifier: ISC */
/* Lines of smtpd (Postfix, smtpd.c, smtpd_check.c, smtpd_state.c). */
#include <string.h>

#include "track/line_private.h"

/* Behind "QUEUE-ID: " or "NOQUEUE: " since Postfix 3.10. */
static const struct line_pattern ends[] = {
	{TRACK_LOST, "lost connection after %s (%b bytes) from %c", "lost connection"},
	{TRACK_LOST, "lost connection after %S from %c", "lost connection"},
	{TRACK_LOST, "timeout after %s (%b bytes) from %c", "timeout"},
	{TRACK_LOST, "timeout after %S from %c", "timeout"},
	{TRACK_LOST, "too many errors after %s (%b bytes) from %c", "too many errors"},
	{TRACK_LOST, "too many errors after %S from %c", "too many errors"},
	{0},
};

static const struct line_pattern lines[] = {
	{TRACK_CONNECT, "connect from %c", NULL},
	{TRACK_NOTICE, "improper command pipelining after %S from %c: %x",
		"improper command pipelining"},
	{TRACK_NONE, "discarding EHLO keywords: %.", NULL},
	{TRACK_NONE, "Relaying allowed for certified client: %.", NULL},
	{TRACK_NONE, "mapping DSN status %.", NULL},
	{TRACK_NONE, "%c: replacing command %.", NULL},
	{0},
};

/* "rcpt=1/3": done of tried; "rcpt=1": both. */
static bool read_count(struct line_cursor *cursor, int64_t *done, int64_t *tried)
{
	if (!line_number(cursor, done))
		return false;
	*tried = *done;
	return !LINE_SKIP(cursor, "/") || line_number(cursor, tried);
}

static void keep_count(
	struct track_text command, int64_t done, int64_t tried, struct track_line *line)
{
	if (line_text_is(command, "auth")) {
		line->auth_good = done;
		line->auth_tried = tried;
	} else if (line_text_is(command, "mail")) {
		line->mails = done;
	} else if (line_text_is(command, "rcpt")) {
		line->rcpts_good = done;
		line->rcpts_tried = tried;
	}
}

/* "disconnect from CLIENT ehlo=1 mail=1 rcpt=1/3 quit=1 commands=4/6 notes=bare_lf". */
static bool read_disconnect(struct line_cursor cursor, struct track_line *line)
{
	if (!LINE_SKIP(&cursor, "disconnect from ") || !line_peer(&cursor, &line->client))
		return false;
	line->kind = TRACK_DISCONNECT;
	while (LINE_SKIP(&cursor, " ")) {
		struct track_text command, notes;
		int64_t done, tried;

		if (!LINE_UNTIL(&cursor, "=", &command))
			return false;
		if (read_count(&cursor, &done, &tried))
			keep_count(command, done, tried, line);
		else if (!line_word(&cursor, &notes))
			return false;
	}
	return cursor.at == cursor.end;
}

/* Up to the first of the marks given, to the end when there is none. */
static struct track_text take_value(struct line_cursor *cursor, const char *mark)
{
	const char *found = memmem(cursor->at, line_left(cursor), mark, strlen(mark));
	struct track_text value = {.text = cursor->at};

	value.length = found != NULL ? (size_t)(found - cursor->at) : line_left(cursor);
	cursor->at += value.length;
	return value;
}

/* "client=…, sasl_method=…, sasl_username=…, sasl_sender=…, orig_queue_id=…, orig_client=…". The
 * names of a user are theirs to choose: what stands behind one is not read as XFORWARD's. */
static bool read_client(struct line_cursor cursor, struct track_line *line)
{
	if (!LINE_SKIP(&cursor, "client=") || !line_peer(&cursor, &line->client))
		return false;
	line->kind = TRACK_CLIENT;
	if (LINE_SKIP(&cursor, ", sasl_method="))
		line->sasl_method = take_value(&cursor, ", sasl_");
	if (LINE_SKIP(&cursor, ", sasl_username="))
		line->sasl_username = take_value(&cursor, ", sasl_sender=");
	if (LINE_SKIP(&cursor, ", sasl_sender="))
		line->sasl_sender = line_rest(&cursor);
	if (LINE_SKIP(&cursor, ", orig_queue_id="))
		line->orig_queue_id = take_value(&cursor, ", orig_client=");
	if (LINE_SKIP(&cursor, ", orig_client="))
		line->orig_client = line_rest(&cursor);
	return cursor.at == cursor.end;
}

/* "warning: CLIENT: SASL PLAIN authentication failed: REASON, sasl_username=NAME". The name is what
 * the client claimed, and may hold anything: it is all that follows. */
static bool read_auth_failed(struct line_cursor cursor, struct track_line *line)
{
	struct track_text mark;

	if (!LINE_SKIP(&cursor, "warning: ") || !line_peer(&cursor, &line->client) ||
		!LINE_SKIP(&cursor, ": SASL ") || !line_word(&cursor, &line->sasl_method) ||
		!LINE_SKIP(&cursor, " authentication "))
		return false;
	line->kind = TRACK_AUTH_FAILED;
	LINE_SKIP(&cursor, "failed: ");
	line->text = take_value(&cursor, ", sasl_username=");
	if (!LINE_UNTIL(&cursor, ", sasl_username=", &mark))
		return true;
	line->sasl_username = line_rest(&cursor);
	if (line_text_is(line->sasl_username, "(unavailable)"))
		line->sasl_username = (struct track_text){.text = NULL};
	return true;
}

/* "proxy-reject: END-OF-MESSAGE: 554 5.7.0 TEXT; from=<…> …" of a proxy before the queue. */
static bool read_proxy(struct line_cursor cursor, struct track_line *line)
{
	if (!LINE_SKIP(&cursor, "proxy-") || !line_word(&cursor, &line->word) ||
		!LINE_SKIP(&cursor, ": ") || !line_word(&cursor, &line->stage) ||
		!LINE_SKIP(&cursor, ": "))
		return false;
	line->kind = line_text_is(line->word, "reject") ? TRACK_REFUSAL : TRACK_NOTICE;
	line->word =
		line_constant(line_text_is(line->word, "reject") ? "proxy-reject" : "proxy-accept");
	line->remote = true;
	line_command_text(&cursor, line);
	line_queued_as(line->text, &line->queued_as);
	return true;
}

static bool read_ends(struct line_cursor cursor, struct track_line *line)
{
	return line_by_patterns(ends, cursor, line);
}

static bool read_lines(struct line_cursor cursor, struct track_line *line)
{
	return line_by_patterns(lines, cursor, line);
}

/* "NOQUEUE: client=…" with a proxy before the queue. */
static bool read_without_queue_id(struct line_cursor cursor, struct track_line *line)
{
	static line_reader *const readers[] = {line_command, read_ends, read_client, NULL};

	return LINE_SKIP(&cursor, "NOQUEUE: ") && line_by_readers(readers, cursor, line);
}

bool line_read_smtpd(struct line_cursor cursor, struct track_line *line)
{
	static line_reader *const of_message[] = {
		read_client, line_command, read_ends, read_proxy, NULL};
	static line_reader *const of_session[] = {read_lines, read_disconnect,
		read_without_queue_id, line_tls, read_auth_failed, read_ends, read_proxy, NULL};

	return line_by_readers(line->queue_id.text != NULL ? of_message : of_session, cursor, line);
}
