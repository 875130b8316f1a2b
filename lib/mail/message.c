/* SPDX-License-Identifier: ISC */
#include "mail/message.h"

#include <string.h>

#include "base/digest.h"
#include "base/str.h"

enum { TRACE_BYTES = 16 };

void mg_trace_id(const char *gateway, const char *queue_id, char trace_id[33])
{
	unsigned char digest[MG_SHA256_SIZE];
	struct mg_sha256 *hash;

	trace_id[0] = '\0';
	if (queue_id[0] == '\0')
		return;
	hash = mg_sha256_new();
	if (hash == NULL)
		return;
	mg_sha256_add(hash, gateway, strlen(gateway) + 1);
	mg_sha256_add(hash, queue_id, strlen(queue_id));
	if (mg_sha256_finish(hash, digest))
		mg_str_hex(trace_id, digest, TRACE_BYTES);
	mg_sha256_free(hash);
}

const char *mg_address_domain_part(const char *address)
{
	const char *domain = "";
	bool quoted = false;

	for (; *address != '\0'; address++) {
		if (quoted && *address == '\\' && address[1] != '\0')
			address++;
		else if (*address == '"')
			quoted = !quoted;
		else if (*address == '@' && !quoted)
			domain = address + 1;
	}
	return domain;
}
