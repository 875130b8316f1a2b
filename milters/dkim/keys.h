/* SPDX-License-Identifier: ISC */
/* keys: the folder of keys, DOMAIN/SELECTOR.pem: which keys sign a domain, now. Files are read when
 * a domain is first used, kept, and seen again when they change, within a second, without a reload;
 * what DNS says of them decides which of several signs.
 *
 * A store is what is known of one folder: loaded keys and what DNS had. It is shared by all that
 * open the same folder and outlives reloads: one lock for the table of domains, held for no wait. */
#ifndef MG_DKIM_KEYS_H
#define MG_DKIM_KEYS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/dkim_key.h"
#include "base/clock.h"
#include "base/dns.h"
#include "base/error.h"
#include "event/event.h"

struct dkim_keys_settings {
	const char *folder;
	bool subdomains; /* a domain without a folder is signed by the next one above it */
	unsigned minimum_bits; /* RSA */
	int64_t check_dns; /* ns between looks at a key that waits; 0: DNS is never asked */
	const char *const *selectors; /* pinned: see key_choice.h */
	size_t selector_count;
};

/* One that works by these settings, over the shared store; they are copied. NULL with error: the
 * folder is not there, or no folder. The others last until dkim_keys_close: dns (NULL: nothing is
 * asked, the oldest signs), clock, events (key-waiting, key-switched, key-mismatch, key-refused,
 * each on a change; NULL: to the journal only). background: look at waiting keys every check_dns in
 * a thread of its own, which dkim_keys_close ends, waiting 3 s at most; else dkim_keys_choose asks. */
struct dkim_keys;
struct dkim_keys *dkim_keys_open(const struct dkim_keys_settings *settings, struct mg_dns *dns,
	const struct mg_clock *clock, const struct mg_events *events, bool background,
	struct mg_error *error);
void dkim_keys_close(struct dkim_keys *keys);

enum dkim_choice {
	DKIM_CHOSEN,
	DKIM_NO_KEY, /* no folder, or none of the pinned ones */
	DKIM_GONE, /* a folder of the domain, or of one that may sign it, and no key in it */
	DKIM_REFUSED, /* there are keys, and none may be used: reason has the first one's why */
	DKIM_BAD_DOMAIN, /* not a name of LDH labels */
	DKIM_UNREADABLE /* the folder cannot be read now */
};

/* A key that signs. */
struct dkim_signer {
	char domain[256], selector[64 + 1];
	struct mg_dkim_key *key; /* a use is the caller's */
	/* The record was seen in DNS, and lets i= be a subdomain (no t=s, RFC 6376 section 3.6.1). */
	bool allows_subdomains;
};
enum { DKIM_SIGNERS_MAX = MG_DKIM_ALGORITHM_COUNT };

/* The keys that sign for a domain (A-label, lower case), at most one an algorithm, RSA first; which
 * one is in key_choice.h. With `subdomains` the nearest parent whose folder has a key signs a domain
 * whose own has none; by whole labels, up to the top-level domain, should that have a folder.
 * deadline: for questions, monotonic ns; none takes more than 2 s of a message's time. */
enum dkim_choice dkim_keys_choose(struct dkim_keys *keys, const char *domain, int64_t deadline,
	struct dkim_signer signers[DKIM_SIGNERS_MAX], size_t *count, struct mg_error *reason);
void dkim_signers_release(struct dkim_signer signers[], size_t count);
/* Has this domain's folder the selector, and with which key? NULL: no. For signatures that came with
 * the message. A use is the caller's. */
struct mg_dkim_key *dkim_keys_find(
	struct dkim_keys *keys, const char *domain, const char *selector);
#endif
