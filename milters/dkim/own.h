/* SPDX-License-Identifier: ISC */
/* own: signatures that came with an outbound message and were made by keys we have: mail that comes
 * back from a filter or a list. One that is valid is not made again; one that is not is taken out. */
#ifndef MG_DKIM_OWN_H
#define MG_DKIM_OWN_H
#include <stdbool.h>
#include <stddef.h>

#include "dkim/settings.h"
#include "mail/filter.h"

struct dkim_own;

/* At the end of the header: looks for them. NULL: there is none, which is the rule and costs nothing,
 * or, with *failed, no memory. */
struct dkim_own *dkim_own_begin(
	struct mg_call *call, const struct dkim_settings *settings, bool *failed);
void dkim_own_body(struct dkim_own *own, const unsigned char *chunk, size_t length);
/* At the end of the message, before any edit of ours: which of them are valid. NULL is allowed, here
 * and below. */
void dkim_own_end(struct dkim_own *own, struct mg_call *call);
/* Is there a valid one of this domain and selector? */
bool dkim_own_has(const struct dkim_own *own, const char *domain, const char *selector);
/* Takes out those that are not valid; false: out of message_memory. */
bool dkim_own_remove_invalid(const struct dkim_own *own, struct mg_call *call);
void dkim_own_free(struct dkim_own *own);
#endif
