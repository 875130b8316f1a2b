/* SPDX-License-Identifier: ISC */
/* settings: what log.conf says beyond the settings that all filters have, as one snapshot. */
#ifndef MG_MILTERS_LOG_SETTINGS_H
#define MG_MILTERS_LOG_SETTINGS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"

struct log_settings {
	bool attachments, urls, tags;
	/* Further fields; names in lower case, as long as the snapshot. */
	char **headers;
	size_t header_count;
	char authserv_id[256]; /* of this gateway's Authentication-Results */
};

/* Ended by .name = NULL. */
extern const struct mg_option log_settings_options[];

/* NULL with errors. */
struct log_settings *log_settings_new(const struct mg_conf *conf, struct mg_errors *errors);
void log_settings_free(struct log_settings *settings);
#endif
