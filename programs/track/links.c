/* SPDX-License-Identifier: ISC */
/* Messages that come of others: bounces and notices, forwards, what a filter gave back, requeues. A
 * child has the trace.id of the first. Postfix before 3.11 writes a child's first lines before the one
 * that names it: until then, or for two seconds, they wait, kept as they were read. */
#include <string.h>

#include "base/net.h"
#include "base/str.h"
#include "track/join_private.h"

enum {
	LINES_MAX = 64, /* that wait for the parent of a message */
	LINE_MAX = 4096, /* bytes of one */
	KEY_MAX = TRACK_ID_MAX + 1 + 4,
	DEPTH_MAX = 16, /* children of children whose lines are done within one another */
	ENDPOINT_MAX = 80
};

/* --- lines that wait --- */

static size_t line_key(unsigned char key[KEY_MAX], const char *id, uint32_t number)
{
	size_t length = strlen(id) + 1;

	memcpy(key, id, length);
	for (size_t i = 0; i < sizeof(number); i++)
		key[length + i] = (unsigned char)(number >> (24 - 8 * i));
	return length + sizeof(number);
}

int track_link_wait(struct track_call *call)
{
	const struct track_record *record = call->record;
	struct track_message *message = call->message;
	struct mg_buf *kept = &call->join->value;
	unsigned char key[KEY_MAX];
	size_t length;

	if (message->lines >= LINES_MAX || record->length > LINE_MAX ||
		record->identifier_length > LINE_MAX)
		return 0;
	length = line_key(key, message->id, message->lines++);
	mg_buf_reset(kept);
	track_pack_number(kept, (uint64_t)record->utc);
	track_pack_number(kept, record->pid);
	track_pack_text(
		kept, (struct track_text){record->identifier, record->identifier_length}, LINE_MAX);
	track_pack_text(kept, track_text(record->position), TRACK_POSITION_MAX);
	track_pack_text(kept, (struct track_text){record->text, record->length}, LINE_MAX);
	if (kept->failed) {
		mg_error_set(call->error, "out of memory");
		return -1;
	}
	if (mg_store_put(call->tx, TRACK_TABLE_LINES, key, length, kept->data, kept->length,
		    call->error) < 0)
		return -1;
	return track_message_save(call, message) < 0 ? -1 : 1;
}

/* Does a line that has waited, as if it were read now. */
static int redo(struct track_call *call, const char *kept, size_t length)
{
	struct track_unpacking from = {
		(const unsigned char *)kept, (const unsigned char *)kept + length, false};
	struct track_record record = {.utc = (int64_t)track_unpack_number(&from)};
	struct track_text identifier, position, text;
	struct track_line line;
	struct track_call again = {.join = call->join,
		.tx = call->tx,
		.error = call->error,
		.record = &record,
		.line = &line,
		.utc = record.utc,
		.depth = call->depth + 1};

	record.pid = (uint32_t)track_unpack_number(&from);
	identifier = track_unpack_text(&from);
	position = track_unpack_text(&from);
	text = track_unpack_text(&from);
	if (from.failed)
		return 0;
	record.identifier = identifier.text;
	record.identifier_length = identifier.length;
	record.position = position.text;
	record.text = text.text;
	record.length = text.length;
	if (track_line_read(&record, call->join->rules->instances, &line) != TRACK_READ)
		return 0;
	return track_join_dispatch(&again);
}

static int redo_line(struct track_call *call, const char *id, uint32_t number)
{
	unsigned char key[KEY_MAX];
	size_t length = line_key(key, id, number);
	struct mg_buf kept = {0};
	struct mg_store_value value;
	int found = mg_store_get(call->tx, TRACK_TABLE_LINES, key, length, &value, call->error);

	if (found <= 0)
		return found;
	mg_buf_add(&kept, value.bytes, value.length);
	if (kept.failed) {
		mg_error_set(call->error, "out of memory");
		found = -1;
	} else if (mg_store_delete(call->tx, TRACK_TABLE_LINES, key, length, call->error) < 0 ||
		   redo(call, kept.data, kept.length) < 0) {
		found = -1;
	}
	mg_buf_free(&kept);
	return found;
}

int track_link_release(struct track_call *call, struct track_message *message)
{
	uint32_t lines = message->lines;
	char id[TRACK_ID_MAX + 1];

	memcpy(id, message->id, sizeof(id));
	message->facts &= ~(uint32_t)(TRACK_FACT_WAITING | TRACK_FACT_WAITING_LOG);
	message->facts |= TRACK_FACT_WAITED;
	message->lines = 0;
	if (track_message_save(call, message) < 0)
		return -1;
	for (uint32_t i = 0; i < lines; i++)
		if (redo_line(call, id, i) < 0)
			return -1;
	return track_message_load(call, track_text(id), message) < 0 ? -1 : 0;
}

/* --- links --- */

/* What a message has of its parent is kept in it: the parent may go. */
static void inherit(struct track_message *child, const struct track_message *parent,
	enum track_message_text which, size_t from, size_t size)
{
	if (child->texts[which].length > 0 || parent->texts[which].length == 0)
		return;
	track_text_copy(parent->texts[which], child->kept + from, size);
	child->texts[which] = track_text(child->kept + from);
}

void track_link_message(const struct track_message *parent, struct track_message *child,
	enum track_relation relation)
{
	enum { PARENT = 0, TENANT = 32, DIRECTION = 160 };

	if (child->relation != TRACK_RELATION_NONE || strcmp(parent->id, child->id) == 0)
		return;
	child->relation = relation;
	memcpy(child->kept, parent->id, sizeof(parent->id));
	child->texts[TRACK_MESSAGE_PARENT] = track_text(child->kept);
	memcpy(child->trace_id, parent->trace_id, sizeof(child->trace_id));
	inherit(child, parent, TRACK_MESSAGE_TENANT, TENANT, DIRECTION - TENANT);
	if (relation == TRACK_RELATION_REQUEUE || relation == TRACK_RELATION_REINJECT)
		inherit(child, parent, TRACK_MESSAGE_DIRECTION, DIRECTION,
			TRACK_MESSAGE_KEPT - DIRECTION);
}

int track_link(struct track_call *call, const struct track_message *parent,
	struct track_text child_id, enum track_relation relation)
{
	struct track_message child;
	int found;

	if (track_text_is(child_id, parent->id) || call->depth >= DEPTH_MAX)
		return 0;
	found = track_message_load(call, child_id, &child);
	if (found < 0 || child.id[0] == '\0')
		return found < 0 ? -1 : 0;
	if (found == 0)
		track_message_begin(call, &child, TRACK_ORIGIN_INTERNAL);
	track_link_message(parent, &child, relation);
	return track_message_has(&child, TRACK_FACT_WAITING) ? track_link_release(call, &child)
							     : track_message_save(call, &child);
}

static enum track_relation relation_of(const struct track_line *line)
{
	if (track_text_is(line->addressee, "postmaster"))
		return TRACK_RELATION_POSTMASTER;
	if (track_text_starts(line->word, "delay"))
		return TRACK_RELATION_DELAY;
	return track_text_starts(line->word, "delivery status") ? TRACK_RELATION_SUCCESS
								: TRACK_RELATION_BOUNCE;
}

int track_on_notification(struct track_call *call)
{
	const struct track_line *line = call->line;
	struct track_message *message = track_stage_message(call, TRACK_ORIGIN_UNKNOWN);
	enum track_relation relation = relation_of(line);
	struct mg_event *event;

	if (message == NULL)
		return 0;
	event = track_report(call, MG_NOTIFICATION_SENT);
	track_report_message(event, message);
	track_report_line(event, line);
	track_report_child(event, line->child, relation);
	if (line->kind == TRACK_NOTIFICATION_FAILED) {
		mg_event_set_outcome(event, false);
		track_report_reason(call, event, line->text);
	}
	if (track_report_send(call, event) < 0 || track_message_save(call, message) < 0)
		return -1;
	return line->child.length > 0 ? track_link(call, message, line->child, relation) : 0;
}

/* --- own listeners --- */

/* "127.0.0.1:10025" of a peer. */
static bool endpoint(const struct track_peer *peer, char text[ENDPOINT_MAX])
{
	struct sockaddr_storage address;
	char copy[ENDPOINT_MAX];

	track_text_copy(peer->address, copy, sizeof(copy));
	if (!mg_net_parse(copy, peer->port, &address))
		return false;
	mg_net_key(&address, text, ENDPOINT_MAX);
	return true;
}

bool track_link_is_own(const struct track_join *join, const struct track_peer *relay)
{
	char text[ENDPOINT_MAX];

	if (join->rules->own_listeners == NULL || relay->address.text == NULL ||
		!endpoint(relay, text))
		return false;
	for (const char *const *own = join->rules->own_listeners; *own != NULL; own++)
		if (mg_str_equal_nocase(*own, text))
			return true;
	return false;
}

bool track_link_may_return(const struct track_join *join, const struct track_peer *client)
{
	struct sockaddr_storage address;
	char text[ENDPOINT_MAX];

	if (join->rules->own_listeners == NULL || join->rules->own_listeners[0] == NULL ||
		client->address.text == NULL)
		return false;
	track_text_copy(client->address, text, sizeof(text));
	if (!mg_net_parse(text, 0, &address))
		return false;
	if (mg_net_is_loopback(&address))
		return true;
	mg_net_format(&address, text, sizeof(text));
	for (const char *const *own = join->rules->own_listeners; *own != NULL; own++)
		if (strncmp(*own, text, strlen(text)) == 0 && (*own)[strlen(text)] == ':')
			return true;
	return false;
}
