/* SPDX-License-Identifier: ISC */
#include "dkim/dkim.h"
#include "run/daemon.h"

int main(int argc, char **argv)
{
	return mg_daemon((const struct mg_filter *[]){&mg_dkim_filter, NULL}, argc, argv);
}
