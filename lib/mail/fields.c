/* SPDX-License-Identifier: ISC */
#include "mail/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/net.h"
#include "base/str.h"

const struct mg_field mg_fields[MG_FIELD_COUNT] = {
#define ROW(identifier, name, type, array, privacy, by, meaning) \
	[MG_FIELD_##identifier] = {name, MG_TYPE_##type, array, MG_PRIVACY_##privacy, by, meaning},
	MG_FIELDS(ROW)
#undef ROW
};

static void set_text(struct mg_event *event, enum mg_field_id id, const char *text)
{
	mg_event_set_text(event, &mg_fields[id], text);
}

static void set_number(struct mg_event *event, enum mg_field_id id, uint64_t number)
{
	mg_event_set_number(
		event, &mg_fields[id], number < INT64_MAX ? (int64_t)number : INT64_MAX);
}

static void set_client(struct mg_event *event, const struct mg_session *session)
{
	char address[64];
	uint16_t port = mg_net_port(&session->client);

	mg_net_format(&session->client, address, sizeof(address));
	set_text(event, MG_FIELD_SOURCE_ADDRESS,
		session->client_name[0] != '\0' ? session->client_name : address);
	set_text(event, MG_FIELD_SOURCE_DOMAIN, session->client_name);
	set_text(event, MG_FIELD_SOURCE_IP, address);
	if (port != 0)
		set_number(event, MG_FIELD_SOURCE_PORT, port);
	set_text(event, MG_FIELD_SESSION_KEY, session->key);
	set_text(event, MG_FIELD_SMTP_HELO, session->helo);
}

/* ECS wants protocol and version apart; OpenSSL's first version has no minor number. */
static void set_tls(struct mg_event *event, const struct mg_session *session)
{
	static const struct {
		const char *prefix, *protocol, *bare;
	} protocols[] = {{"TLSv", "tls", "1"}, {"SSLv", "ssl", "3"}};
	const char *version = session->tls_version;

	if (version[0] == '\0')
		return;
	mg_event_set_bool(event, &mg_fields[MG_FIELD_TLS_ESTABLISHED], true);
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		size_t length = strlen(protocols[i].prefix);

		if (strncmp(version, protocols[i].prefix, length) != 0)
			continue;
		set_text(event, MG_FIELD_TLS_PROTOCOL, protocols[i].protocol);
		version += length;
		if (strcmp(version, protocols[i].bare) == 0)
			version = i == 0 ? "1.0" : "3.0";
		break;
	}
	set_text(event, MG_FIELD_TLS_VERSION, version);
	set_text(event, MG_FIELD_TLS_CIPHER, session->tls_cipher);
	set_text(event, MG_FIELD_TLS_CLIENT_SUBJECT, session->tls_subject);
	set_text(event, MG_FIELD_TLS_CLIENT_ISSUER, session->tls_issuer);
}

void mg_fields_session(struct mg_event *event, const struct mg_session *session)
{
	set_client(event, session);
	set_tls(event, session);
	set_text(event, MG_FIELD_USER_NAME, session->user);
	set_text(event, MG_FIELD_SMTP_AUTH_METHOD, session->auth_method);
	set_text(event, MG_FIELD_LISTENER, session->listener);
	if (session->test)
		set_text(event, MG_FIELD_TAGS, "test");
}

static void set_envelope(struct mg_event *event, const struct mg_message *message)
{
	size_t accepted = 0;

	if (message->sender[0] != '\0') {
		set_text(event, MG_FIELD_EMAIL_SENDER, message->sender);
		set_text(event, MG_FIELD_SMTP_FROM, message->sender);
	} else {
		mg_event_set_empty(event, &mg_fields[MG_FIELD_SMTP_FROM]);
	}
	for (size_t i = 0; i < message->recipient_count; i++) {
		if (!message->recipients[i].accepted)
			continue;
		set_text(event, MG_FIELD_EMAIL_TO, message->recipients[i].address);
		accepted++;
	}
	set_number(event, MG_FIELD_SMTP_RECIPIENT_COUNT, accepted);
}

void mg_fields_message(struct mg_event *event, const struct mg_message *message)
{
	mg_fields_session(event, message->session);
	if (!message->local) {
		set_text(event, MG_FIELD_NETWORK_PROTOCOL, "smtp");
		if (message->session->tls_version[0] == '\0')
			mg_event_set_bool(event, &mg_fields[MG_FIELD_TLS_ESTABLISHED], false);
	}
	mg_event_set_bool(event, &mg_fields[MG_FIELD_LOCAL], message->local);
	set_text(event, MG_FIELD_TRACE_ID, message->trace_id);
	set_text(event, MG_FIELD_EMAIL_LOCAL_ID, message->queue_id);
	set_text(event, MG_FIELD_EMAIL_DIRECTION,
		message->direction == MG_OUTBOUND ? "outbound" : "inbound");
	set_envelope(event, message);
	set_text(event, MG_FIELD_ORGANIZATION_ID, message->tenant);
	set_text(event, MG_FIELD_BOUND, message->over_bound);
	if (message->dry_run)
		mg_event_set_bool(event, &mg_fields[MG_FIELD_DRY_RUN], true);
}

static struct mg_event *opened_event(
	const struct mg_events *events, const struct mg_spool_note *note)
{
	struct mg_event *event = mg_event_new(events, MG_LOG_OPENED);

	set_text(event, MG_FIELD_EVENT_REASON, note->reason);
	set_text(event, MG_FIELD_LOG_PREVIOUS_HASH, note->previous_hash);
	if (note->torn_bytes != 0)
		set_number(event, MG_FIELD_LOG_TORN_BYTES, note->torn_bytes);
	return event;
}

static struct mg_event *lost_event(const struct mg_events *events, const struct mg_spool_note *note)
{
	struct mg_event *event = mg_event_new(events, MG_EVENTS_LOST);

	set_text(event, MG_FIELD_EVENT_REASON, note->reason);
	set_number(event, MG_FIELD_LOST_COUNT, note->lost_count);
	if (note->first != 0) {
		set_number(event, MG_FIELD_LOST_FIRST, note->first);
		set_number(event, MG_FIELD_LOST_LAST, note->last);
	}
	if (note->start != 0)
		mg_event_set_time(event, &mg_fields[MG_FIELD_EVENT_START], note->start);
	if (note->end != 0)
		mg_event_set_time(event, &mg_fields[MG_FIELD_EVENT_END], note->end);
	return event;
}

char *mg_fields_compose(void *context, const struct mg_spool_note *note)
{
	const struct mg_events *events = context;
	struct mg_event *event;
	char *text;
	size_t length;

	event = note->kind == MG_NOTE_OPENED ? opened_event(events, note)
					     : lost_event(events, note);
	if (event == NULL)
		return NULL;
	text = mg_event_text(event);
	mg_event_free(event);
	/* The spool itself ends the record: the braces of "event" and of the document go. */
	length = text != NULL ? strlen(text) : 0;
	if (length > 2)
		text[length - 2] = '\0';
	return text;
}

static const char *const type_names[] = {
	[MG_TYPE_KEYWORD] = "keyword",
	[MG_TYPE_TEXT] = "text",
	[MG_TYPE_LONG] = "long",
	[MG_TYPE_FLOAT] = "float",
	[MG_TYPE_BOOLEAN] = "boolean",
	[MG_TYPE_DATE] = "date",
	[MG_TYPE_IP] = "ip",
	[MG_TYPE_NESTED] = "objects (nested)",
	[MG_TYPE_FLATTENED] = "object (flattened)",
};

static const char *const privacy_names[MG_PRIVACY_COUNT] = {
	[MG_PRIVACY_SUBJECT] = "subject",
	[MG_PRIVACY_RECIPIENTS] = "recipients",
	[MG_PRIVACY_SENDERS] = "senders",
	[MG_PRIVACY_NAMES] = "names",
	[MG_PRIVACY_CLIENT] = "client",
};

void mg_fields_print_mdoc(FILE *stream)
{
	for (size_t i = 0; i < MG_FIELD_COUNT; i++) {
		const struct mg_field *field = &mg_fields[i];

		fprintf(stream, ".It Va %s\n%s%s", field->name, field->array ? "list of " : "",
			type_names[field->type]);
		if (strcmp(field->by, "all") != 0)
			fprintf(stream, "; by %s", field->by);
		if (privacy_names[field->privacy] != NULL)
			fprintf(stream, "; class\n.Ic %s", privacy_names[field->privacy]);
		fprintf(stream, "\n.br\n%s.\n", field->meaning);
	}
}
