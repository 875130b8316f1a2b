/* SPDX-License-Identifier: ISC */
/* auth: `millgate auth`: who fails to log in, from the events of millgate-track and millgate-log. */
#ifndef MG_CLI_AUTH_H
#define MG_CLI_AUTH_H
#include "cli/command.h"

/* 0 nobody, 1 only networks that guess and clients without a name, 2 users, 3 the user asked for is not
 * known. */
int cli_auth(const struct cli_call *call);
#endif
