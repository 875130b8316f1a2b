/* SPDX-License-Identifier: ISC */
/* What comes due: recipients without an end, filters without an event, parents that did not come, and
 * what is forgotten. */
#include <string.h>

#include "track/join_private.h"

enum { LOOKS = 2000 /* messages a call */ };

#define SWEEP (600 * MG_SECOND)

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t after(int64_t time, int64_t span)
{
	return time > INT64_MAX - span ? INT64_MAX : time + span;
}

/* Whether the events of filters are to be looked for: each sees what comes by SMTP into the queue. */
static bool expects_filters(const struct track_join *join, const struct track_message *message)
{
	return join->rules->expect != NULL && join->rules->expect[0] != NULL &&
	       message->origin == TRACK_ORIGIN_CLIENT && message->relation == TRACK_RELATION_NONE &&
	       track_message_has(message, TRACK_FACT_ACTIVE) &&
	       !track_message_any(message, TRACK_FACT_FILTERS_CUT | TRACK_FACT_FILTERS_DONE |
						   TRACK_FACT_PROBE | TRACK_FACT_REFUSED);
}

static bool may_be_overdue(const struct track_join *join, const struct track_message *message)
{
	return join->rules->overdue > 0 && message->accepted != 0 &&
	       !track_message_any(message, TRACK_FACT_CLOSED | TRACK_FACT_OVERDUE |
						   TRACK_FACT_HELD | TRACK_FACT_PROBE |
						   TRACK_FACT_REQUEUED);
}

static int64_t forget_at(const struct track_message *message)
{
	if (track_message_any(message, TRACK_FACT_ACTIVE | TRACK_FACT_HELD))
		return after(message->last, TRACK_FORGET_QUEUED);
	return after(message->last, TRACK_FORGET_UNQUEUED);
}

int64_t track_due_next(
	const struct track_join *join, const struct track_message *message, int64_t now)
{
	int64_t due, first = after(message->created, TRACK_KEEP);

	if (track_message_has(message, TRACK_FACT_WAITING))
		return after(message->asked, TRACK_WAIT);
	due = track_message_has(message, TRACK_FACT_CLOSED) ? after(message->last, TRACK_KEEP)
							    : forget_at(message);
	if (track_message_any(message, TRACK_FACT_HOLD_ASKED | TRACK_FACT_DISCARD_ASKED))
		due = sooner(due, after(message->asked, TRACK_WAIT));
	if (expects_filters(join, message))
		due = sooner(due, after(message->active, join->rules->expect_within));
	if (may_be_overdue(join, message))
		due = sooner(due, after(message->accepted, join->rules->overdue));
	if (track_message_has(message, TRACK_FACT_DOUBT))
		due = sooner(due, after(message->asked, TRACK_KEEP));
	/* Most messages have ended when this comes: their row is put once. */
	return first > now ? sooner(due, first) : due;
}

/* --- filters --- */

bool track_due_was_seen(const struct track_message *message, const char *name)
{
	struct track_text seen = message->texts[TRACK_MESSAGE_SEEN];
	size_t length = strlen(name);

	for (size_t at = 0; at + length < seen.length; at++)
		if (seen.text[at] == ' ' && memcmp(seen.text + at + 1, name, length) == 0 &&
			(at + 1 + length == seen.length || seen.text[at + 1 + length] == ' '))
			return true;
	return false;
}

/* Whether the index-th of the filters expected has no event of the message. */
static bool is_missed(
	const struct track_rules *rules, const struct track_message *message, size_t index)
{
	return (rules->expect_since == NULL || rules->expect_since[index] <= message->active) &&
	       !track_due_was_seen(message, rules->expect[index]);
}

static int miss_filters(struct track_call *call, struct track_message *message)
{
	const struct track_rules *rules = call->join->rules;
	struct mg_event *event;
	size_t missing = 0;

	message->facts |= TRACK_FACT_FILTERS_DONE;
	for (size_t i = 0; rules->expect[i] != NULL; i++)
		missing += is_missed(rules, message, i);
	if (missing == 0)
		return 0;
	event = track_report_of(call, MG_FILTER_MISSED,
		after(message->active, rules->expect_within), message->id, "filters");
	track_report_message(event, message);
	track_report_text(event, MG_FIELD_POSTFIX_INSTANCE, message->texts[TRACK_MESSAGE_INSTANCE]);
	for (size_t i = 0; rules->expect[i] != NULL; i++)
		if (is_missed(rules, message, i))
			track_report_word(event, MG_FIELD_FILTERS_MISSING, rules->expect[i]);
	track_report_word(event, MG_FIELD_EVENT_REASON,
		"the message came into the queue without an event of these filters");
	return track_report_send(call, event);
}

/* --- overdue --- */

static struct mg_event *overdue_event(
	struct track_call *call, const struct track_message *message, const char *recipient)
{
	struct mg_event *event = track_report_of(call, MG_DELIVERY_OVERDUE,
		after(message->accepted, call->join->rules->overdue), message->id, recipient);

	track_report_message(event, message);
	track_report_word(event, MG_FIELD_DELIVERY_STATUS, "overdue");
	mg_event_set_bool(event, &mg_fields[MG_FIELD_DELIVERY_FINAL], false);
	mg_event_set_time(event, &mg_fields[MG_FIELD_EVENT_START], message->accepted);
	return event;
}

static int overdue_recipient(
	struct track_call *call, const struct mg_delivery *delivery, void *context)
{
	struct track_message *message = context;
	struct mg_event *event = overdue_event(call, message, delivery->recipient);

	message->facts |= TRACK_FACT_OVERDUE;
	track_report_word(event, MG_FIELD_EMAIL_TO, delivery->recipient);
	track_report_word(event, MG_FIELD_DELIVERY_RECIPIENT, delivery->recipient);
	if (strcmp(delivery->recipient, delivery->orig_recipient) != 0)
		track_report_word(
			event, MG_FIELD_DELIVERY_ORIG_RECIPIENT, delivery->orig_recipient);
	if (delivery->attempts > 0)
		track_report_number(event, MG_FIELD_DELIVERY_ATTEMPT, delivery->attempts);
	track_report_word(event, MG_FIELD_DESTINATION_ADDRESS, delivery->host);
	track_report_word(event, MG_FIELD_DELIVERY_DSN, delivery->dsn);
	if (delivery->reply_code != 0)
		track_report_number(event, MG_FIELD_DELIVERY_REPLY_CODE, delivery->reply_code);
	track_report_word(event, MG_FIELD_DELIVERY_REPLY_TEXT, delivery->reply);
	track_report_word(event, MG_FIELD_DELIVERY_REPLY_COMMAND, delivery->reply_command);
	return track_report_send(call, event);
}

/* One for each that is open; one for the message when nobody told its recipients. (What is held waits
 * for a human, who knows: it is looked at after its release.) */
static int make_overdue(struct track_call *call, struct track_message *message)
{
	if (track_recipients_each(call, message, overdue_recipient, message) < 0)
		return -1;
	if (track_message_has(message, TRACK_FACT_OVERDUE))
		return 0;
	message->facts |= TRACK_FACT_OVERDUE;
	/* All that were tried have ended: only the line of the removal is missing. */
	if (track_message_has(message, TRACK_FACT_TRIED))
		return 0;
	return track_report_send(call, overdue_event(call, message, ""));
}

/* --- a message that is due --- */

static int forget(struct track_call *call, struct track_message *message)
{
	int64_t at = forget_at(message);

	if (track_message_has(message, TRACK_FACT_PROBE) ||
		(message->origin == TRACK_ORIGIN_UNKNOWN && message->accepted == 0))
		return track_stage_close(call, message, 0);
	if (!track_message_any(message, TRACK_FACT_ACTIVE | TRACK_FACT_HELD))
		return track_stage_unqueued(
			call, message, at, "no line of Postfix puts it into the queue");
	return track_stage_vanished(call, message, at, "nothing was heard of it for 30 days");
}

/* Each row: when it is time for it, and what is done then. */
static int do_due(struct track_call *call, struct track_message *message, int64_t now)
{
	const struct track_join *join = call->join;

	if (track_message_has(message, TRACK_FACT_WAITING) &&
		after(message->created, TRACK_WAIT) <= now && track_link_release(call, message) < 0)
		return -1;
	if (track_message_any(message, TRACK_FACT_HOLD_ASKED | TRACK_FACT_DISCARD_ASKED) &&
		after(message->asked, TRACK_WAIT) <= now && track_refuse_asked(call, message) < 0)
		return -1;
	if (expects_filters(join, message) &&
		after(message->active, join->rules->expect_within) <= now &&
		miss_filters(call, message) < 0)
		return -1;
	if (track_message_has(message, TRACK_FACT_DOUBT) &&
		after(message->asked, TRACK_KEEP) <= now &&
		track_stage_vanished(call, message, message->asked,
			"left the queue while nobody read the log") < 0)
		return -1;
	if (may_be_overdue(join, message) &&
		after(message->accepted, join->rules->overdue) <= now &&
		make_overdue(call, message) < 0)
		return -1;
	if (!track_message_has(message, TRACK_FACT_CLOSED) && forget_at(message) <= now)
		return forget(call, message);
	return 0;
}

static int look(struct track_call *call, struct track_message *message, int64_t now)
{
	struct track_join *join = call->join;

	if (do_due(call, message, now) < 0)
		return -1;
	if (message->id[0] == '\0')
		return 0;
	if (track_message_has(message, TRACK_FACT_CLOSED) && !expects_filters(join, message) &&
		after(message->last, TRACK_KEEP) <= now)
		return track_recipients_drop(call, message) < 0 ? -1
								: track_message_drop(call, message);
	return track_message_save(call, message);
}

/* --- the call --- */

static int sweep(struct track_call *call, int64_t now)
{
	enum { REPLIES = 10000 };
	int64_t keep = call->join->rules->keep_replies;

	if (now - call->join->swept < SWEEP)
		return 0;
	call->join->swept = now;
	if (track_sessions_sweep(call, now) < 0 ||
		mg_delivery_sweep(call->tx, now - keep, REPLIES, call->error) < 0)
		return -1;
	return 0;
}

int track_join_due(struct track_join *join, struct mg_store_tx *tx, int64_t now, int64_t *next,
	struct mg_error *error)
{
	struct track_call call = {.join = join, .tx = tx, .error = error, .utc = now};
	int64_t first;

	if (track_message_walk_due(&call, now, LOOKS, look) < 0 || sweep(&call, now) < 0 ||
		track_message_first_due(&call, &first) < 0)
		return -1;
	*next = sooner(first, join->swept + SWEEP);
	return 0;
}
