/* SPDX-License-Identifier: ISC */
/* dkim_trust: whether a private key is private. Only root and who signs may write a key file, its
 * folder and the folders above, for who writes those replaces the key; nobody but they and the
 * file's group may read it (0640 root:millgate is usual). What is wrong is a fault, which names the
 * path, mode, owner and the mend. */
#ifndef MG_AUTH_DKIM_TRUST_H
#define MG_AUTH_DKIM_TRUST_H
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"

enum {
	MG_DKIM_FOLDER_PATH_MAX = 512, /* of the folder of keys */
	MG_DKIM_PATH_SIZE = 1024 /* of any path under it, and of those above */
};

/* Who signs. */
struct mg_dkim_trust {
	uid_t user;
	gid_t group;
};
/* This process. */
struct mg_dkim_trust mg_dkim_trust_self(void);

/* What is wrong with a key or a folder. */
struct mg_dkim_fault {
	/* "key-mode", "key-owner", "key-unreadable", "key-kind" (a symbolic link, no regular
	 * file), "key-bad" (no key), "key-bits" */
	const char *code;
	char path[MG_DKIM_PATH_SIZE]; /* at fault: the file, or a folder */
	char what[256]; /* "others can read it (644)" */
	char owner[96]; /* "root:millgate" */
	char mend[3 * MG_DKIM_PATH_SIZE]; /* a command, or what to do */
};

/* Each sets the fault and returns false, or returns true and leaves it as it was. */
bool mg_dkim_trust_file(const struct mg_dkim_trust *trust, const char *path,
	const struct stat *status, struct mg_dkim_fault *fault);
/* above: of the folder of keys. Others may write there if it is sticky: they cannot put something
 * in the place of what is not theirs. */
bool mg_dkim_trust_folder(const struct mg_dkim_trust *trust, const char *path,
	const struct stat *status, bool above, struct mg_dkim_fault *fault);
/* A symbolic link on the way to the folder of keys. */
bool mg_dkim_trust_link(const struct mg_dkim_trust *trust, const char *path,
	const struct stat *status, struct mg_dkim_fault *fault);

/* May who signs read a file or search a folder, by its owner, group and mode? For the command, which
 * runs as another user than the daemon. */
bool mg_dkim_trust_readable(const struct mg_dkim_trust *trust, const struct stat *status);
/* The fault of one that could not be read. */
void mg_dkim_fault_unreadable(const struct mg_dkim_trust *trust, const char *path,
	const struct stat *status, struct mg_dkim_fault *fault);
/* Any other fault: code, what and mend as given, path and owner from the rest. */
void mg_dkim_fault_set(struct mg_dkim_fault *fault, const char *code, const char *path,
	const struct stat *status, const char *what, const char *mend);
/* Two looks at the same trouble? */
bool mg_dkim_fault_same(const struct mg_dkim_fault *one, const struct mg_dkim_fault *other);
#endif
