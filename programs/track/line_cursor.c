/* SPDX-License-Identifier: ISC */
#include "track/line_cursor.h"

#include <string.h>

/* What a byte may be part of. */
enum {
	ATOM = 1, /* of a local part that needs no quotes (Postfix, quote_822_local) */
	DOMAIN_PART = 2,
	HELO_PART = 4, /* what Postfix leaves in a HELO name */
	ADDRESS_PART = 8, /* of a client's or server's address, or the path of a socket */
	DIGIT = 16,
	SHORT_ID = 32, /* upper-case hex */
	LONG_ID = 64, /* digits and letters that are no vowels */
	USER_PART = 128,
	PLAIN = ATOM | DOMAIN_PART | HELO_PART | ADDRESS_PART | USER_PART
};

static const unsigned char classes[256] = {
	['!'] = PLAIN,
	['#' ... '\''] = PLAIN,
	['*' ... '+'] = PLAIN,
	['-' ... '/'] = PLAIN,
	['='] = PLAIN,
	['?'] = PLAIN,
	['^' ... '`'] = PLAIN,
	['{' ... '~'] = PLAIN,
	[0x80 ... 0xff] = PLAIN,
	[','] = HELO_PART,
	[':'] = DOMAIN_PART | HELO_PART | ADDRESS_PART | USER_PART,
	['@'] = USER_PART,
	['('] = USER_PART,
	[')'] = USER_PART,
	['\\'] = USER_PART,
	['['] = DOMAIN_PART | HELO_PART,
	[']'] = DOMAIN_PART | HELO_PART,
	['0' ... '9'] = PLAIN | DIGIT | SHORT_ID | LONG_ID,
	['A'] = PLAIN | SHORT_ID,
	['B' ... 'D'] = PLAIN | SHORT_ID | LONG_ID,
	['E'] = PLAIN | SHORT_ID,
	['F'] = PLAIN | SHORT_ID | LONG_ID,
	['G' ... 'H'] = PLAIN | LONG_ID,
	['I'] = PLAIN,
	['J' ... 'N'] = PLAIN | LONG_ID,
	['O'] = PLAIN,
	['P' ... 'T'] = PLAIN | LONG_ID,
	['U'] = PLAIN,
	['V' ... 'Z'] = PLAIN | LONG_ID,
	['a'] = PLAIN,
	['b' ... 'd'] = PLAIN | LONG_ID,
	['e'] = PLAIN,
	['f' ... 'h'] = PLAIN | LONG_ID,
	['i'] = PLAIN,
	['j' ... 'n'] = PLAIN | LONG_ID,
	['o'] = PLAIN,
	['p' ... 't'] = PLAIN | LONG_ID,
	['u'] = PLAIN,
	['v' ... 'z'] = PLAIN | LONG_ID,
};

static bool is(char byte, int class)
{
	return (classes[(unsigned char)byte] & class) != 0;
}

/* Length of the bytes of a class at `at`. */
static size_t span(const struct line_cursor *cursor, const char *at, int class)
{
	const char *start = at;

	while (at < cursor->end && is(*at, class))
		at++;
	return (size_t)(at - start);
}

static struct track_text take(struct line_cursor *cursor, size_t length)
{
	struct track_text taken = {.text = cursor->at, .length = length};

	cursor->at += length;
	return taken;
}

bool line_skip(struct line_cursor *cursor, const char *text, size_t length)
{
	if (line_left(cursor) < length || memcmp(cursor->at, text, length) != 0)
		return false;
	cursor->at += length;
	return true;
}

bool line_until(
	struct line_cursor *cursor, const char *text, size_t length, struct track_text *taken)
{
	const char *found = memmem(cursor->at, line_left(cursor), text, length);

	if (found == NULL)
		return false;
	*taken = take(cursor, (size_t)(found - cursor->at));
	cursor->at += length;
	return true;
}

struct track_text line_rest(struct line_cursor *cursor)
{
	return take(cursor, line_left(cursor));
}

bool line_rest_before(
	struct line_cursor *cursor, const char *text, size_t length, struct track_text *taken)
{
	size_t left = line_left(cursor);

	if (left < length || memcmp(cursor->end - length, text, length) != 0)
		return false;
	*taken = take(cursor, left - length);
	cursor->at = cursor->end;
	return true;
}

bool line_word(struct line_cursor *cursor, struct track_text *taken)
{
	size_t length = span(cursor, cursor->at, ATOM);

	if (length == 0)
		return false;
	*taken = take(cursor, length);
	return true;
}

/* Length of a local part at `at`: a quoted string, or an atom, perhaps empty. -1: a quote is
 * open. */
static ptrdiff_t local_length(const struct line_cursor *cursor, const char *at)
{
	const char *start = at;

	if (at == cursor->end || *at != '"')
		return (ptrdiff_t)span(cursor, at, ATOM);
	for (at++; at < cursor->end; at++) {
		if (*at == '"')
			return at + 1 - start;
		if (*at == '\\' && ++at == cursor->end)
			break;
	}
	return -1;
}

bool line_address(struct line_cursor *cursor, struct track_text *taken)
{
	bool bracket = cursor->at < cursor->end && *cursor->at == '<';
	const char *start = cursor->at + bracket, *at = start;
	ptrdiff_t length = local_length(cursor, at);

	if (length < 0)
		return false;
	at += length;
	if (at < cursor->end && *at == '@') {
		const char *domain = ++at;

		at += span(cursor, at, DOMAIN_PART);
		/* What stands in a domain literal is not quoted; a sound one ends here. */
		if (domain < at && *domain == '[' && at[-1] != ']')
			return false;
	}
	if (bracket ? at == cursor->end || *at != '>' : at == start)
		return false;
	*taken = (struct track_text){.text = start, .length = (size_t)(at - start)};
	cursor->at = at + bracket;
	return true;
}

bool line_helo(struct line_cursor *cursor, struct track_text *taken)
{
	const char *start = cursor->at + 1, *at;

	if (cursor->at == cursor->end || *cursor->at != '<')
		return false;
	at = start + span(cursor, start, HELO_PART);
	if (at == cursor->end || *at != '>')
		return false;
	*taken = (struct track_text){.text = start, .length = (size_t)(at - start)};
	cursor->at = at + 1;
	return true;
}

bool line_user(struct line_cursor *cursor, struct track_text *taken)
{
	struct line_cursor at = *cursor;
	bool bracket = LINE_SKIP(&at, "<");
	const char *start = at.at;

	while (at.at < at.end && (is(*at.at, USER_PART) || (bracket && *at.at == ' ')))
		at.at++;
	*taken = (struct track_text){.text = start, .length = (size_t)(at.at - start)};
	if (bracket ? !LINE_SKIP(&at, ">") : taken->length == 0)
		return false;
	*cursor = at;
	return true;
}

/* ":25", ":unknown", or nothing. */
static void take_port(struct line_cursor *cursor, uint16_t *port)
{
	struct line_cursor at = *cursor;
	int64_t number;

	*port = 0;
	if (!LINE_SKIP(&at, ":"))
		return;
	if (line_number(&at, &number) && number <= UINT16_MAX)
		*port = (uint16_t)number;
	else if (!LINE_SKIP(&at, "unknown"))
		return;
	*cursor = at;
}

bool line_peer(struct line_cursor *cursor, struct track_peer *peer)
{
	size_t length = span(cursor, cursor->at, ATOM);
	struct line_cursor at = {.at = cursor->at + length, .end = cursor->end};
	struct track_peer found = {.name = {.text = cursor->at, .length = length}};

	if (!LINE_SKIP(&at, "["))
		return false;
	LINE_SKIP(&at, "IPv6:");
	found.address = take(&at, span(&at, at.at, ADDRESS_PART));
	if (found.address.length == 0 || !LINE_SKIP(&at, "]"))
		return false;
	take_port(&at, &found.port);
	*peer = found;
	*cursor = at;
	return true;
}

bool line_relay(struct line_cursor *cursor, struct track_peer *peer)
{
	size_t length;

	if (line_peer(cursor, peer))
		return true;
	length = span(cursor, cursor->at, ATOM);
	if (length == 0)
		return false;
	*peer = (struct track_peer){.name = take(cursor, length)};
	return true;
}

bool track_is_queue_id(const char *text, size_t length)
{
	struct line_cursor whole = {.at = text, .end = text + length};
	/* Short: five hex digits of microseconds, then the inode. */
	enum { SHORT_LEAST = 6, SHORT_MOST = 5 + 16, SECONDS = 6, MICROSECONDS = 4 };
	const char *mark;

	if (length >= SHORT_LEAST && length <= SHORT_MOST && span(&whole, text, SHORT_ID) == length)
		return true;
	if (length > TRACK_QUEUE_ID_MAX || span(&whole, text, LONG_ID) != length)
		return false;
	mark = memrchr(text, 'z', length);
	return mark != NULL && mark - text >= SECONDS + MICROSECONDS && mark + 1 < text + length;
}

bool line_queue_id(struct line_cursor *cursor, struct track_text *taken)
{
	size_t length = span(cursor, cursor->at, LONG_ID | SHORT_ID);

	if (!track_is_queue_id(cursor->at, length))
		return false;
	*taken = take(cursor, length);
	return true;
}

bool line_number(struct line_cursor *cursor, int64_t *number)
{
	size_t length = span(cursor, cursor->at, DIGIT);
	int64_t sum = 0;

	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (__builtin_mul_overflow(sum, 10, &sum) ||
			__builtin_add_overflow(sum, cursor->at[i] - '0', &sum))
			return false;
	*number = sum;
	cursor->at += length;
	return true;
}

bool line_decimal(struct line_cursor *cursor, double *number)
{
	struct line_cursor at = *cursor;
	int64_t whole, part;
	double scale = 1;
	const char *point;

	if (!line_number(&at, &whole))
		return false;
	*number = (double)whole;
	point = at.at;
	if (LINE_SKIP(&at, ".") && line_number(&at, &part)) {
		for (const char *digit = point + 1; digit < at.at; digit++)
			scale *= 10;
		*number += (double)part / scale;
	} else {
		at.at = point;
	}
	*cursor = at;
	return true;
}

bool line_enhanced(struct line_cursor *cursor, struct track_text *taken)
{
	const char *at = cursor->at;

	/* class "." subject "." detail: one digit, then one to three each. */
	if (line_left(cursor) < 5 || (*at != '2' && *at != '4' && *at != '5') || at[1] != '.')
		return false;
	at++;
	for (int part = 0; part < 2; part++) {
		size_t digits;

		if (at == cursor->end || *at != '.')
			return false;
		digits = span(cursor, ++at, DIGIT);
		if (digits == 0 || digits > 3)
			return false;
		at += digits;
	}
	if (at < cursor->end && (is(*at, DIGIT) || *at == '.'))
		return false;
	*taken = take(cursor, (size_t)(at - cursor->at));
	return true;
}

bool line_code(struct line_cursor *cursor, int *code)
{
	const char *at = cursor->at;

	if (span(cursor, at, DIGIT) != 3 || at[0] < '2' || at[0] > '5')
		return false;
	*code = (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
	cursor->at += 3;
	return true;
}
