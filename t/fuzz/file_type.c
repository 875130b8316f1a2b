/* SPDX-License-Identifier: ISC */
/* The type of content is the same however it is cut. The first byte is the length of the pieces. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/file_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *type_of(struct mg_file_type *file, const uint8_t *data, size_t size, size_t cut)
{
	mg_file_type_init(file);
	/* What it need not read is not there to be read. */
	memset(file->head, 0xa5, sizeof(file->head));
	memset(file->late, 0xa5, sizeof(file->late));
	for (size_t at = 0; at < size; at += cut)
		mg_file_type_add(file, data + at, size - at < cut ? size - at : cut);
	return mg_file_type_name(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mg_file_type *file = malloc(sizeof(*file));
	const char *type;

	if (file == NULL || size == 0) {
		free(file);
		return 0;
	}
	type = type_of(file, data + 1, size - 1, size);
	assert(strchr(type, '/') != NULL);
	assert(type_of(file, data + 1, size - 1, (size_t)data[0] + 1) == type);
	free(file);
	return 0;
}
