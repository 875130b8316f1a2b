/* SPDX-License-Identifier: ISC */
/* report: what becomes of an outbound message, by code, and how it is told: events, counters, the
 * answer. */
#ifndef MG_DKIM_REPORT_H
#define MG_DKIM_REPORT_H
#include <stdbool.h>
#include <stdint.h>

#include "dkim/keys.h"
#include "dkim/settings.h"
#include "mail/filter.h"

extern const struct mg_metric dkim_metrics[];

/* Why a message is not signed; the order is that of the counters. */
enum dkim_code {
	DKIM_ALREADY_SIGNED,
	DKIM_CODE_BAD_AUTHOR,
	DKIM_CODE_BAD_DOMAIN,
	DKIM_EXCEPTION,
	DKIM_CODE_FRAGILE,
	DKIM_KEY_GONE,
	DKIM_KEY_MISMATCH,
	DKIM_KEY_REFUSED,
	DKIM_KEYS_UNREADABLE,
	DKIM_LONG_LINE,
	DKIM_NO_AUTHOR,
	DKIM_CODE_NO_KEY,
	DKIM_NOT_MATCHED,
	DKIM_OVER_BOUND,
	DKIM_SEVERAL_AUTHORS,
	DKIM_SIGNING_FAILED,
	DKIM_CODES,
	DKIM_NO_CODE = DKIM_CODES
};

/* A message or a signature that is not made. */
struct dkim_problem {
	enum dkim_code code;
	char domain[256]; /* that would have signed; "" unknown */
	char reason[512];
};
/* Sets it, printf's way. */
void dkim_problem_set(struct dkim_problem *problem, enum dkim_code code, const char *domain,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Is the message deferred for it? */
bool dkim_problem_defers(const struct dkim_settings *settings, enum dkim_code code);
/* Was something to sign with, that could not be used? */
bool dkim_problem_is_failure(enum dkim_code code);

/* What all events of one message have. */
struct dkim_report {
	struct mg_call *call;
	int64_t duration; /* own work, ns */
	unsigned fragile; /* bits of enum dkim_fragility */
};

/* Each writes an event and counts; false, with a verdict of MG_ERROR, when it could not be written.
 */
bool dkim_report_passed(const struct dkim_report *report, struct mg_verdict *verdict);
bool dkim_report_signed(const struct dkim_report *report, const struct dkim_signer *signer,
	struct mg_verdict *verdict);
/* deferred: verdict becomes that answer. */
bool dkim_report_unsigned(const struct dkim_report *report, const struct dkim_problem *problem,
	bool deferred, struct mg_verdict *verdict);
/* What DNS has of a key that signed: in a word (millgate.dkim.dns), in words, and the record to
 * publish. */
bool dkim_report_mismatch(const struct dkim_report *report, const struct dkim_signer *signer,
	const char *dns, const char *reason, const char *record, struct mg_verdict *verdict);
#endif
