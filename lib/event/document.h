/* SPDX-License-Identifier: ISC */
/* document: the fields of one event, as a tree by the parts of their names, that stays within the
 * size of a record (MG_DOCUMENT_MAX): arrays end after 10,000 values and at three quarters of it,
 * and what is still too long loses its longest fields; millgate.truncated names them all. Failure is
 * sticky. Values come redacted; names are those of tables, kept and not copied. */
#ifndef MG_EVENT_DOCUMENT_H
#define MG_EVENT_DOCUMENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/field.h"

struct mg_document_node;

struct mg_document {
	struct mg_document_node *nodes;
	size_t count, room;
	size_t bytes; /* of the document, at most */
	const char *failure; /* why it cannot be written; NULL so far it can */
	/* An object of the list `list`, as a document of its own. */
	struct mg_document *object;
	const struct mg_field *list;
	bool making; /* it is begun and has not ended */
	/* Of an object: what it is in, and the bytes that its members leave out of their names. */
	struct mg_document *outer;
	size_t skip;
};

/* An empty one, beside which `overhead` bytes more are written. false: no memory. */
bool mg_document_init(struct mg_document *document, size_t overhead);
void mg_document_free(struct mg_document *document);

/* Sets the value of a field, or adds one to an array: a text, which becomes a JSON string, or JSON
 * as it is. */
void mg_document_text(struct mg_document *document, const struct mg_field *field, const char *text,
	size_t length);
void mg_document_json(struct mg_document *document, const struct mg_field *field, const char *json);
/* Adds a text to an object of texts: name is of letters, digits, "_" and "-"; the first of a name
 * counts, after 50 the field is cut. */
void mg_document_member(struct mg_document *document, const struct mg_field *field,
	const char *name, const char *text, size_t length);
/* Begins one more object of a list of objects: the fields whose names begin with that of the list
 * are set in `object` until it ends; one without members is left out. */
void mg_document_begin_object(struct mg_document *document, const struct mg_field *list);
void mg_document_end_object(struct mg_document *document);
/* Says that the value of a field was cut. */
void mg_document_truncated(struct mg_document *document, const struct mg_field *field);

/* Adds the members of the object `name` ("event"), each with a comma before. */
void mg_document_members_of(
	const struct mg_document *document, const char *name, struct mg_buf *out);
/* Adds the members of the document but that object, likewise. */
void mg_document_members_but(
	const struct mg_document *document, const char *name, struct mg_buf *out);
#endif
