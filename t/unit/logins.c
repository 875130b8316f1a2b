/* SPDX-License-Identifier: ISC */
/* What `millgate auth` makes of logins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/logins.h"

static const char wrong[] = "authentication failure";

static const struct cli_login_row *rows_of(struct cli_logins *logins, bool all, size_t expected)
{
	size_t count;
	const struct cli_login_row *rows = cli_logins_rows(logins, all, &count);

	assert_non_null(rows);
	assert_int_equal(count, expected);
	return rows;
}

static void a_user_who_worked_elsewhere_is_told_with_where(void **state)
{
	struct cli_logins *logins = cli_logins_new();
	const struct cli_login_row *row;

	(void)state;
	cli_logins_worked(logins, "acme-app", "203.0.113.4", 10);
	cli_logins_worked(logins, "other", "203.0.113.9", 11);
	for (int i = 0; i < 61; i++)
		cli_logins_failed(logins, "acme-app", "203.0.113.5", wrong, 20 + i);
	row = rows_of(logins, false, 1);
	assert_string_equal(row->user, "acme-app");
	assert_string_equal(row->client, "203.0.113.5");
	assert_int_equal(row->tries, 61);
	assert_int_equal(row->last, 80);
	assert_string_equal(row->reason, wrong);
	assert_string_equal(row->worked_client, "203.0.113.4");
	assert_int_equal(row->worked, 10);
	assert_int_equal(cli_logins_working(logins), 1);
	cli_logins_free(logins);
}

static void who_works_by_now_is_left_out_unless_asked_for(void **state)
{
	(void)state;
	for (int all = 0; all < 2; all++) {
		struct cli_logins *logins = cli_logins_new();

		cli_logins_failed(logins, "ann", "203.0.113.5", wrong, 10);
		cli_logins_worked(logins, "ann", "203.0.113.5", 20);
		if (all)
			assert_true(rows_of(logins, true, 1)->works);
		else
			rows_of(logins, false, 0);
		assert_int_equal(cli_logins_working(logins), !all);
		cli_logins_free(logins);
	}
}

static void many_names_of_one_network_are_guessed(void **state)
{
	struct cli_logins *logins = cli_logins_new();
	const struct cli_login_row *rows;
	char name[16], client[24];

	(void)state;
	cli_logins_worked(logins, "ann", "192.0.2.200", 5);
	cli_logins_failed(logins, "ann", "192.0.2.200", wrong, 7);
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "n%d", i % 201);
		snprintf(client, sizeof(client), "192.0.2.%d", i % 7);
		cli_logins_failed(logins, name, client, wrong, 10 + i);
	}
	rows = rows_of(logins, false, 2);
	assert_string_equal(rows[0].user, "ann");
	assert_false(rows[0].guessing);
	assert_true(rows[1].guessing);
	assert_string_equal(rows[1].client, "192.0.2.0/24");
	assert_int_equal(rows[1].tries, 400);
	assert_int_equal(rows[1].names, 201);
	assert_int_equal(rows[1].last, 409);
	cli_logins_free(logins);
}

static void a_network_of_ipv6_is_of_64_bits(void **state)
{
	struct cli_logins *logins = cli_logins_new();
	char name[16], client[40];

	(void)state;
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		snprintf(client, sizeof(client), "2001:db8:1:2:%x::1", i + 1);
		cli_logins_failed(logins, name, client, wrong, i);
	}
	assert_string_equal(rows_of(logins, false, 1)->client, "2001:db8:1:2::/64");
	cli_logins_free(logins);
}

static void a_user_whom_many_clients_try_is_one_row(void **state)
{
	struct cli_logins *logins = cli_logins_new();
	const struct cli_login_row *row;
	char client[24];

	(void)state;
	for (int i = 0; i < 17; i++) {
		snprintf(client, sizeof(client), "10.%d.0.1", i);
		cli_logins_failed(logins, "admin", client, wrong, i + 1);
	}
	row = rows_of(logins, false, 1);
	assert_string_equal(row->client, "17 clients");
	assert_int_equal(row->tries, 17);
	assert_int_equal(row->last, 17);
	cli_logins_free(logins);
}

static void what_is_kept_is_bounded(void **state)
{
	struct cli_logins *logins = cli_logins_new();
	const struct cli_login_row *rows;
	char name[16], client[24];
	size_t count, tries = 0;

	(void)state;
	for (unsigned i = 0; i < CLI_LOGINS_MAX + 1000; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		snprintf(client, sizeof(client), "10.%u.%u.1", i >> 8 & 255, i & 255);
		assert_true(cli_logins_failed(logins, name, client, wrong, i + 1));
	}
	rows = cli_logins_rows(logins, false, &count);
	for (size_t i = 0; i < count; i++)
		tries += rows[i].tries;
	assert_int_equal(tries, CLI_LOGINS_MAX + 1000);
	assert_true(count <= CLI_LOGINS_MAX + 1);
	cli_logins_free(logins);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_who_worked_elsewhere_is_told_with_where),
		cmocka_unit_test(who_works_by_now_is_left_out_unless_asked_for),
		cmocka_unit_test(many_names_of_one_network_are_guessed),
		cmocka_unit_test(a_network_of_ipv6_is_of_64_bits),
		cmocka_unit_test(a_user_whom_many_clients_try_is_one_row),
		cmocka_unit_test(what_is_kept_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
