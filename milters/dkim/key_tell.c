/* SPDX-License-Identifier: ISC */
#include "dkim/key_tell.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void key_tell_weak(const struct dkim_keys_settings *settings, const struct key_store *store,
	struct key_entry *entry, struct key_notices *notices)
{
	const struct mg_dkim_folder *folder = key_store_folder(store);
	const struct mg_dkim_domain *domain = entry->domain;
	bool unsigned_now = true;
	struct mg_dkim_fault *fault;

	for (size_t i = 0; i < domain->key_count; i++)
		unsigned_now &= !key_is_usable(settings, domain, i);
	for (size_t i = 0; i < domain->key_count; i++) {
		const struct mg_dkim_file *file = &domain->files[i];

		if (!key_is_weak(settings, file) || mg_dkim_file_fault(domain, file) ||
			entry->states[i].bits_told == settings->minimum_bits)
			continue;
		entry->states[i].bits_told = settings->minimum_bits;
		fault = mg_dkim_bits_fault(folder, domain, file, settings->minimum_bits);
		if (fault)
			key_notice_refused(
				notices, folder, domain->name, file->selector, fault, unsigned_now);
		free(fault);
	}
}

void key_tell_switch(const struct dkim_keys_settings *settings, struct key_entry *entry,
	const struct mg_dkim_choice *choice, struct key_notices *notices)
{
	if (settings->selector_count)
		return;
	for (int algorithm = 0; algorithm < MG_DKIM_ALGORITHM_COUNT; algorithm++) {
		int index = choice->signs[algorithm];
		const struct mg_dkim_file *file = index >= 0 ? &entry->domain->files[index] : NULL;
		char *before = entry->signs[algorithm];

		if (!file || strcmp(before, file->selector) == 0)
			continue;
		if (before[0])
			key_notice_switched(
				notices, entry->name, before, file->selector, file->key);
		mg_str_copy(before, sizeof(entry->signs[algorithm]), file->selector);
	}
}

void key_tell_seen(const struct dkim_keys_settings *settings, struct key_entry *entry, int index,
	const struct mg_dkim_choice *choice, const char *dns, const char *why,
	struct key_notices *notices)
{
	const struct mg_dkim_file *file = &entry->domain->files[index];
	struct key_state *state = &entry->states[index];
	int signs = choice->signs[mg_dkim_key_algorithm(file->key)];
	bool waits = settings->selector_count == 0 && (signs < 0 || index < signs);
	bool silent = state->seen == MG_DKIM_SEEN_UNKNOWN;

	if (!waits && (index != signs || silent))
		return;
	if (silent ? state->silent : state->told == state->seen)
		return;
	state->silent = silent;
	state->told = state->seen;
	if (state->seen != MG_DKIM_SEEN)
		key_notice_dns(notices,
			state->seen == MG_DKIM_SEEN_OTHER ? MG_KEY_MISMATCH : MG_KEY_WAITING,
			entry->name, file->selector, file->key, waits, dns, why);
}
