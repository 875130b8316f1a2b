/* SPDX-License-Identifier: ISC */
/* postfix: what its own commands say, postconf(1) and postqueue(1). */
#ifndef MG_CLI_POSTFIX_H
#define MG_CLI_POSTFIX_H
#include <stdint.h>

/* How long mail may wait in the queue, ns: the longer of maximal_queue_lifetime and
 * bounce_queue_lifetime; five days, its default, where Postfix does not say. */
int64_t cli_postfix_lifetime(void);
/* When Postfix will try about next what came then and was tried last then, UTC ns: it waits as long
 * as the message is old, within minimal_backoff_time and maximal_backoff_time. */
int64_t cli_postfix_next_try(int64_t came, int64_t tried);
/* Messages on hold that arrived before this time (UTC ns); -1: Postfix does not say. */
int64_t cli_postfix_held_before(int64_t utc);
#endif
