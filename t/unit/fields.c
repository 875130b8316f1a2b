/* SPDX-License-Identifier: ISC */
#include "mail/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/net.h"

static struct mg_events *events;

static int start(void **state)
{
	static const struct mg_events_identity identity = {
		.program = "millgate-log", .host = "mx.example.org", .version = "0.1"};

	(void)state;
	events = mg_events_new(&identity, NULL, NULL, &mg_clock_system);
	return events != NULL ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	mg_events_free(events);
	return 0;
}

/* Someone who signed in over TLS. */
static struct mg_session submission(void)
{
	struct mg_session session = {
		.client_name = "app1.acme.example",
		.helo = "app1",
		.mta_name = "mx.example.org",
		.listener = "ORIGINATING",
		.listener_address = "192.0.2.25:587",
		.user = "acme-app",
		.auth_method = "PLAIN",
		.tls_version = "TLSv1.3",
		.tls_cipher = "TLS_AES_256_GCM_SHA384",
		.tls_subject = "app1",
		.tls_issuer = "Acme CA",
		.key = "203.0.113.5:39204",
	};

	assert_true(mg_net_parse("203.0.113.5", 39204, &session.client));
	return session;
}

static struct mg_session nobody(void)
{
	return (struct mg_session){
		.client_name = "",
		.helo = "",
		.mta_name = "",
		.listener = "",
		.listener_address = "",
		.user = "",
		.auth_method = "",
		.tls_version = "",
		.tls_cipher = "",
		.tls_subject = "",
		.tls_issuer = "",
	};
}

static struct mg_message message_of(const struct mg_session *session)
{
	return (struct mg_message){
		.session = session,
		.queue_id = "4jYh153qZyz1bkdK",
		.trace_id = "5f0c6be2a91d4c1e8a7733c2d9e4b016",
		.sender = "ann@acme.example",
		.sender_esmtp = "",
		.direction = MG_OUTBOUND,
		.tenant = "acme",
		.over_bound = "",
	};
}

/* The document of an event, which is freed. */
static json_t *document(struct mg_event *event)
{
	char *text = mg_event_text(event);
	json_t *json;

	assert_non_null(text);
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	free(text);
	mg_event_free(event);
	return json;
}

static json_t *session_document(const struct mg_session *session)
{
	struct mg_event *event = mg_event_new(events, MG_MESSAGE_REJECTED);

	mg_fields_session(event, session);
	return document(event);
}

static json_t *message_document(const struct mg_message *message)
{
	struct mg_event *event = mg_event_new(events, MG_MESSAGE_ACCEPTED);

	mg_fields_message(event, message);
	return document(event);
}

/* A field by its dotted name as compact JSON, "" when there is none; until the next call. */
static const char *field(const json_t *json, const char *path)
{
	static char value[1024];
	char name[64];

	for (value[0] = '\0'; json != NULL; path += strlen(name) + 1) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(path, "."), path);
		json = json_object_get(json, name);
		if (path[strlen(name)] == '\0')
			break;
	}
	if (json != NULL)
		value[json_dumpb(json, value, sizeof(value) - 1, JSON_ENCODE_ANY | JSON_COMPACT)] =
			'\0';
	return value;
}

struct expected {
	const char *path, *value;
};

static void check(json_t *json, const struct expected *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_string_equal(field(json, rows[i].path), rows[i].value);
	json_decref(json);
}

#define CHECK(json, ...) \
	do { \
		const struct expected rows[] = {__VA_ARGS__}; \
		check(json, rows, sizeof(rows) / sizeof(rows[0])); \
	} while (0)

static void a_session_tells_client_user_listener_and_tls(void **state)
{
	struct mg_session session = submission();

	(void)state;
	CHECK(session_document(&session), {"source.address", "\"app1.acme.example\""},
		{"source.domain", "\"app1.acme.example\""}, {"source.ip", "\"203.0.113.5\""},
		{"source.port", "39204"}, {"millgate.session.key", "\"203.0.113.5:39204\""},
		{"millgate.smtp.helo", "\"app1\""}, {"user.name", "\"acme-app\""},
		{"millgate.smtp.auth_method", "\"PLAIN\""},
		{"millgate.listener", "\"ORIGINATING\""}, {"tls.established", "true"},
		{"tls.version", "\"1.3\""}, {"tls.version_protocol", "\"tls\""},
		{"tls.cipher", "\"TLS_AES_256_GCM_SHA384\""}, {"tls.client.subject", "\"app1\""},
		{"tls.client.issuer", "\"Acme CA\""}, {"tags", ""});
}

static void of_an_unknown_client_nothing_is_said(void **state)
{
	struct mg_session session = nobody();

	(void)state;
	CHECK(session_document(&session), {"source", ""}, {"user", ""}, {"tls", ""},
		{"millgate", ""}, {"tags", ""});
}

static void a_client_without_a_name_is_named_by_its_address(void **state)
{
	struct mg_session session = nobody();

	(void)state;
	assert_true(mg_net_parse("IPv6:2001:db8::25", 40000, &session.client));
	CHECK(session_document(&session), {"source.address", "\"2001:db8::25\""},
		{"source.ip", "\"2001:db8::25\""}, {"source.domain", ""});
}

static void versions_of_tls_are_numbers(void **state)
{
	static const struct {
		const char *version, *number, *protocol;
	} versions[] = {
		{"TLSv1", "\"1.0\"", "\"tls\""},
		{"TLSv1.2", "\"1.2\"", "\"tls\""},
		{"SSLv3", "\"3.0\"", "\"ssl\""},
		{"TLSv2.0", "\"2.0\"", "\"tls\""},
		{"NEWv1", "\"NEWv1\"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct mg_session session = nobody();

		session.tls_version = versions[i].version;
		CHECK(session_document(&session), {"tls.version", versions[i].number},
			{"tls.version_protocol", versions[i].protocol},
			{"tls.established", "true"});
	}
}

static void mail_of_millgate_try_is_tagged(void **state)
{
	struct mg_session session = nobody();

	(void)state;
	session.test = true;
	CHECK(session_document(&session), {"tags", "[\"test\"]"});
}

static void a_message_tells_ids_direction_envelope_and_tenant(void **state)
{
	static const struct mg_recipient recipients[] = {
		{.address = "bob@example.com", .esmtp = "", .accepted = true},
		{.address = "refused@example.com", .esmtp = "", .accepted = false},
		{.address = "carl@example.net", .esmtp = "", .accepted = true},
	};
	struct mg_session session = submission();
	struct mg_message message = message_of(&session);

	(void)state;
	message.recipients = recipients;
	message.recipient_count = 3;
	CHECK(message_document(&message), {"trace.id", "\"5f0c6be2a91d4c1e8a7733c2d9e4b016\""},
		{"email.local_id", "\"4jYh153qZyz1bkdK\""}, {"email.direction", "\"outbound\""},
		{"email.sender.address", "\"ann@acme.example\""},
		{"millgate.smtp.from", "\"ann@acme.example\""},
		{"email.to.address", "[\"bob@example.com\",\"carl@example.net\"]"},
		{"millgate.smtp.recipient_count", "2"}, {"organization.id", "\"acme\""},
		{"network.protocol", "\"smtp\""}, {"millgate.local", "false"},
		{"user.name", "\"acme-app\""}, {"millgate.dry_run", ""}, {"millgate.bound", ""});
}

static void the_null_sender_is_empty_but_there(void **state)
{
	struct mg_session session = submission();
	struct mg_message message = message_of(&session);

	(void)state;
	message.sender = "";
	CHECK(message_document(&message), {"email.sender", ""}, {"millgate.smtp.from", "\"\""});
}

static void smtp_without_tls_says_so(void **state)
{
	struct mg_session session = nobody();
	struct mg_message message = message_of(&session);

	(void)state;
	CHECK(message_document(&message), {"tls", "{\"established\":false}"});
}

static void local_mail_has_no_protocol_no_tls_and_no_port(void **state)
{
	struct mg_session session = nobody();
	struct mg_message message = message_of(&session);

	(void)state;
	assert_true(mg_net_parse("127.0.0.1", 0, &session.client));
	message.local = true;
	message.direction = MG_INBOUND;
	CHECK(message_document(&message), {"millgate.local", "true"}, {"network", ""}, {"tls", ""},
		{"source.ip", "\"127.0.0.1\""}, {"source.port", ""},
		{"email.direction", "\"inbound\""}, {"millgate.session", ""});
}

static void what_is_not_known_yet_is_left_out(void **state)
{
	struct mg_session session = nobody();
	struct mg_message message = message_of(&session);

	(void)state;
	message.queue_id = message.tenant = "";
	message.trace_id[0] = '\0';
	CHECK(message_document(&message), {"trace", ""}, {"email.local_id", ""},
		{"organization", ""}, {"email.to", ""});
}

static void dry_run_and_a_bound_are_told(void **state)
{
	struct mg_session session = nobody();
	struct mg_message message = message_of(&session);

	(void)state;
	message.dry_run = true;
	message.over_bound = "bounds.headers";
	CHECK(message_document(&message), {"millgate.dry_run", "true"},
		{"millgate.bound", "\"bounds.headers\""});
}

/* A note as the spool gets it, with the end that it makes itself. */
static json_t *note_document(const struct mg_spool_note *note)
{
	char *text = mg_fields_compose(events, note);
	char *record = NULL;
	json_t *json;

	assert_non_null(text);
	assert_true(asprintf(&record, "%s,\"sequence\":1,\"hash\":\"\"}}", text) > 0);
	json = json_loads(record, 0, NULL);
	assert_non_null(json);
	free(record);
	free(text);
	return json;
}

static void a_log_that_is_opened_tells_reason_hash_and_torn_bytes(void **state)
{
	struct mg_spool_note note = {.kind = MG_NOTE_OPENED,
		.reason = "start",
		.previous_hash = "00112233445566778899aabbccddeeff",
		.torn_bytes = 17};

	(void)state;
	CHECK(note_document(&note), {"event.action", "\"log-opened\""}, {"event.sequence", "1"},
		{"event.reason", "\"start\""}, {"millgate.log.torn_bytes", "17"},
		{"millgate.log.previous_hash", "\"00112233445566778899aabbccddeeff\""});
	note.torn_bytes = 0;
	CHECK(note_document(&note), {"millgate.log.torn_bytes", ""});
}

static void lost_events_tell_how_many_which_and_when(void **state)
{
	struct mg_spool_note note = {.kind = MG_NOTE_LOST,
		.reason = "limit",
		.lost_count = 3,
		.first = 7,
		.last = 9,
		.start = 1795520960 * MG_SECOND,
		.end = 1795520961 * MG_SECOND};

	(void)state;
	CHECK(note_document(&note), {"event.action", "\"events-lost\""},
		{"event.outcome", "\"failure\""},
		{"millgate.lost", "{\"count\":3,\"first\":7,\"last\":9}"},
		{"event.start", "\"2026-11-24T11:49:20.000000Z\""},
		{"event.end", "\"2026-11-24T11:49:21.000000Z\""});
	note = (struct mg_spool_note){
		.kind = MG_NOTE_LOST, .reason = "write failed", .lost_count = 1};
	CHECK(note_document(&note), {"millgate.lost", "{\"count\":1}"}, {"event.start", ""});
}

static void every_row_has_a_name_of_its_own_and_a_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < MG_FIELD_COUNT; i++) {
		assert_non_null(mg_fields[i].name);
		assert_true(mg_fields[i].meaning[0] != '\0' && mg_fields[i].by[0] != '\0');
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(mg_fields[i].name, mg_fields[j].name);
	}
}

static void both_names_of_a_certificate_can_be_hidden(void **state)
{
	(void)state;
	assert_int_equal(mg_fields[MG_FIELD_TLS_CLIENT_SUBJECT].privacy, MG_PRIVACY_NAMES);
	/* Of a self-signed one they are the same. */
	assert_int_equal(mg_fields[MG_FIELD_TLS_CLIENT_ISSUER].privacy, MG_PRIVACY_NAMES);
}

static void the_manual_has_every_row(void **state)
{
	char *text = NULL, line[200];
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	assert_non_null(stream);
	mg_fields_print_mdoc(stream);
	assert_int_equal(fclose(stream), 0);
	for (size_t i = 0; i < MG_FIELD_COUNT; i++) {
		snprintf(line, sizeof(line), ".It Va %s\n", mg_fields[i].name);
		assert_non_null(strstr(text, line));
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_tells_client_user_listener_and_tls),
		cmocka_unit_test(of_an_unknown_client_nothing_is_said),
		cmocka_unit_test(a_client_without_a_name_is_named_by_its_address),
		cmocka_unit_test(versions_of_tls_are_numbers),
		cmocka_unit_test(mail_of_millgate_try_is_tagged),
		cmocka_unit_test(a_message_tells_ids_direction_envelope_and_tenant),
		cmocka_unit_test(the_null_sender_is_empty_but_there),
		cmocka_unit_test(smtp_without_tls_says_so),
		cmocka_unit_test(local_mail_has_no_protocol_no_tls_and_no_port),
		cmocka_unit_test(what_is_not_known_yet_is_left_out),
		cmocka_unit_test(dry_run_and_a_bound_are_told),
		cmocka_unit_test(a_log_that_is_opened_tells_reason_hash_and_torn_bytes),
		cmocka_unit_test(lost_events_tell_how_many_which_and_when),
		cmocka_unit_test(every_row_has_a_name_of_its_own_and_a_meaning),
		cmocka_unit_test(both_names_of_a_certificate_can_be_hidden),
		cmocka_unit_test(the_manual_has_every_row),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
