/* SPDX-License-Identifier: ISC */
#include "track/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "track/join_private.h"

enum { PROGRAM_MAX = 100 };

#define UNKNOWN_EVERY (60 * MG_SECOND)

/* What is done with each kind of line; NULL: it tells nothing that is followed. */
static int (*const handlers[TRACK_KIND_COUNT])(struct track_call *call) = {
	[TRACK_CONNECT] = track_on_connect,
	[TRACK_TLS_IN] = track_on_tls_in,
	[TRACK_CLIENT] = track_on_client,
	[TRACK_REFUSAL] = track_on_refusal,
	[TRACK_HOLD] = track_on_hold,
	[TRACK_DISCARD] = track_on_discard,
	[TRACK_AUTH_FAILED] = track_on_auth_failed,
	[TRACK_LOST] = track_on_lost,
	[TRACK_DISCONNECT] = track_on_disconnect,
	[TRACK_MESSAGE_ID] = track_on_message_id,
	[TRACK_PICKUP] = track_on_pickup,
	[TRACK_ACTIVE] = track_on_active,
	[TRACK_DELIVERY] = track_on_delivery,
	[TRACK_EXPIRED] = track_on_expired,
	[TRACK_NOTIFICATION] = track_on_notification,
	[TRACK_NOTIFICATION_FAILED] = track_on_notification,
	[TRACK_REMOVED] = track_on_removed,
	[TRACK_OPERATOR] = track_on_operator,
	[TRACK_TLS_OUT] = track_on_tls_out,
	[TRACK_SCREEN] = track_on_screen,
};

struct track_join *track_join_new(const struct mg_events *events, track_emit *emit, void *context)
{
	struct track_join *join = calloc(1, sizeof(*join));

	if (join == NULL)
		return NULL;
	join->events = events;
	join->emit = emit;
	join->context = context;
	return join;
}

void track_join_free(struct track_join *join)
{
	if (join == NULL)
		return;
	mg_buf_free(&join->key);
	mg_buf_free(&join->value);
	mg_buf_free(&join->scratch);
	mg_buf_free(&join->seed);
	free(join);
}

void track_join_set(
	struct track_join *join, const struct mg_events *events, const struct track_rules *rules)
{
	join->events = events;
	join->rules = rules;
}

/* --- lines that are none of these --- */

static int report_lost(struct track_call *call)
{
	const struct track_record *record = call->record;
	struct mg_event *event = track_report(call, MG_EVENTS_LOST);

	mg_event_set_text_n(event, &mg_fields[MG_FIELD_EVENT_REASON], record->text, record->length);
	if (record->lost != INT64_MAX)
		track_report_number(event, MG_FIELD_LOST_COUNT, record->lost);
	return track_report_send(call, event);
}

static int report_unknown(struct track_call *call, uint64_t unsaid)
{
	struct mg_event *event = track_report(call, MG_LINE_UNKNOWN);
	char reason[100];

	mg_str_format(reason, sizeof(reason), "not understood, and %llu more of this program",
		(unsigned long long)unsaid);
	track_report_word(event, MG_FIELD_EVENT_REASON, unsaid > 0 ? reason : "not understood");
	track_report_line(event, call->line);
	mg_event_set_text_n(
		event, &mg_fields[MG_FIELD_LINE_TEXT], call->record->text, call->record->length);
	return track_report_send(call, event);
}

/* One a minute for a program: a new version may write a thousand a second. */
static int on_unknown(struct track_call *call)
{
	char key[PROGRAM_MAX] = "u";
	struct mg_buf *record = &call->join->value;
	struct mg_store_value value;
	struct track_unpacking from;
	int64_t last = 0;
	uint64_t unsaid = 0;
	bool say;
	int found;

	track_text_copy(call->line->program, key + 1, sizeof(key) - 1);
	found = mg_store_get(call->tx, TRACK_TABLE_SESSIONS, key, strlen(key), &value, call->error);
	if (found < 0)
		return -1;
	if (found == 1) {
		from = (struct track_unpacking){
			value.bytes, (const unsigned char *)value.bytes + value.length, false};
		last = (int64_t)track_unpack_number(&from);
		unsaid = track_unpack_number(&from);
	}
	say = found == 0 || call->utc - last >= UNKNOWN_EVERY || call->utc < last;
	if (say && report_unknown(call, unsaid) < 0)
		return -1;
	mg_buf_reset(record);
	track_pack_number(record, (uint64_t)(say ? call->utc : last));
	track_pack_number(record, say ? 0 : unsaid + 1);
	return mg_store_put(call->tx, TRACK_TABLE_SESSIONS, key, strlen(key), record->data,
		record->length, call->error);
}

/* --- lines that are --- */

const char track_log_name[] = "log";

/* Whether millgate-log is to tell of this message, and has not: deliveries wait for it, a moment, for
 * it tells which recipients there are. */
static bool waits_for_log(const struct track_call *call)
{
	const struct track_message *message = call->message;
	const struct track_rules *rules = call->join->rules;
	size_t index = 0;

	if (!call->known || call->line->kind != TRACK_DELIVERY ||
		message->origin != TRACK_ORIGIN_CLIENT ||
		message->relation != TRACK_RELATION_NONE ||
		track_message_any(message,
			TRACK_FACT_WAITED | TRACK_FACT_FILTERS_CUT | TRACK_FACT_FILTERS_DONE) ||
		track_due_was_seen(message, track_log_name))
		return false;
	while (rules->expect != NULL && rules->expect[index] != NULL &&
		strcmp(rules->expect[index], track_log_name) != 0)
		index++;
	return rules->expect != NULL && rules->expect[index] != NULL &&
	       (rules->expect_since == NULL || rules->expect_since[index] <= call->utc);
}

/* Lines of a message whose parent is not known yet wait for it, but those that may name it. */
static bool waits(const struct track_call *call)
{
	if (call->message == NULL)
		return false;
	if (waits_for_log(call) && !track_message_has(call->message, TRACK_FACT_WAITING)) {
		call->message->facts |= TRACK_FACT_WAITING | TRACK_FACT_WAITING_LOG;
		call->message->asked = call->utc;
	}
	return call->known && track_message_has(call->message, TRACK_FACT_WAITING) &&
	       call->line->kind != TRACK_CLIENT && call->line->kind != TRACK_PICKUP &&
	       call->line->kind != TRACK_MESSAGE_ID;
}

int track_join_dispatch(struct track_call *call)
{
	struct track_message message;
	int found;

	if (handlers[call->line->kind] == NULL)
		return 0;
	if (call->line->queue_id.length > 0 && call->line->queue_id.length <= TRACK_ID_MAX) {
		found = track_message_load(call, call->line->queue_id, &message);
		if (found < 0)
			return -1;
		call->message = &message;
		call->known = found == 1;
	}
	if (waits(call)) {
		found = track_link_wait(call);
		if (found != 0)
			return found < 0 ? -1 : 0;
		if (track_link_release(call, &message) < 0)
			return -1;
	}
	return handlers[call->line->kind](call);
}

int track_join_line(struct track_join *join, struct mg_store_tx *tx,
	const struct track_record *record, enum track_reading reading,
	const struct track_line *line, struct mg_error *error)
{
	struct track_call call = {.join = join,
		.tx = tx,
		.error = error,
		.record = record,
		.line = line,
		.utc = record->utc};

	if (record->utc > join->newest)
		join->newest = record->utc;
	if (record->lost != 0)
		return report_lost(&call);
	if (reading == TRACK_UNKNOWN)
		return on_unknown(&call);
	return reading == TRACK_READ ? track_join_dispatch(&call) : 0;
}
