/* SPDX-License-Identifier: ISC */
#include "auth/dkim_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool has(const struct mg_dkim_names *names, const char *name)
{
	return mg_dkim_names_has(names, name, strlen(name));
}

static bool oversigned(const struct mg_dkim_names *names, const char *name)
{
	const struct mg_dkim_name *found = mg_dkim_names_find(names, name, strlen(name));

	return found != NULL && found->oversigned;
}

static void the_usual_fields_are_signed_unless_others_are_named(void **state)
{
	static const char *const signed_names[] = {"From", "Reply-To", "Subject", "Date", "To",
		"Cc", "Resent-From", "In-Reply-To", "References", "List-Id", "List-Unsubscribe",
		"List-Unsubscribe-Post", "Feedback-ID", "Content-Type", "MIME-Version",
		"Message-ID"};
	static const char *const other_names[] = {"Received", "Return-Path", "DKIM-Signature",
		"Bcc", "Authentication-Results", "X-Millgate-Hold", "Comments", "X-Mailer", "", "F",
		"Fro"};
	struct mg_dkim_names *names = mg_dkim_names_new(NULL, 0, NULL, 0, NULL);

	(void)state;
	assert_non_null(names);
	for (size_t i = 0; i < sizeof(signed_names) / sizeof(signed_names[0]); i++)
		if (!has(names, signed_names[i]))
			fail_msg("%s is not signed", signed_names[i]);
	for (size_t i = 0; i < sizeof(other_names) / sizeof(other_names[0]); i++)
		if (has(names, other_names[i]))
			fail_msg("%s is signed", other_names[i]);
	mg_dkim_names_free(names);
}

static void named_fields_are_signed_and_no_others_but_from(void **state)
{
	struct mg_dkim_names *names =
		mg_dkim_names_new((const char *const[]){"X-Own", "subject"}, 2, NULL, 0, NULL);

	(void)state;
	assert_true(has(names, "X-Own"));
	assert_true(has(names, "Subject"));
	assert_true(has(names, "From"));
	assert_false(has(names, "To"));
	mg_dkim_names_free(names);
}

static void case_and_blanks_at_the_end_do_not_matter(void **state)
{
	struct mg_dkim_names *names = mg_dkim_names_new(NULL, 0, NULL, 0, NULL);

	(void)state;
	assert_true(has(names, "sUBJECT"));
	assert_true(has(names, "Subject \t"));
	assert_false(has(names, " Subject"));
	assert_false(mg_dkim_names_has(names, "Subjects", 8));
	assert_true(mg_dkim_names_has(names, "Subjects", 7));
	mg_dkim_names_free(names);
}

static void from_and_the_names_of_oversign_are_oversigned(void **state)
{
	struct mg_dkim_names *names = mg_dkim_names_new((const char *const[]){"Date"}, 1,
		(const char *const[]){"To", "DATE", "to"}, 3, NULL);

	(void)state;
	assert_true(oversigned(names, "From"));
	assert_true(oversigned(names, "Date"));
	assert_true(oversigned(names, "To"));
	assert_null(mg_dkim_names_at(names, 3));
	mg_dkim_names_free(names);
	names = mg_dkim_names_new((const char *const[]){"from"}, 1, NULL, 0, NULL);
	assert_true(oversigned(names, "From"));
	mg_dkim_names_free(names);
	names = mg_dkim_names_new(NULL, 0, NULL, 0, NULL);
	assert_false(oversigned(names, "To"));
	mg_dkim_names_free(names);
}

static void from_is_the_first_and_each_has_its_number(void **state)
{
	struct mg_dkim_names *names = mg_dkim_names_new(NULL, 0, NULL, 0, NULL);
	const struct mg_dkim_name *name;
	size_t count = 0;

	(void)state;
	assert_string_equal(mg_dkim_names_at(names, 0)->text, "From");
	for (; (name = mg_dkim_names_at(names, count)) != NULL; count++) {
		assert_int_equal(name->number, count);
		assert_ptr_equal(mg_dkim_names_find(names, name->text, name->length), name);
	}
	assert_true(count > 30);
	mg_dkim_names_free(names);
}

static void assert_refused(const char *name, const char *why)
{
	struct mg_error error = {""};

	assert_null(mg_dkim_names_new(&name, 1, NULL, 0, &error));
	assert_string_equal(error.text, why);
	assert_null(mg_dkim_names_new(NULL, 0, &name, 1, &error));
	assert_string_equal(error.text, why);
}

static void names_that_cannot_be_signed_are_refused(void **state)
{
	(void)state;
	assert_refused("received", "Received cannot be signed: each hop adds one");
	assert_refused("Return-Path", "Return-Path cannot be signed: the last hop writes it");
	assert_refused("DKIM-Signature", "DKIM-Signature cannot be signed: it is the signature");
	assert_refused("Bcc", "Bcc cannot be signed: it is removed before mail is sent");
	assert_refused("", "\"\" is no name of a header field");
	assert_refused("Sub ject", "\"Sub ject\" is no name of a header field");
	assert_refused("From:", "\"From:\" is no name of a header field");
	assert_refused("a;b=c", "\"a;b=c\" is no name of a header field");
	assert_refused("x\n", "\"x\\x0a\" is no name of a header field");
}

static void names_are_bounded(void **state)
{
	static char texts[MG_DKIM_NAMES_MAX][16];
	const char *list[MG_DKIM_NAMES_MAX];
	struct mg_dkim_names *names;
	struct mg_error error = {""};

	(void)state;
	for (size_t i = 0; i < MG_DKIM_NAMES_MAX; i++) {
		snprintf(texts[i], sizeof(texts[i]), "X-%zu", i);
		list[i] = texts[i];
	}
	names = mg_dkim_names_new(list, MG_DKIM_NAMES_MAX - 1, NULL, 0, NULL);
	assert_non_null(names);
	for (size_t i = 0; i < MG_DKIM_NAMES_MAX - 1; i++)
		assert_true(has(names, list[i]));
	mg_dkim_names_free(names);
	assert_null(mg_dkim_names_new(list, MG_DKIM_NAMES_MAX, NULL, 0, &error));
	assert_string_equal(error.text, "over 256 names of header fields");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_usual_fields_are_signed_unless_others_are_named),
		cmocka_unit_test(named_fields_are_signed_and_no_others_but_from),
		cmocka_unit_test(case_and_blanks_at_the_end_do_not_matter),
		cmocka_unit_test(from_and_the_names_of_oversign_are_oversigned),
		cmocka_unit_test(from_is_the_first_and_each_has_its_number),
		cmocka_unit_test(names_that_cannot_be_signed_are_refused),
		cmocka_unit_test(names_are_bounded),
	};

	return cmocka_run_group_tests_name("dkim_names", tests, NULL, NULL);
}
