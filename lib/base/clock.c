/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	/* Cannot fail for the two clocks below (clock_gettime(2)). */
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * MG_SECOND + now.tv_nsec;
}

static int64_t system_utc(const struct mg_clock *clock)
{
	(void)clock;
	return read_clock(CLOCK_REALTIME);
}

static int64_t system_monotonic(const struct mg_clock *clock)
{
	(void)clock;
	return read_clock(CLOCK_MONOTONIC);
}

const struct mg_clock mg_clock_system = {.utc = system_utc, .monotonic = system_monotonic};

void mg_clock_format(char *text, size_t size, int64_t utc)
{
	int64_t seconds = utc / MG_SECOND, rest = utc % MG_SECOND;
	time_t time;
	struct tm parts;
	size_t length;

	if (rest < 0) {
		seconds--;
		rest += MG_SECOND;
	}
	time = (time_t)seconds;
	gmtime_r(&time, &parts);
	length = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + length, size - length, ".%06" PRId64 "Z", rest / 1000);
}

/* Reads as many digits as that; false when there is another character, or it is over maximum. */
static bool read_digits(const char **text, int digits, int maximum, int *number)
{
	*number = 0;
	for (int i = 0; i < digits; i++, ++*text) {
		if (**text < '0' || **text > '9')
			return false;
		*number = *number * 10 + (**text - '0');
	}
	return *number <= maximum;
}

static bool read_mark(const char **text, const char *marks)
{
	return **text != '\0' && strchr(marks, *(*text)++) != NULL;
}

static bool read_date(const char **text, struct tm *parts)
{
	return read_digits(text, 4, 2261, &parts->tm_year) && read_mark(text, "-") &&
	       read_digits(text, 2, 12, &parts->tm_mon) && read_mark(text, "-") &&
	       read_digits(text, 2, 31, &parts->tm_mday) && read_mark(text, "Tt ") &&
	       read_digits(text, 2, 23, &parts->tm_hour) && read_mark(text, ":") &&
	       read_digits(text, 2, 59, &parts->tm_min) && read_mark(text, ":") &&
	       read_digits(text, 2, 60, &parts->tm_sec) && parts->tm_year >= 1970 &&
	       parts->tm_mon >= 1 && parts->tm_mday >= 1;
}

/* ".5" is half a second; no fraction is none. */
static bool read_fraction(const char **text, int64_t *nanoseconds)
{
	int64_t unit = MG_SECOND;

	*nanoseconds = 0;
	if (**text != '.')
		return true;
	++*text;
	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		unit /= 10;
		*nanoseconds += (**text - '0') * unit;
	}
	return true;
}

/* "Z" or "+01:00", in seconds east of UTC. */
static bool read_offset(const char **text, int *offset)
{
	int sign = **text == '-' ? -1 : 1, hours = 0, minutes = 0;

	*offset = 0;
	if (**text == 'Z' || **text == 'z') {
		++*text;
		return true;
	}
	if (!read_mark(text, "+-") || !read_digits(text, 2, 23, &hours) || !read_mark(text, ":") ||
		!read_digits(text, 2, 59, &minutes))
		return false;
	*offset = sign * (hours * 60 + minutes) * 60;
	return true;
}

bool mg_clock_parse(const char *text, int64_t *utc)
{
	struct tm parts = {0};
	int64_t nanoseconds;
	int offset, day, second;

	if (!read_date(&text, &parts) || !read_fraction(&text, &nanoseconds) ||
		!read_offset(&text, &offset) || *text != '\0')
		return false;
	parts.tm_year -= 1900;
	parts.tm_mon--;
	day = parts.tm_mday;
	/* Apart, for a leap second is of the next day. */
	second = parts.tm_sec;
	parts.tm_sec = 0;
	*utc = ((int64_t)timegm(&parts) + second - offset) * MG_SECOND + nanoseconds;
	/* timegm makes 1 March of 29 February where there is none. */
	return parts.tm_mday == day;
}
