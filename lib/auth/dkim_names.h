/* SPDX-License-Identifier: ISC */
/* dkim_names: which header fields are signed (RFC 6376 section 5.4), and which once more than they
 * are there, so that nobody can add another. */
#ifndef MG_AUTH_DKIM_NAMES_H
#define MG_AUTH_DKIM_NAMES_H
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { MG_DKIM_NAMES_MAX = 256 };

/* Immutable: any number of threads may look into it. */
struct mg_dkim_names;

struct mg_dkim_name {
	const char *text; /* as it was given */
	size_t length;
	size_t number; /* 0 to MG_DKIM_NAMES_MAX - 1 */
	bool oversigned;
};

/* Empty headers: RFC 6376 section 5.4.1 and what large senders sign. From is always one of them, and
 * oversigned; a name of oversign is signed also when headers lack it. NULL with error: no field name,
 * one that a tag list cannot hold (";"), one that changes on the way (DKIM-Signature, trace fields,
 * Bcc), too many, no memory. */
struct mg_dkim_names *mg_dkim_names_new(const char *const headers[], size_t header_count,
	const char *const oversign[], size_t oversign_count, struct mg_error *error);
void mg_dkim_names_free(struct mg_dkim_names *names);
/* The name of a field, NULL when it is not signed. Case and blanks at the end do not matter. */
const struct mg_dkim_name *mg_dkim_names_find(
	const struct mg_dkim_names *names, const char *name, size_t length);
bool mg_dkim_names_has(const struct mg_dkim_names *names, const char *name, size_t length);
/* One by its number, NULL behind the last; From is 0. */
const struct mg_dkim_name *mg_dkim_names_at(const struct mg_dkim_names *names, size_t number);
#endif
