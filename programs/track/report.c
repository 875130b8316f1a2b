/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/net.h"
#include "base/str.h"
#include "mail/message.h"
#include "track/join_private.h"

/* --- an event --- */

struct mg_event *track_report(struct track_call *call, enum mg_event_action action)
{
	struct mg_buf *seed = &call->join->seed;

	mg_buf_reset(seed);
	mg_buf_add_text(seed, mg_event_action_name(action));
	mg_buf_add_char(seed, '\0');
	mg_buf_add_text(seed, call->record->position);
	mg_buf_add_char(seed, '\0');
	mg_buf_add_format(seed, "%u", call->index++);
	if (seed->failed)
		return NULL;
	return mg_event_new_of(call->join->events, action, call->utc, seed->data, seed->length);
}

struct mg_event *track_report_of(struct track_call *call, enum mg_event_action action, int64_t utc,
	const char *id, const char *what)
{
	struct mg_buf *seed = &call->join->seed;

	mg_buf_reset(seed);
	mg_buf_add_text(seed, mg_event_action_name(action));
	mg_buf_add_char(seed, '\0');
	mg_buf_add_text(seed, id);
	mg_buf_add_char(seed, '\0');
	mg_buf_add_text(seed, what);
	if (seed->failed)
		return NULL;
	return mg_event_new_of(call->join->events, action, utc, seed->data, seed->length);
}

int track_report_send(struct track_call *call, struct mg_event *event)
{
	if (event == NULL) {
		mg_error_set(call->error, "out of memory");
		return -1;
	}
	return call->join->emit(call->join->context, event, call->error);
}

/* --- fields --- */

void track_report_text(struct mg_event *event, enum mg_field_id field, struct track_text text)
{
	mg_event_set_text_n(event, &mg_fields[field], text.text, text.length);
}

void track_report_word(struct mg_event *event, enum mg_field_id field, const char *word)
{
	mg_event_set_text(event, &mg_fields[field], word);
}

void track_report_number(struct mg_event *event, enum mg_field_id field, int64_t number)
{
	if (number >= 0)
		mg_event_set_number(event, &mg_fields[field], number);
}

void track_report_sender(struct mg_event *event, struct track_text from)
{
	if (from.text == NULL)
		return;
	track_report_text(event, MG_FIELD_EMAIL_SENDER, from);
	if (from.length > 0)
		track_report_text(event, MG_FIELD_SMTP_FROM, from);
	else
		mg_event_set_empty(event, &mg_fields[MG_FIELD_SMTP_FROM]);
}

void track_report_line(struct mg_event *event, const struct track_line *line)
{
	char program[100], service[60], name[40];

	track_report_text(event, MG_FIELD_POSTFIX_INSTANCE, line->instance);
	track_text_copy(line->service, service, sizeof(service));
	track_text_copy(line->program, name, sizeof(name));
	mg_str_format(
		program, sizeof(program), "%s%s%s", service, service[0] != '\0' ? "/" : "", name);
	track_report_word(event, MG_FIELD_POSTFIX_PROGRAM, program);
}

/* As filters tell of a client, so that the fields are the same. */
void track_report_client(struct mg_event *event, const struct track_client *client)
{
	enum { TEXT = 256 };
	char texts[TRACK_CLIENT_TEXT_COUNT][TEXT], key[64];
	struct mg_session session = {
		.client_name = texts[TRACK_CLIENT_NAME],
		.helo = texts[TRACK_CLIENT_HELO],
		.mta_name = "",
		.listener = "",
		.listener_address = "",
		.user = texts[TRACK_CLIENT_USER],
		.auth_method = texts[TRACK_CLIENT_METHOD],
		.tls_version = texts[TRACK_CLIENT_TLS_VERSION],
		.tls_cipher = texts[TRACK_CLIENT_TLS_CIPHER],
		.tls_subject = "",
		.tls_issuer = "",
	};

	for (size_t i = 0; i < TRACK_CLIENT_TEXT_COUNT; i++)
		track_text_copy(client->texts[i], texts[i], TEXT);
	if (strcmp(texts[TRACK_CLIENT_NAME], "unknown") == 0)
		texts[TRACK_CLIENT_NAME][0] = '\0';
	key[0] = '\0';
	if (mg_net_parse(texts[TRACK_CLIENT_ADDRESS], client->port, &session.client) &&
		client->port != 0)
		mg_net_key(&session.client, key, sizeof(key));
	mg_str_copy(session.key, sizeof(session.key), key);
	mg_fields_session(event, &session);
}

/* Of a message only who sent it: the rest is in the events of its session and of log. */
static void report_sender_host(struct mg_event *event, const struct track_client *client)
{
	struct track_client host = *client;

	host.texts[TRACK_CLIENT_HELO] = track_text(NULL);
	host.texts[TRACK_CLIENT_METHOD] = track_text(NULL);
	host.texts[TRACK_CLIENT_TLS_VERSION] = track_text(NULL);
	host.texts[TRACK_CLIENT_TLS_CIPHER] = track_text(NULL);
	track_report_client(event, &host);
}

void track_report_message(struct mg_event *event, const struct track_message *message)
{
	track_report_word(event, MG_FIELD_TRACE_ID, message->trace_id);
	track_report_word(event, MG_FIELD_EMAIL_LOCAL_ID, message->id);
	track_report_text(
		event, MG_FIELD_EMAIL_MESSAGE_ID, message->texts[TRACK_MESSAGE_MESSAGE_ID]);
	track_report_text(event, MG_FIELD_EMAIL_DIRECTION, message->texts[TRACK_MESSAGE_DIRECTION]);
	track_report_text(event, MG_FIELD_ORGANIZATION_ID, message->texts[TRACK_MESSAGE_TENANT]);
	track_report_sender(event, message->texts[TRACK_MESSAGE_FROM]);
	if (message->origin == TRACK_ORIGIN_CLIENT)
		report_sender_host(event, &message->client);
	track_report_parent(event, message);
}

void track_report_parent(struct mg_event *event, const struct track_message *message)
{
	if (message->relation == TRACK_RELATION_NONE)
		return;
	track_report_word(event, MG_FIELD_LINK_RELATION, track_relation_name(message->relation));
	track_report_text(event, MG_FIELD_LINK_PARENT, message->texts[TRACK_MESSAGE_PARENT]);
}

void track_report_child(
	struct mg_event *event, struct track_text child, enum track_relation relation)
{
	track_report_word(event, MG_FIELD_LINK_RELATION, track_relation_name(relation));
	track_report_text(event, MG_FIELD_LINK_CHILD, child);
}

void track_report_tls_version(
	struct mg_event *event, enum mg_field_id field, struct track_text version)
{
	static const char prefix[] = "TLSv";
	char text[16];

	if (track_text_is(version, "TLSv1"))
		version = track_text("TLSv1.0");
	if (!track_text_starts(version, prefix))
		return;
	version.text += strlen(prefix);
	version.length -= strlen(prefix);
	track_report_word(event, field, track_text_copy(version, text, sizeof(text)));
}

void track_report_reason(struct track_call *call, struct mg_event *event, struct track_text text)
{
	const struct mg_events *events = call->join->events;

	if (mg_events_is_clear(events, MG_PRIVACY_RECIPIENTS) &&
		mg_events_is_clear(events, MG_PRIVACY_SENDERS) &&
		mg_events_is_clear(events, MG_PRIVACY_CLIENT))
		track_report_text(event, MG_FIELD_EVENT_REASON, text);
}
