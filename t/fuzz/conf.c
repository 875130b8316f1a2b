/* SPDX-License-Identifier: ISC */
/* The configuration language: an input is the main file, and behind each NUL another file, named
 * "a", "b" and on, that it may include. What loads must print as something that loads and prints
 * as the same. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MATCH_ROWS = 4 };

static const char *check_even(const char *text)
{
	return strlen(text) % 2 == 0 ? NULL : "expected an even number of bytes";
}

static const struct mg_option match_options[MATCH_ROWS] = {
	{.name = "w", .kind = MG_WORD, .value = "any", .words = "any|no|yes"},
	{.name = "n", .kind = MG_NETWORKS, .value = "{ }"},
	{.name = "not", .kind = MG_SECTION, .options = match_options},
};
static const struct mg_option section_options[] = {{.name = "k", .kind = MG_SIZE, .value = "1M"},
	{.name = "d", .kind = MG_DURATION, .value = "1d", .maximum = INT64_C(1) << 60},
	{.name = "m", .kind = MG_SECTION, .options = match_options},
	{.name = "s", .kind = MG_SECTIONS, .options = match_options}, {.name = NULL}};
static const struct mg_option options[] = {
	{.name = "t", .kind = MG_TEXT, .value = "", .check = check_even, .words = "ab|cd"},
	{.name = "b", .kind = MG_BOOL, .value = "yes"},
	{.name = "i", .kind = MG_NUMBER, .value = "0", .minimum = -5, .maximum = 500},
	{.name = "l", .kind = MG_LIST, .value = "{ \"x\" }", .help = "# a list"},
	{.name = "e", .kind = MG_SECTION, .options = section_options},
	{.name = "r", .kind = MG_SECTIONS, .options = section_options}, {.name = NULL}};
static const struct mg_option *const tables[] = {options, NULL};

/* The files of an input. */
struct input {
	const uint8_t *data;
	size_t size;
};

/* The index of the file that path names: "main" 0, "a" 1; -1 for others. */
static int index_of(const char *path)
{
	if (strcmp(path, "main") == 0)
		return 0;
	return path[0] >= 'a' && path[0] <= 'z' && path[1] == '\0' ? path[0] - 'a' + 1 : -1;
}

static bool read_input(void *argument, const char *path, size_t maximum, struct mg_textfile *file,
	struct mg_error *error)
{
	const struct input *input = argument;
	const uint8_t *start = input->data, *end = start + input->size, *stop;
	int index = index_of(path);

	for (int at = 0; start && at < index; at++) {
		start = memchr(start, '\0', (size_t)(end - start));
		start = start ? start + 1 : NULL;
	}
	if (!start || index < 0) {
		mg_error_set(error, "No such file or directory");
		return false;
	}
	stop = memchr(start, '\0', (size_t)(end - start));
	*file = (struct mg_textfile){
		.length = (size_t)((stop ? stop : end) - start), .inode = (ino_t)index + 1};
	assert(file->length <= maximum);
	file->data = malloc(file->length + 1);
	assert(file->data);
	memcpy(file->data, start, file->length);
	file->data[file->length] = '\0';
	return true;
}

static struct mg_conf *load(const void *text, size_t length, struct mg_errors *errors)
{
	struct input input = {.data = text, .size = length};
	const struct mg_conf_source source = {.read = read_input, .argument = &input};

	return mg_conf_load_from(&source, "main", tables, NULL, errors);
}

static char *print(const struct mg_conf *conf, size_t *length)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, length);

	assert(stream);
	mg_conf_print(conf, stream);
	fclose(stream);
	return text;
}

static void print_and_load(const struct mg_conf *conf)
{
	size_t length, length_again;
	char *text = print(conf, &length), *again;
	struct mg_errors errors = {0};
	struct mg_conf *second = load(text, length, &errors);

	/* Printed, settings that were left out count too: the bound on values may be met. */
	if (!second) {
		assert(errors.count == 1 && strstr(errors.list[0].text, "values"));
		mg_errors_clear(&errors);
		free(text);
		return;
	}
	again = print(second, &length_again);
	assert(length == length_again && memcmp(text, again, length) == 0);
	free(again);
	free(text);
	mg_conf_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t nothing[1];
	struct mg_errors errors = {0};
	struct mg_conf *conf = load(size > 0 ? data : nothing, size, &errors);

	assert((conf != NULL) == (errors.count == 0));
	if (conf)
		print_and_load(conf);
	mg_conf_free(conf);
	mg_errors_clear(&errors);
	return 0;
}
