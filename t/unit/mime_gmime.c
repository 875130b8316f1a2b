/* SPDX-License-Identifier: ISC */
/* mime_gmime FILE...: what GMime finds in each message, as mime_print does: the file, its leaves. */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>

static void print_leaf(GMimeObject *object, GMimeStream *decoded)
{
	char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(decoded));

	printf("leaf %s ", type);
	for (guint i = 0; i < bytes->len; i++)
		printf("%02x", bytes->data[i]);
	printf("\n");
	g_free(type);
}

static void print_object(GMimeObject *object)
{
	if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

		if (message != NULL && g_mime_message_get_mime_part(message) != NULL)
			print_object(g_mime_message_get_mime_part(message));
	} else if (GMIME_IS_MULTIPART(object)) {
		for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); i++)
			print_object(g_mime_multipart_get_part(GMIME_MULTIPART(object), i));
	} else if (GMIME_IS_PART(object)) {
		GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(object));
		GMimeStream *decoded = g_mime_stream_mem_new();

		if (content != NULL)
			g_mime_data_wrapper_write_to_stream(content, decoded);
		print_leaf(object, decoded);
		g_object_unref(decoded);
	}
}

static void print_file(const char *path)
{
	GMimeStream *stream = g_mime_stream_file_open(path, "r", NULL);
	GMimeParser *parser;
	GMimeMessage *message;

	if (stream == NULL) {
		perror(path);
		exit(1);
	}
	printf("file %s\n", path);
	parser = g_mime_parser_new_with_stream(stream);
	message = g_mime_parser_construct_message(parser, NULL);
	if (message != NULL && g_mime_message_get_mime_part(message) != NULL)
		print_object(g_mime_message_get_mime_part(message));
	if (message != NULL)
		g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
}

int main(int argc, char **argv)
{
	g_mime_init();
	for (int i = 1; i < argc; i++)
		print_file(argv[i]);
	g_mime_shutdown();
	return 0;
}
