/* SPDX-License-Identifier: ISC */
/* buf: a growing byte buffer with a limit. Failure (limit, memory) is sticky: add without
 * checking, look at `failed` once at the end. `data` is NULL while nothing was added, else always
 * followed by a NUL that `length` does not count. */
#ifndef MG_BASE_BUF_H
#define MG_BASE_BUF_H
#include <stdbool.h>
#include <stddef.h>

struct mg_buf {
	char *data;
	size_t length, size, limit;
	bool failed;
};

/* limit in bytes, 0 for none. A zeroed struct is an empty buffer without limit. */
void mg_buf_init(struct mg_buf *buf, size_t limit);
void mg_buf_add(struct mg_buf *buf, const void *bytes, size_t length);
void mg_buf_add_char(struct mg_buf *buf, char character);
void mg_buf_add_text(struct mg_buf *buf, const char *text);
void mg_buf_add_format(struct mg_buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The text, "" when nothing was added. Valid until the next change. */
const char *mg_buf_text(const struct mg_buf *buf);
/* Drops the first `length` bytes. */
void mg_buf_consume(struct mg_buf *buf, size_t length);
/* Empty again, memory kept, failure forgotten. */
void mg_buf_reset(struct mg_buf *buf);
/* Frees the memory; the struct is an empty buffer with the same limit. */
void mg_buf_free(struct mg_buf *buf);
#endif
