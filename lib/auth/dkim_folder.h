/* SPDX-License-Identifier: ISC */
/* dkim_folder: the folder of private keys on disk, DOMAIN/SELECTOR.pem: its names, and itself. What
 * is in it is opened under its descriptor (dkim_domain); symbolic links are followed on the way to
 * it, never under it, for the folder of a domain stands for that domain only. */
#ifndef MG_AUTH_DKIM_FOLDER_H
#define MG_AUTH_DKIM_FOLDER_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "auth/dkim_trust.h"
#include "base/error.h"

enum {
	MG_DKIM_DOMAIN_MAX = 253, /* octets (RFC 1035) */
	MG_DKIM_SELECTOR_MAX = 64
};

/* LDH labels (RFC 5890 section 2.3.1) of at most 63 octets, joined by dots: of a domain in lower
 * case, of a selector in either, for DNS does not care and files do. */
bool mg_dkim_is_domain(const char *text);
bool mg_dkim_is_selector(const char *text);
/* The selector of a file name, "s1" of "s1.pem"; false: it is none. */
bool mg_dkim_file_selector(const char *name, char selector[MG_DKIM_SELECTOR_MAX + 1]);

/* The folder of keys, open. */
struct mg_dkim_folder {
	int descriptor; /* O_PATH */
	struct stat status;
	struct mg_dkim_trust trust;
	bool inspect; /* keys that others can read or write are read, too: for a look, not to sign */
	struct mg_dkim_fault *fault; /* of the folder or one above: no key in it signs; NULL none */
	char path[MG_DKIM_FOLDER_PATH_MAX]; /* as given, or made absolute; no final slash */
};

/* NULL with error ("/etc/millgate/keys: No such file or directory") and errno: not there, no folder,
 * a path too long, out of memory or descriptors. */
struct mg_dkim_folder *mg_dkim_folder_open(
	const char *path, const struct mg_dkim_trust *trust, struct mg_error *error);
void mg_dkim_folder_close(struct mg_dkim_folder *folder);
/* The same folder, with the same fault? */
bool mg_dkim_folder_same(const struct mg_dkim_folder *folder, const struct mg_dkim_folder *other);
/* What messages call a path: from the last part of the folder of keys ("keys/example.org/e1.pem"); one
 * that is not under it is itself. A pointer into path. */
const char *mg_dkim_folder_shown(const struct mg_dkim_folder *folder, const char *path);

/* Calls take for each name in a folder that does not begin with a dot, in the order of the system,
 * until it returns false. false with errno: it cannot be listed. */
bool mg_dkim_list(int descriptor, bool (*take)(void *context, const char *name), void *context);
/* Of the folder of keys: domains, and names that are none (mg_dkim_is_domain). false with error. */
bool mg_dkim_folder_list(const struct mg_dkim_folder *folder,
	bool (*take)(void *context, const char *name), void *context, struct mg_error *error);

#endif
