/* SPDX-License-Identifier: ISC */
/* key: millgate key new, list, check, dns, retire; a part a file. */
#ifndef MG_CLI_KEY_H
#define MG_CLI_KEY_H
#include "auth/dkim_folder.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/keyring.h"

int cli_key_new(const struct cli_call *call);
int cli_key_list(const struct cli_call *call);
int cli_key_check(const struct cli_call *call);
int cli_key_dns(const struct cli_call *call);
int cli_key_retire(const struct cli_call *call);

/* For the parts: the first argument as a domain in A-labels, the second as a selector ("" none);
 * CLI_GOOD, or CLI_USAGE after it said what is wrong. */
enum cli_exit cli_key_arguments(const struct cli_call *call, char domain[MG_DKIM_DOMAIN_MAX + 1],
	char selector[MG_DKIM_SELECTOR_MAX + 1]);
/* "rsa-2048", "ed25519", "-": of a key that cannot be read. */
enum { CLI_KEY_TYPE_MAX = 24 };
const char *cli_key_type(const struct mg_dkim_key *key, char type[CLI_KEY_TYPE_MAX]);
/* Until when a key that retired then may still be needed to verify mail, UTC ns; while mail that is
 * older is held, a time that has not come. */
int64_t cli_key_needed_until(time_t retired);
/* What JSON has of a key, into the object that is open. */
void cli_key_json(struct cli_json *json, const struct cli_key *key);
/* Prints it; status, or CLI_FAILED after it said why. */
int cli_key_json_end(const struct cli_call *call, struct cli_json *json, int status);
/* The worst of what was found. */
int cli_key_worse(int one, int other);
/* Nothing found: says so and returns CLI_UNKNOWN. */
int cli_key_none(const struct cli_call *call, const struct cli_settings *settings,
	const char *domain, const char *selector);
#endif
