/* SPDX-License-Identifier: ISC */
/* Lines of postscreen (Postfix, postscreen*.c). */
#include "track/line_private.h"

static const struct line_pattern lines[] = {
	{TRACK_SCREEN, "CONNECT from %c to %.", "CONNECT"},
	{TRACK_SCREEN, "PASS OLD %c", "PASS OLD"},
	{TRACK_SCREEN, "PASS NEW %c", "PASS NEW"},
	{TRACK_SCREEN, "DISCONNECT %c", "DISCONNECT"},
	{TRACK_SCREEN, "HANGUP after %* from %c in %x", "HANGUP"},
	{TRACK_SCREEN, "DNSBL rank %d for %c", "DNSBL"},
	{TRACK_SCREEN, "PREGREET %d after %* from %c: %x", "PREGREET"},
	/* Names before and since Postfix 3.6. */
	{TRACK_SCREEN, "ALLOWLISTED %c", "ALLOWLISTED"},
	{TRACK_SCREEN, "WHITELISTED %c", "ALLOWLISTED"},
	{TRACK_SCREEN, "DENYLISTED %c", "DENYLISTED"},
	{TRACK_SCREEN, "BLACKLISTED %c", "DENYLISTED"},
	{TRACK_SCREEN, "ALLOWLIST VETO %c", "ALLOWLIST VETO"},
	{TRACK_SCREEN, "WHITELIST VETO %c", "ALLOWLIST VETO"},
	{TRACK_SCREEN, "COMMAND TIME LIMIT from %c after %S", "COMMAND TIME LIMIT"},
	{TRACK_SCREEN, "COMMAND COUNT LIMIT from %c after %S", "COMMAND COUNT LIMIT"},
	{TRACK_SCREEN, "COMMAND LENGTH LIMIT from %c after %S", "COMMAND LENGTH LIMIT"},
	{TRACK_SCREEN, "COMMAND PIPELINING from %c after %x", "COMMAND PIPELINING"},
	{TRACK_SCREEN, "NON-SMTP COMMAND from %c after %S: %x", "NON-SMTP COMMAND"},
	{TRACK_SCREEN, "BARE NEWLINE from %c after %x", "BARE NEWLINE"},
	{TRACK_SCREEN, "DATA without valid RCPT from %c", "DATA without valid RCPT"},
	{TRACK_SCREEN, "BDAT without valid RCPT from %c", "BDAT without valid RCPT"},
	{TRACK_SCREEN, "reject: connect from %c: %x", "reject"},
	/* Of tests that are not acted upon. */
	{TRACK_NONE, "DROP %c", NULL},
	{TRACK_NONE, "ENFORCE %c", NULL},
	{TRACK_NONE, "SKIP %.", NULL},
	{TRACK_NONE, "UNPASS %c", NULL},
	{TRACK_NONE, "UNFAIL %c", NULL},
	{TRACK_NONE, "cache %.", NULL},
	{TRACK_NONE, "%c: discarding EHLO keywords: %.", NULL},
	{TRACK_NONE, "%c: replacing command %.", NULL},
	{0},
};

static bool read_lines(struct line_cursor cursor, struct track_line *line)
{
	return line_by_patterns(lines, cursor, line);
}

/* "NOQUEUE: reject: RCPT from CLIENT: 550 5.7.1 TEXT; from=<…>, to=<…>, proto=ESMTP, helo=<…>".
 * TEXT is postscreen's own; the HELO name is as the client gave it, and all that follows. */
static bool read_reject(struct line_cursor cursor, struct track_line *line)
{
	if (!LINE_SKIP(&cursor, "NOQUEUE: reject: ") || !line_word(&cursor, &line->stage) ||
		!LINE_SKIP(&cursor, " from ") || !line_peer(&cursor, &line->client) ||
		!LINE_SKIP(&cursor, ": "))
		return false;
	line->kind = TRACK_SCREEN;
	line->word = line_constant("reject");
	line_reply(&cursor, line);
	line->dsn = line->reply_enhanced;
	if (!LINE_UNTIL(&cursor, "; from=", &line->text)) {
		line->text = line_rest(&cursor);
		return true;
	}
	return line_address(&cursor, &line->from) && LINE_SKIP(&cursor, ", to=") &&
	       line_address(&cursor, &line->to) && LINE_SKIP(&cursor, ", proto=") &&
	       line_word(&cursor, &line->proto) && LINE_SKIP(&cursor, ", helo=<") &&
	       line_rest_before(&cursor, ">", 1, &line->helo);
}

bool line_read_postscreen(struct line_cursor cursor, struct track_line *line)
{
	static line_reader *const readers[] = {read_lines, read_reject, line_tls, NULL};

	return line_by_readers(readers, cursor, line);
}
