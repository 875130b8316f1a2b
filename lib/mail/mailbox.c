/* SPDX-License-Identifier: ISC */
#include "mail/mailbox.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "mail/header.h"
#include "mail/message.h"

enum {
	MAILBOXES_MAX = 1000,
	ADDRESS_MAX = 1024,
	NAME_MAX_BYTES = 1024,
	PHRASE_MAX = 16 * 1024 /* of a name, before it is decoded */
};

struct parser {
	const char *at, *end;
	void (*each)(void *context, const struct mg_mailbox *);
	void *context;
	int told;
	bool skipped;
	bool open_quote,
		open_comment; /* one without an end was found: there are no others with one */

	/* The mailbox that is being read. A word is part of the name or of the address; which, only
	 * a later "<" tells, so it goes to both. */
	struct mg_buf phrase, address, comment;
	bool in_angle, in_literal;
	bool after_angle; /* a mailbox in <> is told, no comma came yet */
	bool blank; /* blanks or a comment came before this */
	bool two_words; /* the address is words side by side: it is none */
};

static void start_mailbox(struct parser *parser)
{
	mg_buf_reset(&parser->phrase);
	mg_buf_reset(&parser->address);
	mg_buf_reset(&parser->comment);
	parser->in_angle = parser->in_literal = parser->after_angle = false;
	parser->blank = parser->two_words = false;
}

/* Characters that stand in an address only in quotes or a domain literal (RFC 5322 section 3.2.3). */
static const char specials[] = "()<>[]:;@\\,\"";

static bool has_specials(const char *text, size_t length)
{
	bool quoted = false;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (quoted && text[i] == '\\')
			i++;
		else if (!quoted && strchr(specials, text[i]) != NULL)
			return true;
	}
	return false;
}

/* A domain, or a literal, in which quoted pairs may stand (RFC 5322 section 4.4, obs-dtext). */
static bool is_domain_text(const char *domain)
{
	const char *at = domain + 1;

	if (domain[0] != '[')
		return strpbrk(domain, specials) == NULL;
	for (; *at != '\0' && *at != '[' && *at != ']'; at++)
		if (*at == '\\' && *++at == '\0')
			return false;
	return *at == ']' && at[1] == '\0' && at > domain + 1;
}

/* Tells the mailbox whose address is complete; name: text of its name as it stands. */
static void tell(struct parser *parser, const struct mg_buf *name)
{
	struct mg_buf decoded = {.limit = NAME_MAX_BYTES};
	const char *address = mg_buf_text(&parser->address);
	const char *domain = mg_address_domain_part(address);
	struct mg_mailbox mailbox = {.address = address};

	if (parser->address.failed || parser->two_words || domain[0] == '\0' ||
		domain - address < 2) {
		parser->skipped = true;
		return;
	}
	if (has_specials(address, (size_t)(domain - address) - 1) || !is_domain_text(domain))
		parser->skipped = true;
	mg_header_decode(mg_buf_text(name), name->length, &decoded);
	if (decoded.length > 0)
		mailbox.name = decoded.data;
	if (decoded.failed || name->failed)
		parser->skipped = true;
	parser->each(parser->context, &mailbox);
	parser->told++;
	mg_buf_free(&decoded);
}

/* A comma, a semicolon, or the end. */
static void end_mailbox(struct parser *parser)
{
	if (parser->in_angle) {
		parser->skipped = true; /* ">" is missing */
		tell(parser, &parser->phrase);
	} else if (parser->address.length > 0 || parser->address.failed) {
		tell(parser, &parser->comment);
	}
	start_mailbox(parser);
}

static bool is_joint(char character)
{
	return character == '.' || character == '@';
}

/* Before a word, or a character of one, goes to the buffers. */
static void join(struct parser *parser, char first)
{
	const struct mg_buf *address = &parser->address;

	if (parser->after_angle)
		parser->skipped = true;
	if (parser->blank && parser->phrase.length > 0 && !parser->in_angle)
		mg_buf_add_char(&parser->phrase, ' ');
	if (parser->blank && address->length > 0 && !is_joint(first) &&
		!is_joint(address->data[address->length - 1]))
		parser->two_words = true;
	parser->blank = false;
}

static void take_word(struct parser *parser, const char *word, size_t length)
{
	join(parser, word[0]);
	if (!parser->in_angle)
		mg_buf_add(&parser->phrase, word, length);
	mg_buf_add(&parser->address, word, length);
	parser->at += length;
}

/* Length of what is in brackets at text, up to the one that closes the first; 0 when none does. A
 * quoted string has the same character on both sides. */
static size_t bracketed_length(const char *text, size_t length, char open, char close)
{
	size_t depth = 1;

	for (size_t i = 1; i < length; i++) {
		if (text[i] == '\\')
			i++;
		else if (text[i] == close && --depth == 0)
			return i + 1;
		else if (text[i] == open)
			depth++;
	}
	return 0;
}

static void add_unescaped(struct mg_buf *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\\' && i + 1 < length)
			i++;
		mg_buf_add_char(out, text[i]);
	}
}

static bool is_control(char character)
{
	return (unsigned char)character < ' ' || character == 0x7f;
}

/* Adds a quoted string with its quotes. Folds go; other controls are in no address (RFC 5322 section
 * 3.2.4) and go with the backslash before them. */
static void add_quoted(struct parser *parser, const char *text, size_t length)
{
	size_t step;

	for (size_t i = 0; i < length; i += step) {
		char last;

		step = text[i] == '\\' && i + 1 < length ? 2 : 1;
		last = text[i + step - 1];
		if (!is_control(last) || last == '\t')
			mg_buf_add(&parser->address, text + i, step);
		else if (step == 2 || (last != '\r' && last != '\n'))
			parser->skipped = true;
	}
}

static void take_quoted(struct parser *parser)
{
	size_t length = 0;

	if (!parser->open_quote)
		length = bracketed_length(parser->at, (size_t)(parser->end - parser->at), '"', '"');
	if (length == 0) {
		parser->open_quote = parser->skipped = true;
		parser->at++;
		return;
	}
	join(parser, '"');
	if (!parser->in_angle)
		add_unescaped(&parser->phrase, parser->at + 1, length - 2);
	add_quoted(parser, parser->at, length);
	parser->at += length;
}

static void take_comment(struct parser *parser)
{
	size_t length = 0;

	if (!parser->open_comment)
		length = bracketed_length(parser->at, (size_t)(parser->end - parser->at), '(', ')');
	if (length == 0) {
		parser->open_comment = parser->skipped = true;
		parser->at++;
		return;
	}
	mg_buf_reset(&parser->comment);
	if (length - 2 <= PHRASE_MAX)
		add_unescaped(&parser->comment, parser->at + 1, length - 2);
	parser->blank = true;
	parser->at += length;
}

static void open_angle(struct parser *parser)
{
	if (parser->in_angle || parser->after_angle)
		parser->skipped = true;
	mg_buf_reset(&parser->address);
	parser->in_angle = true;
	parser->in_literal = parser->two_words = parser->blank = false;
	parser->at++;
}

static void close_angle(struct parser *parser)
{
	if (parser->in_angle)
		tell(parser, &parser->phrase);
	else
		parser->skipped = true;
	start_mailbox(parser);
	parser->after_angle = true;
	parser->at++;
}

/* A route "<@a,@b:local@domain>" (RFC 5322 section 4.4) ends, or a group begins. */
static void take_colon(struct parser *parser)
{
	if (!parser->in_angle) {
		if (parser->phrase.length == 0)
			parser->skipped = true;
		start_mailbox(parser);
	} else if (parser->address.length > 0 && parser->address.data[0] == '@') {
		mg_buf_reset(&parser->address);
		parser->two_words = parser->blank = false;
	} else {
		parser->two_words = true;
	}
	parser->at++;
}

static void take_comma(struct parser *parser)
{
	const struct mg_buf *address = &parser->address;

	/* In a route. */
	if (parser->in_angle && (address->length == 0 || address->data[0] == '@')) {
		take_word(parser, parser->at, 1);
		return;
	}
	end_mailbox(parser);
	parser->at++;
}

/* What stands in a domain literal is taken as it is, less blanks. */
static void take_literal(struct parser *parser)
{
	char character = *parser->at;

	if (character == ']')
		parser->in_literal = false;
	if (is_control(character) || character == ' ')
		parser->at++;
	else
		take_word(parser, parser->at, 1);
}

static void take_text(struct parser *parser)
{
	const struct mg_buf *address = &parser->address;
	size_t length = mg_header_encoded_word(parser->at, (size_t)(parser->end - parser->at));

	if (is_control(*parser->at)) {
		parser->skipped = true;
		parser->at++;
		return;
	}
	if (*parser->at == '[' && address->length > 0 && address->data[address->length - 1] == '@')
		parser->in_literal = true;
	take_word(parser, parser->at, length > 0 ? length : 1);
}

static void take_next(struct parser *parser)
{
	switch (*parser->at) {
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		parser->blank = true;
		parser->at++;
		break;
	case '(': take_comment(parser); break;
	case '"': take_quoted(parser); break;
	case '<': open_angle(parser); break;
	case '>': close_angle(parser); break;
	case ':': take_colon(parser); break;
	case ',': take_comma(parser); break;
	case ';':
		end_mailbox(parser);
		parser->at++;
		break;
	default: take_text(parser); break;
	}
}

int mg_mailbox_list(const char *value, size_t length,
	void (*each)(void *context, const struct mg_mailbox *), void *context)
{
	struct parser parser = {
		.at = value,
		.end = value + length,
		.each = each,
		.context = context,
		.phrase.limit = PHRASE_MAX,
		.address.limit = ADDRESS_MAX,
	};

	while (parser.at < parser.end && parser.told < MAILBOXES_MAX) {
		if (parser.in_literal && strchr(",<>;", *parser.at) == NULL)
			take_literal(&parser);
		else
			take_next(&parser);
	}
	if (parser.at < parser.end)
		parser.skipped = true;
	else
		end_mailbox(&parser);
	mg_buf_free(&parser.phrase);
	mg_buf_free(&parser.address);
	mg_buf_free(&parser.comment);
	return parser.skipped ? -1 : parser.told;
}
