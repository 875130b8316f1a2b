/* SPDX-License-Identifier: ISC */
/* address: mailboxes in SMTP (RFC 5321 section 4.1.2, RFC 6531) and in header fields (RFC 5322 section 3.4, obsolete forms of 4.4 included).
 * Bounds: 1,000 mailboxes a field, comments and groups 32 deep, an address 1,024 bytes. */
#ifndef MG_MAIL_ADDRESS_H
#define MG_MAIL_ADDRESS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Normal form of an address for comparison and events: local part as it is (quotes that are not needed taken off) with ASCII letters in lower
 * case, domain as A-label in lower case without a final dot; address literals in one form. false when it is no address (RFC 5321 Mailbox,
 * also with UTF-8, and a bare local part such as "postmaster"); then `out` is unchanged. Own use; what the client gave stays in events. */
bool mg_address_normalize(const char *address, size_t length, struct mg_buf *out);
/* true when address is a Mailbox of RFC 5321 / 6531, without <>. */
bool mg_address_valid(const char *address, size_t length);
/* Domain as A-label, lower case, no final dot; false when it is no domain name (LDH labels of 1 to 63 bytes, 253 in all). */
bool mg_domain_normalize(const char *domain, size_t length, struct mg_buf *out);

struct mg_mailbox {
	const char *name;	/* display name, encoded words decoded to UTF-8, quotes off; or NULL */
	const char *address;	/* local@domain as it stands, comments and folding taken out; never NULL */
};
/* Calls each for the mailboxes of a From, To, Cc … value (struct mg_header form), group members included; pointers valid during the call.
 * Lenient: what cannot be read is skipped up to the next comma. Returns the number told, -1 when something had to be skipped or a bound was
 * hit (what could be read was told). */
int mg_mailbox_list(const char *value, size_t length, void (*each)(void *context, const struct mg_mailbox *), void *context);
#endif
