/* SPDX-License-Identifier: ISC */
#include "dkim/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/dkim_domain.h"
#include "auth/dkim_folder.h"
#include "base/str.h"
#include "dkim/key_ask.h"
#include "dkim/key_choice.h"
#include "dkim/key_notice.h"
#include "dkim/key_store.h"
#include "dkim/key_tell.h"
#include "dkim/key_watch.h"

struct dkim_keys {
	struct dkim_keys_settings settings; /* own copies */
	char **selectors;
	struct key_asker asker;
	struct key_watch *watch; /* NULL: there is none */
};

static bool copy_selectors(struct dkim_keys *keys, const struct dkim_keys_settings *settings)
{
	keys->selectors = calloc(settings->selector_count + 1, sizeof(*keys->selectors));
	if (!keys->selectors)
		return false;
	for (size_t i = 0; i < settings->selector_count; i++) {
		keys->selectors[i] = strdup(settings->selectors[i]);
		if (!keys->selectors[i])
			return false;
	}
	keys->settings.selectors = (const char *const *)keys->selectors;
	return true;
}

struct dkim_keys *dkim_keys_open(const struct dkim_keys_settings *settings, struct mg_dns *dns,
	const struct mg_clock *clock, const struct mg_events *events, bool background,
	struct mg_error *error)
{
	struct dkim_keys *keys = calloc(1, sizeof(*keys));

	if (!keys) {
		mg_error_system(error, ENOMEM, "%s", settings->folder);
		return NULL;
	}
	keys->settings = *settings;
	keys->settings.folder = NULL;
	keys->asker.dns = dns;
	keys->asker.settings = &keys->settings;
	keys->asker.clock = clock;
	keys->asker.events = events;
	if (!copy_selectors(keys, settings)) {
		mg_error_system(error, ENOMEM, "%s", settings->folder);
		goto failed;
	}
	keys->asker.store = key_store_open(settings->folder, error);
	if (!keys->asker.store)
		goto failed;
	keys->asker.background = background && key_asks(&keys->asker);
	if (keys->asker.background) {
		keys->watch = key_watch_start(&keys->asker, error);
		if (!keys->watch)
			goto failed;
	}
	return keys;
failed:
	dkim_keys_close(keys);
	return NULL;
}

void dkim_keys_close(struct dkim_keys *keys)
{
	if (!keys)
		return;
	key_watch_end(keys->watch);
	key_store_close(keys->asker.store);
	for (size_t i = 0; keys->selectors && keys->selectors[i]; i++)
		free(keys->selectors[i]);
	free(keys->selectors);
	free(keys);
}

static size_t take_signers(struct key_entry *entry, const struct mg_dkim_choice *choice,
	struct dkim_signer signers[DKIM_SIGNERS_MAX])
{
	size_t count = 0;

	for (int algorithm = 0; algorithm < MG_DKIM_ALGORITHM_COUNT; algorithm++) {
		int index = choice->signs[algorithm];

		if (index < 0)
			continue;
		mg_str_copy(signers[count].domain, sizeof(signers[count].domain), entry->name);
		mg_str_copy(signers[count].selector, sizeof(signers[count].selector),
			entry->domain->files[index].selector);
		signers[count].key = mg_dkim_key_use(entry->domain->files[index].key);
		signers[count].allows_subdomains =
			entry->states[index].seen == MG_DKIM_SEEN && !entry->states[index].strict;
		count++;
	}
	return count;
}

/* Why no key of a domain that has a folder signs. */
static enum dkim_choice explain(
	const struct dkim_keys *keys, const struct mg_dkim_domain *domain, struct mg_error *reason)
{
	const struct mg_dkim_folder *folder = key_store_folder(keys->asker.store);
	const struct mg_dkim_fault *fault = domain->fault;

	for (size_t i = 0; !fault && i < domain->key_count; i++)
		fault = domain->files[i].fault;
	if (fault) {
		mg_error_set(
			reason, "%s: %s", mg_dkim_folder_shown(folder, fault->path), fault->what);
		return DKIM_REFUSED;
	}
	for (size_t i = 0; i < domain->key_count; i++) {
		if (!key_is_weak(&keys->settings, &domain->files[i]))
			continue;
		mg_error_set(reason, "%s/%s: RSA of %u bits; minimum_bits is %u", domain->name,
			domain->files[i].selector, mg_dkim_key_bits(domain->files[i].key),
			keys->settings.minimum_bits);
		return DKIM_REFUSED;
	}
	mg_error_set(reason, "%s: no key of the selectors that are set", domain->name);
	return DKIM_NO_KEY;
}

/* The choice of one folder; own: the domain has a folder with keys, so that no parent signs it. */
static enum dkim_choice choose_at(struct dkim_keys *keys, const char *name, int64_t deadline,
	struct dkim_signer signers[DKIM_SIGNERS_MAX], size_t *count, bool *own,
	struct mg_error *reason)
{
	struct key_notices notices = {0};
	enum mg_dkim_found found;
	enum dkim_choice result = DKIM_NO_KEY;
	struct mg_dkim_choice choice;
	struct key_entry *entry = key_store_enter(keys->asker.store, name,
		keys->asker.clock->monotonic(keys->asker.clock), &notices, &found, reason);

	*own = false;
	if (entry) {
		key_entry_use(entry);
		key_ask_first(&keys->asker, entry, deadline, &notices);
		*own = entry->domain->key_count > 0 || entry->domain->fault;
		choice = key_choose(
			&keys->settings, entry->domain, entry->states, key_asks(&keys->asker));
		key_tell_weak(&keys->settings, keys->asker.store, entry, &notices);
		key_tell_switch(&keys->settings, entry, &choice, &notices);
		*count = take_signers(entry, &choice, signers);
		if (*count > 0)
			result = DKIM_CHOSEN;
		else
			result = *own ? explain(keys, entry->domain, reason) : DKIM_GONE;
		key_entry_release(entry);
		key_store_leave(keys->asker.store);
	} else if (found == MG_DKIM_FAILED) {
		result = DKIM_UNREADABLE;
	}
	key_notices_write(&notices, keys->asker.events);
	return result;
}

/* NULL: a top-level domain. */
static const char *parent_of(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot ? dot + 1 : NULL;
}

enum dkim_choice dkim_keys_choose(struct dkim_keys *keys, const char *domain, int64_t deadline,
	struct dkim_signer signers[DKIM_SIGNERS_MAX], size_t *count, struct mg_error *reason)
{
	const char *emptied = NULL;
	enum dkim_choice result;
	bool own;

	*count = 0;
	if (!mg_dkim_is_domain(domain)) {
		mg_error_set(reason, "not a domain of letters, digits and hyphens");
		return DKIM_BAD_DOMAIN;
	}
	for (const char *name = domain; name; name = parent_of(name)) {
		result = choose_at(keys, name, deadline, signers, count, &own, reason);
		if (own || (result != DKIM_NO_KEY && result != DKIM_GONE))
			return result;
		if (result == DKIM_GONE && !emptied)
			emptied = name;
		if (!keys->settings.subdomains)
			break;
	}
	if (emptied)
		mg_error_set(reason, "%s: there is a folder, and no key in it", emptied);
	else
		mg_error_set(reason, "%s: no key", domain);
	return emptied ? DKIM_GONE : DKIM_NO_KEY;
}

void dkim_signers_release(struct dkim_signer signers[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		mg_dkim_key_release(signers[i].key);
		signers[i].key = NULL;
	}
}

struct mg_dkim_key *dkim_keys_find(struct dkim_keys *keys, const char *domain, const char *selector)
{
	struct key_notices notices = {0};
	enum mg_dkim_found found;
	struct mg_dkim_key *key = NULL;
	struct key_entry *entry;
	char name[MG_DKIM_DOMAIN_MAX + 1];
	int index;

	if (!mg_str_copy(name, sizeof(name), domain))
		return NULL;
	mg_str_lower(name);
	if (!mg_dkim_is_domain(name))
		return NULL;
	entry = key_store_enter(keys->asker.store, name,
		keys->asker.clock->monotonic(keys->asker.clock), &notices, &found, NULL);
	if (entry) {
		index = key_entry_find(entry, selector);
		if (index >= 0 && entry->domain->files[index].key)
			key = mg_dkim_key_use(entry->domain->files[index].key);
		key_store_leave(keys->asker.store);
	}
	key_notices_write(&notices, keys->asker.events);
	return key;
}
