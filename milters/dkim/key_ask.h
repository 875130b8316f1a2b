/* SPDX-License-Identifier: ISC */
/* key_ask: asks DNS for the keys of a domain, by one thread at a time and without the lock, and
 * takes the answers over. A question without an answer changes nothing that was known. */
#ifndef MG_DKIM_KEY_ASK_H
#define MG_DKIM_KEY_ASK_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/dns.h"
#include "dkim/key_notice.h"
#include "dkim/key_store.h"
#include "dkim/keys.h"
#include "event/event.h"

/* Who asks. */
struct key_asker {
	struct key_store *store;
	struct mg_dns *dns; /* NULL: nobody asks */
	const struct dkim_keys_settings *settings;
	const struct mg_clock *clock;
	const struct mg_events *events;
	bool background; /* a watch asks, too */
};

/* DNS has a say. */
bool key_asks(const struct key_asker *asker);

/* Both with the lock, which is given back meanwhile, and with a use of the entry. */

/* For a message: asks if the choice depends on DNS and nothing is known yet, or waits for the thread
 * that does; until the deadline (monotonic), 2 s at most. */
void key_ask_first(const struct key_asker *asker, struct key_entry *entry, int64_t deadline,
	struct key_notices *notices);
/* Asks for every key that could sign, 3 s a question at most, until stop is set. */
void key_ask_again(const struct key_asker *asker, struct key_entry *entry, const atomic_bool *stop,
	struct key_notices *notices);
#endif
