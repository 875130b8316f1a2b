/* SPDX-License-Identifier: ISC */
/* tags: what applications say of a message by the control fields of mail services, as their
 * documentation has them: a tag, or names and values. Nothing of it is an error: what is broken or
 * too long is left out or cut, and millgate.truncated says so. */
#ifndef MG_MILTERS_LOG_TAGS_H
#define MG_MILTERS_LOG_TAGS_H
#include <stddef.h>

#include "event/event.h"
#include "mail/message.h"

/* Sets millgate.tags and millgate.metadata. */
void log_tags_record(struct mg_event *event, const struct mg_header *headers, size_t count);
#endif
