/* SPDX-License-Identifier: ISC */
/* key_watch: a thread that looks after the keys of the domains in use: it asks DNS for keys that
 * wait, or on which a choice depends, every check_dns; for those that are seen and alone every
 * hour, or every check_dns if that is longer; and when there was no answer after 30 s. */
#ifndef MG_DKIM_KEY_WATCH_H
#define MG_DKIM_KEY_WATCH_H
#include "base/error.h"
#include "dkim/key_ask.h"

struct key_watch;
/* The asker is copied; what it points to lasts until key_watch_end, which ends the thread and waits
 * for it, up to 3 s. NULL with error. */
struct key_watch *key_watch_start(const struct key_asker *asker, struct mg_error *error);
void key_watch_end(struct key_watch *watch);
#endif
