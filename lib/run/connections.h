/* SPDX-License-Identifier: ISC */
/* connections: how many connections that came in by a listening socket this process has open. A
 * library that accepts in a thread of its own has some that it has told nobody of yet: who ends the
 * process must wait for them, too. Read from /proc/self/fd. */
#ifndef MG_RUN_CONNECTIONS_H
#define MG_RUN_CONNECTIONS_H

/* The number of connections accepted at the listening stream socket and not closed; 0 when that
 * cannot be told. Costs two system calls an open descriptor. */
int mg_connections_open(int listener);
#endif
