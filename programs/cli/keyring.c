/* SPDX-License-Identifier: ISC */
#include "cli/keyring.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auth/dkim_choice.h"
#include "auth/dkim_folder.h"
#include "base/str.h"
#include "cli/resolver.h"
#include "cli/zone.h"

enum { ASKERS = 16 }; /* questions at a time */

static const char retired_suffix[] = ".retired";

struct cli_keyring_private {
	struct mg_dkim_folder *folder;
	struct mg_dkim_domain **domains;
	size_t domain_count, domain_room, key_room;
	struct mg_dkim_fault **weak; /* faults made here, one a key or NULL */
};

/* Reading, and what it needs. */
struct reading {
	const struct cli_call *call;
	const struct cli_settings *settings;
	struct cli_keyring *keyring;
	struct cli_keyring_private *private;
	enum cli_exit status;
};

const char *cli_key_state_name(enum cli_key_state state)
{
	static const char *const names[] = {
		[CLI_KEY_SIGNS] = "signs",
		[CLI_KEY_WAITS] = "waits",
		[CLI_KEY_REPLACED] = "replaced",
		[CLI_KEY_REFUSED] = "refused",
		[CLI_KEY_RETIRED] = "retired",
	};

	return names[state];
}

/* Who signs is the daemon, not who asks. */
static struct mg_dkim_trust signers_trust(void)
{
	const struct passwd *user = getpwnam("millgate");
	struct mg_dkim_trust trust = mg_dkim_trust_self();

	if (user != NULL) {
		trust.user = user->pw_uid;
		trust.group = user->pw_gid;
	}
	return trust;
}

static enum cli_exit cannot_read(const struct cli_call *call, int number, const char *text)
{
	bool denied = number == EACCES || number == EPERM;

	return (enum cli_exit)cli_fail(call,
		denied             ? CLI_DENIED
		: number == ENOENT ? CLI_NO_FILE
				   : CLI_FAILED,
		"%s%s", text, denied ? "; run it as root" : "");
}

/* --- the files --- */

static struct cli_key *add_key(struct reading *reading, const struct mg_dkim_domain *domain)
{
	struct cli_keyring *keyring = reading->keyring;
	struct cli_keyring_private *private = reading->private;

	if (keyring->count == private->key_room) {
		size_t room = private->key_room > 0 ? 2 * private->key_room : 64;
		struct cli_key *keys = reallocarray(keyring->keys, room, sizeof(*keys));
		struct mg_dkim_fault **weak;

		if (keys == NULL)
			return NULL;
		keyring->keys = keys;
		weak = reallocarray(private->weak, room, sizeof(*weak));
		if (weak == NULL)
			return NULL;
		private->weak = weak;
		private->key_room = room;
	}
	private->weak[keyring->count] = NULL;
	keyring->keys[keyring->count] =
		(struct cli_key){.domain = domain->name, .seen = {.word = "-"}};
	return &keyring->keys[keyring->count++];
}

/* A file with a selector: whether it could sign is known, which one does is not yet. */
static bool add_file(struct reading *reading, struct mg_dkim_domain *domain, size_t index)
{
	struct mg_dkim_file *file = &domain->files[index];
	unsigned least = reading->settings->minimum_bits;
	struct cli_key *key = add_key(reading, domain);

	if (key == NULL)
		return false;
	key->selector = file->selector;
	key->key = file->key;
	key->fault = mg_dkim_file_fault(domain, file);
	if (key->fault == NULL && mg_dkim_choice_weak(file, least)) {
		key->fault = mg_dkim_bits_fault(reading->private->folder, domain, file, least);
		reading->private->weak[reading->keyring->count - 1] =
			(struct mg_dkim_fault *)(uintptr_t)key->fault;
		if (key->fault == NULL)
			return false;
	}
	key->state = key->fault != NULL ? CLI_KEY_REFUSED : CLI_KEY_WAITS;
	return true;
}

/* "s1.retired": its name without the suffix is the selector, from here on. */
static bool add_retired(struct reading *reading, struct mg_dkim_domain *domain, size_t index)
{
	struct mg_dkim_file *file = &domain->files[index];
	size_t length = strlen(file->name), suffix = strlen(retired_suffix);
	char path[MG_DKIM_PATH_SIZE];
	struct stat status;
	struct cli_key *key;

	if (length <= suffix || strcmp(file->name + length - suffix, retired_suffix) != 0)
		return true;
	key = add_key(reading, domain);
	if (key == NULL)
		return false;
	/* The rename that retired it was its last change. */
	mg_str_format(
		path, sizeof(path), "%s/%s/%s", reading->settings->keys, domain->name, file->name);
	if (lstat(path, &status) == 0)
		key->changed = status.st_ctime;
	file->name[length - suffix] = '\0';
	key->selector = file->name;
	key->state = CLI_KEY_RETIRED;
	return true;
}

static bool keep_domain(struct cli_keyring_private *private, struct mg_dkim_domain *domain)
{
	if (private->domain_count == private->domain_room) {
		size_t room = private->domain_room > 0 ? 2 * private->domain_room : 64;
		struct mg_dkim_domain **domains =
			reallocarray(private->domains, room, sizeof(struct mg_dkim_domain *));

		if (domains == NULL)
			return false;
		private->domains = domains;
		private->domain_room = room;
	}
	private->domains[private->domain_count++] = domain;
	return true;
}

static void read_domain(struct reading *reading, const char *name)
{
	struct mg_dkim_domain *domain = NULL;
	struct mg_error error;
	enum mg_dkim_found found =
		mg_dkim_domain_read(reading->private->folder, name, NULL, &domain, &error);

	if (found == MG_DKIM_FAILED)
		reading->status = cannot_read(reading->call, errno, error.text);
	if (found != MG_DKIM_FOUND)
		return;
	if (!keep_domain(reading->private, domain)) {
		mg_dkim_domain_free(domain);
		reading->status =
			(enum cli_exit)cli_fail(reading->call, CLI_FAILED, "out of memory");
		return;
	}
	for (size_t i = 0; i < domain->count; i++)
		if (i < domain->key_count ? !add_file(reading, domain, i)
					  : !add_retired(reading, domain, i))
			reading->status =
				(enum cli_exit)cli_fail(reading->call, CLI_FAILED, "out of memory");
}

/* Names of domains, to be sorted. */
struct names {
	char **list;
	size_t count, room;
	bool failed;
};

static bool take_name(void *context, const char *name)
{
	struct names *names = context;
	char **list = names->list;

	if (!mg_dkim_is_domain(name))
		return true;
	if (names->count == names->room) {
		names->room = names->room > 0 ? 2 * names->room : 64;
		list = reallocarray(names->list, names->room, sizeof(*list));
	}
	if (list != NULL)
		names->list = list;
	if (list == NULL || (list[names->count] = strdup(name)) == NULL)
		names->failed = true;
	else
		names->count++;
	return !names->failed;
}

static int compare_names(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

static void read_all(struct reading *reading)
{
	struct names names = {.count = 0};
	struct mg_error error;

	if (!mg_dkim_folder_list(reading->private->folder, take_name, &names, &error))
		reading->status = cannot_read(reading->call, errno, error.text);
	if (names.failed)
		reading->status =
			(enum cli_exit)cli_fail(reading->call, CLI_FAILED, "out of memory");
	if (names.count > 0)
		qsort(names.list, names.count, sizeof(*names.list), compare_names);
	for (size_t i = 0; i < names.count; i++) {
		if (reading->status == CLI_GOOD)
			read_domain(reading, names.list[i]);
		free(names.list[i]);
	}
	free(names.list);
}

/* --- DNS --- */

struct cli_key_seen cli_key_compare(
	const struct mg_dkim_key *key, const struct mg_dns_answer *answer)
{
	static const char *const words[] = {
		[MG_DKIM_RECORD_SAME] = "same",
		[MG_DKIM_RECORD_OTHER] = "other",
		[MG_DKIM_RECORD_REVOKED] = "revoked",
		[MG_DKIM_RECORD_UNUSABLE] = "unusable",
		[MG_DKIM_RECORD_BAD] = "bad",
	};
	struct cli_key_seen seen = {.dns = CLI_DNS_SILENT, .word = "no answer"};

	if (answer->status == MG_DNS_NO_DATA || answer->status == MG_DNS_NO_NAME) {
		seen.dns = CLI_DNS_ABSENT;
		seen.word = "no record";
	}
	/* Of several records the one with our key counts, else the first. */
	for (size_t i = 0; answer->status == MG_DNS_FOUND && i < answer->count; i++) {
		char why[sizeof(seen.why)];
		enum mg_dkim_record record = mg_dkim_record_compare(
			key, answer->records[i].data, answer->records[i].length, why);

		if (i > 0 && record != MG_DKIM_RECORD_SAME)
			continue;
		seen.dns = record == MG_DKIM_RECORD_SAME ? CLI_DNS_SAME : CLI_DNS_OTHER;
		seen.word = words[record];
		mg_str_copy(seen.why, sizeof(seen.why), why);
	}
	return seen;
}

/* Threads take the next key each. */
struct asking {
	struct cli_keyring *keyring;
	struct mg_dns *dns;
	atomic_size_t next;
};

static void ask(struct mg_dns *dns, struct cli_key *key)
{
	const struct mg_dns_answer *answer;
	char name[CLI_ZONE_NAME];

	cli_zone_name(name, key->selector, key->domain);
	answer = mg_dns_ask(dns, name, MG_DNS_TXT, true, cli_resolver_deadline());
	key->seen = cli_key_compare(key->key, answer);
	mg_dns_release(dns, answer);
}

static void *ask_on(void *argument)
{
	struct asking *asking = argument;

	for (;;) {
		size_t next = atomic_fetch_add(&asking->next, 1);

		if (next >= asking->keyring->count)
			return NULL;
		if (asking->keyring->keys[next].state == CLI_KEY_WAITS)
			ask(asking->dns, &asking->keyring->keys[next]);
	}
}

static void ask_all(struct cli_keyring *keyring, struct mg_dns *dns)
{
	struct asking asking = {.keyring = keyring, .dns = dns};
	size_t count = 0, wanted = keyring->count < ASKERS ? keyring->count : ASKERS;
	pthread_t askers[ASKERS];

	while (count + 1 < wanted && pthread_create(&askers[count], NULL, ask_on, &asking) == 0)
		count++;
	ask_on(&asking);
	while (count > 0)
		pthread_join(askers[--count], NULL);
}

/* --- the choice --- */

static enum mg_dkim_seen seen_of(const void *context, size_t index)
{
	switch (((const struct cli_key *)context)[index].seen.dns) {
	case CLI_DNS_SAME: return MG_DKIM_SEEN;
	case CLI_DNS_ABSENT: return MG_DKIM_SEEN_ABSENT;
	case CLI_DNS_OTHER: return MG_DKIM_SEEN_OTHER;
	default: return MG_DKIM_SEEN_UNKNOWN;
	}
}

/* Keys of a domain stand in the order of its files: behind the one that signs are those it has
 * replaced. */
static void choose(struct reading *reading, const struct mg_dkim_domain *domain,
	struct cli_key *keys, bool asked)
{
	struct mg_dkim_choice_rules rules = {.minimum_bits = reading->settings->minimum_bits,
		.selectors = reading->settings->selectors,
		.selector_count = reading->settings->selector_count,
		.asks_dns = asked && reading->settings->asks_dns};
	struct mg_dkim_choice choice = mg_dkim_choose(&rules, domain, seen_of, keys);

	for (size_t i = 0; i < domain->key_count; i++) {
		int signs;

		if (keys[i].state != CLI_KEY_WAITS)
			continue;
		signs = choice.signs[mg_dkim_key_algorithm(keys[i].key)];
		if (signs == (int)i)
			keys[i].state = CLI_KEY_SIGNS;
		else if (signs >= 0 && ((int)i > signs || rules.selector_count > 0))
			keys[i].state = CLI_KEY_REPLACED;
	}
}

static void choose_all(struct reading *reading, bool asked)
{
	struct cli_key *keys = reading->keyring->keys;
	size_t at = 0;

	for (size_t i = 0; i < reading->private->domain_count; i++) {
		const struct mg_dkim_domain *domain = reading->private->domains[i];

		if (domain->key_count > 0)
			choose(reading, domain, &keys[at], asked);
		while (at < reading->keyring->count && keys[at].domain == domain->name)
			at++;
	}
}

enum cli_exit cli_keyring_read(const struct cli_call *call, const struct cli_settings *settings,
	const char *domain, struct mg_dns *dns, struct cli_keyring *keyring)
{
	struct mg_dkim_trust trust = signers_trust();
	struct reading reading = {.call = call, .settings = settings, .keyring = keyring};
	struct mg_error error;

	*keyring = (struct cli_keyring){.private = calloc(1, sizeof(*keyring->private))};
	if (keyring->private == NULL)
		return (enum cli_exit)cli_fail(call, CLI_FAILED, "out of memory");
	reading.private = keyring->private;
	reading.private->folder = mg_dkim_folder_open(settings->keys, &trust, &error);
	if (reading.private->folder == NULL)
		return errno == ENOENT && domain == NULL ? CLI_GOOD
							 : cannot_read(call, errno, error.text);
	reading.private->folder->inspect = true;
	if (domain != NULL)
		read_domain(&reading, domain);
	else
		read_all(&reading);
	if (reading.status == CLI_GOOD && dns != NULL)
		ask_all(keyring, dns);
	if (reading.status == CLI_GOOD)
		choose_all(&reading, dns != NULL);
	return reading.status;
}

void cli_keyring_free(struct cli_keyring *keyring)
{
	struct cli_keyring_private *private = keyring->private;

	if (private == NULL)
		return;
	for (size_t i = 0; i < keyring->count; i++)
		free(private->weak[i]);
	for (size_t i = 0; i < private->domain_count; i++)
		mg_dkim_domain_free(private->domains[i]);
	mg_dkim_folder_close(private->folder);
	free(private->domains);
	free(private->weak);
	free(private);
	free(keyring->keys);
	*keyring = (struct cli_keyring){.count = 0};
}

const struct cli_key *cli_keyring_find(const struct cli_keyring *keyring, const char *selector)
{
	for (size_t i = 0; i < keyring->count; i++)
		if (mg_str_equal_nocase(keyring->keys[i].selector, selector))
			return &keyring->keys[i];
	return NULL;
}
