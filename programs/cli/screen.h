/* SPDX-License-Identifier: ISC */
/* screen: how an answer is shown: colour, the text of strangers, and the time. */
#ifndef MG_CLI_SCREEN_H
#define MG_CLI_SCREEN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "cli/command.h"

/* Colour is for a terminal, without NO_COLOR and --no-color. */
bool cli_screen_color(const struct cli_call *call);
/* Bytes of a text shown of a stranger, the quotes and escapes included. */
enum { CLI_QUOTED_MAX = 4 * 200 + 8 };
/* The text of a stranger in "quotes": control bytes as \xNN, 200 characters at most. Returns target,
 * of CLI_QUOTED_MAX bytes. */
const char *cli_screen_quoted(char *target, const char *text, size_t length);
/* "2026-11-24 12:49 +01:00", local or UTC as the call says, into target of CLI_TIME_MAX bytes. */
enum { CLI_TIME_MAX = 40 };
const char *cli_screen_time(const struct cli_call *call, int64_t utc, char *target);
/* The begin of the day of a time, UTC ns. */
int64_t cli_screen_midnight(const struct cli_call *call, int64_t utc);
/* The parts of a time, and back (UTC ns), local or UTC as the call says. */
void cli_screen_break_down(const struct cli_call *call, time_t seconds, struct tm *parts);
int64_t cli_screen_utc(const struct cli_call *call, struct tm *parts);
#endif
