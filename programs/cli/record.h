/* SPDX-License-Identifier: ISC */
/* record: operator.jsonl, the event log of what operators did. Who changes something opens it before
 * and writes what was done behind, so that nothing is done that cannot be recorded; one at a time
 * has it open, and others wait their turn. */
#ifndef MG_CLI_RECORD_H
#define MG_CLI_RECORD_H
#include "cli/command.h"
#include "cli/settings.h"
#include "mail/fields.h"

struct cli_record;

/* CLI_GOOD, or another exit code after it said why on standard error: no right to write there, the
 * turn did not come within 30 s, the disk. */
enum cli_exit cli_record_open(const struct cli_call *call, const struct cli_settings *settings,
	struct cli_record **record);
/* Begins the event "operator-acted" with the acting user and the command; reason: of --reason, or
 * NULL. The caller sets what it is about. NULL: no memory, told by the next. */
struct mg_event *cli_record_event(const struct cli_record *record, const char *reason);
/* Writes and frees it; CLI_GOOD, or CLI_FAILED after it said that the record is missing. */
enum cli_exit cli_record_write(struct cli_record *record, struct mg_event *event);
/* NULL is none. */
void cli_record_close(struct cli_record *record);
#endif
