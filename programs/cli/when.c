/* SPDX-License-Identifier: ISC */
#include "cli/when.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/screen.h"

bool cli_when_span(const char *text, int64_t *span)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	size_t length = strlen(text);
	char digits[12];
	uint64_t number;

	if (length < 2 || length > sizeof(digits))
		return false;
	memcpy(digits, text, length - 1);
	digits[length - 1] = '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].unit == text[length - 1] &&
			mg_str_number(digits, (uint64_t)(INT64_MAX / MG_SECOND / units[i].seconds),
				&number)) {
			*span = (int64_t)number * units[i].seconds * MG_SECOND;
			return true;
		}
	return false;
}

const char *cli_when_say(int64_t span, unsigned units, char *target)
{
	static const struct {
		char unit;
		int64_t seconds;
	} steps[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	enum { STEPS = sizeof(steps) / sizeof(steps[0]) };
	int64_t left = span > 0 ? span / MG_SECOND : 0;
	size_t first = 0;
	int length;

	while (first + 1 < STEPS && left < steps[first].seconds)
		first++;
	length = snprintf(target, CLI_SPAN_MAX, "%" PRId64 "%c", left / steps[first].seconds,
		steps[first].unit);
	left %= steps[first].seconds;
	if (units > 1 && first + 1 < STEPS && left >= steps[first + 1].seconds)
		snprintf(target + length, (size_t)(CLI_SPAN_MAX - length), " %" PRId64 "%c",
			left / steps[first + 1].seconds, steps[first + 1].unit);
	return target;
}

/* A date, a time of day, or both, without offset. */
static bool read_local(const struct cli_call *call, const char *text, int64_t now, int64_t *utc)
{
	static const struct {
		const char *format;
		bool date;
	} forms[] = {{"%Y-%m-%d", true}, {"%Y-%m-%d %H:%M", true}, {"%Y-%m-%d %H:%M:%S", true},
		{"%Y-%m-%dT%H:%M", true}, {"%Y-%m-%dT%H:%M:%S", true}, {"%H:%M", false},
		{"%H:%M:%S", false}};
	time_t seconds = (time_t)(now / MG_SECOND);

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm parts;
		const char *end;

		cli_screen_break_down(call, seconds, &parts);
		parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
		parts.tm_isdst = -1;
		end = strptime(text, forms[i].format, &parts);
		if (end == NULL || *end != '\0')
			continue;
		*utc = cli_screen_utc(call, &parts);
		if (!forms[i].date && *utc > now) {
			parts.tm_mday--;
			parts.tm_isdst = -1;
			*utc = cli_screen_utc(call, &parts);
		}
		return true;
	}
	return false;
}

bool cli_when(const struct cli_call *call, const char *text, int64_t now, int64_t *utc)
{
	int64_t span;

	if (cli_when_span(text, &span)) {
		*utc = span < now ? now - span : 0;
		return true;
	}
	return mg_clock_parse(text, utc) || read_local(call, text, now, utc);
}

enum cli_exit cli_when_option(
	const struct cli_call *call, const char *option, int64_t now, int64_t *utc)
{
	const char *text = cli_value(call, option);
	char shown[64];

	if (cli_when(call, text, now, utc))
		return CLI_GOOD;
	return (enum cli_exit)cli_fail(call, CLI_USAGE,
		"--%s \"%s\"; expected 2h, 3d, 09:00, 2026-11-24, or RFC 3339", option,
		mg_str_printable(shown, sizeof(shown), text, strlen(text)));
}
