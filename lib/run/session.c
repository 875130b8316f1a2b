/* SPDX-License-Identifier: ISC */
#include "run/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/net.h"
#include "base/str.h"
#include "mail/fields.h"
#include "mail/milter_macros.h"
#include "run/session_private.h"

enum {
	FIRST_RECIPIENTS = 8,
	ESMTP_MAX = 2048, /* bytes of the parameters of MAIL or RCPT that are kept */
	ADDRESS_MAX = 2048 /* bytes of an envelope address that are kept; Postfix's line limit */
};

/* --- calling filters --- */

int64_t mg_run_monotonic(const struct mg_run *run)
{
	return run->host->clock->monotonic(run->host->clock);
}

/* Before a callback; false when the time for this message is used up. */
bool mg_run_enter(struct mg_run *run, struct mg_slot *slot, int64_t *began)
{
	int64_t left = run->snapshot->settings->message_timeout - run->used;

	*began = mg_run_monotonic(run);
	run->message.dry_run = slot->configured->settings.dry_run;
	if (run->open && left <= 0) {
		mg_fail(&slot->call, "message_timeout used up");
		return false;
	}
	if (run->starved) {
		mg_fail(&slot->call, "out of memory");
		return false;
	}
	run->message.deadline = *began + left;
	return slot->failed[0] == '\0';
}

void mg_run_leave(struct mg_run *run, int64_t began)
{
	run->used += mg_run_monotonic(run) - began;
}

/* Calls the callback that `step` selects on each filter that has it, first refusal ends it. Returns
 * whether there was one. */
typedef void step_callback(struct mg_slot *slot, const void *argument, struct mg_verdict *verdict);

static bool ask(struct mg_run *run, enum mg_step step, step_callback *callback,
	const void *argument, struct mg_verdict *verdict)
{
	for (size_t i = 0; i < run->slot_count; i++) {
		struct mg_slot *slot = &run->slots[i];
		int64_t began;

		if (slot->done)
			continue;
		slot->begun = run->open;
		*verdict = (struct mg_verdict){.action = MG_CONTINUE};
		if (mg_run_enter(run, slot, &began))
			callback(slot, argument, verdict);
		mg_run_leave(run, began);
		if (mg_verdict_settle(run, slot, step, verdict))
			return true;
	}
	*verdict = (struct mg_verdict){.action = MG_CONTINUE};
	return false;
}

static void call_connect(struct mg_slot *slot, const void *argument, struct mg_verdict *verdict)
{
	(void)argument;
	if (slot->configured->filter->connect != NULL)
		slot->configured->filter->connect(&slot->call, verdict);
}

static void call_helo(struct mg_slot *slot, const void *argument, struct mg_verdict *verdict)
{
	(void)argument;
	if (slot->configured->filter->helo != NULL)
		slot->configured->filter->helo(&slot->call, verdict);
}

static void call_mail(struct mg_slot *slot, const void *argument, struct mg_verdict *verdict)
{
	(void)argument;
	if (slot->configured->filter->mail != NULL)
		slot->configured->filter->mail(&slot->call, verdict);
}

static void call_rcpt(struct mg_slot *slot, const void *argument, struct mg_verdict *verdict)
{
	if (slot->configured->filter->rcpt != NULL)
		slot->configured->filter->rcpt(&slot->call, argument, verdict);
}

/* Puts the filters of the current configuration on the connection; message: their state of a
 * message too. */
static void take_snapshot(struct mg_run *run, bool message)
{
	mg_snapshot_release(run->snapshot);
	run->snapshot = mg_snapshot_current(&run->host->snapshots);
	run->slot_count = run->snapshot->count;
	for (size_t i = 0; i < run->slot_count; i++) {
		const struct mg_configured *configured = &run->snapshot->filters[i];
		struct mg_slot *slot = &run->slots[i];

		memset(slot, 0, sizeof *slot);
		slot->configured = configured;
		slot->edits_end = &slot->edits;
		slot->call = (struct mg_call){.conf = configured->snapshot,
			.world = &configured->world,
			.session = &run->session,
			.run = run,
			.message = message ? &run->message : NULL};
	}
}

static void make_states(struct mg_run *run)
{
	for (size_t i = 0; i < run->slot_count; i++) {
		struct mg_slot *slot = &run->slots[i];
		size_t size = slot->configured->filter->message_size;

		if (size == 0)
			continue;
		slot->call.state = mg_alloc(&slot->call, size);
		run->starved = run->starved || slot->call.state == NULL;
	}
}

static void drop_snapshot(struct mg_run *run)
{
	mg_snapshot_release(run->snapshot);
	run->snapshot = NULL;
	run->slot_count = 0;
}

/* --- the connection --- */

static void session_clear(struct mg_run *run)
{
	struct sockaddr_storage client = run->session.client;

	run->session = (struct mg_session){.client = client,
		.client_name = run->client_name,
		.helo = run->helo,
		.mta_name = "",
		.listener = "",
		.listener_address = "",
		.user = "",
		.auth_method = "",
		.tls_version = "",
		.tls_cipher = "",
		.tls_subject = "",
		.tls_issuer = ""};
	mg_net_key(&run->session.client, run->session.key, sizeof run->session.key);
}

struct mg_run *mg_run_new(struct mg_host *host, const struct mg_front *front, void *context)
{
	struct mg_run *run = calloc(1, sizeof *run);

	if (run == NULL)
		return NULL;
	run->host = host;
	run->front = front;
	run->context = context;
	run->message.over_bound = "";
	session_clear(run);
	host->sessions++;
	host->last_step = mg_run_monotonic(run);
	mg_metrics_add(host->metrics, MG_METRIC_SESSIONS, 1);
	return run;
}

/* Postfix's own client of mail that did not come by SMTP, as far as it shows before MAIL. To refuse
 * it would be to refuse the mail, bounces too. */
static bool is_local_client(const struct mg_run *run)
{
	return mg_net_port(&run->session.client) == 0 && mg_net_is_loopback(&run->session.client);
}

static void judge_session(
	struct mg_run *run, enum mg_step step, step_callback *callback, struct mg_verdict *verdict)
{
	*verdict = (struct mg_verdict){.action = MG_CONTINUE};
	run->host->last_step = mg_run_monotonic(run);
	if (run->host->plan.steps[step] != MG_STEP_ANSWERED || is_local_client(run))
		return;
	take_snapshot(run, false);
	run->used = 0;
	run->starved = false;
	ask(run, step, callback, NULL, verdict);
	drop_snapshot(run);
}

void mg_run_connect(struct mg_run *run, const char *client_name,
	const struct sockaddr_storage *client, struct mg_verdict *verdict)
{
	mg_run_abort(run);
	if (client != NULL)
		run->session.client = *client;
	mg_str_copy(run->client_name, sizeof run->client_name,
		strcmp(client_name, "unknown") == 0 ? "" : client_name);
	session_clear(run);
	judge_session(run, MG_STEP_CONNECT, call_connect, verdict);
}

void mg_run_helo(struct mg_run *run, const char *helo, struct mg_verdict *verdict)
{
	mg_run_abort(run);
	mg_str_copy(run->helo, sizeof run->helo, helo);
	judge_session(run, MG_STEP_HELO, call_helo, verdict);
}

/* --- the end of a message --- */

static void end_message(struct mg_run *run, enum mg_end how)
{
	if (!run->open)
		return;
	for (size_t i = 0; i < run->slot_count; i++) {
		struct mg_slot *slot = &run->slots[i];

		if (slot->begun && slot->configured->filter->end != NULL &&
			(slot->call.state != NULL || slot->configured->filter->message_size == 0))
			slot->configured->filter->end(&slot->call, how);
	}
	if (how == MG_END_ABORTED)
		mg_metrics_add(run->host->metrics, MG_METRIC_MESSAGES_ABORTED, 1);
	if (how == MG_END_LOST)
		mg_metrics_add(run->host->metrics, MG_METRIC_MESSAGES_LOST, 1);
	run->open = false;
	run->in_eom = false;
	drop_snapshot(run);
	mg_arena_free(run->recipient_arena);
	mg_arena_free(run->arena);
	run->arena = run->recipient_arena = NULL;
	free(run->recipients);
	run->recipients = NULL;
	run->recipients_size = 0;
	session_clear(run);
	run->host->messages--;
}

void mg_run_abort(struct mg_run *run)
{
	run->host->last_step = mg_run_monotonic(run);
	end_message(run, MG_END_ABORTED);
}

void mg_run_close(struct mg_run *run)
{
	end_message(run, MG_END_LOST);
	drop_snapshot(run);
	run->host->sessions--;
	free(run);
}

/* --- the envelope --- */

/* The address of a MAIL or RCPT argument without its angle brackets, cut when longer than the MTA's
 * own lines; NULL: no memory. */
static const char *copy_address(struct mg_arena *arena, const char *argument)
{
	size_t length = strlen(argument);

	if (length >= 2 && argument[0] == '<' && argument[length - 1] == '>') {
		argument++;
		length -= 2;
	}
	if (length == 0)
		return "";
	return mg_arena_copy(arena, argument, length > ADDRESS_MAX ? ADDRESS_MAX : length);
}

static const char *join_parameters(struct mg_arena *arena, const char *const arguments[])
{
	struct mg_buf text;
	const char *joined;

	if (arguments[0] == NULL)
		return "";
	mg_buf_init(&text, ESMTP_MAX);
	for (size_t i = 0; arguments[i] != NULL && !text.failed; i++) {
		if (i > 0)
			mg_buf_add_char(&text, ' ');
		mg_buf_add_text(&text, arguments[i]);
	}
	joined = mg_arena_copy(arena, mg_buf_text(&text), text.length);
	mg_buf_free(&text);
	return joined;
}

void mg_run_learn_queue_id(struct mg_run *run)
{
	const char *queue_id;

	if (run->queue_id[0] != '\0')
		return;
	queue_id = run->front->macro(run->context, "i");
	if (queue_id == NULL)
		return;
	mg_str_copy(run->queue_id, sizeof run->queue_id, queue_id);
	mg_trace_id(run->snapshot->settings->gateway, run->queue_id, run->message.trace_id);
}

static const char *front_macro(void *context, const char *name)
{
	struct mg_run *run = context;

	return run->front->macro(run->context, name);
}

/* Facts of the session and message at MAIL; false when memory ran out. What needs no memory is
 * known even then: a bounce is never turned away. */
static bool learn_facts(struct mg_run *run, const char *const arguments[])
{
	/* of an address that there was no memory for: it is not the null sender */
	static const char unknown[] = "?";
	const struct mg_origin *origin = run->snapshot->origin;
	struct mg_message *message = &run->message;
	bool learnt = mg_milter_macros_session(
		front_macro, run, run->arena, &run->session, &message->local);
	const char *sender = copy_address(run->arena, arguments[0] != NULL ? arguments[0] : "");
	const char *parameters =
		join_parameters(run->arena, arguments[0] != NULL ? arguments + 1 : arguments);

	message->sender = sender != NULL ? sender : unknown;
	message->sender_esmtp = parameters != NULL ? parameters : "";
	run->session.internal = mg_origin_internal(origin, &run->session);
	message->direction = mg_origin_direction(origin, &run->session, message->local);
	message->tenant = mg_origin_tenant(origin, &run->session, message->sender);
	return learnt && sender != NULL && parameters != NULL;
}

static void clear_message(struct mg_run *run)
{
	run->message = (struct mg_message){.session = &run->session,
		.queue_id = run->queue_id,
		.sender = "",
		.sender_esmtp = "",
		.tenant = "",
		.over_bound = "",
		.received = run->host->clock->utc(run->host->clock)};
	run->queue_id[0] = '\0';
	run->header_count = 0;
	run->turn = NULL;
	run->in_content = run->in_eom = false;
	run->starved = false;
	run->used = 0;
	run->refusal = run->recipient_refusal = (struct mg_verdict){.action = MG_CONTINUE};
	run->removals = NULL;
	run->removals_end = &run->removals;
}

static void begin_message(struct mg_run *run, const char *const arguments[])
{
	const struct mg_settings *settings;

	clear_message(run);
	take_snapshot(run, true);
	settings = run->snapshot->settings;
	run->open = true;
	run->host->messages++;
	run->host->memory.limit = settings->memory;
	run->arena = mg_arena_new(settings->message_memory, &run->host->memory);
	run->recipient_arena = mg_arena_new(SIZE_MAX, &run->host->memory);
	mg_block_init(&run->block, run->arena);
	if (run->arena == NULL || run->recipient_arena == NULL)
		run->starved = true;
	make_states(run);
	if (!learn_facts(run, arguments))
		run->starved = true;
	mg_run_learn_queue_id(run);
}

/* The answer at MAIL or later that ends the message; local mail is answered as a whole at its end.
 */
void mg_run_conclude(struct mg_run *run, struct mg_verdict *verdict)
{
	static const enum mg_host_metric rows[] = {[MG_CONTINUE] = MG_METRIC_MESSAGES_CONTINUED,
		[MG_ACCEPT] = MG_METRIC_MESSAGES_CONTINUED,
		[MG_REJECT] = MG_METRIC_MESSAGES_REJECTED,
		[MG_TEMPFAIL] = MG_METRIC_MESSAGES_DEFERRED,
		[MG_DISCARD] = MG_METRIC_MESSAGES_DISCARDED};

	if (run->message.local && !run->in_eom) {
		run->refusal = *verdict;
		*verdict = (struct mg_verdict){.action = MG_CONTINUE};
		for (size_t i = 0; i < run->slot_count; i++)
			run->slots[i].done = true;
		return;
	}
	mg_metrics_add(run->host->metrics, rows[verdict->action], 1);
	end_message(run, MG_END_ANSWERED);
}

void mg_run_mail(struct mg_run *run, const char *const arguments[], struct mg_verdict *verdict)
{
	*verdict = (struct mg_verdict){.action = MG_CONTINUE};
	mg_run_abort(run);
	begin_message(run, arguments);
	if (ask(run, MG_STEP_MAIL, call_mail, NULL, verdict))
		mg_run_conclude(run, verdict);
}

/* NULL: over the bound, or no memory, which is noted. */
static struct mg_recipient *add_recipient(struct mg_run *run, const char *const arguments[])
{
	struct mg_recipient *recipient, *grown;
	size_t count = run->message.recipient_count;

	if (count >= run->snapshot->settings->recipients) {
		run->message.over_bound = "bounds.recipients";
		return NULL;
	}
	if (count == run->recipients_size) {
		size_t size = count == 0 ? FIRST_RECIPIENTS : 2 * count;

		grown = realloc(run->recipients, size * sizeof *grown);
		if (grown == NULL) {
			run->starved = true;
			return NULL;
		}
		run->recipients = grown;
		run->recipients_size = size;
		run->message.recipients = grown;
	}
	recipient = &run->recipients[count];
	recipient->accepted = true;
	recipient->address =
		copy_address(run->recipient_arena, arguments[0] != NULL ? arguments[0] : "");
	recipient->esmtp = join_parameters(
		run->recipient_arena, arguments[0] != NULL ? arguments + 1 : arguments);
	if (recipient->address == NULL || recipient->esmtp == NULL) {
		run->starved = true;
		return NULL;
	}
	run->message.recipient_count++;
	return recipient;
}

/* Takes the recipient out at end of message; until then it is answered as if accepted. */
static void remove_at_end(
	struct mg_run *run, const struct mg_recipient *recipient, struct mg_verdict *verdict)
{
	struct mg_edit *edit = mg_arena_alloc(run->recipient_arena, sizeof *edit);

	if (edit != NULL) {
		*edit = (struct mg_edit){
			.kind = MG_DO_DELETE_RECIPIENT, .name = recipient->address};
		*run->removals_end = edit;
		run->removals_end = &edit->next;
	}
	run->starved = run->starved || edit == NULL;
	if (run->recipient_refusal.action == MG_CONTINUE)
		run->recipient_refusal = *verdict;
	*verdict = (struct mg_verdict){.action = MG_CONTINUE};
}

void mg_run_rcpt(struct mg_run *run, const char *const arguments[], struct mg_verdict *verdict)
{
	struct mg_recipient *recipient;

	*verdict = (struct mg_verdict){.action = MG_CONTINUE};
	run->host->last_step = mg_run_monotonic(run);
	if (!run->open || run->starved)
		return;
	mg_run_learn_queue_id(run);
	recipient = add_recipient(run, arguments);
	if (recipient == NULL || run->host->plan.steps[MG_STEP_RCPT] != MG_STEP_ANSWERED ||
		!ask(run, MG_STEP_RCPT, call_rcpt, recipient, verdict))
		return;
	recipient->accepted = false;
	mg_metrics_add(run->host->metrics, MG_METRIC_RECIPIENTS_REFUSED, 1);
	/* The MTA would discard the whole message, and must not refuse a recipient of local mail;
	 * one that is to be tried again must not be lost. */
	if (run->message.local && verdict->action == MG_TEMPFAIL)
		mg_run_conclude(run, verdict);
	else if (run->message.local || verdict->action == MG_DISCARD)
		remove_at_end(run, recipient, verdict);
}

void mg_run_data(struct mg_run *run, struct mg_verdict *verdict)
{
	*verdict = (struct mg_verdict){.action = MG_CONTINUE};
	run->host->last_step = mg_run_monotonic(run);
	if (run->open)
		mg_run_learn_queue_id(run);
}
