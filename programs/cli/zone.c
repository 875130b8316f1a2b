/* SPDX-License-Identifier: ISC */
#include "cli/zone.h"

#include <string.h>

#include "base/str.h"

enum { STRING_MAX = 255, TTL = 3600 };

void cli_zone_name(char name[CLI_ZONE_NAME], const char *selector, const char *domain)
{
	mg_str_format(name, CLI_ZONE_NAME, "%s._domainkey.%s", selector, domain);
}

/* Octets of the first string: what is before p= has a line of its own. */
static size_t first_string(const char *text)
{
	const char *key = strstr(text, "p=");

	return key != NULL && key != text ? (size_t)(key - text) : strlen(text);
}

static void put_strings(FILE *stream, const char *text, size_t first, const char *between)
{
	size_t length = strlen(text), take = first < STRING_MAX ? first : STRING_MAX;

	for (size_t at = 0; at < length; at += take, take = STRING_MAX) {
		if (length - at < take)
			take = length - at;
		fprintf(stream, "%s\"%.*s\"", at > 0 ? between : "", (int)take, text + at);
	}
}

void cli_zone_lines(FILE *stream, const char *name, const char *text)
{
	fprintf(stream, "%s. %d IN TXT ( ", name, TTL);
	put_strings(stream, text, first_string(text), "\n  ");
	fputs(" )\n", stream);
}

void cli_zone_line(FILE *stream, const char *name, const char *text)
{
	fprintf(stream, "%s. %d IN TXT ", name, TTL);
	put_strings(stream, text, STRING_MAX, " ");
	fputc('\n', stream);
}
