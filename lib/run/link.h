/* SPDX-License-Identifier: ISC */
/* link: milter packets over a connected stream socket, with a deadline for each wait. What is put
 * is kept until mg_link_flush, so that several packets go out in one write. */
#ifndef MG_RUN_LINK_H
#define MG_RUN_LINK_H
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "run/wire.h"

struct mg_link {
	int fd; /* -1: closed */
	struct mg_buf out; /* what is to be sent; add packets by mg_wire_put */
	struct mg_buf in; /* what was read */
	size_t start; /* bytes of `in` that are done with */
	size_t taken; /* bytes behind them that are the packet given last */
	char saved; /* the byte behind them */
	int64_t patience; /* ns that recv(2) waits; 0: not set */
};

/* Takes over fd. */
void mg_link_open(struct mg_link *link, int fd);
void mg_link_close(struct mg_link *link);

/* Monotonic time, ns, that mg_link's deadlines are in. */
int64_t mg_link_now(void);

/* Sends what was put. -1 with error: memory, the deadline, or the connection; nothing is kept. */
int mg_link_flush(struct mg_link *link, int64_t deadline, struct mg_error *error);

/* The next packet: 1 (valid until the next call), 0 at the deadline, -1 when the connection ended
 * or the packet's length is 0 or over MG_WIRE_PACKET_MAX; with error unless 1. */
int mg_link_next(
	struct mg_link *link, int64_t deadline, struct mg_packet *packet, struct mg_error *error);
/* After mg_link_next gave 0: has a packet begun? */
bool mg_link_is_partial(const struct mg_link *link);
#endif
