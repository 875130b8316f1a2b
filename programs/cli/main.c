/* SPDX-License-Identifier: ISC */
/* millgate: the operator's command, millgate(1). */
#include <stdio.h>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/usage.h"

/* What could not be written was not said. */
static int end_output(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("millgate: standard output");
	return CLI_FAILED;
}

int main(int argc, char **argv)
{
	struct cli_call call;
	enum cli_exit status;

	(void)argc;
	status = cli_call_read(&call, cli_commands, argv);
	if (status != CLI_GOOD)
		return status;
	if (call.version) {
		puts("millgate " PACKAGE_VERSION);
		return end_output(CLI_GOOD);
	}
	if (call.help) {
		cli_help_print(stdout, cli_commands, &call);
		return end_output(CLI_GOOD);
	}
	return end_output(call.command->run(&call));
}
