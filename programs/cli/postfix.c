/* SPDX-License-Identifier: ISC */
#include "cli/postfix.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/child.h"

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
	static const char *const postconf[] = {
		"postconf", "-h", "maximal_queue_lifetime", "bounce_queue_lifetime", NULL};
	struct cli_child child;
	int64_t longest = -1;
	char line[128];

	if (cli_child_start(&child, postconf)) {
		while (fgets(line, sizeof(line), child.output) != NULL)
			if (time_value(line) > longest)
				longest = time_value(line);
		cli_child_end(&child);
	}
	return longest >= 0 ? longest : DAYS * 86400 * MG_SECOND;
}

int64_t cli_postfix_next_try(int64_t came, int64_t tried)
{
	static const char *const postconf[] = {
		"postconf", "-h", "minimal_backoff_time", "maximal_backoff_time", NULL};
	int64_t bounds[] = {300 * MG_SECOND, 4000 * MG_SECOND}, wait = tried - came;
	struct cli_child child;
	char line[128];

	if (cli_child_start(&child, postconf)) {
		for (size_t i = 0; i < 2 && fgets(line, sizeof(line), child.output) != NULL; i++)
			if (time_value(line) > 0)
				bounds[i] = time_value(line);
		cli_child_end(&child);
	}
	wait = wait < bounds[1] ? wait : bounds[1];
	return tried + (wait > bounds[0] ? wait : bounds[0]);
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
	static const char *const postqueue[] = {"postqueue", "-j", NULL};
	struct cli_child child;
	char *line = malloc(LINE_MAX_BYTES);
	bool whole = true; /* the begin of a line: a longer one comes in pieces */
	int64_t held = 0;

	if (line == NULL || !cli_child_start(&child, postqueue)) {
		free(line);
		return -1;
	}
	while (fgets(line, LINE_MAX_BYTES, child.output) != NULL) {
		if (whole && strncmp(line, "{\"queue_name\": \"hold\"", 21) == 0 &&
			arrival(line) >= 0 && arrival(line) < utc / MG_SECOND)
			held++;
		whole = strchr(line, '\n') != NULL;
	}
	free(line);
	return cli_child_end(&child) == 0 ? held : -1;
}
