/* SPDX-License-Identifier: ISC */
/* What our filters tell of a message: the recipients that its client gave, and that they saw it. */
#include <string.h>

#include "base/str.h"
#include "track/join_private.h"

enum { SEEN_MAX = 160 };

static bool is_test(const struct mg_reading *event)
{
	size_t count = mg_reading_count(event, "tags");

	for (size_t i = 0; i < count; i++)
		if (strcmp(mg_reading_text_at(event, "tags", i, NULL), "test") == 0)
			return true;
	return false;
}

static bool is_clear(const struct track_call *call, enum mg_privacy privacy)
{
	return mg_events_is_clear(call->join->events, privacy);
}

static void learn(struct track_message *message, enum track_message_text which, const char *text)
{
	if (message->texts[which].length == 0 && text[0] != '\0')
		message->texts[which] = track_text(text);
}

/* The recipients, when the event has them all and in clear: a pseudonym is no address that a line of
 * Postfix could be compared with. */
static int add_recipients(
	struct track_call *call, struct track_message *message, const struct mg_reading *event)
{
	size_t count = mg_reading_count(event, "email.to.address");
	int64_t told = 0;
	bool held = track_message_has(message, TRACK_FACT_HELD);
	char code[64];
	struct mg_delivery delivery = {.queue_id = message->id,
		.sender = mg_reading_text(event, "millgate.smtp.from"),
		.tenant = mg_reading_text(event, "organization.id"),
		.trace_id = message->trace_id,
		.state = held ? MG_DELIVERY_HELD : MG_DELIVERY_ACCEPTED,
		.accepted = call->utc,
		.host = "",
		.dsn = "",
		.reply = "",
		.reply_command = "",
		.hold_code = ""};

	if (count == 0 || !is_clear(call, MG_PRIVACY_RECIPIENTS) ||
		track_message_any(message, TRACK_FACT_TRIED | TRACK_FACT_CLOSED | TRACK_FACT_GIVEN))
		return 0;
	if (held)
		delivery.hold_code = track_text_copy(
			message->texts[TRACK_MESSAGE_HOLD_CODE], code, sizeof(code));
	for (size_t i = 0; i < count; i++) {
		delivery.recipient = mg_reading_text_at(event, "email.to.address", i, NULL);
		delivery.orig_recipient = delivery.recipient;
		if (track_recipient_save(call, &delivery) < 0)
			return -1;
	}
	if (!mg_reading_number(event, "millgate.smtp.recipient_count", &told) ||
		told == (int64_t)count)
		message->facts |= TRACK_FACT_GIVEN;
	return 0;
}

static int on_accepted(
	struct track_call *call, struct track_message *message, const struct mg_reading *event)
{
	message->accepted = call->utc;
	learn(message, TRACK_MESSAGE_MESSAGE_ID, mg_reading_text(event, "email.message_id"));
	if (message->texts[TRACK_MESSAGE_FROM].text == NULL && is_clear(call, MG_PRIVACY_SENDERS) &&
		mg_reading_count(event, "millgate.smtp.from") > 0)
		message->texts[TRACK_MESSAGE_FROM] =
			track_text(mg_reading_text(event, "millgate.smtp.from"));
	return add_recipients(call, message, event);
}

static int on_held(
	struct track_call *call, struct track_message *message, const struct mg_reading *event)
{
	const char *code = mg_reading_text(event, "millgate.hold.code");

	if (mg_reading_bool(event, "millgate.dry_run"))
		return 0;
	message->facts |= TRACK_FACT_HOLD_EVENT;
	message->facts &= ~(uint32_t)TRACK_FACT_HOLD_ASKED;
	learn(message, TRACK_MESSAGE_HOLD_CODE,
		code[0] != '\0' ? code : mg_reading_text(event, "event.code"));
	if (track_message_has(message, TRACK_FACT_HELD) &&
		track_refuse_held(call, message, true) < 0)
		return -1;
	return track_stage_hold_missed(call, message);
}

static int on_discarded(
	struct track_call *call, struct track_message *message, const struct mg_reading *event)
{
	if (mg_reading_bool(event, "millgate.dry_run"))
		return 0;
	message->facts |= TRACK_FACT_DISCARD_EVENT;
	return track_message_has(message, TRACK_FACT_DISCARD_ASKED)
		       ? track_refuse_asked(call, message)
		       : 0;
}

static int on_action(struct track_call *call, struct track_message *message, const char *name,
	const struct mg_reading *event)
{
	static const struct {
		enum mg_event_action action;
		int (*act)(struct track_call *call, struct track_message *message,
			const struct mg_reading *event);
	} acts[] = {
		{MG_MESSAGE_ACCEPTED, on_accepted},
		{MG_MESSAGE_HELD, on_held},
		{MG_MESSAGE_DISCARDED, on_discarded},
	};
	const char *action = mg_reading_text(event, "event.action");

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(action, mg_event_action_name(acts[i].action)) == 0) {
			if (acts[i].action == MG_MESSAGE_HELD)
				message->texts[TRACK_MESSAGE_HOLD_BY] = track_text(name);
			return acts[i].act(call, message, event);
		}
	return 0;
}

int track_join_event(struct track_join *join, struct mg_store_tx *tx, const char *name,
	const struct mg_reading *event, struct mg_error *error)
{
	struct track_call call = {.join = join, .tx = tx, .error = error};
	struct track_text id = track_text(mg_reading_text(event, "email.local_id"));
	struct track_message message;
	char seen[SEEN_MAX];
	int found;

	if (!track_is_queue_id(id.text, id.length) || id.length > TRACK_ID_MAX || is_test(event) ||
		!mg_reading_time(event, "@timestamp", &call.utc))
		return 0;
	found = track_message_load(&call, id, &message);
	/* One that comes long after the lines of its time is of a message that is forgotten. */
	if (found < 0 || (found == 0 && call.utc < join->newest - TRACK_KEEP))
		return found;
	if (found == 0)
		track_message_begin(&call, &message, TRACK_ORIGIN_UNKNOWN);
	if (!track_due_was_seen(&message, name)) {
		char before[SEEN_MAX];

		track_text_copy(message.texts[TRACK_MESSAGE_SEEN], before, sizeof(before));
		if (mg_str_format(seen, sizeof(seen), "%s %s", before, name))
			message.texts[TRACK_MESSAGE_SEEN] = track_text(seen);
	}
	learn(&message, TRACK_MESSAGE_DIRECTION, mg_reading_text(event, "email.direction"));
	learn(&message, TRACK_MESSAGE_TENANT, mg_reading_text(event, "organization.id"));
	if (on_action(&call, &message, name, event) < 0)
		return -1;
	if (track_message_has(&message, TRACK_FACT_WAITING_LOG) &&
		strcmp(name, track_log_name) == 0)
		return track_link_release(&call, &message);
	return track_message_save(&call, &message);
}
