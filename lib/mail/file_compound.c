/* SPDX-License-Identifier: ISC */
#include "mail/file_compound.h"

#include <string.h>

enum {
	DIRECTORY_SECTOR = 48, /* where the header says which sector the directory begins in */
	SECTOR_SHIFT = 30,
	CLASS = 80 /* of an entry of the directory; the root is the first */
};

static const char mark[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

#define WORD "application/msword"
#define EXCEL "application/vnd.ms-excel"
#define POWERPOINT "application/vnd.ms-powerpoint"
#define OUTLOOK "application/vnd.ms-outlook"

static const struct {
	const char class[MG_FILE_COMPOUND_CLASS + 1], *type;
} classes[] = {
	{"\x06\x09\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", WORD},
	{"\x00\x09\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", WORD},
	{"\x20\x08\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", EXCEL},
	{"\x10\x08\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", EXCEL},
	{"\x10\x8d\x81\x64\x9b\x4f\xcf\x11\x86\xea\0\xaa\0\xb9\x29\xe8", POWERPOINT},
	{"\x0b\x0d\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", OUTLOOK},
	{"\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", "application/x-msi"},
	{"\x86\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", "application/x-msi"},
	{"\x14\x1a\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", "application/vnd.visio"},
};

/* Names of streams, in UTF-16. */
#define WIDE(text) text, sizeof(text) - 1
static const struct {
	const char *name;
	size_t length;
	const char *type;
} streams[] = {
	{WIDE("W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0"), WORD},
	{WIDE("W\0o\0r\0k\0b\0o\0o\0k\0"), EXCEL},
	{WIDE("P\0o\0w\0e\0r\0P\0o\0i\0n\0t\0"), POWERPOINT},
	{WIDE("_\0_\0n\0a\0m\0e\0i\0d\0"), OUTLOOK},
	{WIDE("E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"), "application/encrypted"},
};

uint64_t mg_file_compound_class(const unsigned char *header)
{
	const unsigned char *sector = header + DIRECTORY_SECTOR;
	uint64_t number = sector[0] | (uint64_t)sector[1] << 8 | (uint64_t)sector[2] << 16 |
			  (uint64_t)sector[3] << 24;

	if (memcmp(header, mark, sizeof(mark) - 1) != 0)
		return 0;
	/* Sectors of 512 or 4,096 bytes; the header takes the place of one. */
	return (number + 1) * (header[SECTOR_SHIFT] == 12 ? 4096 : 512) + CLASS;
}

const char *mg_file_compound(const struct mg_file_head *head, const unsigned char *class)
{
	if (head->length < sizeof(mark) - 1 || memcmp(head->bytes, mark, sizeof(mark) - 1) != 0)
		return NULL;
	for (size_t i = 0; class != NULL && i < sizeof(classes) / sizeof(classes[0]); i++)
		if (memcmp(class, classes[i].class, MG_FILE_COMPOUND_CLASS) == 0)
			return classes[i].type;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		if (memmem(head->bytes, head->length, streams[i].name, streams[i].length) != NULL)
			return streams[i].type;
	return "application/x-ole-storage";
}
