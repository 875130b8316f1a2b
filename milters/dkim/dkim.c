/* SPDX-License-Identifier: ISC */
/* The callbacks: what is kept of a message while it comes in. Its end is in signing.c. */
#include "dkim/dkim.h"

#include <string.h>

#include "base/str.h"
#include "dkim/report.h"
#include "dkim/settings.h"
#include "dkim/signing.h"

static void *configure(
	const struct mg_conf *conf, const struct mg_world *world, struct mg_errors *errors)
{
	return dkim_settings_new(conf, world, errors);
}

static void release(void *snapshot)
{
	dkim_settings_free(snapshot);
}

static bool is_outbound(const struct mg_call *call)
{
	return call->message->direction == MG_OUTBOUND;
}

static int64_t now(const struct mg_call *call)
{
	return call->world->clock->monotonic(call->world->clock);
}

/* The header is there: what of the body will be needed? */
static void eoh(struct mg_call *call)
{
	struct dkim_message *state = call->state;
	int64_t began = now(call);

	if (!is_outbound(call))
		mg_skip_body(call);
	else if (!dkim_signing_begin(call, state))
		mg_fail(call, "out of memory");
	state->spent += now(call) - began;
}

static void body(struct mg_call *call, const unsigned char *chunk, size_t length)
{
	struct dkim_message *state = call->state;
	int64_t began = now(call);

	if (is_outbound(call) && !dkim_signing_body(call, state, chunk, length))
		mg_fail(call, "out of memory");
	state->spent += now(call) - began;
}

static void eom(struct mg_call *call, struct mg_verdict *verdict)
{
	const struct dkim_settings *settings = call->conf;
	struct dkim_message *state = call->state;
	int64_t began = now(call);

	if (is_outbound(call))
		dkim_signing_end(call, state, began, verdict);
	else if (settings->passed)
		(void)dkim_report_passed(&(const struct dkim_report){.call = call,
						 .duration = state->spent + now(call) - began},
			verdict);
}

static void renew(struct mg_call *call)
{
	dkim_signing_drop(call->state);
}

static void end(struct mg_call *call, enum mg_end how)
{
	(void)how;
	dkim_signing_drop(call->state);
}

const struct mg_filter mg_dkim_filter = {
	.name = "dkim",
	.edits = MG_EDIT_ADD | MG_EDIT_CHANGE,
	.message_size = sizeof(struct dkim_message),
	.options = dkim_settings_options,
	.metrics = dkim_metrics,
	.configure = configure,
	.release = release,
	.eoh = eoh,
	.body = body,
	.eom = eom,
	.renew = renew,
	.end = end,
};
