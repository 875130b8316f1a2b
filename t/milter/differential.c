/* SPDX-License-Identifier: ISC */
/* The two engines give the same answers, edits and events to the same bytes: sessions of all kinds,
 * cut anywhere, with mistakes, and bytes that are no session. Where they differ by intention,
 * stream_difference says why; there the native engine alone must survive. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "driver.h"
#include "streams.h"

enum { ENGINES = 2, SESSIONS_MAX = 256, MUTATED = 4000 };
static const char *const engine_names[ENGINES] = {"native", "libmilter"};

/* A daemon an engine, alike in all else. */
struct pair {
	struct driver drivers[ENGINES];
	FILE *events[ENGINES]; /* read up to the last session */
	uint32_t protocol;
};

static void start_pair(struct pair *pair, const char *program, const char *settings)
{
	const char *before = getenv("MILLGATE_ENGINE");
	uint32_t protocols[ENGINES];

	for (int i = 0; i < ENGINES; i++) {
		struct mg_client *client;

		setenv("MILLGATE_ENGINE", engine_names[i], 1);
		driver_start(&pair->drivers[i], program, settings);
		pair->events[i] = fopen(pair->drivers[i].events, "r");
		assert_non_null(pair->events[i]);
		client = driver_connect(&pair->drivers[i]);
		protocols[i] = mg_client_options(client)->protocol;
		mg_client_close(client, true);
	}
	if (before == NULL)
		unsetenv("MILLGATE_ENGINE");
	assert_int_equal(protocols[0], protocols[1]);
	pair->protocol = protocols[0];
}

static void stop_pair(struct pair *pair)
{
	for (int i = 0; i < ENGINES; i++) {
		fclose(pair->events[i]);
		driver_stop(&pair->drivers[i]);
	}
}

/* --- one session --- */

/* Sends the bytes, in two pieces when cut > 0, and then the end; false when the daemon ended the
 * connection before. */
static bool send_stream(int fd, const struct mg_buf *bytes, size_t cut)
{
	size_t sent = 0;

	while (sent < bytes->length) {
		size_t left = (sent < cut ? cut : bytes->length) - sent;
		ssize_t length = send(fd, bytes->data + sent, left, MSG_NOSIGNAL);

		if (length < 0)
			return false;
		sent += (size_t)length;
		if (sent == cut)
			poll(NULL, 0, 1);
	}
	shutdown(fd, SHUT_WR);
	return true;
}

/* Everything that the daemon answers, until it closes. */
static void read_answers(int fd, struct mg_buf *answers)
{
	char bytes[4096];

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		ssize_t length;

		if (poll(&ready, 1, (int)(GENEROUS / MG_MILLISECOND)) <= 0)
			fail_msg("the daemon neither answers nor closes");
		length = recv(fd, bytes, sizeof(bytes), 0);
		if (length <= 0)
			break;
		mg_buf_add(answers, bytes, (size_t)length);
	}
}

/* "[CODE REF]": REF is of the event's id. */
static void forget_references(char *bytes, size_t length)
{
	for (size_t i = 0; i + 9 < length; i++)
		if (bytes[i] == ' ' && bytes[i + 9] == ']' &&
			strspn(bytes + i + 1, "0123456789abcdef") == 8)
			memset(bytes + i + 1, '0', 8);
}

static void run_session(
	const struct driver *driver, const struct mg_buf *bytes, size_t cut, struct mg_buf *answers)
{
	int fd = driver_connect_raw(driver);

	mg_buf_reset(answers);
	send_stream(fd, bytes, cut);
	read_answers(fd, answers);
	close(fd);
	if (answers->length > 0)
		forget_references(answers->data, answers->length);
}

/* The events since the last call, a line each, without what differs from one to the next. */
static void read_events(FILE *file, struct mg_buf *events)
{
	static const char *const different[] = {
		"id", "sequence", "hash", "duration", "start", "end", "created"};
	char *line = NULL;
	size_t size = 0;

	mg_buf_reset(events);
	clearerr(file);
	while (getline(&line, &size, file) > 0) {
		json_t *event = json_loads(line, 0, NULL);
		const char *action = driver_text(event, "event.action");
		char *text;

		if (event == NULL)
			fail_msg("not JSON: %.200s", line);
		if (strcmp(action, "log-opened") != 0 && strcmp(action, "config-loaded") != 0) {
			json_object_del(event, "@timestamp");
			for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++)
				json_object_del(json_object_get(event, "event"), different[i]);
			text = json_dumps(event, JSON_SORT_KEYS);
			mg_buf_add_format(events, "%s\n", text);
			free(text);
		}
		json_decref(event);
	}
	free(line);
	if (events->length > 0)
		forget_references(events->data, events->length);
}

static void show(const char *what, const struct mg_buf *bytes)
{
	struct mg_buf text = {0};

	for (size_t i = 0; i < bytes->length && i < 4000; i++) {
		unsigned char byte = (unsigned char)bytes->data[i];

		if (byte >= ' ' && byte < 0x7f)
			mg_buf_add_char(&text, (char)byte);
		else
			mg_buf_add_format(&text, "\\%03o", byte);
	}
	print_error("%s: %s\n", what, mg_buf_text(&text));
	mg_buf_free(&text);
}

static bool same(const struct mg_buf *one, const struct mg_buf *other)
{
	return one->length == other->length &&
	       (one->length == 0 || memcmp(one->data, other->data, one->length) == 0);
}

/* true: compared, and alike; false: they may differ. */
static bool compare(struct pair *pair, const struct mg_buf *bytes, size_t cut)
{
	struct mg_buf answers[ENGINES] = {{0}}, events[ENGINES] = {{0}};
	bool may_differ = stream_difference(bytes, pair->protocol) != NULL;
	bool alike;

	for (int i = 0; i < (may_differ ? 1 : ENGINES); i++) {
		run_session(&pair->drivers[i], bytes, cut, &answers[i]);
		read_events(pair->events[i], &events[i]);
	}
	alike = same(&answers[0], &answers[1]) && same(&events[0], &events[1]);
	if (!alike && !may_differ) {
		show("bytes", bytes);
		for (int i = 0; i < ENGINES; i++) {
			show(engine_names[i], &answers[i]);
			show(engine_names[i], &events[i]);
		}
		fail_msg("the engines differ");
	}
	for (int i = 0; i < ENGINES; i++) {
		mg_buf_free(&answers[i]);
		mg_buf_free(&events[i]);
	}
	return !may_differ;
}

/* --- sessions of all kinds --- */

static const char *const fields[] = {
	NULL,
	"reject 550 5.7.1 no",
	"reject",
	"reject 451 4.7.1 of the other class",
	"reject 550 without enhanced code 100%",
	"reject 550 5.7.1",
	"tempfail 451 4.7.1 later",
	"tempfail",
	"discard",
	"error on purpose",
	"accept",
	"hold code-1",
	"long-reply",
	"insert 0 X-A value",
	"insert 1 X-B 50% off",
	"insert 100 X-C far",
	"insert-folded X-F",
	"insert-broken X-G",
	"change Subject 1 new",
	"change Subject 2 new",
	"change X-New 1 added",
	"delete Subject 1",
	"delete-all Received x",
	"add-recipient added@example.net",
	"delete-recipient recipient@example.net",
	"sender changed@example.org",
	"sender",
	"body another body",
	"alloc 9000000",
	"fail on purpose",
};
static const char *const verdicts[] = {"reject", "tempfail", "discard", "error", "accept", "hold"};
static const char *const steps[] = {"connect", "helo", "mail", "rcpt"};

/* Every session there is, as bytes. */
struct sessions {
	struct mg_buf list[SESSIONS_MAX];
	size_t count;
};

static void add_session(struct sessions *sessions, const struct stream *stream, uint32_t protocol)
{
	assert_true(sessions->count < SESSIONS_MAX);
	stream_session(&sessions->list[sessions->count], stream, protocol);
	assert_false(sessions->list[sessions->count++].failed);
}

static void add_verdicts(struct sessions *sessions, uint32_t protocol)
{
	for (size_t verdict = 0; verdict < sizeof(verdicts) / sizeof(verdicts[0]); verdict++) {
		for (size_t step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
			char name[64], address[96];
			struct stream stream = {.messages = 2};

			mg_str_format(name, sizeof(name), "%s-%s.example", verdicts[verdict],
				steps[step]);
			mg_str_format(address, sizeof(address), "<%s-%s@example.net>",
				verdicts[verdict], steps[step]);
			if (step == 0)
				stream.client_name = name;
			else if (step == 1)
				stream.helo = name;
			else if (step == 2)
				stream.sender = address;
			else
				stream.recipient = address;
			add_session(sessions, &stream, protocol);
		}
	}
}

static void make_sessions(struct sessions *sessions, uint32_t protocol)
{
	memset(sessions, 0, sizeof(*sessions));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		add_session(sessions, &(struct stream){.field = fields[i], .messages = (int)i % 3},
			protocol);
	add_verdicts(sessions, protocol);
	add_session(sessions, &(struct stream){.sender = "<>", .body = ""}, protocol);
	add_session(sessions, &(struct stream){.sender = "no brackets", .recipient = ""}, protocol);
	add_session(sessions, &(struct stream){.helo = "\377\200\t", .sender = "<\377\"\\@\001>"},
		protocol);
	add_session(sessions, &(struct stream){.client_name = "unknown", .helo = ""}, protocol);
}

static void free_sessions(struct sessions *sessions)
{
	for (size_t i = 0; i < sessions->count; i++)
		mg_buf_free(&sessions->list[i]);
}

static void compare_all(const char *program, const char *settings)
{
	struct sessions sessions;
	struct pair pair;

	start_pair(&pair, program, settings);
	make_sessions(&sessions, pair.protocol);
	for (size_t i = 0; i < sessions.count; i++)
		assert_true(compare(&pair, &sessions.list[i], 0));
	free_sessions(&sessions);
	stop_pair(&pair);
}

static void every_verdict_and_edit_is_the_same_under_every_setting(void **state)
{
	static const char *const settings[] = {"", "dry_run = yes", "hold = \"header\"",
		"on_error = \"accept\"\non_bound = \"accept\"",
		"on_error = \"reject\"\non_bound = \"hold\"\nbounds { headers = 3 }",
		"bounds { recipients = 1 }\non_bound = \"hold\"\nhold = \"header\""};

	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		compare_all("millgate-probe", settings[i]);
}

static void millgate_log_is_the_same(void **state)
{
	(void)state;
	compare_all("millgate-log", "");
}

/* --- cut, aborted, sent in pieces --- */

static void compare_ends(struct pair *pair, const struct mg_buf *whole)
{
	static const char *const ends[] = {"", "A", "Q", "AQ", "AAQ", "N", "T", "E"};
	size_t begins[STREAM_PACKETS_MAX + 1], count = stream_packets(whole, begins);
	struct mg_buf bytes = {0};

	for (size_t i = 1; i < count; i++) {
		for (size_t end = 0; end < sizeof(ends) / sizeof(ends[0]); end++) {
			mg_buf_reset(&bytes);
			mg_buf_add(&bytes, whole->data, begins[i]);
			for (const char *command = ends[end]; *command != '\0'; command++)
				mg_wire_put(&bytes, *command, "", 0);
			/* And then all of a session, as if nothing had been. */
			mg_buf_add(&bytes, whole->data + begins[1], begins[count] - begins[1]);
			compare(pair, &bytes, 0);
			bytes.length = begins[i] + 5 * strlen(ends[end]);
			compare(pair, &bytes, 0);
		}
	}
	mg_buf_free(&bytes);
}

static void aborts_cuts_and_new_beginnings_at_every_step_are_the_same(void **state)
{
	static const char *const programs[] = {"millgate-probe", "millgate-log"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct mg_buf whole = {0};
		struct pair pair;

		start_pair(&pair, programs[i], "");
		stream_session(&whole, &(struct stream){.field = "insert 1 X-A b"}, pair.protocol);
		compare_ends(&pair, &whole);
		mg_buf_free(&whole);
		stop_pair(&pair);
	}
}

static void a_session_cut_off_or_split_at_any_byte_is_the_same(void **state)
{
	struct mg_buf whole = {0}, bytes = {0};
	struct pair pair;

	(void)state;
	start_pair(&pair, "millgate-probe", "");
	stream_session(&whole, &(struct stream){.field = "body another"}, pair.protocol);
	for (size_t cut = 1; cut < whole.length; cut++) {
		assert_true(compare(&pair, &whole, cut));
		mg_buf_reset(&bytes);
		mg_buf_add(&bytes, whole.data, cut);
		assert_true(compare(&pair, &bytes, 0));
	}
	mg_buf_free(&whole);
	mg_buf_free(&bytes);
	stop_pair(&pair);
}

/* --- no sessions --- */

static void add_file(const char *path, struct mg_buf *bytes)
{
	FILE *file = fopen(path, "rb");
	char chunk[4096];
	size_t length;

	assert_non_null(file);
	while ((length = fread(chunk, 1, sizeof(chunk), file)) > 0)
		mg_buf_add(bytes, chunk, length);
	fclose(file);
}

static void the_corpus_of_the_fuzzer_is_the_same(void **state)
{
	const char *source = getenv("MG_SRCDIR");
	const struct dirent *entry;
	struct mg_buf bytes = {0};
	char path[4096];
	struct pair pair;
	size_t files = 0;
	DIR *folder;

	(void)state;
	mg_str_format(path, sizeof(path), "%s/t/fuzz/corpus/wire", source != NULL ? source : ".");
	folder = opendir(path);
	assert_non_null(folder);
	start_pair(&pair, "millgate-probe", "");
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		mg_str_format(path, sizeof(path), "%s/t/fuzz/corpus/wire/%s",
			source != NULL ? source : ".", entry->d_name);
		mg_buf_reset(&bytes);
		add_file(path, &bytes);
		compare(&pair, &bytes, 0);
		mg_buf_reset(&bytes);
		stream_negotiate(&bytes, STREAM_FULL_OFFER);
		add_file(path, &bytes);
		compare(&pair, &bytes, 0);
		files++;
	}
	closedir(folder);
	assert_true(files > 0);
	mg_buf_free(&bytes);
	stop_pair(&pair);
}

static void compare_mistakes(const char *program, size_t count, uint64_t seed)
{
	struct mg_buf bytes = {0};
	struct sessions sessions;
	struct pair pair;
	size_t compared = 0;

	start_pair(&pair, program, "");
	make_sessions(&sessions, pair.protocol);
	for (size_t i = 0; i < count; i++) {
		const struct mg_buf *one = &sessions.list[stream_random(&seed, sessions.count)];

		mg_buf_reset(&bytes);
		mg_buf_add(&bytes, one->data, one->length);
		for (size_t mistakes = 1 + stream_random(&seed, 4); mistakes > 0; mistakes--)
			stream_mistake(&bytes, &sessions.list[stream_random(&seed, sessions.count)],
				&seed);
		compared += compare(&pair, &bytes, 0);
	}
	if (compared < count * 3 / 4)
		fail_msg("only %zu of %zu sessions could be compared", compared, count);
	mg_buf_free(&bytes);
	free_sessions(&sessions);
	stop_pair(&pair);
}

static void sessions_with_mistakes_are_the_same(void **state)
{
	(void)state;
	compare_mistakes("millgate-probe", MUTATED, UINT64_C(0x9e3779b97f4a7c15));
	compare_mistakes("millgate-log", MUTATED / 4, UINT64_C(0xd1342543de82ef95));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verdict_and_edit_is_the_same_under_every_setting),
		cmocka_unit_test(millgate_log_is_the_same),
		cmocka_unit_test(aborts_cuts_and_new_beginnings_at_every_step_are_the_same),
		cmocka_unit_test(a_session_cut_off_or_split_at_any_byte_is_the_same),
		cmocka_unit_test(the_corpus_of_the_fuzzer_is_the_same),
		cmocka_unit_test(sessions_with_mistakes_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
