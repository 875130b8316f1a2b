/* SPDX-License-Identifier: ISC */
/* order: which command of the milter protocol may follow which, for a front that speaks it. It is
 * libmilter's order, so that a peer out of step gets from both engines the same: what may not come
 * now ends the message under way and is taken when it may begin a message or greet anew, else it is
 * passed over without an answer. */
#ifndef MG_RUN_ORDER_H
#define MG_RUN_ORDER_H
#include <stdbool.h>
#include <stdint.h>

struct mg_order {
	int state; /* of the connection: the command taken last, as order.c numbers them */
	uint32_t declined; /* steps that are never sent, as their bits */
};

enum mg_order_taken {
	MG_ORDER_TAKEN,
	MG_ORDER_PASSED_OVER,
	MG_ORDER_UNKNOWN /* no command of the protocol */
};

/* A zeroed struct mg_order is a connection before negotiation. */
/* After negotiation; protocol: the MG_WIRE_NO_* agreed on. */
void mg_order_decline(struct mg_order *order, uint32_t protocol);
/* The next command; macros have no order and are not asked about here. *ends: the message under
 * way is over before it. */
enum mg_order_taken mg_order_take(struct mg_order *order, char command, bool *ends);
/* After an answer that nothing more of the message is wanted. */
void mg_order_finish(struct mg_order *order);
#endif
