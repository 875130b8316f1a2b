/* SPDX-License-Identifier: ISC */
#include "run/notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

enum { LISTEN_FDS_START = 3 };

void mg_notify(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length;
	int fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
		!mg_str_copy(address.sun_path, sizeof address.sun_path, path))
		return;
	length = strlen(path);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* A manager that does not read loses the note, not the daemon. */
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		(const struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	close(fd);
}

/* Is the variable `name` the number of this process? */
static int is_for_us(const char *name, int when_unset)
{
	const char *text = getenv(name);
	uint64_t pid;

	if (text == NULL)
		return when_unset;
	return mg_str_number(text, INT32_MAX, &pid) && (pid_t)pid == getpid();
}

int64_t mg_notify_watchdog(void)
{
	const char *text = getenv("WATCHDOG_USEC");
	uint64_t microseconds;

	if (text == NULL || !is_for_us("WATCHDOG_PID", 1) ||
		!mg_str_number(text, INT64_MAX / 1000, &microseconds))
		return 0;
	return (int64_t)microseconds * 1000;
}

int mg_notify_listen_fd(void)
{
	const char *text = getenv("LISTEN_FDS");
	uint64_t count;

	if (text == NULL || !is_for_us("LISTEN_PID", 0) ||
		!mg_str_number(text, INT32_MAX, &count) || count == 0)
		return -1;
	fcntl(LISTEN_FDS_START, F_SETFD, FD_CLOEXEC);
	return LISTEN_FDS_START;
}
