/* SPDX-License-Identifier: ISC */
/* The queue as Postfix has it, against the store: what came and what went while nobody read the log. */
#include <string.h>

#include "track/join_private.h"

static int add_recipient(struct track_call *call, const struct track_message *message,
	const struct track_queued *queued, size_t index)
{
	struct mg_delivery delivery;
	const char *reason = queued->reasons != NULL ? queued->reasons[index] : "";
	char tenant[101];
	int found = track_recipient_find(
		call, message, track_text(queued->recipients[index]), &delivery);

	if (found != 0)
		return found < 0 ? -1 : 0;
	delivery = (struct mg_delivery){.queue_id = message->id,
		.recipient = queued->recipients[index],
		.orig_recipient = "",
		.sender = queued->sender,
		.tenant = track_text_copy(
			message->texts[TRACK_MESSAGE_TENANT], tenant, sizeof(tenant)),
		.trace_id = message->trace_id,
		.state = reason[0] != '\0' ? MG_DELIVERY_WAITING : MG_DELIVERY_ACCEPTED,
		.accepted = message->accepted != 0 ? message->accepted : queued->arrival,
		.attempts = reason[0] != '\0' ? 1 : 0,
		.last = reason[0] != '\0' ? queued->arrival : 0,
		.host = "",
		.dsn = "",
		.reply = reason,
		.reply_command = "",
		.hold_code = ""};
	if (track_message_has(message, TRACK_FACT_HELD))
		delivery.state = MG_DELIVERY_HELD;
	return track_recipient_save(call, &delivery);
}

/* Of a message that is not known, or of which no delivery was seen, Postfix's list is the better one:
 * aliases are expanded in it. Of others the log told all. */
static int add_recipients(
	struct track_call *call, struct track_message *message, const struct track_queued *queued)
{
	if (track_message_any(message, TRACK_FACT_GIVEN | TRACK_FACT_TRIED))
		return 0;
	for (size_t i = 0; queued->recipients != NULL && queued->recipients[i] != NULL; i++)
		if (add_recipient(call, message, queued, i) < 0)
			return -1;
	return 0;
}

int track_join_queued(struct track_join *join, struct mg_store_tx *tx,
	const struct track_queued *queued, struct mg_error *error)
{
	struct track_call call = {.join = join, .tx = tx, .error = error, .utc = queued->arrival};
	struct track_message message;
	bool held = strcmp(queued->queue_name, "hold") == 0;
	int found;

	if (!track_is_queue_id(queued->queue_id, strlen(queued->queue_id)))
		return 0;
	found = track_message_load(&call, track_text(queued->queue_id), &message);
	if (found < 0)
		return -1;
	/* It left the queue since postqueue was asked. */
	if (found == 1 && track_message_has(&message, TRACK_FACT_CLOSED) &&
		queued->arrival <= message.last)
		return 0;
	if (found == 0 || track_message_has(&message, TRACK_FACT_CLOSED)) {
		track_message_begin(&call, &message, TRACK_ORIGIN_UNKNOWN);
		message.texts[TRACK_MESSAGE_FROM] = track_text(queued->sender);
	}
	message.facts |= TRACK_FACT_QUEUED | TRACK_FACT_CONTENT;
	message.facts &= ~(uint32_t)TRACK_FACT_DOUBT;
	if (!held && strcmp(queued->queue_name, "incoming") != 0) {
		message.facts |= TRACK_FACT_ACTIVE;
		if (message.active == 0)
			message.active = queued->arrival;
	}
	if (message.accepted == 0)
		message.accepted = queued->arrival;
	if (held != track_message_has(&message, TRACK_FACT_HELD) &&
		track_refuse_held(&call, &message, held) < 0)
		return -1;
	if (add_recipients(&call, &message, queued) < 0)
		return -1;
	return track_message_save(&call, &message);
}

/* One that the store has open and Postfix did not name. Its last lines may not be read yet: it is
 * doubted first. */
static int doubt(struct track_call *call, struct track_message *message, void *context)
{
	const int64_t *began = context;

	if (track_message_has(message, TRACK_FACT_QUEUED)) {
		message->facts &= ~(uint32_t)TRACK_FACT_QUEUED;
		return track_message_save(call, message);
	}
	if (track_message_any(message, TRACK_FACT_CLOSED | TRACK_FACT_DOUBT | TRACK_FACT_REQUEUED |
					       TRACK_FACT_WAITING) ||
		!track_message_any(message, TRACK_FACT_ACTIVE | TRACK_FACT_HELD) ||
		message->last >= *began)
		return 0;
	message->facts |= TRACK_FACT_DOUBT;
	message->asked = *began;
	return track_message_save(call, message);
}

int track_join_queue_end(
	struct track_join *join, struct mg_store_tx *tx, int64_t began, struct mg_error *error)
{
	struct track_call call = {.join = join, .tx = tx, .error = error, .utc = began};

	return track_message_walk(&call, doubt, &began);
}
