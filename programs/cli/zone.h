/* SPDX-License-Identifier: ISC */
/* zone: a TXT record in the forms in which it is published: lines of a zone file (RFC 1035 section
 * 5.1), one line, its text. A string of it has 255 octets at most. */
#ifndef MG_CLI_ZONE_H
#define MG_CLI_ZONE_H
#include <stdio.h>

/* The record of the key of a selector: "s1._domainkey.example.org", into name. */
enum { CLI_ZONE_NAME = 64 + sizeof("._domainkey.") + 254 };
void cli_zone_name(char name[CLI_ZONE_NAME], const char *selector, const char *domain);

/* name: without a final dot. text: letters, digits and marks of ASCII but quotes and backslashes. */
void cli_zone_lines(FILE *stream, const char *name, const char *text);
void cli_zone_line(FILE *stream, const char *name, const char *text);
#endif
