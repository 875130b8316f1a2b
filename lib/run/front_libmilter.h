/* SPDX-License-Identifier: ISC */
/* front_libmilter: the engine "libmilter": sendmail's library speaks the protocol, its callbacks
 * call the session. Hides libmilter, which is global to a process, so there is one front.
 *
 * Habits of the library shape it (measured, Debian 12 and 13). Told to stop, it serves open
 * sessions no more; and it can be told only when its listener, which holds a lock, wakes from a
 * wait of up to 5 s. So it is never told: accepting is stopped by putting another, silent socket in
 * place of the listening descriptor (dup2), sessions go on, and the process ends when they have.
 * Callbacks of one session come on changing threads: nothing here is thread-local. */
#ifndef MG_RUN_FRONT_LIBMILTER_H
#define MG_RUN_FRONT_LIBMILTER_H
#include "run/front.h"

extern const struct mg_engine mg_engine_libmilter;
#endif
