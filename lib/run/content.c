/* SPDX-License-Identifier: ISC */
/* The content of a message and its end: header, body, and the filters' turns. */
#include <string.h>

#include "run/session_private.h"

/* A copy with folds as CRLF, whatever they came as. */
static char *copy_value(struct mg_run *run, const char *value, size_t *length)
{
	size_t folds = 0;
	char *copy, *to;

	for (const char *at = value; (at = strchr(at, '\n')) != NULL; at++)
		folds += at == value || at[-1] != '\r';
	*length = strlen(value) + folds;
	copy = to = mg_arena_alloc(run->arena, *length + 1);
	if (copy == NULL)
		return NULL;
	for (const char *at = value; *at != '\0'; at++) {
		if (*at == '\n' && (at == value || at[-1] != '\r'))
			*to++ = '\r';
		*to++ = *at;
	}
	return copy;
}

static bool read_header(
	struct mg_run *run, const char *name, const char *value, struct mg_header *header)
{
	char *name_copy;

	if (run->message.over_bound[0] != '\0' || run->starved)
		return false;
	if (++run->header_count > run->snapshot->settings->headers) {
		run->message.over_bound = "bounds.headers";
		return false;
	}
	header->name_length = strlen(name);
	header->name = name_copy = mg_arena_copy(run->arena, name, header->name_length);
	header->value = name_copy != NULL ? copy_value(run, value, &header->value_length) : NULL;
	if (name_copy == NULL)
		mg_run_no_memory(run, header->name_length + 1);
	else if (header->value == NULL)
		mg_run_no_memory(run, header->value_length + 1);
	else if (run->host->plan.headers && !mg_block_append(&run->block, header))
		mg_run_no_memory(run, run->block.refused);
	else
		return true;
	return false;
}

/* --- the content for `first` and the filters after it --- */

static void give_header(struct mg_run *run, struct mg_slot *first, const struct mg_header *header)
{
	for (struct mg_slot *slot = first; slot < run->slots + run->slot_count; slot++) {
		int64_t began;

		if (slot->done || slot->configured->filter->header == NULL ||
			!mg_run_enter(run, slot, &began))
			continue;
		slot->configured->filter->header(&slot->call, header);
		mg_run_leave(run, began);
	}
}

static void give_eoh(struct mg_run *run, struct mg_slot *first)
{
	for (struct mg_slot *slot = first; slot < run->slots + run->slot_count; slot++) {
		int64_t began;

		if (slot->done || slot->configured->filter->eoh == NULL ||
			!mg_run_enter(run, slot, &began))
			continue;
		slot->configured->filter->eoh(&slot->call);
		mg_run_leave(run, began);
	}
}

/* false: none of them wants more of the body. */
static bool give_body(
	struct mg_run *run, struct mg_slot *first, const unsigned char *chunk, size_t length)
{
	bool wanted = false;

	run->message.body_bytes += length;
	for (struct mg_slot *slot = first; slot < run->slots + run->slot_count; slot++) {
		int64_t began;

		if (slot->done || slot->skips_body || slot->configured->filter->body == NULL ||
			!mg_run_enter(run, slot, &began))
			continue;
		if (length > 0)
			slot->configured->filter->body(&slot->call, chunk, length);
		mg_run_leave(run, began);
		wanted = wanted || !slot->skips_body;
	}
	return wanted;
}

/* --- the content --- */

void mg_run_header(struct mg_run *run, const char *name, const char *value)
{
	struct mg_header header = {0};

	run->host->last_step = mg_run_monotonic(run);
	if (!run->open)
		return;
	run->in_content = true;
	run->message.header_bytes += strlen(name) + 1 + strlen(value) + 2;
	if (!read_header(run, name, value, &header))
		return;
	run->message.header_bytes += header.value_length - strlen(value);
	give_header(run, run->slots, &header);
}

void mg_run_eoh(struct mg_run *run)
{
	run->host->last_step = mg_run_monotonic(run);
	if (!run->open)
		return;
	run->in_content = true;
	mg_run_learn_queue_id(run);
	give_eoh(run, run->slots);
}

bool mg_run_body(struct mg_run *run, const unsigned char *chunk, size_t length)
{
	run->host->last_step = mg_run_monotonic(run);
	if (!run->open)
		return false;
	run->in_content = true;
	return give_body(run, run->slots, chunk, length);
}

/* --- the content again --- */

void mg_content_renew(struct mg_run *run, struct mg_slot *first)
{
	const struct mg_header *headers;
	size_t count;

	run->message.body_bytes = 0;
	for (struct mg_slot *slot = first; slot < run->slots + run->slot_count; slot++) {
		int64_t began;

		if (!slot->failed_early)
			slot->failed[0] = slot->ref[0] = '\0';
		if (!slot->held_early)
			slot->hold[0] = '\0';
		slot->skips_body = false;
		if (slot->done || slot->configured->filter->renew == NULL ||
			!mg_run_enter(run, slot, &began))
			continue;
		slot->configured->filter->renew(&slot->call);
		mg_run_leave(run, began);
	}
	headers = mg_block_view(&run->block, &count);
	for (size_t i = 0; i < count; i++)
		give_header(run, first, &headers[i]);
	give_eoh(run, first);
}

void mg_content_body(
	struct mg_run *run, struct mg_slot *first, const unsigned char *chunk, size_t length)
{
	(void)give_body(run, first, chunk, length);
}

/* --- the end of message --- */

/* Asks a filter at the end. What it could not judge for lack of memory within the message's own
 * bound is for on_bound to decide, if that has not let the message pass already. */
static bool ask_at_end(struct mg_run *run, struct mg_slot *slot, struct mg_verdict *verdict)
{
	bool over_bound = run->message.over_bound[0] != '\0', failed;
	int64_t began;

	run->at_bound = false;
	if (mg_run_enter(run, slot, &began) && slot->configured->filter->eom != NULL)
		slot->configured->filter->eom(&slot->call, verdict);
	mg_run_leave(run, began);
	failed = verdict->action == MG_ERROR || slot->failed[0] != '\0';
	if (failed || (verdict->action != MG_CONTINUE && verdict->action != MG_ACCEPT))
		mg_edits_drop(run, slot);
	if (!failed || !run->at_bound)
		return mg_verdict_settle(run, slot, MG_STEP_COUNT, verdict);
	*verdict = (struct mg_verdict){.action = MG_CONTINUE};
	return !over_bound && mg_verdict_bound(run, slot, verdict);
}

/* A filter's turn; true when the message is refused by it. */
static bool take_turn(struct mg_run *run, struct mg_slot *slot, struct mg_verdict *verdict)
{
	*verdict = (struct mg_verdict){.action = MG_CONTINUE};
	mg_edits_turn(run, slot);
	if (run->message.over_bound[0] != '\0') {
		if (mg_verdict_bound(run, slot, verdict))
			return true;
		slot->failed[0] = '\0';
	}
	if (!slot->done && ask_at_end(run, slot, verdict))
		return true;
	if (slot->configured->settings.dry_run) {
		mg_edits_drop(run, slot);
		return false;
	}
	if (mg_edits_carry_out(run, slot) == 0)
		return false;
	*verdict = (struct mg_verdict){.action = MG_ERROR, .reply = "an edit could not be made"};
	if (!mg_verdict_settle(run, slot, MG_STEP_COUNT, verdict))
		/* The MTA may have half of them. */
		*verdict = (struct mg_verdict){
			.action = MG_TEMPFAIL, .reply = "451 4.3.0 An edit could not be made"};
	return true;
}

/* Recipients that the MTA was not told of are taken out; when none is left the message gets their
 * answer. */
static bool remove_recipients(struct mg_run *run, struct mg_verdict *verdict)
{
	size_t left = 0;

	if (run->recipient_refusal.action == MG_CONTINUE)
		return false;
	for (size_t i = 0; i < run->message.recipient_count; i++)
		left += run->recipients[i].accepted;
	if (left == 0) {
		*verdict = run->recipient_refusal;
		return true;
	}
	for (const struct mg_edit *edit = run->removals; edit != NULL; edit = edit->next) {
		if (run->front->delete_recipient(run->context, edit->name) == 0)
			continue;
		*verdict = (struct mg_verdict){.action = MG_TEMPFAIL,
			.reply = "451 4.3.0 A recipient could not be removed"};
		return true;
	}
	return false;
}

/* Holds that are made by quarantine: the last thing told, for no later filter sees the message. */
static bool quarantine(struct mg_run *run, struct mg_verdict *verdict)
{
	bool counted = false;

	for (size_t i = 0; i < run->slot_count; i++) {
		const struct mg_slot *slot = &run->slots[i];

		if (slot->hold[0] == '\0' || slot->configured->settings.dry_run)
			continue;
		if (!counted)
			mg_metrics_add(run->host->metrics, MG_METRIC_MESSAGES_HELD, 1);
		counted = true;
		if (slot->configured->settings.hold != MG_HOLD_QUARANTINE)
			continue;
		if (run->front->quarantine(run->context, slot->hold) == 0)
			return false;
		*verdict = (struct mg_verdict){
			.action = MG_TEMPFAIL, .reply = "451 4.3.0 The message could not be held"};
		return true;
	}
	return false;
}

static bool judge_message(struct mg_run *run, struct mg_verdict *verdict)
{
	if (run->refusal.action != MG_CONTINUE) {
		*verdict = run->refusal;
		return true;
	}
	for (size_t i = 0; i < run->slot_count; i++)
		if (take_turn(run, &run->slots[i], verdict))
			return true;
	run->turn = NULL;
	return remove_recipients(run, verdict) || quarantine(run, verdict);
}

void mg_run_eom(struct mg_run *run, struct mg_verdict *verdict)
{
	*verdict = (struct mg_verdict){.action = MG_CONTINUE};
	run->host->last_step = mg_run_monotonic(run);
	if (!run->open || (run->message.recipient_count == 0 && !run->starved)) {
		/* The end of a message that never began, or goes to nobody: a broken peer. */
		mg_run_abort(run);
		*verdict =
			(struct mg_verdict){.action = MG_TEMPFAIL, .reply = "451 4.3.0 No message"};
		return;
	}
	mg_run_learn_queue_id(run);
	run->in_content = run->in_eom = true;
	if (!judge_message(run, verdict))
		*verdict = (struct mg_verdict){.action = MG_CONTINUE};
	mg_run_conclude(run, verdict);
}
