/* SPDX-License-Identifier: ISC */
#include "track/session.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "track/join_private.h"

enum { FORMAT = 1, KEY_BYTES = 5, INSTANCE_MAX = 64 };

/* --- the record --- */

static void session_key(char key[KEY_BYTES], uint32_t pid)
{
	key[0] = 's';
	for (size_t i = 0; i < sizeof(pid); i++)
		key[1 + i] = (char)(pid >> (24 - 8 * i));
}

static void begin(struct track_call *call, struct track_session *session)
{
	memset(session, 0, offsetof(struct track_session, traces));
	session->pid = call->record->pid;
	session->started = call->utc;
	session->last = call->utc;
	session->instance = call->line->instance;
	track_client_learn(&session->client, call->line);
}

static bool unpack(struct track_session *session, const struct mg_store_value *value)
{
	struct track_unpacking from;
	size_t length;

	if (value->length < 1 || value->length > sizeof(session->raw))
		return false;
	memcpy(session->raw, value->bytes, value->length);
	from = (struct track_unpacking){(const unsigned char *)session->raw + 1,
		(const unsigned char *)session->raw + value->length, session->raw[0] != FORMAT};
	session->facts = (uint32_t)track_unpack_number(&from);
	session->refusals = (uint32_t)track_unpack_number(&from);
	session->started = (int64_t)track_unpack_number(&from);
	session->last = (int64_t)track_unpack_number(&from);
	track_client_unpack(&from, &session->client);
	session->current = track_unpack_text(&from);
	session->instance = track_unpack_text(&from);
	session->trace_count = (uint32_t)track_unpack_number(&from);
	length = (size_t)session->trace_count * TRACK_TRACE_BYTES;
	if (from.failed || session->trace_count > TRACK_SESSION_TRACES ||
		length != (size_t)(from.end - from.at))
		return false;
	memcpy(session->traces, from.at, length);
	return true;
}

static int load(struct track_call *call, uint32_t pid, struct track_session *session)
{
	char key[KEY_BYTES];
	struct mg_store_value value;
	int found;

	memset(session, 0, offsetof(struct track_session, traces));
	if (pid == 0)
		return 0;
	session_key(key, pid);
	found = mg_store_get(call->tx, TRACK_TABLE_SESSIONS, key, sizeof(key), &value, call->error);
	if (found == 1 && !unpack(session, &value))
		found = 0;
	session->pid = pid;
	return found;
}

int track_session_save(struct track_call *call, struct track_session *session)
{
	struct mg_buf *record = &call->join->value;
	char key[KEY_BYTES];

	if (session->pid == 0)
		return 0;
	session->last = call->utc;
	mg_buf_reset(record);
	mg_buf_add_char(record, FORMAT);
	track_pack_number(record, session->facts);
	track_pack_number(record, session->refusals);
	track_pack_number(record, (uint64_t)session->started);
	track_pack_number(record, (uint64_t)session->last);
	track_client_pack(record, &session->client);
	track_pack_text(record, session->current, TRACK_ID_MAX);
	track_pack_text(record, session->instance, INSTANCE_MAX);
	track_pack_number(record, session->trace_count);
	mg_buf_add(record, session->traces, (size_t)session->trace_count * TRACK_TRACE_BYTES);
	if (record->failed) {
		mg_error_set(call->error, "out of memory");
		return -1;
	}
	session_key(key, session->pid);
	return mg_store_put(call->tx, TRACK_TABLE_SESSIONS, key, sizeof(key), record->data,
		record->length, call->error);
}

static int drop(struct track_call *call, const struct track_session *session)
{
	char key[KEY_BYTES];

	if (session->pid == 0)
		return 0;
	session_key(key, session->pid);
	return mg_store_delete(call->tx, TRACK_TABLE_SESSIONS, key, sizeof(key), call->error) < 0
		       ? -1
		       : 0;
}

/* --- its end --- */

/* Tells which messages were of the session: joins what filters said before there was a queue id. */
static int report_link(
	struct track_call *call, const struct track_session *session, struct mg_event *event)
{
	char trace_id[TRACK_TRACE_TEXT];

	track_report_word(event, MG_FIELD_NETWORK_PROTOCOL, "smtp");
	track_report_client(event, &session->client);
	track_report_text(event, MG_FIELD_POSTFIX_INSTANCE, session->instance);
	mg_event_set_time(event, &mg_fields[MG_FIELD_EVENT_START], session->started);
	mg_event_set_time(event, &mg_fields[MG_FIELD_EVENT_END], session->last);
	track_report_number(event, MG_FIELD_SESSION_REFUSALS, session->refusals);
	for (uint32_t i = 0; i < session->trace_count; i++) {
		mg_str_hex(trace_id, session->traces[i], TRACK_TRACE_BYTES);
		track_report_word(event, MG_FIELD_SESSION_TRACES, trace_id);
	}
	return track_report_send(call, event);
}

static int link_traces(struct track_call *call, const struct track_session *session)
{
	if (session->trace_count == 0 && session->refusals == 0)
		return 0;
	return report_link(call, session, track_report(call, MG_SESSION_LINKED));
}

/* The message under way when its client went on: without content it will not come into the queue. A
 * client that is lost behind the content may have sent it all. */
static int settle(struct track_call *call, const struct track_session *session, bool lost)
{
	const struct track_line *line = call->line;
	struct track_message message;
	char reason[100], word[32], stage[32];
	bool unfinished;
	int found = track_message_load(call, session->current, &message);

	if (found <= 0)
		return found;
	unfinished = lost && !track_text_starts(line->stage, "END-OF-MESSAGE");
	if (track_message_any(&message, TRACK_FACT_ACTIVE | TRACK_FACT_CLOSED | TRACK_FACT_HELD |
						TRACK_FACT_HOLD_ASKED | TRACK_FACT_DISCARD_ASKED) ||
		(track_message_has(&message, TRACK_FACT_CONTENT) && !unfinished))
		return 0;
	if (lost)
		mg_str_format(reason, sizeof(reason), "%s after %s",
			track_text_copy(line->word, word, sizeof(word)),
			track_text_copy(line->stage, stage, sizeof(stage)));
	return track_stage_unqueued(call, &message, call->utc,
		lost ? reason : "the client ended it before its content");
}

/* Ends a session: of its last line, or of one that shows that it is over. */
static int finish(struct track_call *call, const struct track_session *session, bool lost)
{
	if (settle(call, session, lost) < 0 || link_traces(call, session) < 0)
		return -1;
	return drop(call, session);
}

int track_session_load(struct track_call *call, struct track_session *session)
{
	const struct track_line *line = call->line;
	int known = load(call, call->record->pid, session);

	if (known < 0)
		return -1;
	if (known == 1 && track_client_is(&session->client, &line->client)) {
		track_client_learn(&session->client, line);
		return 1;
	}
	/* Another client: the line that ended this one is lost. */
	if (known == 1 && line->client.address.text != NULL && finish(call, session, false) < 0)
		return -1;
	if (known == 1 && line->client.address.text == NULL)
		return 1;
	begin(call, session);
	return 0;
}

int track_session_of_message(
	struct track_call *call, const struct track_message *message, struct track_session *session)
{
	int found = load(call, message->pid, session);

	return found == 1 ? track_text_is(session->current, message->id) : found;
}

/* --- handlers --- */

/* A line of another program about a client is of no session: postscreen's, tlsproxy's. */
static bool is_smtpd(const struct track_call *call)
{
	return track_text_is(call->line->program, "smtpd");
}

int track_on_connect(struct track_call *call)
{
	struct track_session session;
	int known;

	if (!is_smtpd(call))
		return 0;
	known = load(call, call->record->pid, &session);
	if (known < 0 || (known == 1 && finish(call, &session, false) < 0))
		return -1;
	begin(call, &session);
	return track_session_save(call, &session);
}

int track_on_tls_in(struct track_call *call)
{
	struct track_session session;

	if (!is_smtpd(call))
		return 0;
	return track_session_load(call, &session) < 0 ? -1 : track_session_save(call, &session);
}

/* Adds the message's trace id; a full list is told and begun anew. */
static int add_trace(
	struct track_call *call, struct track_session *session, const struct track_message *message)
{
	unsigned char *trace;

	if (session->trace_count == TRACK_SESSION_TRACES) {
		if (link_traces(call, session) < 0)
			return -1;
		session->trace_count = 0;
	}
	trace = session->traces[session->trace_count++];
	for (size_t i = 0; i < TRACK_TRACE_BYTES; i++) {
		const char *digits = message->trace_id + 2 * i;
		unsigned high =
			(unsigned)(digits[0] <= '9' ? digits[0] - '0' : digits[0] - 'a' + 10);
		unsigned low =
			(unsigned)(digits[1] <= '9' ? digits[1] - '0' : digits[1] - 'a' + 10);

		trace[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}

/* The message that has just got its queue id. A filter's event of it may have come first. */
static int begin_message(
	struct track_call *call, struct track_session *session, struct track_message *message)
{
	struct track_message parent;
	int found;

	if (call->known && (track_message_any(message,
				    TRACK_FACT_CONTENT | TRACK_FACT_ACTIVE | TRACK_FACT_CLOSED) ||
				   message->origin != TRACK_ORIGIN_UNKNOWN)) {
		/* A short queue id that is used again. */
		if (track_message_has(message, TRACK_FACT_WAITING) &&
			track_link_release(call, message) < 0)
			return -1;
		if (track_recipients_drop(call, message) < 0)
			return -1;
		call->known = false;
	}
	if (!call->known)
		track_message_begin(call, message, TRACK_ORIGIN_CLIENT);
	message->origin = TRACK_ORIGIN_CLIENT;
	message->pid = call->record->pid;
	message->client = session->client;
	message->texts[TRACK_MESSAGE_INSTANCE] = call->line->instance;
	if (call->line->orig_queue_id.length > 0 &&
		!track_text_is(call->line->orig_queue_id, message->id)) {
		found = track_message_load(call, call->line->orig_queue_id, &parent);
		if (found < 0)
			return -1;
		if (found == 1)
			track_link_message(&parent, message, TRACK_RELATION_REINJECT);
	}
	if (message->relation == TRACK_RELATION_NONE && !call->known &&
		track_link_may_return(call->join, &call->line->client)) {
		message->facts |= TRACK_FACT_WAITING;
		message->asked = call->utc;
	}
	return track_refuse_begun(call, session, message);
}

int track_on_client(struct track_call *call)
{
	struct track_session session;
	struct track_message *message = call->message;

	if (message == NULL)
		return 0;
	if (track_session_load(call, &session) < 0 || settle(call, &session, false) < 0 ||
		begin_message(call, &session, message) < 0 ||
		add_trace(call, &session, message) < 0)
		return -1;
	session.current = call->line->queue_id;
	return track_message_save(call, message) < 0 ? -1 : track_session_save(call, &session);
}

int track_on_auth_failed(struct track_call *call)
{
	struct track_session session;
	struct mg_event *event;

	if (track_session_load(call, &session) < 0)
		return -1;
	event = track_report(call, MG_AUTH_FAILED);
	track_report_word(event, MG_FIELD_NETWORK_PROTOCOL, "smtp");
	track_report_client(event, &session.client);
	track_report_line(event, call->line);
	track_report_reason(call, event, call->line->text);
	/* Who did not get in is no user of what comes next. */
	session.client.texts[TRACK_CLIENT_USER] = track_text(NULL);
	session.client.texts[TRACK_CLIENT_METHOD] = track_text(NULL);
	return track_report_send(call, event) < 0 ? -1 : track_session_save(call, &session);
}

int track_on_lost(struct track_call *call)
{
	const struct track_line *line = call->line;
	struct track_session session;
	struct mg_event *event;

	if (!is_smtpd(call))
		return 0;
	if (track_session_load(call, &session) < 0)
		return -1;
	event = track_report(call, MG_CONNECTION_LOST);
	track_report_word(event, MG_FIELD_NETWORK_PROTOCOL, "smtp");
	track_report_client(event, &session.client);
	track_report_line(event, line);
	track_report_word(event, MG_FIELD_SMTP_STAGE, track_stage_name(line->stage));
	track_report_text(event, MG_FIELD_EVENT_REASON, line->word);
	if (track_report_send(call, event) < 0 || settle(call, &session, true) < 0)
		return -1;
	session.current = track_text(NULL);
	return track_session_save(call, &session);
}

int track_on_disconnect(struct track_call *call)
{
	struct track_session session;
	int known;

	if (!is_smtpd(call))
		return 0;
	known = track_session_load(call, &session);
	if (known <= 0)
		return known;
	session.last = call->utc;
	return finish(call, &session, false);
}

/* --- what is old --- */

struct sweep {
	int64_t before;
	struct mg_buf keys; /* each KEY_BYTES */
	size_t count;
};

/* The first numbers of a record are enough to see its age only when it is unpacked: sessions that are
 * open at once are few. */
static bool collect_old(void *context, struct mg_store_tx *tx, const void *key, size_t length,
	const struct mg_store_value *value)
{
	struct sweep *sweep = context;
	struct track_session session;

	(void)tx;
	if (length != KEY_BYTES || *(const char *)key != 's')
		return *(const char *)key == 's';
	if (unpack(&session, value) && session.last >= sweep->before)
		return true;
	mg_buf_add(&sweep->keys, key, length);
	sweep->count++;
	return !sweep->keys.failed;
}

static int forget(struct track_call *call, const unsigned char *key)
{
	struct track_session session;
	uint32_t pid =
		(uint32_t)key[1] << 24 | (uint32_t)key[2] << 16 | (uint32_t)key[3] << 8 | key[4];
	struct mg_event *event;
	char id[32];
	int found = load(call, pid, &session);

	if (found < 0)
		return -1;
	session.pid = pid;
	if (session.trace_count > 0 || session.refusals > 0) {
		mg_str_format(id, sizeof(id), "%u %lld", pid, (long long)session.started);
		event = track_report_of(call, MG_SESSION_LINKED, session.last, id, "forgotten");
		track_report_word(
			event, MG_FIELD_EVENT_REASON, "no line tells the end of the session");
		if (report_link(call, &session, event) < 0)
			return -1;
	}
	return drop(call, &session);
}

int track_sessions_sweep(struct track_call *call, int64_t now)
{
	struct sweep sweep = {.before = now - TRACK_FORGET_SESSION};
	int result = mg_store_walk(call->tx, TRACK_TABLE_SESSIONS, "s", 1, collect_old, &sweep,
			     call->error) < 0
			     ? -1
			     : 0;

	for (size_t i = 0; result == 0 && i < sweep.count; i++)
		result = forget(call, (const unsigned char *)sweep.keys.data + i * KEY_BYTES);
	mg_buf_free(&sweep.keys);
	return result;
}
