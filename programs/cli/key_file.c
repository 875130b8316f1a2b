/* SPDX-License-Identifier: ISC */
#include "cli/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

enum { FOLDER_MODE = 0750, FILE_MODE = 0640, NAME_SIZE = 96 };

/* Owner, group and mode; who is not root keeps his own. */
static int own(int fd, mode_t mode)
{
	const struct group *group = geteuid() == 0 ? getgrnam("millgate") : NULL;

	if (group != NULL && fchown(fd, 0, group->gr_gid) != 0)
		return -1;
	return fchmod(fd, mode);
}

/* Opens a folder under another (AT_FDCWD: a path), made if it is not there. */
static int open_folder(int above, const char *name, int flags)
{
	bool made = mkdirat(above, name, 0700) == 0;
	int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags), number;

	if (fd < 0 || !made)
		return fd;
	if (own(fd, FOLDER_MODE) == 0 && (above == AT_FDCWD || fsync(above) == 0))
		return fd;
	number = errno;
	close(fd);
	errno = number;
	return -1;
}

int cli_key_folder_open(const char *keys, const char *domain, struct mg_error *error)
{
	int above = open_folder(AT_FDCWD, keys, 0), folder, number;

	if (above < 0) {
		mg_error_system(error, errno, "%s", keys);
		return -1;
	}
	folder = open_folder(above, domain, O_NOFOLLOW);
	number = errno;
	if (folder < 0)
		mg_error_system(error, number, "%s/%s", keys, domain);
	close(above);
	errno = number;
	return folder;
}

static void file_name(char name[NAME_SIZE], const char *selector, const char *suffix)
{
	mg_str_format(name, NAME_SIZE, "%s%s", selector, suffix);
}

bool cli_key_file_exists(int folder, const char *selector)
{
	char key[NAME_SIZE], retired[NAME_SIZE];

	file_name(key, selector, ".pem");
	file_name(retired, selector, ".retired");
	return faccessat(folder, key, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       faccessat(folder, retired, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int write_whole(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, text, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		text += put;
		length -= (size_t)put;
	}
	return 0;
}

/* Gives a file its name, if nothing has it. */
static int name_file(int folder, const char *temporary, const char *name)
{
	if (renameat2(folder, temporary, folder, name, RENAME_NOREPLACE) == 0)
		return 0;
	/* Not every file system knows it. */
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(folder, temporary, folder, name, 0) != 0)
		return -1;
	return unlinkat(folder, temporary, 0);
}

static void describe(int fd, char owner[96])
{
	const struct passwd *user;
	const struct group *group;
	struct stat status;

	mg_str_copy(owner, 96, "");
	if (fstat(fd, &status) != 0)
		return;
	user = getpwuid(status.st_uid);
	group = getgrgid(status.st_gid);
	mg_str_format(owner, 96, "%03o %s:%s", (unsigned)status.st_mode & 0777,
		user != NULL ? user->pw_name : "?", group != NULL ? group->gr_name : "?");
}

int cli_key_file_write(int folder, const char *selector, const struct mg_buf *pem, char owner[96],
	struct mg_error *error)
{
	char name[NAME_SIZE], temporary[NAME_SIZE];
	int fd, number;

	/* What a killed command left behind is no key, and goes. */
	file_name(name, selector, ".pem");
	mg_str_format(temporary, sizeof(temporary), ".new-%s", selector);
	unlinkat(folder, temporary, 0);
	fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write_whole(fd, pem->data, pem->length) != 0 || own(fd, FILE_MODE) != 0 ||
		fsync(fd) != 0 || name_file(folder, temporary, name) != 0 || fsync(folder) != 0) {
		number = errno;
		mg_error_system(error, number, "%s", name);
		if (fd >= 0) {
			unlinkat(folder, temporary, 0);
			close(fd);
		}
		errno = number;
		return -1;
	}
	describe(fd, owner);
	close(fd);
	return 0;
}

int cli_key_file_retire(int folder, const char *selector, struct mg_error *error)
{
	char name[NAME_SIZE], retired[NAME_SIZE];

	file_name(name, selector, ".pem");
	file_name(retired, selector, ".retired");
	if (name_file(folder, name, retired) == 0 && fsync(folder) == 0)
		return 0;
	mg_error_system(error, errno, "%s", name);
	return -1;
}
