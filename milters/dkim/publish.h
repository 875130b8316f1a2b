/* SPDX-License-Identifier: ISC */
/* publish: has DNS the key that signs? (verify_before_send) */
#ifndef MG_DKIM_PUBLISH_H
#define MG_DKIM_PUBLISH_H
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/dns.h"
#include "dkim/keys.h"

enum dkim_published {
	DKIM_PUBLISHED,
	DKIM_NOT_PUBLISHED, /* there is no such record, or it has not this key */
	DKIM_UNKNOWN /* DNS gave no answer */
};

struct dkim_publication {
	bool no_record; /* not published, for there is no record at all */
	bool strict; /* published, with t=s (auth/dkim_key.h) */
	const char *dns; /* a word of millgate.dkim.dns */
	char why[256]; /* in words; "" published */
};

/* Asks, from the cache when it is there and fresh is not asked for. deadline: monotonic ns. */
enum dkim_published dkim_publish_check(struct mg_dns *dns, const struct dkim_signer *signer,
	bool fresh, int64_t deadline, struct dkim_publication *publication);
/* Adds the record to publish: `s._domainkey.d. TXT "v=DKIM1; …"`, in strings of 255 bytes. */
void dkim_publish_record(const struct dkim_signer *signer, struct mg_buf *out);
#endif
