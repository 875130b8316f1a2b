/* SPDX-License-Identifier: ISC */
/* What `millgate stuck` groups by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cli/backlog.h"
#include "cli/fold.h"
#include "cli/when.h"

static void names_and_numbers_of_a_reply_are_folded(void **state)
{
	static const struct {
		const char *text, *folded;
	} replies[] = {
		{"450 4.7.1 <ann@example.com>: Greylisted for 287 seconds",
			"450 4.7.1 <…>: Greylisted for # seconds"},
		{"421 4.7.0 Try again later, closing", "421 4.7.0 Try again later, closing"},
		{"421 mx1.example.net is busy.", "421 … is busy."},
		{"451-4.3.0 Error in queue 4jYh153qZyz1bkdK.", "451-4.3.0 Error in queue …."},
		{"450 4.2.0 [198.51.100.9] at 3.5/s: see https://example.com/why?id=17",
			"450 4.2.0 [#] at #/s: see https://…/why?id=#"},
		{"connect to mx.example.com[2001:db8::1]:25: Connection timed out",
			"connect to …[#:…::#]:#: Connection timed out"},
		{"\xc3\xa4 \xff\x01", "\xc3\xa4 \xff\x01"},
		{"450", "#"},
		{"", ""},
		{"...", "..."},
	};
	char folded[200], little[8];

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		assert_string_equal(
			cli_fold(folded, sizeof(folded), replies[i].text), replies[i].folded);
	assert_string_equal(cli_fold(little, sizeof(little), "nothing is longer"), "nothing");
	assert_string_equal(cli_fold(little, sizeof(little), "ab 12345 c a@b"), "ab # c ");
}

static struct mg_delivery waiting(const char *recipient, const char *host, const char *reply)
{
	return (struct mg_delivery){.queue_id = "4jYh153qZyz1bkdK",
		.recipient = recipient,
		.state = MG_DELIVERY_WAITING,
		.accepted = 100 * MG_SECOND,
		.attempts = 1,
		.host = host,
		.dsn = "4.7.1",
		.reply = reply,
		.reply_code = 450,
		.hold_code = ""};
}

static void recipients_are_grouped_by_where_and_reply(void **state)
{
	struct cli_backlog *backlog = cli_backlog_new();
	const struct cli_backlog_group *const *groups;
	struct mg_delivery delivery;
	size_t count;

	(void)state;
	for (int i = 0; i < 9; i++) {
		char reply[80];

		snprintf(reply, sizeof(reply), "450 4.7.1 <a%d@b.example>: wait %d s", i, i);
		delivery = waiting("x@y.example", i % 2 ? "mx.y.example" : "MX.Y.example", reply);
		delivery.accepted = (100 - i) * MG_SECOND;
		assert_true(cli_backlog_add(backlog, &delivery, i >= 7));
	}
	delivery = waiting("x@y.example", "mx.y.example", "450 4.7.1 go away");
	assert_true(cli_backlog_add(backlog, &delivery, false));
	groups = cli_backlog_groups(backlog, &count);
	assert_int_equal(count, 2);
	assert_int_equal(groups[0]->count, 9);
	assert_int_equal(groups[0]->overdue, 2);
	assert_int_equal(groups[0]->oldest, 92 * MG_SECOND);
	assert_int_equal(groups[0]->wait, CLI_WAIT_HOST);
	assert_string_equal(groups[0]->where, "mx.y.example");
	assert_string_equal(groups[0]->reply, "450 4.7.1 <…>: wait # s");
	assert_int_equal(groups[1]->count, 1);
	assert_int_equal(cli_backlog_total(backlog)->count, 10);
	assert_int_equal(cli_backlog_total(backlog)->oldest, 92 * MG_SECOND);
	cli_backlog_free(backlog);
}

static void who_was_not_tried_or_is_held_or_has_no_dns_waits_elsewhere(void **state)
{
	static const struct {
		enum mg_delivery_state state;
		unsigned attempts;
		const char *host, *dsn, *code;
		enum cli_wait wait;
		const char *where;
	} rows[] = {
		{MG_DELIVERY_ACCEPTED, 0, "", "", "", CLI_WAIT_UNTRIED, ""},
		{MG_DELIVERY_HELD, 0, "", "", "payment-cards", CLI_WAIT_HELD, "payment-cards"},
		{MG_DELIVERY_HELD, 2, "mx.y.example", "4.7.0", "", CLI_WAIT_HELD, ""},
		{MG_DELIVERY_WAITING, 1, "", "4.4.3", "", CLI_WAIT_DNS, "y.example"},
		{MG_DELIVERY_WAITING, 1, "", "4.4.1", "", CLI_WAIT_DOMAIN, "y.example"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cli_backlog *backlog = cli_backlog_new();
		struct mg_delivery delivery = waiting("x@Y.example", rows[i].host, "no");
		const struct cli_backlog_group *const *groups;
		size_t count;

		delivery.state = rows[i].state;
		delivery.attempts = rows[i].attempts;
		delivery.dsn = rows[i].dsn;
		delivery.hold_code = rows[i].code;
		assert_true(cli_backlog_add(backlog, &delivery, false));
		groups = cli_backlog_groups(backlog, &count);
		assert_int_equal(count, 1);
		assert_int_equal(groups[0]->wait, rows[i].wait);
		assert_string_equal(groups[0]->where, rows[i].where);
		assert_string_equal(groups[0]->queue_id, "4jYh153qZyz1bkdK");
		cli_backlog_free(backlog);
	}
}

/* Each reply in words of its own: "aa", "ab" … */
static void there_are_no_more_groups_than_can_be_kept(void **state)
{
	struct cli_backlog *backlog = cli_backlog_new();
	const struct cli_backlog_group *const *groups;
	size_t count, all = CLI_BACKLOG_GROUPS + 5000;

	(void)state;
	for (size_t i = 0; i < all; i++) {
		char reply[] = "450 4.7.1 aaaa";
		struct mg_delivery delivery;

		for (size_t left = i, at = strlen(reply) - 1; left > 0; left /= 26, at--)
			reply[at] = (char)('a' + left % 26);
		delivery = waiting("x@y.example", "mx.y.example", reply);
		assert_true(cli_backlog_add(backlog, &delivery, false));
	}
	groups = cli_backlog_groups(backlog, &count);
	assert_int_equal(count, CLI_BACKLOG_GROUPS + 1);
	assert_int_equal(groups[0]->wait, CLI_WAIT_OTHER);
	assert_int_equal(groups[0]->count, 5000);
	assert_int_equal(cli_backlog_total(backlog)->count, all);
	cli_backlog_free(backlog);
}

static void a_span_is_said_in_one_or_two_units(void **state)
{
	static const struct {
		int64_t seconds;
		const char *one, *two;
	} spans[] = {{0, "0s", "0s"}, {59, "59s", "59s"}, {60, "1m", "1m"},
		{3599, "59m", "59m 59s"}, {3 * 3600, "3h", "3h"},
		{2 * 86400 + 4 * 3600 + 59, "2d", "2d 4h"}, {86400 + 59, "1d", "1d"},
		{-5, "0s", "0s"}};
	char text[CLI_SPAN_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		assert_string_equal(
			cli_when_say(spans[i].seconds * MG_SECOND, 1, text), spans[i].one);
		assert_string_equal(
			cli_when_say(spans[i].seconds * MG_SECOND, 2, text), spans[i].two);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_of_a_reply_are_folded),
		cmocka_unit_test(recipients_are_grouped_by_where_and_reply),
		cmocka_unit_test(who_was_not_tried_or_is_held_or_has_no_dns_waits_elsewhere),
		cmocka_unit_test(there_are_no_more_groups_than_can_be_kept),
		cmocka_unit_test(a_span_is_said_in_one_or_two_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
