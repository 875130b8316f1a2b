/* SPDX-License-Identifier: ISC */
/* streams: what an MTA writes on a connection, as bytes that nobody answers: sessions of all kinds,
 * and sessions with mistakes in them. */
#ifndef T_MILTER_STREAMS_H
#define T_MILTER_STREAMS_H
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A session of one message, or of two alike; members that are NULL have defaults. */
struct stream {
	const char *client_name, *helo, *sender, *recipient;
	const char *field; /* value of a field X-Probe */
	const char *body;
	int messages; /* 0: one */
};

enum { STREAM_FULL_OFFER = 0x1fffff, STREAM_PACKETS_MAX = 256 };

/* Negotiation alone; the offer is that of Postfix 3.7 but for these protocol flags. */
void stream_negotiate(struct mg_buf *bytes, uint32_t protocol);
/* The whole session from negotiation to QUIT, without the steps that protocol declines. */
void stream_session(struct mg_buf *bytes, const struct stream *stream, uint32_t protocol);

/* Where the packets of the bytes begin and, last, where they end; what is no whole packet is left
 * out. Returns the number of packets. */
size_t stream_packets(const struct mg_buf *bytes, size_t begins[STREAM_PACKETS_MAX + 1]);

/* Pseudo-random numbers below `below`; the same from the same seed. */
size_t stream_random(uint64_t *seed, size_t below);
/* Makes one mistake: leaves out, repeats, moves, cuts, or changes a packet, or takes one of the
 * other session. */
void stream_mistake(struct mg_buf *bytes, const struct mg_buf *other, uint64_t *seed);

/* Why the two engines may differ on these bytes, which begin a connection; NULL: they may not.
 * protocol: what is negotiated with an MTA that offers all. */
const char *stream_difference(const struct mg_buf *bytes, uint32_t protocol);
#endif
