/* SPDX-License-Identifier: ISC */
/* watchdog: tells the service manager that a session can be served, as long as one can: by asking
 * the socket, as Postfix does. In a thread of its own. */
#ifndef MG_RUN_WATCHDOG_H
#define MG_RUN_WATCHDOG_H
#include "base/endpoint.h"

/* Begins, if the service manager has a watchdog (mg_notify_watchdog). endpoint: where the daemon
 * listens; listener: its descriptor, which tells the address of a socket that was passed on. 0, or
 * an error number. */
int mg_watchdog_start(const struct mg_endpoint *endpoint, int listener);
/* No note from now on; does not wait for a question that is under way. */
void mg_watchdog_stop(void);
#endif
