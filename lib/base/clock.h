/* SPDX-License-Identifier: ISC */
/* clock: time in nanoseconds, injectable. Modules that look at time take a `const struct mg_clock
 * *`; daemons pass mg_clock_system, tests their own. */
#ifndef MG_BASE_CLOCK_H
#define MG_BASE_CLOCK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MG_SECOND INT64_C(1000000000)
#define MG_MILLISECOND INT64_C(1000000)

struct mg_clock {
	int64_t (*utc)(const struct mg_clock *); /* ns since 1970-01-01 UTC */
	int64_t (*monotonic)(const struct mg_clock *); /* ns since some point; never goes back */
};

extern const struct mg_clock mg_clock_system;

/* "2026-11-24T11:49:20.539112Z" (RFC 3339, microseconds) into text, size >= 28. */
void mg_clock_format(char *text, size_t size, int64_t utc);
/* The time of an RFC 3339 text, any offset and digits of the second (those after nanoseconds do not
 * count; a leap second is the next one), in the years 1970 to 2261. false: it is none. */
bool mg_clock_parse(const char *text, int64_t *utc);
#endif
