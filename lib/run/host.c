/* SPDX-License-Identifier: ISC */
#include "run/host.h"

const struct mg_metric mg_host_metrics[] = {
	[MG_METRIC_SESSIONS] = {"millgate_sessions_total", "", "Connections of Postfix",
		MG_COUNTER},
	[MG_METRIC_SESSIONS_OPEN] = {"millgate_sessions_open", "",
		"Connections of Postfix open now", MG_GAUGE},
	[MG_METRIC_MESSAGES_CONTINUED] = {"millgate_verdicts_total", "verdict=\"continue\"",
		"Messages by what became of them here", MG_COUNTER},
	[MG_METRIC_MESSAGES_REJECTED] = {"millgate_verdicts_total", "verdict=\"reject\"", "",
		MG_COUNTER},
	[MG_METRIC_MESSAGES_DEFERRED] = {"millgate_verdicts_total", "verdict=\"defer\"", "",
		MG_COUNTER},
	[MG_METRIC_MESSAGES_DISCARDED] = {"millgate_verdicts_total", "verdict=\"discard\"", "",
		MG_COUNTER},
	[MG_METRIC_MESSAGES_HELD] = {"millgate_verdicts_total", "verdict=\"hold\"", "", MG_COUNTER},
	[MG_METRIC_MESSAGES_ABORTED] = {"millgate_verdicts_total", "verdict=\"aborted\"", "",
		MG_COUNTER},
	[MG_METRIC_MESSAGES_LOST] = {"millgate_verdicts_total", "verdict=\"lost\"", "", MG_COUNTER},
	[MG_METRIC_FILTER_ERRORS] = {"millgate_filter_errors_total", "",
		"Messages that could not be judged, or over a bound", MG_COUNTER},
	[MG_METRIC_RECIPIENTS_REFUSED] = {"millgate_recipients_refused_total", "",
		"Recipients refused at RCPT", MG_COUNTER},
	{.name = NULL},
};

void mg_plan_make(struct mg_plan *plan, const struct mg_filter *const filters[], size_t count)
{
	/* MAIL is answered even if nobody judges there. Postfix keeps steps without an answer in its
	 * buffer until DATA: a message under way would be unknown, and not finished when the daemon
	 * ends (measured, 3.7; the answer costs up to 5 % of a hop's rate). */
	*plan = (struct mg_plan){.steps = {[MG_STEP_HELO] = MG_STEP_SILENT,
					 [MG_STEP_MAIL] = MG_STEP_ANSWERED,
					 [MG_STEP_RCPT] = MG_STEP_SILENT,
					 [MG_STEP_HEADER] = MG_STEP_SILENT}};
	for (size_t i = 0; i < count; i++) {
		const struct mg_filter *filter = filters[i];

		if (filter->connect != NULL)
			plan->steps[MG_STEP_CONNECT] = MG_STEP_ANSWERED;
		if (filter->helo != NULL) {
			plan->steps[MG_STEP_HELO] = MG_STEP_ANSWERED;
			/* Whose HELO it is is told at CONNECT. */
			if (plan->steps[MG_STEP_CONNECT] == MG_STEP_DECLINED)
				plan->steps[MG_STEP_CONNECT] = MG_STEP_SILENT;
		}
		if (filter->rcpt != NULL) {
			plan->steps[MG_STEP_RCPT] = MG_STEP_ANSWERED;
			plan->edits |=
				/* a recipient of local mail is removed, not refused */
				MG_EDIT_RCPT;
		}
		if (filter->eoh != NULL)
			plan->steps[MG_STEP_EOH] = MG_STEP_SILENT;
		if (filter->body != NULL && plan->steps[MG_STEP_BODY] == MG_STEP_DECLINED)
			plan->steps[MG_STEP_BODY] = MG_STEP_SILENT;
		if (filter->body != NULL && (filter->needs & MG_NEED_SKIP) != 0)
			plan->steps[MG_STEP_BODY] = MG_STEP_ANSWERED;
		if ((filter->needs & MG_NEED_HEADERS) != 0 || (filter->edits & MG_EDIT_CHANGE) != 0)
			plan->headers = true;
		plan->edits |= filter->edits;
	}
	/* A filter may see what one before it edited, and the runner itself edits, too. */
	plan->headers = plan->headers || count > 1;
	/* on_bound = "hold" holds by quarantine or by a header field. */
	plan->edits |= MG_EDIT_HOLD | MG_EDIT_ADD;
}
