/* SPDX-License-Identifier: ISC */
/* What a test of a message costs: match and the modules below it are compiled into this program so
 * that every branch counts a step, as in t/unit/linear.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mail/match.h"

enum { FEW = 100, MANY = 10000, RECIPIENTS = 50000 };

static uint64_t steps;

void __sanitizer_cov_trace_pc(void);

/* Called by the compiled code at each branch (-fsanitize-coverage=trace-pc). */
void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

static const struct mg_option options[] = {
	{.name = "match", .kind = MG_SECTION, .options = mg_match_options}, {.name = NULL}};

/* A section with `count` entries for a fact, made of a printf format for their number. */
static struct mg_match *load(const char *fact, const char *entry, int count)
{
	const struct mg_option *const tables[] = {options, NULL};
	struct mg_errors errors = {.count = 0};
	struct mg_buf text = {.limit = 0};
	char path[] = "/tmp/millgate-cost-XXXXXX";
	struct mg_match *match = NULL;
	struct mg_conf *conf;
	int file = mkstemp(path);

	mg_buf_add_format(&text, "match { %s = {\n", fact);
	for (int i = 0; i < count; i++) {
		mg_buf_add_char(&text, '"');
		mg_buf_add_format(&text, entry, i);
		mg_buf_add_text(&text, "\",\n");
	}
	mg_buf_add_text(&text, "} }\n");
	assert_true(file >= 0 && !text.failed);
	assert_int_equal(write(file, text.data, text.length), text.length);
	close(file);
	mg_buf_free(&text);
	conf = mg_conf_load(path, tables, NULL, &errors);
	unlink(path);
	if (conf != NULL)
		match = mg_match_new(mg_conf_section(conf, "match"), &errors);
	if (match == NULL)
		fail_msg("%s", errors.list[0].text);
	mg_conf_free(conf);
	return match;
}

static struct mg_session session = {
	.client_name = "",
	.helo = "",
	.mta_name = "",
	.listener = "",
	.listener_address = "",
	.user = "user-77",
	.auth_method = "",
	.tls_version = "",
	.tls_cipher = "",
	.tls_subject = "",
	.tls_issuer = "",
};
static struct mg_recipient recipients[RECIPIENTS];
static char addresses[RECIPIENTS][48];
static struct mg_message message = {
	.session = &session,
	.queue_id = "",
	.sender = "bounce@a.b.domain-77.example",
	.sender_esmtp = "",
	.recipients = recipients,
	.tenant = "",
	.over_bound = "",
};
static const struct mg_header headers[] = {{"X-Field-77", " value-77", 10, 9}};

/* Steps of a test whose answer is `expected`. */
static uint64_t cost(const struct mg_match *match, int expected)
{
	const struct mg_match_facts facts = {
		.message = &message, .headers = headers, .header_count = 1};
	struct mg_error error = {""};
	uint64_t before = steps;
	int result = mg_match_test(match, &facts, &error);

	if (result != expected)
		fail_msg("%d: %s", result, error.text);
	return steps - before;
}

static void make_recipients(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		snprintf(addresses[i], sizeof(addresses[i]), "r%zu@mail.d%zu.example.net", i, i);
		recipients[i] = (struct mg_recipient){
			.address = addresses[i], .esmtp = "", .accepted = true};
	}
	message.recipient_count = count;
}

static void a_hundred_times_the_entries_cost_no_more_than_a_longer_search(void **state)
{
	static const struct {
		const char *fact, *entry;
		int fits;
	} lists[] = {
		{"user", "user-%d", 1},
		{"user", "nobody-%d", 0},
		{"sender_domain", "a.b.domain-%d.example", 1},
		{"sender_domain", "*.domain-%d.example", 1},
		{"sender_domain", "*.nothing-%d.example", 0},
		{"sender", "bounce@a.b.domain-%d.example", 1},
		{"sender", "*@a.b.domain-%d.example", 1},
		{"sender", "*@*.domain-%d.example", 1},
		{"header", "X-Field-%d: value*", 1},
		{"header", "X-Field-77: value-%d", 1},
		{"header", "X-Nothing-%d", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct mg_match *few = load(lists[i].fact, lists[i].entry, FEW);
		struct mg_match *many = load(lists[i].fact, lists[i].entry, MANY);
		uint64_t few_steps = cost(few, lists[i].fits);
		uint64_t many_steps = cost(many, lists[i].fits);

		if (many_steps > 3 * few_steps)
			fail_msg("%s: %lu steps in %d entries, %lu in %d", lists[i].entry,
				(unsigned long)few_steps, FEW, (unsigned long)many_steps, MANY);
		mg_match_free(few);
		mg_match_free(many);
	}
}

static void a_recipient_costs_the_same_however_many_there_are(void **state)
{
	static const char *const lists[][2] = {
		{"recipient", "nobody@d%d.example.net"},
		{"recipient", "*@*.d%d.example.org"},
		{"recipient_domain", "*.d%d.example.org"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct mg_match *match = load(lists[i][0], lists[i][1], MANY);
		uint64_t few, all;

		make_recipients(RECIPIENTS / 100);
		few = cost(match, 0);
		/* Steps are counted. */
		assert_true(few > 10 * message.recipient_count);
		make_recipients(RECIPIENTS);
		all = cost(match, 0);
		assert_true(all < 120 * few);
		mg_match_free(match);
	}
}

/* Globs in the middle cannot be looked up: 50,000 recipients times 10,000 would take minutes. */
static void what_can_only_be_tried_ends_at_a_bound(void **state)
{
	struct mg_match *match = load("recipient", "x*-%d@example.net", MANY);

	(void)state;
	make_recipients(FEW);
	cost(match, 0);
	make_recipients(RECIPIENTS);
	assert_true(cost(match, -1) < 200000000);
	mg_match_free(match);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hundred_times_the_entries_cost_no_more_than_a_longer_search),
		cmocka_unit_test(a_recipient_costs_the_same_however_many_there_are),
		cmocka_unit_test(what_can_only_be_tried_ends_at_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
