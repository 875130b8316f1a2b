/* SPDX-License-Identifier: ISC */
/* dkim_choice: which keys of a domain sign. A rule over what is known, nothing else: the signer goes by
 * it, the operator's command tells it.
 *
 * Of each algorithm one key signs: the newest that was seen in DNS. While none was, the oldest that
 * DNS is not known to lack: newer ones wait until they are seen. The only key of its algorithm
 * signs whatever DNS says; but an Ed25519 key beside an RSA key makes an additional signature, and
 * waits until it was seen. Where DNS is not asked the oldest of each algorithm signs. Pinned, it is
 * the first of the list that the domain has, whatever DNS says. */
#ifndef MG_AUTH_DKIM_CHOICE_H
#define MG_AUTH_DKIM_CHOICE_H
#include <stdbool.h>
#include <stddef.h>

#include "auth/dkim_domain.h"
#include "auth/dkim_key.h"

/* What DNS has in a key's place. */
enum mg_dkim_seen {
	MG_DKIM_SEEN_UNKNOWN, /* no answer so far */
	MG_DKIM_SEEN, /* this key */
	MG_DKIM_SEEN_ABSENT, /* no record */
	MG_DKIM_SEEN_OTHER /* a record that does not verify what it signs */
};

struct mg_dkim_choice_rules {
	unsigned minimum_bits; /* of RSA */
	const char *const *selectors; /* pinned */
	size_t selector_count;
	bool asks_dns;
};

struct mg_dkim_choice {
	/* Indexes into the files of the domain, -1 none. */
	int signs[MG_DKIM_ALGORITHM_COUNT];
	/* DNS decides between several. */
	bool depends[MG_DKIM_ALGORITHM_COUNT];
};

/* seen: what is known of the key at this index of the domain. */
struct mg_dkim_choice mg_dkim_choose(const struct mg_dkim_choice_rules *rules,
	const struct mg_dkim_domain *domain,
	enum mg_dkim_seen (*seen)(const void *context, size_t index), const void *context);
/* Could the key sign, but for others? It is in order, and strong enough. */
bool mg_dkim_choice_usable(
	const struct mg_dkim_domain *domain, size_t index, unsigned minimum_bits);
bool mg_dkim_choice_weak(const struct mg_dkim_file *file, unsigned minimum_bits);
#endif
