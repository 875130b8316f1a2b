/* SPDX-License-Identifier: ISC */
#include "run/connections.h"

#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct name {
	struct sockaddr_storage address;
	socklen_t length;
};

static bool own_name(int fd, struct name *name)
{
	*name = (struct name){.length = sizeof name->address};
	return getsockname(fd, (struct sockaddr *)&name->address, &name->length) == 0;
}

static in_port_t port(const struct name *name)
{
	return name->address.ss_family == AF_INET
		       ? ((const struct sockaddr_in *)&name->address)->sin_port
		       : ((const struct sockaddr_in6 *)&name->address)->sin6_port;
}

/* An accepted socket has the name of its listener; where that listens on all addresses of the
 * machine, its port. */
static bool is_of(const struct name *listener, const struct name *name)
{
	if (name->address.ss_family != listener->address.ss_family)
		return false;
	if (name->address.ss_family == AF_UNIX)
		return name->length == listener->length &&
		       memcmp(&name->address, &listener->address, name->length) == 0;
	return (name->address.ss_family == AF_INET || name->address.ss_family == AF_INET6) &&
	       port(name) == port(listener);
}

static bool is_connected(int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;

	return getpeername(fd, (struct sockaddr *)&address, &length) == 0;
}

int mg_connections_open(int listener)
{
	struct name listening, name;
	const struct dirent *entry;
	DIR *directory;
	int count = 0;

	if (!own_name(listener, &listening) || (directory = opendir("/proc/self/fd")) == NULL)
		return 0;
	while ((entry = readdir(directory)) != NULL) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (entry->d_name[0] != '.' && own_name(fd, &name) && is_of(&listening, &name) &&
			is_connected(fd))
			count++;
	}
	closedir(directory);
	return count;
}
