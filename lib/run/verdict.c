/* SPDX-License-Identifier: ISC */
/* What an answer of a filter leads to. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "mail/fields.h"
#include "run/session_private.h"

static const char *const step_names[MG_STEP_COUNT] = {
	"connect", "helo", "mail", "rcpt", "data", "header", "eoh", "body"};

enum { STEP_EOM = MG_STEP_COUNT };

/* The default reply of an action, when it has none. */
static void complete(struct mg_verdict *verdict)
{
	if (verdict->reply[0] != '\0')
		return;
	if (verdict->action == MG_REJECT)
		mg_str_copy(verdict->reply, sizeof verdict->reply, "550 5.7.1 Message refused");
	else if (verdict->action == MG_TEMPFAIL)
		mg_str_copy(verdict->reply, sizeof verdict->reply, "451 4.7.1 Try again later");
}

/* Mail that nobody may turn away: a bounce that is refused is tried again without end (local, null
 * sender). */
static bool is_untouchable(const struct mg_run *run)
{
	return run->open && run->message.local && run->message.sender[0] == '\0';
}

/* Writes a filter-error event; ref (9 bytes) gets its REF. A log that cannot be written is the
 * spool's to report. */
static void report(struct mg_run *run, const struct mg_slot *slot, unsigned step, const char *code,
	const char *reason, char *ref)
{
	struct mg_event *event = mg_event_new(slot->configured->events, MG_FILTER_ERROR);

	mg_metrics_add(run->host->metrics, MG_METRIC_FILTER_ERRORS, 1);
	run->message.dry_run = slot->configured->settings.dry_run;
	if (run->open)
		mg_fields_message(event, &run->message);
	else
		mg_fields_session(event, &run->session);
	mg_event_set_text(event, &mg_fields[MG_FIELD_EVENT_CODE], code);
	mg_event_set_text(event, &mg_fields[MG_FIELD_EVENT_REASON], reason);
	mg_event_set_text(event, &mg_fields[MG_FIELD_SMTP_STAGE],
		step == STEP_EOM ? "eom" : step_names[step]);
	if (run->open && run->message.over_bound[0] != '\0')
		mg_event_set_text(event, &mg_fields[MG_FIELD_BOUND], run->message.over_bound);
	mg_str_copy(ref, 9, event != NULL ? mg_event_ref(event) : "00000000");
	(void)mg_events_write(slot->configured->events, event, NULL);
	mg_event_free(event);
}

static void apply_on_error(
	struct mg_run *run, struct mg_slot *slot, unsigned step, struct mg_verdict *verdict)
{
	static const struct {
		enum mg_action action;
		const char *format;
	} ways[] = {
		[MG_ON_ERROR_TEMPFAIL] = {MG_TEMPFAIL,
			"451 4.3.0 Cannot check this message now [on-error %s]"},
		[MG_ON_ERROR_ACCEPT] = {MG_CONTINUE, ""},
		[MG_ON_ERROR_REJECT] = {MG_REJECT,
			"550 5.3.0 Cannot check this message [on-error %s]"},
	};
	enum mg_on_error way = slot->configured->settings.on_error;
	char reason[512];

	mg_str_copy(reason, sizeof reason, verdict->reply[0] != '\0' ? verdict->reply : "unknown");
	/* A failure of the message comes back with each answer: one event. */
	if (slot->failed[0] == '\0' || slot->ref[0] == '\0')
		report(run, slot, step, "on-error", reason, slot->ref);
	/* What one recipient is answered leaves the others, and the message, to be judged. */
	slot->done = way == MG_ON_ERROR_ACCEPT;
	verdict->action = ways[way].action;
	verdict->reply[0] = '\0';
	if (verdict->action != MG_CONTINUE)
		snprintf(verdict->reply, sizeof verdict->reply, ways[way].format, slot->ref);
}

/* Refusals that must not reach the MTA. */
static bool is_void(const struct mg_run *run, const struct mg_slot *slot)
{
	return slot->configured->settings.dry_run || is_untouchable(run);
}

static bool is_refusal(const struct mg_verdict *verdict)
{
	return verdict->action == MG_REJECT || verdict->action == MG_TEMPFAIL ||
	       verdict->action == MG_DISCARD;
}

static bool settle_refusal(struct mg_run *run, struct mg_slot *slot, struct mg_verdict *verdict)
{
	if (verdict->action == MG_ACCEPT)
		slot->done = true;
	if (!is_refusal(verdict))
		return false;
	if (is_void(run, slot)) {
		*verdict = (struct mg_verdict){.action = MG_CONTINUE};
		return false;
	}
	complete(verdict);
	return true;
}

bool mg_verdict_bound(struct mg_run *run, struct mg_slot *slot, struct mg_verdict *verdict)
{
	char reason[128], ref[9];

	snprintf(reason, sizeof reason, "over %s", run->message.over_bound);
	report(run, slot, STEP_EOM, "over-bound", reason, ref);
	*verdict = (struct mg_verdict){.action = MG_CONTINUE};
	switch (slot->configured->settings.on_bound) {
	case MG_ON_BOUND_REJECT:
		verdict->action = MG_REJECT;
		snprintf(verdict->reply, sizeof verdict->reply,
			"552 5.3.4 Message over a limit of this gateway [over-bound %s]", ref);
		break;
	case MG_ON_BOUND_HOLD:
		if (slot->hold[0] == '\0')
			mg_str_copy(slot->hold, sizeof slot->hold, "over-bound");
		break;
	case MG_ON_BOUND_ACCEPT: break;
	}
	return settle_refusal(run, slot, verdict);
}

bool mg_verdict_settle(
	struct mg_run *run, struct mg_slot *slot, unsigned step, struct mg_verdict *verdict)
{
	if (slot->failed[0] != '\0') {
		verdict->action = MG_ERROR;
		mg_str_copy(verdict->reply, sizeof verdict->reply, slot->failed);
	}
	if (verdict->action == MG_DISCARD && !run->open)
		/* Of a session: there is nothing to discard, and Postfix takes no such answer. */
		*verdict = (struct mg_verdict){.action = MG_ERROR, .reply = "discard before MAIL"};
	if (verdict->action == MG_ERROR && step != STEP_EOM && run->open &&
		run->message.over_bound[0] != '\0')
		/* It ran into the message's own bound: on_bound decides at end of message. */
		*verdict = (struct mg_verdict){.action = MG_CONTINUE};
	if (verdict->action == MG_ERROR)
		apply_on_error(run, slot, step, verdict);
	return settle_refusal(run, slot, verdict);
}
