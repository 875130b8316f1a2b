/* SPDX-License-Identifier: ISC */
/* What reading a field costs: the modules that read strangers' text are compiled into this program so
 * that every branch counts a step, and a field twice as long may cost about twice as much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "log/json.h"
#include "log/urls.h"
#include "mail/header.h"
#include "mail/mailbox.h"
#include "mail/parameters.h"

enum {
	SHORT = 8 * 1024,
	LONG = 64 * 1024,
	STEPS_A_BYTE = 300 /* four times what the costliest input needs */
};

static uint64_t steps;

void __sanitizer_cov_trace_pc(void);

/* Called by the compiled code at each branch (-fsanitize-coverage=trace-pc). */
void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

/* Inputs that make a careless reader start over: what opens and never closes, what nearly is an
 * encoded word, what is decoded in many small pieces. Each is repeated to the length wanted. */
static const char *const pieces[] = {
	"a",
	" ",
	"\r\n ",
	"=?",
	"=?utf-8?q?",
	"=?utf-8?b?",
	"=?utf-8?q?a?=",
	"=?utf-8?q?a?= ",
	"=?utf-8?q?=C3?= ",
	"=?utf-8?q?a?= =?iso-8859-1?q?b?= ",
	"=?x?q?a?= ",
	"=?utf-8?b?*?= ",
	"=?utf-8?b?YQ==YQ==",
	"\xff",
	"\xc3\xbc",
	"(",
	"((",
	"\\",
	"(\\",
	"\"",
	"\"\\",
	"<",
	"<@",
	">",
	"a@b,",
	"a@b",
	"a@",
	"a.",
	"a ",
	"x:",
	":;",
	"[",
	"a@[",
	",",
	"<a@b> c ",
	"\"a\"",
	"(a) b ",
	"x=",
	"x=a",
	"x=a ",
	"x=a;",
	"x=\"a",
	"x=a (b) ",
	"x=a (b",
	"x =",
	"x*=",
	"x*1=a;",
	"x*1*=%41;",
	"x*0*='';",
	"a b= ",
	"http:",
	"http://a",
	"http://a@",
	"http://a.b ",
	"=//a",
	"www.a.b ",
	"&",
	"&#x68;",
	"&amp",
	"{",
	"[[",
	"\"a\":",
	"\"a\":1,",
	"\"a\":[],",
	"1,",
};
enum { PIECES = sizeof(pieces) / sizeof(pieces[0]) };

static void ignore(void *context, const struct mg_mailbox *mailbox)
{
	(void)context;
	(void)mailbox;
}

static void read_as_text(const char *value, size_t length)
{
	struct mg_buf out = {.limit = 0};

	mg_header_decode(value, length, &out);
	mg_buf_free(&out);
}

static void read_as_mailboxes(const char *value, size_t length)
{
	mg_mailbox_list(value, length, ignore, NULL);
}

static void read_as_date(const char *value, size_t length)
{
	int64_t utc;

	mg_header_date(value, length, &utc);
}

static void read_as_message_id(const char *value, size_t length)
{
	struct mg_buf out = {.limit = 0};

	mg_header_message_id(value, length, &out);
	mg_buf_free(&out);
}

static void read_as_parameters(const char *value, size_t length)
{
	struct mg_buf out = {.limit = 0};
	char type[64];

	mg_parameters_text(value, length, "x", &out);
	mg_parameters_bytes(value, length, "a", &out);
	mg_parameters_type(value, length, type, sizeof(type));
	mg_buf_free(&out);
}

static void read_as_urls(const char *value, size_t length)
{
	for (int html = 0; html < 2; html++) {
		struct log_urls urls = {.html = false};

		log_urls_begin(&urls, html != 0);
		log_urls_add(&urls, (const unsigned char *)value, length);
		log_urls_end(&urls);
		log_hosts_free(&urls.hosts);
	}
}

/* The text is what stands in an object. */
static void read_as_json(const char *value, size_t length)
{
	struct log_json json = {value, value + length}, member;
	struct mg_buf name = {.limit = 0}, text = {.limit = 0};

	while (log_json_next(&json, &name, &member)) {
		log_json_text(&member, &text);
		mg_buf_reset(&name);
		mg_buf_reset(&text);
	}
	mg_buf_free(&name);
	mg_buf_free(&text);
}

typedef void read_function(const char *value, size_t length);

static uint64_t steps_of(read_function *read, const char *piece, size_t length)
{
	static char value[LONG];

	for (size_t i = 0; i < length; i++)
		value[i] = piece[i % strlen(piece)];
	steps = 0;
	read(value, length);
	return steps;
}

static void check_growth(read_function *read)
{
	for (size_t i = 0; i < PIECES; i++) {
		uint64_t few = steps_of(read, pieces[i], SHORT);
		uint64_t many = steps_of(read, pieces[i], LONG);

		assert_true(few > 0);
		if (many > 2 * few * (LONG / SHORT) || many > (uint64_t)LONG * STEPS_A_BYTE)
			fail_msg("\"%s\" repeated: %llu steps for %d bytes, %llu for %d", pieces[i],
				(unsigned long long)few, SHORT, (unsigned long long)many, LONG);
	}
}

static void decoding_text_costs_steps_in_proportion_to_its_length(void **state)
{
	(void)state;
	check_growth(read_as_text);
}

static void a_list_of_mailboxes_costs_steps_in_proportion_to_its_length(void **state)
{
	(void)state;
	check_growth(read_as_mailboxes);
}

static void a_date_costs_steps_in_proportion_to_its_length(void **state)
{
	(void)state;
	check_growth(read_as_date);
}

static void a_message_id_costs_steps_in_proportion_to_its_length(void **state)
{
	(void)state;
	check_growth(read_as_message_id);
}

static void parameters_cost_steps_in_proportion_to_their_length(void **state)
{
	(void)state;
	check_growth(read_as_parameters);
}

static void urls_cost_steps_in_proportion_to_the_text(void **state)
{
	(void)state;
	check_growth(read_as_urls);
}

static void json_costs_steps_in_proportion_to_its_length(void **state)
{
	(void)state;
	check_growth(read_as_json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding_text_costs_steps_in_proportion_to_its_length),
		cmocka_unit_test(a_list_of_mailboxes_costs_steps_in_proportion_to_its_length),
		cmocka_unit_test(a_date_costs_steps_in_proportion_to_its_length),
		cmocka_unit_test(a_message_id_costs_steps_in_proportion_to_its_length),
		cmocka_unit_test(parameters_cost_steps_in_proportion_to_their_length),
		cmocka_unit_test(urls_cost_steps_in_proportion_to_the_text),
		cmocka_unit_test(json_costs_steps_in_proportion_to_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
