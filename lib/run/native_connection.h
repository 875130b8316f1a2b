/* SPDX-License-Identifier: ISC */
/* native_connection: one connection of the MTA, from its first byte to its end: milter protocol 6
 * over a session. Buffers are read whole, an answer is one write. A packet that is malformed ends
 * the connection; one that is out of order is treated as run/order.h says. */
#ifndef MG_RUN_NATIVE_CONNECTION_H
#define MG_RUN_NATIVE_CONNECTION_H
#include <stdbool.h>
#include <stdint.h>

#include "run/host.h"

/* How long a peer may take, ns. */
struct mg_native_timeouts {
	int64_t negotiation; /* until its first packet is whole */
	int64_t packet; /* to send the rest of a packet, or to read an answer */
	int64_t idle; /* between two packets */
};
extern const struct mg_native_timeouts mg_native_timeouts; /* 10 s, 60 s, 2 h */

/* Serves the stream socket fd, which it closes, until the connection is over. local: the peer is a
 * process of this machine, whose {millgate_test} is believed. */
void mg_native_serve(
	struct mg_host *host, int fd, bool local, const struct mg_native_timeouts *timeouts);
#endif
