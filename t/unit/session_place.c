/* SPDX-License-Identifier: ISC */
#include "session_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

/* --- a clock --- */

int64_t now;

static int64_t clock_now(const struct mg_clock *clock)
{
	(void)clock;
	return now;
}

const struct mg_clock test_clock = {.utc = clock_now, .monotonic = clock_now};

/* --- two filters that do what the test says, and note what they see --- */

struct script first_script, second_script;
struct mg_buf seen;

static void filter_connect(struct mg_call *call, struct mg_verdict *verdict)
{
	if (first_script.at_connect != NULL)
		first_script.at_connect(call, verdict);
}

static void filter_helo(struct mg_call *call, struct mg_verdict *verdict)
{
	if (first_script.at_helo != NULL)
		first_script.at_helo(call, verdict);
}

static void filter_mail(struct mg_call *call, struct mg_verdict *verdict)
{
	mg_buf_add_text(&seen, "mail ");
	if (first_script.at_mail != NULL)
		first_script.at_mail(call, verdict);
}

static void filter_rcpt(
	struct mg_call *call, const struct mg_recipient *recipient, struct mg_verdict *verdict)
{
	mg_buf_add_text(&seen, "rcpt ");
	if (first_script.at_rcpt != NULL)
		first_script.at_rcpt(call, recipient, verdict);
}

static void filter_header(struct mg_call *call, const struct mg_header *header)
{
	if (first_script.at_header != NULL)
		first_script.at_header(call, header);
}

static void filter_eom(struct mg_call *call, struct mg_verdict *verdict)
{
	mg_buf_add_text(&seen, "eom ");
	if (first_script.at_eom != NULL)
		first_script.at_eom(call, verdict);
}

static void filter_end(struct mg_call *call, enum mg_end how)
{
	static const char *const names[] = {"answered", "aborted", "lost"};

	(void)call;
	mg_buf_add_format(&seen, "end:%s ", names[how]);
}

static void second_mail(struct mg_call *call, struct mg_verdict *verdict)
{
	if (second_script.at_mail != NULL)
		second_script.at_mail(call, verdict);
}

static void second_header(struct mg_call *call, const struct mg_header *header)
{
	if (second_script.watches)
		mg_buf_add_format(&seen, "(%s:%s)", header->name, header->value);
	if (second_script.at_header != NULL)
		second_script.at_header(call, header);
}

static void second_eoh(struct mg_call *call)
{
	(void)call;
	if (second_script.watches)
		mg_buf_add_text(&seen, "eoh2 ");
}

static void second_body(struct mg_call *call, const unsigned char *chunk, size_t length)
{
	(void)call;
	if (second_script.watches)
		mg_buf_add_format(&seen, "<%.*s>", (int)length, (const char *)chunk);
}

static void second_renew(struct mg_call *call)
{
	(void)call;
	mg_buf_add_text(&seen, "renew2 ");
}

static void second_end(struct mg_call *call, enum mg_end how)
{
	(void)call;
	(void)how;
	if (second_script.watches)
		mg_buf_add_text(&seen, "end2 ");
}

static void second_eom(struct mg_call *call, struct mg_verdict *verdict)
{
	mg_buf_add_text(&seen, "eom2 ");
	if (second_script.at_eom != NULL)
		second_script.at_eom(call, verdict);
}

enum { ALL_EDITS = 63 };
static const struct mg_filter first_filter = {
	.name = "first",
	.edits = ALL_EDITS,
	.needs = MG_NEED_HEADERS,
	.message_size = 16,
	.connect = filter_connect,
	.helo = filter_helo,
	.mail = filter_mail,
	.rcpt = filter_rcpt,
	.header = filter_header,
	.eom = filter_eom,
	.end = filter_end,
};
static const struct mg_filter second_filter = {
	.name = "second",
	.edits = ALL_EDITS,
	.needs = MG_NEED_HEADERS,
	.mail = second_mail,
	.header = second_header,
	.eoh = second_eoh,
	.body = second_body,
	.eom = second_eom,
	.renew = second_renew,
	.end = second_end,
};

/* --- a front --- */

struct mg_buf told;
const char *macro_queue_id, *macro_port;

static const char *front_macro(void *context, const char *name)
{
	(void)context;
	if (strcmp(name, "i") == 0)
		return macro_queue_id;
	if (strcmp(name, "{client_addr}") == 0)
		return "192.0.2.1";
	if (strcmp(name, "{client_port}") == 0)
		return macro_port;
	return NULL;
}

static int front_insert(void *context, unsigned position, const char *name, const char *value)
{
	(void)context;
	mg_buf_add_format(&told, "insert %u %s:%s\n", position, name, value);
	return 0;
}

static int front_change(void *context, unsigned occurrence, const char *name, const char *value)
{
	(void)context;
	mg_buf_add_format(
		&told, "change %u %s:%s\n", occurrence, name, value != NULL ? value : "-");
	return 0;
}

static int front_add(void *context, const char *address)
{
	(void)context;
	mg_buf_add_format(&told, "add %s\n", address);
	return 0;
}

static int front_delete(void *context, const char *address)
{
	(void)context;
	mg_buf_add_format(&told, "delete %s\n", address);
	return 0;
}

static int front_sender(void *context, const char *address)
{
	(void)context;
	mg_buf_add_format(&told, "sender %s\n", address);
	return 0;
}

static int front_body(void *context, const unsigned char *chunk, size_t length)
{
	(void)context;
	mg_buf_add_format(&told, "body %.*s\n", (int)length, (const char *)chunk);
	return 0;
}

static int front_quarantine(void *context, const char *reason)
{
	(void)context;
	mg_buf_add_format(&told, "quarantine %s\n", reason);
	return 0;
}

static const struct mg_front test_front = {
	.macro = front_macro,
	.insert_header = front_insert,
	.change_header = front_change,
	.add_recipient = front_add,
	.delete_recipient = front_delete,
	.change_sender = front_sender,
	.replace_body = front_body,
	.quarantine = front_quarantine,
};

/* --- a process with these filters --- */

static void begin_with(struct fixture *fixture, size_t count, const char *const *const overrides[])
{
	const struct mg_filter *filters[] = {&first_filter, &second_filter};
	struct mg_errors errors = {0};

	memset(fixture, 0, sizeof *fixture);
	first_script = second_script = (struct script){0};
	mg_buf_reset(&seen);
	mg_buf_reset(&told);
	now = MG_SECOND;
	macro_queue_id = "4jYh153qZyz1bkdK";
	macro_port = "39204";
	for (size_t i = 0; i < count; i++) {
		fixture->hosted[i] =
			(struct mg_hosted){.filter = filters[i], .overrides = overrides[i]};
		mg_str_copy(fixture->hosted[i].program, 64, "millgate-test");
		assert_true(mg_settings_options(filters[i], fixture->hosted[i].tables));
	}
	fixture->host.clock = &test_clock;
	fixture->host.metrics = mg_metrics_new(mg_host_metrics);
	mg_plan_make(&fixture->host.plan, filters, count);
	pthread_mutex_init(&fixture->host.snapshots.lock, NULL);
	fixture->host.snapshots.current =
		mg_snapshot_load(NULL, fixture->hosted, count, &test_clock, &errors);
	if (errors.count > 0)
		print_message("%s\n", errors.list[0].text);
	assert_non_null(fixture->host.snapshots.current);
	fixture->run = mg_run_new(&fixture->host, &test_front, fixture);
	assert_non_null(fixture->run);
}

void begin(struct fixture *fixture, size_t count, const char *const overrides[])
{
	begin_with(fixture, count, (const char *const *const[]){overrides, overrides});
}

void begin_two(struct fixture *fixture, const char *const first[], const char *const second[])
{
	begin_with(fixture, 2, (const char *const *const[]){first, second});
}

void finish(struct fixture *fixture)
{
	mg_run_close(fixture->run);
	assert_int_equal(fixture->host.sessions, 0);
	assert_int_equal(fixture->host.messages, 0);
	assert_int_equal(fixture->host.memory.used, 0);
	assert_int_equal(fixture->host.snapshots.current->uses, 1);
	mg_snapshot_release(fixture->host.snapshots.current);
	mg_metrics_free(fixture->host.metrics);
	pthread_mutex_destroy(&fixture->host.snapshots.lock);
	for (size_t i = 0; i < 2 && fixture->hosted[i].filter != NULL; i++)
		mg_settings_options_free(fixture->hosted[i].tables);
}

enum mg_action mail(struct fixture *fixture, const char *sender)
{
	mg_run_mail(fixture->run, (const char *const[]){sender, NULL}, &fixture->verdict);
	return fixture->verdict.action;
}

enum mg_action rcpt(struct fixture *fixture, const char *recipient)
{
	mg_run_rcpt(fixture->run, (const char *const[]){recipient, NULL}, &fixture->verdict);
	return fixture->verdict.action;
}

enum mg_action content(struct fixture *fixture)
{
	mg_run_header(fixture->run, "Subject", " one");
	mg_run_header(fixture->run, "X-Two", " a\n\tb");
	mg_run_eoh(fixture->run);
	mg_run_body(fixture->run, (const unsigned char *)"body\r\n", 6);
	mg_run_eom(fixture->run, &fixture->verdict);
	return fixture->verdict.action;
}

enum mg_action whole_message(struct fixture *fixture)
{
	mail(fixture, "<a@example.com>");
	rcpt(fixture, "<b@example.org>");
	return content(fixture);
}

const char *const no_overrides[] = {NULL};

/* --- what the filters of several tests do --- */

void reject(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)call;
	verdict->action = MG_REJECT;
	mg_str_copy(verdict->reply, sizeof verdict->reply, "550 5.7.1 No");
}

void see_headers(struct mg_call *call, struct mg_verdict *verdict)
{
	size_t count;
	const struct mg_header *headers = mg_headers(call, &count);

	if (headers == NULL)
		verdict->action = MG_ERROR;
	for (size_t i = 0; i < count; i++)
		mg_buf_add_format(&seen, "[%s:%s]", headers[i].name, headers[i].value);
}

int free_notes(void **state)
{
	(void)state;
	mg_buf_free(&seen);
	mg_buf_free(&told);
	return 0;
}
