/* SPDX-License-Identifier: ISC */
#include "event/event.h"

#include <inttypes.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool_place.h"

/* 2026-11-24T11:49:20.539112345Z */
#define NOW (INT64_C(1795520960) * MG_SECOND + 539112345)

static const struct mg_field code = {"event.code", MG_TYPE_KEYWORD, false, MG_PRIVACY_NONE, "", ""};
static const struct mg_field duration = {
	"event.duration", MG_TYPE_LONG, false, MG_PRIVACY_NONE, "", ""};
static const struct mg_field sender = {
	"email.sender.address", MG_TYPE_KEYWORD, false, MG_PRIVACY_SENDERS, "", ""};
static const struct mg_field recipients = {
	"email.to.address", MG_TYPE_KEYWORD, true, MG_PRIVACY_RECIPIENTS, "", ""};
static const struct mg_field subject = {
	"email.subject", MG_TYPE_KEYWORD, false, MG_PRIVACY_SUBJECT, "", ""};
static const struct mg_field address = {"source.ip", MG_TYPE_IP, false, MG_PRIVACY_CLIENT, "", ""};
static const struct mg_field port = {"source.port", MG_TYPE_LONG, false, MG_PRIVACY_CLIENT, "", ""};
static const struct mg_field established = {
	"tls.established", MG_TYPE_BOOLEAN, false, MG_PRIVACY_NONE, "", ""};
static const struct mg_field start = {"event.start", MG_TYPE_DATE, false, MG_PRIVACY_NONE, "", ""};
static const struct mg_field tags = {"tags", MG_TYPE_KEYWORD, true, MG_PRIVACY_NONE, "", ""};

static const struct mg_events_identity identity = {"millgate-log", "mx1.example.org", "0.1.0"};

static struct still_clock still;
static struct mg_events *events;
static struct mg_event *event;

static int set_up(void **state)
{
	(void)state;
	still_clock_set(&still, NOW);
	events = mg_events_new(&identity, NULL, NULL, &still.clock);
	event = events == NULL ? NULL : mg_event_new(events, MG_MESSAGE_ACCEPTED);
	return event == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	mg_event_free(event);
	mg_events_free(events);
	return 0;
}

/* The document of the event, taken apart; json_decref it. */
static json_t *document(void)
{
	char *text = mg_event_text(event);
	json_error_t error;
	json_t *json;

	assert_non_null(text);
	json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (json == NULL)
		fail_msg("%s: %s", error.text, text);
	free(text);
	return json;
}

/* The value at a dotted name, as compact JSON; "" when it is not there. */
static const char *value(const char *name)
{
	static char text[65536];
	json_t *json = document(), *at = json;
	char part[128];

	while (at != NULL && *name != '\0') {
		size_t length = strcspn(name, ".");

		snprintf(part, sizeof part, "%.*s", (int)length, name);
		at = json_object_get(at, part);
		name += name[length] == '.' ? length + 1 : length;
	}
	text[0] = '\0';
	if (at != NULL) {
		char *dumped = json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY);

		snprintf(text, sizeof text, "%s", dumped);
		free(dumped);
	}
	json_decref(json);
	return text;
}

static void every_event_has_what_it_must_have(void **state)
{
	(void)state;
	assert_string_equal(value("@timestamp"), "\"2026-11-24T11:49:20.539112Z\"");
	assert_string_equal(value("ecs"), "{\"version\":\"8.11.0\"}");
	assert_string_equal(value("host"), "{\"name\":\"mx1.example.org\"}");
	assert_string_equal(value("observer"),
		"{\"vendor\":\"millgate\",\"product\":\"millgate\",\"version\":\"0.1.0\",\"type\":\"mail-gateway\","
		"\"hostname\":\"mx1.example.org\"}");
	assert_string_equal(value("event.kind"), "\"event\"");
	assert_string_equal(value("event.category"), "[\"email\"]");
	assert_string_equal(value("event.type"), "[\"info\"]");
	assert_string_equal(value("event.action"), "\"message-accepted\"");
	assert_string_equal(value("event.outcome"), "\"success\"");
	assert_string_equal(value("event.provider"), "\"millgate-log\"");
	assert_string_equal(value("event.dataset"), "\"millgate.log\"");
}

static void an_event_is_one_compact_line_from_timestamp_to_event(void **state)
{
	char *text;

	(void)state;
	mg_event_set_text(event, &code, "c");
	mg_event_set_text(event, &subject, "two\nlines");
	text = mg_event_text(event);
	assert_memory_equal(text, "{\"@timestamp\":\"2026", 19);
	assert_null(strchr(text, '\n'));
	assert_null(strstr(text, ": "));
	assert_non_null(strstr(text, ",\"event\":{\"id\":"));
	assert_string_equal(text + strlen(text) - strlen(",\"code\":\"c\"}}"), ",\"code\":\"c\"}}");
	free(text);
}

static void the_id_is_a_uuid_of_version_7_with_the_time(void **state)
{
	char id[40];

	(void)state;
	snprintf(id, sizeof id, "%s", value("event.id"));
	assert_int_equal(strlen(id), 38);
	/* 1795520960539 milliseconds. */
	assert_memory_equal(id, "\"01a20d63-981b-7", 16);
	assert_non_null(strchr("89ab", id[20]));
	for (size_t i = 1; i < 37; i++)
		assert_true(i == 9 || i == 14 || i == 19 || i == 24
				    ? id[i] == '-'
				    : strchr("0123456789abcdef", id[i]) != NULL);
	id[37] = '\0';
	assert_string_equal(mg_event_ref(event), id + 29);
}

static void what_is_made_of_the_same_seed_has_the_same_id(void **state)
{
	static const int64_t then = INT64_C(1795520960539000000);
	struct mg_event *other = mg_event_new_of(events, MG_DELIVERY_DEFERRED, then, "line 1", 6);

	(void)state;
	mg_event_free(event);
	event = mg_event_new_of(events, MG_DELIVERY_DEFERRED, then, "line 1", 6);
	assert_string_equal(mg_event_id(event), mg_event_id(other));
	assert_memory_equal(mg_event_id(event), "01a20d63-981b-7", 15);
	mg_event_free(other);
	other = mg_event_new_of(events, MG_DELIVERY_DEFERRED, then, "line 2", 6);
	assert_string_not_equal(mg_event_ref(event), mg_event_ref(other));
	mg_event_free(other);
}

static void a_float_has_the_digits_it_needs(void **state)
{
	static const struct mg_field row = {
		"millgate.a", MG_TYPE_FLOAT, false, MG_PRIVACY_NONE, "", ""};
	static const struct {
		double number;
		const char *text;
	} cases[] = {{1.9, "{\"a\":1.9}"}, {13, "{\"a\":13}"}, {0, "{\"a\":0}"},
		{100, "{\"a\":100}"}, {0.05, "{\"a\":0.05}"}, {-0.5, "{\"a\":-0.5}"},
		{0.0 / 0.0, "{\"a\":-0.5}"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *text;

		mg_event_set_float(event, &row, cases[i].number);
		text = mg_event_text(event);
		assert_non_null(strstr(text, cases[i].text));
		free(text);
	}
}

static int by_text(const void *one, const void *other)
{
	return strcmp(one, other);
}

static void ids_of_the_same_moment_differ(void **state)
{
	enum { COUNT = 2000 };
	static char refs[COUNT][40];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		mg_event_free(event);
		event = mg_event_new(events, MG_MESSAGE_PASSED);
		snprintf(refs[i], sizeof refs[i], "%s", value("event.id"));
	}
	qsort(refs, COUNT, sizeof refs[0], by_text);
	for (int i = 1; i < COUNT; i++)
		assert_string_not_equal(refs[i - 1], refs[i]);
}

/* The types that each category expects, of ECS 8.11. */
static const struct {
	const char *category, *types;
} expected_types[] = {
	{"email", "info"},
	{"network", "access allowed connection denied end info protocol start"},
	{"process", "access change end info start"},
	{"configuration", "access change creation deletion info"},
	{"authentication", "end info start"},
};

static bool is_expected(const char *category, const char *type)
{
	for (size_t i = 0; i < sizeof expected_types / sizeof expected_types[0]; i++)
		if (strcmp(expected_types[i].category, category) == 0)
			return strstr(expected_types[i].types, type) != NULL;
	return false;
}

static void every_action_has_a_name_and_values_that_ecs_allows(void **state)
{
	(void)state;
	for (enum mg_event_action action = 0; action < MG_EVENT_ACTION_COUNT; action++) {
		json_t *json, *own, *category, *type;
		const char *outcome;
		size_t i, j;

		mg_event_free(event);
		event = mg_event_new(events, action);
		json = document();
		own = json_object_get(json, "event");
		assert_string_equal(json_string_value(json_object_get(own, "action")),
			mg_event_action_name(action));
		assert_non_null(strstr("event alert pipeline_error",
			json_string_value(json_object_get(own, "kind"))));
		outcome = json_string_value(json_object_get(own, "outcome"));
		assert_true(strcmp(outcome, "success") == 0 || strcmp(outcome, "failure") == 0 ||
			    strcmp(outcome, "unknown") == 0);
		json_array_foreach(json_object_get(own, "type"), i, type)
		{
			bool expected = false;

			json_array_foreach(json_object_get(own, "category"), j, category) expected =
				expected ||
				is_expected(json_string_value(category), json_string_value(type));
			assert_true(expected);
		}
		json_decref(json);
	}
}

static void a_refusal_is_denied_on_the_network(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		mg_event_free(event);
		event = mg_event_new(events, i == 0 ? MG_MESSAGE_REJECTED : MG_MESSAGE_DEFERRED);
		assert_string_equal(value("event.category"), "[\"email\",\"network\"]");
		assert_string_equal(value("event.type"), "[\"info\",\"denied\"]");
		assert_string_equal(value("event.outcome"), "\"failure\"");
	}
}

static void an_outcome_can_be_another_than_the_usual_one(void **state)
{
	(void)state;
	mg_event_free(event);
	event = mg_event_new(events, MG_MESSAGE_UNSIGNED);
	assert_string_equal(value("event.outcome"), "\"failure\"");
	mg_event_set_outcome(event, true);
	assert_string_equal(value("event.outcome"), "\"success\"");
	mg_event_set_outcome(event, false);
	assert_string_equal(value("event.outcome"), "\"failure\"");
}

static void dots_of_a_name_make_objects(void **state)
{
	(void)state;
	mg_event_set_text(event, &sender, "a@example.com");
	mg_event_set_number(event, &port, 25);
	mg_event_set_text(event, &recipients, "b@example.com");
	mg_event_set_text(event, &address, "192.0.2.1");
	mg_event_set_number(event, &duration, INT64_MIN);
	assert_string_equal(value("email"),
		"{\"sender\":{\"address\":\"a@example.com\"},\"to\":{\"address\":[\"b@example.com\"]}}");
	assert_string_equal(value("source"), "{\"port\":25,\"ip\":\"192.0.2.1\"}");
	assert_string_equal(value("event.duration"), "-9223372036854775808");
}

static void types_are_written_as_such(void **state)
{
	(void)state;
	mg_event_set_bool(event, &established, true);
	mg_event_set_time(event, &start, NOW);
	assert_string_equal(value("tls.established"), "true");
	assert_string_equal(value("event.start"), "\"2026-11-24T11:49:20.539112Z\"");
	mg_event_set_bool(event, &established, false);
	assert_string_equal(value("tls.established"), "false");
}

static void setting_again_replaces_a_value_and_adds_to_an_array(void **state)
{
	(void)state;
	mg_event_set_text(event, &subject, "one");
	mg_event_set_text(event, &subject, "two");
	mg_event_set_text(event, &recipients, "b@example.com");
	mg_event_set_text(event, &recipients, "c@example.com");
	assert_string_equal(value("email.subject"), "\"two\"");
	assert_string_equal(value("email.to.address"), "[\"b@example.com\",\"c@example.com\"]");
}

static void nothing_sets_nothing_and_empty_is_asked_for(void **state)
{
	(void)state;
	mg_event_set_text(event, &subject, "");
	mg_event_set_text(event, &subject, NULL);
	mg_event_set_text_n(event, &recipients, "x", 0);
	assert_string_equal(value("email"), "");
	mg_event_set_empty(event, &sender);
	assert_string_equal(value("email"), "{\"sender\":{\"address\":\"\"}}");
}

static void what_is_no_address_does_not_become_one(void **state)
{
	(void)state;
	mg_event_set_text(event, &address, "unknown");
	mg_event_set_text(event, &address, "192.0.2.1:25");
	assert_string_equal(value("source"), "");
	mg_event_set_text(event, &address, "2001:db8::1");
	assert_string_equal(value("source.ip"), "\"2001:db8::1\"");
}

static void hostile_text_is_escaped_and_comes_back_the_same(void **state)
{
	char bytes[256];
	json_t *json, *text;

	(void)state;
	for (int i = 0; i < 0x80; i++)
		bytes[i] = (char)i;
	memcpy(bytes + 0x80, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa7\xe2\x80\xa8", 12);
	mg_event_set_text_n(event, &subject, bytes, 0x8c);
	json = document();
	text = json_object_get(json_object_get(json, "email"), "subject");
	assert_int_equal(json_string_length(text), 0x8c);
	assert_memory_equal(json_string_value(text), bytes, 0x8c);
	json_decref(json);
}

static void a_byte_that_is_no_utf_8_becomes_u_fffd(void **state)
{
	(void)state;
	/* A lone byte, an overlong form, a surrogate, and a character cut off at the end. */
	mg_event_set_text(event, &subject,
		"a\x80"
		"b\xc0\xaf"
		"c\xed\xa0\x80"
		"d\xe2\x82");
	assert_string_equal(value("email.subject"), "\"a\xef\xbf\xbd"
						    "b\xef\xbf\xbd\xef\xbf\xbd"
						    "c\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
						    "d\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void a_long_text_is_cut_between_characters_and_named(void **state)
{
	char text[9000];
	json_t *json;
	const char *kept;

	(void)state;
	/* Characters of three bytes: 8 KiB is not a multiple. */
	for (size_t i = 0; i + 3 < sizeof text; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 4);
	mg_event_set_text(event, &subject, text);
	mg_event_set_text(event, &subject, text);
	json = document();
	kept = json_string_value(json_object_get(json_object_get(json, "email"), "subject"));
	assert_int_equal(strlen(kept), 8190);
	assert_memory_equal(kept, text, 8190);
	json_decref(json);
	assert_string_equal(value("millgate.truncated"), "[\"email.subject\"]");
}

static void an_array_ends_after_10000_values_and_is_named(void **state)
{
	json_t *json;

	(void)state;
	for (int i = 0; i < 10005; i++)
		mg_event_set_text(event, &tags, "t");
	json = document();
	assert_int_equal(json_array_size(json_object_get(json, "tags")), 10000);
	json_decref(json);
	assert_string_equal(value("millgate.truncated"), "[\"tags\"]");
}

static void a_field_set_with_the_wrong_type_or_an_own_name_fails_the_event(void **state)
{
	static const struct mg_field own[] = {
		{.name = "event.id"}, {.name = "@timestamp"}, {.name = "host.name"}};

	(void)state;
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		mg_event_set_text(event, &own[i], "x");
		assert_null(mg_event_text(event));
		mg_event_free(event);
		event = mg_event_new(events, MG_MESSAGE_ACCEPTED);
	}
	mg_event_set_number(event, &subject, 1);
	assert_null(mg_event_text(event));
	/* It stays so. */
	mg_event_set_text(event, &subject, "x");
	assert_null(mg_event_text(event));
}

static void an_event_that_is_none_is_accepted_everywhere(void **state)
{
	struct mg_error error = {""};

	(void)state;
	mg_event_set_text(NULL, &subject, "x");
	mg_event_set_empty(NULL, &subject);
	mg_event_set_number(NULL, &port, 1);
	mg_event_set_bool(NULL, &established, true);
	mg_event_set_time(NULL, &start, NOW);
	mg_event_set_outcome(NULL, true);
	mg_event_begin_object(NULL, &tags);
	mg_event_end_object(NULL);
	mg_event_truncated(NULL, &tags);
	mg_event_set_member(NULL, &tags, "x", 1, "y", 1);
	assert_string_equal(mg_event_ref(NULL), "");
	assert_null(mg_event_text(NULL));
	assert_int_equal(mg_events_write(events, NULL, &error), -1);
	assert_non_null(strstr(error.text, "out of memory"));
	mg_event_free(NULL);
	mg_events_free(NULL);
}

/* --- redaction --- */

static struct mg_redact *redact_all(enum mg_redact_way way)
{
	enum mg_redact_way ways[MG_PRIVACY_COUNT];
	struct mg_redact *redact;

	for (size_t i = 0; i < MG_PRIVACY_COUNT; i++)
		ways[i] = way;
	redact = mg_redact_new(ways, "", NULL);
	assert_non_null(redact);
	tear_down(NULL);
	events = mg_events_new(&identity, redact, NULL, &still.clock);
	event = mg_event_new(events, MG_MESSAGE_ACCEPTED);
	mg_event_set_text(event, &code, "public");
	mg_event_set_text(event, &sender, "secret@example.com");
	mg_event_set_text(event, &recipients, "secret@example.net");
	mg_event_set_text(event, &subject, "secret");
	mg_event_set_text(event, &address, "203.0.113.5");
	mg_event_set_number(event, &port, 39204);
	return redact;
}

static void what_is_masked_is_in_no_document(void **state)
{
	struct mg_redact *redact = redact_all(MG_REDACT_MASK);
	char *text = mg_event_text(event);

	(void)state;
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "39204"));
	free(text);
	assert_string_equal(value("email"),
		"{\"sender\":{\"address\":\"*@example.com\"},\"to\":{\"address\":[\"*@example.net\"]},\"subject\":\"*\"}");
	assert_string_equal(value("source"), "{\"ip\":\"203.0.113.0\"}");
	assert_string_equal(value("event.code"), "\"public\"");
	mg_redact_free(redact);
}

static void what_is_dropped_leaves_no_empty_objects(void **state)
{
	struct mg_redact *redact = redact_all(MG_REDACT_DROP);

	(void)state;
	mg_event_set_empty(event, &sender);
	assert_string_equal(value("email"), "");
	assert_string_equal(value("source"), "");
	assert_string_equal(value("event.code"), "\"public\"");
	mg_redact_free(redact);
}

/* --- writing --- */

static int write_to(struct spool_place *place, char **line)
{
	struct mg_spool *spool = place_open(place);
	struct mg_error error = {""};
	struct mg_events *log = mg_events_new(&identity, NULL, spool, &still.clock);
	int result = mg_events_write(log, event, &error);

	mg_events_free(log);
	mg_spool_close(spool);
	if (result != 0)
		fail_msg("%s", error.text);
	assert_int_equal(place_verify(place, NULL), 0);
	*line = place_read(place, "log.jsonl", NULL);
	return result;
}

static void an_event_is_written_as_a_record_of_the_log(void **state)
{
	struct spool_place place;
	char *text, *log, *record;

	(void)state;
	place_make(&place);
	mg_event_set_text(event, &sender, "a@example.com");
	text = mg_event_text(event);
	write_to(&place, &log);
	record = strchr(log, '\n') + 1;
	assert_memory_equal(record, text, strlen(text) - 2);
	assert_memory_equal(record + strlen(text) - 2, ",\"sequence\":2,\"hash\":\"", 22);
	free(text);
	free(log);
	place_remove(&place);
}

static void an_event_without_a_log_is_an_error(void **state)
{
	struct mg_error error = {""};

	(void)state;
	assert_int_equal(mg_events_write(events, event, &error), -1);
	assert_non_null(strstr(error.text, "message-accepted: there is no log"));
}

static void lists_end_where_a_record_would_be_too_long_and_other_fields_have_room(void **state)
{
	char text[4000];
	struct spool_place place;
	char *log;
	size_t count = 0;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 100; i++)
		mg_event_set_text(event, &recipients, text);
	mg_event_set_text(event, &subject, text);
	assert_string_equal(value("millgate.truncated"), "[\"email.to.address\"]");
	place_make(&place);
	write_to(&place, &log);
	for (const char *at = log; (at = strstr(at, "\"xxx")) != NULL; at++)
		count++;
	/* 48 recipients and the subject. */
	assert_in_range(count, 45, 50);
	assert_non_null(strstr(log, "xxx\"]"));
	assert_null(strstr(log, ",]"));
	assert_non_null(strstr(log, "\"subject\":\"xxx"));
	free(log);
	place_remove(&place);
}

static void an_event_of_many_long_texts_still_fits_a_record(void **state)
{
	static char names[100][32];
	static struct mg_field fields[100];
	char text[8192];
	struct spool_place place;
	char *log;

	(void)state;
	/* Each byte takes six in the document. */
	memset(text, 1, sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 100; i++) {
		snprintf(names[i], sizeof names[i], "labels.l%d", i);
		fields[i] = (struct mg_field){.name = names[i]};
		mg_event_set_text(event, &fields[i], text);
	}
	assert_non_null(strstr(value("millgate.truncated"), "\"labels.l0\""));
	place_make(&place);
	write_to(&place, &log);
	free(log);
	place_remove(&place);
}

#define EVENT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static int take(void *context, const char *document, size_t length, struct mg_error *error)
{
	json_t **taken = context;

	(void)error;
	*taken = json_loadb(document, length, JSON_REJECT_DUPLICATES, NULL);
	return 0;
}

static int take_nothing(void *context, const char *document, size_t length, struct mg_error *error)
{
	(void)context;
	(void)document;
	(void)length;
	mg_error_set(error, "not taken");
	return -1;
}

static void events_can_be_taken_whole_in_place_of_the_log(void **state)
{
	json_t *taken = NULL, *same;

	(void)state;
	mg_events_divert(events, take, &taken);
	mg_event_set_text(event, &code, "the-code");
	assert_int_equal(mg_events_write(events, event, NULL), 0);
	same = document();
	assert_true(json_equal(taken, same));
	json_decref(taken);
	json_decref(same);
}

static void who_takes_events_can_refuse_them(void **state)
{
	struct mg_error error;

	(void)state;
	mg_events_divert(events, take_nothing, NULL);
	assert_int_equal(mg_events_write(events, event, &error), -1);
	assert_string_equal(error.text, "not taken");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVENT_TEST(every_event_has_what_it_must_have),
		EVENT_TEST(an_event_is_one_compact_line_from_timestamp_to_event),
		EVENT_TEST(the_id_is_a_uuid_of_version_7_with_the_time),
		EVENT_TEST(what_is_made_of_the_same_seed_has_the_same_id),
		EVENT_TEST(a_float_has_the_digits_it_needs),
		EVENT_TEST(ids_of_the_same_moment_differ),
		EVENT_TEST(every_action_has_a_name_and_values_that_ecs_allows),
		EVENT_TEST(a_refusal_is_denied_on_the_network),
		EVENT_TEST(an_outcome_can_be_another_than_the_usual_one),
		EVENT_TEST(dots_of_a_name_make_objects),
		EVENT_TEST(types_are_written_as_such),
		EVENT_TEST(setting_again_replaces_a_value_and_adds_to_an_array),
		EVENT_TEST(nothing_sets_nothing_and_empty_is_asked_for),
		EVENT_TEST(what_is_no_address_does_not_become_one),
		EVENT_TEST(hostile_text_is_escaped_and_comes_back_the_same),
		EVENT_TEST(a_byte_that_is_no_utf_8_becomes_u_fffd),
		EVENT_TEST(a_long_text_is_cut_between_characters_and_named),
		EVENT_TEST(an_array_ends_after_10000_values_and_is_named),
		EVENT_TEST(a_field_set_with_the_wrong_type_or_an_own_name_fails_the_event),
		EVENT_TEST(an_event_that_is_none_is_accepted_everywhere),
		EVENT_TEST(what_is_masked_is_in_no_document),
		EVENT_TEST(what_is_dropped_leaves_no_empty_objects),
		EVENT_TEST(an_event_is_written_as_a_record_of_the_log),
		EVENT_TEST(an_event_without_a_log_is_an_error),
		EVENT_TEST(lists_end_where_a_record_would_be_too_long_and_other_fields_have_room),
		EVENT_TEST(an_event_of_many_long_texts_still_fits_a_record),
		EVENT_TEST(events_can_be_taken_whole_in_place_of_the_log),
		EVENT_TEST(who_takes_events_can_refuse_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
