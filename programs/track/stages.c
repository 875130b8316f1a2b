/* SPDX-License-Identifier: ISC */
/* A queue id on its way through Postfix: cleanup, pickup, the queue manager, the operator. */
#include <string.h>

#include "track/join_private.h"

struct track_message *track_stage_message(struct track_call *call, enum track_origin origin)
{
	struct track_message *message = call->message;

	if (message == NULL || call->known)
		return message;
	track_message_begin(call, message, origin);
	message->texts[TRACK_MESSAGE_INSTANCE] = call->line->instance;
	call->known = true;
	return message;
}

int track_stage_close(struct track_call *call, struct track_message *message, uint32_t facts)
{
	message->facts |= TRACK_FACT_CLOSED | facts;
	message->facts &= ~(uint32_t)(TRACK_FACT_HELD | TRACK_FACT_DOUBT);
	if (track_recipients_drop(call, message) < 0)
		return -1;
	return track_message_save(call, message);
}

int track_stage_unqueued(
	struct track_call *call, struct track_message *message, int64_t utc, const char *reason)
{
	struct mg_event *event =
		track_report_of(call, MG_MESSAGE_UNQUEUED, utc, message->id, "unqueued");

	track_report_message(event, message);
	track_report_word(event, MG_FIELD_EVENT_REASON, reason);
	if (track_recipients_report(call, message, event) < 0) {
		mg_event_free(event);
		return -1;
	}
	if (track_report_send(call, event) < 0)
		return -1;
	return track_stage_close(call, message, 0);
}

int track_stage_vanished(
	struct track_call *call, struct track_message *message, int64_t utc, const char *reason)
{
	struct mg_event *event =
		track_report_of(call, MG_MESSAGE_REMOVED, utc, message->id, "vanished");

	mg_event_set_outcome_unknown(event);
	track_report_message(event, message);
	track_report_word(event, MG_FIELD_BY, "postfix");
	track_report_word(event, MG_FIELD_EVENT_REASON, reason);
	if (track_recipients_report(call, message, event) < 0) {
		mg_event_free(event);
		return -1;
	}
	if (track_report_send(call, event) < 0)
		return -1;
	return track_stage_close(call, message, 0);
}

/* --- cleanup, pickup --- */

/* The first line of a message that Postfix itself makes: its parent is named by another line. */
int track_on_message_id(struct track_call *call)
{
	struct track_message *message = call->message;
	bool known = call->known;

	if (message == NULL)
		return 0;
	track_stage_message(call, TRACK_ORIGIN_INTERNAL);
	if (!known) {
		message->facts |= TRACK_FACT_WAITING;
		message->asked = call->utc;
	}
	message->facts |= TRACK_FACT_CONTENT;
	/* "resent-message-id": the message has its own besides. */
	if (call->line->word.length == 0 || message->texts[TRACK_MESSAGE_MESSAGE_ID].length == 0)
		message->texts[TRACK_MESSAGE_MESSAGE_ID] = call->line->message_id;
	return track_message_save(call, message);
}

/* Of a requeued message: what is open goes on under the new queue id. */
static int move_recipient(
	struct track_call *call, const struct mg_delivery *delivery, void *context)
{
	const struct track_message *child = context;
	struct mg_delivery moved = *delivery;

	if (track_recipient_drop(call, delivery) < 0)
		return -1;
	moved.queue_id = child->id;
	moved.state = moved.attempts > 0 ? MG_DELIVERY_WAITING : MG_DELIVERY_ACCEPTED;
	return track_recipient_save(call, &moved);
}

static int requeue(struct track_call *call, struct track_message *message)
{
	struct track_message parent;
	int found = track_message_load(call, call->line->orig_id, &parent);

	if (found < 0)
		return -1;
	if (found == 0 || strcmp(parent.id, message->id) == 0)
		return track_message_save(call, message);
	track_link_message(&parent, message, TRACK_RELATION_REQUEUE);
	message->accepted = parent.accepted;
	message->facts |= parent.facts & (TRACK_FACT_GIVEN | TRACK_FACT_MATCHED);
	if (track_recipients_each(call, &parent, move_recipient, message) < 0 ||
		track_message_save(call, message) < 0)
		return -1;
	return track_stage_close(call, &parent, TRACK_FACT_REQUEUED);
}

int track_on_pickup(struct track_call *call)
{
	struct track_message *message = track_stage_message(call, TRACK_ORIGIN_PICKUP);

	if (message == NULL)
		return 0;
	message->origin = TRACK_ORIGIN_PICKUP;
	message->facts &= ~(uint32_t)TRACK_FACT_WAITING;
	message->texts[TRACK_MESSAGE_FROM] = call->line->from;
	return call->line->orig_id.length > 0 ? requeue(call, message)
					      : track_message_save(call, message);
}

/* --- the queue manager --- */

int track_stage_hold_missed(struct track_call *call, struct track_message *message)
{
	struct mg_event *event;

	if (!track_message_has(message, TRACK_FACT_HOLD_EVENT | TRACK_FACT_ACTIVE) ||
		track_message_any(message, TRACK_FACT_HOLD_LINE | TRACK_FACT_HOLD_MISSED))
		return 0;
	message->facts |= TRACK_FACT_HOLD_MISSED;
	event = track_report_of(call, MG_HOLD_MISSED, message->active, message->id, "hold");
	track_report_message(event, message);
	track_report_text(event, MG_FIELD_BY, message->texts[TRACK_MESSAGE_HOLD_BY]);
	track_report_text(event, MG_FIELD_HOLD_CODE, message->texts[TRACK_MESSAGE_HOLD_CODE]);
	track_report_word(event, MG_FIELD_EVENT_REASON,
		"a filter held the message, and Postfix did not: see hold and "
		"milter_header_checks");
	return track_report_send(call, event);
}

/* What is to arrive: bounces and notices apart, whose delay is nobody's alert. */
static bool is_mail(const struct track_message *message)
{
	return message->origin != TRACK_ORIGIN_INTERNAL ||
	       message->relation == TRACK_RELATION_FORWARD ||
	       message->relation == TRACK_RELATION_REINJECT ||
	       message->relation == TRACK_RELATION_REQUEUE;
}

int track_on_active(struct track_call *call)
{
	struct track_message *message = track_stage_message(call, TRACK_ORIGIN_UNKNOWN);

	if (message == NULL)
		return 0;
	if (message->active == 0)
		message->active = call->utc;
	message->facts |= TRACK_FACT_ACTIVE | TRACK_FACT_CONTENT;
	message->facts &= ~(uint32_t)(TRACK_FACT_DOUBT | TRACK_FACT_CLOSED);
	message->texts[TRACK_MESSAGE_FROM] = call->line->from;
	message->size = call->line->size;
	message->recipients = call->line->recipients;
	if (message->accepted == 0 && is_mail(message))
		message->accepted = message->created;
	if (track_message_has(message, TRACK_FACT_HELD) &&
		track_refuse_held(call, message, false) < 0)
		return -1;
	if (track_stage_hold_missed(call, message) < 0)
		return -1;
	return track_message_save(call, message);
}

static int count_open(struct track_call *call, const struct mg_delivery *delivery, void *context)
{
	(void)call;
	(void)delivery;
	++*(size_t *)context;
	return 0;
}

/* Recipients that are open when the queue file is gone: a filter took them out, or their lines are
 * lost. Who was given as a pseudonym or under another name is not to be told from them, so nothing is
 * said when no delivery was of one that was given. */
static int close_removed(struct track_call *call, struct track_message *message)
{
	size_t open = 0;

	if (track_recipients_each(call, message, count_open, &open) < 0)
		return -1;
	if (open == 0 || !track_message_has(message, TRACK_FACT_MATCHED))
		return track_stage_close(call, message, 0);
	return track_stage_vanished(call, message, call->utc,
		"removed from the queue; no line tells what became of these recipients");
}

int track_on_removed(struct track_call *call)
{
	struct track_message *message = call->message;

	if (message == NULL || !call->known ||
		track_message_any(message, TRACK_FACT_CLOSED | TRACK_FACT_REQUEUED))
		return 0;
	if (track_text_is(call->line->word, "canceled") &&
		!track_message_any(message,
			TRACK_FACT_REFUSED | TRACK_FACT_DISCARDED | TRACK_FACT_DISCARD_ASKED))
		return track_stage_unqueued(call, message, call->utc, "canceled by cleanup");
	return close_removed(call, message);
}

/* --- postsuper --- */

static int report_operator(
	struct track_call *call, const struct track_message *message, enum mg_event_action action)
{
	struct mg_event *event = track_report(call, action);

	track_report_message(event, message);
	track_report_line(event, call->line);
	track_report_word(event, MG_FIELD_BY, "operator");
	track_report_text(event, MG_FIELD_HOLD_CODE, message->texts[TRACK_MESSAGE_HOLD_CODE]);
	if (track_recipients_report(call, message, event) < 0) {
		mg_event_free(event);
		return -1;
	}
	return track_report_send(call, event);
}

static int operator_held(struct track_call *call, struct track_message *message)
{
	message->texts[TRACK_MESSAGE_HOLD_BY] = track_text("operator");
	message->texts[TRACK_MESSAGE_HOLD_CODE] = track_text(NULL);
	return report_operator(call, message, MG_MESSAGE_HELD) < 0
		       ? -1
		       : track_refuse_held(call, message, true);
}

static int operator_released(struct track_call *call, struct track_message *message)
{
	message->facts |= TRACK_FACT_HOLD_LINE;
	/* How long it was held is no delay. */
	message->accepted = call->utc;
	return report_operator(call, message, MG_MESSAGE_RELEASED) < 0
		       ? -1
		       : track_refuse_held(call, message, false);
}

static int operator_requeued(struct track_call *call, struct track_message *message)
{
	(void)call;
	message->facts |= TRACK_FACT_REQUEUED;
	return 0;
}

static int operator_removed(struct track_call *call, struct track_message *message)
{
	return report_operator(call, message, MG_MESSAGE_REMOVED) < 0
		       ? -1
		       : track_stage_close(call, message, 0);
}

int track_on_operator(struct track_call *call)
{
	static const struct {
		const char *word;
		int (*act)(struct track_call *call, struct track_message *message);
	} acts[] = {
		{"held", operator_held},
		{"released", operator_released},
		{"requeued", operator_requeued},
		{"removed", operator_removed},
	};
	struct track_message *message = track_stage_message(call, TRACK_ORIGIN_UNKNOWN);

	if (message == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (track_text_is(call->line->word, acts[i].word) && acts[i].act(call, message) < 0)
			return -1;
	return track_message_save(call, message);
}
