/* SPDX-License-Identifier: ISC */
/* redact: what of a value may be written, decided once, before the spool: the setting events {
 * redact { … } }.
 *
 * hmac   addresses: "h1-<keyid>-<16 hex of HMAC-SHA-256(key, lower-case local part @
 * domain)>@domain"; else "h1-<keyid>-<16 hex>" of the
 *        lower-case text; keyid: first 4 hex of SHA-256(key)
 * mask   addresses: "*@domain"; client addresses: network /24 or /56, port left out; else "*" drop
 * the field is left out IP addresses under hmac are masked: a field of type ip must stay an
 * address. */
#ifndef MG_EVENT_REDACT_H
#define MG_EVENT_REDACT_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* The class of a field. */
enum mg_privacy {
	MG_PRIVACY_NONE, /* always clear */
	MG_PRIVACY_SUBJECT,
	MG_PRIVACY_RECIPIENTS,
	MG_PRIVACY_SENDERS,
	MG_PRIVACY_NAMES, /* of attachments and people */
	MG_PRIVACY_CLIENT, /* address, name, HELO, session key */
	MG_PRIVACY_COUNT
};
enum mg_redact_way { MG_REDACT_CLEAR, MG_REDACT_HMAC, MG_REDACT_MASK, MG_REDACT_DROP };

struct mg_redact;

/* key: of hmac, read from key_path ("file:/path" or a path), 16 to 4096 bytes, refused when others
 * can read it; needed only when a way is hmac. NULL with error. */
struct mg_redact *mg_redact_new(const enum mg_redact_way ways[MG_PRIVACY_COUNT],
	const char *key_path, struct mg_error *error);
void mg_redact_free(struct mg_redact *redact);

/* Adds what may be written of text to `out`; false: nothing, the field is dropped. is_ip: the
 * field's type is ip. redact NULL: clear. */
bool mg_redact_apply(const struct mg_redact *redact, enum mg_privacy privacy, bool is_ip,
	const char *text, size_t length, struct mg_buf *out);
/* Whether values of this class are written as they are; a number, boolean or date that is not is
 * left out: it has no masked form. */
bool mg_redact_is_clear(const struct mg_redact *redact, enum mg_privacy privacy);
#endif
