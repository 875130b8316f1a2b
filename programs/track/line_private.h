/* SPDX-License-Identifier: ISC */
/* line_private: what the readers of lines share: tables of patterns, and the parts that stand in
 * lines of several programs. */
#ifndef MG_TRACK_LINE_PRIVATE_H
#define MG_TRACK_LINE_PRIVATE_H
#include <stdbool.h>

#include "track/line.h"
#include "track/line_cursor.h"

/* A kind of line as its program writes it. In `pattern`, as in the formats of Postfix, all stands
 * for itself but
 *   %c a client          %r a relay           %q a queue id, and %k that of a child
 *   %f from  %t to  %o orig_to, addresses     %h helo, with its brackets
 *   %w word  %s stage, one word each          %S stage, words up to what follows in the pattern
 *   %a addressee, up to what follows in the pattern
 *   %b size, %d a number left out             %* anything up to what follows in the pattern
 *   %x text: the rest                         %. anything to the end
 * A pattern fits when all of the line fits. `word`, when not NULL, is the line's word. */
struct line_pattern {
	enum track_kind kind;
	const char *pattern;
	const char *word;
};

/* Reads by the first pattern that fits; the table ends with a NULL pattern. */
bool line_by_patterns(
	const struct line_pattern *table, struct line_cursor cursor, struct track_line *line);

/* Reads a line, or one kind of it, behind "PROGRAM[PID]: " and, where it stands, "QUEUE-ID: "
 * (which is in the line already). false: it is something else; then some fields may be set. */
typedef bool line_reader(struct line_cursor cursor, struct track_line *line);

/* The first reader that can; the list ends with NULL. On false the line is as it was. */
bool line_by_readers(
	line_reader *const readers[], struct line_cursor cursor, struct track_line *line);
/* Forgets what a reader set; what stood before the text of the line is kept. */
void line_forget(struct track_line *line);

line_reader line_read_smtpd, line_read_cleanup, line_read_pickup, line_read_qmgr, line_read_bounce,
	line_read_smtp, line_read_delivery, line_read_postsuper, line_read_postscreen,
	line_read_tlsproxy, line_read_silent;

/* Readers of parts that several programs write: */

/* "to=<…>, …, status=… (…)" of a message; false for a line of none. */
line_reader line_delivery;
/* "WORD: STAGE from CLIENT: TEXT; from=<…> …" of a command that was refused, held, and so on. */
line_reader line_command;
/* About TLS, of no message. */
line_reader line_tls;

/* A text that is the program's own, not the line's. */
struct track_text line_constant(const char *text);

/* "550 5.1.1 text": code and enhanced code; the cursor is at the text. Both may be missing. */
void line_reply(struct line_cursor *cursor, struct track_line *line);
/* "TEXT; from=<…> to=<…> proto=… helo=<…>" up to the end of the line. false: no such end. */
bool line_context(struct line_cursor *cursor, struct track_line *line, struct track_text *text);
/* The same with ": RULE" behind it, or not; false also when there are two ways to read it. */
bool line_context_and_rule(struct line_cursor *cursor, struct track_line *line,
	struct track_text *text, struct track_text *rule);
/* Whether a text is all of this. */
bool line_text_is(struct track_text text, const char *wanted);
/* "milter-reject" is a refusal, and so on; a word that is no such action a notice. */
enum track_kind line_kind_of_word(struct track_text word);
/* "550 5.1.1 TEXT; from=<…> …" or TEXT alone, to the end of the line. */
void line_command_text(struct line_cursor *cursor, struct track_line *line);
/* The queue id at the very end of "250 2.0.0 Ok: queued as ID". */
void line_queued_as(struct track_text text, struct track_text *queue_id);
#endif
