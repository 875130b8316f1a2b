/* SPDX-License-Identifier: ISC */
/* tell: pieces of what is said of an event, added to a buffer for wrap.h. */
#ifndef MG_CLI_TELL_H
#define MG_CLI_TELL_H
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/command.h"
#include "event/reading.h"

/* Text of a stranger, in quotes; ours, and names and addresses, printable. */
void cli_tell_quote(struct mg_buf *out, const char *text);
void cli_tell_plain(struct mg_buf *out, const char *text);
/* "45.8 KB" */
void cli_tell_size(struct mg_buf *out, int64_t bytes);
/* "[payment-cards 5c09d7e2]" of an event, with a blank before; nothing without a code. */
void cli_tell_code(struct mg_buf *out, const struct mg_reading *event);
/* "mx.example.com[198.51.100.9]" of an event's destination. */
void cli_tell_host(struct mg_buf *out, const struct mg_reading *event);
/* "550 5.7.1 text" in quotes, of a refusal or, with prefix "millgate.delivery.reply", a delivery. */
void cli_tell_reply(struct mg_buf *out, const struct mg_reading *event, const char *prefix);
/* "12:49:23", local or UTC as the call says. */
void cli_tell_clock(
	const struct cli_call *call, struct mg_buf *out, int64_t utc, bool milliseconds);
#endif
