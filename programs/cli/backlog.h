/* SPDX-License-Identifier: ISC */
/* backlog: recipients that wait, in groups: where, and what was last replied. However many different
 * replies there are, the groups are bounded: what comes then is counted as of other groups. */
#ifndef MG_CLI_BACKLOG_H
#define MG_CLI_BACKLOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/delivery.h"

enum { CLI_BACKLOG_GROUPS = 10000, CLI_BACKLOG_TEXT = 640 };

enum cli_wait {
	CLI_WAIT_HOST, /* a next hop does not take it */
	CLI_WAIT_DNS, /* the domain has no answer of DNS */
	CLI_WAIT_DOMAIN, /* no next hop of the domain was reached, or it is delivered here */
	CLI_WAIT_UNTRIED,
	CLI_WAIT_HELD,
	CLI_WAIT_OTHER /* of more groups than are kept apart */
};

struct cli_backlog_group {
	enum cli_wait wait;
	const char *where; /* host, domain, or code of the hold; "" none */
	const char *reply; /* folded, "" none; a stranger's */
	const char *dsn; /* of the first */
	int reply_code;
	size_t count, overdue;
	int64_t oldest; /* when it was accepted, UTC ns */
	const char *queue_id; /* of the oldest */
};

struct cli_backlog;

/* NULL: no memory. */
struct cli_backlog *cli_backlog_new(void);
void cli_backlog_free(struct cli_backlog *backlog);
/* Counts a recipient. false: no memory. */
bool cli_backlog_add(struct cli_backlog *backlog, const struct mg_delivery *delivery, bool overdue);
/* The groups, the largest first; valid until the next add. NULL: no memory. */
const struct cli_backlog_group *const *cli_backlog_groups(
	struct cli_backlog *backlog, size_t *count);
/* All together: count, overdue and oldest of it. */
const struct cli_backlog_group *cli_backlog_total(const struct cli_backlog *backlog);
/* The domain of an address, or the address when it has none. */
const char *cli_backlog_domain(const char *address);
#endif
