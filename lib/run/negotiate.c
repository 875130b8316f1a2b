/* SPDX-License-Identifier: ISC */
#include "run/negotiate.h"

#include <stddef.h>

#include "run/wire.h"

static const struct {
	enum mg_step step;
	uint32_t declined, silent;
} step_flags[] = {
	{MG_STEP_CONNECT, MG_WIRE_NO_CONNECT, MG_WIRE_NR_CONNECT},
	{MG_STEP_HELO, MG_WIRE_NO_HELO, MG_WIRE_NR_HELO},
	{MG_STEP_MAIL, MG_WIRE_NO_MAIL, MG_WIRE_NR_MAIL},
	{MG_STEP_RCPT, MG_WIRE_NO_RCPT, MG_WIRE_NR_RCPT},
	{MG_STEP_DATA, MG_WIRE_NO_DATA, MG_WIRE_NR_DATA},
	{MG_STEP_HEADER, MG_WIRE_NO_HEADERS, MG_WIRE_NR_HEADER},
	{MG_STEP_EOH, MG_WIRE_NO_EOH, MG_WIRE_NR_EOH},
	{MG_STEP_BODY, MG_WIRE_NO_BODY, MG_WIRE_NR_BODY},
};
static const struct {
	unsigned edit;
	uint32_t action;
} edit_flags[] = {
	{MG_EDIT_ADD, MG_WIRE_ADD_HEADERS},
	{MG_EDIT_CHANGE, MG_WIRE_CHANGE_HEADERS},
	{MG_EDIT_BODY, MG_WIRE_CHANGE_BODY},
	{MG_EDIT_RCPT, MG_WIRE_ADD_RECIPIENTS | MG_WIRE_DELETE_RECIPIENTS},
	{MG_EDIT_SENDER, MG_WIRE_CHANGE_SENDER},
	{MG_EDIT_HOLD, MG_WIRE_QUARANTINE},
};

uint32_t mg_negotiate_protocol(const struct mg_plan *plan)
{
	uint32_t protocol = MG_WIRE_NO_UNKNOWN | MG_WIRE_HEADER_LEADING_SPACE;

	for (size_t i = 0; i < sizeof(step_flags) / sizeof(step_flags[0]); i++) {
		if (plan->steps[step_flags[i].step] == MG_STEP_DECLINED)
			protocol |= step_flags[i].declined;
		if (plan->steps[step_flags[i].step] == MG_STEP_SILENT)
			protocol |= step_flags[i].silent;
	}
	if (plan->steps[MG_STEP_BODY] == MG_STEP_ANSWERED)
		protocol |= MG_WIRE_SKIP;
	return protocol;
}

uint32_t mg_negotiate_actions(const struct mg_plan *plan)
{
	uint32_t actions = 0;

	for (size_t i = 0; i < sizeof(edit_flags) / sizeof(edit_flags[0]); i++)
		if ((plan->edits & edit_flags[i].edit) != 0)
			actions |= edit_flags[i].action;
	return actions;
}
