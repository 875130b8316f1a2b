/* SPDX-License-Identifier: ISC */
/* key_notice: what has changed of a key, for the event log and the journal. Notices are made under
 * the store's lock and written after it. */
#ifndef MG_DKIM_KEY_NOTICE_H
#define MG_DKIM_KEY_NOTICE_H
#include <stdbool.h>

#include "auth/dkim_folder.h"
#include "auth/dkim_key.h"
#include "auth/dkim_trust.h"
#include "event/event.h"

struct key_notice;
/* Zeroed: none. */
struct key_notices {
	struct key_notice *first, *last;
};

/* selector "": the whole domain. unsigned_now: no other key of the domain may sign. */
void key_notice_refused(struct key_notices *notices, const struct mg_dkim_folder *folder,
	const char *domain, const char *selector, const struct mg_dkim_fault *fault,
	bool unsigned_now);
/* The fault is gone; for the journal only. */
void key_notice_mended(struct key_notices *notices, const struct mg_dkim_folder *folder,
	const struct mg_dkim_fault *fault);
/* MG_KEY_WAITING or MG_KEY_MISMATCH. waits: else it signs. dns: "no record"; why: more of it. */
void key_notice_dns(struct key_notices *notices, enum mg_event_action action, const char *domain,
	const char *selector, const struct mg_dkim_key *key, bool waits, const char *dns,
	const char *why);
void key_notice_switched(struct key_notices *notices, const char *domain, const char *before,
	const char *selector, const struct mg_dkim_key *key);
/* Writes and frees them. events NULL: the journal alone. */
void key_notices_write(struct key_notices *notices, const struct mg_events *events);
#endif
