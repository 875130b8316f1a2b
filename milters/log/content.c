/* SPDX-License-Identifier: ISC */
#include "log/content.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "log/attachments.h"
#include "log/urls.h"
#include "mail/fields.h"
#include "mail/mime.h"

struct log_content {
	const struct log_settings *settings;
	struct log_urls urls;
	struct log_attachments attachments;
	bool is_text; /* the part whose content comes is text or HTML */
	unsigned parts;
	char type[128]; /* of the message */
	struct mg_mime *mime;
	max_align_t memory[]; /* of mime */
};

static void begin(void *context, const struct mg_mime_part *part)
{
	struct log_content *content = context;
	bool html = strcmp(part->type, "text/html") == 0;

	content->parts++;
	if (part->number == 0)
		mg_str_copy(content->type, sizeof(content->type), part->type);
	if (content->settings->attachments)
		log_attachments_begin(&content->attachments, part);
	content->is_text = content->settings->urls && !part->container &&
			   (html || strcmp(part->type, "text/plain") == 0);
	if (content->is_text)
		log_urls_begin(&content->urls, html);
}

static void take(void *context, const struct mg_mime_part *part, enum mg_mime_content kind,
	const unsigned char *bytes, size_t length)
{
	struct log_content *content = context;

	(void)part;
	if (kind != MG_MIME_LEAF)
		return;
	log_attachments_content(&content->attachments, bytes, length);
	if (content->is_text)
		log_urls_add(&content->urls, bytes, length);
}

static void end(void *context, const struct mg_mime_part *part)
{
	struct log_content *content = context;

	log_attachments_end(&content->attachments, part);
	if (content->is_text)
		log_urls_end(&content->urls);
	content->is_text = false;
}

static const struct mg_mime_handler handler = {.begin = begin, .content = take, .end = end};

struct log_content *log_content_new(const struct log_settings *settings)
{
	struct log_content *content = malloc(sizeof(*content) + mg_mime_size());

	if (content == NULL)
		return NULL;
	content->settings = settings;
	content->urls = (struct log_urls){.html = false};
	memset(&content->attachments, 0, offsetof(struct log_attachments, type));
	content->is_text = false;
	content->parts = 0;
	content->type[0] = '\0';
	content->mime = mg_mime_init(content->memory, &handler, content, &mg_mime_bounds);
	return content;
}

void log_content_free(struct log_content *content)
{
	if (content == NULL)
		return;
	log_hosts_free(&content->urls.hosts);
	log_attachments_free(&content->attachments);
	free(content);
}

void log_content_header(struct log_content *content, const struct mg_header *header)
{
	if (content != NULL)
		mg_mime_header(content->mime, header->name, header->name_length, header->value,
			header->value_length);
}

void log_content_header_end(struct log_content *content)
{
	if (content != NULL)
		mg_mime_header_end(content->mime);
}

void log_content_body(struct log_content *content, const unsigned char *bytes, size_t length)
{
	if (content != NULL)
		mg_mime_body(content->mime, bytes, length);
}

static void record_structure(struct log_content *content, struct mg_event *event)
{
	unsigned facts = mg_mime_end(content->mime);

	mg_event_set_text(event, &mg_fields[MG_FIELD_EMAIL_CONTENT_TYPE], content->type);
	mg_event_set_number(event, &mg_fields[MG_FIELD_MIME_PARTS], content->parts);
	for (unsigned fact = 1; fact != 0 && fact <= facts; fact <<= 1)
		if ((facts & fact) != 0)
			mg_event_set_text(
				event, &mg_fields[MG_FIELD_MIME_FACTS], mg_mime_fact_name(fact));
}

static void record_hosts(const struct log_content *content, struct mg_event *event)
{
	const char *host = NULL;

	while ((host = log_hosts_next(&content->urls.hosts, host)) != NULL)
		mg_event_set_text(event, &mg_fields[MG_FIELD_URLS_HOSTS], host);
	if (content->urls.hosts.truncated)
		mg_event_truncated(event, &mg_fields[MG_FIELD_URLS_HOSTS]);
}

void log_content_record(
	struct log_content *content, const struct log_settings *settings, struct mg_event *event)
{
	if (content == NULL) {
		if (settings->attachments)
			mg_event_truncated(event, &mg_fields[MG_FIELD_EMAIL_ATTACHMENTS]);
		if (settings->urls)
			mg_event_truncated(event, &mg_fields[MG_FIELD_URLS_HOSTS]);
		return;
	}
	record_structure(content, event);
	if (settings->attachments)
		log_attachments_record(&content->attachments, event);
	if (settings->urls)
		record_hosts(content, event);
}
