/* SPDX-License-Identifier: ISC */
/* dkim_path: the way from the root to the folder of keys, one step after the other, so that every
 * folder that is passed, also behind symbolic links, is the one that was judged. */
#ifndef MG_AUTH_DKIM_PATH_H
#define MG_AUTH_DKIM_PATH_H
#include <sys/stat.h>

#include "auth/dkim_trust.h"
#include "base/error.h"

/* Opens (O_PATH) a folder by its absolute path. fault: zeroed by the caller; the first on the way
 * whom others can write, or the folder itself; code stays NULL when there is none. -1 with error and
 * errno. */
int mg_dkim_path_open(const char *path, const struct mg_dkim_trust *trust, struct stat *status,
	struct mg_dkim_fault *fault, struct mg_error *error);
#endif
