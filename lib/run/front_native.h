/* SPDX-License-Identifier: ISC */
/* front_native: the engine "native": speaks milter protocol 6 itself, a thread a connection, so
 * that a callback that waits holds up its own session alone. Buffers are read whole, an answer is
 * one write.
 *
 * Bounds: bounds.connections at a time, one more is closed at once; negotiation within 10 s, a
 * packet that has begun within 60 s, a connection without a packet for 2 h ends; packets up to
 * MG_WIRE_PACKET_MAX. Threads share the host alone, whose members say how. */
#ifndef MG_RUN_FRONT_NATIVE_H
#define MG_RUN_FRONT_NATIVE_H
#include "run/front.h"

extern const struct mg_engine mg_engine_native;
#endif
