/* SPDX-License-Identifier: ISC */
/* dkim: the filter of millgate-dkim. It signs outbound mail by the keys of its author's domain, and
 * takes off the fields X-Millgate-Hold of filters before it. Whatever becomes of a message, an event
 * says so: message-signed for each signature, message-unsigned, message-passed. */
#ifndef MG_DKIM_DKIM_H
#define MG_DKIM_DKIM_H
#include "mail/filter.h"

extern const struct mg_filter mg_dkim_filter;
#endif
