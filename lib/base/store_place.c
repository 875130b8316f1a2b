/* SPDX-License-Identifier: ISC */
#include "base/store_place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

enum {
	DIRECTORY_MODE = 0750,
	OWNER_MODE = 0640,
	/* A record of one length is written over without the disk having to have room. */
	RECORD = 32,
	ASIDE_MAX = 99
};

/* How the owner left it, or has it. */
static const char is_open[] = "open", is_closed[] = "closed", is_distrusted[] = "distrusted";

static void write_record(int owner, const char *state, unsigned crashes)
{
	char record[RECORD + 1];
	int length = snprintf(record, sizeof(record), "%s %u %ld", state, crashes, (long)getpid());

	memset(record + length, ' ', (size_t)(RECORD - length));
	record[RECORD - 1] = '\n';
	/* Without it the next one only looks less closely. */
	if (pwrite(owner, record, RECORD, 0) != RECORD)
		return;
}

static bool is_state(const char *record, const char *state)
{
	size_t length = strlen(state);

	return strncmp(record, state, length) == 0 && record[length] == ' ';
}

/* The process that has it, 0 unknown. A record that is none counts as a crash. */
static long read_record(struct mg_store_place *place)
{
	char record[RECORD + 1] = "", *at;
	unsigned long crashes;
	ssize_t got = pread(place->owner, record, RECORD, 0);

	place->crashes = 0;
	place->distrusted = false;
	if (got <= 0)
		return 0;
	place->distrusted = is_state(record, is_distrusted);
	at = record + strcspn(record, " ");
	crashes = strtoul(at, &at, 10);
	if (!is_state(record, is_closed))
		place->crashes = crashes < UINT_MAX ? (unsigned)crashes + 1 : UINT_MAX;
	return strtol(at, NULL, 10);
}

bool mg_store_place_take(struct mg_store_place *place, const char *path, struct mg_error *error)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char name[PATH_MAX];
	long process;

	place->owner = -1;
	if (!mg_str_format(name, sizeof(name), "%s/owner", path)) {
		mg_error_system(error, ENAMETOOLONG, "%s", path);
		return false;
	}
	if (mkdir(path, DIRECTORY_MODE) < 0 && errno != EEXIST) {
		mg_error_system(error, errno, "%s", path);
		return false;
	}
	place->owner = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, OWNER_MODE);
	if (place->owner < 0) {
		mg_error_system(error, errno, "%s", name);
		return false;
	}
	process = read_record(place);
	if (fcntl(place->owner, F_OFD_SETLK, &lock) == 0) {
		read_record(place);
		write_record(place->owner, is_open, place->crashes);
		return true;
	}
	if (errno == EAGAIN || errno == EACCES)
		mg_error_set(error, "%s: process %ld has it open", path, process);
	else
		mg_error_system(error, errno, "%s: lock", name);
	close(place->owner);
	place->owner = -1;
	return false;
}

void mg_store_place_leave(struct mg_store_place *place, bool sound)
{
	if (place->owner < 0)
		return;
	if (sound)
		write_record(place->owner, is_closed, 0);
	else
		write_record(place->owner, is_open, place->crashes + 1);
	close(place->owner);
	place->owner = -1;
}

void mg_store_place_distrust(const struct mg_store_place *place)
{
	if (place->owner >= 0)
		write_record(place->owner, is_distrusted, place->crashes);
}

bool mg_store_place_move_aside(struct mg_store_place *place, const char *path,
	struct mg_error *moved, struct mg_error *error)
{
	char target[PATH_MAX];
	int number = EEXIST;

	for (int i = 1; i <= ASIDE_MAX && number == EEXIST; i++) {
		if (!mg_str_format(target, sizeof(target), "%s.damaged-%d", path, i))
			number = ENAMETOOLONG;
		else
			number = renameat2(AT_FDCWD, path, AT_FDCWD, target, RENAME_NOREPLACE) == 0
					 ? 0
					 : errno;
	}
	if (number != 0) {
		mg_error_system(error, number, "%s: to %s", path, target);
		return false;
	}
	close(place->owner);
	place->owner = -1;
	mg_error_set(moved, "moved to %s", target);
	return true;
}

bool mg_store_place_is_taken(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char name[PATH_MAX];
	int owner;
	bool taken;

	if (!mg_str_format(name, sizeof(name), "%s/owner", path))
		return false;
	owner = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (owner < 0)
		return false;
	taken = fcntl(owner, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(owner);
	return taken;
}

static void sync_directory(const char *path)
{
	int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (descriptor < 0)
		return;
	fsync(descriptor);
	close(descriptor);
}

void mg_store_place_sync(const char *path)
{
	char parent[PATH_MAX];
	char *slash;

	sync_directory(path);
	if (!mg_str_copy(parent, sizeof(parent), path))
		return;
	slash = strrchr(parent, '/');
	if (!slash)
		return;
	slash[slash == parent] = '\0';
	sync_directory(parent);
}
