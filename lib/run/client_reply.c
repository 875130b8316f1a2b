/* SPDX-License-Identifier: ISC */
#include "run/client_reply.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { EDITS_MAX = 100000, EDIT_BYTES_MAX = 256 * 1024 * 1024 }; /* of one end of message */

static bool judges_session(char command)
{
	return command == MG_WIRE_CONNECT || command == MG_WIRE_HELO;
}

/* What the data of an edit consists of. */
struct edit_form {
	char kind;
	bool index;
	bool name;
	enum { VALUE_NONE, VALUE_OPTIONAL, VALUE_TEXT, VALUE_BYTES } value;
};
static const struct edit_form edit_forms[] = {
	{MG_REPLY_ADD_RECIPIENT, false, true, VALUE_NONE},
	{MG_REPLY_ADD_RECIPIENT_PARAMETERS, false, true, VALUE_OPTIONAL},
	{MG_REPLY_DELETE_RECIPIENT, false, true, VALUE_NONE},
	{MG_REPLY_CHANGE_SENDER, false, true, VALUE_OPTIONAL},
	{MG_REPLY_ADD_HEADER, false, true, VALUE_TEXT},
	{MG_REPLY_INSERT_HEADER, true, true, VALUE_TEXT},
	{MG_REPLY_CHANGE_HEADER, true, true, VALUE_TEXT},
	{MG_REPLY_QUARANTINE, false, false, VALUE_TEXT},
	{MG_REPLY_REPLACE_BODY, false, false, VALUE_BYTES},
};

/* Reads an edit whose texts point into the packet; false: malformed. */
static bool read_edit(
	const struct edit_form *form, const struct mg_packet *packet, struct mg_client_edit *edit)
{
	struct mg_wire_cursor cursor;

	*edit = (struct mg_client_edit){
		.kind = (enum mg_wire_reply)form->kind, .name = "", .value = ""};
	mg_wire_cursor_init(&cursor, packet);
	if (form->index)
		edit->index = mg_wire_number32(&cursor);
	if (form->name)
		edit->name = mg_wire_text(&cursor);
	if (form->value == VALUE_BYTES) {
		edit->value = packet->data;
		edit->value_length = packet->length;
		return true;
	}
	if (form->value == VALUE_TEXT ||
		(form->value == VALUE_OPTIONAL && !cursor.failed && !mg_wire_at_end(&cursor)))
		edit->value = mg_wire_text(&cursor);
	edit->value_length = strlen(edit->value);
	return !cursor.failed && mg_wire_at_end(&cursor);
}

static bool make_room(struct mg_client_reply *reply)
{
	size_t room = reply->edit_room == 0 ? 16 : reply->edit_room * 2;
	struct mg_client_edit *edits;
	char **data;

	if (reply->edit_count < reply->edit_room)
		return true;
	edits = realloc(reply->edits, room * sizeof(*edits));
	if (edits != NULL)
		reply->edits = edits;
	data = realloc(reply->edit_data, room * sizeof(*data));
	if (data != NULL)
		reply->edit_data = data;
	if (edits == NULL || data == NULL)
		return false;
	reply->edit_room = room;
	return true;
}

/* Keeps a copy of the edit in packet; false with error. */
static bool keep_edit(struct mg_client_reply *reply, const struct edit_form *form,
	const struct mg_packet *packet, struct mg_error *error)
{
	struct mg_packet copy = *packet;
	struct mg_client_edit edit;
	char *data;

	if (reply->edit_count >= EDITS_MAX || packet->length > EDIT_BYTES_MAX - reply->edit_bytes) {
		mg_error_set(error, "the filter makes too many edits");
		return false;
	}
	data = malloc(packet->length + 1);
	if (data == NULL || !make_room(reply)) {
		free(data);
		mg_error_set(error, "out of memory");
		return false;
	}
	memcpy(data, packet->data, packet->length + 1);
	copy.data = data;
	if (!read_edit(form, &copy, &edit)) {
		free(data);
		mg_error_set(error, "the filter sent a malformed edit '%c'", form->kind);
		return false;
	}
	reply->edit_data[reply->edit_count] = data;
	reply->edits[reply->edit_count++] = edit;
	reply->edit_bytes += packet->length;
	return true;
}

/* The reply of a filter, "550 5.7.1 text" with %% for %, lines apart by CRLF; Postfix checks no
 * more than this of it. */
static bool take_text(
	struct mg_client_reply *reply, const struct mg_packet *packet, struct mg_error *error)
{
	const char *text = packet->data;
	size_t length = strnlen(text, packet->length), used = 0;

	if (length < 4 || (text[0] != '4' && text[0] != '5') || !isdigit((unsigned char)text[1]) ||
		!isdigit((unsigned char)text[2]) || (text[3] != ' ' && text[3] != '-') ||
		(isdigit((unsigned char)text[4]) && text[4] != text[0])) {
		char printable[80];

		mg_error_set(error, "the filter sent a malformed reply: %s",
			mg_str_printable(printable, sizeof(printable), text, length));
		return false;
	}
	for (size_t i = 0; i < length && used < sizeof(reply->text) - 1; i++) {
		if (text[i] == '%' && ++i >= length)
			break;
		reply->text[used++] = text[i];
	}
	reply->text[used] = '\0';
	return true;
}

/* Answers that are one letter without data. */
struct plain_answer {
	char reply;
	enum mg_answer answer;
	const char *text;
};
static const struct plain_answer plain_answers[] = {
	{MG_REPLY_CONTINUE, MG_ANSWER_CONTINUE, ""},
	{MG_REPLY_ACCEPT, MG_ANSWER_ACCEPT, ""},
	{MG_REPLY_DISCARD, MG_ANSWER_DISCARD, ""},
	{MG_REPLY_SKIP, MG_ANSWER_SKIP, ""},
	{MG_REPLY_REJECT, MG_ANSWER_REJECT, "550 5.7.1 Command rejected"},
	{MG_REPLY_TEMPFAIL, MG_ANSWER_TEMPFAIL, "451 4.7.1 Service unavailable - try again later"},
};

enum mg_answer mg_client_reply_take(struct mg_client_reply *reply, char command,
	const struct mg_packet *packet, struct mg_error *error)
{
	for (size_t i = 0; i < sizeof(plain_answers) / sizeof(plain_answers[0]); i++) {
		const struct plain_answer *plain = &plain_answers[i];

		if (packet->command != plain->reply || packet->length != 0)
			continue;
		if (plain->answer == MG_ANSWER_DISCARD && judges_session(command))
			break;
		mg_str_copy(reply->text, sizeof(reply->text), plain->text);
		return plain->answer;
	}
	if (packet->command == MG_REPLY_PROGRESS && packet->length == 0)
		return MG_ANSWER_NONE;
	if (packet->command == MG_REPLY_CODE) {
		if (!take_text(reply, packet, error))
			return MG_ANSWER_LOST;
		return reply->text[0] == '5' ? MG_ANSWER_REJECT : MG_ANSWER_TEMPFAIL;
	}
	for (size_t i = 0; i < sizeof(edit_forms) / sizeof(edit_forms[0]); i++) {
		if (packet->command == edit_forms[i].kind && command == MG_WIRE_BODY_END)
			return keep_edit(reply, &edit_forms[i], packet, error) ? MG_ANSWER_NONE
									       : MG_ANSWER_LOST;
	}
	mg_error_set(error, "the filter answered command '%c' with 0x%02x and %zu bytes", command,
		(unsigned)(unsigned char)packet->command, packet->length);
	return MG_ANSWER_LOST;
}

void mg_client_reply_reset(struct mg_client_reply *reply)
{
	for (size_t i = 0; i < reply->edit_count; i++)
		free(reply->edit_data[i]);
	reply->edit_count = 0;
	reply->edit_bytes = 0;
	reply->text[0] = '\0';
}

void mg_client_reply_free(struct mg_client_reply *reply)
{
	mg_client_reply_reset(reply);
	free(reply->edits);
	free(reply->edit_data);
}
