/* SPDX-License-Identifier: ISC */
/* mime_messages: messages that the bench of MIME reads, made anew each time: five kinds that are usual,
 * and those that a stranger makes to cost much. */
#ifndef MG_T_BENCH_MIME_MESSAGES_H
#define MG_T_BENCH_MIME_MESSAGES_H
#include "base/buf.h"

/* A kind of message: its name, and what adds it. */
struct mime_kind {
	const char *name;
	void (*make)(struct mg_buf *message);
};
/* The table, ended by a NULL name. */
extern const struct mime_kind mime_kinds[];
#endif
