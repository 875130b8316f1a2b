/* SPDX-License-Identifier: ISC */
/* settings: what common.conf says, for each daemon alike: the table of options and their values as
 * a struct. */
#ifndef MG_RUN_SETTINGS_H
#define MG_RUN_SETTINGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/endpoint.h"
#include "mail/filter.h"

enum mg_on_error { MG_ON_ERROR_TEMPFAIL, MG_ON_ERROR_ACCEPT, MG_ON_ERROR_REJECT };
enum mg_on_bound { MG_ON_BOUND_REJECT, MG_ON_BOUND_ACCEPT, MG_ON_BOUND_HOLD };
enum mg_hold_way { MG_HOLD_QUARANTINE, MG_HOLD_HEADER };

struct mg_settings {
	struct mg_endpoint socket;
	char gateway[256]; /* never empty: the host name when not set */
	enum mg_on_error on_error;
	enum mg_on_bound on_bound;
	enum mg_hold_way hold;
	bool dry_run;
	int64_t message_timeout, stop_timeout; /* ns */
	size_t headers, recipients, connections; /* bounds, counts */
	size_t message_memory, memory; /* bounds, bytes */
	const char *metrics; /* directory of NAME.prom, "" none; as long as the configuration */
};

enum { MG_OPTION_TABLES = 5 }; /* common, origin, events, the filter's own, and the end */

/* The options of a daemon that hosts `filter`: the common ones, with this filter's socket and
 * defaults, and its own. tables gets MG_OPTION_TABLES pointers, the last NULL; freed with
 * mg_settings_options_free, after every configuration made of them. False when memory is short. */
bool mg_settings_options(
	const struct mg_filter *filter, const struct mg_option *tables[MG_OPTION_TABLES]);
/* The same of a daemon that serves no filter: those of the common options that each such daemon has,
 * those named in `common` (ended by NULL, or NULL), the event log's and its own. The other common ones
 * are foreign. */
bool mg_settings_service_options(const struct mg_option *own, const char *const common[],
	const struct mg_option *tables[MG_OPTION_TABLES]);
void mg_settings_options_free(const struct mg_option *tables[MG_OPTION_TABLES]);

/* The setting `gateway`, or the host name where it is not set. */
void mg_settings_gateway(
	const struct mg_conf *conf, char *gateway, size_t size, struct mg_errors *errors);
/* Reads the values; checks that go beyond one value add to errors. */
void mg_settings_read(
	const struct mg_conf *conf, struct mg_settings *settings, struct mg_errors *errors);
#endif
