/* SPDX-License-Identifier: ISC */
/* The MTA's side of the milter protocol, against a filter made by hand: a thread that notes what
 * it gets and answers by a script. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/client.h"
#include "run/link.h"

static const int64_t generous = 20 * MG_SECOND;

/* Bytes to send, raw, when a command comes: used once, in order. Without one 'c' is answered. */
struct rule {
	char command;
	const char *bytes;
	size_t length;
};
#define RULE(letter, text) \
	{ \
		(letter), (text), sizeof(text) - 1 \
	}

struct filter {
	struct mg_wire_options options;
	const struct rule *rules;
	size_t rule_count;
	const char *quiet; /* commands that are not answered, besides 'D', 'A', 'Q'; or NULL */
	int fds[2];
	pthread_t thread;
	struct mg_buf seen; /* "C name|4..." a line a packet, NUL as | */
};

static void note(struct filter *filter, const struct mg_packet *packet)
{
	mg_buf_add_char(&filter->seen, packet->command);
	if (packet->length > 0)
		mg_buf_add_char(&filter->seen, ' ');
	for (size_t i = 0; i < packet->length; i++)
		mg_buf_add_char(&filter->seen, packet->data[i] == '\0' ? '|' : packet->data[i]);
	mg_buf_add_char(&filter->seen, '\n');
}

static const struct rule *next_rule(struct filter *filter, size_t *used, char command)
{
	if (*used < filter->rule_count && filter->rules[*used].command == command)
		return &filter->rules[(*used)++];
	return NULL;
}

static void *serve(void *context)
{
	struct filter *filter = context;
	struct mg_packet packet;
	struct mg_link link;
	size_t used = 0;

	mg_link_open(&link, filter->fds[1]);
	while (mg_link_next(&link, mg_link_now() + generous, &packet, NULL) == 1) {
		const struct rule *rule = next_rule(filter, &used, packet.command);

		if (packet.command != MG_WIRE_OPTIONS)
			note(filter, &packet);
		if (rule != NULL && rule->length == 0)
			break;
		if (rule != NULL)
			mg_buf_add(&link.out, rule->bytes, rule->length);
		else if (packet.command == MG_WIRE_OPTIONS)
			mg_wire_put_options(&link.out, &filter->options);
		else if (strchr("DAQ", packet.command) == NULL &&
			 (filter->quiet == NULL || strchr(filter->quiet, packet.command) == NULL))
			mg_wire_put(&link.out, MG_REPLY_CONTINUE, "", 0);
		if (mg_link_flush(&link, mg_link_now() + generous, NULL) != 0)
			break;
	}
	mg_link_close(&link);
	return NULL;
}

/* Defaults of a filter that asks for every step and answers each. */
#define FILTER(...) \
	(struct filter) \
	{ \
		.options = {.version = 6, \
			.actions = MG_CLIENT_ACTIONS, \
			.protocol = MG_WIRE_HEADER_LEADING_SPACE}, \
		__VA_ARGS__ \
	}
#define RULES(list) .rules = (list), .rule_count = sizeof(list) / sizeof((list)[0])

static struct mg_client *start_with(
	struct filter *filter, uint32_t protocol, int64_t timeout, struct mg_error *error)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, filter->fds), 0);
	assert_int_equal(pthread_create(&filter->thread, NULL, serve, filter), 0);
	return mg_client_open_fd(filter->fds[0], protocol, 0, timeout, error);
}

static struct mg_client *start(struct filter *filter)
{
	struct mg_error error = {""};
	struct mg_client *client = start_with(filter, 0, generous, &error);

	assert_string_equal(error.text, "");
	assert_non_null(client);
	return client;
}

/* What the filter saw, once the client is closed. */
static void assert_seen(struct filter *filter, struct mg_client *client, const char *expected)
{
	mg_client_close(client, true);
	pthread_join(filter->thread, NULL);
	assert_string_equal(mg_buf_text(&filter->seen), expected);
	mg_buf_free(&filter->seen);
}

static void stop(struct filter *filter, struct mg_client *client)
{
	mg_client_close(client, false);
	pthread_join(filter->thread, NULL);
	mg_buf_free(&filter->seen);
}

static enum mg_answer mail(struct mg_client *client, const char *sender)
{
	return mg_client_mail(client, (const char *const[]){sender}, 1);
}

static enum mg_answer rcpt(struct mg_client *client, const char *recipient)
{
	return mg_client_rcpt(client, (const char *const[]){recipient}, 1);
}

static void each_step_is_sent_and_answered(void **state)
{
	struct filter filter = FILTER();
	struct mg_client *client = start(&filter);

	(void)state;
	assert_int_equal(mg_client_connect(client, "client.example.org", "192.0.2.1", 0x4142, '4'),
		MG_ANSWER_CONTINUE);
	assert_int_equal(mg_client_helo(client, "helo"), MG_ANSWER_CONTINUE);
	assert_int_equal(
		mg_client_mail(client, (const char *const[]){"<a@example.org>", "SIZE=1"}, 2),
		MG_ANSWER_CONTINUE);
	assert_int_equal(rcpt(client, "<b@example.org>"), MG_ANSWER_CONTINUE);
	assert_int_equal(mg_client_data(client), MG_ANSWER_CONTINUE);
	assert_int_equal(mg_client_header(client, "Subject", " hello"), MG_ANSWER_CONTINUE);
	assert_int_equal(mg_client_eoh(client), MG_ANSWER_CONTINUE);
	assert_int_equal(mg_client_body(client, "text\r\n", 6), MG_ANSWER_CONTINUE);
	assert_int_equal(mg_client_eom(client), MG_ANSWER_CONTINUE);
	assert_int_equal(mg_client_unknown(client, "NONSENSE"), MG_ANSWER_CONTINUE);
	mg_client_abort(client);
	assert_seen(&filter, client,
		"D C\nC client.example.org|4AB192.0.2.1|\n"
		"D H\nH helo|\n"
		"D M\nM <a@example.org>|SIZE=1|\n"
		"D R\nR <b@example.org>|\n"
		"D T\nT\n"
		"D L\nL Subject| hello|\n"
		"D N\nN\n"
		"D B\nB text\r\n\n"
		"D E\nE\n"
		"U NONSENSE|\n"
		"A\nQ\n");
}

static void a_client_of_unknown_address_has_no_port_or_address(void **state)
{
	struct filter filter = FILTER();
	struct mg_client *client = start(&filter);

	(void)state;
	assert_int_equal(mg_client_connect(client, "unknown", NULL, 0, 'U'), MG_ANSWER_CONTINUE);
	assert_seen(&filter, client, "D C\nC unknown|U\nQ\n");
}

static void declined_steps_are_not_sent_and_silent_ones_not_waited_for(void **state)
{
	struct filter filter = FILTER(.quiet = "MLNB");
	struct mg_client *client;

	(void)state;
	filter.options.protocol = MG_WIRE_NO_CONNECT | MG_WIRE_NO_HELO | MG_WIRE_NR_MAIL |
				  MG_WIRE_NO_RCPT | MG_WIRE_NO_DATA | MG_WIRE_NR_HEADER |
				  MG_WIRE_NR_EOH | MG_WIRE_NR_BODY | MG_WIRE_NO_UNKNOWN;
	client = start(&filter);
	assert_int_equal(
		mg_client_connect(client, "name", "192.0.2.1", 0x4142, '4'), MG_ANSWER_NONE);
	assert_int_equal(mg_client_helo(client, "helo"), MG_ANSWER_NONE);
	assert_int_equal(mail(client, "<>"), MG_ANSWER_NONE);
	assert_int_equal(rcpt(client, "<b@example.org>"), MG_ANSWER_NONE);
	assert_int_equal(mg_client_data(client), MG_ANSWER_NONE);
	assert_int_equal(mg_client_header(client, "A", " b"), MG_ANSWER_NONE);
	assert_int_equal(mg_client_eoh(client), MG_ANSWER_NONE);
	assert_int_equal(mg_client_body(client, "x", 1), MG_ANSWER_NONE);
	assert_int_equal(mg_client_unknown(client, "X"), MG_ANSWER_NONE);
	assert_int_equal(mg_client_eom(client), MG_ANSWER_CONTINUE);
	assert_seen(&filter, client,
		"D C\nD H\nD M\nM <>|\nD R\nD T\n"
		"D L\nL A|b|\nD N\nN\nD B\nB x\nD E\nE\nQ\n");
}

static void a_stage_has_the_default_macros_of_postfix_or_those_asked_for(void **state)
{
	const struct mg_client_macro macros[] = {
		{"i", "4QUEUEID"},
		{"j", "mx.example.org"},
		{"{auth_authen}", "ann"},
		{"{client_addr}", "192.0.2.1"},
	};
	struct filter filter = FILTER();
	struct mg_client *client;

	(void)state;
	filter.options.macros[MG_WIRE_STAGE_MAIL] = "j, client_addr {none}";
	filter.options.macros[MG_WIRE_STAGE_DATA] = "";
	client = start(&filter);
	assert_true(mg_client_macros(client, macros, 4));
	mg_client_connect(client, "n", NULL, 0, 'U');
	mail(client, "<>");
	rcpt(client, "<b@example.org>");
	mg_client_data(client);
	assert_true(mg_client_macros(client, macros, 0));
	mg_client_eom(client);
	assert_seen(&filter, client,
		"D Cj|mx.example.org|\nC n|U\n"
		"D Mj|mx.example.org|client_addr|192.0.2.1|\nM <>|\n"
		"D Ri|4QUEUEID|\nR <b@example.org>|\n"
		"D T\nT\n"
		"D E\nE\nQ\n");
}

static void without_leading_space_one_blank_is_taken_off_a_header_value(void **state)
{
	struct filter filter = FILTER();
	struct mg_client *client;

	(void)state;
	filter.options.protocol = 0;
	client = start(&filter);
	mg_client_header(client, "A", "  two");
	mg_client_header(client, "B", "\ttab");
	mg_client_header(client, "C", "none");
	assert_seen(&filter, client, "D L\nL A| two|\nD L\nL B|\ttab|\nD L\nL C|none|\nQ\n");
}

static void answers_and_replies_are_as_the_smtp_client_sees_them(void **state)
{
	static const struct {
		struct rule rule;
		enum mg_answer answer;
		const char *reply;
	} cases[] = {
		{RULE('R', "\0\0\0\1c"), MG_ANSWER_CONTINUE, ""},
		{RULE('R', "\0\0\0\1r"), MG_ANSWER_REJECT, "550 5.7.1 Command rejected"},
		{RULE('R', "\0\0\0\1t"), MG_ANSWER_TEMPFAIL,
			"451 4.7.1 Service unavailable - try again later"},
		{RULE('R', "\0\0\0\027y550 5.7.1 100%% wrong\0"), MG_ANSWER_REJECT,
			"550 5.7.1 100% wrong"},
		{RULE('R', "\0\0\0\017y451 4.7.1 %no\0"), MG_ANSWER_TEMPFAIL, "451 4.7.1 no"},
		{RULE('R', "\0\0\0\1p\0\0\0\1p\0\0\0\1r"), MG_ANSWER_REJECT,
			"550 5.7.1 Command rejected"},
		{RULE('R', "\0\0\0\1d"), MG_ANSWER_DISCARD, ""},
		{RULE('R', "\0\0\0\1a"), MG_ANSWER_ACCEPT, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter filter = FILTER(.rules = &cases[i].rule, .rule_count = 1);
		struct mg_client *client = start(&filter);

		assert_int_equal(rcpt(client, "<b@example.org>"), cases[i].answer);
		assert_string_equal(mg_client_reply(client), cases[i].reply);
		stop(&filter, client);
	}
}

static void a_reply_of_several_lines_stays_whole(void **state)
{
	static const struct rule rules[] = {
		RULE('M', "\0\0\0\043y550-5.7.1 first\r\n550 5.7.1 second\0")};
	struct filter filter = FILTER(RULES(rules));
	struct mg_client *client = start(&filter);

	(void)state;
	assert_int_equal(mail(client, "<>"), MG_ANSWER_REJECT);
	assert_string_equal(mg_client_reply(client), "550-5.7.1 first\r\n550 5.7.1 second");
	stop(&filter, client);
}

static void after_accept_the_rest_of_the_message_is_not_sent(void **state)
{
	static const struct rule rules[] = {RULE('R', "\0\0\0\1a")};
	struct filter filter = FILTER(RULES(rules));
	struct mg_client *client = start(&filter);

	(void)state;
	mail(client, "<a@example.org>");
	assert_int_equal(rcpt(client, "<b@example.org>"), MG_ANSWER_ACCEPT);
	assert_int_equal(mg_client_data(client), MG_ANSWER_NONE);
	assert_int_equal(mg_client_message(client, "A: b\n\nx\n", 8, 0), MG_ANSWER_NONE);
	assert_int_equal(mail(client, "<c@example.org>"), MG_ANSWER_CONTINUE);
	assert_seen(&filter, client,
		"D M\nM <a@example.org>|\nD R\nR <b@example.org>|\nA\n"
		"D M\nM <c@example.org>|\nQ\n");
}

static void a_session_refused_at_helo_stays_refused(void **state)
{
	static const struct rule rules[] = {RULE('H', "\0\0\0\015y550 5.7.1 No\0")};
	struct filter filter = FILTER(RULES(rules));
	struct mg_client *client = start(&filter);

	(void)state;
	assert_int_equal(mg_client_helo(client, "x"), MG_ANSWER_REJECT);
	assert_int_equal(mail(client, "<>"), MG_ANSWER_REJECT);
	assert_string_equal(mg_client_reply(client), "550 5.7.1 No");
	mg_client_abort(client);
	assert_seen(&filter, client, "D H\nH x|\nQ\n");
}

static void after_skip_no_more_body_is_sent(void **state)
{
	static const struct rule rules[] = {RULE('B', "\0\0\0\1s")};
	struct filter filter = FILTER(RULES(rules));
	struct mg_client *client = start(&filter);

	(void)state;
	assert_int_equal(mg_client_body(client, "1", 1), MG_ANSWER_SKIP);
	assert_int_equal(mg_client_body(client, "2", 1), MG_ANSWER_NONE);
	assert_int_equal(mg_client_eom(client), MG_ANSWER_CONTINUE);
	assert_int_equal(mg_client_body(client, "3", 1), MG_ANSWER_CONTINUE);
	assert_seen(&filter, client, "D B\nB 1\nD E\nE\nD B\nB 3\nQ\n");
}

static void edits_are_kept_in_order_with_all_their_parts(void **state)
{
	static const struct rule rules[] = {RULE('E', "\0\0\0\014i\0\0\0\1Top\0 v\0"
						      "\0\0\0\010hEnd\0 w\0"
						      "\0\0\0\012m\0\0\0\2Sub\0\0"
						      "\0\0\0\6+<a@>\0"
						      "\0\0\0\0122<b@>\0N=N\0"
						      "\0\0\0\6-<c@>\0"
						      "\0\0\0\4e<>\0"
						      "\0\0\0\5bx\0y\n"
						      "\0\0\0\5qwhy\0"
						      "\0\0\0\1c")};
	static const struct {
		char kind;
		uint32_t index;
		const char *name, *value;
		size_t length;
	} expected[] = {{'i', 1, "Top", " v", 2}, {'h', 0, "End", " w", 2}, {'m', 2, "Sub", "", 0},
		{'+', 0, "<a@>", "", 0}, {'2', 0, "<b@>", "N=N", 3}, {'-', 0, "<c@>", "", 0},
		{'e', 0, "<>", "", 0}, {'b', 0, "", "x\0y\n", 4}, {'q', 0, "", "why", 3}};
	struct filter filter = FILTER(RULES(rules));
	struct mg_client *client = start(&filter);
	const struct mg_client_edit *edits;
	size_t count;

	(void)state;
	if (mg_client_eom(client) != MG_ANSWER_CONTINUE)
		fail_msg("%s", mg_client_error(client));
	edits = mg_client_edits(client, &count);
	assert_int_equal(count, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(edits[i].kind, expected[i].kind);
		assert_int_equal(edits[i].index, expected[i].index);
		assert_string_equal(edits[i].name, expected[i].name);
		assert_int_equal(edits[i].value_length, expected[i].length);
		assert_memory_equal(edits[i].value, expected[i].value, expected[i].length);
	}
	assert_int_equal(mail(client, "<>"), MG_ANSWER_CONTINUE);
	mg_client_edits(client, &count);
	assert_int_equal(count, 0);
	stop(&filter, client);
}

static void nonsense_of_a_filter_ends_the_session_with_an_error(void **state)
{
	static const struct rule cases[] = {
		RULE('E', ""),
		RULE('E', "\0\0\0\0"),
		RULE('E', "\377\377\377\377c"),
		RULE('E', "\0\0\0\2cx"),
		RULE('E', "\0\0\0\1Z"),
		RULE('E', "\0\0\0\1O"),
		RULE('E', "\0\0\0\5y2500\0"),
		RULE('E', "\0\0\0\1y"),
		RULE('E', "\0\0\0\013y550 4.7.1\0"),
		RULE('E', "\0\0\0\4i\0\0\0"),
		RULE('E', "\0\0\0\011i\0\0\0\1Top\0"),
		RULE('E', "\0\0\0\5hTop\0"),
		RULE('E', "\0\0\0\6+<a@>x"),
		RULE('M', "\0\0\0\010hEnd\0 w\0"),
		RULE('H', "\0\0\0\1d"),
		RULE('H', "HTTP/1.1 400 Bad Request\r\n\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter filter = FILTER(.rules = &cases[i], .rule_count = 1);
		struct mg_client *client = start(&filter);
		enum mg_answer answer = cases[i].command == 'E'   ? mg_client_eom(client)
					: cases[i].command == 'M' ? mail(client, "<>")
								  : mg_client_helo(client, "x");

		assert_int_equal(answer, MG_ANSWER_LOST);
		assert_string_not_equal(mg_client_error(client), "");
		assert_int_equal(mail(client, "<>"), MG_ANSWER_LOST);
		stop(&filter, client);
	}
}

static void a_negotiation_that_makes_no_sense_is_an_error(void **state)
{
	static const struct rule cases[] = {
		RULE('O', ""),
		RULE('O', "\0\0\0\1c"),
		RULE('O', "\0\0\0\5O\0\0\0\6"),
		RULE('O', "\0\0\0\015O\0\0\0\7\0\0\0\0\0\0\0\0"),
		RULE('O', "\0\0\0\015O\0\0\0\1\0\0\0\0\0\0\0\0"),
		RULE('O', "\0\0\0\015O\0\0\0\6\0\0\2\0\0\0\0\0"),
		RULE('O', "220 mail.example.org ESMTP\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct filter filter = FILTER(.rules = &cases[i], .rule_count = 1);
		struct mg_error error = {""};

		assert_null(start_with(&filter, 0, generous, &error));
		assert_string_not_equal(error.text, "");
		stop(&filter, NULL);
	}
}

static void a_filter_that_does_not_answer_is_lost_at_the_deadline(void **state)
{
	struct filter filter = FILTER(.quiet = "M");
	struct mg_error error = {""};
	struct mg_client *client = start_with(&filter, 0, 50 * MG_MILLISECOND, &error);
	int64_t before = mg_link_now();

	(void)state;
	assert_non_null(client);
	assert_int_equal(mail(client, "<>"), MG_ANSWER_LOST);
	assert_true(mg_link_now() - before >= 50 * MG_MILLISECOND);
	assert_non_null(strstr(mg_client_error(client), "timed out"));
	stop(&filter, client);
}

static void a_filter_that_does_not_negotiate_is_lost_at_the_deadline(void **state)
{
	struct mg_error error = {""};
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_null(mg_client_open_fd(fds[0], 0, 0, 50 * MG_MILLISECOND, &error));
	assert_non_null(strstr(error.text, "timed out"));
	close(fds[1]);
}

static void a_filter_that_reads_nothing_is_lost_at_the_deadline(void **state)
{
	static const char chunk[MG_WIRE_CHUNK_MAX];
	struct mg_error error = {""};
	struct mg_client *client;
	enum mg_answer answer = MG_ANSWER_NONE;
	struct mg_wire_options options = {.version = 6, .protocol = MG_WIRE_NR_BODY};
	struct mg_link link;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	mg_link_open(&link, fds[1]);
	mg_wire_put_options(&link.out, &options);
	assert_int_equal(mg_link_flush(&link, mg_link_now() + generous, NULL), 0);
	client = mg_client_open_fd(fds[0], 0, 0, 50 * MG_MILLISECOND, &error);
	assert_non_null(client);
	for (int i = 0; i < 10000 && answer == MG_ANSWER_NONE; i++)
		answer = mg_client_body(client, chunk, sizeof(chunk));
	assert_int_equal(answer, MG_ANSWER_LOST);
	assert_non_null(strstr(mg_client_error(client), "timed out"));
	mg_client_close(client, true);
	mg_link_close(&link);
}

static void a_filter_that_reports_progress_for_ever_is_lost(void **state)
{
	enum { COUNT = 2000 };
	char *bytes = malloc(COUNT * 5);
	struct rule rule = {.command = 'E', .bytes = bytes, .length = COUNT * 5};
	struct filter filter = FILTER(.rules = &rule, .rule_count = 1);
	struct mg_client *client = start(&filter);

	(void)state;
	for (int i = 0; i < COUNT; i++)
		memcpy(bytes + i * 5, "\0\0\0\1p", 5);
	assert_int_equal(mg_client_eom(client), MG_ANSWER_LOST);
	stop(&filter, client);
	free(bytes);
}

static void an_answer_may_come_byte_by_byte(void **state)
{
	static const char bytes[] = "\0\0\0\015O\0\0\0\6\0\0\0\0\0\0\0\0"
				    "\0\0\0\1p\0\0\0\015y550 5.7.1 No\0";
	struct mg_error error = {""};
	struct mg_client *client;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (size_t i = 0; i < sizeof(bytes) - 1; i++)
		assert_int_equal(send(fds[1], bytes + i, 1, MSG_NOSIGNAL), 1);
	client = mg_client_open_fd(fds[0], 0, 0, generous, &error);
	assert_non_null(client);
	assert_int_equal(mail(client, "<>"), MG_ANSWER_REJECT);
	assert_string_equal(mg_client_reply(client), "550 5.7.1 No");
	mg_client_close(client, false);
	close(fds[1]);
}

static void a_message_is_cut_into_fields_and_chunks_as_postfix_does(void **state)
{
	static const char message[] = "From : a\r\n"
				      "Subject: one\n"
				      "\ttwo\r\n"
				      "  three\n"
				      "Empty:\n"
				      "\n"
				      "line\n"
				      "crlf\r\n"
				      "no end";
	struct filter filter = FILTER();
	struct mg_client *client = start(&filter);

	(void)state;
	assert_int_equal(
		mg_client_message(client, message, sizeof(message) - 1, 9), MG_ANSWER_CONTINUE);
	assert_seen(&filter, client,
		"D L\nL From| a|\n"
		"D L\nL Subject| one\n\ttwo\n  three|\n"
		"D L\nL Empty||\n"
		"D N\nN\n"
		"D B\nB line\r\ncrl\n"
		"D B\nB f\r\nno end\n"
		"D E\nE\nQ\n");
}

static void a_header_ends_at_the_first_line_that_is_no_field(void **state)
{
	static const char message[] = "A: b\nnot a field\nC: d\n";
	struct filter filter = FILTER();
	struct mg_client *client = start(&filter);

	(void)state;
	mg_client_message(client, message, sizeof(message) - 1, 0);
	assert_seen(&filter, client,
		"D L\nL A| b|\nD N\nN\nD B\nB not a field\r\nC: d\r\n\nD E\nE\nQ\n");
}

static void a_message_without_body_or_without_header_has_no_such_steps(void **state)
{
	struct filter filter = FILTER();
	struct mg_client *client = start(&filter);

	(void)state;
	mg_client_message(client, "A: b\n", 5, 0);
	mg_client_message(client, "\nbody\n", 6, 0);
	mg_client_message(client, "", 0, 0);
	assert_seen(&filter, client,
		"D L\nL A| b|\nD N\nN\nD E\nE\n"
		"D N\nN\nD B\nB body\r\n\nD E\nE\n"
		"D N\nN\nD E\nE\nQ\n");
}

static void a_message_ends_at_the_first_final_answer(void **state)
{
	static const struct rule rules[] = {RULE('L', "\0\0\0\1c"), RULE('L', "\0\0\0\1r")};
	struct filter filter = FILTER(RULES(rules));
	struct mg_client *client = start(&filter);

	(void)state;
	assert_int_equal(
		mg_client_message(client, "A: 1\nB: 2\nC: 3\n\nx\n", 18, 0), MG_ANSWER_REJECT);
	assert_seen(&filter, client, "D L\nL A| 1|\nD L\nL B| 2|\nQ\n");
}

static void raw_bytes_go_out_and_packets_come_in_unjudged(void **state)
{
	struct filter filter = FILTER();
	struct mg_client *client = start(&filter);
	struct mg_packet packet;

	(void)state;
	assert_int_equal(mg_client_raw(client, "\0\0\0\3Hx\0", 7), 0);
	assert_int_equal(mg_client_raw_reply(client, &packet), 1);
	assert_int_equal(packet.command, 'c');
	assert_seen(&filter, client, "H x|\nQ\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_is_sent_and_answered),
		cmocka_unit_test(a_client_of_unknown_address_has_no_port_or_address),
		cmocka_unit_test(declined_steps_are_not_sent_and_silent_ones_not_waited_for),
		cmocka_unit_test(a_stage_has_the_default_macros_of_postfix_or_those_asked_for),
		cmocka_unit_test(without_leading_space_one_blank_is_taken_off_a_header_value),
		cmocka_unit_test(answers_and_replies_are_as_the_smtp_client_sees_them),
		cmocka_unit_test(a_reply_of_several_lines_stays_whole),
		cmocka_unit_test(after_accept_the_rest_of_the_message_is_not_sent),
		cmocka_unit_test(a_session_refused_at_helo_stays_refused),
		cmocka_unit_test(after_skip_no_more_body_is_sent),
		cmocka_unit_test(edits_are_kept_in_order_with_all_their_parts),
		cmocka_unit_test(nonsense_of_a_filter_ends_the_session_with_an_error),
		cmocka_unit_test(a_negotiation_that_makes_no_sense_is_an_error),
		cmocka_unit_test(a_filter_that_does_not_answer_is_lost_at_the_deadline),
		cmocka_unit_test(a_filter_that_does_not_negotiate_is_lost_at_the_deadline),
		cmocka_unit_test(a_filter_that_reads_nothing_is_lost_at_the_deadline),
		cmocka_unit_test(a_filter_that_reports_progress_for_ever_is_lost),
		cmocka_unit_test(an_answer_may_come_byte_by_byte),
		cmocka_unit_test(a_message_is_cut_into_fields_and_chunks_as_postfix_does),
		cmocka_unit_test(a_header_ends_at_the_first_line_that_is_no_field),
		cmocka_unit_test(a_message_without_body_or_without_header_has_no_such_steps),
		cmocka_unit_test(a_message_ends_at_the_first_final_answer),
		cmocka_unit_test(raw_bytes_go_out_and_packets_come_in_unjudged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
