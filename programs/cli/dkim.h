/* SPDX-License-Identifier: ISC */
/* dkim: millgate dkim FILE, the signatures of a message. */
#ifndef MG_CLI_DKIM_H
#define MG_CLI_DKIM_H
#include "cli/command.h"

int cli_dkim(const struct cli_call *call);
#endif
