/* SPDX-License-Identifier: ISC */
/* parallel: the same work for each of many things, on all processors. */
#ifndef MG_BASE_PARALLEL_H
#define MG_BASE_PARALLEL_H
#include <stddef.h>

/* Calls work(context, index) for each index below count, several at a time, and returns when all are
 * done; in this thread alone where no other can be had. */
void mg_parallel(size_t count, void (*work)(void *context, size_t index), void *context);
#endif
