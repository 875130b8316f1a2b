/* SPDX-License-Identifier: ISC */
/* Hosts of URLs: the same however the text is cut, of host characters in lower case, each once. The
 * first byte is the length of the pieces and, by its lowest bit, whether it is HTML. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log/urls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct log_urls *urls, const uint8_t *data, size_t size, bool html, size_t cut)
{
	log_urls_begin(urls, html);
	for (size_t at = 0; at < size; at += cut)
		log_urls_add(urls, data + at, size - at < cut ? size - at : cut);
	log_urls_end(urls);
}

static void check(const struct log_urls *urls)
{
	const char *host = NULL;
	size_t count = 0;

	while ((host = log_hosts_next(&urls->hosts, host)) != NULL) {
		count++;
		assert(strlen(host) > 0 && strlen(host) <= 253);
		assert(strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_:") == strlen(host));
		for (const char *other = NULL;
			(other = log_hosts_next(&urls->hosts, other)) != host;)
			assert(strcmp(other, host) != 0);
	}
	assert(count == urls->hosts.count && count <= LOG_HOSTS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_urls whole = {.html = false}, cut = {.html = false};
	bool html;

	if (size == 0)
		return 0;
	html = (data[0] & 1) != 0;
	feed(&whole, data + 1, size - 1, html, size);
	feed(&cut, data + 1, size - 1, html, (size_t)(data[0] >> 1) + 1);
	check(&whole);
	assert(whole.hosts.count == cut.hosts.count &&
		whole.hosts.texts.length == cut.hosts.texts.length);
	if (whole.hosts.count > 0)
		assert(memcmp(whole.hosts.texts.data, cut.hosts.texts.data,
			       whole.hosts.texts.length) == 0);
	log_hosts_free(&whole.hosts);
	log_hosts_free(&cut.hosts);
	return 0;
}
