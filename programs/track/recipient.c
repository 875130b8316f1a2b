/* SPDX-License-Identifier: ISC */
/* Recipients: attempts, and how each ended. */
#include <fnmatch.h>
#include <string.h>

#include "base/str.h"
#include "track/join_private.h"

enum { ADDRESS_MAX = 320, KEY_LENGTH_BYTES = 2, HOST_MAX = 256, DSN_MAX = 16, REPLY_MAX = 201 };

/* --- their rows --- */

struct keys {
	const struct mg_buf *prefix;
	struct mg_buf list; /* each with its length before it, two bytes */
	size_t count;
};

static bool collect(void *context, struct mg_store_tx *tx, const void *key, size_t length,
	const struct mg_store_value *value)
{
	struct keys *keys = context;

	(void)tx;
	(void)value;
	if (length < keys->prefix->length ||
		memcmp(key, keys->prefix->data, keys->prefix->length) != 0)
		return false;
	mg_buf_add_char(&keys->list, (char)(length >> 8));
	mg_buf_add_char(&keys->list, (char)length);
	mg_buf_add(&keys->list, key, length);
	keys->count++;
	return !keys->list.failed;
}

/* 1 there and readable, 0 not. */
static int get(
	struct track_call *call, const void *key, size_t length, struct mg_delivery *delivery)
{
	struct mg_store_value value;
	int found = mg_store_get(
		call->tx, (unsigned)MG_TABLE_RECIPIENTS, key, length, &value, call->error);

	if (found != 1)
		return found;
	return mg_delivery_unpack(
		MG_TABLE_RECIPIENTS, key, length, &value, &call->join->scratch, delivery);
}

int track_recipients_each(struct track_call *call, const struct track_message *message,
	track_each_recipient *each, void *context)
{
	struct mg_buf prefix = {.limit = MG_STORE_KEY_MAX};
	struct keys keys = {.prefix = &prefix};
	const unsigned char *at;
	int result = 0;

	mg_delivery_prefix(MG_TABLE_RECIPIENTS, message->id, &prefix);
	if (prefix.failed || mg_store_walk(call->tx, MG_TABLE_RECIPIENTS, prefix.data,
				     prefix.length, collect, &keys, call->error) < 0)
		result = -1;
	at = (const unsigned char *)keys.list.data;
	for (size_t i = 0; i < keys.count && result == 0; i++) {
		size_t length = (size_t)at[0] << 8 | at[1];
		struct mg_delivery delivery;
		int found = get(call, at + KEY_LENGTH_BYTES, length, &delivery);

		result = found == 1 ? each(call, &delivery, context) : found;
		at += KEY_LENGTH_BYTES + length;
	}
	mg_buf_free(&keys.list);
	mg_buf_free(&prefix);
	return result;
}

/* The delivery's texts may be in the scratch, which packing leaves alone. */
int track_recipient_save(struct track_call *call, const struct mg_delivery *delivery)
{
	struct mg_buf *key = &call->join->key, *value = &call->join->value;

	mg_buf_reset(key);
	mg_buf_reset(value);
	if (!mg_delivery_pack(delivery, MG_TABLE_RECIPIENTS, key, value)) {
		if (!key->failed && !value->failed)
			return 0; /* no address that can be a key */
		mg_error_set(call->error, "out of memory");
		return -1;
	}
	return mg_store_put(call->tx, MG_TABLE_RECIPIENTS, key->data, key->length, value->data,
		value->length, call->error);
}

/* The key of a recipient, as the row of one has it. */
static void row_key(struct mg_buf *key, const char *queue_id, const char *recipient, size_t length)
{
	mg_buf_reset(key);
	mg_delivery_prefix(MG_TABLE_RECIPIENTS, queue_id, key);
	mg_buf_add(key, recipient, length < ADDRESS_MAX ? length : ADDRESS_MAX);
}

int track_recipient_drop(struct track_call *call, const struct mg_delivery *delivery)
{
	struct mg_buf *key = &call->join->key;

	row_key(key, delivery->queue_id, delivery->recipient, strlen(delivery->recipient));
	return mg_store_delete(call->tx, MG_TABLE_RECIPIENTS, key->data, key->length, call->error) <
			       0
		       ? -1
		       : 0;
}

int track_recipient_find(struct track_call *call, const struct track_message *message,
	struct track_text address, struct mg_delivery *delivery)
{
	struct mg_buf *key = &call->join->key;

	if (address.length == 0)
		return 0;
	row_key(key, message->id, address.text, address.length);
	return key->failed ? -1 : get(call, key->data, key->length, delivery);
}

static int add_recipient(struct track_call *call, const struct mg_delivery *delivery, void *context)
{
	(void)call;
	track_report_word(context, MG_FIELD_EMAIL_TO, delivery->recipient);
	return 0;
}

int track_recipients_report(
	struct track_call *call, const struct track_message *message, struct mg_event *event)
{
	return track_recipients_each(call, message, add_recipient, event);
}

static int drop_recipient(
	struct track_call *call, const struct mg_delivery *delivery, void *context)
{
	(void)context;
	return track_recipient_drop(call, delivery);
}

int track_recipients_drop(struct track_call *call, const struct track_message *message)
{
	return track_recipients_each(call, message, drop_recipient, NULL);
}

/* --- TLS of the client side, which Postfix before 3.11 tells by process alone --- */

struct connection {
	struct track_text address, version, level, message;
	uint16_t port;
};

enum { PROCESS_KEY_BYTES = 5, PROCESS_BYTES = 256 };

static void process_key(char key[PROCESS_KEY_BYTES], uint32_t pid)
{
	key[0] = 'o';
	for (size_t i = 0; i < sizeof(pid); i++)
		key[1 + i] = (char)(pid >> (24 - 8 * i));
}

static int connection_save(struct track_call *call, const struct connection *connection)
{
	struct mg_buf *record = &call->join->value;
	char key[PROCESS_KEY_BYTES];

	process_key(key, call->record->pid);
	mg_buf_reset(record);
	track_pack_number(record, connection->port);
	track_pack_text(record, connection->address, 46);
	track_pack_text(record, connection->version, 16);
	track_pack_text(record, connection->level, 20);
	track_pack_text(record, connection->message, TRACK_ID_MAX);
	return mg_store_put(call->tx, TRACK_TABLE_SESSIONS, key, sizeof(key), record->data,
		record->length, call->error);
}

int track_on_tls_out(struct track_call *call)
{
	const struct track_line *line = call->line;
	struct connection connection = {.address = line->relay.address,
		.port = line->relay.port,
		.version = line->tls_version,
		.level = line->tls_level.text != NULL ? line->tls_level : line->word};

	return call->record->pid == 0 ? 0 : connection_save(call, &connection);
}

/* The connection that the process had last, if the delivery went over it: it is for the first message
 * behind its TLS line, and for others only where they say that they used it again. */
static int connection_load(
	struct track_call *call, char raw[PROCESS_BYTES], struct connection *connection)
{
	const struct track_line *line = call->line;
	char key[PROCESS_KEY_BYTES];
	struct mg_store_value value;
	struct track_unpacking from;
	int found;

	memset(connection, 0, sizeof(*connection));
	if (call->record->pid == 0 || line->relay.address.text == NULL)
		return 0;
	process_key(key, call->record->pid);
	found = mg_store_get(call->tx, TRACK_TABLE_SESSIONS, key, sizeof(key), &value, call->error);
	if (found <= 0 || value.length > PROCESS_BYTES)
		return found < 0 ? -1 : 0;
	memcpy(raw, value.bytes, value.length);
	from = (struct track_unpacking){
		(unsigned char *)raw, (unsigned char *)raw + value.length, false};
	connection->port = (uint16_t)track_unpack_number(&from);
	connection->address = track_unpack_text(&from);
	connection->version = track_unpack_text(&from);
	connection->level = track_unpack_text(&from);
	connection->message = track_unpack_text(&from);
	if (from.failed || connection->port != line->relay.port ||
		!track_text_same(connection->address, line->relay.address))
		return 0;
	if (connection->message.text == NULL) {
		connection->message = line->queue_id;
		return connection_save(call, connection) < 0 ? -1 : 1;
	}
	return track_text_same(connection->message, line->queue_id) || line->conn_use > 1;
}

/* --- a delivery --- */

enum outcome { OUTCOME_SENT, OUTCOME_DEFERRED, OUTCOME_BOUNCED, OUTCOME_PROBE };

static const struct {
	const char *status;
	enum outcome outcome;
} outcomes[] = {
	{"sent", OUTCOME_SENT},
	{"deferred", OUTCOME_DEFERRED},
	{"bounced", OUTCOME_BOUNCED},
	{"SOFTBOUNCE", OUTCOME_DEFERRED},
	{"deliverable", OUTCOME_PROBE},
	{"undeliverable", OUTCOME_PROBE},
};

static bool outcome_of(struct track_text status, enum outcome *outcome)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (track_text_is(status, outcomes[i].status)) {
			*outcome = outcomes[i].outcome;
			return true;
		}
	return false;
}

static bool is_smart_host(const struct track_join *join, const struct track_peer *relay)
{
	char name[HOST_MAX];

	if (relay->name.text == NULL || join->rules->smart_hosts == NULL)
		return false;
	track_text_copy(relay->name, name, sizeof(name));
	for (const char *const *glob = join->rules->smart_hosts; *glob != NULL; glob++)
		if (fnmatch(*glob, name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

/* Whether a message that came in is what this delivery sent out: it said so by XFORWARD, or waits to
 * be named. The word of a server elsewhere is not enough. */
static int came_back(struct track_call *call, struct track_text id, bool *back)
{
	struct track_message child;
	int found = track_message_load(call, id, &child);

	*back = found == 1 &&
		(track_text_is(child.texts[TRACK_MESSAGE_PARENT], call->message->id) ||
			(track_message_has(&child, TRACK_FACT_WAITING) &&
				track_link_may_return(call->join, &call->line->relay)));
	return found < 0 ? -1 : 0;
}

/* The child that a delivery went on as, and how; none: NONE. */
static int child_of(
	struct track_call *call, struct track_text *child, enum track_relation *relation)
{
	const struct track_line *line = call->line;
	bool back = false;

	*child = line->child;
	*relation = child->length > 0 ? TRACK_RELATION_FORWARD : TRACK_RELATION_NONE;
	if (child->length > 0 || line->queued_as.length == 0)
		return 0;
	*child = line->queued_as;
	if (!track_link_is_own(call->join, &line->relay)) {
		if (came_back(call, *child, &back) < 0)
			return -1;
		if (!back)
			return 0;
	}
	*relation = TRACK_RELATION_REINJECT;
	return 0;
}

static const char *sent_status(const struct track_call *call, enum track_relation relation)
{
	if (relation != TRACK_RELATION_NONE)
		return "linked";
	if (track_text_is(call->line->program, "discard"))
		return "discarded";
	return is_smart_host(call->join, &call->line->relay) ? "handed-over" : "delivered";
}

static void report_relay(struct mg_event *event, const struct track_peer *relay)
{
	bool named = relay->name.length > 0 && !track_text_is(relay->name, "unknown") &&
		     !track_text_same(relay->name, relay->address);

	if (relay->address.text == NULL)
		return;
	track_report_text(
		event, MG_FIELD_DESTINATION_ADDRESS, named ? relay->name : relay->address);
	if (named)
		track_report_text(event, MG_FIELD_DESTINATION_DOMAIN, relay->name);
	track_report_text(event, MG_FIELD_DESTINATION_IP, relay->address);
	if (relay->port != 0)
		track_report_number(event, MG_FIELD_DESTINATION_PORT, relay->port);
}

static void report_delays(struct mg_event *event, const struct track_line *line)
{
	static const enum mg_field_id fields[] = {MG_FIELD_DELIVERY_BEFORE_QMGR,
		MG_FIELD_DELIVERY_IN_QMGR, MG_FIELD_DELIVERY_CONN_SETUP,
		MG_FIELD_DELIVERY_TRANSMISSION};

	if (line->delay >= 0)
		mg_event_set_float(event, &mg_fields[MG_FIELD_DELIVERY_DELAY], line->delay);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (line->delays[i] >= 0)
			mg_event_set_float(event, &mg_fields[fields[i]], line->delays[i]);
}

static int report_tls(struct track_call *call, struct mg_event *event)
{
	const struct track_line *line = call->line;
	struct connection connection;
	char raw[PROCESS_BYTES];
	int used = connection_load(call, raw, &connection);

	if (used < 0)
		return -1;
	/* What the line itself says holds; the version is in the TLS line alone. */
	track_report_text(event, MG_FIELD_DELIVERY_TLS,
		line->tls_level.text != NULL ? line->tls_level
		: used == 1                  ? connection.level
					     : track_text(NULL));
	if (used == 1)
		track_report_tls_version(event, MG_FIELD_DELIVERY_TLS_VERSION, connection.version);
	return 0;
}

static int report_delivery(
	struct track_call *call, struct mg_event *event, const struct mg_delivery *delivery)
{
	const struct track_line *line = call->line;
	bool given = strcmp(delivery->recipient, delivery->orig_recipient) == 0;

	track_report_message(event, call->message);
	track_report_line(event, line);
	track_report_word(event, MG_FIELD_EMAIL_TO, delivery->recipient);
	track_report_word(event, MG_FIELD_DELIVERY_RECIPIENT, delivery->recipient);
	if (!given)
		track_report_word(
			event, MG_FIELD_DELIVERY_ORIG_RECIPIENT, delivery->orig_recipient);
	if (!given && track_message_has(call->message, TRACK_FACT_GIVEN))
		mg_event_set_bool(event, &mg_fields[MG_FIELD_DELIVERY_ADDED], true);
	report_relay(event, &line->relay);
	track_report_text(event, MG_FIELD_DELIVERY_SERVICE, line->program);
	track_report_text(event, MG_FIELD_DELIVERY_DSN, line->dsn);
	track_report_number(event, MG_FIELD_DELIVERY_ATTEMPT, delivery->attempts);
	report_delays(event, line);
	if (line->reply_code != 0)
		track_report_number(event, MG_FIELD_DELIVERY_REPLY_CODE, line->reply_code);
	track_report_text(event, MG_FIELD_DELIVERY_REPLY_ENHANCED, line->reply_enhanced);
	track_report_text(event, MG_FIELD_DELIVERY_REPLY_TEXT, line->text);
	track_report_text(event, MG_FIELD_DELIVERY_REPLY_COMMAND, line->reply_command);
	return report_tls(call, event);
}

/* Texts of a recipient's row, as it wants them. */
struct row_texts {
	char recipient[ADDRESS_MAX + 1], orig[ADDRESS_MAX + 1], host[HOST_MAX], dsn[DSN_MAX],
		reply[REPLY_MAX], command[32], sender[ADDRESS_MAX + 1], tenant[101];
};

/* The row that a delivery is of: that of the recipient; or of the one it was made of, which it takes
 * the place of; or a new one. */
static int find_row(struct track_call *call, struct row_texts *texts, struct mg_delivery *delivery)
{
	const struct track_line *line = call->line;
	struct track_message *message = call->message;
	int found = track_recipient_find(call, message, line->to, delivery);

	if (found != 0) {
		if (found == 1 && strcmp(delivery->recipient, delivery->orig_recipient) == 0)
			message->facts |= TRACK_FACT_MATCHED;
		return found < 0 ? -1 : 0;
	}
	*delivery = (struct mg_delivery){.accepted = message->accepted};
	if (delivery->accepted == 0)
		delivery->accepted = message->created;
	delivery->tenant = track_text_copy(
		message->texts[TRACK_MESSAGE_TENANT], texts->tenant, sizeof(texts->tenant));
	delivery->sender = track_text_copy(
		message->texts[TRACK_MESSAGE_FROM], texts->sender, sizeof(texts->sender));
	delivery->orig_recipient = track_text_copy(line->orig_to, texts->orig, sizeof(texts->orig));
	delivery->recipient = track_text_copy(line->to, texts->recipient, sizeof(texts->recipient));
	delivery->hold_code = "";
	if (line->orig_to.length > 0) {
		struct mg_delivery given;

		found = track_recipient_find(call, message, line->orig_to, &given);
		if (found == 1) {
			message->facts |= TRACK_FACT_MATCHED;
			delivery->accepted = given.accepted;
			found = track_recipient_drop(call, &given);
		}
	}
	return found < 0 ? -1 : 0;
}

static void note_attempt(
	const struct track_call *call, struct row_texts *texts, struct mg_delivery *delivery)
{
	const struct track_line *line = call->line;
	const struct track_peer *relay = &line->relay;

	delivery->queue_id = call->message->id;
	delivery->trace_id = call->message->trace_id;
	delivery->attempts++;
	delivery->last = call->utc;
	delivery->host = relay->address.text == NULL
				 ? ""
				 : track_text_copy(relay->name, texts->host, sizeof(texts->host));
	delivery->dsn = track_text_copy(line->dsn, texts->dsn, sizeof(texts->dsn));
	delivery->reply = track_text_copy(line->text, texts->reply, sizeof(texts->reply));
	delivery->reply_code = line->reply_code;
	delivery->reply_command =
		track_text_copy(line->reply_command, texts->command, sizeof(texts->command));
}

/* Ends a recipient: its row becomes a reply. */
static int end_row(
	struct track_call *call, struct mg_delivery *delivery, enum mg_delivery_state state)
{
	delivery->state = state;
	if (track_recipient_drop(call, delivery) < 0)
		return -1;
	return mg_delivery_end(call->tx, delivery, call->error);
}

static int on_sent(struct track_call *call, struct mg_delivery *delivery)
{
	struct track_text child;
	enum track_relation relation;
	struct mg_event *event;

	if (child_of(call, &child, &relation) < 0)
		return -1;
	event = track_report(call, MG_DELIVERY_SUCCEEDED);
	if (report_delivery(call, event, delivery) < 0) {
		mg_event_free(event);
		return -1;
	}
	track_report_word(event, MG_FIELD_DELIVERY_STATUS, sent_status(call, relation));
	mg_event_set_bool(
		event, &mg_fields[MG_FIELD_DELIVERY_FINAL], relation == TRACK_RELATION_NONE);
	if (relation == TRACK_RELATION_NONE)
		mg_event_set_time(event, &mg_fields[MG_FIELD_EMAIL_DELIVERY], call->utc);
	else
		track_report_child(event, child, relation);
	if (track_report_send(call, event) < 0 || track_message_save(call, call->message) < 0)
		return -1;
	if (relation == TRACK_RELATION_NONE)
		return end_row(call, delivery, MG_DELIVERY_DONE);
	return track_recipient_drop(call, delivery) < 0
		       ? -1
		       : track_link(call, call->message, child, relation);
}

static int on_not_sent(struct track_call *call, struct mg_delivery *delivery, enum outcome outcome)
{
	bool final = outcome == OUTCOME_BOUNCED;
	struct mg_event *event =
		track_report(call, final ? MG_DELIVERY_FAILED : MG_DELIVERY_DEFERRED);

	if (report_delivery(call, event, delivery) < 0) {
		mg_event_free(event);
		return -1;
	}
	track_report_word(event, MG_FIELD_DELIVERY_STATUS, final ? "bounced" : "deferred");
	mg_event_set_bool(event, &mg_fields[MG_FIELD_DELIVERY_FINAL], final);
	if (track_report_send(call, event) < 0 || track_message_save(call, call->message) < 0)
		return -1;
	if (final)
		return end_row(call, delivery, MG_DELIVERY_BOUNCED);
	delivery->state = MG_DELIVERY_WAITING;
	return track_recipient_save(call, delivery);
}

int track_on_delivery(struct track_call *call)
{
	struct track_message *message = track_stage_message(call, TRACK_ORIGIN_UNKNOWN);
	struct row_texts texts;
	struct mg_delivery delivery = {.queue_id = "", .recipient = "", .orig_recipient = ""};
	enum outcome outcome;

	if (message == NULL || !outcome_of(call->line->status, &outcome))
		return 0;
	if (outcome == OUTCOME_PROBE) {
		message->facts |= TRACK_FACT_PROBE;
		return track_message_save(call, message);
	}
	if (message->active == 0)
		message->active = call->utc;
	message->facts |= TRACK_FACT_TRIED | TRACK_FACT_ACTIVE;
	/* What seemed to have ended has not. */
	message->facts &= ~(uint32_t)(TRACK_FACT_DOUBT | TRACK_FACT_CLOSED);
	if (find_row(call, &texts, &delivery) < 0)
		return -1;
	note_attempt(call, &texts, &delivery);
	return outcome == OUTCOME_SENT ? on_sent(call, &delivery)
				       : on_not_sent(call, &delivery, outcome);
}

/* --- expiry, which Postfix tells of the message alone --- */

static struct mg_event *expired_event(struct track_call *call)
{
	struct mg_event *event = track_report(call, MG_DELIVERY_EXPIRED);

	track_report_message(event, call->message);
	track_report_line(event, call->line);
	track_report_word(event, MG_FIELD_DELIVERY_STATUS, "expired");
	mg_event_set_bool(event, &mg_fields[MG_FIELD_DELIVERY_FINAL], true);
	track_report_word(event, MG_FIELD_EVENT_REASON,
		track_text_is(call->line->word, "force-expired") ? "expired by the operator"
								 : "maximal_queue_lifetime");
	return event;
}

static int expire_recipient(
	struct track_call *call, const struct mg_delivery *delivery, void *context)
{
	struct mg_event *event = expired_event(call);
	struct mg_delivery ended = *delivery;

	++*(size_t *)context;
	track_report_word(event, MG_FIELD_EMAIL_TO, delivery->recipient);
	track_report_word(event, MG_FIELD_DELIVERY_RECIPIENT, delivery->recipient);
	if (strcmp(delivery->recipient, delivery->orig_recipient) != 0)
		track_report_word(
			event, MG_FIELD_DELIVERY_ORIG_RECIPIENT, delivery->orig_recipient);
	track_report_number(event, MG_FIELD_DELIVERY_ATTEMPT, delivery->attempts);
	track_report_word(event, MG_FIELD_DESTINATION_ADDRESS, delivery->host);
	track_report_word(event, MG_FIELD_DELIVERY_DSN, delivery->dsn);
	if (delivery->reply_code != 0)
		track_report_number(event, MG_FIELD_DELIVERY_REPLY_CODE, delivery->reply_code);
	track_report_word(event, MG_FIELD_DELIVERY_REPLY_TEXT, delivery->reply);
	track_report_word(event, MG_FIELD_DELIVERY_REPLY_COMMAND, delivery->reply_command);
	if (track_report_send(call, event) < 0)
		return -1;
	if (ended.last == 0)
		ended.last = call->utc;
	return end_row(call, &ended, MG_DELIVERY_GIVEN_UP);
}

int track_on_expired(struct track_call *call)
{
	struct track_message *message = track_stage_message(call, TRACK_ORIGIN_UNKNOWN);
	size_t expired = 0;

	if (message == NULL)
		return 0;
	message->texts[TRACK_MESSAGE_FROM] = call->line->from;
	if (track_recipients_each(call, message, expire_recipient, &expired) < 0)
		return -1;
	/* Whose recipients nobody told. */
	if (expired == 0 && !track_message_has(message, TRACK_FACT_PROBE) &&
		track_report_send(call, expired_event(call)) < 0)
		return -1;
	return track_message_save(call, message);
}
