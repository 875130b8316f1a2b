/* SPDX-License-Identifier: ISC */
/* What taking a message apart costs: the modules are compiled into this program so that every branch
 * counts a step, as in t/unit/linear.c. A body made of one piece again and again costs in proportion to
 * its length, whatever the piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/mime.h"

enum {
	SHORT = 256 * 1024, /* above what is opened: depth, parts, header */
	LONG = 4 * SHORT,
	CHUNK = 65535,
	STEPS_A_BYTE = 60
};

static uint64_t steps;

void __sanitizer_cov_trace_pc(void);

/* Called by the compiled code at each branch (-fsanitize-coverage=trace-pc). */
void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

/* Fields of the message, and what its body is made of. */
static const struct {
	const char *type, *encoding;
	const char *begin; /* of the body */
	const char *piece;
} bodies[] = {
	{"text/plain", "7bit", "", "\r\n"},
	{"multipart/mixed; boundary=b", "7bit", "", "--b\r\n"},
	{"multipart/mixed; boundary=b", "7bit", "", "--b\r\n\r\n\r\n"},
	{"multipart/mixed; boundary=b", "7bit", "--b\r\n\r\n", "\n--"},
	{"multipart/mixed; boundary=b", "7bit", "--b\r\n\r\n", "\r\n-"},
	{"multipart/mixed; boundary=b", "7bit", "--b\r\n\r\n", "\r"},
	{"multipart/mixed; boundary=b", "7bit", "--b\r\n\r\n", "--bc\r\n"},
	{"multipart/mixed; boundary=b", "7bit", "--b", " "},
	{"multipart/mixed; boundary=b", "7bit", "--b\r\n", "X: y\r\n"},
	{"multipart/mixed; boundary=b", "7bit", "--b\r\nX: y\r\n", " \r\n"},
	{"multipart/mixed; boundary=b", "7bit", "--b\r\n", "x"},
	{"multipart/mixed; boundary=b", "7bit", "--b\r\n",
		"Content-Type: multipart/mixed; boundary=c\r\n"},
	{"multipart/mixed; boundary=b", "7bit", "--b\r\n",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"},
	{"message/rfc822", "7bit", "", "Content-Type: message/rfc822\r\n\r\n"},
	{"text/plain", "base64", "", "QUJD"},
	{"text/plain", "base64", "", "Q\r\n"},
	{"text/plain", "base64", "", "="},
	{"text/plain", "base64", "", "!"},
	{"text/plain", "base64", "", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa!\r\n"},
	{"text/plain", "quoted-printable", "", "=3D"},
	{"text/plain", "quoted-printable", "", "= "},
	{"text/plain", "quoted-printable", "", "="},
	{"text/plain", "quoted-printable", "", " "},
	{"text/plain", "quoted-printable", "", " \r\n"},
	{"text/plain", "quoted-printable", "",
		"=                                                                              "
		"                                                 \r"},
	{"text/plain", "x-uuencode", "", "M"},
};
enum { BODIES = sizeof(bodies) / sizeof(bodies[0]) };

static void part(void *context, const struct mg_mime_part *one)
{
	(void)context;
	(void)one;
}

static void content(void *context, const struct mg_mime_part *one, enum mg_mime_content kind,
	const unsigned char *bytes, size_t length)
{
	(void)one;
	(void)kind;
	(void)bytes;
	*(uint64_t *)context += length;
}

static void add_field(struct mg_mime *mime, const char *name, const char *value)
{
	mg_mime_header(mime, name, strlen(name), value, strlen(value));
}

static uint64_t steps_of(size_t body, size_t length)
{
	static const struct mg_mime_handler handler = {
		.begin = part, .content = content, .end = part};
	const char *begin = bodies[body].begin, *piece = bodies[body].piece;
	unsigned char *text = malloc(LONG), *memory = malloc(mg_mime_size());
	struct mg_mime *mime;
	uint64_t bytes = 0;

	assert_true(text != NULL && memory != NULL);
	for (size_t i = 0; i < length; i++)
		text[i] = (unsigned char)(i < strlen(begin)
						  ? begin[i]
						  : piece[(i - strlen(begin)) % strlen(piece)]);
	steps = 0;
	mime = mg_mime_init(memory, &handler, &bytes, &mg_mime_bounds);
	add_field(mime, "Content-Type", bodies[body].type);
	add_field(mime, "Content-Transfer-Encoding", bodies[body].encoding);
	mg_mime_header_end(mime);
	for (size_t at = 0; at < length; at += CHUNK)
		mg_mime_body(mime, text + at, length - at < CHUNK ? length - at : CHUNK);
	mg_mime_end(mime);
	assert_true(bytes <= length);
	free(memory);
	free(text);
	return steps;
}

static void a_body_costs_steps_in_proportion_to_its_length(void **state)
{
	(void)state;
	for (size_t body = 0; body < BODIES; body++) {
		uint64_t few = steps_of(body, SHORT), many = steps_of(body, LONG);

		assert_true(few > 0);
		if (many > 2 * few * (LONG / SHORT) || many > (uint64_t)LONG * STEPS_A_BYTE)
			fail_msg("%s, %s, \"%s\" repeated: %llu steps for %d bytes, %llu for %d",
				bodies[body].type, bodies[body].encoding, bodies[body].piece,
				(unsigned long long)few, SHORT, (unsigned long long)many, LONG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_costs_steps_in_proportion_to_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
