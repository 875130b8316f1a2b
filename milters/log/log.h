/* SPDX-License-Identifier: ISC */
/* log: the filter of millgate-log. It lets every message pass and writes one message-accepted event
 * for each: client, user, TLS, envelope, size, what its header says, attachments, hosts of URLs, and
 * the tags of applications. It takes off the fields X-Millgate-Hold of filters before it. */
#ifndef MG_MILTERS_LOG_H
#define MG_MILTERS_LOG_H
#include "mail/filter.h"

extern const struct mg_filter mg_log_filter;
#endif
