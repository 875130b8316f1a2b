/* SPDX-License-Identifier: ISC */
/* keys: what an event can be found by: ids, addresses, sessions, as its line has them. A line is
 * looked through once, from left to right, and no tree is made of it: an index of gigabytes is
 * built in seconds.
 *
 * Keys: trace.id, millgate.session.key and .traces, email.local_id, email.message_id, queue ids of
 * millgate.link.*, every address of envelope, header and delivery, and REF, the last 8 characters
 * of event.id. Addresses and REF are the same in either case. */
#ifndef MG_EVENT_KEYS_H
#define MG_EVENT_KEYS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Called for each key of a line; text is valid during the call. fold: the case of ASCII letters
 * does not count. false ends. */
typedef bool mg_keys_use(void *context, const char *text, size_t length, bool fold);

/* Gives the keys of a line that is a JSON object to `use`, in the order they stand there. Of
 * another line, which no writer of ours makes, it may give some. scratch: for texts with escapes,
 * between calls it is kept. false: the line is none, or no memory. */
bool mg_keys_each(
	const char *line, size_t length, struct mg_buf *scratch, mg_keys_use *use, void *context);
#endif
