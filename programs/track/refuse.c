/* SPDX-License-Identifier: ISC */
/* What Postfix or a milter did not let pass: refusals, holds, discards. What a filter of ours did has
 * its own event, with more in it: none is made here then. */
#include <ctype.h>
#include <string.h>

#include "track/join_private.h"

enum { REF_DIGITS = 8, CODE_MAX = 60 };

static const struct {
	const char *word, *name;
} stages[] = {
	{"CONNECT", "connect"},
	{"HELO", "helo"},
	{"EHLO", "helo"},
	{"MAIL", "mail"},
	{"RCPT", "rcpt"},
	{"DATA", "data"},
	{"BDAT", "data"},
	{"END-OF-MESSAGE", "eom"},
	{"STARTTLS", "starttls"},
	{"AUTH", "auth"},
	{"QUIT", "quit"},
	{"RSET", "rset"},
	{"NOOP", "noop"},
	{"VRFY", "vrfy"},
	{"ETRN", "etrn"},
	{"UNKNOWN", "unknown"},
	{"header", "eom"},
	{"body", "eom"},
};

const char *track_stage_name(struct track_text stage)
{
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		size_t length = strlen(stages[i].word);

		/* "DATA (24 bytes)" */
		if (track_text_starts(stage, stages[i].word) &&
			(stage.length == length || stage.text[length] == ' '))
			return stages[i].name;
	}
	return "";
}

/* Whether a reply ends in "[CODE REF]", as those of our filters do. */
static bool has_ref(struct track_text reply)
{
	size_t at = reply.length, digits = 0, code = 0;

	if (at == 0 || reply.text[--at] != ']')
		return false;
	for (; at > 0 && strchr("0123456789abcdef", reply.text[at - 1]) != NULL &&
		reply.text[at - 1] != '\0';
		at--)
		digits++;
	if (digits != REF_DIGITS || at == 0 || reply.text[--at] != ' ')
		return false;
	for (; at > 0 &&
		(islower((unsigned char)reply.text[at - 1]) ||
			isdigit((unsigned char)reply.text[at - 1]) || reply.text[at - 1] == '-');
		at--)
		code++;
	return code > 0 && code <= CODE_MAX && at > 0 && reply.text[at - 1] == '[';
}

static bool by_milter(const struct track_line *line)
{
	return track_text_starts(line->word, "milter-");
}

/* Whether the line is about the message, not one recipient or command of it: it ends it. */
static bool is_whole(const struct track_line *line)
{
	return track_text_is(line->program, "cleanup") ||
	       track_text_starts(line->stage, "END-OF-MESSAGE");
}

static bool is_temporary(const struct track_line *line)
{
	return line->reply_code != 0 ? line->reply_code / 100 == 4
				     : track_text_starts(line->dsn, "4");
}

/* What a line about a transaction tells, message and session apart. */
static void report_transaction(struct mg_event *event, const struct track_line *line)
{
	track_report_line(event, line);
	track_report_word(event, MG_FIELD_BY, by_milter(line) ? "milter" : "postfix");
	track_report_word(event, MG_FIELD_SMTP_STAGE, track_stage_name(line->stage));
	track_report_sender(event, line->from);
}

static void report_reply(struct mg_event *event, const struct track_line *line)
{
	if (line->reply_code != 0)
		track_report_number(event, MG_FIELD_REPLY_CODE, line->reply_code);
	track_report_text(event, MG_FIELD_REPLY_ENHANCED, line->dsn);
	track_report_text(event, MG_FIELD_REPLY_TEXT, line->text);
}

/* The client of a line: its session's, or the message's. */
struct origin {
	struct track_session session;
	const struct track_client *client;
	bool has_session;
};

static int find_origin(struct track_call *call, struct origin *origin)
{
	static const struct track_client nobody;
	int found = 0;

	origin->has_session = false;
	origin->client = call->known ? &call->message->client : &nobody;
	if (track_text_is(call->line->program, "smtpd")) {
		found = track_session_load(call, &origin->session);
		origin->has_session = found >= 0;
	} else if (call->known) {
		found = track_session_of_message(call, call->message, &origin->session);
		origin->has_session = found == 1;
	}
	if (origin->has_session)
		origin->client = &origin->session.client;
	return found < 0 ? -1 : 0;
}

static int report_refusal(struct track_call *call, const struct track_client *client)
{
	const struct track_line *line = call->line;
	struct mg_event *event =
		track_report(call, is_temporary(line) ? MG_MESSAGE_DEFERRED : MG_MESSAGE_REJECTED);
	struct track_client told = *client;
	bool recipients = call->known && is_whole(line);

	track_client_learn(&told, line);
	track_report_word(event, MG_FIELD_NETWORK_PROTOCOL, "smtp");
	if (call->known)
		track_report_message(event, call->message);
	if (told.texts[TRACK_CLIENT_ADDRESS].length > 0)
		track_report_client(event, &told);
	report_transaction(event, line);
	report_reply(event, line);
	/* Of a whole message the line names the last recipient alone. */
	if (recipients && track_recipients_report(call, call->message, event) < 0) {
		mg_event_free(event);
		return -1;
	}
	if (!recipients || !track_message_has(call->message, TRACK_FACT_GIVEN))
		track_report_text(event, MG_FIELD_EMAIL_TO, line->to);
	return track_report_send(call, event);
}

int track_on_refusal(struct track_call *call)
{
	const struct track_line *line = call->line;
	struct origin origin;

	if (find_origin(call, &origin) < 0)
		return -1;
	if (origin.has_session) {
		origin.session.refusals++;
		if (track_session_save(call, &origin.session) < 0)
			return -1;
	}
	if (!(by_milter(line) && has_ref(line->text)) && report_refusal(call, origin.client) < 0)
		return -1;
	if (call->known && is_whole(line))
		return track_stage_close(call, call->message, TRACK_FACT_REFUSED);
	return 0;
}

int track_on_screen(struct track_call *call)
{
	static const struct track_client nobody;
	struct track_text word = call->line->word;

	if (!track_text_is(word, "reject") && !track_text_is(word, "NOQUEUE: reject"))
		return 0;
	return report_refusal(call, &nobody);
}

/* --- holds --- */

static int hold_recipient(
	struct track_call *call, const struct mg_delivery *delivery, void *context)
{
	const struct track_message *message = context;
	struct mg_delivery changed = *delivery;
	char code[64];

	if (track_message_has(message, TRACK_FACT_HELD)) {
		changed.state = MG_DELIVERY_HELD;
		changed.hold_code = track_text_copy(
			message->texts[TRACK_MESSAGE_HOLD_CODE], code, sizeof(code));
	} else {
		changed.state = changed.attempts > 0 ? MG_DELIVERY_WAITING : MG_DELIVERY_ACCEPTED;
		changed.hold_code = "";
	}
	return track_recipient_save(call, &changed);
}

int track_refuse_held(struct track_call *call, struct track_message *message, bool held)
{
	if (held)
		message->facts |= TRACK_FACT_HELD | TRACK_FACT_HOLD_LINE;
	else
		message->facts &= ~(uint32_t)TRACK_FACT_HELD;
	return track_recipients_each(call, message, hold_recipient, message);
}

/* "millgate CODE": the text of hold.regexp, and that of a quarantine (Postfix 3.10). */
static struct track_text code_of(struct track_text text)
{
	static const char prefix[] = "millgate ";
	struct track_text code = {NULL, 0};

	if (!track_text_starts(text, prefix))
		return code;
	code.text = text.text + strlen(prefix);
	while (code.length < text.length - strlen(prefix) && code.length < CODE_MAX &&
		strchr("-0123456789abcdefghijklmnopqrstuvwxyz", code.text[code.length]) != NULL &&
		code.text[code.length] != '\0')
		code.length++;
	return code;
}

static int report_hold(struct track_call *call, const struct track_message *message)
{
	struct mg_event *event = track_report(call, MG_MESSAGE_HELD);

	track_report_message(event, message);
	report_transaction(event, call->line);
	track_report_reason(call, event, call->line->text);
	if (track_recipients_report(call, message, event) < 0) {
		mg_event_free(event);
		return -1;
	}
	return track_report_send(call, event);
}

/* An action that Postfix took by itself, or for a milter: then a filter of ours may have told. */
static bool is_told(const struct track_call *call, uint32_t by_event)
{
	return by_milter(call->line) && track_message_has(call->message, by_event);
}

int track_on_hold(struct track_call *call)
{
	const struct track_line *line = call->line;
	struct track_message *message;
	struct origin origin;

	if (call->message == NULL) {
		/* No queue id yet; what is said before MAIL is forgotten with the next command. */
		if (!track_text_is(line->stage, "MAIL") && !track_text_is(line->stage, "RCPT"))
			return 0;
		if (find_origin(call, &origin) < 0)
			return -1;
		if (!origin.has_session)
			return 0;
		origin.session.facts |= TRACK_SESSION_HOLD;
		return track_session_save(call, &origin.session);
	}
	message = track_stage_message(call, TRACK_ORIGIN_UNKNOWN);
	if (track_text_is(line->word, "milter-hold"))
		message->facts |= TRACK_FACT_FILTERS_CUT;
	if (message->texts[TRACK_MESSAGE_HOLD_CODE].length == 0)
		message->texts[TRACK_MESSAGE_HOLD_CODE] = code_of(line->text);
	if (!by_milter(line) && report_hold(call, message) < 0)
		return -1;
	if (by_milter(line) && !is_told(call, TRACK_FACT_HOLD_EVENT)) {
		message->facts |= TRACK_FACT_HOLD_ASKED;
		message->asked = call->utc;
	}
	if (track_refuse_held(call, message, true) < 0)
		return -1;
	return track_message_save(call, message);
}

/* --- discards --- */

int track_on_discard(struct track_call *call)
{
	const struct track_line *line = call->line;
	struct track_message *message;
	struct mg_event *event;
	struct origin origin;

	if (call->message == NULL) {
		if (find_origin(call, &origin) < 0)
			return -1;
		if (!origin.has_session)
			return 0;
		origin.session.facts |= TRACK_SESSION_DISCARD;
		return track_session_save(call, &origin.session);
	}
	message = track_stage_message(call, TRACK_ORIGIN_UNKNOWN);
	message->facts |= TRACK_FACT_DISCARDED | TRACK_FACT_FILTERS_CUT;
	if (by_milter(line) && !is_told(call, TRACK_FACT_DISCARD_EVENT)) {
		message->facts |= TRACK_FACT_DISCARD_ASKED;
		message->asked = call->utc;
		return track_message_save(call, message);
	}
	if (!by_milter(line)) {
		event = track_report(call, MG_MESSAGE_DISCARDED);
		track_report_message(event, message);
		report_transaction(event, line);
		track_report_reason(call, event, line->text);
		if (track_recipients_report(call, message, event) < 0) {
			mg_event_free(event);
			return -1;
		}
		if (track_report_send(call, event) < 0)
			return -1;
	}
	return track_stage_close(call, message, 0);
}

/* --- told later, or earlier --- */

static int report_asked(
	struct track_call *call, const struct track_message *message, enum mg_event_action action)
{
	struct mg_event *event =
		track_report_of(call, action, message->asked, message->id, "milter");

	track_report_message(event, message);
	track_report_word(event, MG_FIELD_BY, "milter");
	track_report_text(event, MG_FIELD_HOLD_CODE, message->texts[TRACK_MESSAGE_HOLD_CODE]);
	if (track_recipients_report(call, message, event) < 0) {
		mg_event_free(event);
		return -1;
	}
	return track_report_send(call, event);
}

int track_refuse_asked(struct track_call *call, struct track_message *message)
{
	uint32_t asked = message->facts & (TRACK_FACT_HOLD_ASKED | TRACK_FACT_DISCARD_ASKED);

	message->facts &= ~asked;
	if ((asked & TRACK_FACT_HOLD_ASKED) != 0 &&
		!track_message_has(message, TRACK_FACT_HOLD_EVENT) &&
		report_asked(call, message, MG_MESSAGE_HELD) < 0)
		return -1;
	if ((asked & TRACK_FACT_DISCARD_ASKED) == 0)
		return 0;
	if (!track_message_has(message, TRACK_FACT_DISCARD_EVENT) &&
		report_asked(call, message, MG_MESSAGE_DISCARDED) < 0)
		return -1;
	return track_stage_close(call, message, 0);
}

int track_refuse_begun(
	struct track_call *call, struct track_session *session, struct track_message *message)
{
	uint32_t facts = session->facts;

	session->facts &= ~(uint32_t)(TRACK_SESSION_HOLD | TRACK_SESSION_DISCARD);
	if ((facts & TRACK_SESSION_DISCARD) != 0) {
		message->facts |=
			TRACK_FACT_DISCARDED | TRACK_FACT_DISCARD_ASKED | TRACK_FACT_FILTERS_CUT;
		message->asked = call->utc;
	}
	if ((facts & TRACK_SESSION_HOLD) == 0)
		return 0;
	message->facts |= TRACK_FACT_HOLD_ASKED;
	message->asked = call->utc;
	return track_refuse_held(call, message, true);
}
