/* SPDX-License-Identifier: ISC */
/* settings: dkim.conf: its tables, and a snapshot made of them once, with everything that does not
 * depend on a message. */
#ifndef MG_DKIM_SETTINGS_H
#define MG_DKIM_SETTINGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/dkim_canon.h"
#include "auth/dkim_sign.h"
#include "base/conf.h"
#include "base/error.h"
#include "base/table.h"
#include "dkim/keys.h"
#include "mail/filter.h"
#include "mail/match.h"

/* (libopendkim has a dkim_options of its own.) */
extern const struct mg_option dkim_settings_options[];

/* In the order of the words. */
enum dkim_unsigned { DKIM_UNSIGNED_SEND, DKIM_UNSIGNED_TEMPFAIL };
enum dkim_long_lines { DKIM_LONG_CUT, DKIM_LONG_SIGN, DKIM_LONG_SKIP };
enum dkim_fragile { DKIM_FRAGILE_SIGN, DKIM_FRAGILE_SKIP, DKIM_FRAGILE_TEMPFAIL };
enum dkim_verify { DKIM_VERIFY_OFF, DKIM_VERIFY_LOG, DKIM_VERIFY_TEMPFAIL };
enum dkim_by { DKIM_BY_AUTHOR, DKIM_BY_SENDER };

struct dkim_settings {
	const char *folder; /* of the keys, for messages */
	bool pinned; /* selectors are set */
	struct dkim_keys *keys;
	struct mg_dkim_names *names;
	struct mg_match *match;
	struct mg_table *domains; /* exceptions; NULL none */
	enum mg_dkim_form header_form, body_form;
	enum dkim_by by;
	char also[256]; /* A-label, lower case; "" none */
	int64_t expire; /* seconds, 0 none */
	size_t line_limit; /* octets, 0 none */
	enum dkim_unsigned unsigned_way;
	enum dkim_long_lines long_lines;
	enum dkim_fragile fragile;
	enum dkim_verify verify_before_send;
	bool passed;
};

/* NULL with errors. */
struct dkim_settings *dkim_settings_new(
	const struct mg_conf *conf, const struct mg_world *world, struct mg_errors *errors);
void dkim_settings_free(struct dkim_settings *settings);

/* The limit that lines are hashed by: that of long_lines = "cut", else none. */
size_t dkim_settings_cut(const struct dkim_settings *settings);
#endif
