/* SPDX-License-Identifier: ISC */
/* urls: the hosts of the URLs in text and HTML, fed in chunks of any cut: of http, https and ftp
 * URLs wherever they stand, of names that begin with "www.", and in HTML of what begins with "//".
 * They are read as browsers read them (WHATWG URL Standard): a user name before "@" is no host; in
 * HTML character references are resolved, backslashes are slashes, and line ends and tabs within a
 * quoted attribute are nothing. Bytes of zero are left out, so that UTF-16 is read as well. */
#ifndef MG_MILTERS_LOG_URLS_H
#define MG_MILTERS_LOG_URLS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/hosts.h"

enum {
	LOG_AUTHORITY_MAX =
		320, /* bytes that are kept of what stands between the slashes of a URL */
	LOG_REFERENCE_MAX = 12 /* of a character reference */
};

enum log_urls_state { LOG_URLS_SEEK, LOG_URLS_SLASHES, LOG_URLS_AUTHORITY };

/* Zeroed: nothing was fed. */
struct log_urls {
	struct log_hosts hosts;
	/* Of the text under way. */
	bool html;
	enum log_urls_state state;
	uint64_t recent; /* the last 8 bytes */
	unsigned gaps; /* bit n: a line end was left out before the last byte but n */
	bool gap; /* one was left out before the next byte */
	char quote; /* of the attribute the URL stands in; NUL none */
	bool web; /* it began with "www." */
	unsigned slashes;
	bool referring; /* behind "&" */
	size_t length, reference_length;
	char authority[LOG_AUTHORITY_MAX], reference[LOG_REFERENCE_MAX];
};

/* A text begins, is fed, ends. When there are more hosts than the set takes nothing more is looked
 * for. */
void log_urls_begin(struct log_urls *urls, bool html);
void log_urls_add(struct log_urls *urls, const unsigned char *bytes, size_t length);
void log_urls_end(struct log_urls *urls);
#endif
