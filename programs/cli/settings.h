/* SPDX-License-Identifier: ISC */
/* settings: what the command takes from the configuration of the daemons, whose other settings are
 * not its business: of dkim.conf, and of common.conf, which it includes. A file that is not there is
 * the defaults. */
#ifndef MG_CLI_SETTINGS_H
#define MG_CLI_SETTINGS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"
#include "cli/command.h"
#include "event/spool.h"

struct cli_settings {
	struct mg_conf *dkim, *common; /* own what follows */
	const char *keys; /* folder */
	unsigned minimum_bits;
	bool asks_dns; /* DNS decides between several keys */
	const char *const *selectors; /* pinned */
	size_t selector_count;
	const char *dkim_events; /* folder of dkim.jsonl */
	struct mg_spool_settings operator_log;
};

/* CLI_GOOD, or CLI_CONFIGURATION after it said each error on standard error. Free it in either
 * case. */
enum cli_exit cli_settings_read(const struct cli_call *call, struct cli_settings *settings);
/* Of common.conf alone: where event logs are. */
enum cli_exit cli_settings_read_common(const struct cli_call *call, struct cli_settings *settings);
/* Says that event logs cannot be read; CLI_DENIED where it wants another right, else CLI_FAILED. */
int cli_settings_unreadable(const struct cli_call *call, const struct mg_error *error);
void cli_settings_free(struct cli_settings *settings);
/* What is in `wanted` (tables, ended by NULL) of the file `name` in the folder of the configuration. NULL
 * after it said each error. */
struct mg_conf *cli_settings_load(
	const struct cli_call *call, const char *name, const struct mg_option *const wanted[]);
/* Says errors of a configuration, and clears them. */
void cli_settings_errors(const struct cli_call *call, struct mg_errors *errors);
#endif
