/* SPDX-License-Identifier: ISC */
#include "mail/file_zip.h"

#include <string.h>

enum { LOCAL_HEADER = 30 /* bytes before the name */ };

/* ODF and EPUB: the first member is "mimetype", not compressed, and says it. */
static const char *const said[] = {
	"application/epub+zip",
	"application/vnd.oasis.opendocument.text",
	"application/vnd.oasis.opendocument.text-template",
	"application/vnd.oasis.opendocument.text-master",
	"application/vnd.oasis.opendocument.text-web",
	"application/vnd.oasis.opendocument.spreadsheet",
	"application/vnd.oasis.opendocument.spreadsheet-template",
	"application/vnd.oasis.opendocument.presentation",
	"application/vnd.oasis.opendocument.presentation-template",
	"application/vnd.oasis.opendocument.graphics",
	"application/vnd.oasis.opendocument.graphics-template",
	"application/vnd.oasis.opendocument.chart",
	"application/vnd.oasis.opendocument.formula",
	"application/vnd.oasis.opendocument.image",
	"application/vnd.oasis.opendocument.base",
};

/* Else a name tells, the first in this order that is there. */
static const struct {
	const char *name;
	bool whole; /* the whole name, not its begin */
	const char *type;
} names[] = {
	{"xl/workbook.bin", true, "application/vnd.ms-excel.sheet.binary.macroenabled.12"},
	{"word/", false, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	{"xl/", false, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	{"ppt/", false,
		"application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	{"visio/", false, "application/vnd.ms-visio.drawing.main+xml"},
	{"AndroidManifest.xml", true, "application/vnd.android.package-archive"},
	{"META-INF/MANIFEST.MF", true, "application/java-archive"},
	{"AppxManifest.xml", true, "application/vnd.ms-appx"},
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* The length of the name of a member whose header is at `at`, cut at the end of the head. */
static size_t name_length(const struct mg_file_head *head, size_t at)
{
	size_t length = head->bytes[at + 26] | (size_t)head->bytes[at + 27] << 8;
	size_t left = head->length - at - LOCAL_HEADER;

	return length < left ? length : left;
}

static const char *by_mimetype(const struct mg_file_head *head)
{
	static const char member[] = "mimetype";
	size_t at = LOCAL_HEADER + sizeof(member) - 1, left;

	if (name_length(head, 0) != sizeof(member) - 1 ||
		memcmp(head->bytes + LOCAL_HEADER, member, sizeof(member) - 1) != 0)
		return NULL;
	at += head->bytes[28] | (size_t)head->bytes[29] << 8;
	left = at < head->length ? head->length - at : 0;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		size_t length = strlen(said[i]);

		/* The next header follows, or what stands behind the data. */
		if (left > length && memcmp(head->bytes + at, said[i], length) == 0 &&
			head->bytes[at + length] == 'P')
			return said[i];
	}
	return NULL;
}

const char *mg_file_zip(const struct mg_file_head *head)
{
	const unsigned char *at = head->bytes, *end = head->bytes + head->length;
	const char *type = head->length > LOCAL_HEADER ? by_mimetype(head) : NULL;
	size_t best = NAMES;

	/* Headers are looked for by their mark: what stands in them of sizes may come later. */
	while (type == NULL && at != NULL && end - at > LOCAL_HEADER) {
		size_t length = name_length(head, (size_t)(at - head->bytes));

		for (size_t i = 0; i < best; i++) {
			size_t wanted = strlen(names[i].name);

			if ((names[i].whole ? length == wanted : length >= wanted) &&
				memcmp(at + LOCAL_HEADER, names[i].name, wanted) == 0)
				best = i;
		}
		at = memmem(at + 4, (size_t)(end - at) - 4, "PK\3\4", 4);
	}
	if (type == NULL && best < NAMES)
		type = names[best].type;
	return type != NULL ? type : "application/zip";
}
