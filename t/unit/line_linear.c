/* SPDX-License-Identifier: ISC */
/* What reading a line costs: the reader is compiled into this program so that every branch counts a
 * step, and a line twice as long may cost about twice as much, whatever a stranger put in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "track/line.h"

enum { SHORT = 4 * 1024, LONG = 64 * 1024, STEPS_A_BYTE = 60 };

static uint64_t steps;

void __sanitizer_cov_trace_pc(void);

/* Called by the compiled code at each branch (-fsanitize-coverage=trace-pc). */
void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

/* Beginnings of lines, behind which a piece is repeated: what opens and never closes, what nearly
 * is the end that is looked for. */
static const struct {
	const char *identifier, *begin;
} lines[] = {
	{"postfix/smtpd", ""},
	{"postfix/smtpd", "connect from "},
	{"postfix/smtpd", "disconnect from a[192.0.2.1]"},
	{"postfix/smtpd", "NOQUEUE: reject: RCPT from a[192.0.2.1]: 550 5.1.1 <"},
	{"postfix/smtpd", "4jYh153qZyz1bkdK: client=a[192.0.2.1], sasl_username="},
	{"postfix/smtpd", "warning: a[192.0.2.1]: SASL PLAIN authentication failed: "},
	{"postfix/cleanup", "4jYh153qZyz1bkdK: hold: header X: "},
	{"postfix/cleanup", "4jYh153qZyz1bkdK: message-id="},
	{"postfix/qmgr", "4jYh153qZyz1bkdK: from=<"},
	{"postfix/smtp", "4jYh153qZyz1bkdK: to=<"},
	{"postfix/smtp", "4jYh153qZyz1bkdK: to=<a@b>, relay=none, delay=1, delays=0/0/0/1, "
			 "dsn=5.1.1, status=bounced (host a[192.0.2.1] said: 550 "},
	{"postfix/smtp", "4jYh153qZyz1bkdK: "},
	{"postfix/smtp", ""},
	{"postfix/postscreen", "NOQUEUE: reject: RCPT from [192.0.2.1]:1: 550 5.7.1 x; from=<"},
	{"postfix/anvil", "warning: "},
};

static const char *const pieces[] = {
	"a",
	" ",
	";",
	"; from=<\"",
	"; from=<\"a\"@b> to=<\"",
	"; from=<a@b> to=<c@d> proto=SMTP helo=<",
	"; from=<a@b> to=<c@d> proto=SMTP helo=<e>: ",
	"; proto=a",
	"\"",
	"\\",
	"\\\"",
	"<",
	">",
	"@",
	"(in reply to ",
	" command)",
	"queued as ",
	" from ",
	" from a[b]",
	": ",
	", sasl_username=",
	", orig_queue_id=",
	" mail=1",
	"0",
	"9",
	"1.",
	"z",
	"[",
	"a[b]",
	"host a[b] said: ",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t steps_of(size_t kind, const char *piece, size_t length)
{
	static const char *const instances[] = {"postfix", NULL};
	static char text[LONG];
	size_t begin = strlen(lines[kind].begin);
	const struct track_record record = {.identifier = lines[kind].identifier,
		.identifier_length = strlen(lines[kind].identifier),
		.text = text,
		.length = length};
	struct track_line line;

	memcpy(text, lines[kind].begin, begin);
	for (size_t i = begin; i < length; i++)
		text[i] = piece[(i - begin) % strlen(piece)];
	steps = 0;
	track_line_read(&record, instances, &line);
	return steps;
}

static void a_line_costs_steps_in_proportion_to_its_length(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT(lines); kind++)
		for (size_t i = 0; i < COUNT(pieces); i++) {
			uint64_t few = steps_of(kind, pieces[i], SHORT);
			uint64_t many = steps_of(kind, pieces[i], LONG);

			assert_true(few > 0);
			if (many > 2 * few * (LONG / SHORT) || many > (uint64_t)LONG * STEPS_A_BYTE)
				fail_msg("%s \"%s\" and \"%s\" repeated: %llu steps, then %llu",
					lines[kind].identifier, lines[kind].begin, pieces[i],
					(unsigned long long)few, (unsigned long long)many);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_costs_steps_in_proportion_to_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
