/* SPDX-License-Identifier: ISC */
/* told_macros: the macros that the MTA told on a connection, each with the stage it was told for. A
 * stage's stay until the stage comes again or an earlier command is given, as in libmilter. */
#ifndef MG_RUN_TOLD_MACROS_H
#define MG_RUN_TOLD_MACROS_H
#include "base/buf.h"
#include "run/wire.h"

struct mg_told_macro;

/* What was told for a stage. */
struct mg_told_stage {
	struct mg_buf text; /* name NUL value NUL … */
	struct mg_told_macro *list; /* its names and values, into text */
	size_t count, room;
};

struct mg_told_macros {
	struct mg_told_stage stages[MG_WIRE_STAGE_COUNT]; /* by enum mg_wire_stage */
};

void mg_told_macros_init(struct mg_told_macros *told);
void mg_told_macros_free(struct mg_told_macros *told);
/* A packet of macros. One that is malformed, or for no stage, tells nothing. */
void mg_told_macros_take(struct mg_told_macros *told, const struct mg_packet *packet);
/* Before the command is carried out: forgets what was told for later stages, all for QUIT_NEW and
 * negotiation. */
void mg_told_macros_begin(struct mg_told_macros *told, char command);
/* The value told for the latest stage; NULL: not told. A name of one letter may have braces. Valid
 * until the next packet. */
const char *mg_told_macros_find(const struct mg_told_macros *told, const char *name);
#endif
