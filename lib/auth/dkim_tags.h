/* SPDX-License-Identifier: ISC */
/* dkim_tags: reading tag=value lists (RFC 6376 section 3.2): DKIM-Signature fields and key records.
 * Bounds: 64 KiB, 64 tags. */
#ifndef MG_AUTH_DKIM_TAGS_H
#define MG_AUTH_DKIM_TAGS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { MG_DKIM_TAGS_MAX = 64 };

/* Pointers into the text that was read; white space around name and value is off. */
struct mg_dkim_tag {
	const char *name, *value;
	size_t name_length, value_length;
};
struct mg_dkim_tags {
	struct mg_dkim_tag list[MG_DKIM_TAGS_MAX];
	size_t count;
};

/* false: not a tag list, a tag twice, or over a bound. */
bool mg_dkim_tags_read(const char *text, size_t length, struct mg_dkim_tags *tags);
/* NULL: not there. Names are compared as they are. */
const struct mg_dkim_tag *mg_dkim_tag_find(const struct mg_dkim_tags *tags, const char *name);
/* Adds the value without any white space (base64 and d= may be folded). */
void mg_dkim_tag_compact(const struct mg_dkim_tag *tag, struct mg_buf *out);
#endif
