/* SPDX-License-Identifier: ISC */
/* address: one address or domain, as SMTP has it (RFC 5321 section 4.1.2, RFC 6531), and its normal
 * form. Longer than 1,024 bytes is none; shorter limits of the RFC are not enforced on local parts
 * (section 4.5.3.1: no limits where possible). Hides libidn2. Lists in header fields: mailbox.h. */
#ifndef MG_MAIL_ADDRESS_H
#define MG_MAIL_ADDRESS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Adds the normal form of an address, for comparison: local part as it is (quotes that are not
 * needed taken off) with ASCII letters in lower case, domain as A-label in lower case without a
 * final dot; address literals in one form. false when it is no address (RFC 5321 Mailbox, also
 * with UTF-8, or a bare local part such as "postmaster"); then `out` is unchanged. What the
 * client gave stays in events. */
bool mg_address_normalize(const char *address, size_t length, struct mg_buf *out);
/* true when address is a Mailbox of RFC 5321 / 6531, without <>. */
bool mg_address_valid(const char *address, size_t length);
/* Adds the domain as A-label, lower case, no final dot; false when it is no domain name (LDH
 * labels of 1 to 63 bytes, 253 in all): then `out` is unchanged. */
bool mg_domain_normalize(const char *domain, size_t length, struct mg_buf *out);
/* Adds the normal form of a domain in which a whole label may be "*", which stands for one label or
 * more: to be compared by fnmatch(3). false when it is none; then what was added means nothing. */
bool mg_domain_glob_normalize(const char *domain, struct mg_buf *out);
#endif
