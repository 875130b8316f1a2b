/* SPDX-License-Identifier: ISC */
/* key_tell: which changes of a domain's keys are worth an event, each once. All with the store's
 * lock. */
#ifndef MG_DKIM_KEY_TELL_H
#define MG_DKIM_KEY_TELL_H
#include <stdbool.h>

#include "dkim/key_choice.h"
#include "dkim/key_notice.h"
#include "dkim/key_store.h"
#include "dkim/keys.h"

/* Keys that are too weak for these settings. */
void key_tell_weak(const struct dkim_keys_settings *settings, const struct key_store *store,
	struct key_entry *entry, struct key_notices *notices);
/* Another key signs than before; not for pinned ones, of which the settings tell. */
void key_tell_switch(const struct dkim_keys_settings *settings, struct key_entry *entry,
	const struct mg_dkim_choice *choice, struct key_notices *notices);
/* What DNS has of the key at index, after a question; dns and why as in struct dkim_publication.
 * Only of a key that signs, or that would once it is seen: one that was replaced may go. */
void key_tell_seen(const struct dkim_keys_settings *settings, struct key_entry *entry, int index,
	const struct mg_dkim_choice *choice, const char *dns, const char *why,
	struct key_notices *notices);
#endif
