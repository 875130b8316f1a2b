/* SPDX-License-Identifier: ISC */
/* match_facts: the one table of facts on which conditions can be made, and how each is taken from a
 * message. Private to match. */
#ifndef MG_MAIL_MATCH_FACTS_H
#define MG_MAIL_MATCH_FACTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/match.h"

enum mg_fact_kind {
	MG_FACT_WORD, /* one of .words of its setting */
	MG_FACT_TEXT,
	MG_FACT_DOMAIN,
	MG_FACT_ADDRESS,
	MG_FACT_CLIENT,
	MG_FACT_NUMBER,
	MG_FACT_SIZE,
	MG_FACT_HEADER, /* fields of the header, by name */
	MG_FACT_KINDS
};

/* Is told a value, as it stands in the message; other than 0 ends the telling. */
typedef int mg_fact_fits(void *context, const char *value);

struct mg_fact {
	const char *name;
	enum mg_fact_kind kind;
	bool late; /* known at end of message only */
	/* Tells fits each value until it answers other than 0: that answer, or 0. A fact may have
	 * none. NULL for numbers and fields. */
	int (*values)(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context);
	int64_t (*number)(const struct mg_match_facts *facts); /* of numbers and sizes */
};

/* In the order of mg_match_options, cheap ones first; ended by .name = NULL. */
extern const struct mg_fact mg_facts[];
#endif
