/* SPDX-License-Identifier: ISC */
/* Suite `addresses`: which texts are a Mailbox of SMTP, and which are one in a header field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mail/address.h"
#include "mail/mailbox.h"
#include "suite.h"

static const char long_ones[] =
	"RFC 5321 section 4.5.3.1: no limit where possible; senders use more";
static const char controls[] = "control bytes of RFC 822 are taken out, and that is reported";
static const char any_utf8[] = "RFC 6531 section 3.3: any UTF-8 may stand in a local part";
static const struct suite_kept none[] = {{NULL, NULL}};

static void may_stand_in_mail_from_and_rcpt_to(void **state)
{
	static const struct suite_kept kept[] = {
		{"26", long_ones},
		{"39", long_ones},
		{"59", long_ones},
		{"60", long_ones},
		{NULL, NULL},
	};
	json_t *json = suite_load("addresses/isemail.json", false), *row;
	struct suite suite = {.kept = kept};
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "cases"), i, row)
	{
		json_t *address = json_object_get(row, "address");
		bool expected = json_is_true(json_object_get(row, "smtp"));
		char name[32];

		snprintf(name, sizeof(name), "%d",
			(int)json_integer_value(json_object_get(row, "id")));
		suite_case(&suite, name,
			mg_address_valid(json_string_value(address), json_string_length(address)) ==
				expected,
			"%s: expected %s (%s)", json_string_value(address),
			expected ? "an address" : "none",
			json_string_value(json_object_get(row, "diagnosis")));
	}
	suite_end(&suite);
	json_decref(json);
}

static void count(void *context, const struct mg_mailbox *mailbox)
{
	(void)mailbox;
	++*(int *)context;
}

/* What is none may be read all the same: the reader of fields forgives. */
static void is_read_in_a_header_field(void **state)
{
	static const struct suite_kept kept[] = {
		{"58", controls},
		{"124", controls},
		{"125", controls},
		{"134", controls},
		{"138", controls},
		{"139", controls},
		{NULL, NULL},
	};
	json_t *json = suite_load("addresses/isemail.json", false), *row;
	struct suite suite = {.kept = kept};
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "cases"), i, row)
	{
		json_t *address = json_object_get(row, "address");
		char name[32];
		int told = 0, result;

		if (!json_is_true(json_object_get(row, "header")))
			continue;
		snprintf(name, sizeof(name), "%d",
			(int)json_integer_value(json_object_get(row, "id")));
		result = mg_mailbox_list(
			json_string_value(address), json_string_length(address), count, &told);
		suite_case(&suite, name, told == 1 && result == 1, "%s: told %d, result %d (%s)",
			json_string_value(address), told, result,
			json_string_value(json_object_get(row, "diagnosis")));
	}
	suite_end(&suite);
	json_decref(json);
}

static void check_addresses(const json_t *addresses, bool expected, const struct suite_kept *kept)
{
	struct suite suite = {.kept = kept};
	json_t *address;
	size_t i;

	json_array_foreach(addresses, i, address) suite_case(&suite, json_string_value(address),
		mg_address_valid(json_string_value(address), json_string_length(address)) ==
			expected,
		"expected %s", expected ? "an address" : "none");
	suite_end(&suite);
}

/* Of the web forms' suite the group without options. */
static void what_a_web_form_takes_is_an_address(void **state)
{
	json_t *json = suite_load("addresses/validator-js-email.json", true);

	(void)state;
	check_addresses(json_object_get(json, "valid"), true, none);
	json_decref(json);
}

static void what_a_web_form_refuses_is_none(void **state)
{
	static const struct suite_kept kept[] = {
		{"somename@ｇｍａｉｌ.com", "wide letters are mapped (UTS 46)"},
		{"z@co.c", "a domain name all the same"},
		{"ｇｍａｉｌｇｍａｉｌｇｍａｉｌｇｍａｉｌｇｍａｉｌ@gmail.com", any_utf8},
		{"nbsp\u00a0test@test.com", any_utf8},
		{NULL, NULL},
	};
	json_t *json = suite_load("addresses/validator-js-email.json", true);

	(void)state;
	check_addresses(json_object_get(json, "invalid"), false, kept);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(may_stand_in_mail_from_and_rcpt_to),
		cmocka_unit_test(is_read_in_a_header_field),
		cmocka_unit_test(what_a_web_form_takes_is_an_address),
		cmocka_unit_test(what_a_web_form_refuses_is_none),
	};

	suite_needed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
