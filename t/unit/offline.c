/* SPDX-License-Identifier: ISC */
/* A message judged without the MTA: session and offline in this process, with a filter that tells
 * what it saw and does what the sender or a recipient says. */
#include "run/offline.h"

#include <inttypes.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "mail/fields.h"

/* 2026-11-24T11:49:20Z */
#define NOW (INT64_C(1795520960) * MG_SECOND)

/* --- the filter --- */

struct state {
	uint64_t sum, bytes, chunks, headers;
	struct mg_buf header;
};

static void filter_mail(struct mg_call *call, struct mg_verdict *verdict)
{
	if (strcmp(call->message->sender, "reject@example.com") == 0)
		*verdict = (struct mg_verdict){MG_REJECT, "550 5.7.1 100% no [at-mail 00000000]"};
	if (strcmp(call->message->sender, "odd@example.com") == 0)
		*verdict = (struct mg_verdict){MG_REJECT, "not a reply"};
	if (strcmp(call->message->sender, "defer@example.com") == 0)
		verdict->action = MG_TEMPFAIL;
	if (strcmp(call->message->sender, "error@example.com") == 0)
		verdict->action = MG_ERROR;
	if (strcmp(call->message->sender, "discard@example.com") == 0)
		verdict->action = MG_DISCARD;
	if (strcmp(call->message->sender, "hold@example.com") == 0)
		mg_hold(call, "on-purpose");
}

static void filter_rcpt(
	struct mg_call *call, const struct mg_recipient *recipient, struct mg_verdict *verdict)
{
	(void)call;
	if (strncmp(recipient->address, "no-", 3) == 0)
		*verdict = (struct mg_verdict){MG_REJECT, "550 5.1.1 No such one"};
}

static void filter_header(struct mg_call *call, const struct mg_header *header)
{
	struct state *state = call->state;

	state->headers++;
	mg_buf_add_format(&state->header, "<%s:%s>", header->name, header->value);
}

static void filter_body(struct mg_call *call, const unsigned char *chunk, size_t length)
{
	struct state *state = call->state;

	for (size_t i = 0; i < length; i++)
		state->sum = state->sum * 31 + chunk[i];
	state->bytes += length;
	state->chunks++;
}

static uint64_t chunks_seen;

static void filter_eom(struct mg_call *call, struct mg_verdict *verdict)
{
	struct state *state = call->state;
	struct mg_event *event = mg_event_new(call->world->events, MG_MESSAGE_PASSED);
	char value[64];

	mg_str_format(
		value, sizeof value, " %" PRIu64 " bytes, sum %" PRIx64, state->bytes, state->sum);
	mg_insert_header(call, 1, "X-Body", value);
	mg_insert_header(call, 1, "X-Header", mg_buf_text(&state->header));
	mg_fields_message(event, call->message);
	if (mg_events_write(call->world->events, event, NULL) != 0)
		verdict->action = MG_ERROR;
	mg_event_free(event);
	chunks_seen = state->chunks;
}

static void filter_end(struct mg_call *call, enum mg_end how)
{
	(void)how;
	mg_buf_free(&((struct state *)call->state)->header);
}

static const struct mg_filter filter = {
	.name = "test",
	.edits = MG_EDIT_ADD | MG_EDIT_HOLD,
	.message_size = sizeof(struct state),
	.mail = filter_mail,
	.rcpt = filter_rcpt,
	.header = filter_header,
	.body = filter_body,
	.eom = filter_eom,
	.end = filter_end,
};

/* --- a process with it --- */

static struct mg_host host;
static struct mg_hosted hosted;
static struct mg_still_clock clock_;
static struct mg_case *facts;
static struct mg_errors errors;

static void open_host(const char *const overrides[])
{
	const struct mg_filter *filters[] = {&filter};

	memset(&host, 0, sizeof host);
	hosted = (struct mg_hosted){.filter = &filter, .overrides = overrides};
	mg_str_copy(hosted.program, sizeof hosted.program, "millgate-test");
	mg_str_copy(hosted.host_name, sizeof hosted.host_name, "gw.example.net");
	assert_true(mg_settings_options(&filter, hosted.tables));
	mg_still_clock_set(&clock_, NOW);
	host.clock = &clock_.clock;
	host.metrics = mg_metrics_new(mg_host_metrics);
	mg_plan_make(&host.plan, filters, 1);
	pthread_mutex_init(&host.snapshots.lock, NULL);
	host.snapshots.current = mg_snapshot_load(NULL, &hosted, 1, host.clock, &errors);
	assert_non_null(host.snapshots.current);
}

static void close_host(void)
{
	assert_int_equal(host.sessions, 0);
	assert_int_equal(host.messages, 0);
	assert_int_equal(host.memory.used, 0);
	mg_snapshot_release(host.snapshots.current);
	mg_metrics_free(host.metrics);
	mg_settings_options_free(hosted.tables);
	pthread_mutex_destroy(&host.snapshots.lock);
}

static int set_up(void **state)
{
	static const char *const overrides[] = {"gateway=gw.example.net", NULL};

	(void)state;
	open_host(overrides);
	facts = mg_case_new();
	return facts != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mg_case_free(facts);
	close_host();
	mg_errors_clear(&errors);
	return 0;
}

static const char *const someone[] = {"to@example.org", NULL};

static void set(const char *name, const char *text)
{
	assert_true(mg_case_set(facts, name, text, &errors));
}

/* Takes members that no option sets. */
static void load(const char *text)
{
	char path[] = "/tmp/millgate-offline-XXXXXX";
	int descriptor = mkstemp(path);
	bool loaded;

	assert_true(descriptor >= 0);
	assert_true(write(descriptor, text, strlen(text)) == (ssize_t)strlen(text));
	close(descriptor);
	loaded = mg_case_load(facts, path, &errors);
	unlink(path);
	assert_true(loaded);
}

/* Judges; the answer as text, to be freed. */
static char *judge_cut(
	const char *message, size_t length, size_t (*chunk)(void *), enum mg_judgement expected)
{
	struct mg_offline offline = {
		.facts = facts, .message = message, .length = length, .chunk = chunk};
	struct mg_buf out = {0};
	struct mg_error error = {""};

	assert_true(mg_case_complete(facts, NOW));
	assert_int_equal(mg_offline_judge(&host, &offline, &out, &error), expected);
	return out.data;
}

static json_t *judge(const char *message, enum mg_judgement expected)
{
	char *text = judge_cut(message, strlen(message), NULL, expected);
	json_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	if (answer == NULL)
		fail_msg("no JSON: %s", text);
	assert_true(text[strlen(text) - 1] == '\n');
	free(text);
	return answer;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

/* The value of the index-th edit. */
static const char *edit_value(const json_t *answer, size_t index)
{
	return text_of(json_array_get(json_object_get(answer, "edits"), index), "value");
}

static const json_t *field(const json_t *event, const char *name)
{
	char part[64];

	while (event != NULL && *name != '\0') {
		size_t length = strcspn(name, ".");

		mg_str_format(part, sizeof part, "%.*s", (int)length, name);
		event = json_object_get(event, part);
		name += name[length] == '.' ? length + 1 : length;
	}
	return event;
}

static const char *event_text(const json_t *answer, const char *name)
{
	const char *text = json_string_value(
		field(json_array_get(json_object_get(answer, "events"), 0), name));

	return text != NULL ? text : "";
}

static json_int_t event_number(const json_t *answer, const char *name)
{
	return json_integer_value(
		field(json_array_get(json_object_get(answer, "events"), 0), name));
}

/* --- verdicts --- */

static void the_answer_of_a_filter_is_the_verdict(void **state)
{
	static const struct {
		const char *sender, *verdict, *reply, *hold;
		enum mg_judgement judgement;
	} rows[] = {
		{"a@example.com", "accepted", "", "", MG_JUDGED_ACCEPTED},
		{"reject@example.com", "rejected", "550 5.7.1 100% no [at-mail 00000000]", "",
			MG_JUDGED_REJECTED},
		{"odd@example.com", "rejected", "550 5.7.1 Command rejected", "",
			MG_JUDGED_REJECTED},
		{"defer@example.com", "deferred", "451 4.7.1 Try again later", "",
			MG_JUDGED_DEFERRED},
		{"discard@example.com", "discarded", "", "", MG_JUDGED_DISCARDED},
		{"hold@example.com", "held", "", "on-purpose", MG_JUDGED_HELD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_t *answer;

		set("sender", rows[i].sender);
		answer = judge("A: b\n\nbody\n", rows[i].judgement);
		assert_string_equal(text_of(answer, "verdict"), rows[i].verdict);
		assert_string_equal(text_of(answer, "reply"), rows[i].reply);
		assert_string_equal(text_of(answer, "hold"), rows[i].hold);
		json_decref(answer);
	}
}

static void what_cannot_be_judged_is_deferred_and_its_event_told(void **state)
{
	json_t *answer;

	(void)state;
	set("sender", "error@example.com");
	answer = judge("A: b\n\n", MG_JUDGED_DEFERRED);
	assert_string_equal(event_text(answer, "event.action"), "filter-error");
	assert_non_null(strstr(text_of(answer, "reply"), "[on-error "));
	json_decref(answer);
}

static void a_hold_by_header_is_a_hold_too(void **state)
{
	static const char *const overrides[] = {"hold=header", NULL};
	json_t *answer;

	(void)state;
	close_host();
	open_host(overrides);
	set("sender", "hold@example.com");
	answer = judge("A: b\n\n", MG_JUDGED_HELD);
	assert_string_equal(text_of(answer, "hold"), "on-purpose");
	assert_string_equal(edit_value(answer, 2), " on-purpose");
	json_decref(answer);
}

static void a_refused_recipient_among_others_is_told(void **state)
{
	static const char *const some[] = {"no-one@example.org", "to@example.org", NULL};
	json_t *answer;

	(void)state;
	assert_true(mg_case_set_recipients(facts, some, &errors));
	answer = judge("A: b\n\n", MG_JUDGED_PARTLY);
	assert_string_equal(text_of(answer, "verdict"), "accepted");
	assert_string_equal(
		text_of(json_array_get(json_object_get(answer, "refused"), 0), "recipient"),
		"no-one@example.org");
	assert_int_equal(event_number(answer, "millgate.smtp.recipient_count"), 1);
	json_decref(answer);
}

static void with_all_recipients_refused_the_message_is(void **state)
{
	static const char *const none[] = {"no-one@example.org", "no-two@example.org", NULL};
	json_t *answer;

	(void)state;
	assert_true(mg_case_set_recipients(facts, none, &errors));
	answer = judge("A: b\n\n", MG_JUDGED_REJECTED);
	assert_string_equal(text_of(answer, "reply"), "550 5.1.1 No such one");
	assert_int_equal(json_array_size(json_object_get(answer, "events")), 0);
	json_decref(answer);
}

static void recipients_of_local_mail_are_removed_not_refused(void **state)
{
	static const char *const some[] = {"no-one@example.org", "to@example.org", NULL};
	json_t *answer;

	(void)state;
	assert_true(mg_case_set_recipients(facts, some, &errors));
	load("{\"local\":true}");
	answer = judge("A: b\n\n", MG_JUDGED_ACCEPTED);
	assert_string_equal(edit_value(answer, 2), "no-one@example.org");
	json_decref(answer);
}

/* --- facts --- */

static void the_circumstances_are_in_the_event(void **state)
{
	static const char *const texts[][3] = {
		{"client", "2001:db8::25", "source.ip"},
		{"client_name", "mx.example.net", "source.domain"},
		{"helo", "mail.example.net", "millgate.smtp.helo"},
		{"user", "acme-app", "user.name"},
		{"auth_method", "PLAIN", "millgate.smtp.auth_method"},
		{"tls.cipher", "TLS_AES_256_GCM_SHA384", "tls.cipher"},
		{"listener", "submission", "millgate.listener"},
		{"sender", "a@example.com", "email.sender.address"},
		{"queue_id", "4jYh153qZyz1bkdK", "email.local_id"},
	};
	json_t *answer;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		set(texts[i][0], texts[i][1]);
	set("tls.version", "TLSv1.3");
	set("now", "2026-11-24T12:49:20.5+01:00");
	answer = judge("A: b\n\n", MG_JUDGED_ACCEPTED);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_string_equal(event_text(answer, texts[i][2]), texts[i][1]);
	assert_string_equal(event_text(answer, "millgate.session.key"), "[2001:db8::25]:49152");
	assert_string_equal(event_text(answer, "tls.version"), "1.3");
	json_decref(answer);
}

static void a_reinject_listener_is_told_by_its_address(void **state)
{
	static const char *const overrides[] = {
		"reinject={ \"127.0.0.1:10025\", \"[::1]:10026\" }", NULL};
	static const struct {
		const char *listener, *direction;
	} rows[] = {{"127.0.0.1:25", "outbound"}, {"127.0.0.1:10025", "inbound"},
		{"[::1]:10026", "inbound"}};

	(void)state;
	close_host();
	open_host(overrides);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_t *answer;

		set("listener_address", rows[i].listener);
		answer = judge("A: b\n\n", MG_JUDGED_ACCEPTED);
		assert_string_equal(event_text(answer, "email.direction"), rows[i].direction);
		json_decref(answer);
	}
}

static void an_envelope_needs_no_case_at_all(void **state)
{
	json_t *answer;

	(void)state;
	answer = judge("A: b\n\n", MG_JUDGED_ACCEPTED);
	assert_string_equal(event_text(answer, "source.ip"), "127.0.0.1");
	assert_string_equal(event_text(answer, "email.direction"), "outbound");
	assert_string_equal(event_text(answer, "email.sender.address"), "sender@localhost");
	assert_string_equal(event_text(answer, "@timestamp"), "2026-11-24T11:49:20.000000Z");
	json_decref(answer);
}

/* --- messages --- */

static void a_message_is_seen_as_the_mta_sends_it(void **state)
{
	static const struct {
		const char *message, *header, *body;
	} rows[] = {
		{"A: b\nC:d\n\ne\n", "<A: b><C:d>", " 3 bytes"},
		{"A: b\r\nC:d\r\n\r\ne\r\n", "<A: b><C:d>", " 3 bytes"},
		{"A: b\n\tc\nD :e\n\n", "<A: b\n\tc><D:e>", " 0 bytes"},
		{"A: b", "<A: b>", " 0 bytes"},
		{"A: b\nnot a field\n", "<A: b>", " 13 bytes"},
		{"no header at all\n", "", " 18 bytes"},
		{"\nbody alone\n", "", " 12 bytes"},
		{"From a@b Tue Nov 24\nA: b\n\ne\n", "<A: b>", " 3 bytes"},
		{"A: b\n\nFrom here\n", "<A: b>", " 11 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_t *answer = judge(rows[i].message, MG_JUDGED_ACCEPTED);

		assert_int_equal(
			strncmp(edit_value(answer, 0), rows[i].body, strlen(rows[i].body)), 0);
		assert_string_equal(edit_value(answer, 1), rows[i].header);
		json_decref(answer);
	}
}

static void a_nul_ends_a_field_and_not_the_body(void **state)
{
	static const char message[] = "A: b\0c\nD: e\n\nx\0y\n";
	char *text = judge_cut(message, sizeof message - 1, NULL, MG_JUDGED_ACCEPTED);

	(void)state;
	assert_non_null(strstr(text, "\"<A: b><D: e>\""));
	assert_non_null(strstr(text, "\" 5 bytes"));
	free(text);
}

static void an_empty_file_is_no_message(void **state)
{
	static const char *const messages[] = {"", "From a@b Tue Nov 24\n", "From a@b"};

	(void)state;
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
		free(judge_cut(messages[i], strlen(messages[i]), NULL, MG_NOT_JUDGED));
}

static uint32_t seed;

static size_t random_chunk(void *context)
{
	(void)context;
	seed = seed * 1664525 + 1013904223;
	/* Mostly small, so that lines and CRLF are cut. */
	return (seed >> 8) % 256 == 0 ? 1 + (seed >> 12) % 70000 : 1 + (seed >> 12) % 7;
}

/* The text with all but the first id of an event made alike. */
static void forget_ids(char *text)
{
	for (char *id = text; (id = strstr(id, "\"id\":\"")) != NULL; id++)
		memset(id + 6, 'x', strcspn(id + 6, "\""));
}

static void a_body_cut_anywhere_is_judged_the_same(void **state)
{
	struct mg_buf message = {0};
	char *whole;

	(void)state;
	mg_buf_add_text(&message, "A: b\n\n");
	for (int i = 0; i < 9000; i++)
		mg_buf_add_format(&message, "line %d%s%s", i, i % 3 == 0 ? "\r" : "",
			i % 5 == 0 ? "\r\n" : "\n");
	whole = judge_cut(message.data, message.length, NULL, MG_JUDGED_ACCEPTED);
	assert_int_equal(chunks_seen, 2);
	forget_ids(whole);
	for (seed = 1; seed < 40; seed += 13) {
		uint32_t begun = seed;
		char *cut =
			judge_cut(message.data, message.length, random_chunk, MG_JUDGED_ACCEPTED);

		forget_ids(cut);
		assert_true(chunks_seen > 10);
		assert_string_equal(cut, whole);
		free(cut);
		seed = begun;
	}
	free(whole);
	mg_buf_free(&message);
}

static void a_large_message_is_judged_whole(void **state)
{
	size_t length = (size_t)30 << 20;
	char *message = malloc(length), *text;

	(void)state;
	assert_non_null(message);
	memset(message, 'x', length);
	memcpy(message, "A: b\n\n", 6);
	text = judge_cut(message, length, NULL, MG_JUDGED_ACCEPTED);
	assert_non_null(strstr(text, " 31457274 bytes"));
	free(text);
	free(message);
}

static void the_same_message_gives_the_same_answer_but_for_ids(void **state)
{
	char *first, *second;

	(void)state;
	assert_true(mg_case_set_recipients(facts, someone, &errors));
	first = judge_cut("A: b\n\nc\n", 8, NULL, MG_JUDGED_ACCEPTED);
	second = judge_cut("A: b\n\nc\n", 8, NULL, MG_JUDGED_ACCEPTED);
	assert_string_not_equal(first, second);
	forget_ids(first);
	forget_ids(second);
	assert_string_equal(first, second);
	free(first);
	free(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_answer_of_a_filter_is_the_verdict),
		TEST(what_cannot_be_judged_is_deferred_and_its_event_told),
		TEST(a_hold_by_header_is_a_hold_too),
		TEST(a_refused_recipient_among_others_is_told),
		TEST(with_all_recipients_refused_the_message_is),
		TEST(recipients_of_local_mail_are_removed_not_refused),
		TEST(the_circumstances_are_in_the_event),
		TEST(a_reinject_listener_is_told_by_its_address),
		TEST(an_envelope_needs_no_case_at_all),
		TEST(a_message_is_seen_as_the_mta_sends_it),
		TEST(a_nul_ends_a_field_and_not_the_body),
		TEST(an_empty_file_is_no_message),
		TEST(a_body_cut_anywhere_is_judged_the_same),
		TEST(a_large_message_is_judged_whole),
		TEST(the_same_message_gives_the_same_answer_but_for_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
