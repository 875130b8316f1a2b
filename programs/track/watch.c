/* SPDX-License-Identifier: ISC */
#include "track/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { WRITES = IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF, DRAIN = 16 };

void track_watch_open(struct track_watch *watch, const char *path)
{
	char *folder = strndup(path, (size_t)(strrchr(path, '/') - path) + 1);

	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (folder == NULL || inotify_add_watch(watch->fd, folder, IN_CREATE | IN_MOVED_TO) < 0)
		track_watch_close(watch);
	free(folder);
}

void track_watch_close(struct track_watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}

bool track_watch_file(const struct track_watch *watch, int fd)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return inotify_add_watch(watch->fd, path, WRITES) >= 0;
}

bool track_watch_path(const struct track_watch *watch, const char *path)
{
	return inotify_add_watch(watch->fd, path, WRITES) >= 0;
}

void track_watch_drain(const struct track_watch *watch)
{
	char events[4096];

	/* A writer may tell faster than this forgets. */
	for (int i = 0; i < DRAIN && watch->fd >= 0; i++)
		if (read(watch->fd, events, sizeof events) <= 0)
			return;
}
