/* SPDX-License-Identifier: ISC */
/* What reading MIME costs: `mime KIND millgate|gmime [SECONDS]` reads a message of the kind (see
 * mime_messages.c; decoded contents are counted and thrown away) until so many seconds of CPU have
 * passed, once at least, and prints one JSON object: bytes of the message, how often, seconds of CPU, the
 * most heap in use above what the message takes. Ours is fed in chunks of 64 KiB, as by a milter; GMime
 * reads from memory. `mime` alone prints the kinds; without GMime, "gmime" prints null. */
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "mail/mime.h"
#include "mime_messages.h"
#ifdef WITH_GMIME
#include <gmime/gmime.h>
#endif

enum { CHUNK = 65535, BATCH = 256 * 1024 };

/* --- heap: what is allocated by anybody in this program --- */

static size_t in_use, most_in_use;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static void *counted(void *memory)
{
	in_use += memory != NULL ? malloc_usable_size(memory) : 0;
	if (in_use > most_in_use)
		most_in_use = in_use;
	return memory;
}

void *malloc(size_t size)
{
	return counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	return counted(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
	in_use -= memory != NULL ? malloc_usable_size(memory) : 0;
	return counted(__libc_realloc(memory, size));
}

void free(void *memory)
{
	in_use -= memory != NULL ? malloc_usable_size(memory) : 0;
	__libc_free(memory);
}

/* --- ours --- */

static uint64_t decoded;

static void part(void *context, const struct mg_mime_part *one)
{
	(void)context;
	(void)one;
}

static void content(void *context, const struct mg_mime_part *one, enum mg_mime_content kind,
	const unsigned char *bytes, size_t length)
{
	(void)context;
	(void)one;
	(void)kind;
	(void)bytes;
	decoded += length;
}

/* The header of the message, whose fields an MTA gives one by one. Returns its length. */
static size_t feed_header(struct mg_mime *mime, const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && text[at] != '\r') {
		const char *colon = memchr(text + at, ':', length - at), *end = colon;

		do
			end = (const char *)memchr(end, '\n', length - (size_t)(end - text)) + 1;
		while (*end == ' ' || *end == '\t');
		mg_mime_header(mime, text + at, (size_t)(colon - text) - at, colon + 1,
			(size_t)(end - colon) - 1);
		at = (size_t)(end - text);
	}
	mg_mime_header_end(mime);
	return at + 2;
}

static void read_ours(const struct mg_buf *message)
{
	static const struct mg_mime_handler handler = {
		.begin = part, .content = content, .end = part};
	static _Alignas(max_align_t) unsigned char memory[128 * 1024];
	struct mg_mime *mime = mg_mime_init(memory, &handler, NULL, &mg_mime_bounds);
	size_t at = feed_header(mime, message->data, message->length), length;

	for (; at < message->length; at += length) {
		length = message->length - at < CHUNK ? message->length - at : CHUNK;
		mg_mime_body(mime, (const unsigned char *)message->data + at, length);
	}
	mg_mime_end(mime);
}

/* --- GMime --- */

#ifdef WITH_GMIME
static void decode_part(GMimeObject *parent, GMimeObject *one, gpointer context)
{
	GMimeDataWrapper *data;

	(void)parent;
	if (!GMIME_IS_PART(one))
		return;
	data = g_mime_part_get_content(GMIME_PART(one));
	if (data != NULL)
		g_mime_data_wrapper_write_to_stream(data, context);
}

static void read_gmime(const struct mg_buf *message)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GMimeStream *null = g_mime_stream_null_new();
	GMimeParser *parser;
	GMimeMessage *parsed;
	GByteArray bytes = {.data = (guint8 *)message->data, .len = (guint)message->length};

	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), &bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	parser = g_mime_parser_new_with_stream(stream);
	parsed = g_mime_parser_construct_message(parser, NULL);
	if (parsed != NULL) {
		g_mime_message_foreach(parsed, decode_part, null);
		g_object_unref(parsed);
	}
	g_object_unref(parser);
	g_object_unref(null);
	g_object_unref(stream);
}
#endif

/* --- measuring --- */

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void measure(
	const struct mg_buf *message, void (*read)(const struct mg_buf *message), double enough)
{
	double begin, seconds;
	unsigned long long times = 0;
	size_t before = in_use;

	most_in_use = in_use;
	begin = cpu_seconds();
	do {
		/* The clock costs as much as a small message. */
		for (size_t done = 0; done < BATCH; done += message->length, times++)
			read(message);
		seconds = cpu_seconds() - begin;
	} while (seconds < enough);
	printf("{\"bytes\": %zu, \"times\": %llu, \"seconds\": %.9f, \"heap\": %zu}\n",
		message->length, times, seconds, most_in_use - before);
}

static const struct mime_kind *find_kind(const char *name)
{
	for (const struct mime_kind *kind = mime_kinds; kind->name != NULL; kind++)
		if (strcmp(kind->name, name) == 0)
			return kind;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct mime_kind *kind = argc > 2 ? find_kind(argv[1]) : NULL;
	double enough = argc > 3 ? atof(argv[3]) : 0;
	struct mg_buf message = {.limit = 0};

	if (argc == 1) {
		for (kind = mime_kinds; kind->name != NULL; kind++)
			printf("%s\n", kind->name);
		return 0;
	}
	if (kind == NULL) {
		fprintf(stderr, "usage: mime KIND millgate|gmime [SECONDS]\n");
		return 64;
	}
	kind->make(&message);
	if (message.failed)
		return 1;
	if (strcmp(argv[2], "millgate") == 0) {
		measure(&message, read_ours, enough);
	} else {
#ifdef WITH_GMIME
		g_mime_init();
		read_gmime(&message);
		measure(&message, read_gmime, enough);
#else
		printf("null\n");
#endif
	}
	mg_buf_free(&message);
	return 0;
}
