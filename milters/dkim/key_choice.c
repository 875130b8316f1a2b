/* SPDX-License-Identifier: ISC */
#include "dkim/key_choice.h"

static enum mg_dkim_seen seen_of(const void *states, size_t index)
{
	return ((const struct key_state *)states)[index].seen;
}

struct mg_dkim_choice key_choose(const struct dkim_keys_settings *settings,
	const struct mg_dkim_domain *domain, const struct key_state states[], bool asks_dns)
{
	struct mg_dkim_choice_rules rules = {.minimum_bits = settings->minimum_bits,
		.selectors = settings->selectors,
		.selector_count = settings->selector_count,
		.asks_dns = asks_dns};

	return mg_dkim_choose(&rules, domain, seen_of, states);
}

bool key_is_usable(const struct dkim_keys_settings *settings, const struct mg_dkim_domain *domain,
	size_t index)
{
	return mg_dkim_choice_usable(domain, index, settings->minimum_bits);
}

bool key_is_weak(const struct dkim_keys_settings *settings, const struct mg_dkim_file *file)
{
	return mg_dkim_choice_weak(file, settings->minimum_bits);
}
