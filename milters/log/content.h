/* SPDX-License-Identifier: ISC */
/* content: what log keeps of the content of one message while it comes: its parts, attachments, and
 * hosts of URLs. Memory is of a fixed size (below 64 KiB) and what attachments.h and hosts.h say,
 * whatever the message; it is not of message_memory, so that log never uses up what other filters
 * need. */
#ifndef MG_MILTERS_LOG_CONTENT_H
#define MG_MILTERS_LOG_CONTENT_H
#include <stddef.h>

#include "event/event.h"
#include "log/settings.h"
#include "mail/message.h"

struct log_content;

/* NULL: no memory; the other functions take it. settings are kept. */
struct log_content *log_content_new(const struct log_settings *settings);
void log_content_free(struct log_content *content);
/* The fields of the message's header, its end, the body. */
void log_content_header(struct log_content *content, const struct mg_header *header);
void log_content_header_end(struct log_content *content);
void log_content_body(struct log_content *content, const unsigned char *bytes, size_t length);
/* The message has ended: sets its fields. */
void log_content_record(
	struct log_content *content, const struct log_settings *settings, struct mg_event *event);
#endif
