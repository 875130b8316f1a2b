/* SPDX-License-Identifier: ISC */
#include "mta_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"

enum { FIELDS_MAX = 4096, RECIPIENTS_MAX = 256, HELD_MAX = 256 };

struct field {
	char *name, *value;
	bool hidden; /* the MTA's own Received */
};

struct mta_model {
	struct field fields[FIELDS_MAX];
	size_t field_count;
	char *sender;
	char *recipients[RECIPIENTS_MAX];
	size_t recipient_count;
	struct mg_buf body, text;
	bool leading_space, body_replaced;
	char held[HELD_MAX];
};

static char *copy(const char *text, size_t length)
{
	char *result = strndup(text, length);

	assert_non_null(result);
	return result;
}

static char *without_brackets(const char *address)
{
	size_t length = strlen(address);

	if (length >= 2 && address[0] == '<' && address[length - 1] == '>')
		return copy(address + 1, length - 2);
	return copy(address, length);
}

static void insert_field(
	struct mta_model *model, size_t place, const char *name, const char *value, bool hidden)
{
	assert_true(model->field_count < FIELDS_MAX);
	if (place > model->field_count)
		place = model->field_count;
	memmove(&model->fields[place + 1], &model->fields[place],
		(model->field_count - place) * sizeof(model->fields[0]));
	model->fields[place] = (struct field){.name = copy(name, strlen(name)),
		.value = copy(value, strlen(value)),
		.hidden = hidden};
	model->field_count++;
}

static void remove_field(struct mta_model *model, size_t place)
{
	free(model->fields[place].name);
	free(model->fields[place].value);
	model->field_count--;
	memmove(&model->fields[place], &model->fields[place + 1],
		(model->field_count - place) * sizeof(model->fields[0]));
}

/* Takes a header line of LF text; the place behind it. */
static const char *take_field(struct mta_model *model, const char *line)
{
	const char *colon = strchr(line, ':');
	const char *end = strchr(line, '\n');
	char *name, *value;

	assert_non_null(colon);
	while (end != NULL && (end[1] == ' ' || end[1] == '\t'))
		end = strchr(end + 1, '\n');
	if (end == NULL)
		end = line + strlen(line);
	name = copy(line, (size_t)(colon - line));
	value = copy(colon + 1, (size_t)(end - colon - 1));
	insert_field(model, model->field_count, name, value, false);
	free(name);
	free(value);
	return *end == '\n' ? end + 1 : end;
}

static void take_content(struct mta_model *model, const char *content)
{
	while (*content != '\0' && *content != '\n')
		content = take_field(model, content);
	if (*content == '\n')
		content++;
	for (; *content != '\0'; content++) {
		if (*content == '\n')
			mg_buf_add_char(&model->body, '\r');
		mg_buf_add_char(&model->body, *content);
	}
}

struct mta_model *mta_model_new(const struct letter *letter, bool leading_space)
{
	struct mta_model *model = calloc(1, sizeof(*model));
	const char *sender = letter->sender != NULL ? letter->sender : "<sender@example.org>";

	assert_non_null(model);
	model->leading_space = leading_space;
	model->sender = without_brackets(sender);
	if (letter->recipients == NULL)
		model->recipients[model->recipient_count++] =
			without_brackets("<recipient@example.net>");
	for (size_t i = 0; letter->recipients != NULL && letter->recipients[i] != NULL; i++)
		model->recipients[model->recipient_count++] =
			without_brackets(letter->recipients[i]);
	insert_field(model, 0, "Received", " own", true);
	take_content(model, letter->content);
	return model;
}

void mta_model_free(struct mta_model *model)
{
	while (model->field_count > 0)
		remove_field(model, model->field_count - 1);
	for (size_t i = 0; i < model->recipient_count; i++)
		free(model->recipients[i]);
	free(model->sender);
	mg_buf_free(&model->body);
	mg_buf_free(&model->text);
	free(model);
}

/* A field that a filter gave, where it goes; milter_header_checks looks at it. */
static void insert_given(struct mta_model *model, size_t place, const struct mg_client_edit *edit)
{
	static const char hold[] = "X-Millgate-Hold";
	static char value[256 * 1024];

	assert_true(mg_str_format(
		value, sizeof(value), "%s%s", model->leading_space ? "" : " ", edit->value));
	insert_field(model, place, edit->name, value, false);
	if (mg_str_equal_nocase(edit->name, hold))
		mg_str_format(model->held, sizeof(model->held), "millgate%s", value);
}

/* Place of the n-th visible field of that name; field_count when there is none. */
static size_t find_field(const struct mta_model *model, const char *name, uint32_t occurrence)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < model->field_count; i++)
		if (!model->fields[i].hidden && mg_str_equal_nocase(model->fields[i].name, name) &&
			++seen == occurrence)
			return i;
	return model->field_count;
}

static void change_field(struct mta_model *model, const struct mg_client_edit *edit)
{
	size_t place = find_field(model, edit->name, edit->index == 0 ? 1 : edit->index);

	if (place < model->field_count)
		remove_field(model, place);
	if (edit->value_length > 0)
		insert_given(model, place, edit);
}

static void add_recipient(struct mta_model *model, const char *address)
{
	assert_true(model->recipient_count < RECIPIENTS_MAX);
	model->recipients[model->recipient_count++] = without_brackets(address);
}

static void delete_recipient(struct mta_model *model, const char *address)
{
	char *plain = without_brackets(address);
	size_t kept = 0;

	for (size_t i = 0; i < model->recipient_count; i++) {
		if (strcmp(model->recipients[i], plain) == 0)
			free(model->recipients[i]);
		else
			model->recipients[kept++] = model->recipients[i];
	}
	model->recipient_count = kept;
	free(plain);
}

static void apply_one(struct mta_model *model, const struct mg_client_edit *edit)
{
	switch (edit->kind) {
	case MG_REPLY_INSERT_HEADER: insert_given(model, edit->index, edit); break;
	case MG_REPLY_ADD_HEADER: insert_given(model, model->field_count, edit); break;
	case MG_REPLY_CHANGE_HEADER: change_field(model, edit); break;
	case MG_REPLY_ADD_RECIPIENT:
	case MG_REPLY_ADD_RECIPIENT_PARAMETERS: add_recipient(model, edit->name); break;
	case MG_REPLY_DELETE_RECIPIENT: delete_recipient(model, edit->name); break;
	case MG_REPLY_CHANGE_SENDER:
		free(model->sender);
		model->sender = without_brackets(edit->name);
		break;
	case MG_REPLY_REPLACE_BODY:
		if (!model->body_replaced)
			mg_buf_reset(&model->body);
		model->body_replaced = true;
		mg_buf_add(&model->body, edit->value, edit->value_length);
		break;
	case MG_REPLY_QUARANTINE: mg_str_copy(model->held, sizeof(model->held), edit->value); break;
	default: fail_msg("an edit of kind '%c'", edit->kind);
	}
}

void mta_model_apply(struct mta_model *model, const struct mg_client_edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++)
		apply_one(model, &edits[i]);
}

const char *mta_model_header(struct mta_model *model)
{
	mg_buf_reset(&model->text);
	for (size_t i = 0; i < model->field_count; i++)
		mg_buf_add_format(
			&model->text, "%s:%s\n", model->fields[i].name, model->fields[i].value);
	return mg_buf_text(&model->text);
}

const char *mta_model_body(const struct mta_model *model)
{
	return mg_buf_text(&model->body);
}

const char *mta_model_sender(const struct mta_model *model)
{
	return model->sender;
}

const char *mta_model_recipients(struct mta_model *model)
{
	mg_buf_reset(&model->text);
	for (size_t i = 0; i < model->recipient_count; i++)
		mg_buf_add_format(&model->text, "%s%s", i > 0 ? "," : "", model->recipients[i]);
	return mg_buf_text(&model->text);
}

const char *mta_model_held(const struct mta_model *model)
{
	return model->held;
}
