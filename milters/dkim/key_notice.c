/* SPDX-License-Identifier: ISC */
#include "dkim/key_notice.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "dkim/publish.h"
#include "mail/fields.h"

struct key_notice {
	struct key_notice *next;
	enum mg_event_action action; /* MG_EVENT_ACTION_COUNT: for the journal only */
	int level; /* of the journal's line */
	enum mg_dkim_algorithm algorithm; /* MG_DKIM_ALGORITHM_COUNT: unknown */
	const char *code;
	char domain[MG_DKIM_DOMAIN_MAX + 1], selector[MG_DKIM_SELECTOR_MAX + 1];
	char dns[32];
	struct mg_buf line, reason, path, record;
};

/* An empty one at the end; NULL: no memory. */
static struct key_notice *add(struct key_notices *notices, enum mg_event_action action, int level,
	const char *domain, const char *selector)
{
	struct key_notice *notice = calloc(1, sizeof(*notice));

	if (!notice) {
		mg_log(LOG_ERR, "%s: out of memory for an event", domain);
		return NULL;
	}
	notice->action = action;
	notice->level = level;
	notice->algorithm = MG_DKIM_ALGORITHM_COUNT;
	mg_str_copy(notice->domain, sizeof(notice->domain), domain);
	mg_str_copy(notice->selector, sizeof(notice->selector), selector);
	if (notices->last)
		notices->last->next = notice;
	else
		notices->first = notice;
	notices->last = notice;
	return notice;
}

void key_notice_refused(struct key_notices *notices, const struct mg_dkim_folder *folder,
	const char *domain, const char *selector, const struct mg_dkim_fault *fault,
	bool unsigned_now)
{
	struct key_notice *notice = add(notices, MG_KEY_REFUSED, LOG_WARNING, domain, selector);

	if (!notice)
		return;
	notice->code = fault->code;
	mg_buf_add_text(&notice->path, fault->path);
	mg_buf_add_format(
		&notice->reason, "%s; owner %s; mend: %s", fault->what, fault->owner, fault->mend);
	mg_buf_add_format(
		&notice->line, "%s: %s: ", mg_dkim_folder_shown(folder, fault->path), fault->what);
	if (unsigned_now)
		mg_buf_add_format(&notice->line, "%s is not signed", domain);
	else
		mg_buf_add_format(&notice->line, "%s/%s does not sign", domain, selector);
	mg_buf_add_format(&notice->line, "; owner %s; mend: %s", fault->owner, fault->mend);
}

void key_notice_mended(struct key_notices *notices, const struct mg_dkim_folder *folder,
	const struct mg_dkim_fault *fault)
{
	struct key_notice *notice = add(notices, MG_EVENT_ACTION_COUNT, LOG_NOTICE, "", "");

	if (notice)
		mg_buf_add_format(&notice->line, "%s: in order again",
			mg_dkim_folder_shown(folder, fault->path));
}

void key_notice_dns(struct key_notices *notices, enum mg_event_action action, const char *domain,
	const char *selector, const struct mg_dkim_key *key, bool waits, const char *dns,
	const char *why)
{
	struct key_notice *notice = add(notices, action, LOG_NOTICE, domain, selector);
	struct dkim_signer signer = {.key = (struct mg_dkim_key *)key};

	if (!notice)
		return;
	mg_str_copy(signer.domain, sizeof(signer.domain), domain);
	mg_str_copy(signer.selector, sizeof(signer.selector), selector);
	notice->algorithm = mg_dkim_key_algorithm(key);
	mg_str_copy(notice->dns, sizeof(notice->dns), dns);
	mg_buf_add_format(&notice->reason, "%s %s: %s", selector,
		waits ? "waits until it is seen in DNS" : "signs, and is not seen in DNS", why);
	dkim_publish_record(&signer, &notice->record);
	mg_buf_add_format(&notice->line, "%s: %s; publish: %s", domain,
		mg_buf_text(&notice->reason), mg_buf_text(&notice->record));
}

void key_notice_switched(struct key_notices *notices, const char *domain, const char *before,
	const char *selector, const struct mg_dkim_key *key)
{
	struct key_notice *notice = add(notices, MG_KEY_SWITCHED, LOG_NOTICE, domain, selector);

	if (!notice)
		return;
	notice->algorithm = mg_dkim_key_algorithm(key);
	mg_buf_add_format(&notice->reason, "%s signs in place of %s", selector, before);
	mg_buf_add_format(&notice->line, "%s: %s", domain, mg_buf_text(&notice->reason));
}

static void write_event(const struct key_notice *notice, const struct mg_events *events)
{
	struct mg_event *event = mg_event_new(events, notice->action);
	struct mg_error error;

	mg_event_set_text(event, &mg_fields[MG_FIELD_EVENT_CODE], notice->code);
	mg_event_set_text(event, &mg_fields[MG_FIELD_EVENT_REASON], mg_buf_text(&notice->reason));
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_DOMAIN], notice->domain);
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_SELECTOR], notice->selector);
	if (notice->algorithm < MG_DKIM_ALGORITHM_COUNT)
		mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_ALGORITHM],
			mg_dkim_algorithm_name(notice->algorithm));
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_PATH], mg_buf_text(&notice->path));
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_RECORD], mg_buf_text(&notice->record));
	mg_event_set_text(event, &mg_fields[MG_FIELD_DKIM_DNS], notice->dns);
	if (mg_events_write(events, event, &error) != 0)
		mg_log(LOG_ERR, "%s of %s is not in the event log: %s",
			mg_event_action_name(notice->action), notice->domain, error.text);
	mg_event_free(event);
}

void key_notices_write(struct key_notices *notices, const struct mg_events *events)
{
	struct key_notice *notice, *next;

	for (notice = notices->first; notice; notice = next) {
		next = notice->next;
		mg_log(notice->level, "%s", mg_buf_text(&notice->line));
		if (events && notice->action != MG_EVENT_ACTION_COUNT)
			write_event(notice, events);
		mg_buf_free(&notice->line);
		mg_buf_free(&notice->reason);
		mg_buf_free(&notice->path);
		mg_buf_free(&notice->record);
		free(notice);
	}
	*notices = (struct key_notices){0};
}
