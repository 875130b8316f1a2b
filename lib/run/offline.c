/* SPDX-License-Identifier: ISC */
#include "run/offline.h"

#include <stdio.h>
#include <string.h>

#include "base/net.h"
#include "base/str.h"
#include "event/event.h"
#include "event/json_text.h"
#include "run/cut.h"
#include "run/reply.h"
#include "run/session.h"

enum { NUMBER_SIZE = 24, REPLY_SIZE = MG_REPLY_TEXT_MAX + 32, LISTENER_SIZE = 64 };

static const char *const verdict_names[] = {[MG_JUDGED_ACCEPTED] = "accepted",
	[MG_JUDGED_HELD] = "held",
	[MG_JUDGED_DEFERRED] = "deferred",
	[MG_JUDGED_DISCARDED] = "discarded",
	[MG_JUDGED_REJECTED] = "rejected",
	[MG_JUDGED_PARTLY] = "accepted"};

/* A message being judged. */
struct judging {
	struct mg_host *host;
	const struct mg_offline *offline;
	struct mg_run *run;
	struct mg_verdict verdict; /* of the last step that has one */
	size_t accepted; /* recipients */
	bool content; /* DATA was sent */
	bool body_replaced;
	char hold[128]; /* code, "" none */
	char number[NUMBER_SIZE]; /* a macro that is one */
	char listener[LISTENER_SIZE]; /* a part of the listener's address */
	struct mg_buf edits, body, events, refused; /* members of JSON arrays; body: the new one */
};

static int64_t still_utc(const struct mg_clock *clock)
{
	return ((const struct mg_still_clock *)clock)->utc;
}

static int64_t still_monotonic(const struct mg_clock *clock)
{
	return ((const struct mg_still_clock *)clock)->monotonic;
}

void mg_still_clock_set(struct mg_still_clock *still, int64_t utc)
{
	still->clock = (struct mg_clock){.utc = still_utc, .monotonic = still_monotonic};
	still->utc = utc;
	still->monotonic = mg_clock_system.monotonic(&mg_clock_system);
}

/* --- macros, as Postfix tells them --- */

static bool is_local(const struct judging *judging)
{
	return mg_case_true(judging->offline->facts, "local");
}

static const char *number_macro(struct judging *judging, const char *member)
{
	mg_str_format(judging->number, sizeof judging->number, "%lld",
		(long long)mg_case_number(judging->offline->facts, member));
	return judging->number;
}

/* By SMTP there is a queue id once a recipient was accepted (measured); else always. */
static const char *queue_id_macro(struct judging *judging, const char *member)
{
	return is_local(judging) || judging->accepted > 0 || judging->content
		       ? mg_case_text(judging->offline->facts, member)
		       : "";
}

static const char *port_macro(struct judging *judging, const char *member)
{
	return is_local(judging) ? "0" : number_macro(judging, member);
}

static const char *client_name_macro(struct judging *judging, const char *member)
{
	const char *name = mg_case_text(judging->offline->facts, member);

	return name[0] != '\0' ? name : "unknown";
}

/* The listener is written "ADDRESS:PORT", IPv6 in brackets. */
static const char *listener_address_macro(struct judging *judging, const char *member)
{
	const char *listener = mg_case_text(judging->offline->facts, member);
	size_t length = strcspn(listener, "]");

	if (listener[0] == '[')
		mg_str_format(judging->listener, sizeof judging->listener, "%.*s",
			(int)(length - 1), listener + 1);
	else
		mg_str_format(judging->listener, sizeof judging->listener, "%.*s",
			(int)strcspn(listener, ":"), listener);
	return judging->listener;
}

static const char *listener_port_macro(struct judging *judging, const char *member)
{
	const char *colon = strrchr(mg_case_text(judging->offline->facts, member), ':');

	return colon != NULL ? colon + 1 : "";
}

/* tell NULL: the text of the member. */
static const struct {
	const char *name, *member;
	const char *(*tell)(struct judging *judging, const char *member);
} macros[] = {
	{"i", "queue_id", queue_id_macro},
	{"{client_addr}", "client", NULL},
	{"{client_name}", "client_name", client_name_macro},
	{"{client_port}", "port", port_macro},
	{"{daemon_name}", "listener", NULL},
	{"{daemon_addr}", "listener_address", listener_address_macro},
	{"{daemon_port}", "listener_address", listener_port_macro},
	{"{tls_version}", "tls.version", NULL},
	{"{cipher}", "tls.cipher", NULL},
	{"{cipher_bits}", "tls.bits", number_macro},
	{"{cert_subject}", "tls.subject", NULL},
	{"{cert_issuer}", "tls.issuer", NULL},
	{"{auth_type}", "auth_method", NULL},
	{"{auth_authen}", "user", NULL},
};

/* Postfix does not send a macro without a value. */
static const char *macro(void *context, const char *name)
{
	struct judging *judging = context;

	for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
		const char *value;

		if (strcmp(macros[i].name, name) != 0)
			continue;
		value = macros[i].tell != NULL
				? macros[i].tell(judging, macros[i].member)
				: mg_case_text(judging->offline->facts, macros[i].member);
		return value[0] != '\0' ? value : NULL;
	}
	return NULL;
}

/* --- edits, noted --- */

static void add_text_member(struct mg_buf *out, const char *name, const char *value)
{
	mg_buf_add_format(out, ",\"%s\":", name);
	mg_json_text(out, value, strlen(value));
}

static void begin_edit(struct judging *judging, const char *kind)
{
	mg_buf_add_format(
		&judging->edits, "%s{\"edit\":\"%s\"", judging->edits.length > 0 ? "," : "", kind);
}

static int end_edit(struct judging *judging)
{
	mg_buf_add_char(&judging->edits, '}');
	return judging->edits.failed ? -1 : 0;
}

static int edit_header(struct judging *judging, const char *kind, unsigned position,
	const char *name, const char *value)
{
	begin_edit(judging, kind);
	add_text_member(&judging->edits, "name", name);
	mg_buf_add_format(&judging->edits, ",\"position\":%u", position);
	if (value != NULL)
		add_text_member(&judging->edits, "value", value);
	return end_edit(judging);
}

static int insert_header(void *context, unsigned position, const char *name, const char *value)
{
	struct judging *judging = context;

	/* Postfix holds by milter_header_checks. */
	if (mg_str_equal_nocase(name, "X-Millgate-Hold") && judging->hold[0] == '\0')
		mg_str_copy(judging->hold, sizeof judging->hold, value + strspn(value, " "));
	return edit_header(judging, "insert-header", position, name, value);
}

static int change_header(void *context, unsigned occurrence, const char *name, const char *value)
{
	return edit_header(context, value != NULL ? "change-header" : "delete-header", occurrence,
		name, value);
}

static int edit_address(struct judging *judging, const char *kind, const char *address)
{
	begin_edit(judging, kind);
	add_text_member(&judging->edits, "value", address);
	return end_edit(judging);
}

static int add_recipient(void *context, const char *address)
{
	return edit_address(context, "add-recipient", address);
}

static int delete_recipient(void *context, const char *address)
{
	return edit_address(context, "delete-recipient", address);
}

static int change_sender(void *context, const char *address)
{
	return edit_address(context, "change-sender", address);
}

static int replace_body(void *context, const unsigned char *chunk, size_t length)
{
	struct judging *judging = context;

	judging->body_replaced = true;
	mg_buf_add(&judging->body, chunk, length);
	return judging->body.failed ? -1 : 0;
}

static int quarantine(void *context, const char *reason)
{
	struct judging *judging = context;

	mg_str_copy(judging->hold, sizeof judging->hold, reason);
	return 0;
}

static const struct mg_front offline_front = {
	.macro = macro,
	.insert_header = insert_header,
	.change_header = change_header,
	.add_recipient = add_recipient,
	.delete_recipient = delete_recipient,
	.change_sender = change_sender,
	.replace_body = replace_body,
	.quarantine = quarantine,
};

static int take_event(void *context, const char *document, size_t length, struct mg_error *error)
{
	struct judging *judging = context;

	if (judging->events.length > 0)
		mg_buf_add_char(&judging->events, ',');
	mg_buf_add(&judging->events, document, length);
	if (!judging->events.failed)
		return 0;
	mg_error_set(error, "out of memory");
	return -1;
}

/* --- the steps --- */

static bool goes_on(const struct judging *judging)
{
	return judging->verdict.action == MG_CONTINUE;
}

static bool is_sent(const struct judging *judging, enum mg_step step)
{
	return judging->host->plan.steps[step] != MG_STEP_DECLINED;
}

/* What the SMTP client is told: a reply of the other class is another answer, so the MTA's own
 * stands for it. */
static const char *reply_text(const struct mg_verdict *verdict, char *text, size_t size)
{
	bool rejected = verdict->action == MG_REJECT;
	struct mg_reply reply;
	char *to = reply.text;

	if (!mg_reply_split(verdict->reply, &reply) || reply.code[0] != (rejected ? '5' : '4')) {
		mg_str_copy(text, size,
			rejected ? "550 5.7.1 Command rejected"
				 : "451 4.7.1 Service unavailable - try again later");
		return text;
	}
	for (const char *from = reply.text; *from != '\0'; from++) {
		*to++ = *from;
		from += from[0] == '%' && from[1] == '%';
	}
	*to = '\0';
	mg_str_format(text, size, "%s %s%s%s", reply.code, reply.enhanced,
		reply.enhanced[0] != '\0' ? " " : "", reply.text);
	return text;
}

static void send_session(struct judging *judging)
{
	const struct mg_case *facts = judging->offline->facts;
	struct sockaddr_storage client;
	uint16_t port = is_local(judging) ? 0 : (uint16_t)mg_case_number(facts, "port");

	mg_net_parse(mg_case_text(facts, "client"), port, &client);
	if (is_sent(judging, MG_STEP_CONNECT))
		mg_run_connect(judging->run, client_name_macro(judging, "client_name"), &client,
			&judging->verdict);
	if (goes_on(judging) && is_sent(judging, MG_STEP_HELO))
		mg_run_helo(judging->run, mg_case_text(facts, "helo"), &judging->verdict);
}

static void send_recipient(struct judging *judging, const char *address)
{
	char reply[REPLY_SIZE];

	judging->verdict = (struct mg_verdict){.action = MG_CONTINUE};
	if (is_sent(judging, MG_STEP_RCPT))
		mg_run_rcpt(judging->run, (const char *const[]){address, NULL}, &judging->verdict);
	if (goes_on(judging)) {
		judging->accepted++;
		return;
	}
	mg_buf_add_text(&judging->refused, judging->refused.length > 0 ? ",{" : "{");
	mg_buf_add_text(&judging->refused, "\"recipient\":");
	mg_json_text(&judging->refused, address, strlen(address));
	add_text_member(
		&judging->refused, "reply", reply_text(&judging->verdict, reply, sizeof reply));
	mg_buf_add_char(&judging->refused, '}');
}

/* With no recipient left no content follows, and the last refusal is the verdict. */
static void send_envelope(struct judging *judging)
{
	const struct mg_case *facts = judging->offline->facts;
	const char *const sender[] = {mg_case_text(facts, "sender"), NULL};

	mg_run_mail(judging->run, sender, &judging->verdict);
	if (!goes_on(judging))
		return;
	for (size_t i = 0; i < mg_case_recipient_count(facts); i++) {
		send_recipient(judging, mg_case_recipient(facts, i));
		if (judging->verdict.action == MG_DISCARD)
			return;
	}
	if (judging->accepted > 0)
		judging->verdict = (struct mg_verdict){.action = MG_CONTINUE};
}

static bool send_header(void *context, const char *name, const char *value)
{
	struct judging *judging = context;

	if (is_sent(judging, MG_STEP_HEADER))
		mg_run_header(judging->run, name, value);
	return true;
}

static bool send_eoh(void *context)
{
	struct judging *judging = context;

	if (is_sent(judging, MG_STEP_EOH))
		mg_run_eoh(judging->run);
	return is_sent(judging, MG_STEP_BODY);
}

static bool send_body(void *context, const char *chunk, size_t length)
{
	struct judging *judging = context;
	bool wanted = mg_run_body(judging->run, (const unsigned char *)chunk, length);

	/* Only an answer can tell the MTA to skip the rest. */
	return wanted || judging->host->plan.steps[MG_STEP_BODY] != MG_STEP_ANSWERED;
}

static size_t chunk_size(void *context)
{
	const struct judging *judging = context;
	const struct mg_offline *offline = judging->offline;

	return offline->chunk != NULL ? offline->chunk(offline->context) : 0;
}

/* A mailbox file has a line before the message that is none of it. */
static size_t mailbox_line(const char *message, size_t length)
{
	const char *end;

	if (length < 5 || memcmp(message, "From ", 5) != 0)
		return 0;
	end = memchr(message, '\n', length);
	return end != NULL ? (size_t)(end - message) + 1 : length;
}

/* false: no memory. */
static bool send_content(struct judging *judging)
{
	const struct mg_offline *offline = judging->offline;
	const struct mg_cut cut = {.header = send_header,
		.eoh = send_eoh,
		.body = send_body,
		.chunk = chunk_size,
		.context = judging};
	size_t skipped = mailbox_line(offline->message, offline->length);

	judging->content = true;
	if (is_sent(judging, MG_STEP_DATA))
		mg_run_data(judging->run, &judging->verdict);
	if (!goes_on(judging))
		return true;
	if (!mg_cut_message(&cut, offline->message + skipped, offline->length - skipped))
		return false;
	mg_run_eom(judging->run, &judging->verdict);
	return true;
}

/* --- the answer --- */

static enum mg_judgement conclude(const struct judging *judging)
{
	switch (judging->verdict.action) {
	case MG_CONTINUE:
	case MG_ACCEPT:
		if (judging->hold[0] != '\0')
			return MG_JUDGED_HELD;
		return judging->refused.length > 0 ? MG_JUDGED_PARTLY : MG_JUDGED_ACCEPTED;
	case MG_REJECT: return MG_JUDGED_REJECTED;
	case MG_DISCARD: return MG_JUDGED_DISCARDED;
	case MG_TEMPFAIL:
	case MG_ERROR: break;
	}
	return MG_JUDGED_DEFERRED;
}

static void add_text_or_null(struct mg_buf *out, const char *name, const char *text)
{
	if (text[0] != '\0')
		add_text_member(out, name, text);
	else
		mg_buf_add_format(out, ",\"%s\":null", name);
}

static void add_array(struct mg_buf *out, const char *name, const struct mg_buf *members)
{
	mg_buf_add_format(out, ",\"%s\":[", name);
	mg_buf_add(out, members->data, members->length);
	mg_buf_add_char(out, ']');
}

/* Edits and holds of a message that is not let pass come to nothing: they are not told. */
static void add_answer(struct judging *judging, enum mg_judgement judgement, struct mg_buf *out)
{
	bool passes =
		judging->verdict.action == MG_CONTINUE || judging->verdict.action == MG_ACCEPT;
	bool refused = judging->verdict.action != MG_DISCARD && !passes;
	char reply[REPLY_SIZE] = "";

	if (passes && judging->body_replaced) {
		begin_edit(judging, "replace-body");
		mg_buf_add_text(&judging->edits, ",\"value\":");
		mg_json_text(&judging->edits, mg_buf_text(&judging->body), judging->body.length);
		end_edit(judging);
	}
	if (!passes) {
		mg_buf_reset(&judging->edits);
		judging->hold[0] = '\0';
	}
	mg_buf_add_format(out, "{\"verdict\":\"%s\"", verdict_names[judgement]);
	add_text_or_null(
		out, "reply", refused ? reply_text(&judging->verdict, reply, sizeof reply) : "");
	add_text_or_null(out, "hold", judging->hold);
	if (judging->accepted > 0 && judging->refused.length > 0)
		add_array(out, "refused", &judging->refused);
	add_array(out, "edits", &judging->edits);
	add_array(out, "events", &judging->events);
	mg_buf_add_text(out, "}\n");
}

static void free_judging(struct judging *judging)
{
	mg_buf_free(&judging->edits);
	mg_buf_free(&judging->body);
	mg_buf_free(&judging->events);
	mg_buf_free(&judging->refused);
}

static bool walk(struct judging *judging)
{
	bool memory = true;

	judging->run = mg_run_new(judging->host, &offline_front, judging);
	if (judging->run == NULL)
		return false;
	send_session(judging);
	if (goes_on(judging))
		send_envelope(judging);
	if (goes_on(judging))
		memory = send_content(judging);
	mg_run_abort(judging->run);
	mg_run_close(judging->run);
	return memory;
}

enum mg_judgement mg_offline_judge(struct mg_host *host, const struct mg_offline *offline,
	struct mg_buf *out, struct mg_error *error)
{
	struct judging judging = {.host = host, .offline = offline};
	const struct mg_snapshot *snapshot = host->snapshots.current;
	enum mg_judgement judgement = MG_NOT_JUDGED;

	if (mailbox_line(offline->message, offline->length) == offline->length) {
		mg_error_set(error, "no message: it is empty");
		return MG_NOT_JUDGED;
	}
	for (size_t i = 0; i < snapshot->count; i++)
		mg_events_divert(snapshot->filters[i].events, take_event, &judging);
	if (walk(&judging)) {
		judgement = conclude(&judging);
		add_answer(&judging, judgement, out);
	}
	for (size_t i = 0; i < snapshot->count; i++)
		mg_events_divert(snapshot->filters[i].events, NULL, NULL);
	free_judging(&judging);
	if (judgement == MG_NOT_JUDGED || out->failed) {
		mg_error_set(error, "out of memory");
		return MG_NOT_JUDGED;
	}
	return judgement;
}
