/* SPDX-License-Identifier: ISC */
/* author: whose mail it is, and so which domain signs it. */
#ifndef MG_DKIM_AUTHOR_H
#define MG_DKIM_AUTHOR_H
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "dkim/report.h"
#include "dkim/settings.h"
#include "mail/message.h"

struct dkim_author {
	/* Of the author, or of the envelope sender where that decides: A-label, lower case. */
	char domain[256];
	char signing[256]; /* the domain whose keys sign: the same, or an exception's */
};

/* 1: known. 0: the message stays unsigned, with problem: no From field, several of them or of
 * authors (RFC 5322 section 3.6: From is there once; a reader is shown one), one that cannot be
 * read, no domain, an exception. -1 with error: the table of exceptions could not be read. */
int dkim_author_find(const struct dkim_settings *settings, const struct mg_message *message,
	const struct mg_header *headers, size_t count, struct dkim_author *author,
	struct dkim_problem *problem, struct mg_error *error);
/* "@DOMAIN" into identity (257 bytes) when signing is a domain above domain (i=, RFC 6376 section
 * 3.5: the default is signing itself), else "". */
void dkim_author_identity(const char *domain, const char *signing, char identity[257]);
#endif
