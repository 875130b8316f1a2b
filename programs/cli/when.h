/* SPDX-License-Identifier: ISC */
/* when: the time an operator names: --since, --until. */
#ifndef MG_CLI_WHEN_H
#define MG_CLI_WHEN_H
#include <stdbool.h>
#include <stdint.h>

#include "cli/command.h"

/* How long ago or how long: "90s", "10m", "2h", "3d", "1w"; ns. */
bool cli_when_span(const char *text, int64_t *span);
/* The other way round, the largest unit, or the two largest: "2d", "2d 4h", "19m"; from days on the
 * smaller one is hours. Into target, of CLI_SPAN_MAX bytes; returns it. */
enum { CLI_SPAN_MAX = 32 };
const char *cli_when_say(int64_t span, unsigned units, char *target);
/* "2h" (ago), "09:00" (the last one), "2026-11-24", "2026-11-24 09:00", RFC 3339; where no offset is
 * said, local time, or UTC as the call says. UTC ns. */
bool cli_when(const struct cli_call *call, const char *text, int64_t now, int64_t *utc);
/* The value of the option, or its default; CLI_GOOD, or CLI_USAGE after it said what is wrong. */
enum cli_exit cli_when_option(
	const struct cli_call *call, const char *option, int64_t now, int64_t *utc);
#endif
