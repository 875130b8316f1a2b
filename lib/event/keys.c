/* SPDX-License-Identifier: ISC */
#include "event/keys.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum { REF = 8 };

enum key_kind {
	KEY_INSIDE, /* an object with keys in it */
	KEY_EXACT,
	KEY_FOLD,
	KEY_REF
};

/* The members that are keys, or have some in them: a tree, by the parts of the fields' names. */
struct key_node {
	const char *name;
	size_t length;
	enum key_kind kind;
	const struct key_node *members;
	size_t count;
};
#define LEAF(text, which) \
	{ \
		.name = (text), .length = sizeof(text) - 1, .kind = (which) \
	}
#define INSIDE(text, table) \
	{ \
		.name = (text), .length = sizeof(text) - 1, .kind = KEY_INSIDE, \
		.members = (table), .count = sizeof(table) / sizeof(table)[0] \
	}

static const struct key_node address[] = {LEAF("address", KEY_FOLD)};
static const struct key_node delivery[] = {
	LEAF("recipient", KEY_FOLD), LEAF("orig_recipient", KEY_FOLD)};
static const struct key_node email[] = {LEAF("local_id", KEY_EXACT), LEAF("message_id", KEY_EXACT),
	INSIDE("sender", address), INSIDE("to", address), INSIDE("from", address)};
static const struct key_node event[] = {LEAF("id", KEY_REF)};
static const struct key_node header[] = {LEAF("to", KEY_FOLD), LEAF("cc", KEY_FOLD)};
static const struct key_node link[] = {LEAF("parent", KEY_EXACT), LEAF("child", KEY_EXACT)};
static const struct key_node session[] = {LEAF("key", KEY_EXACT), LEAF("traces", KEY_EXACT)};
static const struct key_node millgate[] = {INSIDE("session", session), INSIDE("header", header),
	INSIDE("delivery", delivery), INSIDE("link", link)};
static const struct key_node trace[] = {LEAF("id", KEY_EXACT)};
static const struct key_node top[] = {INSIDE("trace", trace), INSIDE("email", email),
	INSIDE("millgate", millgate), INSIDE("event", event)};
static const struct key_node root = INSIDE("", top);

struct scanner {
	const char *at, *end;
	struct mg_buf *scratch;
	mg_keys_use *use;
	void *context;
	bool ended; /* use wants no more */
};

/* Bytes of a string, without its quotes. */
struct span {
	const char *text;
	size_t length;
	bool escaped;
};

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

static void skip_blanks(struct scanner *scanner)
{
	while (scanner->at < scanner->end && is_blank(*scanner->at))
		scanner->at++;
}

/* Whether the next character but blanks is this one; then it is passed. */
static bool take(struct scanner *scanner, char character)
{
	skip_blanks(scanner);
	if (scanner->at == scanner->end || *scanner->at != character)
		return false;
	scanner->at++;
	return true;
}

/* The bytes of a word that are this character have their highest bit set, up to the first of them
 * no others. */
static uint64_t equal_bytes(uint64_t word, char character)
{
	uint64_t other = word ^ UINT64_C(0x0101010101010101) * (unsigned char)character;

	return (other - UINT64_C(0x0101010101010101)) & ~other & UINT64_C(0x8080808080808080);
}

/* The next quote or backslash; end when there is none. Eight bytes a step: most of a line is
 * text. */
static const char *find_mark(const char *at, const char *end)
{
	while (end - at >= 8) {
		uint64_t word, marks;

		memcpy(&word, at, sizeof word);
		word = le64toh(word);
		marks = equal_bytes(word, '"') | equal_bytes(word, '\\');
		if (marks != 0)
			return at + __builtin_ctzll(marks) / 8;
		at += 8;
	}
	while (at < end && *at != '"' && *at != '\\')
		at++;
	return at;
}

/* A string from behind its first quote on. */
static bool read_rest_of_string(struct scanner *scanner, struct span *span)
{
	const char *at = find_mark(scanner->at, scanner->end);

	*span = (struct span){.text = scanner->at};
	while (scanner->end - at >= 2 && *at == '\\') {
		span->escaped = true;
		at = find_mark(at + 2, scanner->end);
	}
	if (at == scanner->end || *at != '"')
		return false;
	span->length = (size_t)(at - span->text);
	scanner->at = at + 1;
	return true;
}

/* --- escapes --- */

static int hex_digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character = (char)(character | 0x20);
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* The number of \uXXXX from its digits on, -1 when it is none. */
static long read_unit(const char *at, const char *end)
{
	long unit = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

static void add_utf8(struct mg_buf *out, uint32_t code)
{
	if (code < 0x80) {
		mg_buf_add_char(out, (char)code);
		return;
	}
	if (code < 0x800) {
		mg_buf_add_char(out, (char)(0xc0 | code >> 6));
	} else if (code < 0x10000) {
		mg_buf_add_char(out, (char)(0xe0 | code >> 12));
		mg_buf_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
	} else {
		mg_buf_add_char(out, (char)(0xf0 | code >> 18));
		mg_buf_add_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
		mg_buf_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
	}
	mg_buf_add_char(out, (char)(0x80 | (code & 0x3f)));
}

/* Adds the character of \u at its first digit; where reading goes on, NULL when it is none. */
static const char *decode_unicode(const char *at, const char *end, struct mg_buf *out)
{
	long unit = read_unit(at, end), low;

	if (unit < 0)
		return NULL;
	at += 4;
	if (unit < 0xd800 || unit > 0xdfff) {
		add_utf8(out, (uint32_t)unit);
		return at;
	}
	/* Two of them are one character above U+FFFF (RFC 8259 section 7). */
	low = end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? read_unit(at + 2, end) : -1;
	if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return NULL;
	add_utf8(out, 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
	return at + 6;
}

/* The text of a span, from scratch when it has escapes; false when it is none. */
static bool decode(struct scanner *scanner, struct span *span)
{
	static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *at = span->text, *end = at + span->length;
	struct mg_buf *out = scanner->scratch;

	if (!span->escaped)
		return true;
	mg_buf_reset(out);
	while (at < end) {
		const char *slash = memchr(at, '\\', (size_t)(end - at)), *escape;

		mg_buf_add(out, at, (size_t)((slash != NULL ? slash : end) - at));
		if (slash == NULL)
			break;
		at = slash + 2; /* a string does not end in a backslash */
		escape = memchr(escapes, slash[1], sizeof escapes - 1);
		if (escape != NULL)
			mg_buf_add_char(out, meant[escape - escapes]);
		else if (slash[1] != 'u' || (at = decode_unicode(at, end, out)) == NULL)
			return false;
	}
	span->text = mg_buf_text(out);
	span->length = out->length;
	return !out->failed;
}

/* --- values --- */

/* The end of a string from behind its first quote on, NULL when it has none. */
static const char *skip_string(const char *at, const char *end)
{
	at = find_mark(at, end);
	while (end - at >= 2 && *at == '\\')
		at = find_mark(at + 2, end);
	return at < end && *at == '"' ? at + 1 : NULL;
}

/* Passes a value that has no keys. */
static bool skip_value(struct scanner *scanner)
{
	const char *at = scanner->at, *end = scanner->end;
	size_t depth = 0;

	while (at < end) {
		switch (*at) {
		case '"':
			at = skip_string(at + 1, end);
			if (at == NULL)
				return false;
			continue;
		case '{':
		case '[': depth++; break;
		case '}':
		case ']':
			if (depth == 0)
				goto found;
			depth--;
			break;
		case ',':
			if (depth == 0)
				goto found;
			break;
		default: break;
		}
		at++;
	}
	return false;
found:
	scanner->at = at;
	return true;
}

static bool use_text(struct scanner *scanner, const struct key_node *node)
{
	struct span span;

	if (!read_rest_of_string(scanner, &span) || !decode(scanner, &span))
		return false;
	if (node->kind == KEY_REF && span.length > REF) {
		span.text += span.length - REF;
		span.length = REF;
	}
	if (span.length > 0)
		scanner->ended = !scanner->use(
			scanner->context, span.text, span.length, node->kind != KEY_EXACT);
	return true;
}

/* A text, or the texts of a list; other values are none. */
static bool read_leaf(struct scanner *scanner, const struct key_node *node)
{
	if (take(scanner, '"'))
		return use_text(scanner, node);
	if (!take(scanner, '['))
		return skip_value(scanner);
	if (take(scanner, ']'))
		return true;
	do {
		if (!(take(scanner, '"') ? use_text(scanner, node) : skip_value(scanner)))
			return false;
		if (scanner->ended)
			return true;
	} while (take(scanner, ','));
	return take(scanner, ']');
}

static const struct key_node *find_member(const struct key_node *node, const struct span *name)
{
	for (size_t i = 0; i < node->count; i++)
		if (node->members[i].length == name->length &&
			memcmp(node->members[i].name, name->text, name->length) == 0)
			return &node->members[i];
	return NULL;
}

/* An object from behind its brace on. As deep as the tree of keys, no deeper. */
static bool read_object(
	struct scanner *scanner, const struct key_node *node) /* NOLINT(misc-no-recursion) */
{
	if (take(scanner, '}'))
		return true;
	do {
		const struct key_node *member;
		struct span name;
		bool good;

		if (!take(scanner, '"') || !read_rest_of_string(scanner, &name) ||
			!decode(scanner, &name) || !take(scanner, ':'))
			return false;
		member = find_member(node, &name);
		if (member == NULL)
			good = skip_value(scanner);
		else if (member->kind != KEY_INSIDE)
			good = read_leaf(scanner, member);
		else
			good = take(scanner, '{') ? read_object(scanner, member)
						  : skip_value(scanner);
		if (!good || scanner->ended)
			return good;
	} while (take(scanner, ','));
	return take(scanner, '}');
}

bool mg_keys_each(
	const char *line, size_t length, struct mg_buf *scratch, mg_keys_use *use, void *context)
{
	struct scanner scanner = {.at = line,
		.end = line + length,
		.scratch = scratch,
		.use = use,
		.context = context};

	return take(&scanner, '{') && read_object(&scanner, &root);
}
