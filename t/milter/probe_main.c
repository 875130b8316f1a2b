/* SPDX-License-Identifier: ISC */
/* millgate-probe. */
#include "probe.h"
#include "run/daemon.h"

int main(int argc, char **argv)
{
	return mg_daemon((const struct mg_filter *[]){&probe_filter, NULL}, argc, argv);
}
