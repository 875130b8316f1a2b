/* SPDX-License-Identifier: ISC */
#include "dkim/key_choice.h"

#include "base/str.h"

bool key_is_weak(const struct dkim_keys_settings *settings, const struct mg_dkim_file *file)
{
	return file->key && mg_dkim_key_algorithm(file->key) == MG_DKIM_RSA_SHA256 &&
	       mg_dkim_key_bits(file->key) < settings->minimum_bits;
}

bool key_is_usable(const struct dkim_keys_settings *settings, const struct mg_dkim_domain *domain,
	size_t index)
{
	const struct mg_dkim_file *file = &domain->files[index];

	return file->key && !mg_dkim_file_fault(domain, file) && !key_is_weak(settings, file);
}

/* The keys of an algorithm, newest first. */
struct group {
	int newest_seen, oldest_unknown, oldest; /* -1 none */
	size_t count;
};

static struct group look(const struct dkim_keys_settings *settings,
	const struct mg_dkim_domain *domain, const struct key_state states[],
	enum mg_dkim_algorithm algorithm)
{
	struct group group = {.newest_seen = -1, .oldest_unknown = -1, .oldest = -1};

	for (size_t i = 0; i < domain->key_count; i++) {
		if (!key_is_usable(settings, domain, i) ||
			mg_dkim_key_algorithm(domain->files[i].key) != algorithm)
			continue;
		if (states[i].seen == KEY_SEEN && group.newest_seen < 0)
			group.newest_seen = (int)i;
		if (states[i].seen == KEY_UNKNOWN)
			group.oldest_unknown = (int)i;
		group.oldest = (int)i;
		group.count++;
	}
	return group;
}

static int choose_by_dns(const struct group *group, bool additional)
{
	if (group->newest_seen >= 0)
		return group->newest_seen;
	if (additional)
		return -1;
	return group->oldest_unknown >= 0 ? group->oldest_unknown : group->oldest;
}

/* The first pinned one of the algorithm; -1 none. */
static int choose_pinned(const struct dkim_keys_settings *settings,
	const struct mg_dkim_domain *domain, enum mg_dkim_algorithm algorithm)
{
	for (size_t pin = 0; pin < settings->selector_count; pin++)
		for (size_t i = 0; i < domain->key_count; i++)
			if (mg_str_equal_nocase(
				    settings->selectors[pin], domain->files[i].selector) &&
				key_is_usable(settings, domain, i) &&
				mg_dkim_key_algorithm(domain->files[i].key) == algorithm)
				return (int)i;
	return -1;
}

struct key_choice key_choose(const struct dkim_keys_settings *settings,
	const struct mg_dkim_domain *domain, const struct key_state states[], bool asks_dns)
{
	struct key_choice choice = {0};
	bool rsa = false;

	for (int algorithm = 0; algorithm < MG_DKIM_ALGORITHM_COUNT; algorithm++) {
		struct group group = look(settings, domain, states, algorithm);
		bool additional = algorithm != MG_DKIM_RSA_SHA256 && rsa;

		if (settings->selector_count) {
			choice.signs[algorithm] = choose_pinned(settings, domain, algorithm);
			continue;
		}
		if (algorithm == MG_DKIM_RSA_SHA256)
			rsa = group.count > 0;
		choice.depends[algorithm] =
			asks_dns && group.count > 0 && (group.count > 1 || additional);
		choice.signs[algorithm] = !asks_dns          ? group.oldest
					  : group.count == 0 ? -1
							     : choose_by_dns(&group, additional);
	}
	return choice;
}
