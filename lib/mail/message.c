/* SPDX-License-Identifier: ISC */
#include "mail/message.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/str.h"

enum { TRACE_BYTES = 16 };

void mg_trace_id(const char *gateway, const char *queue_id, char trace_id[33])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context;

	trace_id[0] = '\0';
	if (queue_id[0] == '\0')
		return;
	context = EVP_MD_CTX_new();
	if (context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
		EVP_DigestUpdate(context, gateway, strlen(gateway) + 1) == 1 &&
		EVP_DigestUpdate(context, queue_id, strlen(queue_id)) == 1 &&
		EVP_DigestFinal_ex(context, digest, NULL) == 1)
		mg_str_hex(trace_id, digest, TRACE_BYTES);
	EVP_MD_CTX_free(context);
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
