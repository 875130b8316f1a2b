/* SPDX-License-Identifier: ISC */
#include "dkim_letters.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "auth/dkim_sign.h"

#define FROM "From: Ann <ann@example.org>\r\n"
#define BODY "\r\nHello,\r\n\r\n  two  blanks \t\r\nend\r\n\r\n\r\n"

static const struct {
	const char *name, *text;
} fixed[] = {
	{"plain", FROM
		"To: bob@example.net\r\nSubject: Hello\r\n"
		"Date: Tue, 24 Nov 2026 12:49:13 +0100\r\nMessage-ID: <1@example.org>\r\n" BODY},
	{"from-alone", FROM BODY},
	{"no-body", FROM "Subject: no body\r\n\r\n"},
	{"empty-lines-only", FROM "Subject: lines\r\n\r\n\r\n\r\n\r\n"},
	{"no-line-end", FROM "\r\nno line end"},
	{"blank-at-the-end", FROM "\r\nno line end \t"},
	{"blank-line-at-the-end", FROM "\r\ntext\r\n \r\n\t\r\n"},
	{"empty-values", FROM "Subject:\r\nTo: \r\nCc:\t\r\nReply-To:  \t \r\n" BODY},
	{"no-blank-after-the-colon",
		"From:ann@example.org\r\nSubject:x\r\nTo:bob@example.net\r\n" BODY},
	{"folded-with-tabs",
		"From: Ann\r\n\t<ann@example.org>\r\nTo: a@example.net,\r\n\t\tb@example.net,"
		"\r\n \t c@example.net\r\n" BODY},
	{"folded-at-the-begin", "From:\r\n ann@example.org\r\nSubject:\r\n\t\r\n x\r\n" BODY},
	{"blanks-at-line-ends",
		"From: ann@example.org  \t\r\nSubject: a \t \r\n \t b  \r\nTo:  x\r\n" BODY},
	{"last-line-blank", FROM "Subject: x\r\n \r\nTo: y\r\n\t\r\n" BODY},
	{"eight-bit", "From: J\xc3\xbcrgen <ann@example.org>\r\nSubject: Gr\xfc\xdf"
		      "e\r\n\r\n"
		      "\xe4\xf6\xfc \x80\xff\r\n"},
	{"repeated-fields",
		FROM "To: first\r\nTo: second\r\nSubject: one\r\nCc: a\r\nSubject: two\r\n"
		     "To: third\r\nComments: not signed\r\n" BODY},
	{"names-in-odd-case",
		"fROM: ann@example.org\r\nSUBJECT: x\r\nmessage-id: <2@example.org>\r\n"
		"MIME-VERSION: 1.0\r\ncontent-TYPE: text/plain\r\n" BODY},
	{"a-newsletter",
		FROM "List-Id: <news.example.org>\r\n"
		     "List-Unsubscribe: <https://example.org/u?i=1;k=2>\r\n"
		     "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nFeedback-ID: a:b:c:d\r\n"
		     "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
		     "Content-Transfer-Encoding: quoted-printable\r\n" BODY},
	{"been-signed-before",
		"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=from; bh=; b=\r\n"
		"Received: from a by b; Tue, 24 Nov 2026 12:49:13 +0100\r\n" FROM
		"Return-Path: <x@example.org>\r\n" BODY},
	{"like-tags",
		"From: \"v=1; h=from; b=abc\" <ann@example.org>\r\nSubject: b=; b = x; bh=\r\n" BODY},
	{"blank-before-the-colon", FROM "Subject : x\r\nTo :y\r\n" BODY},
	{"dots", FROM "\r\n.\r\n..\r\n.x\r\n"},
};

static size_t field_end(const char *text, size_t at, size_t length)
{
	while (at + 1 < length) {
		if (text[at] == '\r' && text[at + 1] == '\n' &&
			(at + 2 == length || (text[at + 2] != ' ' && text[at + 2] != '\t')))
			return at;
		at++;
	}
	assert(!"a letter ends in its header");
	return length;
}

void letter_read(struct letter *letter, const char *name, const char *text, size_t length)
{
	size_t at = 0;

	memset(letter, 0, sizeof(*letter));
	letter->name = name;
	mg_buf_add(&letter->text, text, length);
	assert(!letter->text.failed);
	text = letter->text.data;
	while (text[at] != '\r') {
		size_t end = field_end(text, at, length);
		const char *colon = memchr(text + at, ':', end - at);
		struct mg_header *header = &letter->headers[letter->header_count++];

		assert(colon != NULL && letter->header_count < LETTER_HEADERS_MAX);
		header->name = text + at;
		header->name_length = (size_t)(colon - text) - at;
		header->value = colon + 1;
		header->value_length = end - at - header->name_length - 1;
		at = end + 2;
	}
	letter->body = text + at + 2;
	letter->body_length = length - at - 2;
}

void letter_free(struct letter *letter)
{
	mg_buf_free(&letter->text);
}

static void add_times(struct mg_buf *text, size_t count, const char *piece)
{
	for (size_t i = 0; i < count; i++)
		mg_buf_add_text(text, piece);
}

static void add_long_references(struct mg_buf *text)
{
	mg_buf_add_text(text, FROM "References:");
	add_times(text, 200, "\r\n <20261124114913.7.acme.example.longer@mail.example.org>");
	mg_buf_add_text(text, "\r\n" BODY);
}

static void add_huge_field(struct mg_buf *text)
{
	mg_buf_add_text(text, FROM "Subject: ");
	add_times(text, 6000, "ten octets");
	mg_buf_add_text(text, "\r\n" BODY);
}

static void add_many_fields(struct mg_buf *text)
{
	mg_buf_add_text(text, FROM);
	for (int i = 0; i < 998; i++)
		mg_buf_add_format(text, "%s: field %d\r\n", i % 25 == 0 ? "Cc" : "X-Field", i);
	mg_buf_add_text(text, "Subject: many\r\n" BODY);
}

static void add_large_body(struct mg_buf *text)
{
	mg_buf_add_text(text, FROM "Subject: large\r\n\r\n");
	for (int i = 0; i < 3000; i++)
		mg_buf_add_format(text, "line %d %*s\t \r\n", i, i % 70, "");
	add_times(text, 100, "\r\n");
}

static const struct {
	const char *name;
	void (*add)(struct mg_buf *text);
} made[] = {
	{"long-references", add_long_references},
	{"field-of-60-kb", add_huge_field},
	{"thousand-fields", add_many_fields},
	{"large-body", add_large_body},
};

static struct letter *letter_new(const char *name, const char *text, size_t length)
{
	struct letter *letter = malloc(sizeof(*letter));

	assert(letter != NULL);
	letter_read(letter, name, text, length);
	return letter;
}

size_t letters_make(struct letter *letters[LETTERS_MAX])
{
	struct mg_buf text = {.limit = 0};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		letters[count++] = letter_new(fixed[i].name, fixed[i].text, strlen(fixed[i].text));
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		mg_buf_reset(&text);
		made[i].add(&text);
		letters[count++] = letter_new(made[i].name, text.data, text.length);
	}
	mg_buf_free(&text);
	return count;
}

/* xorshift64: the same everywhere. */
static size_t draw(uint64_t *state, size_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (size_t)(*state >> 11) % below;
}

static void add_drawn(
	struct mg_buf *text, uint64_t *state, size_t most, const char *const pieces[], size_t count)
{
	for (size_t left = draw(state, most + 1); left > 0; left--)
		mg_buf_add_text(text, pieces[draw(state, count)]);
}

struct letter *letter_random(uint64_t number)
{
	static const char *const names[] = {"To", "tO", "Subject", "SUBJECT", "Cc", "Reply-To",
		"Date", "X-Own", "List-Id", "Content-Type", "References", "Subjec", "Subjects"};
	/* No form feed: libopendkim takes it for white space in relaxed fields; RFC 6376 does not. */
	static const char *const value[] = {" ", "\t", "  ", "\r\n ", "\r\n\t", " \r\n  ", "x",
		"two words", ":", ";", "=", "b=", "\xc3\xa4", "\xff", "\x01",
		"DKIM-Signature:"};
	static const char *const body[] = {
		" ", "\t", "\r\n", "\r\n\r\n", "x", "two words", ".", "\xe4", " \r\n", "\f"};
	uint64_t state = number * 0x9e3779b97f4a7c15 + 1;
	struct mg_buf text = {.limit = 0};
	size_t count = draw(&state, 10), from = draw(&state, count + 1);
	struct letter *letter;

	for (size_t i = 0; i <= count; i++) {
		mg_buf_add_text(&text, i == from ? "From" : names[draw(&state, 13)]);
		mg_buf_add_text(&text, i == from ? ":ann@example.org" : ":");
		add_drawn(&text, &state, 12, value, sizeof(value) / sizeof(value[0]));
		mg_buf_add_text(&text, "\r\n");
	}
	mg_buf_add_text(&text, "\r\n");
	add_drawn(&text, &state, 20, body, sizeof(body) / sizeof(body[0]));
	letter = letter_new("random", text.data, text.length);
	mg_buf_free(&text);
	return letter;
}

void letters_free(struct letter *letters[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		letter_free(letters[i]);
		free(letters[i]);
	}
}

void letter_sign(const struct letter *letter, const struct mg_dkim_names *names,
	const struct mg_dkim_key *key, enum mg_dkim_form header_form, enum mg_dkim_form body_form,
	struct mg_buf *field)
{
	unsigned char body_hash[MG_SHA256_SIZE];
	struct mg_dkim_body body;
	struct mg_dkim_signing signing = {.headers = letter->headers,
		.header_count = letter->header_count,
		.names = names,
		.header_form = header_form,
		.body_form = body_form,
		.body_hash = body_hash,
		.domain = LETTER_DOMAIN,
		.selector = LETTER_SELECTOR,
		.identity = "",
		.key = key,
		.time = 1700000000};
	bool good;

	good = mg_dkim_body_begin(&body, body_form, 0);
	assert(good);
	mg_dkim_body_add(&body, (const unsigned char *)letter->body, letter->body_length);
	good = mg_dkim_body_end(&body, body_hash);
	assert(good);
	mg_buf_add_text(field, "DKIM-Signature:");
	good = mg_dkim_sign(&signing, field, NULL) == 0;
	assert(good);
	(void)good;
}
