/* SPDX-License-Identifier: ISC */
#include "event/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "event/json_text.h"
#include "event/spool.h"

#define TRUNCATED "millgate.truncated"

enum {
	VALUES_MAX = 10000,
	MEMBERS_MAX = 50, /* of an object of texts */
	/* Lists grow until the document has this size: what is left is for other fields. */
	LISTS_MAX = MG_DOCUMENT_MAX / 4 * 3,
	FIELD_OVERHEAD = 16, /* quotes, colon, comma and braces that a field's names need */
	NODES_FIRST = 64,
	NODES_MAX = 1024
};

static const struct mg_field truncated_field = {
	.name = TRUNCATED, .type = MG_TYPE_KEYWORD, .array = true};

/* A name on the way to a field ("sender" of email.sender.address), or a field: a tree by first
 * child and next sibling, as indexes into an array; 0 is the root and, as a child or sibling,
 * none. */
struct mg_document_node {
	const char *name;
	size_t name_length;
	uint16_t child, last_child, next;
	char open, close; /* brackets of several values; NUL: there is one */
	bool closed; /* nothing more is taken */
	size_t count; /* values */
	struct mg_buf value; /* JSON text without its brackets */
	const char *path; /* the field's whole name; NULL: not a field */
};

bool mg_document_init(struct mg_document *document, size_t overhead)
{
	*document = (struct mg_document){
		.nodes = malloc(NODES_FIRST * sizeof *document->nodes), .bytes = overhead};
	if (document->nodes == NULL)
		return false;
	document->nodes[0] = (struct mg_document_node){0};
	document->count = 1;
	document->room = NODES_FIRST;
	return true;
}

void mg_document_free(struct mg_document *document)
{
	for (size_t i = 0; i < document->count; i++)
		mg_buf_free(&document->nodes[i].value);
	free(document->nodes);
	if (document->object != NULL)
		mg_document_free(document->object);
	free(document->object);
}

static uint16_t add_node(
	struct mg_document *document, uint16_t parent, const char *name, size_t length)
{
	uint16_t index = (uint16_t)document->count;
	struct mg_document_node *above;

	if (document->count == NODES_MAX)
		return 0;
	if (document->count == document->room) {
		struct mg_document_node *nodes =
			realloc(document->nodes, 2 * document->room * sizeof *nodes);

		if (nodes == NULL)
			return 0;
		document->nodes = nodes;
		document->room *= 2;
	}
	document->nodes[document->count++] =
		(struct mg_document_node){.name = name, .name_length = length};
	above = &document->nodes[parent];
	if (above->last_child == 0)
		above->child = index;
	else
		document->nodes[above->last_child].next = index;
	above->last_child = index;
	return index;
}

static uint16_t find_child(
	const struct mg_document *document, uint16_t parent, const char *name, size_t length)
{
	uint16_t index = document->nodes[parent].child;

	while (index != 0 && (document->nodes[index].name_length != length ||
				     memcmp(document->nodes[index].name, name, length) != 0))
		index = document->nodes[index].next;
	return index;
}

/* The node of a field, made when missing; NULL, and the document failed, when that is not possible. */
static struct mg_document_node *locate(struct mg_document *document, const struct mg_field *field)
{
	const char *name = field->name + document->skip, *end;
	uint16_t index = 0, found;
	struct mg_document_node *node;

	do {
		end = strchrnul(name, '.');
		found = find_child(document, index, name, (size_t)(end - name));
		index = found != 0 ? found : add_node(document, index, name, (size_t)(end - name));
		if (index == 0) {
			document->failure = "out of memory";
			return NULL;
		}
		name = end + 1;
	} while (*end != '\0');
	node = &document->nodes[index];
	if (node->path == NULL) {
		node->path = field->name;
		if (field->array || field->type == MG_TYPE_FLATTENED) {
			node->open = field->array ? '[' : '{';
			node->close = field->array ? ']' : '}';
		}
		document->bytes += strlen(field->name) + FIELD_OVERHEAD;
	}
	return node;
}

/* Adds the name of a field to millgate.truncated. */
static void note_truncated(struct mg_document *document, const char *name)
{
	struct mg_document_node *node;
	char quoted[128];

	if (document->outer != NULL)
		document = document->outer;
	node = locate(document, &truncated_field);
	if (node == NULL || !mg_str_format(quoted, sizeof quoted, "\"%s\"", name) ||
		strstr(mg_buf_text(&node->value), quoted) != NULL)
		return;
	if (node->count++ > 0)
		mg_buf_add_char(&node->value, ',');
	mg_buf_add_text(&node->value, quoted);
	document->bytes += strlen(quoted) + 1;
}

/* Leaves out fields until the document fits a record: the longest arrays, then the longest of
 * the others. */
static void fit(struct mg_document *document)
{
	while (document->bytes > MG_DOCUMENT_MAX) {
		struct mg_document_node *longest = NULL;

		for (size_t i = 1; i < document->count; i++) {
			struct mg_document_node *node = &document->nodes[i];

			if (node->value.length == 0 || strcmp(node->path, TRUNCATED) == 0)
				continue;
			if (longest == NULL || node->open > longest->open ||
				(node->open == longest->open &&
					node->value.length > longest->value.length))
				longest = node;
		}
		if (longest == NULL)
			return;
		document->bytes -= longest->value.length;
		mg_buf_free(&longest->value);
		longest->closed = true;
		note_truncated(document, longest->path);
	}
}

/* The node ready for one more value; NULL when there is no room for it. */
static struct mg_document_node *begin_value(
	struct mg_document *document, const struct mg_field *field)
{
	struct mg_document_node *node = locate(document, field);
	size_t most = field->type == MG_TYPE_FLATTENED ? MEMBERS_MAX : VALUES_MAX;

	if (node == NULL || node->closed)
		return NULL;
	if (node->open == '\0') {
		document->bytes -= node->value.length;
		mg_buf_reset(&node->value);
	} else if (node->count == most) {
		node->closed = true;
		note_truncated(document, field->name);
		return NULL;
	} else if (node->count > 0) {
		mg_buf_add_char(&node->value, ',');
		document->bytes++;
	}
	node->count++;
	return node;
}

/* Counts what was added behind `before` bytes of the value. A list that has become too long ends
 * with the value before. */
static void end_value(struct mg_document *document, struct mg_document_node *node, size_t before)
{
	if (node->value.failed)
		document->failure = "out of memory";
	document->bytes += node->value.length - before;
	if (node->open != '\0' && document->bytes > LISTS_MAX &&
		strcmp(node->path, TRUNCATED) != 0) {
		size_t end = before > 0 ? before - 1 : 0; /* the comma goes, too */

		document->bytes -= node->value.length - end;
		if (node->value.data != NULL)
			node->value.data[end] = '\0';
		node->value.length = end;
		node->closed = true;
		note_truncated(document, node->path);
	}
	fit(document);
}

void mg_document_text(
	struct mg_document *document, const struct mg_field *field, const char *text, size_t length)
{
	struct mg_document_node *node = begin_value(document, field);
	size_t before;

	if (node == NULL)
		return;
	before = node->value.length;
	mg_json_text(&node->value, text, length);
	end_value(document, node, before);
}

void mg_document_json(struct mg_document *document, const struct mg_field *field, const char *json)
{
	struct mg_document_node *node = begin_value(document, field);
	size_t before;

	if (node == NULL)
		return;
	before = node->value.length;
	mg_buf_add_text(&node->value, json);
	end_value(document, node, before);
}

void mg_document_member(struct mg_document *document, const struct mg_field *field,
	const char *name, const char *text, size_t length)
{
	struct mg_document_node *node = locate(document, field);
	char quoted[128];
	size_t before;

	/* A quote within a text has a backslash before it, so that only a name is found. */
	if (node == NULL || !mg_str_format(quoted, sizeof quoted, "\"%s\":", name) ||
		strstr(mg_buf_text(&node->value), quoted) != NULL)
		return;
	node = begin_value(document, field);
	if (node == NULL)
		return;
	before = node->value.length;
	mg_buf_add_text(&node->value, quoted);
	mg_json_text(&node->value, text, length);
	end_value(document, node, before);
}

void mg_document_truncated(struct mg_document *document, const struct mg_field *field)
{
	note_truncated(document, field->name);
}

/* Whether a field below the node has a value. */
static bool has_value(const struct mg_document *document, const struct mg_document_node *node)
{
	if (node->path != NULL)
		return node->value.length > 0;
	for (uint16_t i = node->child; i != 0; i = document->nodes[i].next)
		if (has_value(document, &document->nodes[i]))
			return true;
	return false;
}

/* Adds the members below a node, each with a comma before or, with `first`, all but the first.
 * except: a name to leave out, or NULL. Names have few parts, so that the depth is small. */
static void add_members(const struct mg_document *document, const struct mg_document_node *parent,
	bool first, const struct mg_document_node *except, struct mg_buf *out)
{
	for (uint16_t i = parent->child; i != 0; i = document->nodes[i].next) {
		const struct mg_document_node *node = &document->nodes[i];

		if (node == except || !has_value(document, node))
			continue;
		if (!first)
			mg_buf_add_char(out, ',');
		first = false;
		mg_buf_add_char(out, '"');
		mg_buf_add(out, node->name, node->name_length);
		mg_buf_add_text(out, "\":");
		if (node->path == NULL) {
			mg_buf_add_char(out, '{');
			add_members(document, node, true, NULL, out);
			mg_buf_add_char(out, '}');
			continue;
		}
		if (node->open != '\0')
			mg_buf_add_char(out, node->open);
		mg_buf_add(out, node->value.data, node->value.length);
		if (node->open != '\0')
			mg_buf_add_char(out, node->close);
	}
}

/* Empty again; the names stay, for the next object has the same. */
static void clear_values(struct mg_document *document)
{
	for (size_t i = 0; i < document->count; i++) {
		struct mg_document_node *node = &document->nodes[i];

		document->bytes -= node->value.length;
		mg_buf_reset(&node->value);
		node->count = 0;
		node->closed = false;
	}
}

/* An empty object for a list; NULL: no memory. */
static struct mg_document *fresh_object(struct mg_document *document, const struct mg_field *list)
{
	struct mg_document *object = document->object;

	if (object != NULL && document->list == list) {
		clear_values(object);
		return object;
	}
	if (object != NULL)
		mg_document_free(object);
	else
		object = malloc(sizeof *object);
	document->object = NULL;
	if (object == NULL || !mg_document_init(object, 0)) {
		free(object);
		return NULL;
	}
	object->outer = document;
	object->skip = strlen(list->name) + 1;
	document->object = object;
	document->list = list;
	return object;
}

void mg_document_begin_object(struct mg_document *document, const struct mg_field *list)
{
	document->making = fresh_object(document, list) != NULL;
	if (!document->making)
		document->failure = "out of memory";
}

void mg_document_end_object(struct mg_document *document)
{
	struct mg_buf text = {.limit = 0};

	if (!document->making)
		return;
	document->making = false;
	mg_buf_add_char(&text, '{');
	add_members(document->object, &document->object->nodes[0], true, NULL, &text);
	mg_buf_add_char(&text, '}');
	if (document->object->failure != NULL || text.failed)
		document->failure = "out of memory";
	else if (text.length > strlen("{}"))
		mg_document_json(document, document->list, text.data);
	mg_buf_free(&text);
}

void mg_document_members_of(
	const struct mg_document *document, const char *name, struct mg_buf *out)
{
	uint16_t index = find_child(document, 0, name, strlen(name));

	if (index != 0)
		add_members(document, &document->nodes[index], false, NULL, out);
}

void mg_document_members_but(
	const struct mg_document *document, const char *name, struct mg_buf *out)
{
	uint16_t index = find_child(document, 0, name, strlen(name));

	add_members(document, &document->nodes[0], false,
		index == 0 ? NULL : &document->nodes[index], out);
}
