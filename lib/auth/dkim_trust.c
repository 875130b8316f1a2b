/* SPDX-License-Identifier: ISC */
#include "auth/dkim_trust.h"

#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

enum { NAME_SIZE = 40, NSS_SIZE = 4096 };

/* The mode of a key and of a folder of keys that is right, whoever signs. */
#define FILE_MODE "640"
#define FOLDER_MODE "750"

struct mg_dkim_trust mg_dkim_trust_self(void)
{
	return (struct mg_dkim_trust){.user = geteuid(), .group = getegid()};
}

/* Names, or numbers where there are none. */
static void user_name(uid_t user, char name[NAME_SIZE])
{
	char buffer[NSS_SIZE];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(user, &entry, buffer, sizeof(buffer), &found) == 0 && found)
		mg_str_copy(name, NAME_SIZE, found->pw_name);
	else
		mg_str_format(name, NAME_SIZE, "%ju", (uintmax_t)user);
}

static void group_name(gid_t group, char name[NAME_SIZE])
{
	char buffer[NSS_SIZE];
	struct group entry, *found = NULL;

	if (getgrgid_r(group, &entry, buffer, sizeof(buffer), &found) == 0 && found)
		mg_str_copy(name, NAME_SIZE, found->gr_name);
	else
		mg_str_format(name, NAME_SIZE, "%ju", (uintmax_t)group);
}

static bool trusted_user(const struct mg_dkim_trust *trust, uid_t user)
{
	return user == 0 || user == trust->user;
}

static bool trusted_group(const struct mg_dkim_trust *trust, gid_t group)
{
	return group == 0 || group == trust->group;
}

static unsigned mode_of(const struct stat *status)
{
	return (unsigned)(status->st_mode & 07777);
}

void mg_dkim_fault_set(struct mg_dkim_fault *fault, const char *code, const char *path,
	const struct stat *status, const char *what, const char *mend)
{
	char user[NAME_SIZE], group[NAME_SIZE];

	user_name(status->st_uid, user);
	group_name(status->st_gid, group);
	fault->code = code;
	mg_str_copy(fault->path, sizeof(fault->path), path);
	mg_str_copy(fault->what, sizeof(fault->what), what);
	mg_str_format(fault->owner, sizeof(fault->owner), "%s:%s", user, group);
	mg_str_copy(fault->mend, sizeof(fault->mend), mend);
}

static void add_command(
	struct mg_dkim_fault *fault, const char *command, const char *argument, const char *path)
{
	size_t length = strlen(fault->mend);

	mg_str_format(fault->mend + length, sizeof(fault->mend) - length, "%s%s %s %s",
		length ? " && " : "", command, argument, path);
}

/* The commands after which a file or folder under the folder of keys is in order: private, root's
 * or who signs', and read by them. */
static void set_mend(
	struct mg_dkim_fault *fault, const struct mg_dkim_trust *trust, const struct stat *status)
{
	char group[NAME_SIZE];
	bool folder = S_ISDIR(status->st_mode), own = trusted_user(trust, status->st_uid);
	unsigned read = folder ? 050 : 040;
	bool by_group = trust->user != 0 && !(own && status->st_uid != 0);

	fault->mend[0] = '\0';
	if (!own)
		add_command(fault, "chown", "root", fault->path);
	if (by_group && status->st_gid != trust->group) {
		group_name(trust->group, group);
		add_command(fault, "chgrp", group, fault->path);
	}
	if ((status->st_mode & (folder ? 022 : 027)) ||
		(by_group && (status->st_mode & read) != read))
		add_command(fault, "chmod", folder ? FOLDER_MODE : FILE_MODE, fault->path);
}

static void set_mode_fault(const struct mg_dkim_trust *trust, const char *path,
	const struct stat *status, const char *who, const char *act, struct mg_dkim_fault *fault)
{
	char what[sizeof(fault->what)];

	mg_str_format(what, sizeof(what), "%s can %s it (%o)", who, act, mode_of(status));
	mg_dkim_fault_set(fault, "key-mode", path, status, what, "");
	set_mend(fault, trust, status);
}

static void set_owner_fault(const struct mg_dkim_trust *trust, const char *path,
	const struct stat *status, const char *act, struct mg_dkim_fault *fault)
{
	char user[NAME_SIZE], what[sizeof(fault->what)];

	user_name(status->st_uid, user);
	mg_str_format(what, sizeof(what), "user %s can %s it, whose %s it is (%o)", user, act,
		S_ISDIR(status->st_mode) ? "folder" : "file", mode_of(status));
	mg_dkim_fault_set(fault, "key-owner", path, status, what, "");
	set_mend(fault, trust, status);
}

/* "group users", when it is a stranger's group that can write. */
static bool foreign_group_writes(
	const struct mg_dkim_trust *trust, const struct stat *status, char who[NAME_SIZE + 8])
{
	char group[NAME_SIZE];

	if (!(status->st_mode & S_IWGRP) || trusted_group(trust, status->st_gid))
		return false;
	group_name(status->st_gid, group);
	mg_str_format(who, NAME_SIZE + 8, "group %s", group);
	return true;
}

bool mg_dkim_trust_file(const struct mg_dkim_trust *trust, const char *path,
	const struct stat *status, struct mg_dkim_fault *fault)
{
	static const struct {
		mode_t bit;
		const char *act;
	} others[] = {{S_IWOTH, "write"}, {S_IROTH, "read"}, {S_IXOTH, "execute"}};
	char who[NAME_SIZE + 8];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (!(status->st_mode & others[i].bit))
			continue;
		set_mode_fault(trust, path, status, "others", others[i].act, fault);
		return false;
	}
	if (foreign_group_writes(trust, status, who)) {
		set_mode_fault(trust, path, status, who, "write", fault);
		return false;
	}
	if (!trusted_user(trust, status->st_uid)) {
		set_owner_fault(trust, path, status, "read and write", fault);
		return false;
	}
	return true;
}

/* A folder above belongs to others, too: only what is wrong is taken away. */
static void set_mend_above(struct mg_dkim_fault *fault, const struct stat *status)
{
	fault->mend[0] = '\0';
	if (status->st_mode & S_IWOTH)
		add_command(fault, "chmod", "go-w", fault->path);
	else if (strcmp(fault->code, "key-mode") == 0)
		add_command(fault, "chmod", "g-w", fault->path);
	else
		add_command(fault, "chown", "root", fault->path);
}

bool mg_dkim_trust_folder(const struct mg_dkim_trust *trust, const char *path,
	const struct stat *status, bool above, struct mg_dkim_fault *fault)
{
	char who[NAME_SIZE + 8];
	bool sticky = above && (status->st_mode & S_ISVTX);

	if ((status->st_mode & S_IWOTH) && !sticky)
		set_mode_fault(trust, path, status, "others", "write", fault);
	else if (!sticky && foreign_group_writes(trust, status, who))
		set_mode_fault(trust, path, status, who, "write", fault);
	else if (!trusted_user(trust, status->st_uid))
		set_owner_fault(trust, path, status, "write", fault);
	else
		return true;
	if (above)
		set_mend_above(fault, status);
	return false;
}

bool mg_dkim_trust_link(const struct mg_dkim_trust *trust, const char *path,
	const struct stat *status, struct mg_dkim_fault *fault)
{
	char user[NAME_SIZE], what[sizeof(fault->what)];

	if (trusted_user(trust, status->st_uid))
		return true;
	user_name(status->st_uid, user);
	mg_str_format(
		what, sizeof(what), "user %s can replace it, whose symbolic link it is", user);
	mg_dkim_fault_set(fault, "key-owner", path, status, what, "");
	add_command(fault, "chown", "-h root", fault->path);
	return false;
}

bool mg_dkim_trust_readable(const struct mg_dkim_trust *trust, const struct stat *status)
{
	mode_t needed = S_ISDIR(status->st_mode) ? 05 : 04;

	if (trust->user == 0)
		return true;
	if (status->st_uid == trust->user)
		needed <<= 6;
	else if (status->st_gid == trust->group)
		needed <<= 3;
	return (status->st_mode & needed) == needed;
}

void mg_dkim_fault_unreadable(const struct mg_dkim_trust *trust, const char *path,
	const struct stat *status, struct mg_dkim_fault *fault)
{
	char user[NAME_SIZE], what[sizeof(fault->what)];

	user_name(trust->user, user);
	mg_str_format(what, sizeof(what), "%s cannot read it (%o)", user, mode_of(status));
	mg_dkim_fault_set(fault, "key-unreadable", path, status, what, "");
	set_mend(fault, trust, status);
	if (fault->mend[0] == '\0')
		mg_str_copy(fault->mend, sizeof(fault->mend),
			"let who signs read it and the folders above");
}

bool mg_dkim_fault_same(const struct mg_dkim_fault *one, const struct mg_dkim_fault *other)
{
	if (!one || !other)
		return one == other;
	return strcmp(one->code, other->code) == 0 && strcmp(one->path, other->path) == 0 &&
	       strcmp(one->what, other->what) == 0 && strcmp(one->owner, other->owner) == 0;
}
