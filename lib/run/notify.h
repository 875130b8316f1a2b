/* SPDX-License-Identifier: ISC */
/* notify: telling the service manager, sd_notify(3), without its library: a datagram to the socket
 * named in NOTIFY_SOCKET. */
#ifndef MG_RUN_NOTIFY_H
#define MG_RUN_NOTIFY_H
#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=…"; nothing where nobody asked. */
void mg_notify(const char *state);
/* Nanoseconds within which WATCHDOG=1 is expected again (WATCHDOG_USEC, WATCHDOG_PID); 0: no
 * watchdog. */
int64_t mg_notify_watchdog(void);
/* The first of the listening descriptors that the service manager passed on (LISTEN_FDS,
 * LISTEN_PID; sd_listen_fds(3)), -1 none. */
int mg_notify_listen_fd(void);
#endif
