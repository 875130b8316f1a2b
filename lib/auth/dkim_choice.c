/* SPDX-License-Identifier: ISC */
#include "auth/dkim_choice.h"

#include "base/str.h"

bool mg_dkim_choice_weak(const struct mg_dkim_file *file, unsigned minimum_bits)
{
	return file->key && mg_dkim_key_algorithm(file->key) == MG_DKIM_RSA_SHA256 &&
	       mg_dkim_key_bits(file->key) < minimum_bits;
}

bool mg_dkim_choice_usable(const struct mg_dkim_domain *domain, size_t index, unsigned minimum_bits)
{
	const struct mg_dkim_file *file = &domain->files[index];

	return file->key && !mg_dkim_file_fault(domain, file) &&
	       !mg_dkim_choice_weak(file, minimum_bits);
}

/* One choice, while it is made. */
struct choosing {
	const struct mg_dkim_choice_rules *rules;
	const struct mg_dkim_domain *domain;
	enum mg_dkim_seen (*seen)(const void *context, size_t index);
	const void *context;
};

static bool is_candidate(
	const struct choosing *choosing, size_t index, enum mg_dkim_algorithm algorithm)
{
	return mg_dkim_choice_usable(choosing->domain, index, choosing->rules->minimum_bits) &&
	       mg_dkim_key_algorithm(choosing->domain->files[index].key) == algorithm;
}

/* The keys of an algorithm, newest first. */
struct group {
	int newest_seen, oldest_unknown, oldest; /* -1 none */
	size_t count;
};

static struct group look(const struct choosing *choosing, enum mg_dkim_algorithm algorithm)
{
	struct group group = {.newest_seen = -1, .oldest_unknown = -1, .oldest = -1};

	for (size_t i = 0; i < choosing->domain->key_count; i++) {
		enum mg_dkim_seen seen;

		if (!is_candidate(choosing, i, algorithm))
			continue;
		seen = choosing->seen(choosing->context, i);
		if (seen == MG_DKIM_SEEN && group.newest_seen < 0)
			group.newest_seen = (int)i;
		if (seen == MG_DKIM_SEEN_UNKNOWN)
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
static int choose_pinned(const struct choosing *choosing, enum mg_dkim_algorithm algorithm)
{
	const struct mg_dkim_choice_rules *rules = choosing->rules;

	for (size_t pin = 0; pin < rules->selector_count; pin++)
		for (size_t i = 0; i < choosing->domain->key_count; i++)
			if (mg_str_equal_nocase(
				    rules->selectors[pin], choosing->domain->files[i].selector) &&
				is_candidate(choosing, i, algorithm))
				return (int)i;
	return -1;
}

struct mg_dkim_choice mg_dkim_choose(const struct mg_dkim_choice_rules *rules,
	const struct mg_dkim_domain *domain,
	enum mg_dkim_seen (*seen)(const void *context, size_t index), const void *context)
{
	struct choosing choosing = {rules, domain, seen, context};
	struct mg_dkim_choice choice = {.signs = {0}};
	bool rsa = false;

	for (int algorithm = 0; algorithm < MG_DKIM_ALGORITHM_COUNT; algorithm++) {
		struct group group = look(&choosing, (enum mg_dkim_algorithm)algorithm);
		bool additional = algorithm != MG_DKIM_RSA_SHA256 && rsa;

		if (rules->selector_count > 0) {
			choice.signs[algorithm] =
				choose_pinned(&choosing, (enum mg_dkim_algorithm)algorithm);
			continue;
		}
		if (algorithm == MG_DKIM_RSA_SHA256)
			rsa = group.count > 0;
		choice.depends[algorithm] =
			rules->asks_dns && group.count > 0 && (group.count > 1 || additional);
		choice.signs[algorithm] = !rules->asks_dns   ? group.oldest
					  : group.count == 0 ? -1
							     : choose_by_dns(&group, additional);
	}
	return choice;
}
