/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
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
