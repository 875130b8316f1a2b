/* SPDX-License-Identifier: ISC */
/* tally: how often each key signed since some time, by the events of millgate-dkim. */
#ifndef MG_CLI_TALLY_H
#define MG_CLI_TALLY_H
#include <stdint.h>

struct cli_tally;

/* Reads the events "message-signed" of DIRECTORY/dkim.jsonl and its sealed files; since: UTC ns.
 * NULL: there is no such log, or it cannot be read. */
struct cli_tally *cli_tally_read(const char *directory, int64_t since);
/* How often; tally NULL: -1. */
int64_t cli_tally_of(const struct cli_tally *tally, const char *domain, const char *selector);
void cli_tally_free(struct cli_tally *tally);
#endif
