/* SPDX-License-Identifier: ISC */
#include "log/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mail/header.h"
#include "run/settings.h"

enum { HEADERS_MAX = 100 };

static const char *check_header(const char *text)
{
	return mg_header_name_valid(text, strlen(text)) ? NULL : "expected the name of a field";
}

/* clang-format off */
const struct mg_option log_settings_options[] = {
	{.name = "attachments", .kind = MG_BOOL, .value = "yes",
		.help = "Record name, types, size and SHA-256 of attachments, and how the message is "
			"made of parts."},
	{.name = "urls", .kind = MG_BOOL, .value = "yes",
		.help = "Record the hosts of URLs in text and HTML."},
	{.name = "tags", .kind = MG_BOOL, .value = "yes",
		.help = "Record the tags and metadata that applications give a message by control "
			"fields of mail services, such as X-PM-Tag."},
	{.name = "headers", .kind = MG_LIST, .value = "{ }", .check = check_header,
		.help = "Further header fields to record, by name; 100 names, and 50 fields of a "
			"message at most."},
	{.name = NULL},
};
/* clang-format on */

static bool read_headers(
	const struct mg_conf *conf, struct log_settings *settings, struct mg_errors *errors)
{
	size_t count;
	const char *const *names = mg_conf_list(conf, "headers", &count);

	if (count > HEADERS_MAX) {
		mg_conf_error(conf, "headers", errors, "headers: more than %d names", HEADERS_MAX);
		return false;
	}
	settings->headers = calloc(count + 1, sizeof(*settings->headers));
	for (size_t i = 0; settings->headers != NULL && i < count; i++) {
		settings->headers[i] = strdup(names[i]);
		if (settings->headers[i] == NULL)
			break;
		mg_str_lower(settings->headers[i]);
		settings->header_count++;
	}
	if (settings->header_count == count && settings->headers != NULL)
		return true;
	mg_errors_add(errors, "out of memory");
	return false;
}

struct log_settings *log_settings_new(const struct mg_conf *conf, struct mg_errors *errors)
{
	struct log_settings *settings = calloc(1, sizeof(*settings));

	if (settings == NULL) {
		mg_errors_add(errors, "out of memory");
		return NULL;
	}
	settings->attachments = mg_conf_bool(conf, "attachments");
	settings->urls = mg_conf_bool(conf, "urls");
	settings->tags = mg_conf_bool(conf, "tags");
	mg_str_copy(settings->authserv_id, sizeof(settings->authserv_id),
		mg_conf_text(conf, "authserv_id"));
	if (settings->authserv_id[0] == '\0')
		mg_settings_gateway(
			conf, settings->authserv_id, sizeof(settings->authserv_id), errors);
	if (!read_headers(conf, settings, errors)) {
		log_settings_free(settings);
		return NULL;
	}
	return settings;
}

void log_settings_free(struct log_settings *settings)
{
	if (settings == NULL)
		return;
	for (size_t i = 0; i < settings->header_count; i++)
		free(settings->headers[i]);
	free(settings->headers);
	free(settings);
}
