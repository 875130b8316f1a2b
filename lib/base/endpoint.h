/* SPDX-License-Identifier: ISC */
/* endpoint: the sockets a daemon listens on or a client connects to, by the text of a setting. */
#ifndef MG_BASE_ENDPOINT_H
#define MG_BASE_ENDPOINT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Where a daemon listens: "unix:/path", "inet:PORT@HOST" (HOST an address, "localhost" for both
 * families, or empty for all), "fd:N" (already listening). Port 0 is a free one, the same for both
 * families. */
enum mg_endpoint_kind { MG_ENDPOINT_UNIX, MG_ENDPOINT_INET, MG_ENDPOINT_FD };
struct mg_endpoint {
	enum mg_endpoint_kind kind;
	char path[108]; /* unix */
	char host[256]; /* inet */
	uint16_t port;
	int fd;
};

/* The error is about the text alone; its setting is put before it by the caller. */
bool mg_endpoint_parse(const char *text, struct mg_endpoint *endpoint, struct mg_error *error);

enum { MG_LISTEN_MAX = 4 };
/* Opens listening sockets (close-on-exec, non-blocking) into fds; returns how many (1, or 2 for
 * inet localhost), -1 with error. A unix socket is probed first: one where a process answers is an
 * error naming its pid and program (SO_PEERCRED, /proc/PID/comm), a stale one is replaced; it gets
 * mode, whatever the umask, and the group of its directory when that is setgid (inode(7)). It is
 * made under a temporary name and renamed: its path has at most 97 bytes. */
int mg_listen(const struct mg_endpoint *endpoint, unsigned mode, int fds[MG_LISTEN_MAX],
	struct mg_error *error);
/* Removes the socket file that mg_listen made, unless another one took its place (a connection to
 * it tells). Before the descriptors are closed. */
void mg_unlisten(const struct mg_endpoint *endpoint, const int fds[], int count);
/* Connects within timeout ns; a blocking descriptor, close-on-exec, or -1 with error. */
int mg_connect(const struct mg_endpoint *endpoint, int64_t timeout, struct mg_error *error);
#endif
