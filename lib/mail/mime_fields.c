/* SPDX-License-Identifier: ISC */
/* The fields of a header that say what a part is. A field that comes twice, and not the same, is
 * read by some programs from the first, by others from the last one: a type or an encoding that opens
 * or decodes wins, and the part is ambiguous. */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "mail/mime_private.h"
#include "mail/parameters.h"

enum { OTHERS_MAX = 4 };

void mg_mime_fields_begin(struct mg_mime *mime)
{
	struct mg_mime_kept *kept = &mime->kept;
	struct mg_mime_part *part = &mime->levels[mime->top].part;

	kept->content_type_length = kept->disposition_length = kept->content_id_length = 0;
	kept->content_type[0] = kept->disposition[0] = kept->content_id[0] = '\0';
	kept->has_encoding = false;
	part->content_type = kept->content_type;
	part->disposition = kept->disposition;
	part->content_id = kept->content_id;
}

/* Keeps the first; false: there was one. */
static bool keep(
	struct mg_mime *mime, char *kept, size_t *kept_length, const char *value, size_t length)
{
	struct mg_mime_part *part = &mime->levels[mime->top].part;

	if (length > MG_MIME_FIELD_MAX) {
		part->facts |= MG_MIME_HEADER_TOO_LARGE;
		length = MG_MIME_FIELD_MAX;
	}
	if (*kept_length > 0) {
		if (*kept_length != length || memcmp(kept, value, length) != 0)
			part->facts |= MG_MIME_AMBIGUOUS;
		return false;
	}
	memcpy(kept, value, length);
	kept[length] = '\0';
	*kept_length = length;
	return true;
}

/* Is it the first piece of a message (RFC 2046 section 5.2.2), with its header? */
static bool is_first_piece(const char *value, size_t length)
{
	struct mg_buf number = {.limit = 16};
	bool first = mg_parameters_bytes(value, length, "number", &number) &&
		     strcmp(mg_buf_text(&number), "1") == 0;

	mg_buf_free(&number);
	return first;
}

static enum mg_mime_kind kind_of(const char *type, const char *value, size_t length)
{
	static const char *const messages[] = {
		"message/rfc822", "message/global", "message/news", "message/external-body", NULL};

	if (strncmp(type, "multipart/", 10) == 0)
		return MG_MIME_MULTIPART;
	for (size_t i = 0; messages[i] != NULL; i++)
		if (strcmp(type, messages[i]) == 0)
			return MG_MIME_MESSAGE;
	if (strcmp(type, "message/partial") == 0 && is_first_piece(value, length))
		return MG_MIME_MESSAGE;
	return MG_MIME_PLAIN;
}

/* Adds the boundary of a multipart; false: it has none that can be kept. */
static bool add_boundary(struct mg_mime *mime, const char *value, size_t length)
{
	struct mg_buf boundary = {.limit = MG_MIME_BOUNDARY_MAX + 1};
	bool added = mg_parameters_bytes(value, length, "boundary", &boundary) &&
		     !boundary.failed &&
		     mg_mime_boundary_add(
			     &mime->boundaries, mg_buf_text(&boundary), boundary.length, mime->top);

	if (!added || boundary.length > MG_MIME_BOUNDARY_LEGAL)
		mime->levels[mime->top].part.facts |= MG_MIME_BAD_BOUNDARY;
	/* Some programs take blanks at its end as a part of it. */
	if (added && strchr(" \t", boundary.data[boundary.length - 1]) != NULL)
		mime->levels[mime->top].part.facts |= MG_MIME_AMBIGUOUS;
	mg_buf_free(&boundary);
	return added;
}

/* Is it "boundary*1=…"? */
static bool is_piece(const char *text, size_t length)
{
	return length > 9 && text[8] == '*' && text[9] >= '0' && text[9] <= '9';
}

/* Where the word "boundary" is in a value, from `at` on; its length: nowhere. */
static size_t find_word(const char *value, size_t length, size_t at)
{
	static const char word[] = "boundary";

	for (; length - at >= sizeof(word); at++)
		if ((value[at] | 0x20) == 'b' &&
			strncasecmp(value + at, word, sizeof(word) - 1) == 0)
			return at;
	return length;
}

/* Adds what stands behind the word each time it is there, for programs differ in which they take.
 * Pieces have been put together before. */
static void add_others(struct mg_mime *mime, const char *value, size_t length)
{
	unsigned count = mime->boundaries.count;
	size_t at = find_word(value, length, 0);

	if (at == length || find_word(value, length, at + 1) == length)
		return;
	for (int tries = 0; tries < OTHERS_MAX && at < length; tries++) {
		size_t next = find_word(value, length, at + 1);
		struct mg_buf other = {.limit = MG_MIME_BOUNDARY_MAX + 1};

		if (memchr(value + at, '=', next - at) != NULL &&
			!is_piece(value + at, next - at) &&
			mg_parameters_bytes(value + at, next - at, "boundary", &other) &&
			!other.failed)
			mg_mime_boundary_add(
				&mime->boundaries, other.data, other.length, mime->top);
		mg_buf_free(&other);
		at = next;
	}
	if (mime->boundaries.count > count)
		mime->levels[mime->top].part.facts |= MG_MIME_AMBIGUOUS;
}

static void add_type(struct mg_mime *mime, const char *value, size_t length)
{
	struct mg_mime_level *level = &mime->levels[mime->top];
	struct mg_mime_kept *kept = &mime->kept;
	bool first = keep(mime, kept->content_type, &kept->content_type_length, value, length);
	char type[MG_MIME_TYPE_SIZE];
	enum mg_mime_kind kind;

	if (!mg_parameters_type(value, length, type, sizeof(type)))
		mg_str_copy(type, sizeof(type), "text/plain");
	kind = kind_of(type, value, length);
	if (kind == MG_MIME_MULTIPART) {
		if (add_boundary(mime, value, length))
			add_others(mime, value, length);
		else
			kind = MG_MIME_PLAIN;
	}
	if (!first && kind <= level->kind)
		return;
	mg_str_copy(level->type, sizeof(level->type), type);
	level->kind = kind;
}

static void add_disposition(struct mg_mime *mime, const char *value, size_t length)
{
	keep(mime, mime->kept.disposition, &mime->kept.disposition_length, value, length);
}

static void add_content_id(struct mg_mime *mime, const char *value, size_t length)
{
	keep(mime, mime->kept.content_id, &mime->kept.content_id_length, value, length);
}

static bool read_encoding(const char *word, enum mg_transfer_encoding *encoding)
{
	static const struct {
		const char *word;
		enum mg_transfer_encoding encoding;
	} encodings[] = {
		{"7bit", MG_TRANSFER_IDENTITY},
		{"8bit", MG_TRANSFER_IDENTITY},
		{"binary", MG_TRANSFER_IDENTITY},
		{"7-bit", MG_TRANSFER_IDENTITY},
		{"8-bit", MG_TRANSFER_IDENTITY},
		{"base64", MG_TRANSFER_BASE64},
		{"quoted-printable", MG_TRANSFER_QUOTED_PRINTABLE},
		{"x-uuencode", MG_TRANSFER_UUENCODE},
		{"uuencode", MG_TRANSFER_UUENCODE},
		{"x-uue", MG_TRANSFER_UUENCODE},
		{"uue", MG_TRANSFER_UUENCODE},
	};

	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
		if (strcmp(encodings[i].word, word) == 0) {
			*encoding = encodings[i].encoding;
			return true;
		}
	return false;
}

static void add_encoding(struct mg_mime *mime, const char *value, size_t length)
{
	struct mg_mime_level *level = &mime->levels[mime->top];
	enum mg_transfer_encoding encoding = MG_TRANSFER_IDENTITY;
	char word[32];

	/* Quotes around it are forbidden and seen. */
	while (length > 0 && *value == '"') {
		value++;
		length--;
	}
	if (!mg_parameters_word(value, length, word, sizeof(word)) ||
		!read_encoding(word, &encoding))
		level->part.facts |= MG_MIME_BAD_ENCODING;
	if (mime->kept.has_encoding && encoding != level->encoding)
		level->part.facts |= MG_MIME_AMBIGUOUS;
	if (!mime->kept.has_encoding || level->encoding == MG_TRANSFER_IDENTITY)
		level->encoding = encoding;
	mime->kept.has_encoding = true;
}

void mg_mime_fields_add(struct mg_mime *mime, const char *name, size_t name_length,
	const char *value, size_t value_length)
{
	static const struct {
		const char *name;
		size_t length;
		void (*add)(struct mg_mime *mime, const char *value, size_t length);
	} fields[] = {
		{"content-type", 12, add_type},
		{"content-disposition", 19, add_disposition},
		{"content-id", 10, add_content_id},
		{"content-transfer-encoding", 25, add_encoding},
	};
	const struct mg_mime_part *part = &mime->levels[mime->top].part;

	if (part->number > 0 && mime->handler->field != NULL)
		mime->handler->field(mime->context, part, name, name_length, value, value_length);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].length == name_length &&
			strncasecmp(fields[i].name, name, name_length) == 0)
			fields[i].add(mime, value, value_length);
}
