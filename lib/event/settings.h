/* SPDX-License-Identifier: ISC */
/* settings: the section `events` of a configuration: its options, and the values as spool and
 * redact want them. */
#ifndef MG_EVENT_SETTINGS_H
#define MG_EVENT_SETTINGS_H
#include "base/conf.h"
#include "base/error.h"
#include "event/redact.h"
#include "event/spool.h"

/* { "events", MG_SECTION } and its settings, facts of operator's common.conf; ended by NULL. */
extern const struct mg_option mg_events_options[];

/* conf: the top level. What settings points at lives as long as conf. name: "log". */
void mg_events_spool_settings(
	const struct mg_conf *conf, const char *name, struct mg_spool_settings *settings);
/* NULL with errors (in the form of mg_conf_error) when the key cannot be read. */
struct mg_redact *mg_events_redact(const struct mg_conf *conf, struct mg_errors *errors);
#endif
