/* SPDX-License-Identifier: ISC */
/* dkim_canon_bodies: random bodies for tests of canonical forms, the same in every run. */
#ifndef MG_T_UNIT_DKIM_CANON_BODIES_H
#define MG_T_UNIT_DKIM_CANON_BODIES_H
#include <stddef.h>

/* A number from 0 on, below the limit. */
size_t dkim_canon_random_below(size_t limit);
/* Fills body with text of the pieces that matter: white space, line ends whole and half, usual and
 * long lines. At most size bytes; returns how many. */
size_t dkim_canon_random_body(char *body, size_t size);
#endif
