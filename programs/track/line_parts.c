/* SPDX-License-Identifier: ISC */
/* Parts that stand in lines of several programs.
 *
 * The end of a line about a command or a header: "; from=<…> to=<…> proto=… helo=<…>". Before it
 * stands text that a stranger may have written, and that may look the same. So it is looked for by
 * reading: only what is well formed up to the end of the line is it. A stranger's address cannot
 * hold such an end: it is quoted, and quotes and brackets are no part of the names behind it. */
#include <string.h>

#include "track/line_private.h"

/* "; from=<…>…", each where there is something. */
static bool read_context(struct line_cursor *cursor, struct track_line *line)
{
	const char *start;

	if (!LINE_SKIP(cursor, ";"))
		return false;
	start = cursor->at;
	if ((LINE_SKIP(cursor, " from=") && !line_address(cursor, &line->from)) ||
		(LINE_SKIP(cursor, " to=") && !line_address(cursor, &line->to)) ||
		(LINE_SKIP(cursor, " proto=") && !line_word(cursor, &line->proto)) ||
		(LINE_SKIP(cursor, " helo=") && !line_helo(cursor, &line->helo)) ||
		(LINE_SKIP(cursor, " sasl_method=") && !line_word(cursor, &line->sasl_method)) ||
		(LINE_SKIP(cursor, " sasl_username=") && !line_user(cursor, &line->sasl_username)))
		return false;
	return cursor->at > start;
}

static void forget_context(struct track_line *line)
{
	line->from = line->to = line->proto = line->helo = line->sasl_method = line->sasl_username =
		(struct track_text){.text = NULL};
}

/* The next semicolon from which on a context can be read; with `rule`, ": …" may follow it. The
 * fields are in line; *end is where it ended. */
static bool find_context(struct line_cursor *look, bool rule, struct track_line *line,
	const char **start, const char **end)
{
	struct track_text before;

	while (LINE_UNTIL(look, ";", &before)) {
		struct line_cursor at = {.at = look->at - 1, .end = look->end};

		if (read_context(&at, line) && (at.at == at.end || (rule && at.at[0] == ':'))) {
			*start = look->at - 1;
			*end = at.at;
			return true;
		}
		forget_context(line);
	}
	return false;
}

bool line_context(struct line_cursor *cursor, struct track_line *line, struct track_text *text)
{
	struct line_cursor look = *cursor;
	const char *start, *end;

	if (!find_context(&look, false, line, &start, &end))
		return false;
	*text = (struct track_text){.text = cursor->at, .length = (size_t)(start - cursor->at)};
	cursor->at = cursor->end;
	return true;
}

bool line_context_and_rule(struct line_cursor *cursor, struct track_line *line,
	struct track_text *text, struct track_text *rule)
{
	struct line_cursor look = *cursor, rest;
	const char *start, *end, *other;

	if (!find_context(&look, true, line, &start, &end))
		return false;
	rest = (struct line_cursor){.at = end, .end = cursor->end};
	/* A header with what looks like a context: nobody can say which one it is. */
	if (find_context(&look, true, line, &other, &other)) {
		forget_context(line);
		return false;
	}
	look = (struct line_cursor){.at = start, .end = cursor->end};
	read_context(&look, line);
	*text = (struct track_text){.text = cursor->at, .length = (size_t)(start - cursor->at)};
	if (LINE_SKIP(&rest, ": "))
		*rule = line_rest(&rest);
	cursor->at = cursor->end;
	return true;
}

bool line_text_is(struct track_text text, const char *wanted)
{
	return text.length == strlen(wanted) && memcmp(text.text, wanted, text.length) == 0;
}

enum track_kind line_kind_of_word(struct track_text word)
{
	static const struct {
		const char *word;
		enum track_kind kind;
	} kinds[] = {
		{"reject", TRACK_REFUSAL},
		{"milter-reject", TRACK_REFUSAL},
		{"milter-header-reject", TRACK_REFUSAL},
		{"hold", TRACK_HOLD},
		{"milter-hold", TRACK_HOLD},
		{"milter-header-hold", TRACK_HOLD},
		{"discard", TRACK_DISCARD},
		{"milter-discard", TRACK_DISCARD},
		{"milter-header-discard", TRACK_DISCARD},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (line_text_is(word, kinds[i].word))
			return kinds[i].kind;
	return TRACK_NOTICE;
}

void line_reply(struct line_cursor *cursor, struct track_line *line)
{
	struct line_cursor at = *cursor;

	if (!line_code(&at, &line->reply_code))
		return;
	if (at.at < at.end && !LINE_SKIP(&at, " ")) {
		line->reply_code = 0;
		return;
	}
	*cursor = at;
	if (line_enhanced(&at, &line->reply_enhanced)) {
		LINE_SKIP(&at, " ");
		*cursor = at;
	}
}

void line_command_text(struct line_cursor *cursor, struct track_line *line)
{
	line_reply(cursor, line);
	line->dsn = line->reply_enhanced;
	if (!line_context(cursor, line, &line->text))
		line->text = line_rest(cursor);
	/* While HELO is looked at, its name stands there as the client gave it, brackets and all:
	 * fields behind the protocol may be a part of it. */
	if (line_text_is(line->stage, "HELO") || line_text_is(line->stage, "EHLO")) {
		line->from = line->to = line->sasl_method = line->sasl_username =
			(struct track_text){.text = NULL};
	}
}

bool line_command(struct line_cursor cursor, struct track_line *line)
{
	if (!line_word(&cursor, &line->word) || !LINE_SKIP(&cursor, ": ") ||
		!LINE_UNTIL(&cursor, " from ", &line->stage) ||
		!line_peer(&cursor, &line->client) || !LINE_SKIP(&cursor, ": "))
		return false;
	line->kind = line_kind_of_word(line->word);
	line_command_text(&cursor, line);
	return true;
}

void line_queued_as(struct track_text text, struct track_text *queue_id)
{
	static const char mark[] = "queued as ";
	const char *end = text.text + text.length, *start = end;

	while (start > text.text && start[-1] != ' ' && end - start <= TRACK_QUEUE_ID_MAX)
		start--;
	if ((size_t)(start - text.text) < sizeof(mark) - 1 ||
		memcmp(start - (sizeof(mark) - 1), mark, sizeof(mark) - 1) != 0 ||
		!track_is_queue_id(start, (size_t)(end - start)))
		return;
	*queue_id = (struct track_text){.text = start, .length = (size_t)(end - start)};
}
