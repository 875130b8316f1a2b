/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "track/line_private.h"

struct track_text line_constant(const char *text)
{
	return (struct track_text){.text = text, .length = strlen(text)};
}

/* Up to the literal that stands next in the pattern; to the end when none does. */
static bool take_until(struct line_cursor *cursor, const char *pattern, struct track_text *taken)
{
	size_t length = strcspn(pattern, "%");

	if (length == 0) {
		*taken = line_rest(cursor);
		return true;
	}
	if (!line_until(cursor, pattern, length, taken))
		return false;
	/* The literal is matched by the pattern. */
	cursor->at -= length;
	return true;
}

static bool take_directive(
	char directive, const char *pattern, struct line_cursor *cursor, struct track_line *line)
{
	struct track_text left_out;
	int64_t number;

	switch (directive) {
	case 'c': return line_peer(cursor, &line->client);
	case 'r': return line_peer(cursor, &line->relay);
	case 'q': return line_queue_id(cursor, &line->queue_id);
	case 'k': return line_queue_id(cursor, &line->child);
	case 'f': return line_address(cursor, &line->from);
	case 't': return line_address(cursor, &line->to);
	case 'o': return line_address(cursor, &line->orig_to);
	case 'h': return line_helo(cursor, &line->helo);
	case 'w': return line_word(cursor, &line->word);
	case 's': return line_word(cursor, &line->stage);
	case 'S': return take_until(cursor, pattern, &line->stage);
	case 'a': return take_until(cursor, pattern, &line->addressee);
	case 'x': return take_until(cursor, pattern, &line->text);
	case 'b': return line_number(cursor, &line->size);
	case 'd': return line_number(cursor, &number);
	default: return take_until(cursor, pattern, &left_out);
	}
}

static bool fits(const char *pattern, struct line_cursor cursor, struct track_line *line)
{
	while (*pattern != '\0') {
		size_t literal = strcspn(pattern, "%");

		if (!line_skip(&cursor, pattern, literal))
			return false;
		pattern += literal;
		if (*pattern == '\0')
			break;
		if (!take_directive(pattern[1], pattern + 2, &cursor, line))
			return false;
		pattern += 2;
	}
	return cursor.at == cursor.end;
}

bool line_by_patterns(
	const struct line_pattern *table, struct line_cursor cursor, struct track_line *line)
{
	for (; table->pattern != NULL; table++) {
		if (cursor.at == cursor.end ||
			(table->pattern[0] != '%' && table->pattern[0] != *cursor.at))
			continue;
		if (fits(table->pattern, cursor, line)) {
			line->kind = table->kind;
			if (table->word != NULL)
				line->word = line_constant(table->word);
			return true;
		}
		line_forget(line);
	}
	return false;
}

bool line_by_readers(
	line_reader *const readers[], struct line_cursor cursor, struct track_line *line)
{
	for (; *readers != NULL; readers++) {
		if ((*readers)(cursor, line))
			return true;
		line_forget(line);
	}
	return false;
}
