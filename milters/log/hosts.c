/* SPDX-License-Identifier: ISC */
#include "log/hosts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/str.h"
#include "mail/address.h"

enum {
	HOST_MAX = LOG_HOST_SIZE - 1,
	CONVERSIONS_MAX = 1000 /* some µs each */
};

void log_hosts_free(struct log_hosts *hosts)
{
	mg_buf_free(&hosts->texts);
	memset(hosts, 0, sizeof(*hosts));
}

const char *log_hosts_next(const struct log_hosts *hosts, const char *host)
{
	if (hosts->count == 0)
		return NULL;
	host = host == NULL ? hosts->texts.data : host + strlen(host) + 1;
	return host < hosts->texts.data + hosts->texts.length ? host : NULL;
}

/* FNV-1a */
static uint32_t hash_of(const char *text, size_t length)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash;
}

static bool has(const struct log_hosts *hosts, const char *text, uint32_t hash)
{
	const char *host = NULL;

	for (size_t i = 0; i < hosts->count; i++) {
		if (hosts->hashes[i] != hash)
			continue;
		/* Mostly it is this one: the texts are walked once more, to its place. */
		while ((host = log_hosts_next(hosts, host)) != NULL)
			if (strcmp(host, text) == 0)
				return true;
		return false;
	}
	return false;
}

static void put(struct log_hosts *hosts, const char *text, size_t length)
{
	uint32_t hash = hash_of(text, length);

	if (has(hosts, text, hash))
		return;
	if (hosts->count < LOG_HOSTS_MAX)
		mg_buf_add(&hosts->texts, text, length + 1);
	if (hosts->count == LOG_HOSTS_MAX || hosts->texts.failed)
		hosts->full = hosts->truncated = true;
	else
		hosts->hashes[hosts->count++] = hash;
}

static bool is_ascii_host(char character)
{
	return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
	       (character >= 'A' && character <= 'Z') || character == '-' || character == '_' ||
	       character == '.';
}

static int hex_digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character |= 0x20;
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* Resolves percent signs, and ends at what is part of no host. Returns the length. */
static size_t read_host(const char *text, size_t length, char host[LOG_HOST_SIZE])
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		char character = text[i];

		if (character == '%' && length - i > 2 && hex_digit(text[i + 1]) >= 0 &&
			hex_digit(text[i + 2]) >= 0) {
			character = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
			i += 2;
		}
		if (!is_ascii_host(character) && (unsigned char)character < 0x80)
			break;
		if (used == HOST_MAX)
			return 0;
		host[used++] = character;
	}
	while (used > 0 && host[used - 1] == '.')
		used--;
	host[used] = '\0';
	return used;
}

/* Labels of a name of ASCII; 0: one is empty, or too long, or it has no letter and no digit. */
static unsigned count_labels(const char *host, size_t length)
{
	unsigned labels = 1;
	size_t label = 0;
	bool good = false;

	for (size_t i = 0; i < length; i++) {
		if (host[i] == '.') {
			if (label == 0)
				return 0;
			label = 0;
			labels++;
		} else if (++label > 63) {
			return 0;
		}
		good |= host[i] != '.' && host[i] != '-' && host[i] != '_';
	}
	return good && label > 0 ? labels : 0;
}

static void add_ascii(struct log_hosts *hosts, char *host, size_t length, unsigned labels)
{
	unsigned has_labels;

	while (length > 0 && host[length - 1] == '.')
		host[--length] = '\0';
	has_labels = count_labels(host, length);
	if (has_labels == 0 || has_labels < labels)
		return;
	mg_str_lower(host);
	put(hosts, host, length);
}

static void add_address(struct log_hosts *hosts, const char *text, size_t length)
{
	const char *close = memchr(text, ']', length);
	char host[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (close == NULL ||
		!mg_str_format(host, sizeof(host), "%.*s", (int)(close - text - 1), text + 1) ||
		inet_pton(AF_INET6, host, &address) != 1 ||
		inet_ntop(AF_INET6, &address, host, sizeof(host)) == NULL)
		return;
	put(hosts, host, strlen(host));
}

/* A name that is no ASCII; its first `ascii` bytes are. What is no name of its script is text behind
 * one: a quotation mark. */
static void add_international(
	struct log_hosts *hosts, char *host, size_t length, size_t ascii, unsigned labels)
{
	struct mg_buf normal = {.limit = HOST_MAX};

	if (strcmp(hosts->converted, host) == 0)
		return;
	if (hosts->conversions == CONVERSIONS_MAX) {
		hosts->truncated = true;
		return;
	}
	hosts->conversions++;
	memcpy(hosts->converted, host, length + 1);
	if (mg_domain_normalize(host, length, &normal) && !normal.failed) {
		put(hosts, normal.data, normal.length);
	} else {
		host[ascii] = '\0';
		add_ascii(hosts, host, ascii, labels);
	}
	mg_buf_free(&normal);
}

void log_hosts_add(struct log_hosts *hosts, const char *text, size_t length, unsigned labels)
{
	char host[LOG_HOST_SIZE];
	size_t ascii = 0;

	if (length > 0 && text[0] == '[') {
		add_address(hosts, text, length);
		return;
	}
	length = read_host(text, length, host);
	while (ascii < length && (unsigned char)host[ascii] < 0x80)
		ascii++;
	if (ascii < length)
		add_international(hosts, host, length, ascii, labels);
	else
		add_ascii(hosts, host, length, labels);
}
