/* SPDX-License-Identifier: ISC */
/* keyring: the keys of one domain or all, as the signer sees them: which one signs, which waits, which
 * is refused and why, and what DNS has in its place. */
#ifndef MG_CLI_KEYRING_H
#define MG_CLI_KEYRING_H
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "auth/dkim_domain.h"
#include "auth/dkim_trust.h"
#include "base/dns.h"
#include "cli/command.h"
#include "cli/settings.h"

enum cli_key_state {
	CLI_KEY_SIGNS,
	CLI_KEY_WAITS, /* until it is seen in DNS */
	CLI_KEY_REPLACED, /* a newer one signs */
	CLI_KEY_REFUSED, /* see fault */
	CLI_KEY_RETIRED
};
const char *cli_key_state_name(enum cli_key_state state);

/* What DNS has of a key. */
enum cli_key_dns {
	CLI_DNS_NOT_ASKED,
	CLI_DNS_SAME,
	CLI_DNS_ABSENT,
	CLI_DNS_OTHER, /* what stands there does not verify what it signs */
	CLI_DNS_SILENT /* no answer */
};

struct cli_key_seen {
	enum cli_key_dns dns;
	const char *word; /* of millgate.dkim.dns: "same", "no record", "other", … */
	char why[128]; /* in words; "" the same */
};

struct cli_key {
	const char *domain, *selector;
	const struct mg_dkim_key *key; /* NULL: it cannot be read */
	const struct mg_dkim_fault *fault; /* of a refused one */
	enum cli_key_state state;
	time_t changed; /* of a retired one: since when */
	struct cli_key_seen seen;
};

struct cli_keyring {
	struct cli_key *keys; /* by domain, then newest first, retired ones last */
	size_t count;
	struct cli_keyring_private *private;
};

/* Reads the keys of a domain (NULL: all domains), and asks DNS what it has of those that could sign
 * (dns NULL: it is not asked). CLI_GOOD, also where there is none; another exit code after it said
 * why. Free it in either case. */
enum cli_exit cli_keyring_read(const struct cli_call *call, const struct cli_settings *settings,
	const char *domain, struct mg_dns *dns, struct cli_keyring *keyring);
void cli_keyring_free(struct cli_keyring *keyring);
/* The key of a selector, without regard to case; NULL none. */
const struct cli_key *cli_keyring_find(const struct cli_keyring *keyring, const char *selector);

/* Compares a key with what an answer to the question for its record has. */
struct cli_key_seen cli_key_compare(
	const struct mg_dkim_key *key, const struct mg_dns_answer *answer);
#endif
