/* SPDX-License-Identifier: ISC */
/* key_choice: which keys of a domain sign (auth/dkim_choice.h), by what the store knows of them. */
#ifndef MG_DKIM_KEY_CHOICE_H
#define MG_DKIM_KEY_CHOICE_H
#include <stdbool.h>
#include <stddef.h>

#include "auth/dkim_choice.h"
#include "auth/dkim_domain.h"
#include "dkim/keys.h"

/* What is known of a key besides its file. */
struct key_state {
	enum mg_dkim_seen seen; /* by the last answer */
	bool strict; /* the record that was seen has t=s */
	bool asked; /* a question has ended, also without an answer */
	bool answered; /* the last one had an answer */
	bool silent; /* that there was no answer was told */
	enum mg_dkim_seen told; /* what the last event said */
	unsigned bits_told; /* the minimum_bits for which it was told to be weak; 0 not */
};

/* states: one a key of the domain, in its order. */
struct mg_dkim_choice key_choose(const struct dkim_keys_settings *settings,
	const struct mg_dkim_domain *domain, const struct key_state states[], bool asks_dns);
/* Could the key sign, but for others? It is in order, and strong enough. */
bool key_is_usable(const struct dkim_keys_settings *settings, const struct mg_dkim_domain *domain,
	size_t index);
bool key_is_weak(const struct dkim_keys_settings *settings, const struct mg_dkim_file *file);
#endif
