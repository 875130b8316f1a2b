/* SPDX-License-Identifier: ISC */
/* Lists of objects, and objects with names of strangers. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/event.h"
#include "event/spool.h"

static const struct mg_field attachments = {
	"email.attachments", MG_TYPE_NESTED, true, MG_PRIVACY_NONE, "", ""};
static const struct mg_field name = {
	"email.attachments.file.name", MG_TYPE_KEYWORD, false, MG_PRIVACY_NAMES, "", ""};
static const struct mg_field size = {
	"email.attachments.file.size", MG_TYPE_LONG, false, MG_PRIVACY_NONE, "", ""};
static const struct mg_field facts = {
	"email.attachments.facts", MG_TYPE_KEYWORD, true, MG_PRIVACY_NONE, "", ""};
static const struct mg_field signatures = {
	"millgate.signatures", MG_TYPE_NESTED, true, MG_PRIVACY_NONE, "", ""};
static const struct mg_field domain = {
	"millgate.signatures.domain", MG_TYPE_KEYWORD, false, MG_PRIVACY_NONE, "", ""};
static const struct mg_field subject = {
	"email.subject", MG_TYPE_KEYWORD, false, MG_PRIVACY_SUBJECT, "", ""};
static const struct mg_field metadata = {
	"millgate.metadata", MG_TYPE_FLATTENED, false, MG_PRIVACY_NAMES, "", ""};

static struct mg_events *events;
static struct mg_event *event;

static int begin(const struct mg_redact *redact)
{
	static const struct mg_events_identity identity = {"millgate-log", "mx.example.org", "1"};

	events = mg_events_new(&identity, redact, NULL, &mg_clock_system);
	event = events == NULL ? NULL : mg_event_new(events, MG_MESSAGE_ACCEPTED);
	return event == NULL ? -1 : 0;
}

static int set_up(void **state)
{
	(void)state;
	return begin(NULL);
}

static int tear_down(void **state)
{
	(void)state;
	mg_event_free(event);
	mg_events_free(events);
	return 0;
}

/* The member of an object of the document, as JSON with sorted names; "" when it is not there. */
static const char *value(const char *object, const char *member)
{
	static char text[8192];
	char *document = mg_event_text(event), *dumped = NULL;
	json_t *json;

	assert_non_null(document);
	assert_true(strlen(document) <= MG_DOCUMENT_MAX + 2);
	json = json_loads(document, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	dumped = json_dumps(json_object_get(json_object_get(json, object), member),
		JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	snprintf(text, sizeof text, "%s", dumped != NULL ? dumped : "");
	free(dumped);
	json_decref(json);
	free(document);
	return text;
}

static size_t length_of(const char *object, const char *member)
{
	char *document = mg_event_text(event);
	json_t *json = json_loads(document, 0, NULL);
	size_t length = json_array_size(json_object_get(json_object_get(json, object), member));

	json_decref(json);
	free(document);
	return length;
}

static void attach(const char *file, int64_t bytes)
{
	mg_event_begin_object(event, &attachments);
	mg_event_set_text(event, &name, file);
	if (bytes > 0)
		mg_event_set_number(event, &size, bytes);
	mg_event_end_object(event);
}

static void rows_below_a_list_are_members_of_its_objects(void **state)
{
	(void)state;
	attach("a.pdf", 3);
	attach("b.pdf", 0);
	assert_string_equal(value("email", "attachments"),
		"[{\"file\":{\"name\":\"a.pdf\",\"size\":3}},{\"file\":{\"name\":\"b.pdf\"}}]");
}

static void a_member_can_be_a_list_that_begins_anew(void **state)
{
	(void)state;
	mg_event_begin_object(event, &attachments);
	mg_event_set_text(event, &facts, "x");
	mg_event_set_text(event, &facts, "y");
	mg_event_end_object(event);
	mg_event_begin_object(event, &attachments);
	mg_event_set_text(event, &facts, "z");
	mg_event_end_object(event);
	assert_string_equal(
		value("email", "attachments"), "[{\"facts\":[\"x\",\"y\"]},{\"facts\":[\"z\"]}]");
}

static void other_fields_are_not_of_the_object(void **state)
{
	(void)state;
	mg_event_begin_object(event, &attachments);
	mg_event_set_text(event, &name, "a.pdf");
	mg_event_set_text(event, &subject, "hello");
	mg_event_end_object(event);
	assert_string_equal(value("email", "subject"), "\"hello\"");
	assert_string_equal(value("email", "attachments"), "[{\"file\":{\"name\":\"a.pdf\"}}]");
}

static void an_object_without_members_is_left_out(void **state)
{
	(void)state;
	mg_event_begin_object(event, &attachments);
	mg_event_end_object(event);
	assert_string_equal(value("email", "attachments"), "");
	attach("a.pdf", 0);
	attach("", 0);
	assert_string_equal(value("email", "attachments"), "[{\"file\":{\"name\":\"a.pdf\"}}]");
}

static void several_lists_follow_each_other(void **state)
{
	(void)state;
	attach("a.pdf", 1);
	mg_event_begin_object(event, &signatures);
	mg_event_set_text(event, &domain, "example.org");
	mg_event_end_object(event);
	attach("b.pdf", 2);
	assert_string_equal(value("email", "attachments"),
		"[{\"file\":{\"name\":\"a.pdf\",\"size\":1}},{\"file\":{\"name\":\"b.pdf\",\"size\":2}}]");
	assert_string_equal(value("millgate", "signatures"), "[{\"domain\":\"example.org\"}]");
}

static void members_are_redacted(void **state)
{
	enum mg_redact_way ways[MG_PRIVACY_COUNT] = {[MG_PRIVACY_NAMES] = MG_REDACT_MASK};
	struct mg_error error;
	struct mg_redact *redact = mg_redact_new(ways, "", &error);

	(void)state;
	tear_down(NULL);
	assert_int_equal(begin(redact), 0);
	attach("secret plan.pdf", 3);
	mg_event_set_member(event, &metadata, "user", 4, "ann", 3);
	assert_string_equal(
		value("email", "attachments"), "[{\"file\":{\"name\":\"*\",\"size\":3}}]");
	assert_string_equal(value("millgate", "metadata"), "{\"user\":\"*\"}");
	tear_down(NULL);
	ways[MG_PRIVACY_NAMES] = MG_REDACT_DROP;
	mg_redact_free(redact);
	redact = mg_redact_new(ways, "", &error);
	assert_int_equal(begin(redact), 0);
	attach("secret plan.pdf", 3);
	mg_event_set_member(event, &metadata, "user", 4, "ann", 3);
	assert_string_equal(value("email", "attachments"), "[{\"file\":{\"size\":3}}]");
	assert_string_equal(value("millgate", "metadata"), "");
	tear_down(NULL);
	mg_redact_free(redact);
	assert_int_equal(begin(NULL), 0);
}

static void a_list_of_many_objects_ends_within_the_record_and_is_named(void **state)
{
	static char long_name[8000];

	(void)state;
	memset(long_name, 'n', sizeof long_name - 1);
	for (int i = 0; i < 100; i++)
		attach(long_name, i + 1);
	mg_event_set_text(event, &subject, "there is room");
	assert_in_range(length_of("email", "attachments"), 20, 30);
	assert_string_equal(value("millgate", "truncated"), "[\"email.attachments\"]");
	assert_string_equal(value("email", "subject"), "\"there is room\"");
}

static void a_cut_member_is_named(void **state)
{
	static char long_name[9000];

	(void)state;
	memset(long_name, 'n', sizeof long_name - 1);
	attach(long_name, 1);
	assert_string_equal(value("millgate", "truncated"), "[\"email.attachments.file.name\"]");
}

static void a_list_ends_after_10000_objects(void **state)
{
	(void)state;
	for (int i = 0; i < 10001; i++) {
		mg_event_begin_object(event, &signatures);
		mg_event_set_text(event, &domain, "x");
		mg_event_end_object(event);
	}
	/* Each needs 15 bytes: the record has room for more. */
	assert_int_equal(length_of("millgate", "signatures"), 10000);
	assert_string_equal(value("millgate", "truncated"), "[\"millgate.signatures\"]");
}

static void names_of_strangers_are_members_of_one_field(void **state)
{
	(void)state;
	mg_event_set_member(event, &metadata, "user_id", 7, "42", 2);
	mg_event_set_member(event, &metadata, "a.b\"c\\", 6, "\"}\n", 3);
	mg_event_set_member(event, &metadata, "\xc3\xa4\0", 3, "x", 1);
	assert_string_equal(value("millgate", "metadata"),
		"{\"___\":\"x\",\"a_b_c_\":\"\\\"}\\n\",\"user_id\":\"42\"}");
}

static void of_one_name_the_first_counts(void **state)
{
	(void)state;
	mg_event_set_member(event, &metadata, "other", 5, "\"user\":\"x\"", 10);
	mg_event_set_member(event, &metadata, "user", 4, "1", 1);
	mg_event_set_member(event, &metadata, "user", 4, "2", 1);
	assert_string_equal(value("millgate", "metadata"),
		"{\"other\":\"\\\"user\\\":\\\"x\\\"\",\"user\":\"1\"}");
}

static void members_are_bounded_in_number_and_length(void **state)
{
	static char text[2000], many[80];
	char *document;

	(void)state;
	memset(text, 't', sizeof text);
	memset(many, 'n', sizeof many);
	mg_event_set_member(event, &metadata, many, sizeof many, text, sizeof text);
	assert_string_equal(value("millgate", "truncated"), "[\"millgate.metadata\"]");
	assert_int_equal(strlen(value("millgate", "metadata")), 64 + 1024 + 7);
	for (int i = 0; i < 100; i++) {
		char key[16];

		snprintf(key, sizeof key, "k%d", i);
		mg_event_set_member(event, &metadata, key, strlen(key), "v", 1);
	}
	document = mg_event_text(event);
	assert_non_null(strstr(document, "\"k48\":"));
	assert_null(strstr(document, "\"k49\":"));
	free(document);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(rows_below_a_list_are_members_of_its_objects),
		TEST(a_member_can_be_a_list_that_begins_anew),
		TEST(other_fields_are_not_of_the_object),
		TEST(an_object_without_members_is_left_out),
		TEST(several_lists_follow_each_other),
		TEST(members_are_redacted),
		TEST(a_list_of_many_objects_ends_within_the_record_and_is_named),
		TEST(a_cut_member_is_named),
		TEST(a_list_ends_after_10000_objects),
		TEST(names_of_strangers_are_members_of_one_field),
		TEST(of_one_name_the_first_counts),
		TEST(members_are_bounded_in_number_and_length),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
