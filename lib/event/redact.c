/* SPDX-License-Identifier: ISC */
#include "event/redact.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/str.h"

enum {
	KEY_MIN = 16,
	KEY_MAX = 4096,
	KEY_ID_BYTES = 2,
	PSEUDONYM_BYTES = 8,
	OTHERS_READ = 04,
	V4_KEPT = 3, /* bytes of a network that is kept: /24 */
	V6_KEPT = 7 /* /56 */
};

struct mg_redact {
	enum mg_redact_way ways[MG_PRIVACY_COUNT];
	unsigned char key[KEY_MAX];
	size_t key_length;
	char key_id[2 * KEY_ID_BYTES + 1];
};

/* Reads the key; false with error. */
static bool read_key(struct mg_redact *redact, const char *path, struct mg_error *error)
{
	unsigned char bytes[KEY_MAX + 1], hash[MG_SHA256_SIZE];
	struct stat status;
	ssize_t length = -1;
	int fd;

	if (strncmp(path, "file:", strlen("file:")) == 0)
		path += strlen("file:");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) != 0) {
		mg_error_system(error, errno, "%s", path);
	} else if (!S_ISREG(status.st_mode)) {
		mg_error_set(error, "%s: no regular file", path);
	} else if ((status.st_mode & OTHERS_READ) != 0) {
		mg_error_set(error, "%s: others can read it (%o); mend: chmod 640 %s", path,
			(unsigned)(status.st_mode & 07777), path);
	} else if ((length = read(fd, bytes, sizeof bytes)) < 0) {
		mg_error_system(error, errno, "%s", path);
	} else if (length < KEY_MIN || length > KEY_MAX) {
		mg_error_set(error, "%s: expected a key of %d to %d bytes", path, KEY_MIN, KEY_MAX);
		length = -1;
	}
	if (fd >= 0)
		close(fd);
	if (length > 0) {
		memcpy(redact->key, bytes, (size_t)length);
		redact->key_length = (size_t)length;
		if (!mg_sha256_of(bytes, (size_t)length, hash)) {
			mg_error_set(error, "%s: cannot hash the key", path);
			length = -1;
		}
		mg_str_hex(redact->key_id, hash, KEY_ID_BYTES);
	}
	explicit_bzero(bytes, sizeof bytes);
	return length > 0;
}

struct mg_redact *mg_redact_new(const enum mg_redact_way ways[MG_PRIVACY_COUNT],
	const char *key_path, struct mg_error *error)
{
	struct mg_redact *redact = calloc(1, sizeof *redact);
	bool keyed = false;

	if (redact == NULL) {
		mg_error_set(error, "redact: out of memory");
		return NULL;
	}
	for (size_t i = 0; i < MG_PRIVACY_COUNT; i++) {
		redact->ways[i] = i == MG_PRIVACY_NONE ? MG_REDACT_CLEAR : ways[i];
		keyed = keyed || redact->ways[i] == MG_REDACT_HMAC;
	}
	if (keyed && !read_key(redact, key_path, error)) {
		mg_redact_free(redact);
		return NULL;
	}
	return redact;
}

void mg_redact_free(struct mg_redact *redact)
{
	if (redact == NULL)
		return;
	explicit_bzero(redact->key, sizeof redact->key);
	free(redact);
}

/* Whether this can be the local part of an address: quoted, or without what must be quoted. */
static bool is_local_part(const char *text, size_t length)
{
	if (length > 2 && text[0] == '"' && text[length - 1] == '"')
		return true;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ' || strchr("()<>[]:;@\\,\"\x7f", text[i]) != NULL)
			return false;
	return length > 0;
}

/* Where "@domain" begins; NULL when the text is no address. Only what looks like an address is
 * one: a display name or quoted text with an @ in it must not show what stands behind. */
static const char *domain_of(enum mg_privacy privacy, const char *text, size_t length)
{
	const char *at;

	if (privacy != MG_PRIVACY_RECIPIENTS && privacy != MG_PRIVACY_SENDERS)
		return NULL;
	at = memrchr(text, '@', length);
	if (at == NULL || at + 1 == text + length || !is_local_part(text, (size_t)(at - text)))
		return NULL;
	for (const char *next = at + 1; next < text + length; next++) {
		unsigned char character = (unsigned char)*next;

		if (character < 0x80 && strchr("-._:[]", character) == NULL &&
			!(character >= '0' && character <= '9') &&
			!((character | 0x20) >= 'a' && (character | 0x20) <= 'z'))
			return NULL;
	}
	return at;
}

/* "h1-<keyid>-<16 hex>" of the lower-case text; false when the digest fails or memory is out. */
static bool add_pseudonym(
	const struct mg_redact *redact, const char *text, size_t length, struct mg_buf *out)
{
	unsigned char mac[MG_SHA256_SIZE];
	char hex[2 * PSEUDONYM_BYTES + 1];
	char *lower = malloc(length + 1);
	bool good;

	if (lower == NULL)
		return false;
	memcpy(lower, text, length);
	mg_str_lower_n(lower, length);
	good = mg_hmac_sha256(redact->key, redact->key_length, lower, length, mac);
	free(lower);
	if (good) {
		mg_str_hex(hex, mac, PSEUDONYM_BYTES);
		mg_buf_add_format(out, "h1-%s-%s", redact->key_id, hex);
	}
	return good;
}

/* Adds the network of a client address; false when the text is none. */
static bool add_network(const char *text, struct mg_buf *out)
{
	unsigned char address[sizeof(struct in6_addr)];
	char printed[INET6_ADDRSTRLEN];
	int family = AF_INET;
	size_t kept = V4_KEPT, size = sizeof(struct in_addr);

	if (inet_pton(family, text, address) != 1) {
		family = AF_INET6;
		kept = V6_KEPT;
		size = sizeof address;
		if (inet_pton(family, text, address) != 1)
			return false;
	}
	memset(address + kept, 0, size - kept);
	if (inet_ntop(family, address, printed, sizeof printed) == NULL)
		return false;
	mg_buf_add_text(out, printed);
	return true;
}

/* The network of "address" or "address:port", else "*". */
static void add_masked_client(const char *text, size_t length, struct mg_buf *out)
{
	char copy[INET6_ADDRSTRLEN + sizeof "[]:65535"], *colon;

	if (length < sizeof copy) {
		memcpy(copy, text, length);
		copy[length] = '\0';
		colon = strrchr(copy, ':');
		if (colon != NULL) {
			/* Without the port first: behind an IPv6 address it may look like a part
			 * of it. */
			char *address = copy[0] == '[' ? copy + 1 : copy;
			bool bracketed = colon > copy && colon[-1] == ']';

			*colon = '\0';
			if (bracketed)
				colon[-1] = '\0';
			if (add_network(address, out))
				return;
			*colon = ':';
		}
		if (add_network(copy, out))
			return;
	}
	mg_buf_add_char(out, '*');
}

static void add_masked(enum mg_privacy privacy, const char *text, size_t length, struct mg_buf *out)
{
	const char *at = domain_of(privacy, text, length);

	if (privacy == MG_PRIVACY_CLIENT) {
		add_masked_client(text, length, out);
		return;
	}
	mg_buf_add_char(out, '*');
	if (at != NULL)
		mg_buf_add(out, at, (size_t)(text + length - at));
}

bool mg_redact_is_clear(const struct mg_redact *redact, enum mg_privacy privacy)
{
	return redact == NULL || redact->ways[privacy] == MG_REDACT_CLEAR;
}

bool mg_redact_apply(const struct mg_redact *redact, enum mg_privacy privacy, bool is_ip,
	const char *text, size_t length, struct mg_buf *out)
{
	enum mg_redact_way way = redact == NULL ? MG_REDACT_CLEAR : redact->ways[privacy];
	const char *at;

	switch (way) {
	case MG_REDACT_CLEAR: mg_buf_add(out, text, length); return true;
	case MG_REDACT_DROP: return false;
	case MG_REDACT_MASK: break;
	case MG_REDACT_HMAC:
		if (is_ip)
			break;
		if (!add_pseudonym(redact, text, length, out))
			return false;
		at = domain_of(privacy, text, length);
		for (; at != NULL && at < text + length; at++)
			mg_buf_add_char(out, *at >= 'A' && *at <= 'Z' ? (char)(*at | 0x20) : *at);
		return true;
	}
	if (is_ip) {
		char address[INET6_ADDRSTRLEN];

		/* What is no address cannot be masked into one. */
		return mg_str_format(address, sizeof address, "%.*s", (int)length, text) &&
		       add_network(address, out);
	}
	add_masked(privacy, text, length, out);
	return true;
}
