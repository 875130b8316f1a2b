/* SPDX-License-Identifier: ISC */
#include "base/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/str.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Turns an IPv4-mapped IPv6 address into the IPv4 one. */
static void unmap(uint8_t *family, uint8_t bytes[16])
{
	if (*family != AF_INET6 || memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) != 0)
		return;
	*family = AF_INET;
	memmove(bytes, bytes + sizeof(mapped_prefix), 4);
	memset(bytes + 4, 0, 12);
}

/* AF_INET or AF_INET6 and the bytes of an address, 0 for another family. */
static uint8_t address_bytes(const struct sockaddr_storage *address, uint8_t bytes[16])
{
	uint8_t family = 0;

	memset(bytes, 0, 16);
	if (address->ss_family == AF_INET) {
		family = AF_INET;
		memcpy(bytes, &((const struct sockaddr_in *)address)->sin_addr, 4);
	} else if (address->ss_family == AF_INET6) {
		family = AF_INET6;
		memcpy(bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
		unmap(&family, bytes);
	}
	return family;
}

static bool parse_bytes(const char *text, uint8_t *family, uint8_t bytes[16])
{
	memset(bytes, 0, 16);
	*family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	return inet_pton(*family, text, bytes) == 1;
}

static void set_address(
	struct sockaddr_storage *address, uint8_t family, const uint8_t bytes[16], uint16_t port)
{
	memset(address, 0, sizeof(*address));
	address->ss_family = family;
	if (family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)address;

		memcpy(&in->sin_addr, bytes, 4);
		in->sin_port = htons(port);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;

		memcpy(&in6->sin6_addr, bytes, 16);
		in6->sin6_port = htons(port);
	}
}

bool mg_net_parse(const char *text, uint16_t port, struct sockaddr_storage *address)
{
	static const char tag[] = "IPv6:";
	bool tagged = mg_str_starts_nocase(text, tag);
	uint8_t family, bytes[16];

	if (!parse_bytes(tagged ? text + sizeof(tag) - 1 : text, &family, bytes))
		return false;
	if (tagged && family != AF_INET6)
		return false;
	unmap(&family, bytes);
	set_address(address, family, bytes, port);
	return true;
}

void mg_net_format(const struct sockaddr_storage *address, char *text, size_t size)
{
	uint8_t bytes[16];
	uint8_t family = address_bytes(address, bytes);

	/* inet_ntop(3) of glibc writes the form of RFC 5952 section 4. */
	if (family == 0 || inet_ntop(family, bytes, text, (socklen_t)size) == NULL)
		text[0] = '\0';
}

uint16_t mg_net_port(const struct sockaddr_storage *address)
{
	switch (address->ss_family) {
	case AF_INET: return ntohs(((const struct sockaddr_in *)address)->sin_port);
	case AF_INET6: return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	default: return 0;
	}
}

void mg_net_key(const struct sockaddr_storage *address, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN];
	bool is_ipv6;

	mg_net_format(address, host, sizeof(host));
	is_ipv6 = strchr(host, ':') != NULL;
	if (host[0] == '\0')
		text[0] = '\0';
	else
		mg_str_format(text, size, is_ipv6 ? "[%s]:%u" : "%s:%u", host,
			(unsigned)mg_net_port(address));
}

bool mg_net_is_loopback(const struct sockaddr_storage *address)
{
	uint8_t bytes[16];

	switch (address_bytes(address, bytes)) {
	case AF_INET: return bytes[0] == 127;
	case AF_INET6: return memcmp(bytes, &in6addr_loopback, 16) == 0;
	default: return false;
	}
}

/* Clears the bits below the mask; true when there were any. */
static bool clear_below(uint8_t bytes[16], unsigned bits)
{
	bool cleared = false;

	for (unsigned i = bits / 8; i < 16; i++) {
		unsigned kept = i == bits / 8 ? bits % 8 : 0;
		uint8_t mask = (uint8_t)(0xff00 >> kept);

		cleared = cleared || (bytes[i] & ~mask) != 0;
		bytes[i] &= mask;
	}
	return cleared;
}

bool mg_network_parse(const char *text, struct mg_network *network, struct mg_error *error)
{
	char host[INET6_ADDRSTRLEN], shown[128], nearest[INET6_ADDRSTRLEN];
	const char *slash = strchrnul(text, '/');
	uint64_t bits, most;

	mg_str_printable(shown, sizeof(shown), text, strlen(text));
	if ((size_t)(slash - text) >= sizeof(host))
		goto malformed;
	mg_str_format(host, sizeof(host), "%.*s", (int)(slash - text), text);
	if (!parse_bytes(host, &network->family, network->bytes))
		goto malformed;
	most = bits = network->family == AF_INET ? 32 : 128;
	if (*slash == '/' && !mg_str_number(slash + 1, most, &bits)) {
		mg_error_set(error, "network \"%s\": expected /0 to /%u", shown, (unsigned)most);
		return false;
	}
	if (clear_below(network->bytes, (unsigned)bits)) {
		inet_ntop(network->family, network->bytes, nearest, sizeof(nearest));
		mg_error_set(error, "network \"%s\": bits are set below the mask; nearest: %s/%u",
			shown, nearest, (unsigned)bits);
		return false;
	}
	unmap(&network->family, network->bytes);
	network->bits = (uint8_t)(network->family == AF_INET && most == 128 ? bits - 96 : bits);
	return true;
malformed:
	mg_error_set(error, "network \"%s\": expected ADDRESS or ADDRESS/BITS", shown);
	return false;
}

bool mg_network_contains(const struct mg_network *network, const struct sockaddr_storage *address)
{
	uint8_t bytes[16];
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	if (address_bytes(address, bytes) != network->family)
		return false;
	if (memcmp(bytes, network->bytes, whole) != 0)
		return false;
	return rest == 0 || ((bytes[whole] ^ network->bytes[whole]) & (0xff00 >> rest)) == 0;
}

bool mg_networks_contain(
	const struct mg_network *networks, size_t count, const struct sockaddr_storage *address)
{
	for (size_t i = 0; i < count; i++)
		if (mg_network_contains(&networks[i], address))
			return true;
	return false;
}
