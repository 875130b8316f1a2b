/* SPDX-License-Identifier: ISC */
#include "mime_messages.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { MIB = 1024 * 1024, BASE64_LINE = 76, MANY = 1000000 };

static uint64_t random_state = 7;

static unsigned random_below(unsigned limit)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(random_state >> 33) % limit;
}

static void add(struct mg_buf *message, const char *text)
{
	mg_buf_add(message, text, strlen(text));
}

static void repeat(struct mg_buf *message, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(message, text);
}

/* --- pieces --- */

static void add_header(struct mg_buf *message)
{
	add(message, "Received: from mail.example.net (mail.example.net [192.0.2.25])\r\n"
		     "\tby mx.example.com (Postfix) with ESMTPS id 4XyZ1234abcd\r\n"
		     "\tfor <someone@example.com>; Mon, 20 Jul 2026 10:00:00 +0200 (CEST)\r\n"
		     "Date: Mon, 20 Jul 2026 09:59:58 +0200\r\n"
		     "From: Some One <some.one@example.net>\r\n"
		     "To: Someone Else <someone@example.com>\r\n"
		     "Subject: =?UTF-8?Q?Caf=C3=A9_on_Monday?=\r\n"
		     "Message-ID: <20260720095958.1234@example.net>\r\n"
		     "MIME-Version: 1.0\r\n");
}

static void add_word(struct mg_buf *message)
{
	for (unsigned letters = 1 + random_below(9); letters > 0; letters--)
		mg_buf_add_char(message, (char)('a' + random_below(26)));
}

/* Lines of words. */
static void add_text(struct mg_buf *message, size_t length)
{
	size_t end = message->length + length, line = message->length;

	while (message->length < end) {
		add_word(message);
		if (message->length - line < 66) {
			mg_buf_add_char(message, ' ');
			continue;
		}
		add(message, "\r\n");
		line = message->length;
	}
	add(message, "\r\n");
}

static void add_base64(struct mg_buf *message, size_t length)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < length / BASE64_LINE; i++) {
		for (int j = 0; j < BASE64_LINE; j++)
			mg_buf_add_char(message, digits[random_below(64)]);
		add(message, "\r\n");
	}
}

/* Quoted-printable text as mailers write it: letters with accents, lines cut at 76. */
static void add_quoted_printable(struct mg_buf *message, size_t length)
{
	size_t end = message->length + length, line = message->length;

	while (message->length < end) {
		add_word(message);
		add(message, random_below(8) == 0 ? "=C3=A9 " : " ");
		if (message->length - line < 62)
			continue;
		add(message, random_below(5) == 0 ? "end.\r\n" : "=\r\n");
		line = message->length;
	}
	add(message, "\r\n");
}

/* HTML of newsletters: attributes, so many "=3D". */
static void add_html(struct mg_buf *message, size_t length)
{
	size_t end = message->length + length;

	while (message->length < end) {
		add(message, "<tr><td align=3D\"left\" style=3D\"padding:0 4px\">");
		add_word(message);
		add(message, "<a href=3D\"htt=\r\nps://www.example.com/\">");
		add_word(message);
		add(message, " ");
		add_word(message);
		add(message, "</a></td></tr>\r\n");
	}
}

static void add_part(
	struct mg_buf *message, const char *boundary, const char *type, const char *encoding)
{
	mg_buf_add_format(message,
		"\r\n--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n", boundary,
		type, encoding);
}

static void add_attachment(struct mg_buf *message, const char *type, size_t length)
{
	mg_buf_add_format(message,
		"\r\n--=_outer_4711\r\nContent-Type: %s; name=\"a file.bin\"\r\n"
		"Content-Disposition: attachment; filename=\"a file.bin\"\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n",
		type);
	add_base64(message, length);
}

static void add_outer(struct mg_buf *message)
{
	add_header(message);
	add(message, "Content-Type: multipart/mixed; boundary=\"=_outer_4711\"\r\n\r\n"
		     "This is a message in MIME format.\r\n");
}

/* --- usual messages --- */

static void make_text(struct mg_buf *message)
{
	add_header(message);
	add(message, "Content-Type: text/plain; charset=utf-8\r\n"
		     "Content-Transfer-Encoding: 8bit\r\n\r\n");
	add_text(message, 850);
}

static void make_html(struct mg_buf *message)
{
	add_outer(message);
	add(message, "\r\n--=_outer_4711\r\n"
		     "Content-Type: multipart/alternative; boundary=\"=_inner_4712\"\r\n\r\n");
	add_part(message, "=_inner_4712", "text/plain; charset=utf-8", "quoted-printable");
	add_quoted_printable(message, 8 * 1024);
	add_part(message, "=_inner_4712", "text/html; charset=utf-8", "quoted-printable");
	add_html(message, 20 * 1024);
	add(message, "\r\n--=_inner_4712--\r\n");
	add_attachment(message, "application/octet-stream", 8 * 1024);
	add(message, "\r\n--=_outer_4711--\r\n");
}

static void make_documents(struct mg_buf *message)
{
	add_outer(message);
	add_part(message, "=_outer_4711", "text/plain", "7bit");
	add_text(message, 2000);
	add_attachment(message, "application/vnd.oasis.opendocument.text", 300 * 1024);
	add_attachment(message, "image/jpeg", 600 * 1024);
	add(message, "\r\n--=_outer_4711--\r\n");
}

static void make_large(struct mg_buf *message)
{
	add_outer(message);
	for (int i = 0; i < 6; i++)
		add_attachment(message, "application/octet-stream", 41 * MIB / 10);
	add(message, "\r\n--=_outer_4711--\r\n");
}

static void make_base64_text(struct mg_buf *message)
{
	add_header(message);
	add(message, "Content-Type: text/plain; charset=utf-8\r\n"
		     "Content-Transfer-Encoding: base64\r\n\r\n");
	add_base64(message, 25 * MIB);
}

/* --- hostile ones --- */

static void make_nested(struct mg_buf *message)
{
	add(message, "Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
	for (int i = 1; i <= 100000; i++)
		mg_buf_add_format(message,
			"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i - 1, i);
}

static void make_messages(struct mg_buf *message)
{
	repeat(message, "Content-Type: message/rfc822\r\n\r\n", 100000);
}

static void make_headers(struct mg_buf *message)
{
	add(message, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n");
	repeat(message, "X-Name: value\r\n", MANY);
}

static void make_parts(struct mg_buf *message)
{
	add(message, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	repeat(message, "--b\r\n\r\n\r\n", MANY);
}

/* Multiparts in each other, of boundaries that differ in one character; then lines like them. */
static void make_boundaries(struct mg_buf *message, unsigned levels, const char *line)
{
	static const char format[] = "%s%.*s%c%.*s%s";
	static const char same[] = "x1234567890123456789012345678901";
	enum { LENGTH = sizeof(same) - 1 };

	for (unsigned i = 0; i < levels; i++) {
		if (i > 0)
			mg_buf_add_format(message, format, "--", LENGTH, same, 'A' + i - 1, LENGTH,
				same, "\r\n");
		mg_buf_add_format(message, format,
			"Content-Type: multipart/mixed; boundary=", LENGTH, same, 'A' + i, LENGTH,
			same, "\r\n\r\n");
	}
	repeat(message, line, 2 * MANY);
}

static void make_near(struct mg_buf *message)
{
	make_boundaries(message, 32, "--x1234567\r\n");
}

static void make_nearest(struct mg_buf *message)
{
	make_boundaries(message, 32,
		"--x1234567890123456789012345678901~x1234567890123456789012345678901\r\n");
}

static void make_long_field(struct mg_buf *message)
{
	add(message, "Content-Type: message/rfc822\r\n\r\nSubject: ");
	repeat(message, "x", 25 * MIB);
}

static void make_folds(struct mg_buf *message)
{
	add(message, "Content-Type: message/rfc822\r\n\r\nSubject: x");
	repeat(message, "\r\n x", MANY);
}

static void make_addresses(struct mg_buf *message)
{
	add(message, "Content-Type: message/rfc822\r\n\r\nCc: a@example.com");
	repeat(message, ",\r\n a@example.com", MANY);
}

static void make_pieces(struct mg_buf *message)
{
	add(message, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		     "Content-Type: multipart/mixed");
	for (int i = 0; i < 100000; i++)
		mg_buf_add_format(message, ";\r\n boundary*%d*=b", i);
}

static void make_words(struct mg_buf *message)
{
	add(message, "Content-Type: message/rfc822\r\n\r\nSubject:");
	repeat(message, "\r\n =?utf-8?q?=C3=A9?=", 300000);
}

static void make_single(struct mg_buf *message)
{
	add(message, "Content-Transfer-Encoding: base64\r\n\r\n");
	repeat(message, "Q\r\n", 8 * MIB);
}

static void make_odd(struct mg_buf *message)
{
	add(message, "Content-Transfer-Encoding: base64\r\n\r\n");
	repeat(message, "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa!\r\n", MIB / 2);
}

static void make_escapes(struct mg_buf *message)
{
	add(message, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	repeat(message, "=C3=A9", 4 * MIB);
}

static void make_broken_escapes(struct mg_buf *message)
{
	add(message, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	repeat(message, "= ", 12 * MIB);
}

static void make_blanks(struct mg_buf *message)
{
	add(message, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	repeat(message, " ", 25 * MIB);
}

static void make_blank_runs(struct mg_buf *message)
{
	add(message, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	repeat(message,
		"=                                                                              "
		"                                                 \r",
		200000);
}

/* Encoded messages in each other, as deep as they are opened, and the lines in the last one. */
static void make_encoded(struct mg_buf *message)
{
	repeat(message,
		"Content-Type: message/rfc822\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
		4);
	make_boundaries(message, 27, "--x1234567\r\n");
}

static void make_dashes(struct mg_buf *message)
{
	add(message, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
	repeat(message, "\n--", 8 * MIB);
}

const struct mime_kind mime_kinds[] = {
	{"text, 1.5 KB", make_text},
	{"text and HTML, 38 KB", make_html},
	{"documents, 0.9 MB", make_documents},
	{"six files, 25 MB", make_large},
	{"base64 text, 25 MB", make_base64_text},
	{"multiparts in each other, 100,000", make_nested},
	{"messages in each other, 100,000", make_messages},
	{"fields of a part, 1,000,000", make_headers},
	{"empty parts, 1,000,000", make_parts},
	{"near boundaries, 2,000,000", make_near},
	{"nearest boundaries, 2,000,000", make_nearest},
	{"a field of 25 MB", make_long_field},
	{"folds, 1,000,000", make_folds},
	{"addresses, 1,000,000", make_addresses},
	{"pieces of a boundary, 100,000", make_pieces},
	{"encoded words, 300,000", make_words},
	{"base64 in lines of one, 8,000,000", make_single},
	{"base64 in odd lines, 25 MB", make_odd},
	{"escapes, 8,000,000", make_escapes},
	{"broken escapes, 12,000,000", make_broken_escapes},
	{"blanks, 25 MB", make_blanks},
	{"runs of blanks, 25 MB", make_blank_runs},
	{"boundaries in encoded messages", make_encoded},
	{"dashes, 8,000,000 lines", make_dashes},
	{NULL, NULL},
};
