/* SPDX-License-Identifier: ISC */
/* Suite `header-fields`: addresses, unstructured text with encoded words, dates, message ids, types with
 * their parameters. A value
 * there may go on with the next field; a runner cuts it, as the MTA does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mail/header.h"
#include "mail/mailbox.h"
#include "mail/parameters.h"
#include "suite.h"

/* Length of the field at the start of text: up to a line end without a blank behind it. */
static size_t field_length(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0') {
		if (text[length] == '\n' && text[length + 1] != ' ' && text[length + 1] != '\t')
			break;
		length++;
	}
	return length;
}

typedef void check_function(struct suite *suite, const char *name, const char *value, size_t length,
	const json_t *expected);

static void run(const char *path, const struct suite_kept *kept, check_function *check)
{
	json_t *json = suite_load(path, false), *row;
	struct suite suite = {.kept = kept};
	size_t i;

	json_array_foreach(json, i, row)
	{
		const char *value = json_string_value(json_object_get(row, "header"));
		char name[32];

		snprintf(name, sizeof(name), "%zu", i);
		check(&suite, name, value, field_length(value), json_object_get(row, "expected"));
	}
	suite_end(&suite);
	json_decref(json);
}

/* "name|address" a line. */
static void add_mailbox(void *context, const struct mg_mailbox *mailbox)
{
	mg_buf_add_format(
		context, "%s|%s\n", mailbox->name != NULL ? mailbox->name : "", mailbox->address);
}

static void add_expected(struct mg_buf *out, const json_t *mailboxes)
{
	json_t *mailbox;
	size_t i;

	json_array_foreach(mailboxes, i, mailbox)
	{
		const char *name = json_string_value(json_object_get(mailbox, "name"));
		const char *address = json_string_value(json_object_get(mailbox, "address"));

		mg_buf_add_format(
			out, "%s|%s\n", name != NULL ? name : "", address != NULL ? address : "");
	}
}

/* Groups are told as their members. */
static void check_mailboxes(struct suite *suite, const char *name, const char *value, size_t length,
	const json_t *expected)
{
	struct mg_buf told = {.limit = 0}, wanted = {.limit = 0};
	json_t *group;
	size_t i;

	mg_mailbox_list(value, length, add_mailbox, &told);
	add_expected(&wanted, json_object_get(expected, "List"));
	json_array_foreach(json_object_get(expected, "Group"), i, group)
		add_expected(&wanted, json_object_get(group, "addresses"));
	suite_case(suite, name, strcmp(mg_buf_text(&told), mg_buf_text(&wanted)) == 0,
		"%s: told\n%sexpected\n%s", value, mg_buf_text(&told), mg_buf_text(&wanted));
	mg_buf_free(&told);
	mg_buf_free(&wanted);
}

static void mailboxes_are_read(void **state)
{
	static const char comment[] = "a comment is no part of a name that there is";
	static const char uri[] = "a URI of a list field is no mailbox";
	static const struct suite_kept kept[] = {{"8", comment}, {"9", comment}, {"10", comment},
		{"11", "a comment alone is no mailbox"},
		{"13", "the route and blanks around a dot are taken out"}, {"14", comment},
		{"22", comment}, {"33", "outer blanks of a name go"}, {"37", uri}, {"38", uri},
		{"39", uri}, {"40", uri}, {"41", uri}, {"42", "a word is no mailbox"}, {"43", uri},
		{"44", uri}, {"45", uri}, {"46", uri}, {"47", uri},
		{"55", "words behind an address are no name"}, {"56", comment}, {NULL, NULL}};

	(void)state;
	run("header-fields/address.json", kept, check_mailboxes);
}

static void check_text(struct suite *suite, const char *name, const char *value, size_t length,
	const json_t *expected)
{
	struct mg_buf text = {.limit = 0};

	mg_header_decode(value, length, &text);
	suite_case(suite, name, strcmp(mg_buf_text(&text), json_string_value(expected)) == 0,
		"%s: \"%s\", expected \"%s\"", value, mg_buf_text(&text),
		json_string_value(expected));
	mg_buf_free(&text);
}

static void text_is_decoded(void **state)
{
	static const char no_blank[] = "no blank is put before an encoded word";
	static const struct suite_kept kept[] = {{"21", no_blank}, {"22", no_blank},
		{"27", no_blank}, {"28", no_blank}, {NULL, NULL}};

	(void)state;
	run("header-fields/unstructured.json", kept, check_text);
}

static int number(const json_t *object, const char *name)
{
	return (int)json_integer_value(json_object_get(object, name));
}

static int64_t seconds_of(const json_t *date)
{
	struct tm fields = {.tm_year = number(date, "year") - 1900,
		.tm_mon = number(date, "month") - 1,
		.tm_mday = number(date, "day"),
		.tm_hour = number(date, "hour"),
		.tm_min = number(date, "minute"),
		.tm_sec = number(date, "second")};
	int offset = number(date, "tz_hour") * 3600 + number(date, "tz_minute") * 60;

	if (!json_is_true(json_object_get(date, "tz_before_gmt")))
		offset = -offset;
	return timegm(&fields) + offset;
}

static void check_date(struct suite *suite, const char *name, const char *value, size_t length,
	const json_t *expected)
{
	int64_t utc = -1, wanted = json_is_object(expected) ? seconds_of(expected) : -1;
	bool read = mg_header_date(value, length, &utc);

	if (read)
		utc /= 1000000000;
	suite_case(suite, name, utc == wanted, "%s: %lld, expected %lld", value, (long long)utc,
		(long long)wanted);
}

static void dates_are_read(void **state)
{
	static const char before[] = "dates before 1970 are none";
	static const char numbers[] = "a month is a name";
	static const struct suite_kept kept[] = {{"4", before}, {"5", before}, {"6", before},
		{"10", numbers}, {"12", numbers}, {"28", "this is a Received field"}, {NULL, NULL}};

	(void)state;
	run("header-fields/date.json", kept, check_date);
}

/* The first of several. */
static void check_id(struct suite *suite, const char *name, const char *value, size_t length,
	const json_t *expected)
{
	const char *wanted = json_string_value(json_array_get(expected, 0));
	struct mg_buf text = {.limit = 0};

	mg_header_message_id(value, length, &text);
	suite_case(suite, name, wanted != NULL && strcmp(mg_buf_text(&text), wanted) == 0,
		"%s: \"%s\", expected \"%s\"", value, mg_buf_text(&text),
		wanted != NULL ? wanted : "none");
	mg_buf_free(&text);
}

static void message_ids_are_read(void **state)
{
	static const struct suite_kept kept[] = {
		{"7", "what has no id is told as it stands"}, {NULL, NULL}};

	(void)state;
	run("header-fields/id.json", kept, check_id);
}

/* "type/subtype" or, of a disposition, its word; then "name=text" a line, languages left out. */
static void add_content_type(struct mg_buf *out, const json_t *expected)
{
	const char *type = json_string_value(json_object_get(expected, "c_type"));
	const char *subtype = json_string_value(json_object_get(expected, "c_subtype"));
	json_t *attribute;
	size_t i;

	mg_buf_add_format(out, "%s%s%s\n", type != NULL ? type : "", subtype != NULL ? "/" : "",
		subtype != NULL ? subtype : "");
	json_array_foreach(json_object_get(expected, "attributes"), i, attribute)
	{
		const char *name = json_string_value(json_array_get(attribute, 0));

		if (strstr(name, "-language") == NULL)
			mg_buf_add_format(out, "%s=%s\n", name,
				json_string_value(json_array_get(attribute, 1)));
	}
}

static void tell_content_type(
	const char *value, size_t length, const json_t *expected, struct mg_buf *out)
{
	char type[128];
	json_t *attribute;
	size_t i;

	if (mg_parameters_type(value, length, type, sizeof(type)) ||
		mg_parameters_word(value, length, type, sizeof(type)))
		mg_buf_add_text(out, type);
	mg_buf_add_char(out, '\n');
	json_array_foreach(json_object_get(expected, "attributes"), i, attribute)
	{
		const char *name = json_string_value(json_array_get(attribute, 0));
		struct mg_buf text = {.limit = 0};

		if (mg_parameters_text(value, length, name, &text))
			mg_buf_add_format(out, "%s=%s\n", name, mg_buf_text(&text));
		mg_buf_free(&text);
	}
}

static void check_content_type(struct suite *suite, const char *name, const char *value,
	size_t length, const json_t *expected)
{
	struct mg_buf told = {.limit = 0}, wanted = {.limit = 0};

	add_content_type(&wanted, expected);
	tell_content_type(value, length, expected, &told);
	suite_case(suite, name, strcmp(mg_buf_text(&told), mg_buf_text(&wanted)) == 0,
		"%s: told\n%sexpected\n%s", value, mg_buf_text(&told), mg_buf_text(&wanted));
	mg_buf_free(&told);
	mg_buf_free(&wanted);
}

static void types_and_parameters_are_read(void **state)
{
	static const char outer[] = "outer blanks of a text go";
	static const char word[] = "a type is a word of token characters";
	static const char second[] = "a type has two words";
	static const struct suite_kept kept[] = {
		{"31", "only the first piece has a character set (RFC 2231 section 4.1)"},
		{"34", "blanks between encoded words are no text, in quotes neither"},
		{"38", outer}, {"47", word}, {"48", word}, {"54", word}, {"55", outer},
		{"56", outer}, {"57", outer}, {"58", word},
		{"59", "the runner's strings end at a NUL"},
		{"61", "a name has one star and a number, or it is another name"}, {"76", second},
		{"77", second}, {"78", second}, {NULL, NULL}};

	(void)state;
	run("header-fields/content_type.json", kept, check_content_type);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailboxes_are_read),
		cmocka_unit_test(text_is_decoded),
		cmocka_unit_test(dates_are_read),
		cmocka_unit_test(message_ids_are_read),
		cmocka_unit_test(types_and_parameters_are_read),
	};

	suite_needed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
