/* SPDX-License-Identifier: ISC */
/* probe: a filter for tests that does what the message says, so that every way of the runner can be
 * gone; alone as millgate-probe, with the filters of millgate-chain behind it as
 * millgate-probe-chain. */
#ifndef T_MILTER_PROBE_H
#define T_MILTER_PROBE_H
#include "mail/filter.h"

extern const struct mg_filter probe_filter;
#endif
