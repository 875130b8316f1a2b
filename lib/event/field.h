/* SPDX-License-Identifier: ISC */
/* field: what a field of an event is: a row of a table of fields. */
#ifndef MG_EVENT_FIELD_H
#define MG_EVENT_FIELD_H
#include <stdbool.h>

#include "event/redact.h"

enum mg_field_type {
	MG_TYPE_KEYWORD,
	MG_TYPE_TEXT,
	MG_TYPE_LONG,
	MG_TYPE_FLOAT,
	MG_TYPE_BOOLEAN,
	MG_TYPE_DATE, /* set from UTC ns */
	MG_TYPE_IP,
	/* Objects, a list of them: the rows whose names begin with its name and a dot are their
	 * members. */
	MG_TYPE_NESTED,
	/* An object of texts whose names are strangers': one field for an index, whatever they are.
	 */
	MG_TYPE_FLATTENED
};

/* A row of a table of fields; mail/fields.h has the one of Millgate. */
struct mg_field {
	const char *name; /* dotted: "email.sender.address" */
	enum mg_field_type type;
	/* several values; setting again appends. Else setting again replaces */
	bool array;
	enum mg_privacy privacy;
	const char *by; /* "all", "log", "log policy" … for millgate-events(5) */
	const char *meaning;
};
#endif
