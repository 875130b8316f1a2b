/* SPDX-License-Identifier: ISC */
/* The filter of millgate-probe does what the message says, so that every way of the
 * runner can be gone.
 *
 * At CONNECT, HELO, MAIL and RCPT the client name, HELO name, local part of the sender or of the
 * recipient decides: "reject-connect", "tempfail-helo", "discard-mail", "error-rcpt",
 * "accept-mail", "hold-mail": what stands before the first "-" is done when the step follows it. In
 * the message each field "X-Probe: COMMAND arguments" is a command of the table below, carried out
 * in order at end of message (alloc, fail and wait: when the field comes). The setting `tag` is
 * told as event.code of its event, to see which configuration ran. */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/str.h"
#include "mail/fields.h"

enum { COMMANDS_MAX = 64, COMMAND_SIZE = 1024 };
static const int64_t dns_time = 60 * MG_SECOND;

struct state {
	char (*commands)[COMMAND_SIZE];
	size_t count, body_left;
	const char *body;
	char hold[64]; /* code of a hold that was asked for */
};

struct snapshot {
	const char *tag;
};

static const struct mg_option options[] = {
	{.name = "tag", .kind = MG_TEXT, .value = "", .help = "Told as event.code."},
	{.name = NULL},
};

/* --- verdicts by name --- */

static const struct {
	const char *name;
	enum mg_action action;
} actions[] = {
	{"reject", MG_REJECT},
	{"tempfail", MG_TEMPFAIL},
	{"discard", MG_DISCARD},
	{"error", MG_ERROR},
	{"accept", MG_ACCEPT},
};

/* "reject-mail" at step "mail" is a reject. */
static void judge(
	struct mg_call *call, const char *name, const char *step, struct mg_verdict *verdict)
{
	size_t length = strcspn(name, "-");

	if (name[length] != '-' || strncmp(name + length + 1, step, strlen(step)) != 0)
		return;
	if (strncmp(name, "hold", length) == 0)
		mg_hold(call, "probe");
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (strlen(actions[i].name) == length &&
			strncmp(actions[i].name, name, length) == 0)
			verdict->action = actions[i].action;
	if (verdict->action == MG_REJECT)
		mg_str_format(verdict->reply, sizeof verdict->reply,
			"550 5.7.1 Probe at %s 100%% [probe 00000000]", step);
}

static void probe_connect(struct mg_call *call, struct mg_verdict *verdict)
{
	judge(call, call->session->client_name, "connect", verdict);
}

static void probe_helo(struct mg_call *call, struct mg_verdict *verdict)
{
	judge(call, call->session->helo, "helo", verdict);
}

static void probe_mail(struct mg_call *call, struct mg_verdict *verdict)
{
	judge(call, call->message->sender, "mail", verdict);
}

static void probe_rcpt(
	struct mg_call *call, const struct mg_recipient *recipient, struct mg_verdict *verdict)
{
	judge(call, recipient->address, "rcpt", verdict);
}

/* --- commands --- */

struct command {
	struct mg_call *call;
	struct state *state;
	struct mg_verdict *verdict;
	char *arguments;
};

/* The next word of the arguments; the rest stays. */
static char *word(struct command *command)
{
	char *text = strsep(&command->arguments, " ");

	return text != NULL ? text : "";
}

static const char *rest(const struct command *command)
{
	return command->arguments != NULL ? command->arguments : "";
}

static const char *valued(const struct command *command, char *value, size_t size)
{
	mg_str_format(value, size, " %s", rest(command));
	return value;
}

static int do_verdict(struct command *command, enum mg_action action)
{
	command->verdict->action = action;
	mg_str_copy(command->verdict->reply, sizeof command->verdict->reply, rest(command));
	return 0;
}

static int do_reject(struct command *command)
{
	return do_verdict(command, MG_REJECT);
}

static int do_tempfail(struct command *command)
{
	return do_verdict(command, MG_TEMPFAIL);
}

static int do_discard(struct command *command)
{
	return do_verdict(command, MG_DISCARD);
}

static int do_error(struct command *command)
{
	return do_verdict(command, MG_ERROR);
}

static int do_accept(struct command *command)
{
	return do_verdict(command, MG_ACCEPT);
}

static int do_hold(struct command *command)
{
	mg_str_copy(command->state->hold, sizeof(command->state->hold), word(command));
	return mg_hold(command->call, command->state->hold);
}

/* A reply of that many bytes. */
static int do_long_reply(struct command *command)
{
	size_t size = sizeof command->verdict->reply;

	do_verdict(command, MG_REJECT);
	memset(command->verdict->reply, '%', size - 1);
	memcpy(command->verdict->reply, "550 5.7.1 ", 10);
	command->verdict->reply[size - 1] = '\0';
	return 0;
}

static int do_insert(struct command *command)
{
	unsigned position = (unsigned)atoi(word(command));
	const char *name = word(command);
	char value[COMMAND_SIZE];

	return mg_insert_header(
		command->call, position, name, valued(command, value, sizeof value));
}

/* A field of three lines. */
static int do_insert_folded(struct command *command)
{
	return mg_insert_header(command->call, 1, word(command), " one\r\n\ttwo\n three");
}

static int do_insert_broken(struct command *command)
{
	const char *name = word(command);

	return mg_insert_header(command->call, 1, name, " one\r\nX-Injected: yes") == -1 &&
			       mg_insert_header(command->call, 1, "Bad Name", " x") == -1 &&
			       mg_insert_header(command->call, 1, name, " a\rb") == -1
		       ? 0
		       : -1;
}

static int do_change(struct command *command)
{
	const char *name = word(command);
	unsigned occurrence = (unsigned)atoi(word(command));
	char value[COMMAND_SIZE];

	return mg_change_header(
		command->call, name, occurrence, valued(command, value, sizeof value));
}

static int do_delete(struct command *command)
{
	const char *name = word(command);

	return mg_change_header(command->call, name, (unsigned)atoi(word(command)), NULL);
}

/* Deletes the fields of a name whose value contains a text, first one first. */
static int do_delete_all(struct command *command)
{
	const char *name = word(command);
	unsigned occurrence = 0;
	size_t count;
	const struct mg_header *headers = mg_headers(command->call, &count);
	unsigned char wanted[4096] = {0};

	for (size_t i = 0; i < count; i++)
		if (headers[i].name_length == strlen(name) &&
			strncasecmp(headers[i].name, name, strlen(name)) == 0 &&
			++occurrence < sizeof wanted &&
			strstr(headers[i].value, rest(command)) != NULL)
			wanted[occurrence] = 1;
	for (unsigned i = 1; i <= occurrence && i < sizeof wanted; i++)
		if (wanted[i] && mg_change_header(command->call, name, i, NULL) != 0)
			return -1;
	return 0;
}

static int do_add_recipient(struct command *command)
{
	return mg_add_recipient(command->call, word(command));
}

static int do_delete_recipient(struct command *command)
{
	return mg_delete_recipient(command->call, word(command));
}

static int do_sender(struct command *command)
{
	return mg_change_sender(command->call, word(command));
}

static long read_body(void *source, unsigned char *target, size_t size)
{
	struct state *state = source;
	size_t length = state->body_left < size ? state->body_left : size;

	memcpy(target, state->body + strlen(state->body) - state->body_left, length);
	state->body_left -= length;
	return (long)length;
}

static int do_body(struct command *command)
{
	char body[COMMAND_SIZE + 2];

	mg_str_format(body, sizeof body, "%s\r\n", rest(command));
	command->state->body = mg_copy(command->call, body, strlen(body));
	command->state->body_left = strlen(body);
	return mg_replace_body(command->call, read_body, command->state);
}

static void wait_ms(long milliseconds)
{
	const struct timespec pause = {
		.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

static int do_wait_at_end(struct command *command)
{
	wait_ms(atol(word(command)));
	return 0;
}

/* Asks the DNS and tells in a field what it was told: "NAME TYPE". */
static int do_dns(struct command *command)
{
	struct mg_dns *dns = command->call->world->dns;
	const char *name = word(command);
	enum mg_dns_type type = mg_dns_type_of(word(command));
	const struct mg_dns_answer *answer = mg_dns_ask(
		dns, name, type, false, mg_clock_system.monotonic(&mg_clock_system) + dns_time);
	char value[COMMAND_SIZE];

	mg_str_format(value, sizeof value, " %s: %.500s", mg_dns_status_text(answer->status),
		answer->count > 0 ? answer->records[0].data : "");
	mg_dns_release(dns, answer);
	return mg_insert_header(command->call, 1, "X-Dns", value);
}

static const struct {
	const char *name;
	int (*function)(struct command *);
} commands[] = {
	{"reject", do_reject},
	{"tempfail", do_tempfail},
	{"discard", do_discard},
	{"error", do_error},
	{"accept", do_accept},
	{"hold", do_hold},
	{"long-reply", do_long_reply},
	{"insert", do_insert},
	{"insert-folded", do_insert_folded},
	{"insert-broken", do_insert_broken},
	{"change", do_change},
	{"delete", do_delete},
	{"delete-all", do_delete_all},
	{"add-recipient", do_add_recipient},
	{"delete-recipient", do_delete_recipient},
	{"sender", do_sender},
	{"body", do_body},
	{"wait-at-end", do_wait_at_end},
	{"dns", do_dns},
};

static void carry_out(struct mg_call *call, struct mg_verdict *verdict, const char *text)
{
	char line[COMMAND_SIZE], *arguments = line;
	struct command command = {.call = call, .state = call->state, .verdict = verdict};
	const char *name;

	mg_str_copy(line, sizeof line, text);
	name = strsep(&arguments, " ");
	command.arguments = arguments;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, name) == 0 && commands[i].function(&command) != 0)
			mg_str_format(verdict->reply, sizeof verdict->reply, "probe: \"%s\" failed",
				text),
				verdict->action = MG_ERROR;
}

/* What is done when the field comes, not at the end. */
static void probe_header(struct mg_call *call, const struct mg_header *header)
{
	struct state *state = call->state;
	const char *value = header->value + strspn(header->value, " ");

	if (header->name_length != 7 || strncasecmp(header->name, "X-Probe", 7) != 0)
		return;
	if (strncmp(value, "alloc ", 6) == 0 && mg_alloc(call, (size_t)atoll(value + 6)) == NULL)
		mg_fail(call, "no memory for the probe");
	if (strncmp(value, "fail ", 5) == 0)
		mg_fail(call, value + 5);
	if (strncmp(value, "wait ", 5) == 0)
		wait_ms(atol(value + 5));
	if (state->commands == NULL)
		state->commands = mg_alloc(call, COMMANDS_MAX * COMMAND_SIZE);
	if (state->commands == NULL)
		mg_fail(call, "no memory for the probe");
	else if (state->count < COMMANDS_MAX)
		mg_str_copy(state->commands[state->count++], COMMAND_SIZE, value);
}

static void probe_body(struct mg_call *call, const unsigned char *chunk, size_t length)
{
	(void)call;
	(void)chunk;
	(void)length;
}

static void probe_eom(struct mg_call *call, struct mg_verdict *verdict)
{
	const struct state *state = call->state;
	const struct snapshot *snapshot = call->conf;
	struct mg_event *event;

	for (size_t i = 0; i < state->count; i++)
		carry_out(call, verdict, state->commands[i]);
	event = mg_event_new(
		call->world->events, state->hold[0] != '\0' ? MG_MESSAGE_HELD : MG_MESSAGE_PASSED);
	mg_fields_message(event, call->message);
	mg_event_set_text(event, &mg_fields[MG_FIELD_HOLD_CODE], state->hold);
	mg_event_set_text(event, &mg_fields[MG_FIELD_EVENT_CODE], snapshot->tag);
	mg_event_set_number(event, &mg_fields[MG_FIELD_SMTP_SIZE],
		(int64_t)(call->message->header_bytes + call->message->body_bytes));
	if (mg_events_write(call->world->events, event, NULL) != 0)
		*verdict = (struct mg_verdict){
			.action = MG_ERROR, .reply = "the event cannot be written"};
	mg_event_free(event);
}

static void *configure(
	const struct mg_conf *conf, const struct mg_world *world, struct mg_errors *errors)
{
	struct snapshot *snapshot = calloc(1, sizeof *snapshot);

	(void)world;
	if (snapshot == NULL)
		mg_errors_add(errors, "out of memory");
	else
		snapshot->tag = mg_conf_text(conf, "tag");
	return snapshot;
}

/* All it keeps is of the content. */
static void probe_renew(struct mg_call *call)
{
	memset(call->state, 0, sizeof(struct state));
}

const struct mg_filter probe_filter = {
	.name = "probe",
	.edits = MG_EDIT_ADD | MG_EDIT_CHANGE | MG_EDIT_BODY | MG_EDIT_RCPT | MG_EDIT_SENDER |
		 MG_EDIT_HOLD,
	.needs = MG_NEED_HEADERS,
	.message_size = sizeof(struct state),
	.options = options,
	.configure = configure,
	.release = free,
	.connect = probe_connect,
	.helo = probe_helo,
	.mail = probe_mail,
	.rcpt = probe_rcpt,
	.header = probe_header,
	.body = probe_body,
	.eom = probe_eom,
	.renew = probe_renew,
};
