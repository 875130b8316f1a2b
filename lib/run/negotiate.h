/* SPDX-License-Identifier: ISC */
/* negotiate: what the filters of a process need, as the flags of milter option negotiation; the
 * same for every front (SMFIP_* and SMFIF_* of libmilter are these numbers). */
#ifndef MG_RUN_NEGOTIATE_H
#define MG_RUN_NEGOTIATE_H
#include <stdint.h>

#include "run/host.h"

/* MG_WIRE_NO_*, MG_WIRE_NR_*, SKIP and HEADER_LEADING_SPACE as far as the plan wants them. */
uint32_t mg_negotiate_protocol(const struct mg_plan *plan);
/* MG_WIRE_ADD_HEADERS …: the edits that the MTA must offer. */
uint32_t mg_negotiate_actions(const struct mg_plan *plan);
#endif
