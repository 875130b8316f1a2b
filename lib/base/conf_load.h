/* SPDX-License-Identifier: ISC */
/* conf_load: mg_conf_load with the files from elsewhere than the file system, for tests and the
 * fuzzer. Private to conf and t/. */
#ifndef MG_BASE_CONF_LOAD_H
#define MG_BASE_CONF_LOAD_H
#include "base/conf.h"
#include "base/textfile.h"

/* Where files come from: as mg_textfile_read, with its argument in front. */
struct mg_conf_source {
	bool (*read)(void *argument, const char *path, size_t maximum, struct mg_textfile *file,
		struct mg_error *error);
	void *argument;
};

struct mg_conf *mg_conf_load_from(const struct mg_conf_source *source, const char *path,
	const struct mg_option *const tables[], const char *const overrides[],
	struct mg_errors *errors);
#endif
