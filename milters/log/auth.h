/* SPDX-License-Identifier: ISC */
/* auth: what a header has of authentication: DKIM signatures, as they say of themselves, and this
 * gateway's Authentication-Results (RFC 8601). */
#ifndef MG_MILTERS_LOG_AUTH_H
#define MG_MILTERS_LOG_AUTH_H
#include <stddef.h>

#include "event/event.h"
#include "mail/message.h"

/* Sets millgate.dkim.signatures (20 at most) and, of the fields whose authserv-id is this one,
 * millgate.authentication_results (50 at most). */
void log_auth_record(struct mg_event *event, const struct mg_header *headers, size_t count,
	const char *authserv_id);
#endif
