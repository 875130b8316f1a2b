/* SPDX-License-Identifier: ISC */
/* millgate-probe-chain: millgate-chain with one filter more to choose. */
#include "dkim/dkim.h"
#include "log/log.h"
#include "probe.h"
#include "run/daemon.h"

int main(int argc, char **argv)
{
	return mg_daemon_chain(
		(const struct mg_filter *[]){&probe_filter, &mg_dkim_filter, &mg_log_filter, NULL},
		argc, argv);
}
