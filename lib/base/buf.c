/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_FIRST = 64 };

void mg_buf_init(struct mg_buf *buf, size_t limit)
{
	*buf = (struct mg_buf){.limit = limit};
}

/* Room for `length` more bytes and a NUL; false, and failed, when there is none. */
static bool reserve(struct mg_buf *buf, size_t length)
{
	size_t limit = buf->limit != 0 && buf->limit < SIZE_MAX ? buf->limit : SIZE_MAX - 1;
	size_t needed, size;
	char *data;

	if (buf->failed)
		return false;
	if (buf->length > limit || length > limit - buf->length) {
		buf->failed = true;
		return false;
	}
	needed = buf->length + length + 1;
	if (needed <= buf->size)
		return true;
	size = buf->size < SIZE_FIRST ? SIZE_FIRST : buf->size;
	while (size < needed)
		size = size <= SIZE_MAX / 2 ? size * 2 : needed;
	if (size > limit + 1)
		size = limit + 1;
	data = realloc(buf->data, size);
	if (data == NULL) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->size = size;
	return true;
}

void mg_buf_add(struct mg_buf *buf, const void *bytes, size_t length)
{
	if (length == 0 || !reserve(buf, length))
		return;
	memcpy(buf->data + buf->length, bytes, length);
	buf->length += length;
	buf->data[buf->length] = '\0';
}

void mg_buf_add_char(struct mg_buf *buf, char character)
{
	mg_buf_add(buf, &character, 1);
}

void mg_buf_add_text(struct mg_buf *buf, const char *text)
{
	mg_buf_add(buf, text, strlen(text));
}

void mg_buf_add_format(struct mg_buf *buf, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		buf->failed = true;
	if (length <= 0 || !reserve(buf, (size_t)length))
		return;
	va_start(arguments, format);
	vsnprintf(buf->data + buf->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	buf->length += (size_t)length;
}

const char *mg_buf_text(const struct mg_buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

void mg_buf_consume(struct mg_buf *buf, size_t length)
{
	if (buf->data == NULL)
		return;
	if (length > buf->length)
		length = buf->length;
	buf->length -= length;
	memmove(buf->data, buf->data + length, buf->length + 1);
}

void mg_buf_reset(struct mg_buf *buf)
{
	buf->length = 0;
	buf->failed = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

void mg_buf_free(struct mg_buf *buf)
{
	free(buf->data);
	mg_buf_init(buf, buf->limit);
}
