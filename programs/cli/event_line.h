/* SPDX-License-Identifier: ISC */
/* event_line: an event in one line, for `millgate events`. */
#ifndef MG_CLI_EVENT_LINE_H
#define MG_CLI_EVENT_LINE_H
#include "base/buf.h"
#include "cli/sheet.h"
#include "event/reading.h"

/* The word of an event ("bounced"), and its colour. */
const char *cli_event_word(const struct mg_reading *event, enum cli_color *color);
/* Adds its queue id, and what else there is to say. */
void cli_event_line(struct mg_buf *out, const struct mg_reading *event);
#endif
