/* SPDX-License-Identifier: ISC */
/* Lines of smtpd (Postfix, smtpd.c, smtpd_check.c, smtpd_state.c). */
#include <string.h>

#include "track/line_private.h"

/* Behind "QUEUE-ID: ", "NOQUEUE: " (Postfix 3.10), or neither. */
static const struct line_pattern lines[] = {
	{TRACK_CONNECT, "connect from %c", NULL},
	{TRACK_LOST, "lost connection after %S from %c", "lost connection"},
	{TRACK_LOST, "timeout after %S from %c", "timeout"},
	{TRACK_LOST, "too many errors after %S from %c", "too many errors"},
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

/* "disconnect from CLIENT ehlo=1 mail=1 rcpt=1/3 quit=1 commands=4/6". */
static bool read_disconnect(struct line_cursor cursor, struct track_line *line)
{
	if (!LINE_SKIP(&cursor, "disconnect from ") || !line_peer(&cursor, &line->client))
		return false;
	while (LINE_SKIP(&cursor, " ")) {
		struct track_text name;
		int64_t done, tried;

		if (!LINE_UNTIL(&cursor, "=", &name) || !read_count(&cursor, &done, &tried))
			return false;
		if (line_text_is(name, "auth")) {
			line->auth_good = done;
			line->auth_tried = tried;
		} else if (line_text_is(name, "mail")) {
			line->mails = done;
		} else if (line_text_is(name, "rcpt")) {
			line->rcpts_good = done;
			line->rcpts_tried = tried;
		}
	}
	line->kind = TRACK_DISCONNECT;
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

/* "Anonymous TLS connection established from CLIENT: TLSv1.3 with cipher …". */
static bool read_tls(struct line_cursor cursor, struct track_line *line)
{
	line->kind = TRACK_TLS_IN;
	return line_tls_level(&cursor, line) && LINE_SKIP(&cursor, "established from ") &&
	       line_peer(&cursor, &line->client) && line_cipher(&cursor, line);
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
	if (LINE_UNTIL(&cursor, ", sasl_username=", &mark))
		line->sasl_username = line_rest(&cursor);
	return true;
}

/* "WORD: STAGE from CLIENT: TEXT; from=<…> …" of commands refused, held, and so on. */
static bool read_command(struct line_cursor cursor, struct track_line *line)
{
	struct track_text text;

	if (!line_word(&cursor, &line->word) || !LINE_SKIP(&cursor, ": ") ||
		!LINE_UNTIL(&cursor, " from ", &line->stage) ||
		!line_peer(&cursor, &line->client) || !LINE_SKIP(&cursor, ": "))
		return false;
	line->kind = line_kind_of_word(line->word);
	line_reply(&cursor, line);
	line->dsn = line->reply_enhanced;
	if (!line_context(&cursor, line, &text))
		text = line_rest(&cursor);
	line->text = text;
	return true;
}

static bool read_without_queue_id(struct line_cursor cursor, struct track_line *line)
{
	return LINE_SKIP(&cursor, "NOQUEUE: ") &&
	       (line_by_patterns(lines, cursor, line) || read_command(cursor, line));
}

static bool read_lines(struct line_cursor cursor, struct track_line *line)
{
	return line_by_patterns(lines, cursor, line);
}

bool line_read_smtpd(struct line_cursor cursor, struct track_line *line)
{
	static line_reader *const of_message[] = {read_client, read_lines, read_command, NULL};
	static line_reader *const of_session[] = {read_lines, read_disconnect,
		read_without_queue_id, read_tls, read_auth_failed, NULL};

	return line_by_readers(line->queue_id.text != NULL ? of_message : of_session, cursor, line);
}
