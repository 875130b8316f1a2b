/* SPDX-License-Identifier: ISC */
#include "track/message.h"

#include <string.h>

#include "mail/message.h"
#include "track/join_private.h"

enum { FORMAT = 1, DUE_TIME_BYTES = 8 };

/* Bytes that are kept of each text. */
static const size_t most[TRACK_MESSAGE_TEXT_COUNT] = {
	[TRACK_MESSAGE_FROM] = 320,
	[TRACK_MESSAGE_MESSAGE_ID] = 512,
	[TRACK_MESSAGE_DIRECTION] = 16,
	[TRACK_MESSAGE_TENANT] = 100,
	[TRACK_MESSAGE_PARENT] = TRACK_ID_MAX,
	[TRACK_MESSAGE_SEEN] = 160,
	[TRACK_MESSAGE_HOLD_CODE] = 64,
	[TRACK_MESSAGE_HOLD_BY] = 32,
	[TRACK_MESSAGE_INSTANCE] = 64,
};

static const char *const relation_names[TRACK_RELATION_COUNT] = {
	[TRACK_RELATION_NONE] = "",
	[TRACK_RELATION_BOUNCE] = "bounce",
	[TRACK_RELATION_DELAY] = "delay-notice",
	[TRACK_RELATION_SUCCESS] = "success-notice",
	[TRACK_RELATION_POSTMASTER] = "postmaster-notice",
	[TRACK_RELATION_FORWARD] = "forward",
	[TRACK_RELATION_REINJECT] = "reinject",
	[TRACK_RELATION_REQUEUE] = "requeue",
};

const char *track_relation_name(enum track_relation relation)
{
	return relation_names[relation];
}

bool track_message_has(const struct track_message *message, uint32_t facts)
{
	return (message->facts & facts) == facts;
}

bool track_message_any(const struct track_message *message, uint32_t facts)
{
	return (message->facts & facts) != 0;
}

/* All but the texts, which are what a record has behind it. */
static void clear(struct track_message *message)
{
	memset(message, 0, offsetof(struct track_message, kept));
	message->size = -1;
	message->recipients = -1;
}

/* Times of a message lie close together: what is packed is their distance from its begin. */
static void pack_time(struct mg_buf *record, const struct track_message *message, int64_t time)
{
	int64_t since = time - message->created;

	track_pack_number(record, time == 0 ? 0 : (uint64_t)since << 2 | (since < 0 ? 3 : 1));
}

static int64_t unpack_time(struct track_unpacking *from, const struct track_message *message)
{
	uint64_t number = track_unpack_number(from);

	if (number == 0)
		return 0;
	return message->created +
	       (int64_t)(number >> 2 | ((number & 2) != 0 ? UINT64_C(3) << 62 : 0));
}

static void pack(const struct track_message *message, struct mg_buf *record)
{
	mg_buf_reset(record);
	mg_buf_add_char(record, FORMAT);
	track_pack_text(record, track_text(message->trace_id), TRACK_TRACE_TEXT);
	track_pack_number(record, message->facts);
	track_pack_number(record, message->origin);
	track_pack_number(record, message->relation);
	track_pack_number(record, (uint64_t)message->created);
	pack_time(record, message, message->accepted);
	pack_time(record, message, message->active);
	pack_time(record, message, message->asked);
	pack_time(record, message, message->last);
	pack_time(record, message, message->due);
	track_pack_number(record, (uint64_t)(message->size + 1));
	track_pack_number(record, (uint64_t)(message->recipients + 1));
	track_pack_number(record, message->pid);
	track_pack_number(record, message->lines);
	track_client_pack(record, &message->client);
	for (size_t i = 0; i < TRACK_MESSAGE_TEXT_COUNT; i++)
		track_pack_text(record, message->texts[i], most[i]);
}

static bool unpack(struct track_message *message, const struct mg_store_value *value)
{
	struct track_unpacking from;

	if (value->length < 1 || value->length > sizeof(message->raw))
		return false;
	memcpy(message->raw, value->bytes, value->length);
	from = (struct track_unpacking){(const unsigned char *)message->raw + 1,
		(const unsigned char *)message->raw + value->length, message->raw[0] != FORMAT};
	track_text_copy(track_unpack_text(&from), message->trace_id, sizeof(message->trace_id));
	message->facts = (uint32_t)track_unpack_number(&from);
	message->origin = (enum track_origin)track_unpack_number(&from);
	message->relation = (enum track_relation)track_unpack_number(&from);
	message->created = (int64_t)track_unpack_number(&from);
	message->accepted = unpack_time(&from, message);
	message->active = unpack_time(&from, message);
	message->asked = unpack_time(&from, message);
	message->last = unpack_time(&from, message);
	message->due = unpack_time(&from, message);
	message->size = (int64_t)track_unpack_number(&from) - 1;
	message->recipients = (int64_t)track_unpack_number(&from) - 1;
	message->pid = (uint32_t)track_unpack_number(&from);
	message->lines = (uint32_t)track_unpack_number(&from);
	track_client_unpack(&from, &message->client);
	for (size_t i = 0; i < TRACK_MESSAGE_TEXT_COUNT; i++)
		message->texts[i] = track_unpack_text(&from);
	return !from.failed && message->relation < TRACK_RELATION_COUNT;
}

int track_message_load(struct track_call *call, struct track_text id, struct track_message *message)
{
	struct mg_store_value value;
	int found;

	clear(message);
	if (id.length == 0 || id.length > TRACK_ID_MAX)
		return 0;
	track_text_copy(id, message->id, sizeof(message->id));
	found = mg_store_get(
		call->tx, TRACK_TABLE_MESSAGES, id.text, id.length, &value, call->error);
	if (found != 1 || unpack(message, &value))
		return found;
	clear(message);
	track_text_copy(id, message->id, sizeof(message->id));
	return 0;
}

void track_message_begin(
	struct track_call *call, struct track_message *message, enum track_origin origin)
{
	char id[TRACK_ID_MAX + 1];
	int64_t due = message->due;

	memcpy(id, message->id, sizeof(id));
	clear(message);
	memcpy(message->id, id, sizeof(id));
	message->due = due;
	message->origin = origin;
	message->created = call->utc;
	message->last = call->utc;
	mg_trace_id(call->join->rules->gateway, id, message->trace_id);
}

/* --- when it is looked at --- */

static size_t due_key(
	unsigned char key[DUE_TIME_BYTES + TRACK_ID_MAX], int64_t time, const char *id)
{
	size_t length = strlen(id);

	for (size_t i = 0; i < DUE_TIME_BYTES; i++)
		key[i] = (unsigned char)((uint64_t)time >> (56 - 8 * i));
	memcpy(key + DUE_TIME_BYTES, id, length);
	return DUE_TIME_BYTES + length;
}

static int64_t due_time(const unsigned char *key)
{
	uint64_t time = 0;

	for (size_t i = 0; i < DUE_TIME_BYTES; i++)
		time = time << 8 | key[i];
	return (int64_t)time;
}

static int due_drop(struct track_call *call, struct track_message *message)
{
	unsigned char key[DUE_TIME_BYTES + TRACK_ID_MAX];
	size_t length = due_key(key, message->due, message->id);

	if (message->due == 0)
		return 0;
	message->due = 0;
	return mg_store_delete(call->tx, TRACK_TABLE_DUE, key, length, call->error) < 0 ? -1 : 0;
}

/* A row that is too early does no harm: the message is looked at, and gets another. So most have one
 * in their life. */
static int due_put(struct track_call *call, struct track_message *message)
{
	unsigned char key[DUE_TIME_BYTES + TRACK_ID_MAX];
	int64_t due = track_due_next(call->join, message, call->utc);

	/* What was looked at now is not looked at again at once. */
	if (call->record == NULL && due <= call->utc)
		due = call->utc + MG_SECOND;
	if (message->due != 0 && message->due <= due)
		return 0;
	if (due_drop(call, message) < 0)
		return -1;
	if (due == INT64_MAX)
		return 0;
	message->due = due;
	return mg_store_put(
		call->tx, TRACK_TABLE_DUE, key, due_key(key, due, message->id), "", 0, call->error);
}

int track_message_save(struct track_call *call, struct track_message *message)
{
	struct mg_buf *record = &call->join->value;

	if (message->id[0] == '\0')
		return 0;
	if (call->record != NULL && call->utc > message->last)
		message->last = call->utc;
	if (due_put(call, message) < 0)
		return -1;
	pack(message, record);
	if (record->failed) {
		mg_error_set(call->error, "out of memory");
		return -1;
	}
	return mg_store_put(call->tx, TRACK_TABLE_MESSAGES, message->id, strlen(message->id),
		record->data, record->length, call->error);
}

int track_message_drop(struct track_call *call, struct track_message *message)
{
	if (due_drop(call, message) < 0)
		return -1;
	return mg_store_delete(call->tx, TRACK_TABLE_MESSAGES, message->id, strlen(message->id),
		       call->error) < 0
		       ? -1
		       : 0;
}

/* --- walks --- */

/* Keys are collected first: what is done with one changes the table that is walked. */
struct collection {
	struct mg_buf keys; /* each with its length before it, a byte */
	size_t most, count;
	int64_t until;
};

static bool collect(void *context, struct mg_store_tx *tx, const void *key, size_t length,
	const struct mg_store_value *value)
{
	struct collection *collection = context;

	(void)tx;
	(void)value;
	if (collection->count >= collection->most || length > UINT8_MAX)
		return false;
	mg_buf_add_char(&collection->keys, (char)length);
	mg_buf_add(&collection->keys, key, length);
	collection->count++;
	return !collection->keys.failed;
}

static bool collect_due(void *context, struct mg_store_tx *tx, const void *key, size_t length,
	const struct mg_store_value *value)
{
	const struct collection *collection = context;

	if (length <= DUE_TIME_BYTES || length > DUE_TIME_BYTES + TRACK_ID_MAX ||
		due_time(key) > collection->until)
		return false;
	return collect(context, tx, key, length, value);
}

static int look_at(struct track_call *call, const unsigned char *key, size_t length, int64_t now,
	int (*look)(struct track_call *call, struct track_message *message, int64_t now))
{
	struct track_message message;
	struct track_text id = {(const char *)key + DUE_TIME_BYTES, length - DUE_TIME_BYTES};
	int found;

	if (mg_store_delete(call->tx, TRACK_TABLE_DUE, key, length, call->error) < 0)
		return -1;
	found = track_message_load(call, id, &message);
	if (found <= 0 || message.due != due_time(key))
		return found < 0 ? -1 : 0;
	message.due = 0;
	return look(call, &message, now);
}

int64_t track_message_walk_due(struct track_call *call, int64_t now, size_t limit,
	int (*look)(struct track_call *call, struct track_message *message, int64_t now))
{
	struct collection due = {.most = limit, .until = now};
	int64_t count =
		mg_store_walk(call->tx, TRACK_TABLE_DUE, "", 0, collect_due, &due, call->error);
	const unsigned char *at = (const unsigned char *)due.keys.data;

	for (size_t i = 0; count >= 0 && i < due.count; i++) {
		size_t length = *at++;

		if (look_at(call, at, length, now, look) < 0)
			count = -1;
		at += length;
	}
	if (count >= 0)
		count = (int64_t)due.count;
	mg_buf_free(&due.keys);
	return count;
}

static bool first_of(void *context, struct mg_store_tx *tx, const void *key, size_t length,
	const struct mg_store_value *value)
{
	(void)tx;
	(void)value;
	if (length > DUE_TIME_BYTES)
		*(int64_t *)context = due_time(key);
	return false;
}

int track_message_first_due(struct track_call *call, int64_t *first)
{
	*first = INT64_MAX;
	return mg_store_walk(call->tx, TRACK_TABLE_DUE, "", 0, first_of, first, call->error) < 0
		       ? -1
		       : 0;
}

int track_message_walk(struct track_call *call,
	int (*each)(struct track_call *call, struct track_message *message, void *context),
	void *context)
{
	enum { AT_ONCE = 1000 };
	struct track_message message;
	unsigned char from[TRACK_ID_MAX + 2];
	size_t from_length = 0;
	int result = 0;

	for (size_t count = AT_ONCE; count == AT_ONCE && result == 0;) {
		struct collection part = {.most = AT_ONCE};
		const unsigned char *at;

		if (mg_store_walk(call->tx, TRACK_TABLE_MESSAGES, from, from_length, collect, &part,
			    call->error) < 0 ||
			part.keys.failed)
			result = -1;
		at = (const unsigned char *)part.keys.data;
		count = part.count;
		for (size_t i = 0; i < count && result == 0; i++) {
			size_t length = *at++;
			int found = track_message_load(
				call, (struct track_text){(const char *)at, length}, &message);

			result = found == 1 ? each(call, &message, context) : found;
			/* The next part begins behind this key. */
			from_length = length + 1;
			memcpy(from, at, length);
			from[length] = '\0';
			at += length;
		}
		mg_buf_free(&part.keys);
	}
	return result;
}
