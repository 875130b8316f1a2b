/* SPDX-License-Identifier: ISC */
/* mailbox: the mailboxes of a From, To, Cc … field (RFC 5322 section 3.4, the obsolete forms of
 * 4.4 included). Time grows with the length of the field, memory is bounded: 1,000 mailboxes a
 * field, an address 1,024 bytes, a name 1,024 bytes. */
#ifndef MG_MAIL_MAILBOX_H
#define MG_MAIL_MAILBOX_H
#include <stddef.h>

struct mg_mailbox {
	const char *name; /* display name, or a comment behind a bare address; encoded words decoded
			   * to UTF-8, quotes off; NULL without */
	const char *address; /* local@domain as it stands, comments, folds and route taken out */
};

/* Calls each for the mailboxes of a value (struct mg_header form), group members included;
 * pointers are valid during the call. Lenient: what cannot be read is skipped up to the next
 * comma. Returns the number told, -1 when something had to be skipped or forgiven, or a bound
 * was hit (what could be read was told). */
int mg_mailbox_list(const char *value, size_t length,
	void (*each)(void *context, const struct mg_mailbox *), void *context);
#endif
