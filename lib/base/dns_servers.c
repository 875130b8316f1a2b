/* SPDX-License-Identifier: ISC */
#include "base/dns_servers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/net.h"
#include "base/str.h"

enum { PORT_MAX = 65535, SERVER_SIZE = 80, SERVERS_MAX = 3, LINE_SIZE = 512 };

/* The interface behind "%", which only an IPv6 address has. */
static bool is_interface(const char *address, const char *name)
{
	for (const char *at = name; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && strchr("-_.:", *at) == NULL)
			return false;
	return name[0] != '\0' && strchr(address, ':') != NULL;
}

bool mg_dns_server_is(const char *text)
{
	char address[SERVER_SIZE], *at, *interface;
	struct sockaddr_storage parsed;
	uint64_t port = 53;

	if (!mg_str_copy(address, sizeof address, text) || mg_str_starts_nocase(text, "IPv6:"))
		return false;
	at = strchr(address, '@');
	if (at != NULL) {
		*at = '\0';
		if (!mg_str_number(at + 1, PORT_MAX, &port) || port == 0)
			return false;
	}
	interface = strchr(address, '%');
	if (interface != NULL) {
		*interface = '\0';
		if (!is_interface(address, interface + 1))
			return false;
	}
	return mg_net_parse(address, 0, &parsed);
}

/* The texts, each ended by NUL, as a list. */
static char **make_list(const struct mg_buf *texts, size_t count)
{
	char **list = texts->failed ? NULL : malloc((count + 1) * sizeof *list + texts->length);
	char *text;

	if (list == NULL)
		return NULL;
	text = (char *)&list[count + 1];
	memcpy(text, mg_buf_text(texts), texts->length);
	for (size_t i = 0; i < count; i++) {
		list[i] = text;
		text += strlen(text) + 1;
	}
	list[count] = NULL;
	return list;
}

static void add(struct mg_buf *texts, const char *text)
{
	mg_buf_add(texts, text, strlen(text) + 1);
}

/* Adds the name servers of a file; how many. */
static size_t read_file(const char *path, struct mg_buf *texts)
{
	FILE *file = fopen(path, "re");
	char line[LINE_SIZE], address[SERVER_SIZE];
	size_t count = 0;

	if (file == NULL)
		return 0;
	while (count < SERVERS_MAX && fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "nameserver %79s", address) == 1 && mg_dns_server_is(address) &&
			strchr(address, '@') == NULL) {
			add(texts, address);
			count++;
		}
	fclose(file);
	return count;
}

char **mg_dns_servers(const char *const entries[], size_t count, const char *path)
{
	struct mg_buf texts = {0};
	char **list;

	for (size_t i = 0; i < count; i++)
		add(&texts, entries[i]);
	if (count == 0)
		count = read_file(path, &texts);
	if (count == 0) {
		add(&texts, "127.0.0.1");
		count = 1;
	}
	list = make_list(&texts, count);
	mg_buf_free(&texts);
	return list;
}
