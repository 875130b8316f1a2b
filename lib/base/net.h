/* SPDX-License-Identifier: ISC */
/* net: addresses, networks, and the sockets a daemon listens on or a client connects to. IPv4-mapped IPv6 addresses are IPv4
 * everywhere here. */
#ifndef MG_BASE_NET_H
#define MG_BASE_NET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

/* An address with port (0: none) from "192.0.2.1", "2001:db8::1", or "IPv6:2001:db8::1" (the form of milter macros and RFC 5321
 * literals, without brackets). false when it is none. */
bool mg_net_parse(const char *text, uint16_t port, struct sockaddr_storage *address);
/* "192.0.2.1", "2001:db8::1" (RFC 5952), "" for a family that is neither. size >= 46. */
void mg_net_format(const struct sockaddr_storage *address, char *text, size_t size);
uint16_t mg_net_port(const struct sockaddr_storage *address);
/* "address:port" as millgate.session.key has it: "203.0.113.5:39204", "[2001:db8::1]:39204"; "" without an address. size >= 64. */
void mg_net_key(const struct sockaddr_storage *address, char *text, size_t size);
bool mg_net_is_loopback(const struct sockaddr_storage *address);

/* A network in CIDR notation. */
struct mg_network {
	uint8_t bytes[16];	/* IPv4 in the first four */
	uint8_t bits;
	uint8_t family;		/* AF_INET or AF_INET6 */
};

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. Bits set below the mask are an error. */
bool mg_network_parse(const char *text, struct mg_network *network, struct mg_error *error);
bool mg_network_contains(const struct mg_network *network, const struct sockaddr_storage *address);
bool mg_networks_contain(const struct mg_network *networks, size_t count, const struct sockaddr_storage *address);

/* Where a daemon listens: "unix:/path", "inet:PORT@HOST" (HOST an address, "localhost" for both families, or empty for all),
 * "fd:N" (already listening). */
enum mg_endpoint_kind { MG_ENDPOINT_UNIX, MG_ENDPOINT_INET, MG_ENDPOINT_FD };
struct mg_endpoint {
	enum mg_endpoint_kind kind;
	char path[108];		/* unix */
	char host[256];		/* inet */
	uint16_t port;
	int fd;
};

bool mg_endpoint_parse(const char *text, struct mg_endpoint *endpoint, struct mg_error *error);

enum { MG_LISTEN_MAX = 4 };
/* Opens listening sockets (close-on-exec, non-blocking) into fds; returns how many (1, or 2 for inet localhost), -1 with error. A unix
 * socket is probed first: one where a process answers is an error naming its pid and program (SO_PEERCRED, /proc/PID/comm), a stale
 * one is replaced; it gets mode and the group of its directory when that is setgid. */
int mg_listen(const struct mg_endpoint *endpoint, unsigned mode, int fds[MG_LISTEN_MAX], struct mg_error *error);
/* Removes the socket file that mg_listen made, unless another one took its place. */
void mg_unlisten(const struct mg_endpoint *endpoint, const int fds[], int count);
/* Connects within timeout ns; a blocking descriptor, close-on-exec, or -1 with error. */
int mg_connect(const struct mg_endpoint *endpoint, int64_t timeout, struct mg_error *error);
#endif
