/* SPDX-License-Identifier: ISC */
/* message: a message of a file or of standard input. */
#ifndef MG_CLI_MESSAGE_H
#define MG_CLI_MESSAGE_H
#include "cli/command.h"
#include "mail/letter.h"

/* Reads it; path "-" is standard input. CLI_GOOD, or another exit code after it said why: no such
 * file, no message, over 1 GiB. Free letter (mg_letter_free) in either case. */
enum cli_exit cli_message_read(
	const struct cli_call *call, const char *path, struct mg_letter *letter);
#endif
