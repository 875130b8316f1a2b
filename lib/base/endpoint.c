/* SPDX-License-Identifier: ISC */
#include "base/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/net.h"
#include "base/str.h"

static const char endpoint_expected[] = "unix:/PATH, inet:PORT@HOST or fd:N";

static bool parse_unix(const char *text, struct mg_endpoint *endpoint, struct mg_error *error)
{
	endpoint->kind = MG_ENDPOINT_UNIX;
	if (text[0] != '/') {
		mg_error_set(error, "\"unix:\" is followed by no absolute path; expected %s",
			endpoint_expected);
		return false;
	}
	if (!mg_str_copy(endpoint->path, sizeof(endpoint->path), text)) {
		mg_error_set(error, "the path of a socket has at most %zu bytes, this one %zu",
			sizeof(endpoint->path) - 1, strlen(text));
		return false;
	}
	return true;
}

static bool parse_inet(const char *text, struct mg_endpoint *endpoint, struct mg_error *error)
{
	char port[8];
	const char *at = strchrnul(text, '@');
	const char *host = *at == '@' ? at + 1 : at;
	struct sockaddr_storage address;
	uint64_t number;

	endpoint->kind = MG_ENDPOINT_INET;
	if ((size_t)(at - text) >= sizeof(port))
		goto bad_port;
	mg_str_format(port, sizeof(port), "%.*s", (int)(at - text), text);
	if (!mg_str_number(port, UINT16_MAX, &number))
		goto bad_port;
	endpoint->port = (uint16_t)number;
	if (!mg_str_copy(endpoint->host, sizeof(endpoint->host), host) ||
		(host[0] != '\0' && !mg_str_equal_nocase(host, "localhost") &&
			!mg_net_parse(host, 0, &address))) {
		char shown[128];

		mg_error_set(error,
			"host \"%s\": expected an address, localhost, or nothing for all",
			mg_str_printable(shown, sizeof(shown), host, strlen(host)));
		return false;
	}
	return true;
bad_port:
	mg_error_set(error, "\"inet:\" is followed by no port; expected %s", endpoint_expected);
	return false;
}

static bool parse_fd(const char *text, struct mg_endpoint *endpoint, struct mg_error *error)
{
	uint64_t number;

	endpoint->kind = MG_ENDPOINT_FD;
	if (!mg_str_number(text, INT_MAX, &number)) {
		mg_error_set(error, "\"fd:\" is followed by no descriptor number; expected %s",
			endpoint_expected);
		return false;
	}
	endpoint->fd = (int)number;
	return true;
}

bool mg_endpoint_parse(const char *text, struct mg_endpoint *endpoint, struct mg_error *error)
{
	static const struct {
		const char *prefix;
		bool (*parse)(const char *, struct mg_endpoint *, struct mg_error *);
	} kinds[] = {
		{"unix:", parse_unix},
		{"inet:", parse_inet},
		{"fd:", parse_fd},
	};
	char shown[128];

	*endpoint = (struct mg_endpoint){.fd = -1};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, length) == 0)
			return kinds[i].parse(text + length, endpoint, error);
	}
	mg_error_set(error, "\"%s\": expected %s",
		mg_str_printable(shown, sizeof(shown), text, strlen(text)), endpoint_expected);
	return false;
}

/* The addresses an inet endpoint stands for, the first one to be had at least; how many. */
static int inet_addresses(
	const struct mg_endpoint *endpoint, const char *all, struct sockaddr_storage addresses[2])
{
	const char *host = endpoint->host[0] != '\0' ? endpoint->host : all;

	if (!mg_str_equal_nocase(host, "localhost"))
		return mg_net_parse(host, endpoint->port, &addresses[0]) ? 1 : 0;
	mg_net_parse("127.0.0.1", endpoint->port, &addresses[0]);
	mg_net_parse("::1", endpoint->port, &addresses[1]);
	return 2;
}

static void set_unix_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	mg_str_copy(address->sun_path, sizeof(address->sun_path), path);
}

static socklen_t address_length(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

/* Open sockets */

/* The path of a unix socket, what is wrong with it, and who answers there. */
static void error_answers(struct mg_error *error, const char *path, int fd)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	char name[64], comm[64] = "", shown[128];
	FILE *file = NULL;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) {
		mg_error_set(error, "%s: a process answers there; stop it, or set socket", path);
		return;
	}
	mg_str_format(name, sizeof(name), "/proc/%d/comm", (int)peer.pid);
	file = fopen(name, "re");
	if (file != NULL) {
		if (fgets(comm, sizeof(comm), file) == NULL)
			comm[0] = '\0';
		fclose(file);
	}
	comm[strcspn(comm, "\n")] = '\0';
	mg_error_set(error, "%s: pid %d (%s) answers there; stop it, or set socket", path,
		(int)peer.pid, mg_str_printable(shown, sizeof(shown), comm, strlen(comm)));
}

/* A connected descriptor, -1 with errno. Never waits. */
static int connect_unix(const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	set_unix_address(&address, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int number = errno;

		close(fd);
		errno = number;
		return -1;
	}
	return fd;
}

/* 0 nothing at path, 1 a socket nobody listens on, -1 with error: somebody does, or it is none. */
static int probe_unix(const char *path, struct mg_error *error)
{
	struct stat status;
	int fd;

	if (lstat(path, &status) != 0) {
		if (errno == ENOENT)
			return 0;
		mg_error_system(error, errno, "%s", path);
		return -1;
	}
	if (!S_ISSOCK(status.st_mode)) {
		mg_error_set(error, "%s: there is a file that is no socket; move it, or set socket",
			path);
		return -1;
	}
	fd = connect_unix(path);
	if (fd < 0 && errno == ECONNREFUSED)
		return 1;
	/* EAGAIN: somebody listens but does not accept (connect(2)). */
	if (fd < 0 && errno != EAGAIN) {
		mg_error_system(
			error, errno, "%s: cannot see whether a process answers there", path);
		return -1;
	}
	error_answers(error, path, fd);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* A name in the same folder, hidden, that nobody else uses: "/run/.dkim.sock.1f00ba47". */
static bool temporary_name(struct sockaddr_un *address, const char *path, struct mg_error *error)
{
	const char *base = strrchr(path, '/') + 1;
	uint32_t number;
	char name[sizeof(address->sun_path)];

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)) {
		mg_error_system(error, errno, "getrandom");
		return false;
	}
	if (!mg_str_format(name, sizeof(name), "%.*s.%s.%08x", (int)(base - path), path, base,
		    (unsigned)number)) {
		mg_error_set(error, "%s: too long for a socket, a daemon's has at most %zu bytes",
			path, sizeof(name) - sizeof(".") - sizeof("01234567"));
		return false;
	}
	set_unix_address(address, name);
	return true;
}

/* Bound and listening under a temporary name first: its own name never leads to another mode. */
static int listen_unix(const char *path, unsigned mode, struct mg_error *error)
{
	struct sockaddr_un address;
	int found, fd = -1;

	if (!temporary_name(&address, path, error))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		mg_error_system(error, errno, "%s", path);
		goto failed;
	}
	if (chmod(address.sun_path, mode) != 0 || listen(fd, SOMAXCONN) != 0) {
		mg_error_system(error, errno, "%s", path);
		goto failed_bound;
	}
	do {
		found = probe_unix(path, error);
		if (found < 0)
			goto failed_bound;
		/* A daemon that came first since the probe is found by the next one. */
		if (renameat2(AT_FDCWD, address.sun_path, AT_FDCWD, path,
			    found == 0 ? RENAME_NOREPLACE : 0) == 0)
			return fd;
	} while (errno == EEXIST);
	mg_error_system(error, errno, "%s", path);
failed_bound:
	unlink(address.sun_path);
failed:
	if (fd >= 0)
		close(fd);
	return -1;
}

/* both: an IPv6 socket for all addresses takes IPv4 too. -1 with errno. */
static int listen_address(const struct sockaddr_storage *address, bool both)
{
	int on = 1, only = !both;
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
		(address->ss_family == AF_INET6 &&
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) != 0) ||
		bind(fd, (const struct sockaddr *)address, address_length(address)) != 0 ||
		listen(fd, SOMAXCONN) != 0) {
		int number = errno;

		close(fd);
		errno = number;
		return -1;
	}
	return fd;
}

/* What a machine without IPv6 answers. */
static bool is_absent(int number)
{
	return number == EAFNOSUPPORT || number == EADDRNOTAVAIL;
}

static int listen_inet(const struct mg_endpoint *endpoint, int fds[], struct mg_error *error)
{
	struct sockaddr_storage addresses[2];
	int found = inet_addresses(endpoint, "::", addresses);
	bool both = endpoint->host[0] == '\0';
	int count = 0, number = EADDRNOTAVAIL;

	for (int i = 0; i < found; i++) {
		socklen_t size = sizeof(addresses[0]);
		int fd = listen_address(&addresses[i], both);

		if (fd < 0 && both && is_absent(errno)) {
			mg_net_parse("0.0.0.0", endpoint->port, &addresses[i]);
			fd = listen_address(&addresses[i], both);
		}
		if (fd < 0) {
			number = errno;
			if (found > 1 && is_absent(number))
				continue;
			goto failed;
		}
		fds[count++] = fd;
		/* Port 0 is any free one: the second family gets the same. */
		if (found > 1 && i == 0 && endpoint->port == 0 &&
			getsockname(fd, (struct sockaddr *)&addresses[0], &size) == 0)
			mg_net_parse("::1", mg_net_port(&addresses[0]), &addresses[1]);
	}
	if (count > 0)
		return count;
failed:
	mg_error_system(error, number, "inet:%u@%s", (unsigned)endpoint->port, endpoint->host);
	while (count > 0)
		close(fds[--count]);
	return -1;
}

static int listen_fd(int fd, struct mg_error *error)
{
	int listening = 0, flags;
	socklen_t size = sizeof(listening);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0) {
		mg_error_system(error, errno, "fd:%d", fd);
		return -1;
	}
	if (!listening) {
		mg_error_set(error, "fd:%d: this socket does not listen", fd);
		return -1;
	}
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		mg_error_system(error, errno, "fd:%d", fd);
		return -1;
	}
	return fd;
}

int mg_listen(const struct mg_endpoint *endpoint, unsigned mode, int fds[MG_LISTEN_MAX],
	struct mg_error *error)
{
	switch (endpoint->kind) {
	case MG_ENDPOINT_UNIX: fds[0] = listen_unix(endpoint->path, mode, error); break;
	case MG_ENDPOINT_FD: fds[0] = listen_fd(endpoint->fd, error); break;
	case MG_ENDPOINT_INET: return listen_inet(endpoint, fds, error);
	}
	return fds[0] >= 0 ? 1 : -1;
}

/* True when path leads to the socket fd: who answers there was bound to the same temporary name. */
static bool is_ours(const char *path, int fd)
{
	struct sockaddr_un own = {0}, peer = {0};
	socklen_t own_size = sizeof(own), peer_size = sizeof(peer);
	int connected = connect_unix(path);
	bool same = false;

	if (connected < 0)
		return false;
	if (getsockname(fd, (struct sockaddr *)&own, &own_size) == 0 &&
		getpeername(connected, (struct sockaddr *)&peer, &peer_size) == 0)
		same = own_size == peer_size && memcmp(&own, &peer, own_size) == 0;
	close(connected);
	return same;
}

void mg_unlisten(const struct mg_endpoint *endpoint, const int fds[], int count)
{
	if (endpoint->kind != MG_ENDPOINT_UNIX)
		return;
	for (int i = 0; i < count; i++)
		if (is_ours(endpoint->path, fds[i]))
			unlink(endpoint->path);
}

/* Connects a blocking socket before `end` (monotonic ns); 0, or -1 with errno. */
static int connect_until(int fd, const struct sockaddr *address, socklen_t size, int64_t end)
{
	struct timeval none = {0};

	do {
		int64_t left = end - mg_clock_system.monotonic(&mg_clock_system);
		struct timeval wait;

		/* A time of zero would mean no limit (socket(7)). */
		if (left < 1000)
			left = 1000;
		wait.tv_sec = left / MG_SECOND;
		wait.tv_usec = left % MG_SECOND / 1000;
		if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0)
			return -1;
		if (connect(fd, address, size) == 0)
			return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	} while (errno == EINTR);
	if (errno == EAGAIN || errno == EINPROGRESS || errno == EALREADY)
		errno = ETIMEDOUT;
	return -1;
}

static int connect_address(const struct sockaddr *address, socklen_t size, int64_t end)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect_until(fd, address, size, end) != 0) {
		int number = errno;

		close(fd);
		errno = number;
		return -1;
	}
	return fd;
}

static int connect_inet(const struct mg_endpoint *endpoint, int64_t end, struct mg_error *error)
{
	struct sockaddr_storage addresses[2];
	int found = inet_addresses(endpoint, "localhost", addresses);
	int fd = -1, number = EADDRNOTAVAIL;

	for (int i = 0; fd < 0 && i < found; i++) {
		fd = connect_address(
			(struct sockaddr *)&addresses[i], address_length(&addresses[i]), end);
		if (fd < 0 && (i == 0 || !is_absent(errno)))
			number = errno;
	}
	if (fd < 0)
		mg_error_system(
			error, number, "inet:%u@%s", (unsigned)endpoint->port, endpoint->host);
	return fd;
}

int mg_connect(const struct mg_endpoint *endpoint, int64_t timeout, struct mg_error *error)
{
	int64_t end = mg_clock_system.monotonic(&mg_clock_system) + timeout;
	struct sockaddr_un address;
	int fd;

	switch (endpoint->kind) {
	case MG_ENDPOINT_INET: return connect_inet(endpoint, end, error);
	case MG_ENDPOINT_UNIX:
		set_unix_address(&address, endpoint->path);
		fd = connect_address((struct sockaddr *)&address, sizeof(address), end);
		if (fd < 0)
			mg_error_system(error, errno, "unix:%s", endpoint->path);
		return fd;
	default: mg_error_set(error, "fd:%d: nothing to connect to", endpoint->fd); return -1;
	}
}
