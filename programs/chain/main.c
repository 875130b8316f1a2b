/* SPDX-License-Identifier: ISC */
#include "dkim/dkim.h"
#include "log/log.h"
#include "run/daemon.h"

int main(int argc, char **argv)
{
	return mg_daemon_chain(
		(const struct mg_filter *[]){&mg_dkim_filter, &mg_log_filter, NULL}, argc, argv);
}
