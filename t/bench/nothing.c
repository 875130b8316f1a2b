/* SPDX-License-Identifier: ISC */
/* millgate-nothing: a filter that is told everything of a message and does nothing with it: what a
 * daemon costs before its filter does any work. */
#include "run/daemon.h"

static void nothing_body(struct mg_call *call, const unsigned char *chunk, size_t length)
{
	(void)call;
	(void)chunk;
	(void)length;
}

static void nothing_eom(struct mg_call *call, struct mg_verdict *verdict)
{
	(void)call;
	(void)verdict;
}

static const struct mg_filter nothing = {
	.name = "nothing", .body = nothing_body, .eom = nothing_eom};

int main(int argc, char **argv)
{
	return mg_daemon((const struct mg_filter *[]){&nothing, NULL}, argc, argv);
}
