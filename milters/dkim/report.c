/* SPDX-License-Identifier: ISC */
#include "dkim/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"
#include "dkim/fragile.h"
#include "mail/fields.h"
#include "mail/header.h"
#include "mail/mailbox.h"

enum {
	VALUE_MAX = 64 * 1024, /* bytes of a field value that are looked at */
	TEXT_MAX = 1024 /* of a Message-ID */
};

enum dkim_metric {
	METRIC_PASSED,
	METRIC_SIGNED,
	METRIC_UNSIGNED = METRIC_SIGNED + MG_DKIM_ALGORITHM_COUNT
};

#define UNSIGNED(identifier, code) \
	[METRIC_UNSIGNED + (identifier)] = { \
		"millgate_messages_unsigned_total", "code=\"" code "\"", "", MG_COUNTER}

const struct mg_metric dkim_metrics[] = {
	[METRIC_PASSED] = {"millgate_messages_passed_total", "", "Messages that are not outbound",
		MG_COUNTER},
	[METRIC_SIGNED + MG_DKIM_RSA_SHA256] = {"millgate_messages_signed_total",
		"algorithm=\"rsa-sha256\"", "Signatures added to outbound messages", MG_COUNTER},
	[METRIC_SIGNED + MG_DKIM_ED25519_SHA256] = {"millgate_messages_signed_total",
		"algorithm=\"ed25519-sha256\"", "", MG_COUNTER},
	[METRIC_UNSIGNED + DKIM_ALREADY_SIGNED] = {"millgate_messages_unsigned_total",
		"code=\"already-signed\"", "Signatures not added to outbound messages, by reason",
		MG_COUNTER},
	UNSIGNED(DKIM_CODE_BAD_AUTHOR, "bad-author"),
	UNSIGNED(DKIM_CODE_BAD_DOMAIN, "bad-domain"),
	UNSIGNED(DKIM_EXCEPTION, "exception"),
	UNSIGNED(DKIM_CODE_FRAGILE, "fragile"),
	UNSIGNED(DKIM_KEY_GONE, "key-gone"),
	UNSIGNED(DKIM_KEY_MISMATCH, "key-mismatch"),
	UNSIGNED(DKIM_KEY_REFUSED, "key-refused"),
	UNSIGNED(DKIM_KEYS_UNREADABLE, "keys-unreadable"),
	UNSIGNED(DKIM_LONG_LINE, "long-line"),
	UNSIGNED(DKIM_NO_AUTHOR, "no-author"),
	UNSIGNED(DKIM_CODE_NO_KEY, "no-key"),
	UNSIGNED(DKIM_NOT_MATCHED, "not-matched"),
	UNSIGNED(DKIM_OVER_BOUND, "over-bound"),
	UNSIGNED(DKIM_SEVERAL_AUTHORS, "several-authors"),
	UNSIGNED(DKIM_SIGNING_FAILED, "signing-failed"),
	{.name = NULL},
};

/* When a message is deferred for a code. */
enum defers { NEVER, AS_UNSIGNED, AS_FRAGILE, ALWAYS };

static const struct {
	const char *name;
	bool intended; /* the message is as it was asked for */
	enum defers defers;
} codes[DKIM_CODES] = {
	[DKIM_ALREADY_SIGNED] = {"already-signed", true, NEVER},
	[DKIM_CODE_BAD_AUTHOR] = {"bad-author", false, NEVER},
	[DKIM_CODE_BAD_DOMAIN] = {"bad-domain", false, NEVER},
	[DKIM_EXCEPTION] = {"exception", true, NEVER},
	[DKIM_CODE_FRAGILE] = {"fragile", false, AS_FRAGILE},
	[DKIM_KEY_GONE] = {"key-gone", false, AS_UNSIGNED},
	/* Only met where verify_before_send asks for it. */
	[DKIM_KEY_MISMATCH] = {"key-mismatch", false, ALWAYS},
	[DKIM_KEY_REFUSED] = {"key-refused", false, AS_UNSIGNED},
	[DKIM_KEYS_UNREADABLE] = {"keys-unreadable", false, AS_UNSIGNED},
	[DKIM_LONG_LINE] = {"long-line", false, NEVER},
	[DKIM_NO_AUTHOR] = {"no-author", false, NEVER},
	[DKIM_CODE_NO_KEY] = {"no-key", false, NEVER},
	[DKIM_NOT_MATCHED] = {"not-matched", true, NEVER},
	[DKIM_OVER_BOUND] = {"over-bound", false, NEVER},
	[DKIM_SEVERAL_AUTHORS] = {"several-authors", false, NEVER},
	[DKIM_SIGNING_FAILED] = {"signing-failed", false, AS_UNSIGNED},
};

void dkim_problem_set(struct dkim_problem *problem, enum dkim_code code, const char *domain,
	const char *format, ...)
{
	va_list arguments;

	problem->code = code;
	mg_str_copy(problem->domain, sizeof(problem->domain), domain);
	va_start(arguments, format);
	vsnprintf(problem->reason, sizeof(problem->reason), format, arguments);
	va_end(arguments);
}

bool dkim_problem_defers(const struct dkim_settings *settings, enum dkim_code code)
{
	switch (codes[code].defers) {
	case AS_UNSIGNED: return settings->unsigned_way == DKIM_UNSIGNED_TEMPFAIL;
	case AS_FRAGILE: return settings->fragile == DKIM_FRAGILE_TEMPFAIL;
	case ALWAYS: return true;
	case NEVER: break;
	}
	return false;
}

bool dkim_problem_is_failure(enum dkim_code code)
{
	return codes[code].defers != NEVER;
}

/* Of events that were written: counters say what they do. Always true. */
static bool count(const struct dkim_report *report, size_t metric)
{
	if (report->call->world->metrics != NULL)
		mg_metrics_add(report->call->world->metrics, metric, 1);
	return true;
}

static void record_author(void *event, const struct mg_mailbox *mailbox)
{
	mg_event_set_text(event, &mg_fields[MG_FIELD_EMAIL_FROM], mailbox->address);
}

static bool is_named(const struct mg_header *header, const char *name)
{
	return header->name_length == strlen(name) &&
	       strncasecmp(header->name, name, header->name_length) == 0;
}

/* Author and Message-ID. */
static void record_header(struct mg_event *event, struct mg_call *call)
{
	struct mg_buf id = {.limit = TEXT_MAX};
	size_t header_count = 0;
	const struct mg_header *headers = mg_headers(call, &header_count);

	for (size_t i = 0; headers != NULL && i < header_count; i++) {
		size_t length = headers[i].value_length;

		length = length < VALUE_MAX ? length : VALUE_MAX;
		if (is_named(&headers[i], "From"))
			mg_mailbox_list(headers[i].value, length, record_author, event);
		else if (id.length == 0 && is_named(&headers[i], "Message-ID"))
			mg_header_message_id(headers[i].value, length, &id);
	}
	mg_event_set_text_n(
		event, &mg_fields[MG_FIELD_EMAIL_MESSAGE_ID], mg_buf_text(&id), id.length);
	mg_buf_free(&id);
}

static struct mg_event *begin(const struct dkim_report *report, enum mg_event_action action)
{
	struct mg_event *event = mg_event_new(report->call->world->events, action);

	mg_fields_message(event, report->call->message);
	mg_event_set_number(event, &mg_fields[MG_FIELD_EVENT_DURATION], report->duration);
	return event;
}

/* Writes and frees it. */
static bool finish(
	const struct dkim_report *report, struct mg_event *event, struct mg_verdict *verdict)
{
	struct mg_error error = {""};
	bool written = mg_events_write(report->call->world->events, event, &error) == 0;

	if (!written) {
		verdict->action = MG_ERROR;
		mg_str_copy(verdict->reply, sizeof(verdict->reply), error.text);
	}
	mg_event_free(event);
	return written;
}

static void record_signer(struct mg_event *event, const struct dkim_signer *signer)
{
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_DOMAIN], signer->domain);
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_SELECTOR], signer->selector);
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_ALGORITHM],
		mg_dkim_algorithm_name(mg_dkim_key_algorithm(signer->key)));
}

static void record_fragile(struct mg_event *event, unsigned fragile)
{
	for (unsigned i = 0; i < DKIM_FRAGILITIES; i++)
		if ((fragile >> i & 1) != 0)
			mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_FRAGILE],
				dkim_fragility_name((enum dkim_fragility)i));
}

bool dkim_report_passed(const struct dkim_report *report, struct mg_verdict *verdict)
{
	return finish(report, begin(report, MG_MESSAGE_PASSED), verdict) &&
	       count(report, METRIC_PASSED);
}

bool dkim_report_signed(const struct dkim_report *report, const struct dkim_signer *signer,
	struct mg_verdict *verdict)
{
	struct mg_event *event = begin(report, MG_MESSAGE_SIGNED);

	record_header(event, report->call);
	record_signer(event, signer);
	record_fragile(event, report->fragile);
	return finish(report, event, verdict) &&
	       count(report, METRIC_SIGNED + mg_dkim_key_algorithm(signer->key));
}

bool dkim_report_unsigned(const struct dkim_report *report, const struct dkim_problem *problem,
	bool deferred, struct mg_verdict *verdict)
{
	struct mg_event *event = begin(report, MG_MESSAGE_UNSIGNED);

	record_header(event, report->call);
	mg_event_set_outcome(event, codes[problem->code].intended);
	mg_event_set_text(event, &mg_fields[MG_FIELD_EVENT_CODE], codes[problem->code].name);
	mg_event_set_text(event, &mg_fields[MG_FIELD_EVENT_REASON], problem->reason);
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_DOMAIN], problem->domain);
	record_fragile(event, report->fragile);
	if (deferred && event != NULL) {
		verdict->action = MG_TEMPFAIL;
		mg_str_format(verdict->reply, sizeof(verdict->reply),
			"451 4.7.5 Cannot sign this message now [%s %s]", codes[problem->code].name,
			mg_event_ref(event));
	}
	return finish(report, event, verdict) && count(report, METRIC_UNSIGNED + problem->code);
}

bool dkim_report_mismatch(const struct dkim_report *report, const struct dkim_signer *signer,
	const char *dns, const char *reason, const char *record, struct mg_verdict *verdict)
{
	struct mg_event *event = begin(report, MG_KEY_MISMATCH);

	record_signer(event, signer);
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_DNS], dns);
	mg_event_set_text(event, &mg_fields[MG_FIELD_EVENT_REASON], reason);
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_RECORD], record);
	return finish(report, event, verdict);
}
