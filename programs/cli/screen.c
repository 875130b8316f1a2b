/* SPDX-License-Identifier: ISC */
#include "cli/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

enum { QUOTED_CHARACTERS = 200 };

bool cli_screen_color(const struct cli_call *call)
{
	const char *no_color = getenv("NO_COLOR");

	return !call->no_color && (no_color == NULL || *no_color == '\0') && isatty(STDOUT_FILENO);
}

/* The bytes of the first characters. */
static size_t first_characters(const char *text, size_t length, size_t most)
{
	size_t at = 0;

	for (size_t count = 0; count < most && at < length; count++) {
		size_t bytes = mg_str_utf8_length(text + at, length - at);

		at += bytes > 0 ? bytes : 1;
	}
	return at;
}

const char *cli_screen_quoted(char *target, const char *text, size_t length)
{
	char inner[4 * QUOTED_CHARACTERS + 1];
	size_t shown = first_characters(text, length, QUOTED_CHARACTERS);

	mg_str_printable(inner, sizeof(inner), text, shown);
	snprintf(target, CLI_QUOTED_MAX, "\"%s%s\"", inner, shown < length ? "…" : "");
	return target;
}

void cli_screen_break_down(const struct cli_call *call, time_t seconds, struct tm *parts)
{
	if (call->utc)
		gmtime_r(&seconds, parts);
	else
		localtime_r(&seconds, parts);
}

int64_t cli_screen_utc(const struct cli_call *call, struct tm *parts)
{
	return (int64_t)(call->utc ? timegm(parts) : mktime(parts)) * MG_SECOND;
}

const char *cli_screen_time(const struct cli_call *call, int64_t utc, char *target)
{
	struct tm parts;
	long offset;

	cli_screen_break_down(call, (time_t)(utc / MG_SECOND), &parts);
	offset = parts.tm_gmtoff / 60;
	mg_str_format(target, CLI_TIME_MAX, "%04d-%02d-%02d %02d:%02d %c%02ld:%02ld",
		parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
		offset < 0 ? '-' : '+', labs(offset) / 60, labs(offset) % 60);
	return target;
}

int64_t cli_screen_midnight(const struct cli_call *call, int64_t utc)
{
	struct tm parts;

	cli_screen_break_down(call, (time_t)(utc / MG_SECOND), &parts);
	parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
	parts.tm_isdst = -1;
	return cli_screen_utc(call, &parts);
}
