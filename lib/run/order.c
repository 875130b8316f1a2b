/* SPDX-License-Identifier: ISC */
#include "run/order.h"

#include <stddef.h>

#include "run/wire.h"

/* The command taken last; those of a message stand in their order. */
enum state {
	STATE_BEGIN,
	STATE_OPTIONS,
	STATE_CONNECT,
	STATE_HELO,
	STATE_MAIL,
	STATE_RCPT,
	STATE_DATA,
	STATE_HEADER,
	STATE_HEADER_END,
	STATE_BODY,
	STATE_BODY_END,
	STATE_QUIT,
	STATE_ABORT,
	STATE_UNKNOWN,
	STATE_QUIT_NEW
};

#define BIT(name) (UINT32_C(1) << STATE_##name)

/* A row for each state: the command that leads there, the flag by which it is declined, and what
 * may follow. */
static const struct {
	char command;
	uint32_t declined, next;
} rows[] = {
	[STATE_BEGIN] = {0, 0, BIT(OPTIONS)},
	[STATE_OPTIONS] = {MG_WIRE_OPTIONS, 0, BIT(CONNECT) | BIT(UNKNOWN)},
	[STATE_CONNECT] = {MG_WIRE_CONNECT, MG_WIRE_NO_CONNECT,
		BIT(HELO) | BIT(MAIL) | BIT(UNKNOWN)},
	[STATE_HELO] = {MG_WIRE_HELO, MG_WIRE_NO_HELO, BIT(HELO) | BIT(MAIL) | BIT(UNKNOWN)},
	[STATE_MAIL] = {MG_WIRE_MAIL, MG_WIRE_NO_MAIL, BIT(RCPT) | BIT(ABORT) | BIT(UNKNOWN)},
	[STATE_RCPT] = {MG_WIRE_RCPT, MG_WIRE_NO_RCPT,
		BIT(RCPT) | BIT(DATA) | BIT(HEADER) | BIT(HEADER_END) | BIT(BODY) | BIT(BODY_END) |
			BIT(ABORT) | BIT(UNKNOWN)},
	[STATE_DATA] = {MG_WIRE_DATA, MG_WIRE_NO_DATA, BIT(HEADER) | BIT(HEADER_END) | BIT(ABORT)},
	[STATE_HEADER] = {MG_WIRE_HEADER, MG_WIRE_NO_HEADERS,
		BIT(HEADER) | BIT(HEADER_END) | BIT(ABORT)},
	[STATE_HEADER_END] = {MG_WIRE_HEADER_END, MG_WIRE_NO_EOH,
		BIT(BODY) | BIT(BODY_END) | BIT(ABORT)},
	[STATE_BODY] = {MG_WIRE_BODY, MG_WIRE_NO_BODY, BIT(BODY) | BIT(BODY_END) | BIT(ABORT)},
	[STATE_BODY_END] = {MG_WIRE_BODY_END, 0,
		BIT(MAIL) | BIT(QUIT) | BIT(QUIT_NEW) | BIT(UNKNOWN)},
	[STATE_QUIT] = {MG_WIRE_QUIT, 0, 0},
	[STATE_ABORT] = {MG_WIRE_ABORT, 0, 0},
	[STATE_UNKNOWN] = {MG_WIRE_UNKNOWN, MG_WIRE_NO_UNKNOWN,
		BIT(HELO) | BIT(MAIL) | BIT(RCPT) | BIT(DATA) | BIT(BODY) | BIT(ABORT) | BIT(QUIT) |
			BIT(QUIT_NEW) | BIT(UNKNOWN)},
	[STATE_QUIT_NEW] = {MG_WIRE_QUIT_NEW, 0, BIT(CONNECT) | BIT(UNKNOWN)},
};
enum { STATES = sizeof(rows) / sizeof(rows[0]) };

void mg_order_decline(struct mg_order *order, uint32_t protocol)
{
	order->declined = 0;
	for (int i = 0; i < STATES; i++)
		if ((rows[i].declined & protocol) != 0)
			order->declined |= UINT32_C(1) << i;
}

/* Steps that are declined may be left out on the way. */
static bool may_follow(const struct mg_order *order, int from, int to)
{
	for (;; from++) {
		if ((rows[from].next >> to & 1) != 0)
			return true;
		if (from + 1 == STATES || (order->declined >> (from + 1) & 1) == 0)
			return false;
	}
}

static bool in_message(int state)
{
	return state >= STATE_MAIL && state < STATE_BODY_END;
}

enum mg_order_taken mg_order_take(struct mg_order *order, char command, bool *ends)
{
	int state = STATE_OPTIONS;

	*ends = false;
	while (state < STATES && rows[state].command != command)
		state++;
	if (state == STATES)
		return MG_ORDER_UNKNOWN;
	if (!may_follow(order, order->state, state)) {
		*ends = in_message(order->state);
		order->state = STATE_HELO;
		if (!may_follow(order, order->state, state))
			return MG_ORDER_PASSED_OVER;
	}
	order->state = state;
	return MG_ORDER_TAKEN;
}

void mg_order_finish(struct mg_order *order)
{
	order->state = STATE_HELO;
}
