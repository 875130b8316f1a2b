/* SPDX-License-Identifier: ISC */
/* settings: track.conf: its options, and their values as a snapshot. */
#ifndef MG_TRACK_SETTINGS_H
#define MG_TRACK_SETTINGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/error.h"

extern const struct mg_option track_options[];
/* Settings of common.conf that it has besides those of every daemon; ended by NULL. */
extern const char *const track_common[];

/* Texts and lists are the configuration's, or the snapshot's own; lists are ended by NULL. */
struct track_settings {
	const char *follow, *store, *gateway;
	int64_t overdue, expect_within, keep_replies; /* ns */
	const char **instances; /* syslog names, "postfix" with them */
	const char **expect; /* names of daemons; NULL: each whose event log exists */
	const char **own_listeners, **smart_hosts;
	const char **queues; /* configuration directories of Postfix, to ask for its queue */
};

/* NULL with errors. conf and gateway as long as the snapshot. */
struct track_settings *track_settings_new(
	const struct mg_conf *conf, const char *gateway, struct mg_errors *errors);
void track_settings_free(struct track_settings *settings);
#endif
