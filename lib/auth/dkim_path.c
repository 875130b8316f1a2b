/* SPDX-License-Identifier: ISC */
#include "auth/dkim_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

enum { LINKS_MAX = 40 /* as the kernel's */ };

struct walk {
	const struct mg_dkim_trust *trust;
	struct mg_dkim_fault *fault;
	struct stat *status; /* of where it stands */
	int descriptor; /* likewise; -1 none */
	unsigned links;
	char rest[2 * PATH_MAX]; /* still to go */
	char here[MG_DKIM_PATH_SIZE]; /* where it stands, "" the root; cut when too long */
};

/* Takes the next part of the way off; false: it has ended. */
static bool next_part(struct walk *walk, char part[NAME_MAX + 1])
{
	const char *begin = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(begin, "/");

	if (length == 0)
		return false;
	if (length > NAME_MAX)
		length = NAME_MAX;
	memcpy(part, begin, length);
	part[length] = '\0';
	memmove(walk->rest, begin + length, strlen(begin + length) + 1);
	return true;
}

static bool at_end(const struct walk *walk)
{
	return walk->rest[strspn(walk->rest, "/")] == '\0';
}

static void judge_folder(struct walk *walk)
{
	const char *path = walk->here[0] ? walk->here : "/";

	if (!walk->fault->code)
		mg_dkim_trust_folder(walk->trust, path, walk->status, !at_end(walk), walk->fault);
}

/* Goes on from the descriptor. */
static void stand_on(struct walk *walk, int descriptor)
{
	if (walk->descriptor >= 0)
		close(walk->descriptor);
	walk->descriptor = descriptor;
}

static bool start_at_root(struct walk *walk)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return false;
	stand_on(walk, root);
	walk->here[0] = '\0';
	if (fstat(root, walk->status) != 0)
		return false;
	judge_folder(walk);
	return true;
}

/* The link, open, in place of its own part of the way; false with errno. */
static bool follow_link(struct walk *walk, int link, const char *part, const struct stat *status)
{
	char target[PATH_MAX], path[MG_DKIM_PATH_SIZE];
	ssize_t length = readlinkat(link, "", target, sizeof(target) - 1);
	size_t rest = strlen(walk->rest);

	if (length < 0)
		return false;
	target[length] = '\0';
	if (++walk->links > LINKS_MAX || length == 0) {
		errno = ELOOP;
		return false;
	}
	if ((size_t)length + 1 + rest >= sizeof(walk->rest)) {
		errno = ENAMETOOLONG;
		return false;
	}
	mg_str_format(path, sizeof(path), "%s/%s", walk->here, part);
	if (!walk->fault->code)
		mg_dkim_trust_link(walk->trust, path, status, walk->fault);
	memmove(walk->rest + length + 1, walk->rest, rest + 1);
	memcpy(walk->rest, target, (size_t)length);
	walk->rest[length] = '/';
	return target[0] != '/' || start_at_root(walk);
}

static void name_step(struct walk *walk, const char *part)
{
	size_t length = strlen(walk->here);

	if (strcmp(part, "..") != 0)
		mg_str_format(walk->here + length, sizeof(walk->here) - length, "/%s", part);
	else if (length > 0)
		*strrchr(walk->here, '/') = '\0';
}

/* One part further; false with errno. */
static bool take_step(struct walk *walk, const char *part)
{
	struct stat status;
	int number, next = openat(walk->descriptor, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	bool good = next >= 0 && fstat(next, &status) == 0;

	if (good && S_ISLNK(status.st_mode)) {
		good = follow_link(walk, next, part, &status);
	} else if (good && S_ISDIR(status.st_mode)) {
		stand_on(walk, next);
		*walk->status = status;
		name_step(walk, part);
		judge_folder(walk);
		return true;
	} else if (good) {
		errno = ENOTDIR;
		good = false;
	}
	number = errno;
	if (next >= 0)
		close(next);
	errno = number;
	return good;
}

int mg_dkim_path_open(const char *path, const struct mg_dkim_trust *trust, struct stat *status,
	struct mg_dkim_fault *fault, struct mg_error *error)
{
	struct walk walk = {.trust = trust, .fault = fault, .status = status, .descriptor = -1};
	char part[NAME_MAX + 1];
	bool good = mg_str_copy(walk.rest, sizeof(walk.rest), path);
	int number;

	if (!good)
		errno = ENAMETOOLONG;
	good = good && start_at_root(&walk);
	while (good && next_part(&walk, part))
		if (strcmp(part, ".") != 0)
			good = take_step(&walk, part);
	if (good)
		return walk.descriptor;
	number = errno;
	stand_on(&walk, -1);
	mg_error_system(error, number, "%s", path);
	errno = number;
	return -1;
}
