/* SPDX-License-Identifier: ISC */
/* mime_print FILE...: what mg_mime finds in each message, a line each, contents in hex:
 *
 *	file PATH
 *	leaf TYPE CONTENT CONTENT-TYPE
 *	text CONTENT		preambles, epilogues, fields of parts
 *	fact NAME
 *
 * Bodies are fed in chunks of changing size. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "mail/mime.h"
#include "mime_story.h"

enum { STEP = 4093 };

/* The parts that are open: leaves have content, others text. */
struct printer {
	struct mg_buf leaf, text;
};

static void print_hex(const char *bytes, size_t length)
{
	char *hex = malloc(2 * length + 1);

	if (hex == NULL)
		abort();
	mg_str_hex(hex, bytes, length);
	printf(" %s", hex);
	free(hex);
}

static void begin(void *context, const struct mg_mime_part *part)
{
	(void)context;
	(void)part;
}

static void field(void *context, const struct mg_mime_part *part, const char *name,
	size_t name_length, const char *value, size_t value_length)
{
	struct printer *printer = context;

	(void)part;
	mg_buf_add(&printer->text, name, name_length);
	mg_buf_add_text(&printer->text, ": ");
	mg_buf_add(&printer->text, value, value_length);
	mg_buf_add_text(&printer->text, "\n");
}

static void content(void *context, const struct mg_mime_part *part, enum mg_mime_content kind,
	const unsigned char *bytes, size_t length)
{
	struct printer *printer = context;

	(void)part;
	mg_buf_add(kind == MG_MIME_LEAF ? &printer->leaf : &printer->text, bytes, length);
}

static void end(void *context, const struct mg_mime_part *part)
{
	struct printer *printer = context;

	if (part->container)
		return;
	printf("leaf %s", part->type);
	print_hex(mg_buf_text(&printer->leaf), printer->leaf.length);
	print_hex(part->content_type, part->content_type_length);
	printf("\n");
	mg_buf_reset(&printer->leaf);
}

static void print_file(const char *path)
{
	static const struct mg_mime_handler handler = {begin, content, end, field};
	struct printer printer = {.leaf = {.limit = 0}, .text = {.limit = 0}};
	struct mg_buf message = {.limit = 0};
	FILE *file = fopen(path, "re");
	char piece[4096];
	size_t length;
	unsigned facts;

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	while ((length = fread(piece, 1, sizeof(piece), file)) > 0)
		mg_buf_add(&message, piece, length);
	fclose(file);
	printf("file %s\n", path);
	facts = mime_feed(mg_buf_text(&message), message.length, 0, STEP, &handler, &printer,
		&mg_mime_bounds);
	printf("text");
	print_hex(mg_buf_text(&printer.text), printer.text.length);
	printf("\n");
	for (unsigned fact = 1; fact != 0; fact <<= 1)
		if ((facts & fact) != 0)
			printf("fact %s\n", mg_mime_fact_name(fact));
	mg_buf_free(&message);
	mg_buf_free(&printer.leaf);
	mg_buf_free(&printer.text);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		print_file(argv[i]);
	return 0;
}
