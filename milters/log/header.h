/* SPDX-License-Identifier: ISC */
/* header: what is recorded of the fields of a header: author, recipients, subject, Message-ID, date
 * and their like, and those that the setting `headers` names. */
#ifndef MG_MILTERS_LOG_HEADER_H
#define MG_MILTERS_LOG_HEADER_H
#include <stdbool.h>
#include <stddef.h>

#include "event/event.h"
#include "log/settings.h"
#include "mail/message.h"

bool log_header_is(const struct mg_header *header, const char *name);
/* Sets the fields. */
void log_header_record(struct mg_event *event, const struct mg_header *headers, size_t count,
	const struct log_settings *settings);
#endif
