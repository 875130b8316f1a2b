/* SPDX-License-Identifier: ISC */
/* logins: who fails to log in, and who does not, gathered from events. A network from which many names
 * are tried that never worked is one row, whoever of it tried: guessing. So is a user whom many
 * clients try. What is kept is bounded: of a network that tries too many names only tries go on to be
 * counted. */
#ifndef MG_CLI_LOGINS_H
#define MG_CLI_LOGINS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLI_LOGINS_MAX = 200000 /* of what is kept apart */ };

struct cli_login_row {
	const char *user; /* what was claimed, a stranger's; "" unknown, or several */
	const char *client; /* address; of several "192.0.2.0/24", or "17 clients" */
	bool guessing; /* the row is of a network */
	bool works; /* by now, from this client */
	size_t tries, names; /* names: how many were tried */
	int64_t last; /* UTC ns */
	const char *reason; /* of the last, as Postfix has it */
	/* Where the user logged in last; "" never. */
	const char *worked_client;
	int64_t worked;
};

struct cli_logins;

/* NULL: no memory. */
struct cli_logins *cli_logins_new(void);
void cli_logins_free(struct cli_logins *logins);
/* A login that failed, or worked; in order of time. user "" unknown. false: no memory. */
bool cli_logins_failed(struct cli_logins *logins, const char *user, const char *client,
	const char *reason, int64_t utc);
bool cli_logins_worked(
	struct cli_logins *logins, const char *user, const char *client, int64_t utc);
/* Rows, users before networks, most tries first; those that work by now (from the same client, later)
 * are left out, unless `all`. Once, when all was added. NULL: no memory. */
const struct cli_login_row *cli_logins_rows(struct cli_logins *logins, bool all, size_t *count);
/* Users that logged in and are in no row. */
size_t cli_logins_working(const struct cli_logins *logins);
#endif
