/* SPDX-License-Identifier: ISC */
/* key_choice: which keys of a domain sign. A rule over what is known, nothing else.
 *
 * Of each algorithm one key signs: the newest that was seen in DNS. While none was, the oldest that
 * DNS is not known to lack: newer ones wait until they are seen. The only key of its algorithm
 * signs whatever DNS says; but an Ed25519 key beside an RSA key makes an additional signature, and
 * waits until it was seen. Where DNS is not asked the oldest of each algorithm signs. Pinned, it is
 * the first of the list that the domain has, whatever DNS says. */
#ifndef MG_DKIM_KEY_CHOICE_H
#define MG_DKIM_KEY_CHOICE_H
#include <stdbool.h>
#include <stddef.h>

#include "auth/dkim_domain.h"
#include "auth/dkim_key.h"
#include "dkim/keys.h"

/* What DNS has in a key's place. */
enum key_seen {
	KEY_UNKNOWN, /* no answer so far */
	KEY_SEEN, /* this key */
	KEY_ABSENT, /* no record */
	KEY_OTHER /* a record that does not verify what it signs */
};

/* What is known of a key besides its file. */
struct key_state {
	enum key_seen seen; /* by the last answer */
	bool asked; /* a question has ended, also without an answer */
	bool answered; /* the last one had an answer */
	bool silent; /* that there was no answer was told */
	enum key_seen told; /* what the last event said */
	unsigned bits_told; /* the minimum_bits for which it was told to be weak; 0 not */
};

struct key_choice {
	/* Indexes into the files of the domain, -1 none. */
	int signs[MG_DKIM_ALGORITHM_COUNT];
	/* DNS decides between several. */
	bool depends[MG_DKIM_ALGORITHM_COUNT];
};

/* states: one a key of the domain, in its order. */
struct key_choice key_choose(const struct dkim_keys_settings *settings,
	const struct mg_dkim_domain *domain, const struct key_state states[], bool asks_dns);
/* Could the key sign, but for others? It is in order, and strong enough. */
bool key_is_usable(const struct dkim_keys_settings *settings, const struct mg_dkim_domain *domain,
	size_t index);
bool key_is_weak(const struct dkim_keys_settings *settings, const struct mg_dkim_file *file);
#endif
