/* SPDX-License-Identifier: ISC */
#include "auth/dkim_canon.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/str.h"

/* A body passes three stages: lines that are too long are cut, white space is reduced (relaxed), and
 * the CRLFs at the end wait until something follows. Simple form hands on spans of the chunk, so
 * that the hash reads them where they stand; relaxed form is written to a small buffer, for what
 * changes in mail is spread too thin for that. No stage is given a span that ends between CR and
 * LF. */

enum {
	BLOCK = 16, /* bytes of a vector */
	PAIR = 2 * BLOCK, /* bytes that are looked at together */
	LINE_ENDS = 64, /* that are hashed together */
	MUCH = 100, /* one byte of so many */
	ROOM = 2 * PAIR + 1, /* what two blocks may write, and a blank that waited */
	RECORD = 2048 /* line_length_limit of Postfix: its records of a body line */
};

static const unsigned char crlf[2] = {'\r', '\n'};
static const unsigned char cut[3] = {'\r', '\n', ' '};

static void hash_line_ends(struct mg_dkim_body *body, size_t count)
{
	unsigned char line_ends[LINE_ENDS * sizeof crlf];

	for (size_t i = 0; i < LINE_ENDS && i < count; i++)
		memcpy(line_ends + i * sizeof crlf, crlf, sizeof crlf);
	for (; count > LINE_ENDS; count -= LINE_ENDS)
		mg_sha256_add(body->hash, line_ends, sizeof line_ends);
	mg_sha256_add(body->hash, line_ends, count * sizeof crlf);
}

/* The last stage: CRLFs at the end wait. */
static void hash_text(struct mg_dkim_body *body, const unsigned char *text, size_t length)
{
	size_t blank_lines = 0;

	while (length >= sizeof crlf && text[length - 1] == '\n' && text[length - 2] == '\r') {
		length -= sizeof crlf;
		blank_lines++;
	}
	if (length > 0) {
		if (body->blank_lines > 0)
			hash_line_ends(body, body->blank_lines);
		mg_sha256_add(body->hash, text, length);
		body->blank_lines = 0;
		body->any = true;
	}
	body->blank_lines += blank_lines;
}

static bool is_blank(unsigned char character)
{
	return character == ' ' || character == '\t';
}

static bool is_line_end(const unsigned char *place, const unsigned char *end)
{
	return end - place >= 2 && place[0] == '\r' && place[1] == '\n';
}

typedef unsigned char block __attribute__((vector_size(BLOCK)));
typedef signed char marks __attribute__((vector_size(BLOCK))); /* of a byte: -1 or 0 */

static inline block load(const unsigned char *place)
{
	block loaded;

	memcpy(&loaded, place, sizeof loaded);
	return loaded;
}

/* A bit for each byte that is marked, the lowest for the first. */
static inline unsigned bits_of(marks marked)
{
#ifdef __SSE2__
	return (unsigned)_mm_movemask_epi8((__m128i)marked);
#else
	unsigned bits = 0;

	for (unsigned i = 0; i < BLOCK; i++)
		bits |= (unsigned)(marked[i] & 1) << i;
	return bits;
#endif
}

static inline marks find_blanks(block text)
{
	return (marks)((text == '\t') | (text == ' '));
}

/* Does nothing go of two blocks? It may where a blank is before a blank or a control. */
static inline bool stays(const unsigned char *place)
{
	marks first = find_blanks(load(place)) & (marks)(load(place + 1) <= ' ');
	marks second = find_blanks(load(place + BLOCK)) & (marks)(load(place + BLOCK + 1) <= ' ');

	return bits_of(first | second) == 0;
}

/* The blanks of a block that go: before a blank or CRLF. */
static inline unsigned find_dropped(const unsigned char *place)
{
	block next = load(place + 1);
	marks line_ends = (marks)((next == '\r') & (load(place + 2) == '\n'));

	return bits_of(find_blanks(load(place)) & (find_blanks(next) | line_ends));
}

/* Tabs as blanks. */
static inline void store(unsigned char *out, block text)
{
	text ^= (block)(text == '\t') & ('\t' ^ ' ');
	memcpy(out, &text, sizeof text);
}

static inline void store_pair(unsigned char *out, const unsigned char *place)
{
	store(out, load(place));
	store(out + BLOCK, load(place + BLOCK));
}

/* Writes what stays of two blocks; returns where it ends. Each run that stays is written in full
 * width and what is too much overwritten by the next, with a branch only for a second run that goes,
 * which is rare. */
static inline unsigned char *reduce_pair(unsigned char *out, const unsigned char *place)
{
	uint64_t sentinel = UINT64_C(1) << PAIR;
	uint64_t dropped = find_dropped(place) | (uint64_t)find_dropped(place + BLOCK) << BLOCK;
	unsigned from = 0;

	store_pair(out, place);
	do {
		uint64_t ends = dropped | sentinel, carried = dropped + (ends & -ends);

		out += (unsigned)__builtin_ctzll(ends) - from;
		from = (unsigned)__builtin_ctzll(carried);
		store_pair(out, place + from);
		dropped &= carried;
	} while (dropped != 0);
	return out + PAIR - from;
}

/* Reduces the white space of a span: a run becomes one blank, or nothing before CRLF. So a blank
 * goes if a blank or CRLF follows, which needs no memory of what was before. Ends where the span
 * ends or there is no more ROOM, and returns that place; needs ROOM at the start. */
static const unsigned char *reduce(
	struct mg_dkim_reduced *reduced, const unsigned char *place, const unsigned char *end)
{
	unsigned char *out = reduced->bytes + reduced->length;
	const unsigned char *full = reduced->bytes + sizeof reduced->bytes - ROOM;
	bool much = reduced->much;

	if (place == end)
		return end;
	if (reduced->waits && !is_blank(*place) && !is_line_end(place, end))
		*out++ = ' ';
	reduced->waits = false;
	for (; end - place >= 2 * PAIR && out <= full; place += PAIR)
		/* Where much goes, to ask first would be a guess that fails. */
		if (!much && stays(place)) {
			store_pair(out, place);
			out += PAIR;
		} else {
			out = reduce_pair(out, place);
		}
	for (; place < end && end - place < 2 * PAIR && out <= full; place++)
		if (!is_blank(*place))
			*out++ = *place;
		else if (place + 1 == end)
			reduced->waits = true;
		else if (!is_blank(place[1]) && !is_line_end(place + 1, end))
			*out++ = ' ';
	reduced->length = (size_t)(out - reduced->bytes);
	return place;
}

static bool has_room(const struct mg_dkim_reduced *reduced)
{
	return sizeof reduced->bytes - reduced->length >= ROOM;
}

static void hash_reduced(struct mg_dkim_body *body)
{
	struct mg_dkim_reduced *reduced = &body->reduced;
	bool carriage_return = reduced->length > 0 && reduced->bytes[reduced->length - 1] == '\r';

	/* Its LF may follow. */
	hash_text(body, reduced->bytes, reduced->length - carriage_return);
	reduced->bytes[0] = '\r';
	reduced->length = carriage_return;
}

/* The middle stage of the relaxed form. */
static void relax(struct mg_dkim_body *body, const unsigned char *place, const unsigned char *end)
{
	while (place < end) {
		const unsigned char *start = place;
		size_t before, taken;

		if (!has_room(&body->reduced))
			hash_reduced(body);
		before = body->reduced.length;
		place = reduce(&body->reduced, place, end);
		taken = (size_t)(place - start);
		body->reduced.much = body->reduced.length - before + taken / MUCH < taken;
	}
}

static void add_span(
	struct mg_dkim_body *body, const unsigned char *start, const unsigned char *end)
{
	if (body->form == MG_DKIM_RELAXED)
		relax(body, start, end);
	else
		hash_text(body, start, (size_t)(end - start));
}

/* Behind the last CRLF, NULL when there is none. */
static const unsigned char *after_last_line_end(const unsigned char *start, size_t length)
{
	const unsigned char *found = length < 2 ? NULL : memrchr(start + 1, '\n', length - 1);

	if (found == NULL || found[-1] == '\r')
		return found == NULL ? NULL : found + 1;
	/* LFs alone, which may be many. */
	for (length = (size_t)(found - start); length > BLOCK; length -= BLOCK) {
		const unsigned char *place = start + length - 1 - BLOCK;
		unsigned bits = bits_of((marks)((load(place) == '\r') & (load(place + 1) == '\n')));

		if (bits != 0)
			return place + 2 + (31 - (unsigned)__builtin_clz(bits));
	}
	for (; length >= 2; length--)
		if (is_line_end(start + length - 2, start + length))
			return start + length;
	return NULL;
}

/* Is this the end of a line that fills its last piece and its last record? */
static bool fills_record(const struct mg_dkim_body *body, const unsigned char *place, size_t room,
	const unsigned char *next)
{
	return next == place + room + sizeof crlf && (body->line + room) % RECORD == 0 &&
	       after_last_line_end(place, room) == NULL;
}

/* The first stage. Where a line ends is looked for from behind, so that of short lines only the last
 * one before each limit is read. */
static void add_lines(
	struct mg_dkim_body *body, const unsigned char *place, const unsigned char *end)
{
	const unsigned char *start = place;

	while (place < end) {
		size_t room = body->line_limit - body->column, left = (size_t)(end - place);
		size_t window = left < room + sizeof crlf ? left : room + sizeof crlf;
		const unsigned char *next = after_last_line_end(place, window);

		if (next != NULL && !fills_record(body, place, room, next)) {
			body->line = body->column = 0;
			place = next;
		} else if (next == NULL && left <= room) {
			body->line += left;
			body->column += left;
			place = end;
		} else {
			place += room;
			add_span(body, start, place);
			add_span(body, cut, cut + sizeof cut);
			start = place;
			body->line += room;
			body->column = 1;
		}
	}
	add_span(body, start, end);
}

static void add_whole(struct mg_dkim_body *body, const unsigned char *start, size_t length)
{
	if (body->line_limit > 0)
		add_lines(body, start, start + length);
	else
		add_span(body, start, start + length);
}

bool mg_dkim_body_begin(struct mg_dkim_body *body, enum mg_dkim_form form, size_t line_limit)
{
	body->hash = mg_sha256_new();
	body->form = form;
	body->line_limit = line_limit == 1 ? 2 : line_limit;
	body->line = body->column = body->blank_lines = body->reduced.length = 0;
	body->reduced.waits = body->reduced.much = body->carriage_return = body->any = false;
	return body->hash != NULL;
}

void mg_dkim_body_add(struct mg_dkim_body *body, const unsigned char *chunk, size_t length)
{
	if (length == 0)
		return;
	if (body->carriage_return) {
		bool line_end = chunk[0] == '\n';

		add_whole(body, crlf, line_end ? 2 : 1);
		chunk += line_end;
		length -= line_end;
	}
	body->carriage_return = length > 0 && chunk[length - 1] == '\r';
	add_whole(body, chunk, length - body->carriage_return);
}

bool mg_dkim_body_end(struct mg_dkim_body *body, unsigned char digest[MG_SHA256_SIZE])
{
	bool good;

	if (body->carriage_return)
		add_whole(body, crlf, 1);
	/* Of a last line that has none; behind others it counts for nothing. */
	add_whole(body, crlf, sizeof crlf);
	hash_reduced(body);
	if (body->any || body->form == MG_DKIM_SIMPLE)
		mg_sha256_add(body->hash, crlf, sizeof crlf);
	good = mg_sha256_finish(body->hash, digest);
	mg_dkim_body_drop(body);
	return good;
}

void mg_dkim_body_drop(struct mg_dkim_body *body)
{
	mg_sha256_free(body->hash);
	body->hash = NULL;
}

/* A field under way. */
struct field {
	enum mg_dkim_form form;
	struct mg_buf *out;
	struct mg_dkim_reduced reduced;
	bool begun; /* there was text */
};

static void add_relaxed(struct field *field, const unsigned char *place, const unsigned char *end)
{
	/* White space at the begin of the value goes. */
	while (!field->begun && place < end && is_blank(*place))
		place++;
	while (place < end) {
		field->reduced.waits = field->reduced.waits && field->begun;
		field->begun = true;
		place = reduce(&field->reduced, place, end);
		mg_buf_add(field->out, field->reduced.bytes, field->reduced.length);
		field->reduced.length = 0;
	}
}

static void add_piece(struct field *field, const unsigned char *start, size_t length)
{
	if (field->form == MG_DKIM_RELAXED)
		add_relaxed(field, start, start + length);
	else
		mg_buf_add(field->out, start, length);
}

/* A line of a field, without its end; room: what the next hop gets of it before the first cut. */
static void add_line(struct field *field, size_t line_limit, size_t room, const unsigned char *line,
	size_t length)
{
	while (line_limit > 0 && length > room) {
		add_piece(field, line, room);
		if (field->form == MG_DKIM_RELAXED)
			field->reduced.waits = true;
		else
			mg_buf_add(field->out, cut, sizeof cut);
		line += room;
		length -= room;
		room = line_limit - 1;
	}
	add_piece(field, line, length);
}

static void add_name(enum mg_dkim_form form, const char *name, size_t length, struct mg_buf *out)
{
	size_t start = out->length;

	if (form == MG_DKIM_RELAXED)
		while (length > 0 && is_blank((unsigned char)name[length - 1]))
			length--;
	mg_buf_add(out, name, length);
	if (form == MG_DKIM_RELAXED && length > 0 && !out->failed)
		mg_str_lower_n(out->data + start, length);
	mg_buf_add_char(out, ':');
}

void mg_dkim_field(enum mg_dkim_form form, size_t line_limit, const char *name, size_t name_length,
	const char *value, size_t value_length, struct mg_buf *out)
{
	const unsigned char *line = (const unsigned char *)value, *end = line + value_length;
	struct field field;
	size_t room;

	field.form = form;
	field.out = out;
	field.begun = field.reduced.waits = field.reduced.much = false;
	field.reduced.length = 0;
	if (line_limit == 1)
		line_limit = 2;
	room = line_limit > name_length + 1 ? line_limit - name_length - 1 : 0;
	add_name(form, name, name_length, out);
	for (;;) {
		const unsigned char *line_end = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((line_end != NULL ? line_end : end) - line);

		if (line_end != NULL && length > 0 && line_end[-1] == '\r')
			length--;
		add_line(&field, line_limit, room, line, length);
		if (line_end == NULL)
			break;
		if (form == MG_DKIM_SIMPLE)
			mg_buf_add(out, crlf, sizeof crlf);
		line = line_end + 1;
		room = line_limit;
	}
	mg_buf_add(out, crlf, sizeof crlf);
}
