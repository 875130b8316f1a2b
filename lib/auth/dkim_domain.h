/* SPDX-License-Identifier: ISC */
/* dkim_domain: the folder of a domain, with its keys: reading them, and seeing a change at the cost
 * of a stat(2) a file. What cannot be used is no error: it is there, with its fault. */
#ifndef MG_AUTH_DKIM_DOMAIN_H
#define MG_AUTH_DKIM_DOMAIN_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "auth/dkim_folder.h"
#include "auth/dkim_key.h"
#include "auth/dkim_trust.h"
#include "base/error.h"

enum { MG_DKIM_FILES_MAX = 1000 /* in the folder of a domain */ };

struct mg_dkim_file {
	char *name; /* "s1.pem" */
	char selector[MG_DKIM_SELECTOR_MAX +
		      1]; /* "": the name is none, the file is not looked at */
	struct stat status;
	struct mg_dkim_key *key; /* NULL: not read */
	struct mg_dkim_fault *fault; /* NULL: the key may sign */
	/* A later change gives it another status: it was written well before it was read, and
	 * could be read. */
	bool settled;
};

/* The folder of a domain as it was when it was read. */
struct mg_dkim_domain {
	struct mg_dkim_file *files; /* newest first: by mtime, then by name; others last */
	size_t count, key_count; /* of all, of those with a selector */
	struct mg_dkim_fault *fault; /* of this folder, that of keys, or one above; NULL none */
	struct stat status;
	/* All files are, and the folder. Otherwise what was read may be older than it looks, and is
	 * read again. */
	bool settled;
	char name[MG_DKIM_DOMAIN_MAX + 1];
};

enum mg_dkim_found {
	MG_DKIM_FOUND,
	MG_DKIM_ABSENT, /* no folder of that name */
	MG_DKIM_FAILED /* for now: memory, descriptors, the disk */
};
/* Is there a folder? No read. */
enum mg_dkim_found mg_dkim_domain_look(
	const struct mg_dkim_folder *folder, const char *domain, struct mg_error *error);
/* Reads it, of name `domain` (mg_dkim_is_domain). before: keys of files that have not changed since
 * are taken from there; or NULL. The caller frees *domain_read. */
enum mg_dkim_found mg_dkim_domain_read(const struct mg_dkim_folder *folder, const char *domain,
	const struct mg_dkim_domain *before, struct mg_dkim_domain **domain_read,
	struct mg_error *error);
void mg_dkim_domain_free(struct mg_dkim_domain *domain);
/* Is everything as it was read? A system call a file, nothing is opened. */
bool mg_dkim_domain_current(
	const struct mg_dkim_folder *folder, const struct mg_dkim_domain *domain);
/* Why a file's key may not sign: its own fault, or the folder's; NULL: it may. */
const struct mg_dkim_fault *mg_dkim_file_fault(
	const struct mg_dkim_domain *domain, const struct mg_dkim_file *file);
/* The fault of a key with fewer bits than `minimum`; to be freed; NULL: no memory. */
struct mg_dkim_fault *mg_dkim_bits_fault(const struct mg_dkim_folder *folder,
	const struct mg_dkim_domain *domain, const struct mg_dkim_file *file, unsigned minimum);
#endif
