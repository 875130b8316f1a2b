/* SPDX-License-Identifier: ISC */
/* daemon: the main program of every milter daemon: options, start, and the way to everything else.
 * A daemon's main is its table of filters:
 *
 *	int main(int argc, char **argv)
 *	{
 *		return mg_daemon((const struct mg_filter *[]){&mg_log_filter, NULL}, argc, argv);
 *	}
 */
#ifndef MG_RUN_DAEMON_H
#define MG_RUN_DAEMON_H
#include "mail/filter.h"

/* Exit codes: those of the command, sysexits(3) where it failed itself. */
enum {
	MG_EXIT_GOOD = 0,
	MG_EXIT_LOOK = 1, /* --judge: held, deferred, discarded, or a recipient refused */
	MG_EXIT_BAD = 2, /* --verify: damaged or incomplete; --judge: rejected */
	MG_EXIT_USAGE = 64,
	MG_EXIT_DATA = 65, /* --judge: no message, or no case */
	MG_EXIT_NO_INPUT = 66,
	MG_EXIT_UNAVAILABLE = 69, /* the socket */
	MG_EXIT_IO = 74,
	MG_EXIT_CONFIG = 78
};

/* filters: one, ended by NULL; it gives the daemon its name. Returns the exit code. */
int mg_daemon(const struct mg_filter *const filters[], int argc, char **argv);
/* millgate-chain: of the filters built in, ended by NULL, those that its file names (run/chain.h).
 */
int mg_daemon_chain(const struct mg_filter *const built_in[], int argc, char **argv);
#endif
