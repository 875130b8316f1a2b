/* SPDX-License-Identifier: ISC */
/* net: IP addresses and networks. IPv4-mapped IPv6 addresses are IPv4 everywhere here. */
#ifndef MG_BASE_NET_H
#define MG_BASE_NET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

/* An address with port (0: none) from "192.0.2.1", "2001:db8::1", or "IPv6:2001:db8::1" (the form
 * of milter macros and RFC 5321 literals, without brackets). false when it is none. */
bool mg_net_parse(const char *text, uint16_t port, struct sockaddr_storage *address);
/* "192.0.2.1", "2001:db8::1" (RFC 5952), "" for a family that is neither. size >= 46. */
void mg_net_format(const struct sockaddr_storage *address, char *text, size_t size);
uint16_t mg_net_port(const struct sockaddr_storage *address);
/* "address:port" as millgate.session.key has it: "203.0.113.5:39204", "[2001:db8::1]:39204"; ""
 * without an address. size >= 64. */
void mg_net_key(const struct sockaddr_storage *address, char *text, size_t size);
bool mg_net_is_loopback(const struct sockaddr_storage *address);

/* A network in CIDR notation. */
struct mg_network {
	uint8_t bytes[16]; /* IPv4 in the first four */
	uint8_t bits;
	uint8_t family; /* AF_INET or AF_INET6 */
};

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. Bits set below the mask are an error. */
bool mg_network_parse(const char *text, struct mg_network *network, struct mg_error *error);
bool mg_network_contains(const struct mg_network *network, const struct sockaddr_storage *address);
bool mg_networks_contain(
	const struct mg_network *networks, size_t count, const struct sockaddr_storage *address);
#endif
