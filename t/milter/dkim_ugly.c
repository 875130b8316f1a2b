/* SPDX-License-Identifier: ISC */
/* Messages that no mail program would write, signed through the protocol: every form, both
 * algorithms, chunks of any size; each signature must verify at the next hop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signed.h"

enum { LIMIT = 998, UGLY_MAX = 64, TALL = 300, LARGE = 1024 * 1024 };

/* Postfix makes it a blank before any milter sees it. In a relaxed body libopendkim forgets it; other
 * verifiers take it for the byte it is, as RFC 6376 section 3.4.4 has it. */
static const char bare_cr[] = "a bare CR";

static struct signed_place place;

/* The set. */
static struct {
	const char *name;
	struct mg_buf content;
} ugly[UGLY_MAX];
static size_t ugly_count;

static struct mg_buf *begin(const char *name)
{
	assert_true(ugly_count < UGLY_MAX);
	ugly[ugly_count].name = name;
	return &ugly[ugly_count++].content;
}

static void add(const char *name, const char *content, size_t length)
{
	mg_buf_add(begin(name), content, length);
}
#define ADD(name, text) add(name, text, sizeof(text) - 1)

#define FROM "From: a@example.org\n"

static void add_headers(void)
{
	ADD("no blank behind the colon", "From:a@example.org\nSubject:x\n\ntext\n");
	ADD("blanks around a value", "From: \t a@example.org \t \nSubject:   x   \n\ntext\n");
	ADD("values without text", FROM "Subject:\nTo: \nCc:\t\nDate:\n \n\ntext\n");
	ADD("folds of tabs and blanks", FROM "Subject: a\n\tb\n \t c\n   \td\n\ntext\n");
	ADD("a fold at once", FROM "Subject:\n one\nTo:\n\t<b@example.net>\n\ntext\n");
	ADD("lines of blanks in a value", FROM "Subject: a\n \n\t\n b\n\ntext\n");
	ADD("names in any case", "fROM: a@example.org\nSUBJECT: x\nsubject: y\n\ntext\n");
	ADD("fields several times", FROM
		"To: b@example.net\nSubject: 1\nTo: c@example.net\nSubject: 2\nSubject: 3\n\n");
	ADD("eight-bit text",
		FROM "Subject: caf\303\251 \377\200\nTo: \201 <b@example.net>\n\nx\n");
	ADD("colons and semicolons", FROM "Subject: a:b;c=d; :e\nTo: x: b@example.net;\n\ntext\n");
	ADD("a comment with From in it",
		FROM "Subject: From: b@example.com\n\nFrom: c@example.com\n");
	ADD("fields of lists",
		FROM "List-Id: x <y>\nList-Unsubscribe: <https://a.example/?u=1>\n"
		     "List-Unsubscribe-Post: List-Unsubscribe=One-Click\nFeedback-ID: a:b:c\n\n");
	ADD("trace fields",
		"Received: from x by y\n\twith z; date\nReturn-Path: <x@y>\nResent-From: z@y\n" FROM
		"Resent-To: q@y\nAuthentication-Results: x; dkim=pass\n\ntext\n");
}

static void add_bodies(void)
{
	ADD("no body", FROM "\n");
	ADD("a body of one empty line", FROM "\n\n");
	ADD("a body of empty lines", FROM "\n\n\n\n\n\n");
	ADD("empty lines at the end", FROM "\ntext\n\n\n\n");
	ADD("empty lines within", FROM "\n\n\na\n\n\nb\n\n");
	ADD("no line end at the end", FROM "\ntext\nmore");
	ADD("blanks at line ends", FROM "\na \nb\t\n \t \nc  \t\n \n\t\n");
	ADD("runs of blanks", FROM "\na  b\t\tc \t d\n  leading\n\tand tab\n");
	ADD("dots", FROM "\n.\n..\n.text\n. \n");
	ADD("eight-bit body", FROM "\ncaf\303\251 \377\376\200\n\240\n");
	ADD("NULs", FROM "\na\0b\0\0\n\0\n\0\0");
	ADD("control bytes", FROM "\n\001\002\013\014\033[0m\177\n\014\n");
	ADD(bare_cr, FROM "\na\rb\rc\n\rd\n");
	ADD("parts of mail in the body", FROM "\nDKIM-Signature: v=1;\n\nFrom: x\n\n--\n");
}

static void add_run(struct mg_buf *content, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mg_buf_add_text(content, text);
}

static void add_large_ones(void)
{
	static const size_t lengths[] = {997, 998, 999, 1996, 5000};
	struct mg_buf *content = begin("lines around the limit");

	mg_buf_add_text(content, FROM "\n");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		add_run(content, "x", lengths[i]);
		add_run(content, "\n", 1);
		add_run(content, " ", lengths[i]);
		add_run(content, "y\n", 1);
		add_run(content, "a ", lengths[i] / 2);
		add_run(content, "\n", 1);
	}
	content = begin("long fields");
	mg_buf_add_text(content, FROM "References:");
	add_run(content, " <0123456789@example.org>", 200);
	mg_buf_add_text(content, "\nSubject: ");
	add_run(content, "0123456789", 200);
	mg_buf_add_text(content, "\nTo: a@example.net");
	add_run(content, ",\tb@example.net  ", 200);
	mg_buf_add_text(content, "\n\ntext\n");
	content = begin("many fields");
	for (int i = 0; i < TALL; i++)
		mg_buf_add_format(content, "X-Field-%d: %d\nTo: t%d@example.net\n", i, i, i);
	mg_buf_add_text(content, FROM "\ntext\n");
	content = begin("a body of a mebibyte");
	mg_buf_add_text(content, FROM "\n");
	for (unsigned seed = 1; content->length < LARGE;) {
		static const char bytes[] = "ab \t\nc d  \n\n.\377x";

		seed = seed * 1103515245 + 12345;
		mg_buf_add_char(content, bytes[(seed >> 16) % (sizeof(bytes) - 1)]);
	}
	add_run(content, "\n", 1);
}

static int setup(void **state)
{
	(void)state;
	signed_make(&place);
	signed_key(&place, "example.org", "r1", key_place_rsa(0));
	signed_key(&place, "example.org", "e1", key_place_ed25519(0));
	add_headers();
	add_bodies();
	add_large_ones();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (; ugly_count > 0; ugly_count--)
		mg_buf_free(&ugly[ugly_count - 1].content);
	signed_end(&place);
	return 0;
}

static void send_one(size_t index, size_t chunk, const char *form)
{
	const struct letter letter = {.queue_id = "4UGLY",
		.content = ugly[index].content.data,
		.content_length = ugly[index].content.length,
		.chunk = chunk};
	struct signed_message message;

	signed_send(&place, &letter, LIMIT, &message);
	if (message.answer != MG_ANSWER_CONTINUE)
		fail_msg("%s: answered %d: %s", ugly[index].name, message.answer, message.reply);
	if (message.count != 2)
		fail_msg("%s: %zu signatures", ugly[index].name, message.count);
	for (size_t i = 0; i < message.count; i++)
		if (!message.signatures[i].pass)
			fail_msg("%s, %s, %s, chunks of %zu: %s", ugly[index].name, form,
				message.signatures[i].algorithm, chunk, message.signatures[i].why);
	signed_free(&message);
}

static bool is_for(size_t index, size_t chunk, const char *form)
{
	if (ugly[index].name == bare_cr && strstr(form, "/relaxed") != NULL)
		return false;
	return chunk == 0 || chunk >= 1000 || ugly[index].content.length < LARGE;
}

static void all_verify(const char *form)
{
	static const size_t chunks[] = {0, 1, 2, 7, 1000};
	char settings[256];

	snprintf(settings, sizeof(settings),
		"sign { canonicalization = \"%s\" selectors = { \"r1\", \"e1\" } }", form);
	signed_start(&place, "millgate-dkim", settings);
	for (size_t i = 0; i < ugly_count; i++)
		for (size_t chunk = 0; chunk < sizeof(chunks) / sizeof(chunks[0]); chunk++)
			if (is_for(i, chunks[chunk], form))
				send_one(i, chunks[chunk], form);
	driver_stop(&place.driver);
}

static void relaxed_header_and_body_verify(void **state)
{
	(void)state;
	all_verify("relaxed/relaxed");
}

static void simple_header_and_body_verify(void **state)
{
	(void)state;
	all_verify("simple/simple");
}

static void relaxed_header_and_simple_body_verify(void **state)
{
	(void)state;
	all_verify("relaxed/simple");
}

static void simple_header_and_relaxed_body_verify(void **state)
{
	(void)state;
	all_verify("simple/relaxed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relaxed_header_and_body_verify),
		cmocka_unit_test(simple_header_and_body_verify),
		cmocka_unit_test(relaxed_header_and_simple_body_verify),
		cmocka_unit_test(simple_header_and_relaxed_body_verify),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
