/* SPDX-License-Identifier: ISC */
/* cut: a message as text, LF or CRLF, cut into the steps that Postfix makes of it: fields, end of
 * header, body with CRLF. */
#ifndef MG_RUN_CUT_H
#define MG_RUN_CUT_H
#include <stdbool.h>
#include <stddef.h>

/* Takes the steps. false ends the message there: no further step is taken. */
struct mg_cut {
	/* value: what follows the colon, folds as LF; both end at a NUL, as in the protocol. */
	bool (*header)(void *context, const char *name, const char *value);
	bool (*eoh)(void *context);
	bool (*body)(void *context, const char *chunk, size_t length);
	/* Bytes of the next body chunk; out of range is the most there may be. */
	size_t (*chunk)(void *context);
	void *context;
};

/* The header ends before the first line that is no field: an empty one is not part of the body.
 * false: no memory. */
bool mg_cut_message(const struct mg_cut *cut, const char *message, size_t length);
#endif
