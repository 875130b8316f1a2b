/* SPDX-License-Identifier: ISC */
#include "cli/postfix.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { DAYS = 5, LINE_MAX_BYTES = 64 * 1024 };

/* A time of main.cf: a number and s, m, h, d or w; -1: it is none. A number alone is days there. */
static int64_t time_value(const char *text)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400},
		{'\0', 86400}, {'\n', 86400}};
	char *end;
	long number = strtol(text, &end, 10);

	for (size_t i = 0; end > text && number >= 0 && i < sizeof(units) / sizeof(units[0]); i++)
		if (*end == units[i].unit && number < INT64_MAX / MG_SECOND / units[i].seconds)
			return number * units[i].seconds * MG_SECOND;
	return -1;
}

int64_t cli_postfix_lifetime(void)
{
	FILE *stream =
		popen("postconf -h maximal_queue_lifetime bounce_queue_lifetime 2>/dev/null", "re");
	int64_t longest = -1;
	char line[128];

	while (stream != NULL && fgets(line, sizeof(line), stream) != NULL)
		if (time_value(line) > longest)
			longest = time_value(line);
	if (stream != NULL)
		pclose(stream);
	return longest >= 0 ? longest : DAYS * 86400 * MG_SECOND;
}

/* The number behind "arrival_time": of a line of postqueue -j; -1 without. */
static int64_t arrival(const char *line)
{
	static const char mark[] = "\"arrival_time\": ";
	const char *found = strstr(line, mark);

	return found != NULL ? strtol(found + strlen(mark), NULL, 10) : -1;
}

int64_t cli_postfix_held_before(int64_t utc)
{
	FILE *stream = popen("postqueue -j 2>/dev/null", "re");
	char *line = malloc(LINE_MAX_BYTES);
	bool whole = true; /* the begin of a line: a longer one comes in pieces */
	int64_t held = 0;
	int status;

	while (stream != NULL && line != NULL && fgets(line, LINE_MAX_BYTES, stream) != NULL) {
		if (whole && strncmp(line, "{\"queue_name\": \"hold\"", 21) == 0 &&
			arrival(line) >= 0 && arrival(line) < utc / MG_SECOND)
			held++;
		whole = strchr(line, '\n') != NULL;
	}
	free(line);
	status = stream != NULL ? pclose(stream) : -1;
	return status == 0 ? held : -1;
}
