/* SPDX-License-Identifier: ISC */
#include "auth/dkim_canon.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

/* A body passes three stages: lines that are too long are cut, white space is reduced (relaxed), and
 * the CRLFs at the end wait until something follows. Each hands on spans of the chunk as long as
 * nothing is changed in them, so that most bytes are read in place by the hash. No stage is given a
 * span that ends between CR and LF. */

enum {
	BLOCK = 16, /* bytes that are looked at together */
	WHOLE = 512, /* a span as long is hashed where it stands */
	RECORD = 2048 /* line_length_limit of Postfix: its records of a body line */
};

static const unsigned char crlf[2] = {'\r', '\n'};
static const unsigned char cut[3] = {'\r', '\n', ' '};

static void hash_gathered(struct mg_dkim_body *body)
{
	if (body->gathered > 0)
		mg_sha256_add(body->hash, body->pieces, body->gathered);
	body->gathered = 0;
}

static void hash_span(struct mg_dkim_body *body, const unsigned char *span, size_t length)
{
	if (length >= WHOLE) {
		hash_gathered(body);
		mg_sha256_add(body->hash, span, length);
		return;
	}
	if (length > sizeof body->pieces - body->gathered)
		hash_gathered(body);
	memcpy(body->pieces + body->gathered, span, length);
	body->gathered += length;
}

/* The last stage: CRLFs at the end wait. */
static void add_text(struct mg_dkim_body *body, const unsigned char *text, size_t length)
{
	size_t blank_lines = 0;

	while (length >= sizeof crlf && text[length - 1] == '\n' && text[length - 2] == '\r') {
		length -= sizeof crlf;
		blank_lines++;
	}
	if (length > 0) {
		for (; body->blank_lines > 0; body->blank_lines--)
			hash_span(body, crlf, sizeof crlf);
		hash_span(body, text, length);
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

static block load(const unsigned char *place)
{
	block loaded;

	memcpy(&loaded, place, sizeof loaded);
	return loaded;
}

/* Index of the first byte that is not zero; BLOCK: there is none. */
static size_t first_set(block marks)
{
	uint64_t halves[2];

	memcpy(halves, &marks, sizeof halves);
	if ((halves[0] | halves[1]) == 0)
		return BLOCK;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	halves[0] = __builtin_bswap64(halves[0]);
	halves[1] = __builtin_bswap64(halves[1]);
#endif
	return halves[0] != 0 ? (size_t)__builtin_ctzll(halves[0]) / 8
			      : 8 + (size_t)__builtin_ctzll(halves[1]) / 8;
}

/* The first place that may look otherwise in relaxed form: a tab, or a blank before a blank, a
 * control (of which only CR matters) or the end. */
static const unsigned char *find_white(const unsigned char *place, const unsigned char *end)
{
	while (end - place > BLOCK) {
		block here = load(place), next = load(place + 1);
		size_t first = first_set((block)((here == '\t') | ((here == ' ') & (next <= ' '))));

		if (first < BLOCK)
			return place + first;
		place += BLOCK;
	}
	while (place < end &&
		!(*place == '\t' || (*place == ' ' && (place + 1 == end || place[1] <= ' '))))
		place++;
	return place;
}

static const unsigned char *skip_white(const unsigned char *place, const unsigned char *end)
{
	while (place < end && is_blank(*place))
		place++;
	return place;
}

/* The middle stage for the relaxed form: a run of white space becomes one blank, or nothing before
 * the end of the line. */
static void relax(struct mg_dkim_body *body, const unsigned char *place, const unsigned char *end)
{
	while (place < end) {
		const unsigned char *text = skip_white(place, end), *white;

		if (text > place)
			body->blank = true;
		if (text == end)
			return;
		if (body->blank && !is_line_end(text, end))
			add_text(body, (const unsigned char *)" ", 1);
		body->blank = false;
		white = find_white(text, end);
		add_text(body, text, (size_t)(white - text));
		place = white;
	}
}

static void add_span(
	struct mg_dkim_body *body, const unsigned char *start, const unsigned char *end)
{
	if (start == end)
		return;
	if (body->form == MG_DKIM_RELAXED)
		relax(body, start, end);
	else
		add_text(body, start, (size_t)(end - start));
}

/* Behind the last CRLF, NULL when there is none. */
static const unsigned char *after_last_line_end(const unsigned char *start, size_t length)
{
	const unsigned char *found;

	while (length >= 2 && (found = memrchr(start + 1, '\n', length - 1)) != NULL) {
		if (found[-1] == '\r')
			return found + 1;
		length = (size_t)(found - start);
	}
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
	body->line = body->column = body->blank_lines = body->gathered = 0;
	body->blank = body->carriage_return = body->any = false;
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
	if (body->any || body->form == MG_DKIM_SIMPLE)
		hash_span(body, crlf, sizeof crlf);
	hash_gathered(body);
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
	bool blank; /* white space that counts only if text follows */
	bool begun; /* there was text */
};

static void add_relaxed(struct field *field, const unsigned char *place, const unsigned char *end)
{
	while (place < end) {
		const unsigned char *text = skip_white(place, end), *white;

		if (text > place)
			field->blank = true;
		if (text == end)
			return;
		if (field->blank && field->begun)
			mg_buf_add_char(field->out, ' ');
		field->blank = false;
		field->begun = true;
		white = find_white(text, end);
		mg_buf_add(field->out, text, (size_t)(white - text));
		place = white;
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
			field->blank = true;
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
	struct field field = {.form = form, .out = out};
	size_t room;

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
