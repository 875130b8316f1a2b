/* SPDX-License-Identifier: ISC */
#include "event/settings.h"

#include <stddef.h>

#define WAYS "clear|hmac|mask|drop"

/* A typing error should not make a million files. */
#define SEGMENT_MIN 4096

/* The settings of redact, by class; a class that has none is always clear. */
static const char *const redact_names[MG_PRIVACY_COUNT] = {
	[MG_PRIVACY_SUBJECT] = "subject",
	[MG_PRIVACY_RECIPIENTS] = "recipients",
	[MG_PRIVACY_SENDERS] = "senders",
	[MG_PRIVACY_NAMES] = "names",
	[MG_PRIVACY_CLIENT] = "client",
};

static const char *check_absolute(const char *text)
{
	return text[0] == '/' ? NULL : "expected a path that begins with /";
}

static const struct mg_option redact_options[] = {
	{.name = "subject", .kind = MG_WORD, .value = "clear", .words = WAYS, .help = "Subject"},
	{.name = "recipients",
		.kind = MG_WORD,
		.value = "clear",
		.words = WAYS,
		.help = "Addresses of recipients, of the envelope and of the header"},
	{.name = "senders",
		.kind = MG_WORD,
		.value = "clear",
		.words = WAYS,
		.help = "Addresses of senders and authors, and user names"},
	{.name = "names",
		.kind = MG_WORD,
		.value = "clear",
		.words = WAYS,
		.help = "Names of attachments and of certificates"},
	{.name = "client",
		.kind = MG_WORD,
		.value = "clear",
		.words = WAYS,
		.help = "Address, name, port and greeting of the client"},
	{.name = "key",
		.kind = MG_TEXT,
		.value = "file:" MG_SYSCONFDIR "/redact.key",
		.help = "File with the key of hmac, 16 to 4096 bytes, that others cannot read"},
	{.name = NULL},
};

static const struct mg_option events_options[] = {
	{.name = "directory",
		.kind = MG_TEXT,
		.value = MG_LOGDIR,
		.check = check_absolute,
		.help = "Where the event log is"},
	{.name = "durable",
		.kind = MG_BOOL,
		.value = "no",
		.help = "Sync each record to the disk before the client is answered; no: once a second"},
	{.name = "segment",
		.kind = MG_SIZE,
		.value = "64M",
		.minimum = SEGMENT_MIN,
		.maximum = INT64_MAX,
		.help = "Size at which a file is sealed and the next begun"},
	{.name = "keep",
		.kind = MG_SIZE,
		.value = "10G",
		.help = "Size of the log over which its oldest files are removed"},
	{.name = "keep_age",
		.kind = MG_DURATION,
		.value = "90d",
		.help = "Age at which a file is removed"},
	{.name = "hard_limit",
		.kind = MG_SIZE,
		.value = "20G",
		.help = "Size of the log up to which a file is kept that a sink has not had; not below keep"},
	{.name = "redact",
		.kind = MG_SECTION,
		.options = redact_options,
		.help = "What of a message may be written: clear, hmac (a pseudonym), mask or drop"},
	{.name = NULL},
};

const struct mg_option mg_events_options[] = {
	{.name = "events", .kind = MG_SECTION, .options = events_options, .help = "The event log"},
	{.name = NULL},
};

void mg_events_spool_settings(
	const struct mg_conf *conf, const char *name, struct mg_spool_settings *settings)
{
	const struct mg_conf *events = mg_conf_section(conf, "events");

	*settings = (struct mg_spool_settings){.directory = mg_conf_text(events, "directory"),
		.name = name,
		.durable = mg_conf_bool(events, "durable"),
		.segment_bytes = (uint64_t)mg_conf_number(events, "segment"),
		.keep_bytes = (uint64_t)mg_conf_number(events, "keep"),
		.hard_limit_bytes = (uint64_t)mg_conf_number(events, "hard_limit"),
		.keep_age = mg_conf_number(events, "keep_age")};
	if (settings->hard_limit_bytes < settings->keep_bytes)
		settings->hard_limit_bytes = settings->keep_bytes;
}

struct mg_redact *mg_events_redact(const struct mg_conf *conf, struct mg_errors *errors)
{
	const struct mg_conf *section = mg_conf_section(mg_conf_section(conf, "events"), "redact");
	enum mg_redact_way ways[MG_PRIVACY_COUNT] = {MG_REDACT_CLEAR};
	struct mg_redact *redact;
	struct mg_error error;

	for (size_t i = 0; i < MG_PRIVACY_COUNT; i++)
		if (redact_names[i] != NULL)
			ways[i] = (enum mg_redact_way)mg_conf_number(section, redact_names[i]);
	redact = mg_redact_new(ways, mg_conf_text(section, "key"), &error);
	if (redact == NULL)
		mg_conf_error(section, "key", errors, "key: %s", error.text);
	return redact;
}
