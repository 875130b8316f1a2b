/* SPDX-License-Identifier: ISC */
/* opendkim_verify RECORDS MESSAGE ...: what libopendkim says of the signatures of messages. RECORDS
 * has what DNS would answer, "NAME TEXT" a line; a MESSAGE is a file as it went over the wire, CRLF
 * line ends. A line a signature, from the top: "MESSAGE pass DOMAIN SELECTOR ALGORITHM", or "fail"
 * and why after them. Exit 1 when a message could not be looked at. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dkim.h>

static char *records; /* the file, a NUL at its end */

/* A whole file with a NUL behind it, or NULL. */
static char *read_file(const char *path, size_t *length)
{
	FILE *stream = fopen(path, "rb");
	char *content = NULL;
	long size;

	if (stream == NULL)
		return NULL;
	if (fseek(stream, 0, SEEK_END) == 0 && (size = ftell(stream)) >= 0 &&
		fseek(stream, 0, SEEK_SET) == 0 && (content = malloc((size_t)size + 1)) != NULL) {
		*length = fread(content, 1, (size_t)size, stream);
		content[*length] = '\0';
	}
	fclose(stream);
	return content;
}

/* The text of a name in `records`; NULL without. */
static const char *find_record(const char *name, size_t *length)
{
	size_t name_length = strlen(name);

	for (const char *line = records; line != NULL && *line != '\0';) {
		const char *end = strchr(line, '\n');

		if (strncasecmp(line, name, name_length) == 0 && line[name_length] == ' ') {
			line += name_length + 1;
			*length = end != NULL ? (size_t)(end - line) : strlen(line);
			return line;
		}
		line = end != NULL ? end + 1 : NULL;
	}
	return NULL;
}

static DKIM_CBSTAT look_up(DKIM *dkim, DKIM_SIGINFO *signature, u_char *buffer, size_t size)
{
	char name[600];
	size_t length;
	const char *text;

	(void)dkim;
	snprintf(name, sizeof(name), "%s._domainkey.%s",
		(const char *)dkim_sig_getselector(signature),
		(const char *)dkim_sig_getdomain(signature));
	text = find_record(name, &length);
	if (text == NULL || length >= size)
		return DKIM_CBSTAT_NOTFOUND;
	memcpy(buffer, text, length);
	buffer[length] = '\0';
	return DKIM_CBSTAT_CONTINUE;
}

/* Gives the header, a field at a time, up to the empty line; returns where the body begins. */
static char *give_header(DKIM *dkim, char *at)
{
	while (*at != '\0' && strncmp(at, "\r\n", 2) != 0) {
		char *end = strstr(at, "\r\n");

		while (end != NULL && (end[2] == ' ' || end[2] == '\t'))
			end = strstr(end + 2, "\r\n");
		if (end == NULL)
			return NULL;
		/* It takes what is a field and forgets what is none. */
		dkim_header(dkim, (u_char *)at, (size_t)(end - at));
		at = end + 2;
	}
	return *at != '\0' ? at + 2 : at;
}

static void print_signatures(DKIM *dkim, const char *path)
{
	DKIM_SIGINFO **signatures;
	int count = 0;

	if (dkim_getsiglist(dkim, &signatures, &count) != DKIM_STAT_OK)
		return;
	for (int i = 0; i < count; i++) {
		bool pass = DKIM_SIG_CHECK(signatures[i]);
		const char *why =
			dkim_sig_geterrorstr((DKIM_SIGERROR)dkim_sig_geterror(signatures[i]));

		if (!pass && dkim_sig_getbh(signatures[i]) == DKIM_SIGBH_MISMATCH)
			why = "the body is another";
		printf("%s %s %s %s %s%s%s\n", path, pass ? "pass" : "fail",
			(const char *)dkim_sig_getdomain(signatures[i]),
			(const char *)dkim_sig_getselector(signatures[i]),
			(const char *)dkim_sig_getalgorithm(signatures[i]), pass ? "" : " ",
			pass ? "" : why);
	}
}

static bool verify(DKIM_LIB *library, const char *path)
{
	DKIM_STAT status = DKIM_STAT_OK;
	DKIM *dkim = NULL;
	size_t length = 0;
	char *message = read_file(path, &length), *body;
	bool good = false;

	if (message == NULL ||
		(dkim = dkim_verify(library, (const unsigned char *)"test", NULL, &status)) == NULL)
		goto done;
	body = give_header(dkim, message);
	if (body == NULL)
		goto done;
	good = true;
	if (dkim_eoh(dkim) != DKIM_STAT_OK)
		goto done; /* no signature */
	if (body < message + length)
		dkim_body(dkim, (u_char *)body, (size_t)(message + length - body));
	dkim_eom(dkim, NULL);
	print_signatures(dkim, path);
done:
	if (!good)
		fprintf(stderr, "opendkim_verify: %s: cannot be looked at\n", path);
	if (dkim != NULL)
		dkim_free(dkim);
	free(message);
	return good;
}

int main(int argc, char **argv)
{
	DKIM_LIB *library;
	size_t length = 0;
	bool good = true;

	if (argc < 2) {
		fputs("usage: opendkim_verify RECORDS MESSAGE ...\n", stderr);
		return 64;
	}
	library = dkim_init(NULL, NULL);
	records = read_file(argv[1], &length);
	if (library == NULL || records == NULL) {
		fprintf(stderr, "opendkim_verify: %s: cannot be read\n", argv[1]);
		return 66;
	}
	dkim_set_key_lookup(library, look_up);
	for (int i = 2; i < argc; i++)
		good = verify(library, argv[i]) && good;
	dkim_close(library);
	free(records);
	return good ? 0 : 1;
}
