/* SPDX-License-Identifier: ISC */
/* key_file: making and retiring the files of keys, DOMAIN/SELECTOR.pem under the folder of keys. Each
 * is there whole or not at all, whatever ends the command, and none is replaced. Folders are 0750,
 * files 0640, of root and the group of the daemons, where root makes them. */
#ifndef MG_CLI_KEY_FILE_H
#define MG_CLI_KEY_FILE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* A domain's folder in the folder of keys, both made if they are not there: a descriptor, or -1
 * with errno and error. */
int cli_key_folder_open(const char *keys, const char *domain, struct mg_error *error);
/* Is there a key of this selector, also one that is retired? */
bool cli_key_file_exists(int folder, const char *selector);
/* Writes a key. owner: "640 root:millgate", as it became. 0, or -1 with errno (EEXIST: there is one)
 * and error. */
int cli_key_file_write(int folder, const char *selector, const struct mg_buf *pem, char owner[96],
	struct mg_error *error);
/* Renames SELECTOR.pem to SELECTOR.retired, which signs no more; -1 likewise. */
int cli_key_file_retire(int folder, const char *selector, struct mg_error *error);
#endif
