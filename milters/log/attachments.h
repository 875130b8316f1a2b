/* SPDX-License-Identifier: ISC */
/* attachments: what a message carries besides its text: each part that its sender calls an
 * attachment, that has a file name, or whose type is none of text and message. Name, types, size and
 * hash are kept, no content; memory is bounded: 64 KiB of names, and some 100 bytes a part. */
#ifndef MG_MILTERS_LOG_ATTACHMENTS_H
#define MG_MILTERS_LOG_ATTACHMENTS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/digest.h"
#include "event/event.h"
#include "mail/file_type.h"
#include "mail/mime.h"

struct log_attachment;

/* Zeroed, but for `type`, which needs not: a message without any. */
struct log_attachments {
	struct log_attachment *list;
	size_t count, room;
	unsigned total; /* also those there was no memory for */
	struct mg_buf texts; /* names and types of the list */
	bool cut; /* names are missing */
	struct log_attachment *open; /* the one whose content comes; in the list, or NULL */
	struct mg_sha256 *hash; /* of it */
	struct mg_file_type type;
};

/* A part as mail/mime tells of it: begin, content of a leaf, end. */
void log_attachments_begin(struct log_attachments *attachments, const struct mg_mime_part *part);
void log_attachments_content(
	struct log_attachments *attachments, const unsigned char *bytes, size_t length);
void log_attachments_end(struct log_attachments *attachments, const struct mg_mime_part *part);
/* Sets their fields. */
void log_attachments_record(const struct log_attachments *attachments, struct mg_event *event);
void log_attachments_free(struct log_attachments *attachments);
#endif
