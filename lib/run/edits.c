/* SPDX-License-Identifier: ISC */
/* The functions of mail/filter.h that a filter calls: memory, edits, hold. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "mail/header.h"
#include "run/session_private.h"

enum { HOLD_CODE_MAX = 60, BODY_CHUNK = 65535 };

static struct mg_slot *slot_of(struct mg_call *call)
{
	return (struct mg_slot *)call;
}

void mg_run_no_memory(struct mg_run *run, size_t bytes)
{
	if (run->arena != NULL && mg_arena_at_limit(run->arena, bytes)) {
		run->message.over_bound = "bounds.message_memory";
		run->at_bound = true;
	} else {
		run->starved = true;
	}
}

void *mg_alloc(struct mg_call *call, size_t bytes)
{
	struct mg_run *run = call->run;
	void *memory = run->arena != NULL ? mg_arena_alloc(run->arena, bytes) : NULL;

	if (memory == NULL && run->open)
		mg_run_no_memory(run, bytes);
	return memory;
}

char *mg_copy(struct mg_call *call, const char *text, size_t length)
{
	char *copy = length < SIZE_MAX ? mg_alloc(call, length + 1) : NULL;

	if (copy != NULL && length > 0)
		memcpy(copy, text, length);
	return copy;
}

void mg_fail(struct mg_call *call, const char *reason)
{
	struct mg_slot *slot = slot_of(call);

	if (slot->failed[0] != '\0')
		return;
	slot->failed_early = !call->run->in_content;
	mg_str_copy(slot->failed, sizeof slot->failed, reason[0] != '\0' ? reason : "unknown");
}

void mg_skip_body(struct mg_call *call)
{
	slot_of(call)->skips_body = true;
}

const struct mg_header *mg_headers(struct mg_call *call, size_t *count)
{
	return mg_block_view(&call->run->block, count);
}

void mg_edits_turn(struct mg_run *run, struct mg_slot *slot)
{
	mg_block_turn(&run->block);
	run->block_bytes = mg_block_bytes(&run->block);
	run->turn = slot;
	slot->edits = NULL;
	slot->edits_end = &slot->edits;
	slot->read = NULL;
}

void mg_edits_drop(struct mg_run *run, struct mg_slot *slot)
{
	mg_block_undo(&run->block);
	slot->edits = NULL;
	slot->edits_end = &slot->edits;
	slot->read = NULL;
}

/* May this filter make such an edit now? */
static bool may_edit(const struct mg_slot *slot, unsigned edit)
{
	return slot->call.run->turn == slot && (slot->configured->filter->edits & edit) != 0;
}

static int add_edit(struct mg_call *call, const struct mg_edit *edit)
{
	struct mg_slot *slot = slot_of(call);
	struct mg_edit *copy = mg_alloc(call, sizeof *copy);

	if (copy == NULL)
		return -1;
	*copy = *edit;
	*slot->edits_end = copy;
	slot->edits_end = &copy->next;
	return 0;
}

/* Is value free of what would end the field: line ends but folds (RFC 5322 section 2.2.3). */
static bool value_is_whole(const char *value)
{
	for (const char *at = value; *at != '\0'; at++) {
		if (*at == '\r' && at[1] != '\n')
			return false;
		if (*at == '\n' && at[1] != ' ' && at[1] != '\t')
			return false;
	}
	return true;
}

/* A copy of value whose folds are `fold`. */
static char *with_folds(struct mg_call *call, const char *value, const char *fold)
{
	size_t folds = 0;
	char *copy, *to;

	for (const char *at = value; *at != '\0'; at++)
		folds += *at == '\n';
	copy = to = mg_alloc(call, strlen(value) + folds * strlen(fold) + 1);
	if (copy == NULL)
		return NULL;
	for (const char *at = value; *at != '\0'; at++) {
		if (*at == '\n')
			to = stpcpy(to, fold);
		else if (*at != '\r')
			*to++ = *at;
	}
	*to = '\0';
	return copy;
}

int mg_insert_header(struct mg_call *call, unsigned position, const char *name, const char *value)
{
	struct mg_edit edit = {.kind = MG_DO_INSERT_HEADER, .number = position};
	struct mg_header header = {.name_length = strlen(name)};

	if (!may_edit(slot_of(call), MG_EDIT_ADD) || !mg_header_name_valid(name, strlen(name)) ||
		!value_is_whole(value))
		return -1;
	edit.name = header.name = mg_copy(call, name, header.name_length);
	edit.value = with_folds(call, value, "\n");
	header.value = with_folds(call, value, "\r\n");
	if (edit.name == NULL || edit.value == NULL || header.value == NULL)
		return -1;
	header.value_length = strlen(header.value);
	if (call->run->host->plan.headers &&
		!mg_block_insert(&call->run->block, position, &header)) {
		mg_run_no_memory(call->run, call->run->block.refused);
		return -1;
	}
	return add_edit(call, &edit);
}

int mg_change_header(struct mg_call *call, const char *name, unsigned occurrence, const char *value)
{
	struct mg_edit edit = {.kind = MG_DO_CHANGE_HEADER};
	const char *block_value = NULL;

	if (!may_edit(slot_of(call), MG_EDIT_CHANGE) || !mg_header_name_valid(name, strlen(name)) ||
		(value != NULL && !value_is_whole(value)))
		return -1;
	edit.name = mg_copy(call, name, strlen(name));
	if (edit.name == NULL)
		return -1;
	if (value != NULL) {
		edit.value = with_folds(call, value, "\n");
		block_value = with_folds(call, value, "\r\n");
		if (edit.value == NULL || block_value == NULL)
			return -1;
	}
	edit.number = mg_block_change(&call->run->block, name, occurrence, block_value);
	return edit.number == 0 ? -1 : add_edit(call, &edit);
}

/* An edit of the envelope: an address without line ends. */
static int edit_address(
	struct mg_call *call, unsigned needed, enum mg_edit_kind kind, const char *address)
{
	struct mg_edit edit = {.kind = kind};

	if (!may_edit(slot_of(call), needed) || address[strcspn(address, "\r\n<>")] != '\0')
		return -1;
	edit.name = mg_copy(call, address, strlen(address));
	return edit.name == NULL ? -1 : add_edit(call, &edit);
}

int mg_add_recipient(struct mg_call *call, const char *address)
{
	return edit_address(call, MG_EDIT_RCPT, MG_DO_ADD_RECIPIENT, address);
}

int mg_delete_recipient(struct mg_call *call, const char *address)
{
	return edit_address(call, MG_EDIT_RCPT, MG_DO_DELETE_RECIPIENT, address);
}

int mg_change_sender(struct mg_call *call, const char *address)
{
	return edit_address(call, MG_EDIT_SENDER, MG_DO_CHANGE_SENDER, address);
}

int mg_hold(struct mg_call *call, const char *code)
{
	struct mg_slot *slot = slot_of(call);
	size_t length = strlen(code);

	if (!call->run->open || (slot->configured->filter->edits & MG_EDIT_HOLD) == 0 ||
		length == 0 || length > HOLD_CODE_MAX ||
		strspn(code, "-abcdefghijklmnopqrstuvwxyz0123456789") != length)
		return -1;
	if (slot->hold[0] != '\0')
		return 0;
	slot->held_early = !call->run->in_content;
	mg_str_copy(slot->hold, sizeof slot->hold, code);
	return 0;
}

int mg_replace_body(
	struct mg_call *call, long (*read)(void *source, unsigned char *, size_t), void *source)
{
	struct mg_slot *slot = slot_of(call);

	if (!may_edit(slot, MG_EDIT_BODY))
		return -1;
	slot->read = read;
	slot->source = source;
	return 0;
}

/* Ends each line with CRLF, as Postfix does with what it is told: a bare LF is a line end. `last` is
 * the byte before. Returns the length of to, twice that of from at most. */
static size_t end_lines(
	unsigned char *to, const unsigned char *from, size_t length, unsigned char *last)
{
	size_t made = 0;

	for (size_t i = 0; i < length; i++) {
		if (from[i] == '\n' && *last != '\r')
			to[made++] = '\r';
		*last = to[made++] = from[i];
	}
	return made;
}

/* Gives a piece of the new body to the MTA and to the filters after slot. */
static int give_body(
	struct mg_run *run, struct mg_slot *slot, const unsigned char *chunk, size_t length)
{
	if (run->front->replace_body(run->context, chunk, length) != 0)
		return -1;
	mg_content_body(run, slot + 1, chunk, length);
	return 0;
}

static int send_body(struct mg_run *run, struct mg_slot *slot)
{
	static const unsigned char line_end[] = "\r\n";
	unsigned char read[BODY_CHUNK / 2], chunk[BODY_CHUNK], last = '\n';
	bool told = false;
	long length;

	mg_content_renew(run, slot + 1);
	while ((length = slot->read(slot->source, read, sizeof read)) > 0) {
		size_t made = end_lines(chunk, read, (size_t)length, &last);

		if (give_body(run, slot, chunk, made) != 0)
			return -1;
		told = true;
	}
	if (length < 0)
		return -1;
	if (last == '\n')
		/* An empty body is told, too. */
		return told ? 0 : give_body(run, slot, line_end, 0);
	return last == '\r' ? give_body(run, slot, line_end + 1, 1)
			    : give_body(run, slot, line_end, 2);
}

static int carry_out_one(const struct mg_run *run, const struct mg_edit *edit)
{
	switch (edit->kind) {
	case MG_DO_INSERT_HEADER:
		return run->front->insert_header(
			run->context, edit->number, edit->name, edit->value);
	case MG_DO_CHANGE_HEADER:
		return run->front->change_header(
			run->context, edit->number, edit->name, edit->value);
	case MG_DO_ADD_RECIPIENT: return run->front->add_recipient(run->context, edit->name);
	case MG_DO_DELETE_RECIPIENT: return run->front->delete_recipient(run->context, edit->name);
	case MG_DO_CHANGE_SENDER: return run->front->change_sender(run->context, edit->name);
	}
	return -1;
}

/* The field that hold.regexp in milter_header_checks turns into a hold; filters after this one,
 * here or behind, see it. Without memory for that the message is held all the same. */
static int hold_by_header(struct mg_run *run, struct mg_slot *slot)
{
	struct mg_header header = {
		.name = "X-Millgate-Hold", .name_length = 15, .value = slot->hold_value};

	snprintf(slot->hold_value, sizeof slot->hold_value, " %s", slot->hold);
	header.value_length = strlen(header.value);
	if (run->host->plan.headers)
		(void)mg_block_insert(&run->block, 1, &header);
	return run->front->insert_header(run->context, 1, header.name, header.value);
}

int mg_edits_carry_out(struct mg_run *run, struct mg_slot *slot)
{
	for (const struct mg_edit *edit = slot->edits; edit != NULL; edit = edit->next)
		if (carry_out_one(run, edit) != 0)
			return -1;
	if (slot->hold[0] != '\0' && slot->configured->settings.hold == MG_HOLD_HEADER &&
		hold_by_header(run, slot) != 0)
		return -1;
	run->message.header_bytes += mg_block_bytes(&run->block) - run->block_bytes;
	return slot->read != NULL ? send_body(run, slot) : 0;
}
