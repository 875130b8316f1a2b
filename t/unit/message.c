/* SPDX-License-Identifier: ISC */
#include "mail/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* printf 'mx.example.org\0004jYh153qZyz1bkdK' | sha256sum | cut -c 1-32 */
static void a_trace_id_is_half_a_sha256_of_gateway_and_queue_id(void **state)
{
	char trace_id[33];

	(void)state;
	mg_trace_id("mx.example.org", "4jYh153qZyz1bkdK", trace_id);
	assert_string_equal(trace_id, "a3dc455884fcf3ad7d48a730982cc997");
}

static void without_a_queue_id_there_is_no_trace_id(void **state)
{
	char trace_id[33] = "x";

	(void)state;
	mg_trace_id("mx.example.org", "", trace_id);
	assert_string_equal(trace_id, "");
}

static void the_domain_is_what_follows_the_last_at_sign_outside_quotes(void **state)
{
	static const struct {
		const char *address, *domain;
	} addresses[] = {
		{"ann@Example.ORG", "Example.ORG"},
		{"\"a@b\"@c.example", "c.example"},
		{"\"a\\\"@b\"@c.example", "c.example"},
		{"a@b@c.example", "c.example"},
		{"postmaster", ""},
		{"", ""},
		{"a@", ""},
		{"\"a@b.example", ""},
		{"\"a\\", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_string_equal(
			mg_address_domain_part(addresses[i].address), addresses[i].domain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trace_id_is_half_a_sha256_of_gateway_and_queue_id),
		cmocka_unit_test(without_a_queue_id_there_is_no_trace_id),
		cmocka_unit_test(the_domain_is_what_follows_the_last_at_sign_outside_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
