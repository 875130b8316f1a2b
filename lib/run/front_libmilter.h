/* SPDX-License-Identifier: ISC */
/* front_libmilter: the engine "libmilter": sendmail's library speaks the protocol, its callbacks
 * call the session. Hides libmilter, which is global to a process, so there is one front.
 *
 * Two habits of the library shape it (measured, Debian 12 and 13). Its listener looks for the end
 * only every 5 s, and then returns while callbacks still run and serves open sessions no more: so
 * accepting is stopped by putting another, silent socket in place of the listening descriptor
 * (dup2), while sessions go on, and the library is stopped only at the very end. And callbacks of
 * one session come on changing threads: nothing here is thread-local. */
#ifndef MG_RUN_FRONT_LIBMILTER_H
#define MG_RUN_FRONT_LIBMILTER_H
#include "run/front.h"

extern const struct mg_engine mg_engine_libmilter;
#endif
